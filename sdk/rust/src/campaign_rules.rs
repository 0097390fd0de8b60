//! Plugins that decide for campaigns.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::campaign_rules::exports::trellis::plugin::campaign_rules as wire;
use crate::bindings::shared::trellis::plugin::columns;
use crate::config::parse_config;
use crate::{
    Batch, Context, Eligibilities, ObjectRecord, Reason, Report, Result, RowActions, RowStream, Variants,
    localized, log, metric, report,
};

/// A plugin that decides for a campaign who takes part, in which variant, and what happens next; and what came of it.
///
/// The rows are the manifest's per-customer dataset; every function looks at each alone.
///
/// ```
/// use trellis_sdk::{
///     Batch, CampaignRules, Context, Decision, Eligibilities, NoConfig, ObjectRecord, Result, RowActions, export_campaign_rules,
///     message,
/// };
///
/// struct Greeting;
///
/// impl CampaignRules for Greeting {
///     type Config = NoConfig;
///
///     fn eligible(_: &ObjectRecord, rows: &Batch, _: &NoConfig, at: &Context) -> Result<Eligibilities> {
///         let last = rows.date("last_order")?;
///         Ok(Eligibilities::each(rows, |row| match last.get(row) {
///             None => Err("no-orders"),
///             Some(day) if at.as_of.saturating_sub(day) < 180 => Err("too-recent"),
///             Some(_) => Ok(()),
///         }))
///     }
///
///     fn next_action(_: &ObjectRecord, rows: &Batch, _: &NoConfig, _: &Context) -> Result<Vec<RowActions>> {
///         let (status, variant) = (rows.dictionary("status")?, rows.dictionary("variant")?);
///         let due = |row: &usize| status.get(*row) == Some("planned") && variant.get(*row).is_some();
///         let greet = || message("email").subject("We miss you", "好久不见").body("Come back!", "欢迎回来！");
///         Ok((0..rows.rows()).filter(due).map(|row| Decision::nothing().then(greet()).for_row(row)).collect())
///     }
/// }
///
/// export_campaign_rules!(Greeting);
///
/// use trellis_sdk::testing::{BatchBuilder, context, record};
/// let rows = BatchBuilder::new([1, 2]).date("last_order", [Some(-400), None]).build();
/// let who = Greeting::eligible(&record("campaign").build(), &rows, &NoConfig {}, &context())?;
/// assert_eq!((who.takes_part(0), who.cause(1)), (true, Some("no-orders")));
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `trellis_sdk::CampaignRules`",
    label = "`export_campaign_rules!` needs a type that does",
    note = "write `impl CampaignRules for {Self} {{ … }}`; the documentation of `CampaignRules` has a whole example"
)]
pub trait CampaignRules {
    /// The configuration, as the manifest's schema describes it. [`crate::NoConfig`] where there is nothing to set.
    type Config: DeserializeOwned;

    /// Says for each row whether it may take part in the campaign now.
    ///
    /// # Errors
    /// Where nothing can be said about any row. A single bad row is no error of the call: see [`Eligibilities::fail`].
    fn eligible(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Self::Config,
        at: &Context,
    ) -> Result<Eligibilities>;

    /// Divides eligible rows into variants. The same customer gets the same variant of a campaign for ever, so it depends on the ordinal and
    /// the campaign's id alone: see [`Variants::by_weight`]. The default gives all of them the variant `all`.
    ///
    /// # Errors
    /// As [`eligible`](Self::eligible).
    fn assign_variant(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Self::Config,
        at: &Context,
    ) -> Result<Variants> {
        let _ = (campaign, config, at);
        Ok(Variants::each(rows, |_| Some("all")))
    }

    /// Says what happens next for members of the campaign. The batch has two more columns than the dataset: the dictionaries `variant`
    /// (null is hold-out) and `status` (of the member). A task or message that names no account is for the row's customer. The default does
    /// nothing.
    ///
    /// # Errors
    /// As [`eligible`](Self::eligible).
    fn next_action(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Self::Config,
        at: &Context,
    ) -> Result<Vec<RowActions>> {
        let _ = (campaign, rows, config, at);
        Ok(Vec::new())
    }

