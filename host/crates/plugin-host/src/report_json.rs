//! A report as the API writes it: `host/docs/reports.md`.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};
use trellis_model::{Column, ColumnData, Currency, Money, Text, Value};

use crate::Metric;
use crate::report::{Chart, Drawing, Panel, PanelColumn, Report};

impl Report {
    /// The report as JSON. Nulls are null; amounts, dates and times are as in records.
    pub fn to_json(&self) -> Json {
        json!({
            "summary": text(&self.summary),
            "warnings": self.warnings.iter().map(text).collect::<Vec<_>>(),
            "metrics": self.metrics.iter().map(Metric::to_json).collect::<Vec<_>>(),
            "panels": self.panels.iter().map(panel).collect::<Vec<_>>(),
        })
    }

    /// About how many bytes it takes in memory.
    pub fn bytes(&self) -> usize {
        let text = |text: &Text| text.en.len() + text.zh_cn.len();
        let column = |column: &PanelColumn| {
            let zh_cn = column.zh_cn.as_ref().map_or(0, |texts| texts.bytes.len() + texts.offsets.len() * 4);
            let values = &column.values;
            zh_cn + values.data.bytes() + values.valid.0.len() + values.name.len() + text(&column.label)
        };
        let panel = |panel: &Panel| {
            let columns: usize = panel.columns.iter().map(column).sum();
            columns + panel.name.len() + text(&panel.label) + text(&panel.description)
        };
        let metric =
            |metric: &Metric| metric.name.len() + text(&metric.label) + text(&metric.unit) + size_of::<f64>();
        text(&self.summary)
            + self.warnings.iter().map(text).sum::<usize>()
            + self.metrics.iter().map(metric).sum::<usize>()
            + self.panels.iter().map(panel).sum::<usize>()
    }
}

impl Metric {
    /// The figure as JSON: `name`, `label` and `unit` in both languages, `value`.
    pub fn to_json(&self) -> Json {
        json!({
            "name": self.name,
            "label": text(&self.label),
            "unit": text(&self.unit),
            "value": self.value,
        })
    }
}

fn text(text: &Text) -> Json {
    json!({ "en": text.en, "zh-CN": text.zh_cn })
}

fn panel(panel: &Panel) -> Json {
    json!({
        "name": panel.name,
        "label": text(&panel.label),
        "description": text(&panel.description),
        "drawing": drawing(&panel.drawing),
        "rows": panel.rows(),
        "columns": panel.columns.iter().map(column).collect::<Vec<_>>(),
    })
}

fn column(column: &PanelColumn) -> Json {
    let Column { name, valid, data } = &column.values;
    let rows = data.len();
    let values = (0..rows).map(|row| if valid.get(row) { cell(data, row) } else { Json::Null });
    let mut json = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("label".to_owned(), text(&column.label)),
        ("unit".to_owned(), text(&column.unit)),
        ("type".to_owned(), json!(type_name(data))),
        ("values".to_owned(), values.collect()),
    ]);
    if let ColumnData::Money { currency, .. } = data {
        json.insert("currency".to_owned(), json!(currency));
    }
    if let Some(texts) = &column.zh_cn {
        let values = (0..rows).map(|row| texts.get(row).filter(|_| valid.get(row)));
        json.insert("zh-CN".to_owned(), values.map(|text| json!(text)).collect());
    }
    Json::Object(json)
}

/// What fields of records with such values are called; [`crate::check::reports`] lets no other columns through.
fn type_name(data: &ColumnData) -> &'static str {
    match data {
        ColumnData::Float64(_) => "number",
        ColumnData::Int64(_) | ColumnData::Reference(_) => "integer",
        ColumnData::Boolean(_) => "bool",
        ColumnData::Date(_) => "date",
        ColumnData::Time(_) => "time",
        ColumnData::Money { .. } => "money",
        ColumnData::Text(_) | ColumnData::Dictionary { .. } | ColumnData::DictionaryList { .. } => "text",
    }
}

fn cell(data: &ColumnData, row: usize) -> Json {
    match data {
        ColumnData::Float64(values) => json!(values.get(row)),
        ColumnData::Int64(values) => json!(values.get(row)),
        ColumnData::Reference(values) => json!(values.get(row)),
        ColumnData::Boolean(values) => json!(values.get(row).map(|flag| *flag == 1)),
        ColumnData::Date(days) => {
            let date = days.get(row).and_then(|day| Value::date_of_days(*day));
            date.map_or(Json::Null, |date| Value::Date(date).to_json())
        }
        ColumnData::Time(times) => {
            let time = times.get(row).and_then(|ms| Timestamp::from_millisecond(*ms).ok());
            time.map_or(Json::Null, |time| Value::Time(time).to_json())
        }
        ColumnData::Money { currency, minor_units } => {
            let amount = minor_units.get(row).and_then(|minor| amount(*minor, currency));
            amount.map_or(Json::Null, |money| Value::Money(money).to_json())
        }
        ColumnData::Text(texts) => json!(texts.get(row)),
        ColumnData::Dictionary { .. } | ColumnData::DictionaryList { .. } => Json::Null,
    }
}

fn amount(minor_units: i64, currency: &str) -> Option<Money> {
    let currency = Currency::new(currency).ok()?;
    let amount = Decimal::try_new(minor_units, currency.decimals()).ok()?;
    // Sums over a company may be larger than the amount of one record.
    Some(Money { amount, currency, base_amount: None })
}

