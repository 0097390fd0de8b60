//! Plugins that answer questions about a whole population.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::analysis::exports::trellis::plugin::analysis as wire;
use crate::config::parse_config;
use crate::{Context, Report, Result, RowStream, localized, log};

pub use wire::AnalysisDescription;

/// A plugin that answers questions: a forecast, a comparison of two variants, rules between products.
///
/// ```
/// use trellis_sdk::{Analysis, AnalysisDescription, Context, NoConfig, Report, Result, RowStream, analysis, export_analysis, localized, metric, report};
///
/// struct Orders;
///
/// impl Analysis for Orders {
///     type Config = NoConfig;
///
///     fn describe(_: &NoConfig) -> Result<Vec<AnalysisDescription>> {
///         Ok(vec![analysis("volume", "Volume", "订单量").of("orders")])
///     }
///
///     fn analyse(_: &str, rows: &mut RowStream<'_>, _: &str, _: &NoConfig, _: &Context) -> Result<Report> {
///         let count = metric("orders", localized("Number of orders", "订单数"), rows.rows() as f64);
///         Ok(report(localized("How many orders there are", "订单总数")).metric(count))
///     }
/// }
///
/// export_analysis!(Orders);
///
/// use trellis_sdk::testing::{BatchBuilder, context, stream};
/// let orders = stream([BatchBuilder::new([4, 9]).build()]);
/// let answer = Orders::analyse("volume", &mut { orders }, "{}", &NoConfig {}, &context())?;
/// assert_eq!(answer.value("orders"), Some(2.0));
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `trellis_sdk::Analysis`",
    label = "`export_analysis!` needs a type that does",
    note = "write `impl Analysis for {Self} {{ … }}`; the documentation of `Analysis` has a whole example"
)]
pub trait Analysis {
    /// The configuration, as the manifest's schema describes it. [`crate::NoConfig`] where there is nothing to set.
    type Config: DeserializeOwned;

    /// Names the questions under `config`. Depends on nothing else. See [`analysis`].
    ///
    /// # Errors
    /// [`crate::PluginError::InvalidConfig`] where the schema cannot say what is wrong with it.
    fn describe(config: &Self::Config) -> Result<Vec<AnalysisDescription>>;

    /// Answers one: `rows` is the dataset that its description names (no rows where it names none), `parameters` is JSON that satisfies
    /// its schema; [`crate::parse_parameters`] reads it.
    ///
    /// # Errors
    /// [`crate::PluginError::UnsuitableData`] where the data as a whole allows no answer, [`crate::PluginError::InvalidParameters`] where
    /// the parameters contradict each other.
    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        config: &Self::Config,
        at: &Context,
    ) -> Result<Report>;
}

/// A question without data and parameters. Its name is of the form `[a-z][a-z0-9_]*`, at most 40 characters.
pub fn analysis(name: &str, en: &str, zh_cn: &str) -> AnalysisDescription {
    AnalysisDescription {
        name: name.to_owned(),
        label: localized(en, zh_cn),
        description: localized("", ""),
        dataset: None,
        parameters: String::new(),
        extra: Vec::new(),
    }
}

impl AnalysisDescription {
    /// Says what it answers and how.
    #[must_use]
    pub fn about(mut self, en: &str, zh_cn: &str) -> Self {
        self.description = localized(en, zh_cn);
        self
    }

    /// Names the dataset that it looks at.
    #[must_use]
    pub fn of(mut self, dataset: &str) -> Self {
        self.dataset = Some(dataset.to_owned());
        self
    }

    /// States what has to be said with the question, as a JSON Schema of the kind that the manifest's `[config]` is.
    #[must_use]
    pub fn asking(mut self, schema: &serde_json::Value) -> Self {
        self.parameters = schema.to_string();
        self
    }
}

/// Answers the calls of the WIT interface with an [`Analysis`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: Analysis> wire::Guest for Adapter<P> {
    fn describe(config: String) -> Result<Vec<AnalysisDescription>> {
        log::report_panics();
        P::describe(&parse_config(&config)?)
    }

    fn analyse(
        name: String,
        rows: &wire::RowStream,
        parameters: String,
        config: String,
        at: Context,
    ) -> Result<Report> {
        log::report_panics();
        P::analyse(&name, &mut RowStream::of_host(rows), &parameters, &parse_config(&config)?, &at)
    }
}

/// Makes the crate a plugin that answers questions: `export_analysis!(MyPlugin)`, once, in the crate's root.
///
/// `MyPlugin` implements [`Analysis`]. A type that does not implement it is refused:
///
/// ```compile_fail,E0277
/// struct Nothing;
/// trellis_sdk::export_analysis!(Nothing);
/// ```
#[macro_export]
macro_rules! export_analysis {
    ($plugin:ty) => {
        $crate::export_analysis_guest!($crate::analysis::Adapter<$plugin>);
    };
}

/// As [`export_analysis!`], for a type that implements the raw trait of [`crate::bindings`].
#[macro_export]
macro_rules! export_analysis_guest {
    ($guest:ty) => {
        const _: () = {
            type Exported = $guest;

            // A native linker refuses the names of these symbols, and a native test has no use for them.
            #[cfg(target_family = "wasm")]
            $crate::bindings::analysis::export_analysis_bindings!(Exported with_types_in $crate::bindings::analysis);
            $crate::stamp!();

            const fn implements_the_interface<
                G: $crate::bindings::analysis::exports::trellis::plugin::analysis::Guest,
            >() {
            }
            implements_the_interface::<Exported>();
        };
    };
}
