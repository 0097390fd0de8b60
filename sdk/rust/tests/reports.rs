//! Reports as plugins write them, errors in both languages, and what columns are called.

use trellis_sdk::bindings::model_report::exports::trellis::plugin::model_report::Guest;
use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::serde::Deserialize;
use trellis_sdk::testing::{BatchBuilder, stream};
use trellis_sdk::{
    ColumnDescription, Drawing, LearnedBy, ModelReport, PluginError, Report, Result, localized, metric,
    model_report, panel, parse_config, parse_parameters, report, scored,
};

struct Shows;

impl ModelReport for Shows {
    fn describe_model(learned_by: LearnedBy, _: &[u8]) -> Result<Report> {
        Ok(report(format!("{learned_by:?}").into()))
    }
}

fn shown(learned_by: &str) -> Result<Report> {
    <model_report::Adapter<Shows> as Guest>::describe_model(learned_by.to_owned(), Vec::new())
}

#[test]
fn a_model_of_a_learner_that_is_not_known_is_refused() {
    assert_eq!(shown("scoring").unwrap().summary.en, "Scoring");
    assert_eq!(shown("segmentation").unwrap().summary.en, "Segmentation");
    let error = shown("forecasting").unwrap_err();
    let PluginError::Other((code, message)) = &error else { panic!("{error}") };
    assert_eq!(code, "unknown-learner");
    assert!(message.en.contains("`forecasting`") && message.zh_cn.contains("`forecasting`"));
}

#[test]
fn units_are_symbols_or_words_in_both_languages() {
    let share = scored("share", "Share", "占比").unit("%");
    assert_eq!(share.unit, localized("%", ""));
    let wait = metric("wait", localized("Wait", "等待时间"), 2.0).unit(("weeks", "周"));
    assert_eq!(wait.unit, localized("weeks", "周"));
    let waits =
        panel("waits", "Waits", "等待").float64("wait", ("Wait", "等待"), ("weeks", "周"), [Some(f64::NAN)]);
    assert_eq!(waits.columns[0].unit, localized("weeks", "周"));
    assert_eq!(waits.columns[0].values.valid, [0], "what is not finite is null");
}

#[test]
fn cells_of_every_type_may_be_missing() {
    let table = panel("all", "All", "全部")
        .words("word", ("Word", "词"), [Some(localized("yes", "是")), None])
        .names("name", ("Name", "名称"), [None, Some("a")])
        .time("time", ("Time", "时间"), [Some(1), None])
        .boolean("flag", ("Flag", "标记"), [Some(true), None]);
    let valid: Vec<_> = table.columns.iter().map(|column| column.values.valid.clone()).collect();
    assert_eq!(valid, [[0b01], [0b10], [0b01], [0b01]]);
    assert_eq!(table.columns[0].zh_cn.as_ref().map(|texts| texts.offsets.clone()), Some(vec![0, 3, 3]));
    assert_eq!(table.columns[3].values.data, ColumnData::Boolean(vec![1, 0]));
    assert_eq!(table.rows(), 2);
    let charted = table.line("time", ["flag"]).interval("low", "high").interval("low2", "high2");
    let Drawing::Line(chart) = charted.drawing else { panic!("a line") };
    assert_eq!(chart.intervals[1], ("low2".to_owned(), "high2".to_owned()));
}

#[derive(Debug, Deserialize)]
#[serde(crate = "trellis_sdk::serde", deny_unknown_fields)]
struct Asked {
    #[expect(dead_code, reason = "only whether it can be read matters")]
    weeks: u32,
}

#[test]
fn wrong_parameters_are_not_a_wrong_configuration() {
    assert!(matches!(parse_config::<Asked>("{}"), Err(PluginError::InvalidConfig(_))));
    let error = parse_parameters::<Asked>("{}").unwrap_err();
    assert!(matches!(&error, PluginError::InvalidParameters(_)), "{error}");
    assert!(error.message().en.contains("`weeks`"), "{error}");
}

#[test]
fn a_stream_says_what_its_columns_are() {
    let industry = ColumnDescription {
        name: "industry".to_owned(),
        label: localized("Industry", "行业"),
        unit: "".into(),
        options: vec![("it".to_owned(), localized("Technology", "科技"))],
        extra: Vec::new(),
    };
    let rows = || stream([BatchBuilder::new([1]).build()]);
    let described = rows().described([industry.clone()]).with_dataset("lines", []);
    assert_eq!(described.columns(), [industry]);
    assert!(described.dataset("lines").unwrap().columns().is_empty());
    assert!(rows().columns().is_empty());
    let error = rows().dataset("secrets").unwrap_err();
    assert!(error.message().zh_cn.contains("`secrets`"), "{error}");
}
