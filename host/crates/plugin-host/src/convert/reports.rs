//! Takes reports that a guest returned; their shape is still to be checked.

use std::collections::BTreeMap;

use trellis_model::{ColumnData, Text, TextColumn};

use super::columns::{column_from_guest, texts_from_guest};
use super::{metrics, text, unit};
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
    if let ColumnData::Text(texts) = &mut values.data {
        *texts = readable(std::mem::take(texts));
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
