//! Reports that cannot be shown, and questions that nobody could ask.

use trellis_sdk::bindings::analysis::exports::trellis::plugin::analysis::{Guest as Analysis, RowStream};
use trellis_sdk::bindings::model_report::exports::trellis::plugin::model_report::Guest as ModelReport;
use trellis_sdk::bindings::shared::trellis::plugin::columns::{ColumnData, DictionaryColumn, TextColumn};
use trellis_sdk::{
    AnalysisDescription, Context, Drawing, Panel, PanelColumn, PluginError, Report, Result, analysis, json,
    localized, metric, panel, report,
};

use crate::{Hostile, count_rows, resources, sin_of_config, sin_of_model, trap};

pub(crate) const DESCRIBE_SINS: [&str; 5] =
    ["analysis-bad-name", "analysis-twice", "analysis-no-dataset", "analysis-no-json", "analysis-bad-schema"];

pub(crate) const ANSWER_SINS: [&str; 31] = [
    "report-many-panels",
    "report-panel-twice",
    "report-bad-name",
    "report-many-columns",
    "report-unequal-columns",
    "report-column-twice",
    "report-many-rows",
    "report-no-such-column",
    "report-measures-texts",
    "report-nan",
    "report-huge-text",
    "report-invalid-utf8",
    "report-bad-currency",
    "report-bad-date",
    "report-references",
    "report-long-summary",
    "report-dictionary",
    "report-many-cells",
    "report-many-texts",
    "report-tree-circle",
    "report-tree-orphan",
    "report-other-bar",
    "report-other-no-json",
    "report-chinese-too-short",
    "report-chinese-numbers",
    "report-long-label",
    "report-long-unit",
    "report-many-metrics",
    "analyse-loop",
    "analyse-open-many",
    "analyse-trap",
];

pub(crate) const SHOWN_SINS: [&str; 3] = ["shown-loop", "shown-nan", "shown-unreadable"];

impl Analysis for Hostile {
    fn describe(config: String) -> Result<Vec<AnalysisDescription>> {
        let sin = sin_of_config(&config)?;
        let sizes = analysis("sizes", "Sizes", "大小").of("customers");
        Ok(match sin.as_str() {
            "analysis-bad-name" => vec![analysis("Not a name!", "Sizes", "大小")],
            "analysis-twice" => vec![sizes.clone(), sizes],
            "analysis-no-dataset" => vec![sizes.of("secrets")],
            "analysis-no-json" => vec![AnalysisDescription { parameters: "{".to_owned(), ..sizes }],
            "analysis-bad-schema" => vec![sizes.asking(&json!({ "type": "object", "$ref": "#" }))],
            _ => vec![sizes],
        })
    }

    fn analyse(name: String, rows: &RowStream, _: String, config: String, _: Context) -> Result<Report> {
        let sin = sin_of_config(&config)?;
        match sin.as_str() {
            "analyse-loop" => resources::endless_loop(),
            "analyse-open-many" => {
                let mut open = Vec::new();
                while let Some(stream) = rows.dataset("customers") {
                    open.push(stream);
                }
            }
            "analyse-trap" => trap(),
            _ => {}
        }
        let count = f64::from(count_rows(rows));
        let summary = localized(format!("{name} of {count}"), format!("{name}：{count}"));
        let mut answer = report(summary).metric(metric("rows", localized("Rows", "行数"), count));
        answer.panels = panels(&sin);
        match sin.as_str() {
            "report-long-summary" => answer.summary = localized("x".repeat(65 << 10), ""),
            "report-many-metrics" => {
                let metric = |number| metric(&format!("m{number}"), localized("More", "更多"), 1.0);
                answer.metrics.extend((0..100).map(metric));
            }
            _ => {}
        }
        Ok(answer)
    }
}

impl ModelReport for Hostile {
    fn describe_model(learned_by: String, model: Vec<u8>) -> Result<Report> {
        let sin = sin_of_model(&model)?;
        let value = match sin.as_str() {
            "shown-loop" => resources::endless_loop(),
            "shown-nan" => f64::NAN,
            "shown-unreadable" => return Err(PluginError::UnreadableModel("of another age".into())),
            _ => model.len() as f64,
        };
        let bytes = metric("bytes", localized("Bytes", "字节"), value);
        Ok(report(localized(learned_by, "")).metric(bytes))
    }
}

fn sizes() -> Panel {
    panel("sizes", "Sizes", "大小")
        .names("name", ("Name", "名称"), [Some("a"), Some("b")])
        .int64("size", ("Size", "大小"), "", [Some(1), Some(2)])
        .bar("name", ["size"])
}

