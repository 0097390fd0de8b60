//! Types of relationships: which of five suits each customer (R12), which of four one-to-one types it is (R63), and how often to be in touch.
//!
//! `fit` learns how many customers there are and which margins are high; everything else looks at one row at a time. The README beside this
//! crate states every rule.

mod config;
mod model;
mod reasons;
mod report;
mod rows;
mod types;

use trellis_sdk::{
    Assignments, Batch, Context, LearnedBy, Model, ModelReport, NO_VALUE, Reason, Report, Result, RowStream,
    ScoreDescription, Scores, Scoring, Segmentation, SegmentationDescription, export_model_report,
    export_scoring, export_segmentation, scored,
};

pub use config::Config;

use model::{Judgement, Relationships};
use rows::Rows;

/// The plugin.
#[derive(Debug)]
pub struct RelationshipTypes;

impl Segmentation for RelationshipTypes {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        config.check()?;
        Ok(types::segmentations())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        Relationships::learn(rows, config)
    }

    fn assign(model: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let judged = Judged::new(model, rows)?;
        let codes = |place: fn(&Judgement) -> Option<usize>| -> Vec<u32> {
            let code =
                |one: Option<Judgement>| one.as_ref().and_then(place).map_or(NO_VALUE, |place| place as u32);
            judged.judgements().map(code).collect()
        };
        let names = |all: &'static [types::Type]| all.iter().map(|one| one.name);
        let mut assignments = Assignments::default();
        assignments.push("relationship_type", names(&types::RELATIONSHIPS), codes(|one| one.relationship));
        assignments.push("one_to_one_type", names(&types::ONE_TO_ONE), codes(|one| Some(one.one_to_one)));
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, _: &Context) -> Result<Vec<Vec<Reason>>> {
        Ok(Judged::new(model, rows)?.reasons())
    }
}

impl Scoring for RelationshipTypes {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.check()?;
        Ok(vec![
            scored("contact_days", "Days between contacts", "联系间隔天数")
                .unit(("days", "天"))
                .range(0.0, 366.0)
                .about(
                    "How often to be in touch under the recommended relationship.",
                    "按推荐关系类型建议的联系间隔。",
                ),
        ])
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        Relationships::learn(rows, config)
    }

    fn score(model: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let days = |one: Option<Judgement>| Some(types::RELATIONSHIPS.get(one?.relationship?)?.days.into());
        let mut scores = Scores::default();
        scores.push("contact_days", Judged::new(model, rows)?.judgements().map(days));
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, _: &Context) -> Result<Vec<Vec<Reason>>> {
        Ok(Judged::new(model, rows)?.reasons())
    }
}

impl ModelReport for RelationshipTypes {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(report::report(&Relationships::of_bytes(model)?))
    }
}

export_segmentation!(RelationshipTypes);
export_scoring!(RelationshipTypes);
export_model_report!(RelationshipTypes);

/// The customers of a batch and the model that judges them.
struct Judged<'a> {
    model: Relationships,
    rows: Rows<'a>,
}

impl<'a> Judged<'a> {
    fn new(model: &[u8], rows: &'a Batch) -> Result<Self> {
        let model = Relationships::of_bytes(model)?;
        let rows = Rows::read(rows, model.margin_percent)?;
        model.require_currency(rows.currency)?;
        Ok(Self { model, rows })
    }

    fn judgements(&self) -> impl Iterator<Item = Option<Judgement>> + '_ {
        self.rows.customers.iter().map(|customer| Some(self.model.judge(customer.as_ref()?)))
    }

    fn reasons(&self) -> Vec<Vec<Reason>> {
        let explain = |customer: &Option<rows::Customer<'_>>| match customer {
            Some(customer) => reasons::explain(&self.model, customer, &self.model.judge(customer)),
            None => vec![reasons::nothing_known()],
        };
        self.rows.customers.iter().map(explain).collect()
    }
}
