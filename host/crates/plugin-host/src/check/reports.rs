//! Checks reports.

use jiff::Timestamp;
use trellis_model::{ColumnData, Currency, Text, TextColumn, Value};

use super::{Check, codes_within, is_name, metrics, texts, unique, validity};
use crate::report::{Chart, Drawing, Panel, PanelColumn, Report};

/// Panels of one report.
const PANELS_MAX: usize = 50;
/// Columns of one panel.
const COLUMNS_MAX: usize = 50;
/// Rows of one panel.
const ROWS_MAX: usize = 10_000;
/// Bytes of the texts in one column of a panel.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Characters of the name of a column.
const COLUMN_NAME_CHARACTERS_MAX: usize = 100;
/// Bytes of a heading in one language.
const LABEL_BYTES_MAX: usize = 1 << 10;
/// Bytes of a summary or description in one language.
const PROSE_BYTES_MAX: usize = 64 << 10;

/// Checks that a report can be shown as it is.
pub(crate) fn report(report: Report) -> Check<Report> {
    prose("summary", &report.summary, PROSE_BYTES_MAX)?;
    metrics(&report.metrics)?;
    for metric in &report.metrics {
        prose("label", &metric.label, LABEL_BYTES_MAX)
            .map_err(|reason| format!("metric `{}`: {reason}", metric.name))?;
    }
    at_most("panels", report.panels.len(), PANELS_MAX)?;
    unique("panel", report.panels.iter().map(|panel| panel.name.as_str()))?;
    for panel in &report.panels {
        check_panel(panel).map_err(|reason| format!("panel `{}`: {reason}", short(&panel.name)))?;
    }
    Ok(report)
}

fn check_panel(panel: &Panel) -> Check {
    if !is_name(&panel.name, false) {
        return Err("its name is not of the form [a-z][a-z0-9_]*, at most 40 characters".to_owned());
    }
    prose("label", &panel.label, LABEL_BYTES_MAX)?;
    prose("description", &panel.description, PROSE_BYTES_MAX)?;
    at_most("columns", panel.columns.len(), COLUMNS_MAX)?;
    at_most("rows", panel.rows(), ROWS_MAX)?;
    unique("column", panel.columns.iter().map(|column| column.values.name.as_str()))?;
    for column in &panel.columns {
        let named = |reason: String| format!("column `{}`: {reason}", short(&column.values.name));
        check_column(column, panel.rows()).map_err(named)?;
    }
    check_drawing(panel)
}

fn check_column(column: &PanelColumn, rows: usize) -> Check {
    let values = &column.values;
    let characters = values.name.chars().count();
    if !(1..=COLUMN_NAME_CHARACTERS_MAX).contains(&characters) || values.name.contains(char::is_control) {
        return Err(format!("its name is not of 1 to {COLUMN_NAME_CHARACTERS_MAX} characters on one line"));
    }
    prose("label", &column.label, LABEL_BYTES_MAX)?;
    if values.data.len() != rows {
        return Err(format!("{} rows where the first column has {rows}", values.data.len()));
    }
    validity(&values.valid, rows)?;
    match &values.data {
        ColumnData::Float64(numbers) => {
            let wrong = |(row, number): &(usize, &f64)| !number.is_finite() && values.valid.get(*row);
            match numbers.iter().enumerate().find(wrong) {
                Some((row, number)) => Err(format!("row {row} is {number}")),
                None => Ok(()),
            }
        }
        ColumnData::Date(days) => {
            each(days, |row, day| !values.valid.get(row) || Value::date_of_days(*day).is_some(), "a date")
        }
        ColumnData::Time(times) => each(
            times,
            |row, ms| !values.valid.get(row) || Timestamp::from_millisecond(*ms).is_ok(),
            "a moment",
        ),
        ColumnData::Money { currency, .. } => match Currency::new(currency) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
        ColumnData::Boolean(flags) => each(flags, |_, flag| *flag <= 1, "0 or 1"),
        ColumnData::Text(cells) => check_texts(cells),
        ColumnData::Dictionary { codes, values: words } => {
            check_texts(words)?;
            codes_within(codes, &values.valid, words.len())
        }
        ColumnData::Reference(_) | ColumnData::DictionaryList { .. } => {
            Err("it is neither of numbers, amounts, dates, times, truth values nor single texts".to_owned())
        }
        _ => Ok(()),
    }?;
    let Some(zh_cn) = &column.zh_cn else { return Ok(()) };
    if !matches!(values.data, ColumnData::Text(_)) {
        return Err("it has texts in Chinese and is no column of texts".to_owned());
    }
    if zh_cn.len() != rows {
        return Err(format!("{} texts in Chinese for {rows} rows", zh_cn.len()));
    }
    check_texts(zh_cn)
}