    /// Says why each row may or may not take part, for each row in order at most five reasons, the strongest first. The default gives none.
    ///
    /// # Errors
    /// As [`eligible`](Self::eligible).
    fn explain(
        campaign: &ObjectRecord,
        rows: &Batch,
        config: &Self::Config,
        at: &Context,
    ) -> Result<Vec<Vec<Reason>>> {
        let _ = (campaign, config, at);
        Ok(vec![Vec::new(); rows.rows()])
    }

    /// Says what came of the campaign so far. `members` gives every member, with the columns `variant`, `status` and `responded`
    /// (boolean) beside the dataset's. The default counts members and responses.
    ///
    /// # Errors
    /// As [`eligible`](Self::eligible).
    fn evaluate(
        campaign: &ObjectRecord,
        members: &mut RowStream<'_>,
        config: &Self::Config,
        at: &Context,
    ) -> Result<Report> {
        let _ = (campaign, config, at);
        let (mut count, mut responses) = (0_usize, 0_usize);
        for batch in members {
            count += batch.rows();
            responses +=
                batch.boolean("responded")?.iter().filter(|responded| *responded == Some(true)).count();
        }
        let summary = localized(
            format!("{responses} of {count} members responded."),
            format!("{count} 位成员中有 {responses} 位响应。"),
        );
        Ok(report(summary)
            .metric(metric("members", localized("Members", "成员数"), count as f64))
            .metric(metric("responses", localized("Responses", "响应数"), responses as f64)))
    }
}

/// Answers the calls of the WIT interface with [`CampaignRules`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: CampaignRules> wire::Guest for Adapter<P> {
    fn eligible(
        campaign: ObjectRecord,
        rows: columns::Batch,
        config: String,
        at: Context,
    ) -> Result<wire::Eligibilities> {
        log::report_panics();
        P::eligible(&campaign, &rows.into(), &parse_config(&config)?, &at).map(Into::into)
    }

    fn assign_variant(
        campaign: ObjectRecord,
        rows: columns::Batch,
        config: String,
        at: Context,
    ) -> Result<wire::Variants> {
        log::report_panics();
        P::assign_variant(&campaign, &rows.into(), &parse_config(&config)?, &at).map(Into::into)
    }

    fn next_action(
        campaign: ObjectRecord,
        rows: columns::Batch,
        config: String,
        at: Context,
    ) -> Result<Vec<RowActions>> {
        log::report_panics();
        P::next_action(&campaign, &rows.into(), &parse_config(&config)?, &at)
    }

    fn explain(
        campaign: ObjectRecord,
        rows: columns::Batch,
        config: String,
        at: Context,
    ) -> Result<Vec<Vec<Reason>>> {
        log::report_panics();
        P::explain(&campaign, &rows.into(), &parse_config(&config)?, &at)
    }

    fn evaluate(
        campaign: ObjectRecord,
        members: &wire::RowStream,
        config: String,
        at: Context,
    ) -> Result<Report> {
        log::report_panics();
        P::evaluate(&campaign, &mut RowStream::of_host(members), &parse_config(&config)?, &at)
    }
}

/// Makes the crate a plugin that decides for campaigns: `export_campaign_rules!(MyPlugin)`, once, in the crate's root.
///
/// `MyPlugin` implements [`CampaignRules`]. Other interfaces can be exported beside it. A type that does not implement it is refused:
///
/// ```compile_fail,E0277
/// struct Nothing;
/// trellis_sdk::export_campaign_rules!(Nothing);
/// ```
#[macro_export]
macro_rules! export_campaign_rules {
    ($plugin:ty) => {
        $crate::export_campaign_rules_guest!($crate::campaign_rules::Adapter<$plugin>);
    };
}

/// As [`export_campaign_rules!`], for a type that implements the raw trait of [`crate::bindings`].
#[macro_export]
macro_rules! export_campaign_rules_guest {
    ($guest:ty) => {
        const _: () = {
            type Exported = $guest;

            // A native linker refuses the names of these symbols, and a native test has no use for them.
            #[cfg(target_family = "wasm")]
            $crate::bindings::campaign_rules::export_campaign_rules_bindings!(
                Exported with_types_in $crate::bindings::campaign_rules
            );
            $crate::stamp!();

            const fn implements_the_interface<
                G: $crate::bindings::campaign_rules::exports::trellis::plugin::campaign_rules::Guest,
            >() {
            }
            implements_the_interface::<Exported>();
        };
    };
}
