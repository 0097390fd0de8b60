//! The interfaces of `wit/`, one module each. The generated types stay inside this crate.

pub(crate) mod analysis;
pub(crate) mod campaign_rules;
mod guests;
pub(crate) mod host_log;
pub(crate) mod host_lookups;
pub(crate) mod model_report;
pub(crate) mod record_hook;
pub(crate) mod row_streams;
pub(crate) mod scoring;
pub(crate) mod segmentation;
pub(crate) mod service_workflow;
pub(crate) mod versions;
pub(crate) mod wasi;

use wasmtime::component::{HasData, Linker};

use crate::Inspection;
use crate::call::CallState;

pub(crate) use guests::{Exported, Guests};

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
                import trellis:plugin/host-lookups@1.0.0;
                import trellis:plugin/row-streams@1.0.0;
                export trellis:plugin/segmentation@1.0.0;
                export trellis:plugin/scoring@1.0.0;
                export trellis:plugin/campaign-rules@1.0.0;
                export trellis:plugin/service-workflow@1.0.0;
                export trellis:plugin/record-hook@1.0.0;
                export trellis:plugin/model-report@1.0.0;
                export trellis:plugin/analysis@1.0.0;
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
pub(crate) struct OnCall;

impl HasData for OnCall {
    type Data<'a> = &'a mut CallState;
}

/// Links the host interfaces that a plugin was granted: what its imports may be was checked before, and what it does not ask for is not there.
pub(crate) fn add_to_linker(linker: &mut Linker<CallState>, inspection: &Inspection) -> wasmtime::Result<()> {
    let version = &inspection.manifest.wit;
    let major = versions::major_of(version)
        .ok_or_else(|| wasmtime::Error::msg(format!("there are no interfaces of version {version}")))?;
    (major.link)(linker, inspection)
}

/// The host interfaces of version 1, which are those of today.
fn link_1(linker: &mut Linker<CallState>, inspection: &Inspection) -> wasmtime::Result<()> {
    use bindings::trellis::plugin;
    plugin::host_log::add_to_linker::<_, OnCall>(linker, |state| state)?;
    plugin::row_streams::add_to_linker::<_, OnCall>(linker, |state| state)?;
    if !inspection.manifest.lookups.is_empty() {
        plugin::host_lookups::add_to_linker::<_, OnCall>(linker, |state| state)?;
    }
    if inspection.wasi {
        wasi::add_to_linker(linker)?;
    }
    Ok(())
}