fn each<T: std::fmt::Display>(values: &[T], fits: impl Fn(usize, &T) -> bool, what: &str) -> Check {
    match values.iter().enumerate().find(|(row, value)| !fits(*row, value)) {
        Some((row, value)) => Err(format!("row {row} is {value}, which is not {what}")),
        None => Ok(()),
    }
}

fn prose(what: &str, text: &Text, bytes_max: usize) -> Check {
    let bytes = text.en.len().max(text.zh_cn.len());
    if bytes > bytes_max { Err(format!("its {what} has {bytes} bytes, at most {bytes_max}")) } else { Ok(()) }
}

fn check_texts(column: &TextColumn) -> Check {
    if column.bytes.len() > TEXT_BYTES_MAX {
        return Err(format!("texts of {} bytes, at most {TEXT_BYTES_MAX}", column.bytes.len()));
    }
    texts(column)
}

fn check_drawing(panel: &Panel) -> Check {
    match &panel.drawing {
        Drawing::Table | Drawing::Other { .. } => Ok(()),
        Drawing::Bar(chart) | Drawing::Line(chart) | Drawing::Scatter(chart) => check_chart(panel, chart),
        Drawing::Matrix { row, column, value } => {
            there(panel, row)?;
            there(panel, column)?;
            number(panel, value)
        }
        Drawing::Tree { node, parent, label, value } => {
            [node, parent].into_iter().try_for_each(|name| named(panel, name))?;
            there(panel, label)?;
            value.iter().try_for_each(|name| number(panel, name))
        }
        Drawing::Graph { source, target, weight } => {
            [source, target].into_iter().try_for_each(|name| named(panel, name))?;
            weight.iter().try_for_each(|name| number(panel, name))
        }
    }
}

fn check_chart(panel: &Panel, chart: &Chart) -> Check {
    there(panel, &chart.x)?;
    if chart.y.is_empty() {
        return Err("its picture measures nothing: `y` is empty".to_owned());
    }
    at_most("measures in `y`", chart.y.len(), COLUMNS_MAX)?;
    chart.y.iter().try_for_each(|name| number(panel, name))?;
    chart.series.iter().try_for_each(|name| there(panel, name).map(drop))?;
    chart.interval.iter().flat_map(|(low, high)| [low, high]).try_for_each(|name| number(panel, name))
}

fn there<'a>(panel: &'a Panel, name: &str) -> Check<&'a ColumnData> {
    let found = panel.columns.iter().find(|column| column.values.name == name);
    found
        .map(|column| &column.values.data)
        .ok_or_else(|| format!("its picture names `{}`, which is none of its columns", short(name)))
}

fn number(panel: &Panel, name: &str) -> Check {
    match there(panel, name)? {
        ColumnData::Float64(_) | ColumnData::Int64(_) | ColumnData::Money { .. } => Ok(()),
        _ => Err(format!("its picture measures `{name}`, which is no column of numbers or amounts")),
    }
}

/// Whether the column can name nodes.
fn named(panel: &Panel, name: &str) -> Check {
    match there(panel, name)? {
        ColumnData::Text(_) | ColumnData::Dictionary { .. } | ColumnData::Int64(_) => Ok(()),
        _ => Err(format!(
            "its picture takes names from `{name}`, which is no column of texts or whole numbers"
        )),
    }
}

fn short(name: &str) -> String {
    name.chars().take(60).collect()
}

