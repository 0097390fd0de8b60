//! Checks reports.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;
use trellis_model::{ColumnData, Currency, Text, TextColumn, Value};

use super::{Check, code, is_name, metrics, texts, unique, unit, validity};
use crate::plain;
use crate::report::{Chart, Drawing, Panel, PanelColumn, Report};

/// Warnings of one report.
const WARNINGS_MAX: usize = 10;
/// Characters of a warning in one language.
const WARNING_CHARACTERS_MAX: usize = 500;
/// Panels of one report.
const PANELS_MAX: usize = 50;
/// Columns of one panel.
const COLUMNS_MAX: usize = 50;
/// Rows of one panel.
const ROWS_MAX: usize = 10_000;
/// Bytes of the texts in one column of a panel.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Cells of one report: what people read, and what becomes JSON.
const CELLS_MAX: usize = 500_000;
/// Bytes of the texts in all cells of one report.
const REPORT_TEXT_BYTES_MAX: usize = 8 << 20;
/// Kinds of drawing that are cases of their own.
const KINDS: [&str; 7] = ["table", "bar", "line", "scatter", "matrix", "tree", "graph"];
/// Bytes of what a drawing of another kind says of itself.
const OTHER_BYTES_MAX: usize = 64 << 10;
/// Nodes of a tree that lie above one another.
const TREE_DEPTH_MAX: usize = 1_000;
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
    at_most("warnings", report.warnings.len(), WARNINGS_MAX)?;
    for (place, warning) in report.warnings.iter().enumerate() {
        check_warning(warning).map_err(|reason| format!("warning {}: {reason}", place + 1))?;
    }
    at_most("panels", report.panels.len(), PANELS_MAX)?;
    unique("panel", report.panels.iter().map(|panel| panel.name.as_str()))?;
    for panel in &report.panels {
        check_panel(panel).map_err(|reason| format!("panel `{}`: {reason}", short(&panel.name)))?;
    }
    let columns = || report.panels.iter().flat_map(|panel| &panel.columns);
    at_most("cells", columns().map(|column| column.values.data.len()).sum(), CELLS_MAX)?;
    at_most("bytes of texts", columns().map(text_bytes).sum(), REPORT_TEXT_BYTES_MAX)?;
    Ok(report)
}

fn check_warning(warning: &Text) -> Check {
    if warning.en.is_empty() || warning.zh_cn.is_empty() {
        return Err(
            "it is not JSON of the form {\"en\": \"…\", \"zh-CN\": \"…\"} with words in both languages"
                .to_owned(),
        );
    }
    let characters = warning.en.chars().count().max(warning.zh_cn.chars().count());
    if characters > WARNING_CHARACTERS_MAX {
        return Err(format!("it has {characters} characters, at most {WARNING_CHARACTERS_MAX}"));
    }
    Ok(())
}