fn panels(sin: &str) -> Vec<Panel> {
    let label = ("Odd", "异常");
    let mut panel = sizes();
    match sin {
        "report-many-panels" => {
            return (0..51).map(|number| Panel { name: format!("p{number}"), ..sizes() }).collect();
        }
        "report-panel-twice" => return vec![sizes(), sizes()],
        "report-bad-name" => panel.name = "Not a name!".to_owned(),
        "report-many-columns" => {
            for number in 0..49 {
                panel = panel.int64(&format!("c{number}"), label, "", [Some(1), Some(2)]);
            }
        }
        "report-unequal-columns" => panel = panel.int64("odd", label, "", [Some(1)]),
        "report-column-twice" => panel = panel.int64("size", label, "", [Some(1), Some(2)]),
        "report-many-rows" => {
            panel.columns.clear();
            panel = panel.int64("size", label, "", (0..10_001).map(Some)).bar("size", ["size"]);
        }
        "report-no-such-column" => panel = panel.line("name", ["secret"]),
        "report-measures-texts" => panel = panel.scatter("size", ["name"]),
        "report-nan" => panel = odd(panel, ColumnData::Float64(vec![0.0, f64::NAN])),
        "report-huge-text" => panel = panel.names("odd", label, [Some("x".repeat(2 << 20)), None]),
        "report-invalid-utf8" => {
            if let Some(ColumnData::Text(texts)) =
                panel.columns.first_mut().map(|first| &mut first.values.data)
            {
                texts.bytes = vec![0xff; 2];
            }
        }
        "report-bad-currency" => panel = panel.money("odd", label, "coins", [Some(1), None]),
        "report-bad-date" => panel = panel.date("odd", label, [Some(i32::MAX), None]),
        "report-references" => panel = odd(panel, ColumnData::Reference(vec![1, 2])),
        "report-dictionary" => {
            // A megabyte that would be there in every row.
            let bytes = "x".repeat(1 << 20).into_bytes();
            let values = TextColumn { offsets: vec![0, 1 << 20], bytes };
            panel = odd(panel, ColumnData::Dictionary(DictionaryColumn { codes: vec![0; 2], values }));
        }
        "report-many-cells" => return (0..11).map(wide).collect(),
        "report-many-texts" => {
            for number in 0..9 {
                panel = panel.names(&format!("c{number}"), label, [Some("x".repeat(1_000_000)), None]);
            }
        }
        "report-tree-circle" => panel = nodes(["a", "b"], [Some("b"), Some("a")]),
        "report-tree-orphan" => panel = nodes(["a", "b"], [None, Some("z")]),
        "report-other-bar" => panel.drawing = Drawing::Other(("bar".to_owned(), "{}".to_owned())),
        "report-other-no-json" => panel.drawing = Drawing::Other(("sankey".to_owned(), "{".to_owned())),
        "report-chinese-too-short" => change(&mut panel, 0, |name| name.zh_cn = Some(one_text())),
        "report-chinese-numbers" => change(&mut panel, 1, |size| size.zh_cn = Some(one_text())),
        "report-long-label" => {
            change(&mut panel, 0, |name| name.label = localized("x".repeat(1_025), ""));
        }
        "report-long-unit" => {
            change(&mut panel, 1, |size| size.unit = localized("", "周".repeat(41)));
        }
        _ => {}
    }
    vec![panel]
}

/// As many cells as a panel may have, and a tenth of what a report may.
fn wide(number: usize) -> Panel {
    let name = |column: i64| format!("c{column}");
    let empty = panel(&format!("p{number}"), "Wide", "宽");
    (0..5).fold(empty, |panel, column| panel.int64(&name(column), ("", ""), "", (0..10_000).map(Some)))
}

fn nodes(names: [&str; 2], above: [Option<&str>; 2]) -> Panel {
    let panel = panel("sizes", "Sizes", "大小").names("node", ("Node", "节点"), names.map(Some));
    panel.names("above", ("Above", "上级"), above).tree("node", "above", "node", None)
}

fn change(panel: &mut Panel, column: usize, change: impl FnOnce(&mut PanelColumn)) {
    if let Some(column) = panel.columns.get_mut(column) {
        change(column);
    }
}

fn one_text() -> TextColumn {
    TextColumn { offsets: vec![0, 1], bytes: b"x".to_vec() }
}

/// With a column that the SDK would not let anybody write.
fn odd(panel: Panel, data: ColumnData) -> Panel {
    let mut panel = panel.int64("odd", ("Odd", "异常"), "", [None, None]);
    if let Some(last) = panel.columns.last_mut() {
        (last.values.data, last.values.valid) = (data, Vec::new());
    }
    panel
}
