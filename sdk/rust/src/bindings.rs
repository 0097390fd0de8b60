//! The Rust types and traits that wit-bindgen makes of `wit/`, for plugins that need what the rest of this crate hides.
//!
//! Ordinary plugins implement the traits of this crate and never name anything here. A plugin that uses these directly
//! implements [`segmentation::exports::trellis::plugin::segmentation::Guest`] and exports itself with
//! [`crate::export_segmentation_guest!`].

/// World `segmentation-plugin`.
#[expect(missing_docs, reason = "generated from wit/")]
pub mod segmentation {
    wit_bindgen::generate!({
        world: "segmentation-plugin",
        path: "../../wit",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_segmentation_bindings",
        default_bindings_module: "trellis_sdk::bindings::segmentation",
        runtime_path: "trellis_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
    });
}
