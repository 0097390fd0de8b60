//! A golden case: which function is called, with what, and what has to come out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use trellis_model::{Currency, Value};
use trellis_plugin_host::manifest::{DatasetKind, Interface};
use trellis_plugin_host::{CallContext, HookChange, LearnedBy, Manifest, Occurrence, WorkItem};

use super::lines::line_of;
use super::records::{Answers, RawRecord, RecordReader};
use super::rows::{Problem, RowsReader};
use super::values::ValueType;
use crate::calls::{Datasets, Input, ModelSource, interface_of};
use crate::{Error, Function, Result};

/// How far a number may be from the expected one, as a share of the larger of the two (or of 1).
const TOLERANCE: f64 = 1e-9;
/// The day of a case that names none.
const AS_OF: &str = "2026-06-30";

/// A call of a plugin and its expected answer.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name: that of its file.
    pub name: String,
    /// What it shows, in its author's words; may be empty.
    pub title: String,
    /// Which function is called.
    pub function: Function,
    pub(crate) input: Input,
    /// The rows of the plugin's further datasets.
    pub(crate) datasets: Datasets,
    pub(crate) config: String,
    pub(crate) at: CallContext,
    pub(crate) answers: Answers,
    pub(crate) tolerance: f64,
    pub(crate) expect: Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    #[serde(default)]
    title: String,
    interface: String,
    function: String,
    #[serde(default)]
    config: Map<String, Json>,
    #[serde(default)]
    context: RawContext,
    #[serde(default)]
    types: BTreeMap<String, String>,
    fit: Option<Json>,
    model: Option<String>,
    rows: Option<Json>,
    #[serde(default)]
    datasets: BTreeMap<String, Json>,
    campaign: Option<RawRecord>,
    item: Option<RawRecord>,
    account: Option<RawRecord>,
    event: Option<RawEvent>,
    changes: Option<Vec<RawChange>>,
    learned_by: Option<String>,
    analysis: Option<String>,
    parameters: Option<Map<String, Json>>,
    #[serde(default)]
    lookups: BTreeMap<String, Vec<RawRecord>>,
    tolerance: Option<f64>,
    expect: Json,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContext {
    as_of: Option<String>,
    now: Option<String>,
    time_zone: Option<String>,
    base_currency: Option<String>,
    #[serde(default)]
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum RawEvent {
    Changed(Map<String, Json>),
    Timer(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChange {
    after: RawRecord,
    before: Option<Map<String, Json>>,
}

impl Case {
    /// Reads a case of a plugin.
    ///
    /// # Errors
    /// [`Error::Case`] with the place in the case and what is wrong there.
    pub fn parse(name: &str, json: &Json, manifest: &Manifest) -> Result<Self> {
        let wrong = |(place, reason): Problem| Error::Case { case: name.to_owned(), place, reason };
        let raw: RawCase = serde_json::from_value(json.clone())
            .map_err(|error| wrong(("its keys".to_owned(), error.to_string())))?;
        read(name, &raw, manifest).map_err(wrong)
    }

    /// Reads a case from the text of its file.
    ///
    /// # Errors
    /// [`Error::CaseFile`] with the line in the file and what is wrong there.
    pub fn parse_file(name: &str, text: &str, manifest: &Manifest) -> Result<Self> {
        let raw: RawCase = serde_json::from_str(text)
            .map_err(|error| Error::CaseFile { line: error.line(), reason: without_line(&error) })?;
        read(name, &raw, manifest).map_err(|(place, reason)| Error::CaseFile {
            line: line_of(text, &place),
            reason: format!("{place}: {reason}"),
        })
    }
}

/// What a parser says, without where, which is told apart.
fn without_line(error: &serde_json::Error) -> String {
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

fn read(name: &str, raw: &RawCase, manifest: &Manifest) -> Result<Case, Problem> {
    let function = function(raw, manifest)?;
    let at = context(&raw.context)?;
    let base = Currency::new(&at.base_currency)
        .map_err(|error| ("context.base_currency".to_owned(), error.to_string()))?;
    let types = types(&raw.types)?;
    let records = RecordReader { types: &types, base };
    let settings = config(&raw.config, manifest)?;
    let manifest = &manifest.configured(&settings);
    let rows = RowsReader { types: &types, base };
    let answers = Answers::read(&records, &raw.lookups)?;
    let inputs = Inputs { raw, function, manifest, rows, records: &records };
    let (input, datasets) = (inputs.read()?, inputs.datasets()?);
    let tolerance = raw.tolerance.unwrap_or(TOLERANCE);
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return Err(("tolerance".to_owned(), format!("{tolerance} is no share")));
    }
    Ok(Case {
        name: name.to_owned(),
        title: raw.title.clone(),
        function,
        input,
        datasets,
        config: settings.to_string(),
        at,
        answers,
        tolerance,
        expect: raw.expect.clone(),
    })
}

fn function(raw: &RawCase, manifest: &Manifest) -> Result<Function, Problem> {
    let provided = || manifest.provides.iter().map(|interface| interface.name()).collect::<Vec<_>>();
    let interface = manifest.provides.iter().find(|interface| interface.name() == raw.interface);
    let interface = interface.copied().ok_or_else(|| {
        let reason = format!("the plugin provides {}, not `{}`", provided().join(", "), raw.interface);
        ("interface".to_owned(), reason)
    })?;
    Function::find(interface, &raw.function).ok_or_else(|| {
        let known: Vec<_> = Function::of(interface).map(|function| function.name).collect();
        let reason = format!("`{}` is none of {}", raw.function, known.join(", "));
        ("function".to_owned(), reason)
    })
}

fn context(raw: &RawContext) -> Result<CallContext, Problem> {
    let as_of = raw.as_of.as_deref().unwrap_or(AS_OF);
    let as_of: Date = as_of
        .parse()
        .map_err(|_| ("context.as_of".to_owned(), format!("`{as_of}` is no date (YYYY-MM-DD)")))?;
    let noon = format!("{as_of}T12:00:00Z");
    let now = raw.now.as_deref().unwrap_or(&noon);
    let now: Timestamp =
        now.parse().map_err(|_| ("context.now".to_owned(), format!("`{now}` is no moment (RFC 3339)")))?;
    let or = |given: &Option<String>, other: &str| given.clone().unwrap_or_else(|| other.to_owned());
    Ok(CallContext {
        run_id: "golden".to_owned(),
        as_of_days: Value::days_of(as_of),
        now_ms: now.as_millisecond(),
        time_zone: or(&raw.time_zone, "UTC"),
        base_currency: or(&raw.base_currency, "USD"),
        seed: raw.seed,
    })
}

/// The context of a case that says nothing of it.
pub(crate) fn default_context() -> CallContext {
    context(&RawContext::default()).unwrap_or_else(|(place, reason)| unreachable!("{place}: {reason}"))
}

fn types(raw: &BTreeMap<String, String>) -> Result<BTreeMap<String, ValueType>, Problem> {
    let one = |(name, value_type): (&String, &String)| {
        let value_type =
            ValueType::of_name(value_type).map_err(|reason| (format!("types.{name}"), reason))?;
        Ok((name.clone(), value_type))
    };
    raw.iter().map(one).collect()
}

/// The configuration with the schema's defaults, as the host would pass it.
fn config(raw: &Map<String, Json>, manifest: &Manifest) -> Result<Json, Problem> {
    let config = manifest.config.with_defaults(Json::Object(raw.clone()));
    match manifest.validate_config(&config) {
        Ok(()) => Ok(config),
        Err(problems) => {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            Err(("config".to_owned(), format!("the host would refuse it: {}", problems.join("; "))))
        }
    }
}

/// What is needed to read a case's input.
struct Inputs<'a> {
    raw: &'a RawCase,
    function: Function,
    manifest: &'a Manifest,
    rows: RowsReader<'a>,
    records: &'a RecordReader<'a>,
}

/// What the function of a case takes of the keys that say its input.
fn keys_of(function: Function) -> &'static [&'static str] {
    match (function.interface, function.name) {
        (Interface::Segmentation | Interface::Scoring, "describe") => &[],
        (Interface::Segmentation | Interface::Scoring, "fit") => &["rows", "datasets"],
        (Interface::Segmentation | Interface::Scoring, "rules") => &["fit", "model", "datasets"],
        (Interface::Segmentation | Interface::Scoring, _) => &["rows", "fit", "model", "datasets"],
        (Interface::CampaignRules, "evaluate") => &["rows", "campaign", "datasets"],
        (Interface::CampaignRules, _) => &["rows", "campaign"],
        (Interface::ServiceWorkflow, "on-event") => &["item", "account", "event"],
        (Interface::ServiceWorkflow, _) => &["item", "account"],
        (Interface::RecordHook, _) => &["changes"],
        (Interface::ModelReport, _) => &["learned_by", "fit", "model", "datasets"],
        (Interface::Analysis, "describe") => &[],
        (Interface::Analysis, _) => &["analysis", "parameters", "rows", "datasets"],
    }
}

impl Inputs<'_> {
    fn read(&self) -> Result<Input, Problem> {
        self.check_keys()?;
        match (self.function.interface, self.function.name) {
            (Interface::Segmentation | Interface::Scoring, "describe") => Ok(Input::Nothing),
            (Interface::Segmentation | Interface::Scoring, "fit") => Ok(Input::Fit(self.batch("rows", &[])?)),
            (Interface::Segmentation | Interface::Scoring, "rules") => Ok(Input::Model(self.model()?)),
            (Interface::Segmentation | Interface::Scoring, _) => {
                Ok(Input::Rows { model: self.model()?, rows: self.batch("rows", &[])? })
            }
            (Interface::CampaignRules, name) => {
                let campaign = self.raw.campaign.as_ref().map_or_else(
                    || self.records.record("campaign", &RawRecord::default(), "campaign", 1),
                    |raw| self.records.record("campaign", raw, "campaign", 1),
                )?;
                let more = member_columns(name);
                Ok(Input::Campaign { campaign, rows: self.batch("rows", more)? })
            }
            (Interface::ServiceWorkflow, name) => Ok(Input::Item {
                item: self.work_item()?,
                event: (name == "on-event").then(|| self.event()).transpose()?,
            }),
            (Interface::RecordHook, _) => Ok(Input::Changes(self.changes()?)),
            (Interface::ModelReport, _) => {
                let model = match (&self.raw.model, &self.raw.fit) {
                    (None, None) => return Err(missing("fit")),
                    _ => self.model()?,
                };
                Ok(Input::Shown { learned_by: self.learned_by()?, model })
            }
            (Interface::Analysis, "describe") => Ok(Input::Nothing),
            (Interface::Analysis, _) => Ok(Input::Question {
                analysis: self.raw.analysis.clone().ok_or_else(|| missing("analysis"))?,
                parameters: Json::Object(self.raw.parameters.clone().unwrap_or_default()),
                rows: match &self.raw.rows {
                    Some(_) => vec![self.batch("rows", &[])?],
                    None => Vec::new(),
                },
            }),
        }
    }

    fn check_keys(&self) -> Result<(), Problem> {
        let raw = self.raw;
        let given = [
            ("fit", raw.fit.is_some()),
            ("model", raw.model.is_some()),
            ("rows", raw.rows.is_some()),
            ("datasets", !raw.datasets.is_empty()),
            ("campaign", raw.campaign.is_some()),
            ("item", raw.item.is_some()),
            ("account", raw.account.is_some()),
            ("event", raw.event.is_some()),
            ("changes", raw.changes.is_some()),
            ("learned_by", raw.learned_by.is_some()),
            ("analysis", raw.analysis.is_some()),
            ("parameters", raw.parameters.is_some()),
        ];
        let taken = keys_of(self.function);
        match given.into_iter().find(|(key, given)| *given && !taken.contains(key)) {
            Some((key, _)) => {
                let list = if taken.is_empty() { "nothing".to_owned() } else { taken.join(", ") };
                Err((key.to_owned(), format!("`{}` takes {list}", self.function)))
            }
            None => Ok(()),
        }
    }

    fn batch(&self, key: &str, more: &[(&str, ValueType)]) -> Result<trellis_model::Batch, Problem> {
        let rows = if key == "fit" { &self.raw.fit } else { &self.raw.rows };
        let rows = rows.as_ref().ok_or_else(|| missing(key))?;
        let customers = self.manifest.customers();
        self.rows.batch(key, rows, customers.map_or(&[][..], |dataset| &dataset.columns), more)
    }

    /// The rows of further datasets.
    fn datasets(&self) -> Result<Datasets, Problem> {
        let read = |(name, rows): (&String, &Json)| {
            let place = format!("datasets.{name}");
            let declared = self.manifest.dataset(name).filter(|dataset| dataset.kind == DatasetKind::Rows);
            let declared = declared.ok_or_else(|| {
                (place.clone(), "plugin.toml declares no dataset of kind `rows` of that name".to_owned())
            })?;
            let mut batch = self.rows.batch(&place, rows, &declared.columns, &[])?;
            batch.ordinals = (0..u64::from(batch.rows)).collect();
            Ok((name.clone(), vec![batch]))
        };
        self.raw.datasets.iter().map(read).collect()
    }

    /// What the case says of its model; by default the plugin learns from the rows themselves.
    fn model(&self) -> Result<ModelSource, Problem> {
        match (&self.raw.model, &self.raw.fit) {
            (Some(_), Some(_)) => Err(("model".to_owned(), "there is `fit` too: leave one out".to_owned())),
            (Some(model), None) => Ok(ModelSource::Bytes(model.clone().into_bytes())),
            (None, Some(_)) => Ok(ModelSource::Fit(self.batch("fit", &[])?)),
            (None, None) => Ok(ModelSource::Fit(self.batch("rows", &[])?)),
        }
    }

    /// Whose model is shown: what the case says, else the only interface that learns.
    fn learned_by(&self) -> Result<LearnedBy, Problem> {
        let mut provided =
            self.manifest.provides.iter().filter_map(|interface| LearnedBy::named(interface.name()));
        match (&self.raw.learned_by, provided.next(), provided.next()) {
            (Some(name), ..) => {
                let known = LearnedBy::named(name);
                let known = known.filter(|by| self.manifest.provides.contains(&interface_of(*by)));
                known.ok_or_else(|| {
                    ("learned_by".to_owned(), format!("the plugin provides no `{name}` that learns"))
                })
            }
            (None, Some(only), None) => Ok(only),
            (None, ..) => Err(missing("learned_by")),
        }
    }

    fn work_item(&self) -> Result<WorkItem, Problem> {
        let object = self.manifest.service_workflow.as_ref().map_or("case", |used| used.object.as_str());
        let raw = self.raw.item.as_ref().ok_or_else(|| missing("item"))?;
        let account = self.raw.account.as_ref();
        Ok(WorkItem {
            item: self.records.record("item", raw, object, 1)?,
            account: account.map(|raw| self.records.record("account", raw, "account", 2)).transpose()?,
        })
    }

    fn event(&self) -> Result<Occurrence, Problem> {
        match self.raw.event.as_ref().ok_or_else(|| missing("event"))? {
            RawEvent::Timer(name) => Ok(Occurrence::Timer(name.clone())),
            RawEvent::Changed(fields) => {
                Ok(Occurrence::Changed(self.records.fields("event.changed", fields)?))
            }
        }
    }

    fn changes(&self) -> Result<Vec<HookChange>, Problem> {
        let object = self.manifest.record_hooks.first().map_or("lead", |hook| hook.object.as_str());
        let changes = self.raw.changes.as_ref().ok_or_else(|| missing("changes"))?;
        let change = |(number, raw): (usize, &RawChange)| {
            let place = format!("changes[{number}]");
            let id = u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
            let after = self.records.record(&format!("{place}.after"), &raw.after, object, id)?;
            let before = raw.before.as_ref().map(|fields| {
                let fields = self.records.fields(&format!("{place}.before"), fields)?;
                Ok::<_, Problem>(
                    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
                )
            });
            Ok(HookChange { after, before: before.transpose()? })
        };
        changes.iter().enumerate().map(change).collect()
    }
}

/// The columns that a function of a campaign gets beside those of the dataset.
pub(crate) fn member_columns(function: &str) -> &'static [(&'static str, ValueType)] {
    match function {
        "next-action" => &[("variant", ValueType::Choice), ("status", ValueType::Choice)],
        "evaluate" => {
            &[("variant", ValueType::Choice), ("status", ValueType::Choice), ("responded", ValueType::Bool)]
        }
        _ => &[],
    }
}

fn missing(key: &str) -> Problem {
    (key.to_owned(), "is missing".to_owned())
}