fn drawing(drawing: &Drawing) -> Json {
    match drawing {
        Drawing::Table => json!({ "kind": "table" }),
        Drawing::Bar(bar) => chart("bar", bar),
        Drawing::Line(line) => chart("line", line),
        Drawing::Scatter(scatter) => chart("scatter", scatter),
        Drawing::Matrix { row, column, value } => {
            json!({ "kind": "matrix", "row": row, "column": column, "value": value })
        }
        Drawing::Tree { node, parent, label, value } => {
            json!({ "kind": "tree", "node": node, "parent": parent, "label": label, "value": value })
        }
        Drawing::Graph { source, target, weight } => {
            json!({ "kind": "graph", "source": source, "target": target, "weight": weight })
        }
        Drawing::Other { kind, more } => {
            json!({ "kind": kind, "more": serde_json::from_str::<Json>(more).unwrap_or_default() })
        }
    }
}

fn chart(kind: &str, chart: &Chart) -> Json {
    let Chart { x, y, series, intervals } = chart;
    let intervals: Vec<_> = intervals.iter().map(|(low, high)| [low, high]).collect();
    json!({ "kind": kind, "x": x, "y": y, "series": series, "intervals": intervals })
}

#[cfg(test)]
mod tests {
    use trellis_model::Validity;

    use super::*;

    fn column(name: &str, data: ColumnData, valid: [bool; 2]) -> PanelColumn {
        let values = Column { name: name.to_owned(), valid: Validity::from_flags(valid), data };
        let label = Text::new("Label", "标签");
        PanelColumn { label, unit: Text::default(), values, zh_cn: None }
    }

    fn values(data: ColumnData, valid: [bool; 2]) -> Json {
        super::column(&column("a", data, valid))["values"].clone()
    }

    #[test]
    fn cells_are_written_as_the_fields_of_records() {
        let all = [true, true];
        assert_eq!(values(ColumnData::Float64(vec![0.5, 2.0]), [true, false]), json!([0.5, null]));
        assert_eq!(values(ColumnData::Boolean(vec![0, 1]), all), json!([false, true]));
        assert_eq!(values(ColumnData::Date(vec![0, 20_000]), all), json!(["1970-01-01", "2024-10-04"]));
        assert_eq!(
            values(ColumnData::Time(vec![0, 1_500]), all),
            json!(["1970-01-01T00:00:00Z", "1970-01-01T00:00:01.5Z"])
        );
        let texts = ColumnData::Text(["b", "x"].into_iter().collect());
        assert_eq!(values(texts, [true, false]), json!(["b", null]));
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        let money = |currency: &str, minor_units| {
            super::column(&column(
                "a",
                ColumnData::Money { currency: currency.to_owned(), minor_units },
                [true, true],
            ))
        };
        let dollars = money("USD", vec![1_050, -3]);
        assert_eq!(
            dollars["values"],
            json!([{ "amount": "10.50", "currency": "USD" }, { "amount": "-0.03", "currency": "USD" }])
        );
        assert_eq!((&dollars["type"], &dollars["currency"]), (&json!("money"), &json!("USD")));
        assert_eq!(money("JPY", vec![1_050, 0])["values"][0]["amount"], json!("1050"));
    }

    #[test]
    fn a_report_says_how_its_panels_are_drawn() {
        let mut names = column("name", ColumnData::Text(["Loyal", ""].into_iter().collect()), [true, false]);
        names.zh_cn = Some(["忠诚", ""].into_iter().collect());
        let chart = Chart {
            x: "name".to_owned(),
            y: vec!["size".to_owned()],
            series: None,
            intervals: vec![("size".to_owned(), "size".to_owned())],
        };
        let panel = Panel {
            name: "sizes".to_owned(),
            label: Text::new("Sizes", "大小"),
            description: Text::default(),
            columns: vec![names, column("size", ColumnData::Int64(vec![3, 4]), [true, true])],
            drawing: Drawing::Bar(chart),
        };
        let metric = Metric {
            name: "auc".to_owned(),
            label: Text::new("AUC", "AUC"),
            unit: Text::new("%", ""),
            value: 0.75,
        };
        let report = Report {
            summary: Text::new("Fine", "好"),
            metrics: vec![metric],
            panels: vec![panel],
            warnings: vec![Text::new("Too high", "过高")],
        };
        let expected = json!({
            "summary": { "en": "Fine", "zh-CN": "好" },
            "warnings": [{ "en": "Too high", "zh-CN": "过高" }],
            "metrics": [{ "name": "auc", "label": { "en": "AUC", "zh-CN": "AUC" }, "unit": { "en": "%", "zh-CN": "" }, "value": 0.75 }],
            "panels": [{
                "name": "sizes",
                "label": { "en": "Sizes", "zh-CN": "大小" },
                "description": { "en": "", "zh-CN": "" },
                "drawing": { "kind": "bar", "x": "name", "y": ["size"], "series": null, "intervals": [["size", "size"]] },
                "rows": 2,
                "columns": [
                    {
                        "name": "name", "label": { "en": "Label", "zh-CN": "标签" }, "unit": { "en": "", "zh-CN": "" }, "type": "text",
                        "values": ["Loyal", null], "zh-CN": ["忠诚", null],
                    },
                    {
                        "name": "size", "label": { "en": "Label", "zh-CN": "标签" }, "unit": { "en": "", "zh-CN": "" }, "type": "integer",
                        "values": [3, 4],
                    },
                ],
            }],
        });
        assert_eq!(report.to_json(), expected);
        assert!(report.bytes() > 40, "{}", report.bytes());
    }
}
