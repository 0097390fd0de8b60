//! Plugins that show what they learned.

use std::marker::PhantomData;

use crate::bindings::model_report::exports::trellis::plugin::model_report as wire;
use crate::{PluginError, Report, Result, log};

/// Which function learned a model. A later host may know others; [`ModelReport`] is not asked about these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnedBy {
    /// [`crate::Segmentation::fit`].
    Segmentation,
    /// [`crate::Scoring::fit`].
    Scoring,
}

/// A plugin that shows its models as figures, tables and pictures. It is a [`crate::Segmentation`] or a [`crate::Scoring`] beside it.
///
/// ```
/// use trellis_sdk::{LearnedBy, ModelReport, Report, Result, export_model_report, localized, metric, report};
///
/// struct Freshness;
///
/// impl ModelReport for Freshness {
///     fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
///         let learned = metric("bytes", localized("Size of the model in bytes", "模型大小（字节）"), model.len() as f64);
///         Ok(report(localized("Nothing was learned", "没有学习任何内容")).metric(learned))
///     }
/// }
///
/// export_model_report!(Freshness);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `trellis_sdk::ModelReport`",
    label = "`export_model_report!` needs a type that does",
    note = "write `impl ModelReport for {Self} {{ … }}`; the documentation of `ModelReport` has a whole example"
)]
pub trait ModelReport {
    /// Shows a model that `fit` returned. Depends on its bytes and nothing else.
    ///
    /// # Errors
    /// [`crate::PluginError::UnreadableModel`] for bytes of another version.
    fn describe_model(learned_by: LearnedBy, model: &[u8]) -> Result<Report>;
}

/// Answers the calls of the WIT interface with a [`ModelReport`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: ModelReport> wire::Guest for Adapter<P> {
    fn describe_model(learned_by: String, model: Vec<u8>) -> Result<Report> {
        log::report_panics();
        let learned_by = match learned_by.as_str() {
            "scoring" => LearnedBy::Scoring,
            "segmentation" => LearnedBy::Segmentation,
            other => {
                let en = format!("the plugin learns no models by `{other}`");
                return Err(PluginError::other(
                    "unknown-learner",
                    (en, format!("本插件没有通过 `{other}` 学习的模型")),
                ));
            }
        };
        P::describe_model(learned_by, &model)
    }
}

/// Makes the crate a plugin that shows its models: `export_model_report!(MyPlugin)`, once, in the crate's root.
///
/// `MyPlugin` implements [`ModelReport`]. A type that does not implement it is refused:
///
/// ```compile_fail,E0277
/// struct Nothing;
/// trellis_sdk::export_model_report!(Nothing);
/// ```
#[macro_export]
macro_rules! export_model_report {
    ($plugin:ty) => {
        $crate::export_model_report_guest!($crate::model_report::Adapter<$plugin>);
    };
}

/// As [`export_model_report!`], for a type that implements the raw trait of [`crate::bindings`].
#[macro_export]
macro_rules! export_model_report_guest {
    ($guest:ty) => {
        const _: () = {
            type Exported = $guest;

            // A native linker refuses the names of these symbols, and a native test has no use for them.
            #[cfg(target_family = "wasm")]
            $crate::bindings::model_report::export_model_report_bindings!(
                Exported with_types_in $crate::bindings::model_report
            );
            $crate::stamp!();

            const fn implements_the_interface<
                G: $crate::bindings::model_report::exports::trellis::plugin::model_report::Guest,
            >() {
            }
            implements_the_interface::<Exported>();
        };
    };
}