fn at_most(what: &str, count: usize, limit: usize) -> Check {
    if count > limit { Err(format!("{count} {what}, at most {limit}")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use trellis_model::{Column, Text, Validity};

    use super::*;

    fn column(name: &str, data: ColumnData) -> PanelColumn {
        let values = Column { name: name.to_owned(), valid: Validity::all(), data };
        PanelColumn { label: Text::default(), unit: String::new(), values, zh_cn: None }
    }

    fn words(count: usize) -> ColumnData {
        ColumnData::Text((0..count).map(|row| row.to_string()).collect())
    }

    fn chart(x: &str, y: &[&str]) -> Chart {
        let y = y.iter().map(|name| (*name).to_owned()).collect();
        Chart { x: x.to_owned(), y, series: None, interval: None }
    }

    fn of(columns: Vec<PanelColumn>, drawing: Drawing) -> Report {
        let (label, description) = (Text::default(), Text::default());
        let panel = Panel { name: "sizes".to_owned(), label, description, columns, drawing };
        Report { panels: vec![panel], ..Report::default() }
    }

    fn refused(wrong: Report) -> String {
        report(wrong).unwrap_err()
    }

    fn sizes() -> Vec<PanelColumn> {
        vec![column("name", words(2)), column("size", ColumnData::Int64(vec![3, 4]))]
    }

    #[test]
    fn a_picture_of_a_table_is_taken() {
        let right = of(sizes(), Drawing::Bar(chart("name", &["size"])));
        assert_eq!(report(right.clone()), Ok(right));
    }

    #[test]
    fn a_picture_names_columns_that_can_be_drawn() {
        let message = refused(of(sizes(), Drawing::Line(chart("name", &["share"]))));
        assert_eq!(message, "panel `sizes`: its picture names `share`, which is none of its columns");
        let message = refused(of(sizes(), Drawing::Scatter(chart("size", &["name"]))));
        assert!(message.contains("measures `name`, which is no column of numbers"), "{message}");
        let message = refused(of(sizes(), Drawing::Bar(chart("name", &[]))));
        assert!(message.contains("`y` is empty"), "{message}");
        let floats = column("at", ColumnData::Float64(vec![0.5, 0.25]));
        let graph = Drawing::Graph { source: "at".to_owned(), target: "at".to_owned(), weight: None };
        assert!(refused(of(vec![floats], graph)).contains("takes names from `at`"));
    }

    #[test]
    fn the_columns_of_a_table_fit_together() {
        let mut unequal = sizes();
        unequal.push(column("more", ColumnData::Date(vec![1, 2, 3])));
        assert!(refused(of(unequal, Drawing::Table)).contains("column `more`: 3 rows where the first"));
        let twice = vec![column("a", words(1)), column("a", words(1))];
        assert!(refused(of(twice, Drawing::Table)).contains("`a` is there twice"));
        let infinite = vec![column("a", ColumnData::Float64(vec![f64::INFINITY]))];
        assert!(refused(of(infinite, Drawing::Table)).contains("row 0 is inf"));
        let mut chinese = column("a", words(2));
        chinese.zh_cn = Some(["一"].into_iter().collect());
        assert!(refused(of(vec![chinese], Drawing::Table)).contains("1 texts in Chinese for 2 rows"));
        let references = vec![column("a", ColumnData::Reference(vec![1]))];
        assert!(refused(of(references, Drawing::Table)).contains("single texts"));
    }

    #[test]
    fn what_nobody_could_write_down_is_refused() {
        let odd = |data| refused(of(vec![column("a", data)], Drawing::Table));
        assert!(
            odd(ColumnData::Date(vec![0, i32::MAX])).contains("row 1 is 2147483647, which is not a date")
        );
        assert!(odd(ColumnData::Time(vec![i64::MIN])).contains("which is not a moment"));
        assert!(odd(ColumnData::Boolean(vec![2])).contains("row 0 is 2"));
        let money = ColumnData::Money { currency: "coins".to_owned(), minor_units: vec![1] };
        assert!(odd(money).contains("coins"));
        let mut null = column("a", ColumnData::Date(vec![i32::MAX]));
        null.values.valid = Validity::from_flags([false]);
        assert!(report(of(vec![null], Drawing::Table)).is_ok(), "nobody looks at what stands under null");
    }

    #[test]
    fn names_and_prose_have_ends() {
        let words = |name: &str| vec![column(name, words(1))];
        for name in ["", "two\nlines", &"x".repeat(COLUMN_NAME_CHARACTERS_MAX + 1)] {
            assert!(refused(of(words(name), Drawing::Table)).contains("characters on one line"), "{name}");
        }
        let long = Text::new("x".repeat(PROSE_BYTES_MAX + 1), "");
        let wrong = Report { summary: long.clone(), ..Report::default() };
        assert!(refused(wrong).contains("its summary has 65537 bytes, at most 65536"));
        let mut labelled = of(words("a"), Drawing::Table);
        labelled.panels[0].columns[0].label = long.clone();
        let message = refused(labelled.clone());
        assert!(message.starts_with("panel `sizes`: column `a`: its label has"), "{message}");
        labelled.panels[0].label = long;
        assert!(refused(labelled).starts_with("panel `sizes`: its label has"));
    }

    #[test]
    fn a_report_has_bounds() {
        let rows = vec![column("a", ColumnData::Int64(vec![0; ROWS_MAX + 1]))];
        assert!(refused(of(rows, Drawing::Table)).contains("10001 rows, at most 10000"));
        let columns = (0..=COLUMNS_MAX).map(|place| column(&format!("c{place}"), words(1))).collect();
        assert!(refused(of(columns, Drawing::Table)).contains("51 columns, at most 50"));
        let long = ColumnData::Text(["x".repeat(TEXT_BYTES_MAX + 1)].into_iter().collect());
        assert!(refused(of(vec![column("a", long)], Drawing::Table)).contains("bytes, at most"));
        let mut many = of(sizes(), Drawing::Table);
        many.panels = vec![many.panels[0].clone(); PANELS_MAX + 1];
        assert!(refused(many.clone()).contains("51 panels, at most 50"));
        many.panels.truncate(2);
        assert!(refused(many).contains("panel `sizes` is there twice"));
    }
}
