//! The interfaces of `wit/`, one module each. The generated types stay inside this crate.

pub(crate) mod host_log;
pub(crate) mod row_streams;
pub(crate) mod segmentation;

use wasmtime::component::{HasData, Linker};

use crate::call::CallState;

#[allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    unused_qualifications,
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "generated"
)]
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        inline: "
            package trellis:host-side;

            world host-side {
                import trellis:plugin/host-log@1.0.0;
                import trellis:plugin/row-streams@1.0.0;
                export trellis:plugin/segmentation@1.0.0;
            }
        ",
        world: "trellis:host-side/host-side",
        imports: { default: trappable },
        with: {
            "trellis:plugin/row-streams.row-stream": super::row_streams::StreamHandle,
        },
    });
}

/// Marks that host functions work on the state of the call itself.
struct OnCall;

impl HasData for OnCall {
    type Data<'a> = &'a mut CallState;
}

/// Links every host interface that a plugin may be granted. What a component imports was checked before.
pub(crate) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    use bindings::trellis::plugin;
    plugin::host_log::add_to_linker::<_, OnCall>(linker, |state| state)?;
    plugin::row_streams::add_to_linker::<_, OnCall>(linker, |state| state)
}
