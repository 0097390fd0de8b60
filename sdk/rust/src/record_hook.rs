//! Plugins that look at records before they are saved.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::record_hook::exports::trellis::plugin::record_hook as wire;
use crate::config::parse_config;
use crate::fields::value_of;
use crate::{Context, Fields, Result, Value, localized, log};

pub use wire::{Change, Refusal, Verdict};

/// A plugin that looks at records before they are saved, and may change or refuse them. Somebody waits: 50 ms are the limit.
///
/// ```
/// use trellis_sdk::{Change, Context, NoConfig, RecordHook, Result, Verdict, export_record_hook};
///
/// struct Gate;
///
/// impl RecordHook for Gate {
///     type Config = NoConfig;
///
///     fn before_save(change: &Change, _: &NoConfig, _: &Context) -> Result<Verdict> {
///         if change.becomes("status", "converted") && change.after.is_blank("phone") {
///             return Ok(Verdict::veto("phone-missing", "a phone number is needed first", "请先填写电话").on_field("phone"));
///         }
///         Ok(Verdict::Accept)
///     }
/// }
///
/// export_record_hook!(Gate);
///
/// use trellis_sdk::testing::{changed, context, record};
/// let change = changed(record("lead").choice("status", "new"), record("lead").choice("status", "converted"));
/// assert!(matches!(Gate::before_save(&change, &NoConfig {}, &context())?, Verdict::Veto(refusal) if refusal.code == "phone-missing"));
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `trellis_sdk::RecordHook`",
    label = "`export_record_hook!` needs a type that does",
    note = "write `impl RecordHook for {Self} {{ … }}`; the documentation of `RecordHook` has a whole example"
)]
pub trait RecordHook {
    /// The configuration, as the manifest's schema describes it. [`crate::NoConfig`] where there is nothing to set.
    type Config: DeserializeOwned;

    /// Judges one change. May be called again for the same change.
    ///
    /// # Errors
    /// Where it cannot; the manifest's `on-failure` says what becomes of the change.
    fn before_save(change: &Change, config: &Self::Config, at: &Context) -> Result<Verdict>;

    /// Judges up to 200 changes of one object, for plugins that save work by looking at all of them at once. Each is still judged for
    /// itself. The default asks [`before_save`](Self::before_save) for each.
    ///
    /// # Errors
    /// As [`before_save`](Self::before_save).
    fn before_save_all(changes: &[Change], config: &Self::Config, at: &Context) -> Result<Vec<Verdict>> {
        changes.iter().map(|change| Self::before_save(change, config, at)).collect()
    }
}

impl Change {
    /// Whether the record is created.
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// What a field is now, as stored; none for null, and for a record that is created.
    pub fn before(&self, name: &str) -> Option<&Value> {
        value_of(self.before.as_deref()?, name)
    }

    /// Whether a field becomes another value. Of a record that is created, every field that is not null does.
    pub fn changes(&self, name: &str) -> bool {
        self.before(name) != self.after.value(name)
    }

    /// Whether a choice or text becomes `value` by this change.
    pub fn becomes(&self, name: &str, value: &str) -> bool {
        let is_value =
            matches!(self.after.value(name), Some(Value::Choice(text) | Value::Text(text)) if text == value);
        is_value && self.changes(name)
    }
}

impl Verdict {
    /// A refusal: a code in kebab-case, and why, in words for whoever saves. Quote no field that the reader may not see.
    pub fn veto(code: &str, en: impl Into<String>, zh_cn: impl Into<String>) -> Self {
        Self::Veto(Refusal { code: code.to_owned(), field: None, message: localized(en, zh_cn) })
    }

    /// Saves with these fields changed; the host validates them like any others.
    pub fn patch(fields: Fields) -> Self {
        Self::Patch(fields.into())
    }

    /// Names the field at fault of a refusal; of another verdict it changes nothing.
    #[must_use]
    pub fn on_field(mut self, name: &str) -> Self {
        if let Self::Veto(refusal) = &mut self {
            refusal.field = Some(name.to_owned());
        }
        self
    }
}

/// Answers the calls of the WIT interface with a [`RecordHook`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: RecordHook> wire::Guest for Adapter<P> {
    fn before_save(changes: Vec<Change>, config: String, at: Context) -> Result<Vec<Verdict>> {
        log::report_panics();
        P::before_save_all(&changes, &parse_config(&config)?, &at)
    }
}

/// Makes the crate a plugin that checks records before they are saved: `export_record_hook!(MyPlugin)`, once, in the crate's root.
///
/// `MyPlugin` implements [`RecordHook`]. Other interfaces can be exported beside it. A type that does not implement it is refused:
///
/// ```compile_fail,E0277
/// struct Nothing;
/// trellis_sdk::export_record_hook!(Nothing);
/// ```
#[macro_export]
macro_rules! export_record_hook {
    ($plugin:ty) => {
        $crate::export_record_hook_guest!($crate::record_hook::Adapter<$plugin>);
    };
}

/// As [`export_record_hook!`], for a type that implements the raw trait of [`crate::bindings`].
#[macro_export]
macro_rules! export_record_hook_guest {
    ($guest:ty) => {
        const _: () = {
            type Exported = $guest;

            // A native linker refuses the names of these symbols, and a native test has no use for them.
            #[cfg(target_family = "wasm")]
            $crate::bindings::record_hook::export_record_hook_bindings!(
                Exported with_types_in $crate::bindings::record_hook
            );
            $crate::stamp!();

            const fn implements_the_interface<
                G: $crate::bindings::record_hook::exports::trellis::plugin::record_hook::Guest,
            >() {
            }
            implements_the_interface::<Exported>();
        };
    };
}
