//! Plugins that give customers numbers.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::scoring::exports::trellis::plugin::scoring as wire;
use crate::bindings::shared::trellis::plugin::columns;
use crate::config::parse_config;
use crate::{Batch, Context, LocalizedText, Model, Reason, Result, RowStream, ScoreDescription, Scores, log};

/// A plugin that gives each customer a number for each score that it offers.
///
/// Figures about the whole population (quantiles, means, weights) belong into [`fit`](Self::fit); `score` and `explain`
/// look at each row alone, so that splitting a batch changes no row's result.
///
/// ```
/// use trellis_sdk::{Batch, Context, NoConfig, Result, ScoreDescription, Scores, Scoring, export_scoring, scored};
///
/// struct Freshness;
///
/// impl Scoring for Freshness {
///     type Config = NoConfig;
///
///     fn describe(_: &NoConfig) -> Result<Vec<ScoreDescription>> {
///         let score = scored("freshness", "Freshness", "新鲜度").range(0.0, 100.0).unit("%");
///         Ok(vec![score.band("stale", 0.0, "Stale", "沉睡").band("fresh", 50.0, "Fresh", "活跃")])
///     }
///
///     fn score(_: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
///         let mut scores = Scores::default();
///         let days = |last: i32| f64::from(at.as_of.saturating_sub(last));
///         scores.push("freshness", rows.date("last_order")?.iter().map(|last| Some((100.0 - days(last?)).clamp(0.0, 100.0))));
///         Ok(scores)
///     }
/// }
///
/// export_scoring!(Freshness);
///
/// use trellis_sdk::testing::{BatchBuilder, context};
/// let rows = BatchBuilder::new([1, 2]).date("last_order", [Some(90), None]).build();
/// let scores = Freshness::score(&[], &rows, &Context { as_of: 100, ..context() })?;
/// assert_eq!((scores.value("freshness", 0), scores.value("freshness", 1)), (Some(90.0), None));
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `trellis_sdk::Scoring`",
    label = "`export_scoring!` needs a type that does",
    note = "write `impl Scoring for {Self} {{ … }}`; the documentation of `Scoring` has a whole example"
)]
pub trait Scoring {
    /// The configuration, as the manifest's schema describes it. [`crate::NoConfig`] where there is nothing to set.
    type Config: DeserializeOwned;

    /// Names the scores under `config`, with their ranges and bands. Depends on nothing else. See [`crate::scored`].
    ///
    /// # Errors
    /// [`crate::PluginError::InvalidConfig`] where the schema cannot say what is wrong with it.
    fn describe(config: &Self::Config) -> Result<Vec<ScoreDescription>>;

    /// Learns a model from every customer that has data up to `at.as_of`. The default learns nothing: an empty model.
    ///
    /// # Errors
    /// [`crate::PluginError::UnsuitableData`] where the data as a whole allows no model.
    fn fit(rows: &mut RowStream<'_>, config: &Self::Config, at: &Context) -> Result<Model> {
        let _ = (rows, config, at);
        Ok(Model { bytes: Vec::new(), summary: crate::localized("", ""), metrics: Vec::new() })
    }

    /// Scores every row of `rows` with the bytes of the model that `fit` returned.
    ///
    /// # Errors
    /// [`crate::PluginError::UnreadableModel`] for bytes of another version. A single bad row is no error of the call: see
    /// [`Scores::fail`].
    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores>;

    /// Says why, for each row in order at most five reasons, the strongest first. The default gives none.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let _ = (model, at);
        Ok(vec![Vec::new(); rows.rows()])
    }

    /// Says in words what the model does: cut points, rules, weights, with their figures. Markdown, at most 64 KiB in each language.
    /// The default says nothing.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    fn rules(model: &[u8]) -> Result<LocalizedText> {
        let _ = model;
        Ok(crate::localized("", ""))
    }
}

/// Answers the calls of the WIT interface with a [`Scoring`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: Scoring> wire::Guest for Adapter<P> {
    fn describe(config: String) -> Result<Vec<ScoreDescription>> {
        log::report_panics();
        P::describe(&parse_config(&config)?)
    }

    fn fit(rows: &wire::RowStream, config: String, at: Context) -> Result<Model> {
        log::report_panics();
        P::fit(&mut RowStream::of_host(rows), &parse_config(&config)?, &at)
    }

    fn score(model: Vec<u8>, rows: columns::Batch, at: Context) -> Result<wire::Scores> {
        log::report_panics();
        P::score(&model, &rows.into(), &at).map(Into::into)
    }

    fn explain(model: Vec<u8>, rows: columns::Batch, at: Context) -> Result<Vec<Vec<Reason>>> {
        log::report_panics();
        P::explain(&model, &rows.into(), &at)
    }

    fn rules(model: Vec<u8>) -> Result<LocalizedText> {
        log::report_panics();
        P::rules(&model)
    }
}

/// Makes the crate a plugin that scores customers: `export_scoring!(MyPlugin)`, once, in the crate's root.
///
/// `MyPlugin` implements [`Scoring`]. Other interfaces can be exported beside it. A type that does not implement it is refused:
///
/// ```compile_fail,E0277
/// struct Nothing;
/// trellis_sdk::export_scoring!(Nothing);
/// ```
#[macro_export]
macro_rules! export_scoring {
    ($plugin:ty) => {
        $crate::export_scoring_guest!($crate::scoring::Adapter<$plugin>);
    };
}

/// As [`export_scoring!`], for a type that implements the raw trait of [`crate::bindings`].
#[macro_export]
macro_rules! export_scoring_guest {
    ($guest:ty) => {
        const _: () = {
            type Exported = $guest;

            // A native linker refuses the names of these symbols, and a native test has no use for them.
            #[cfg(target_family = "wasm")]
            $crate::bindings::scoring::export_scoring_bindings!(Exported with_types_in $crate::bindings::scoring);
            $crate::stamp!();

            const fn implements_the_interface<
                G: $crate::bindings::scoring::exports::trellis::plugin::scoring::Guest,
            >() {
            }
            implements_the_interface::<Exported>();
        };
    };
}
