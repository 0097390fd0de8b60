//! Takes reports that a guest returned; their shape is still to be checked.

use std::collections::BTreeMap;

use trellis_model::{ColumnData, Text, TextColumn};

use super::columns::{column_from_guest, texts_from_guest};
use super::{metrics, text, unit, unsigned_zero};
use crate::interfaces::bindings::trellis::plugin::reports as wit;
use crate::plain;
use crate::report::{Chart, Drawing, Panel, PanelColumn, Report};

pub(crate) fn report(report: wit::Report) -> Report {
    Report {
        summary: text(report.summary),
        metrics: metrics(report.metrics),
        panels: report.panels.into_iter().map(panel).collect(),
        warnings: report
            .extra
            .iter()
            .filter(|(fact, _)| fact == "warning")
            .map(|(_, text)| warning(text))
            .collect(),
    }
}

/// What is no warning becomes one without a word, which is refused later.
fn warning(json: &str) -> Text {
    let text: BTreeMap<String, String> = serde_json::from_str(json).unwrap_or_default();
    let of = |language: &str| text.get(language).map(|text| plain::reason(text)).unwrap_or_default();
    Text::new(of("en"), of("zh-CN"))
}

fn panel(panel: wit::Panel) -> Panel {
    Panel {
        name: panel.name,
        label: text(panel.label),
        description: text(panel.description),
        columns: panel.columns.into_iter().map(column).collect(),
        drawing: drawing(panel.drawing),
    }
}

fn column(column: wit::PanelColumn) -> PanelColumn {
    let mut values = column_from_guest(column.values);
    match &mut values.data {
        ColumnData::Text(texts) => *texts = readable(std::mem::take(texts)),
        ColumnData::Float64(numbers) => {
            numbers.iter_mut().for_each(|number| *number = unsigned_zero(*number))
        }
        _ => {}
    }
    PanelColumn {
        label: text(column.label),
        unit: unit(&column.unit),
        values,
        zh_cn: column.zh_cn.map(texts_from_guest).map(readable),
    }
}

/// Texts of cells without characters that act. What is no text stays, for the check to refuse.
fn readable(texts: TextColumn) -> TextColumn {
    let cells: Option<Vec<String>> =
        (0..texts.len()).map(|row| texts.get(row).map(|text| plain::lines(text.to_owned()))).collect();
    match cells {
        Some(cells) if !cells.is_empty() => cells.into_iter().collect(),
        _ => texts,
    }
}

fn drawing(drawing: wit::Drawing) -> Drawing {
    match drawing {
        wit::Drawing::Table => Drawing::Table,
        wit::Drawing::Bar(bar) => Drawing::Bar(chart(bar)),
        wit::Drawing::Line(line) => Drawing::Line(chart(line)),
        wit::Drawing::Scatter(scatter) => Drawing::Scatter(chart(scatter)),
        wit::Drawing::Matrix(matrix) => {
            Drawing::Matrix { row: matrix.row, column: matrix.column, value: matrix.value }
        }
        wit::Drawing::Tree(tree) => {
            Drawing::Tree { node: tree.node, parent: tree.parent, label: tree.label, value: tree.value }
        }
        wit::Drawing::Graph(graph) => {
            Drawing::Graph { source: graph.source, target: graph.target, weight: graph.weight }
        }
        wit::Drawing::Other((kind, more)) => Drawing::Other { kind, more },
    }
}

fn chart(chart: wit::Chart) -> Chart {
    Chart { x: chart.x, y: chart.y, series: chart.series, intervals: chart.intervals }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interfaces::bindings::trellis::plugin::{columns, types};

    fn said(en: &str) -> types::LocalizedText {
        types::LocalizedText { en: en.to_owned(), zh_cn: en.to_owned() }
    }

    #[test]
    fn a_sum_of_nothing_is_shown_as_zero() {
        let metric = types::Metric {
            name: "lost".to_owned(),
            label: said("Lost"),
            unit: said(""),
            value: -0.0,
            extra: Vec::new(),
        };
        let values = columns::Column {
            name: "value".to_owned(),
            valid: Vec::new(),
            data: columns::ColumnData::Float64(vec![-0.0, -1.5, f64::NAN]),
        };
        let column =
            wit::PanelColumn { label: said("Value"), unit: said(""), values, zh_cn: None, extra: Vec::new() };
        let panel = wit::Panel {
            name: "all".to_owned(),
            label: said("All"),
            description: said(""),
            columns: vec![column],
            drawing: wit::Drawing::Table,
            extra: Vec::new(),
        };
        let warning = r#"{ "en": "Too many", "zh-CN": "过多" }"#.to_owned();
        let shown = report(wit::Report {
            summary: said("All"),
            metrics: vec![metric],
            panels: vec![panel],
            extra: vec![("warning".to_owned(), warning), ("else".to_owned(), String::new())],
        });
        assert!(shown.metrics[0].value.is_sign_positive());
        let ColumnData::Float64(numbers) = &shown.panels[0].columns[0].values.data else { panic!("numbers") };
        assert!(numbers[0].is_sign_positive() && numbers[1] == -1.5 && numbers[2].is_nan(), "{numbers:?}");
        assert_eq!(shown.warnings, [Text::new("Too many", "过多")]);
    }
}
