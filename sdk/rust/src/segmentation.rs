//! Plugins that put customers into segments.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::segmentation::exports::trellis::plugin::segmentation as wire;
use crate::bindings::shared::trellis::plugin::columns;
use crate::{Assignments, Batch, Context, Model, Reason, Result, RowStream, log};

pub use crate::config::{NoConfig, parse_config};
pub use wire::{SegmentValue, SegmentationDescription};

/// A plugin that puts each customer into at most one value of each segmentation that it offers.
///
/// Figures about the whole population (quantiles, means, centroids) belong into [`fit`](Self::fit); `assign` and `explain`
/// look at each row alone, so that splitting a batch changes no row's result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `trellis_sdk::Segmentation`",
    label = "`export_segmentation!` needs a type that does",
    note = "write `impl Segmentation for {Self} {{ … }}`; the documentation of `Segmentation` has a whole example"
)]
pub trait Segmentation {
    /// The configuration, as the manifest's schema describes it. [`NoConfig`] where there is nothing to set.
    type Config: DeserializeOwned;

    /// Names the segmentations under `config`. Depends on nothing else.
    ///
    /// # Errors
    /// [`crate::PluginError::InvalidConfig`] where the schema cannot say what is wrong with it.
    fn describe(config: &Self::Config) -> Result<Vec<SegmentationDescription>>;

    /// Learns a model from every customer that has data up to `at.as_of`. The default learns nothing: an empty model.
    ///
    /// # Errors
    /// [`crate::PluginError::UnsuitableData`] where the data as a whole allows no model.
    fn fit(rows: &mut RowStream<'_>, config: &Self::Config, at: &Context) -> Result<Model> {
        let _ = (rows, config, at);
        Ok(Model { bytes: Vec::new(), summary: crate::localized("", ""), metrics: Vec::new() })
    }

    /// Assigns every row of `rows` with the bytes of the model that `fit` returned.
    ///
    /// # Errors
    /// [`crate::PluginError::UnreadableModel`] for bytes of another version. A single bad row is no error of the call: see
    /// [`Assignments::fail`].
    fn assign(model: &[u8], rows: &Batch, at: &Context) -> Result<Assignments>;

    /// Says why, for each row in order at most five reasons, the strongest first. The default gives none.
    ///
    /// # Errors
    /// As [`assign`](Self::assign).
    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let _ = (model, at);
        Ok(vec![Vec::new(); rows.rows()])
    }
}

/// Answers the calls of the WIT interface with a [`Segmentation`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: Segmentation> wire::Guest for Adapter<P> {
    fn describe(config: String) -> Result<Vec<SegmentationDescription>> {
        log::report_panics();
        P::describe(&parse_config(&config)?)
    }

    fn fit(rows: &wire::RowStream, config: String, at: Context) -> Result<Model> {
        log::report_panics();
        P::fit(&mut RowStream::of_host(rows), &parse_config(&config)?, &at)
    }

    fn assign(model: Vec<u8>, rows: columns::Batch, at: Context) -> Result<wire::Assignments> {
        log::report_panics();
        P::assign(&model, &rows.into(), &at).map(Into::into)
    }

    fn explain(model: Vec<u8>, rows: columns::Batch, at: Context) -> Result<Vec<Vec<Reason>>> {
        log::report_panics();
        P::explain(&model, &rows.into(), &at)
    }
}

/// Makes the crate a plugin that segments customers: `export_segmentation!(MyPlugin)`, once, in the crate's root.
///
/// `MyPlugin` implements [`Segmentation`]. Other interfaces can be exported beside it. A type that does not implement it is refused:
///
/// ```compile_fail,E0277
/// struct Nothing;
/// trellis_sdk::export_segmentation!(Nothing);
/// ```
#[macro_export]
macro_rules! export_segmentation {
    ($plugin:ty) => {
        $crate::export_segmentation_guest!($crate::segmentation::Adapter<$plugin>);
    };
}

/// As [`export_segmentation!`], for a type that implements the raw trait of [`crate::bindings`].
#[macro_export]
macro_rules! export_segmentation_guest {
    ($guest:ty) => {
        const _: () = {
            type Exported = $guest;

            // A native linker refuses the names of these symbols, and a native test has no use for them.
            #[cfg(target_family = "wasm")]
            $crate::bindings::segmentation::export_segmentation_bindings!(
                Exported with_types_in $crate::bindings::segmentation
            );
            $crate::stamp!();

            const fn implements_the_interface<
                G: $crate::bindings::segmentation::exports::trellis::plugin::segmentation::Guest,
            >() {
            }
            implements_the_interface::<Exported>();
        };
    };
}