/// Bytes of the texts of a column, in both languages.
fn text_bytes(column: &PanelColumn) -> usize {
    let en = if let ColumnData::Text(cells) = &column.values.data { cells.bytes.len() } else { 0 };
    en + column.zh_cn.as_ref().map_or(0, |texts| texts.bytes.len())
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
    if !(1..=COLUMN_NAME_CHARACTERS_MAX).contains(&characters)
        || values.name != plain::line(&values.name, COLUMN_NAME_CHARACTERS_MAX)
    {
        return Err(format!("its name is not of 1 to {COLUMN_NAME_CHARACTERS_MAX} characters on one line"));
    }
    prose("label", &column.label, LABEL_BYTES_MAX)?;
    unit(&column.unit)?;
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
        // A dictionary of one long text would be long in every row.
        ColumnData::Reference(_) | ColumnData::Dictionary { .. } | ColumnData::DictionaryList { .. } => {
            Err("it is neither of numbers, amounts, dates, times, truth values nor `text`".to_owned())
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
        Drawing::Table => Ok(()),
        Drawing::Other { kind, more } => check_other(kind, more),
        Drawing::Bar(chart) | Drawing::Line(chart) | Drawing::Scatter(chart) => check_chart(panel, chart),
        Drawing::Matrix { row, column, value } => {
            there(panel, row)?;
            there(panel, column)?;
            number(panel, value)
        }
        Drawing::Tree { node, parent, label, value } => {
            [node, parent].into_iter().try_for_each(|name| named(panel, name))?;
            there(panel, label)?;
            value.iter().try_for_each(|name| number(panel, name))?;
            check_tree(panel, node, parent)
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
    let (intervals, measures) = (chart.intervals.len(), chart.y.len());
    if intervals > measures {
        return Err(format!("its picture has {intervals} intervals for {measures} measures in `y`"));
    }
    chart.intervals.iter().flat_map(|(low, high)| [low, high]).try_for_each(|name| number(panel, name))
}

fn check_other(kind: &str, more: &str) -> Check {
    code("kind of drawing", kind)?;
    if KINDS.contains(&kind) {
        return Err(format!("its picture is of the other kind `{kind}`, which is a kind of its own"));
    }
    at_most("bytes about its picture", more.len(), OTHER_BYTES_MAX)?;
    match serde_json::from_str::<serde::de::IgnoredAny>(more) {
        Err(error) if !more.is_empty() => Err(format!("what it says of its picture is no JSON: {error}")),
        _ => Ok(()),
    }
}

/// Checks that whoever walks the tree comes to an end: each node once, each below one that is there, none below itself.
fn check_tree(panel: &Panel, node: &str, parent: &str) -> Check {
    let (nodes, parents) = (names(panel, node), names(panel, parent));
    let mut places = HashMap::with_capacity(nodes.len());
    for (place, name) in nodes.iter().enumerate() {
        let Some(name) = name else {
            return Err(format!("its tree has a node without a name, in row {place}"));
        };
        if places.insert(name.as_ref(), place).is_some() {
            return Err(format!("its tree has the node `{}` twice", short(name)));
        }
    }
    let above = |place: usize| parents.get(place).and_then(Option::as_ref);
    // How deep each node lies, of those that are known; a root is at 1.
    let mut depths = vec![0_usize; nodes.len()];
    for start in 0..nodes.len() {
        let (mut path, mut place) = (vec![start], start);
        let known = loop {
            if let Some(depth) = depths.get(place).filter(|depth| **depth > 0) {
                path.pop();
                break *depth;
            }
            let Some(name) = above(place) else { break 0 };
            let Some(found) = places.get(name.as_ref()) else {
                return Err(format!(
                    "its tree has a node below `{}`, which is none of its nodes",
                    short(name)
                ));
            };
            if path.len() > TREE_DEPTH_MAX {
                let name = nodes.get(start).and_then(Option::as_ref).map_or("", |name| name.as_ref());
                return Err(format!(
                    "its tree has more than {TREE_DEPTH_MAX} nodes above `{}`, or a circle of them",
                    short(name)
                ));
            }
            place = *found;
            path.push(place);
        };
        for (depth, place) in (known + 1..).zip(path.iter().rev()) {
            if let Some(found) = depths.get_mut(*place) {
                *found = depth;
            }
        }
    }
    at_most("nodes of its tree above one another", depths.into_iter().max().unwrap_or(0), TREE_DEPTH_MAX)
}

/// The names in a column that can name nodes.
fn names<'a>(panel: &'a Panel, name: &str) -> Vec<Option<Cow<'a, str>>> {
    let Some(column) = panel.columns.iter().find(|column| column.values.name == name) else {
        return Vec::new();
    };
    let name = |row: usize| match &column.values.data {
        ColumnData::Text(texts) => texts.get(row).map(Cow::Borrowed),
        ColumnData::Int64(numbers) => numbers.get(row).map(|number| Cow::Owned(number.to_string())),
        _ => None,
    };
    let valid = &column.values.valid;
    (0..column.values.data.len()).map(|row| if valid.get(row) { name(row) } else { None }).collect()
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
        ColumnData::Text(_) | ColumnData::Int64(_) => Ok(()),
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
        PanelColumn { label: Text::default(), unit: Text::default(), values, zh_cn: None }
    }

    fn words(count: usize) -> ColumnData {
        ColumnData::Text((0..count).map(|row| row.to_string()).collect())
    }

    fn chart(x: &str, y: &[&str]) -> Chart {
        let y = y.iter().map(|name| (*name).to_owned()).collect();
        Chart { x: x.to_owned(), y, series: None, intervals: Vec::new() }
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
        assert!(refused(of(references, Drawing::Table)).contains("nor `text`"));
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
    fn warnings_are_few_words_in_both_languages() {
        let warned = |warnings: Vec<Text>| Report { warnings, ..Report::default() };
        let long = "长".repeat(WARNING_CHARACTERS_MAX);
        assert!(report(warned(vec![Text::new("Too high", &*long); WARNINGS_MAX])).is_ok());
        let message = refused(warned(vec![Text::new("Too high", "过高"), Text::new("Too high", "")]));
        assert!(message.starts_with("warning 2: it is not JSON of the form"), "{message}");
        let message = refused(warned(vec![Text::new("Too high", format!("{long}长"))]));
        assert_eq!(message, "warning 1: it has 501 characters, at most 500");
        assert!(refused(warned(vec![Text::new("a", "一"); WARNINGS_MAX + 1])).contains("warnings"));
    }

    fn tree(nodes: &[(&str, Option<&str>)]) -> Report {
        let texts = |texts: Vec<&str>| ColumnData::Text(texts.into_iter().collect());
        let mut parents =
            column("above", texts(nodes.iter().map(|(_, above)| above.unwrap_or("")).collect()));
        parents.values.valid = Validity::from_flags(nodes.iter().map(|(_, above)| above.is_some()));
        let names = column("node", texts(nodes.iter().map(|(node, _)| *node).collect()));
        let [node, parent, label] = ["node", "above", "node"].map(ToOwned::to_owned);
        of(vec![names, parents], Drawing::Tree { node, parent, label, value: None })
    }

    #[test]
    fn whoever_walks_a_tree_comes_to_an_end() {
        let right = tree(&[("c", Some("b")), ("a", None), ("b", Some("a")), ("other", None)]);
        assert!(report(right).is_ok());
        for (nodes, message) in [
            (&[("a", Some("b")), ("b", Some("a"))][..], "or a circle of them"),
            (&[("a", Some("a"))], "or a circle of them"),
            (&[("a", None), ("a", None)], "has the node `a` twice"),
            (&[("a", Some("z"))], "below `z`, which is none of its nodes"),
        ] {
            let refused = refused(tree(nodes));
            assert!(refused.contains(message), "{refused}");
        }
        let names: Vec<String> = (0..=TREE_DEPTH_MAX).map(|node| node.to_string()).collect();
        let chain = |length: usize| {
            let nodes = names.iter().take(length).enumerate();
            let above = |place: usize| place.checked_sub(1).map(|place| names[place].as_str());
            nodes.map(|(place, name)| (name.as_str(), above(place))).collect::<Vec<_>>()
        };
        assert!(report(tree(&chain(TREE_DEPTH_MAX))).is_ok());
        let mut deep = chain(TREE_DEPTH_MAX + 1);
        for _ in 0..2 {
            assert!(refused(tree(&deep)).contains("1000"), "whichever end it is walked from");
            deep.reverse();
        }
    }

    #[test]
    fn another_kind_of_drawing_is_another_one() {
        let other = |kind: &str, more: &str| {
            of(sizes(), Drawing::Other { kind: kind.to_owned(), more: more.to_owned() })
        };
        assert!(report(other("sankey", r#"{"from":"name"}"#)).is_ok());
        assert!(report(other("sankey", "")).is_ok());
        assert!(refused(other("bar", "{}")).contains("of the other kind `bar`"));
        assert!(refused(other("A kind", "{}")).contains("kind of drawing"));
        assert!(refused(other("sankey", "{")).contains("is no JSON"));
        let long = format!("\"{}\"", "x".repeat(OTHER_BYTES_MAX));
        assert!(refused(other("sankey", &long)).contains("65538 bytes about its picture, at most 65536"));
    }

    #[test]
    fn a_report_has_bounds_as_a_whole() {
        let columns = |columns: usize, data: &dyn Fn() -> ColumnData| {
            let columns = (0..columns).map(|place| column(&format!("c{place}"), data()));
            of(columns.collect(), Drawing::Table)
        };
        let cells = columns(50, &|| ColumnData::Boolean(vec![0; ROWS_MAX]));
        assert!(report(cells.clone()).is_ok());
        let mut more = cells;
        let mut panel = more.panels[0].clone();
        panel.name = "more".to_owned();
        panel.columns.truncate(1);
        more.panels.push(panel);
        assert!(refused(more).contains("510000 cells, at most 500000"));
        let long = || ColumnData::Text(["x".repeat(TEXT_BYTES_MAX)].into_iter().collect());
        assert!(report(columns(8, &long)).is_ok());
        assert!(refused(columns(9, &long)).contains("9437184 bytes of texts, at most 8388608"));
        let mut wide = sizes();
        wide[1].unit = Text::new("", "周".repeat(41));
        assert!(refused(of(wide, Drawing::Table)).contains("its unit has 41 characters, at most 40"));
        let dictionary = ColumnData::Dictionary { codes: vec![0; 2], values: ["x"].into_iter().collect() };
        assert!(refused(of(vec![column("a", dictionary)], Drawing::Table)).contains("nor `text`"));
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
