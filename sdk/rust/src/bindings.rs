//! The Rust types and traits that wit-bindgen makes of `wit/`, for plugins that need what the rest of this crate hides.
//!
//! Ordinary plugins implement the traits of this crate and never name anything here. A plugin that uses these directly
//! implements the trait `Guest` of an interface, for example [`segmentation::exports::trellis::plugin::segmentation::Guest`],
//! and exports itself with the macro of that interface, for example [`crate::export_segmentation_guest!`].
//!
//! The types that several interfaces use exist once, in [`shared`]: a plugin with two interfaces passes the same `Batch` to both.

/// The types of all interfaces, and what the host answers.
#[expect(missing_docs, reason = "generated from wit/")]
pub mod shared {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package trellis:sdk;

            world shared {
                import trellis:plugin/types@1.0.0;
                import trellis:plugin/columns@1.0.0;
                import trellis:plugin/values@1.0.0;
                import trellis:plugin/actions@1.0.0;
                import trellis:plugin/row-streams@1.0.0;
                import trellis:plugin/reports@1.0.0;
                import trellis:plugin/host-log@1.0.0;
                import trellis:plugin/host-lookups@1.0.0;
            }
        ",
        world: "trellis:sdk/shared",
        generate_all,
        runtime_path: "trellis_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
    });
}

/// Generates the bindings of one world on the types of [`shared`]: those interfaces that the world uses, each with its module there.
macro_rules! world {
    (
        $(#[$attribute:meta])*
        $module:ident, $world:literal, $export:literal, $bindings:literal,
        { $($interface:literal: $shared:ident),* }
    ) => {
        $(#[$attribute])*
        #[expect(missing_docs, reason = "generated from wit/")]
        pub mod $module {
            pub use super::shared::trellis;

            wit_bindgen::generate!({
                world: $world,
                path: "../../wit",
                with: { $($interface: trellis_sdk::bindings::shared::trellis::plugin::$shared),* },
                generate_all,
                pub_export_macro: true,
                export_macro_name: $export,
                default_bindings_module: $bindings,
                runtime_path: "trellis_sdk::wit_bindgen::rt",
                additional_derives: [PartialEq],
            });
        }
    };
}

world!(
    /// World `segmentation-plugin`.
    segmentation,
    "segmentation-plugin",
    "export_segmentation_bindings",
    "trellis_sdk::bindings::segmentation",
    {
        "trellis:plugin/types@1.0.0": types,
        "trellis:plugin/columns@1.0.0": columns,
        "trellis:plugin/row-streams@1.0.0": row_streams,
        "trellis:plugin/host-log@1.0.0": host_log
    }
);
world!(
    /// World `scoring-plugin`.
    scoring,
    "scoring-plugin",
    "export_scoring_bindings",
    "trellis_sdk::bindings::scoring",
    {
        "trellis:plugin/types@1.0.0": types,
        "trellis:plugin/columns@1.0.0": columns,
        "trellis:plugin/row-streams@1.0.0": row_streams,
        "trellis:plugin/host-log@1.0.0": host_log
    }
);
world!(
    /// World `campaign-rules-plugin`.
    campaign_rules,
    "campaign-rules-plugin",
    "export_campaign_rules_bindings",
    "trellis_sdk::bindings::campaign_rules",
    {
        "trellis:plugin/types@1.0.0": types,
        "trellis:plugin/columns@1.0.0": columns,
        "trellis:plugin/values@1.0.0": values,
        "trellis:plugin/actions@1.0.0": actions,
        "trellis:plugin/row-streams@1.0.0": row_streams,
        "trellis:plugin/reports@1.0.0": reports,
        "trellis:plugin/host-log@1.0.0": host_log
    }
);
world!(
    /// World `service-workflow-plugin`.
    service_workflow,
    "service-workflow-plugin",
    "export_service_workflow_bindings",
    "trellis_sdk::bindings::service_workflow",
    {
        "trellis:plugin/types@1.0.0": types,
        "trellis:plugin/values@1.0.0": values,
        "trellis:plugin/actions@1.0.0": actions,
        "trellis:plugin/host-log@1.0.0": host_log,
        "trellis:plugin/host-lookups@1.0.0": host_lookups
    }
);
world!(
    /// World `record-hook-plugin`.
    record_hook,
    "record-hook-plugin",
    "export_record_hook_bindings",
    "trellis_sdk::bindings::record_hook",
    {
        "trellis:plugin/types@1.0.0": types,
        "trellis:plugin/values@1.0.0": values,
        "trellis:plugin/host-log@1.0.0": host_log,
        "trellis:plugin/host-lookups@1.0.0": host_lookups
    }
);
world!(
    /// World `model-report-plugin`.
    model_report,
    "model-report-plugin",
    "export_model_report_bindings",
    "trellis_sdk::bindings::model_report",
    {
        "trellis:plugin/types@1.0.0": types,
        "trellis:plugin/columns@1.0.0": columns,
        "trellis:plugin/reports@1.0.0": reports,
        "trellis:plugin/host-log@1.0.0": host_log
    }
);
world!(
    /// World `analysis-plugin`.
    analysis,
    "analysis-plugin",
    "export_analysis_bindings",
    "trellis_sdk::bindings::analysis",
    {
        "trellis:plugin/types@1.0.0": types,
        "trellis:plugin/columns@1.0.0": columns,
        "trellis:plugin/row-streams@1.0.0": row_streams,
        "trellis:plugin/reports@1.0.0": reports,
        "trellis:plugin/host-log@1.0.0": host_log
    }
);
