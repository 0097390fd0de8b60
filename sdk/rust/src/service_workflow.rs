//! Plugins that guide the work on cases.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::actions::{CancelTimer, SetFields, StartTimer};
use crate::bindings::service_workflow::exports::trellis::plugin::service_workflow as wire;
use crate::bindings::shared::trellis::plugin::values::Money as Amount;
use crate::config::parse_config;
use crate::fields::value_of;
use crate::{
    Context, Decision, Requirement, Result, Suggestion, Value, cancel_timer, log, set_fields, start_timer,
};

pub use wire::{Occurrence, WorkItem};

/// A plugin that guides the work on the records of one object, usually cases: what a new one is, what happens with it next, what may
/// be done, when it may be closed. What a plugin leaves out does nothing.
///
/// What the plugin's own actions change comes back to it like any other change: decide from what the record is, and do nothing where it
/// already is as it should be.
///
/// ```
/// use trellis_sdk::{Context, Decision, NoConfig, Result, ServiceWorkflow, WorkItem, export_service_workflow, localized, reason, task};
///
/// struct Desk;
///
/// impl ServiceWorkflow for Desk {
///     type Config = NoConfig;
///
///     fn triage(item: &WorkItem, _: &NoConfig, _: &Context) -> Result<Decision> {
///         if item.choice("kind") != Some("complaint") {
///             return Ok(Decision::nothing());
///         }
///         let why = reason("complaint", localized("it is a complaint", "这是投诉"), 1.0);
///         let call = task("Call the customer back", "给客户回电").case(&item.item.id).due_in_days(1);
///         Ok(Decision::because(why).then(item.set_fields().choice("priority", "high")).then(call))
///     }
/// }
///
/// export_service_workflow!(Desk);
///
/// use trellis_sdk::testing::{context, record, work_item};
/// let item = work_item(record("case").choice("kind", "complaint"));
/// let decision = Desk::triage(&item, &NoConfig {}, &context())?;
/// assert_eq!(decision.actions.len(), 2);
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `trellis_sdk::ServiceWorkflow`",
    label = "`export_service_workflow!` needs a type that does",
    note = "write `impl ServiceWorkflow for {Self} {{ … }}`; the documentation of `ServiceWorkflow` has a whole example"
)]
pub trait ServiceWorkflow {
    /// The configuration, as the manifest's schema describes it. [`crate::NoConfig`] where there is nothing to set.
    type Config: DeserializeOwned;

    /// Judges a new record.
    ///
    /// # Errors
    /// Where it cannot: nothing happens then, and the admin is told.
    fn triage(item: &WorkItem, config: &Self::Config, at: &Context) -> Result<Decision> {
        let _ = (item, config, at);
        Ok(Decision::nothing())
    }

    /// Reacts to a change of the record, or to a timer that the plugin started.
    ///
    /// # Errors
    /// As [`triage`](Self::triage).
    fn on_event(
        item: &WorkItem,
        event: &Occurrence,
        config: &Self::Config,
        at: &Context,
    ) -> Result<Decision> {
        let _ = (item, event, config, at);
        Ok(Decision::nothing())
    }

    /// Suggests what a person could do now, the best first, at most ten. Changes nothing. See [`crate::suggestion`].
    ///
    /// # Errors
    /// As [`triage`](Self::triage).
    fn suggest(item: &WorkItem, config: &Self::Config, at: &Context) -> Result<Vec<Suggestion>> {
        let _ = (item, config, at);
        Ok(Vec::new())
    }

    /// Says what is missing before the record may be closed; nothing means that it may. Somebody waits for it: 50 ms are the limit.
    /// See [`crate::requirement`].
    ///
    /// # Errors
    /// As [`triage`](Self::triage); the record is not closed then.
    fn close_check(item: &WorkItem, config: &Self::Config, at: &Context) -> Result<Vec<Requirement>> {
        let _ = (item, config, at);
        Ok(Vec::new())
    }
}

