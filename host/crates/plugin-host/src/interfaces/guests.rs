//! Where the functions of a plugin's interfaces are.

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::bindings::exports::trellis::plugin;
use crate::call::CallState;
use crate::manifest::Interface;

/// An interface that plugins export: what the generated code has for each of them under the same names.
pub(crate) trait Exported {
    /// Its functions in one instance.
    type Guest;
    /// Its name in WIT.
    const NAME: &'static str;

    /// Finds its functions in a new instance.
    fn load(
        guests: &Guests,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Self::Guest>;
}

macro_rules! exported {
    ($($module:ident $interface:ident $name:literal,)*) => {
        /// The interfaces that a plugin has.
        pub(crate) struct Guests {
            $($module: Option<plugin::$module::GuestIndices>,)*
        }

        impl Guests {
            /// Looks for the functions of the interfaces that the manifest names.
            pub(crate) fn new(pre: &InstancePre<CallState>, provides: &[Interface]) -> wasmtime::Result<Self> {
                Ok(Self {
                    $($module: provides
                        .contains(&Interface::$interface)
                        .then(|| plugin::$module::GuestIndices::new(pre))
                        .transpose()?,)*
                })
            }

            /// Looks up every function of every interface with its types.
            pub(crate) fn try_all(&self, store: &mut Store<CallState>, instance: &Instance) -> wasmtime::Result<()> {
                $(if let Some(indices) = &self.$module {
                    indices.load(&mut *store, instance)?;
                })*
                Ok(())
            }
        }

        $(impl Exported for plugin::$module::GuestIndices {
            type Guest = plugin::$module::Guest;
            const NAME: &'static str = $name;

            fn load(
                guests: &Guests,
                store: &mut Store<CallState>,
                instance: &Instance,
            ) -> wasmtime::Result<Self::Guest> {
                let indices = guests.$module.as_ref();
                indices.ok_or_else(|| wasmtime::Error::msg(concat!("there is no interface `", $name, "`")))?.load(store, instance)
            }
        })*
    };
}

exported! {
    segmentation Segmentation "segmentation",
    scoring Scoring "scoring",
    campaign_rules CampaignRules "campaign-rules",
    service_workflow ServiceWorkflow "service-workflow",
    record_hook RecordHook "record-hook",
    model_report ModelReport "model-report",
    analysis Analysis "analysis",
}