/// The getters read the record itself; the customer's fields are those of `account`.
impl WorkItem {
    /// See [`crate::ObjectRecord::value`].
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.item.value(name)
    }

    /// See [`crate::ObjectRecord::is_blank`].
    pub fn is_blank(&self, name: &str) -> bool {
        self.item.is_blank(name)
    }

    /// See [`crate::ObjectRecord::text`].
    pub fn text(&self, name: &str) -> Option<&str> {
        self.item.text(name)
    }

    /// See [`crate::ObjectRecord::choice`].
    pub fn choice(&self, name: &str) -> Option<&str> {
        self.item.choice(name)
    }

    /// See [`crate::ObjectRecord::choices`].
    pub fn choices(&self, name: &str) -> &[String] {
        self.item.choices(name)
    }

    /// See [`crate::ObjectRecord::number`].
    pub fn number(&self, name: &str) -> Option<f64> {
        self.item.number(name)
    }

    /// See [`crate::ObjectRecord::integer`].
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.item.integer(name)
    }

    /// See [`crate::ObjectRecord::money`].
    pub fn money(&self, name: &str) -> Option<&Amount> {
        self.item.money(name)
    }

    /// See [`crate::ObjectRecord::boolean`].
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.item.boolean(name)
    }

    /// See [`crate::ObjectRecord::date`].
    pub fn date(&self, name: &str) -> Option<i32> {
        self.item.date(name)
    }

    /// See [`crate::ObjectRecord::time`].
    pub fn time(&self, name: &str) -> Option<i64> {
        self.item.time(name)
    }

    /// See [`crate::ObjectRecord::reference`].
    pub fn reference(&self, name: &str) -> Option<&str> {
        self.item.reference(name)
    }

    /// An action that changes the record; its methods say which fields.
    pub fn set_fields(&self) -> SetFields {
        set_fields(&self.item.object, &self.item.id)
    }

    /// An action that starts a timer of the record.
    pub fn start_timer(&self, name: &str, due_ms: i64) -> StartTimer {
        start_timer(name, &self.item.object, &self.item.id, due_ms)
    }

    /// An action that ends a timer of the record.
    pub fn cancel_timer(&self, name: &str) -> CancelTimer {
        cancel_timer(name, &self.item.object, &self.item.id)
    }
}

impl Occurrence {
    /// Whether the field was changed.
    pub fn has_changed(&self, name: &str) -> bool {
        matches!(self, Self::Changed(before) if before.iter().any(|field| field.name == name))
    }

    /// What a changed field was before; none for null, and where it was not changed.
    pub fn before(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Changed(before) => value_of(before, name),
            _ => None,
        }
    }

    /// The name of the timer that has run out.
    pub fn timer(&self) -> Option<&str> {
        match self {
            Self::Timer(name) => Some(name),
            _ => None,
        }
    }
}

/// Answers the calls of the WIT interface with a [`ServiceWorkflow`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: ServiceWorkflow> wire::Guest for Adapter<P> {
    fn triage(item: WorkItem, config: String, at: Context) -> Result<Decision> {
        log::report_panics();
        P::triage(&item, &parse_config(&config)?, &at)
    }

    fn on_event(item: WorkItem, event: Occurrence, config: String, at: Context) -> Result<Decision> {
        log::report_panics();
        P::on_event(&item, &event, &parse_config(&config)?, &at)
    }

    fn suggest(item: WorkItem, config: String, at: Context) -> Result<Vec<Suggestion>> {
        log::report_panics();
        P::suggest(&item, &parse_config(&config)?, &at)
    }

    fn close_check(item: WorkItem, config: String, at: Context) -> Result<Vec<Requirement>> {
        log::report_panics();
        P::close_check(&item, &parse_config(&config)?, &at)
    }
}

/// Makes the crate a plugin that guides the work on cases: `export_service_workflow!(MyPlugin)`, once, in the crate's root.
///
/// `MyPlugin` implements [`ServiceWorkflow`]. Other interfaces can be exported beside it. A type that does not implement it is refused:
///
/// ```compile_fail,E0277
/// struct Nothing;
/// trellis_sdk::export_service_workflow!(Nothing);
/// ```
#[macro_export]
macro_rules! export_service_workflow {
    ($plugin:ty) => {
        $crate::export_service_workflow_guest!($crate::service_workflow::Adapter<$plugin>);
    };
}

/// As [`export_service_workflow!`], for a type that implements the raw trait of [`crate::bindings`].
#[macro_export]
macro_rules! export_service_workflow_guest {
    ($guest:ty) => {
        const _: () = {
            type Exported = $guest;

            // A native linker refuses the names of these symbols, and a native test has no use for them.
            #[cfg(target_family = "wasm")]
            $crate::bindings::service_workflow::export_service_workflow_bindings!(
                Exported with_types_in $crate::bindings::service_workflow
            );
            $crate::stamp!();

            const fn implements_the_interface<
                G: $crate::bindings::service_workflow::exports::trellis::plugin::service_workflow::Guest,
            >() {
            }
            implements_the_interface::<Exported>();
        };
    };
}
