//! What a plugin shows to people: figures, tables, and pictures of tables.

use crate::bindings::shared::trellis::plugin::columns::{Column, ColumnData, MoneyColumn};
use crate::bindings::shared::trellis::plugin::reports as wire;
use crate::writing::{text_column, validity};
use crate::{LocalizedText, Metric, localized};

pub use wire::{Chart, Drawing, Graph, Matrix, Panel, PanelColumn, Report, Tree};

/// A report without figures and tables, which [`Report::metric`] and [`Report::panel`] add.
///
/// ```
/// use trellis_sdk::{localized, metric, panel, report};
///
/// let shares = panel("shares", "Share of each cluster", "各聚类占比")
///     .words("cluster", ("Cluster", "聚类"), [localized("Loyal", "忠诚"), localized("New", "新客")])
///     .float64("share", ("Share", "占比"), "%", [Some(40.0), Some(60.0)])
///     .bar("cluster", ["share"]);
/// let report = report(localized("Two clusters", "两个聚类"))
///     .metric(metric("inertia", localized("Inertia", "簇内平方和"), 12.5))
///     .panel(shares);
/// assert_eq!(report.panels[0].columns[1].unit, "%".into());
/// ```
pub fn report(summary: LocalizedText) -> Report {
    Report { summary, metrics: Vec::new(), panels: Vec::new(), extra: Vec::new() }
}

/// A table without columns, drawn as a table. Its name is of the form `[a-z][a-z0-9_]*`, at most 40 characters. A panel has at most 50 columns
/// and 10,000 rows, a column at most 1 MiB of texts; a report at most 50 panels with 500,000 cells and 8 MiB of texts in all.
pub fn panel(name: &str, en: &str, zh_cn: &str) -> Panel {
    Panel {
        name: name.to_owned(),
        label: localized(en, zh_cn),
        description: localized("", ""),
        columns: Vec::new(),
        drawing: Drawing::Table,
        extra: Vec::new(),
    }
}

impl Report {
    /// Adds a figure; the most important comes first.
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// Adds a table with its picture.
    #[must_use]
    pub fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// Adds what somebody has to be told: administrators are, when it is in the answer to a question. At most 500 characters in each language,
    /// and 10 of them.
    #[must_use]
    pub fn warning(mut self, text: LocalizedText) -> Self {
        let json = serde_json::json!({ "en": text.en, "zh-CN": text.zh_cn });
        self.extra.push(("warning".to_owned(), json.to_string()));
        self
    }

    /// The value of the figure called `name`.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }
}

/// Labels are pairs: English, Simplified Chinese.
impl Panel {
    /// Says what the panel shows and how to read it.
    #[must_use]
    pub fn about(mut self, en: &str, zh_cn: &str) -> Self {
        self.description = localized(en, zh_cn);
        self
    }

    /// Adds a column of numbers. Those that are not finite become null. A unit is a symbol such as `%` (empty for a pure number), or a word
    /// in both languages: `("weeks", "周")`.
    #[must_use]
    pub fn float64(
        self,
        name: &str,
        label: (&str, &str),
        unit: impl Into<LocalizedText>,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.filter(|value| value.is_finite()));
        self.column(name, label, unit, values, ColumnData::Float64)
    }

    /// Adds a column of whole numbers.
    #[must_use]
    pub fn int64(
        self,
        name: &str,
        label: (&str, &str),
        unit: impl Into<LocalizedText>,
        values: impl IntoIterator<Item = Option<i64>>,
    ) -> Self {
        self.column(name, label, unit, values, ColumnData::Int64)
    }

    /// Adds a column of amounts in minor units of `currency`.
    #[must_use]
    pub fn money(
        self,
        name: &str,
        label: (&str, &str),
        currency: &str,
        values: impl IntoIterator<Item = Option<i64>>,
    ) -> Self {
        let currency = currency.to_owned();
        self.column(name, label, "", values, |minor_units| {
            ColumnData::Money(MoneyColumn { currency, minor_units })
        })
    }

    /// Adds a column of days since 1970-01-01.
    #[must_use]
    pub fn date(
        self,
        name: &str,
        label: (&str, &str),
        values: impl IntoIterator<Item = Option<i32>>,
    ) -> Self {
        self.column(name, label, "", values, ColumnData::Date)
    }

    /// Adds a column of names: texts that are the same in every language.
    #[must_use]
    pub fn names<V: AsRef<str>>(
        self,
        name: &str,
        label: (&str, &str),
        values: impl IntoIterator<Item = Option<V>>,
    ) -> Self {
        let values: Vec<Option<V>> = values.into_iter().collect();
        let valid = validity(values.iter().map(Option::is_some));
        let texts = text_column(values.iter().map(|value| value.as_ref().map_or("", AsRef::as_ref)));
        self.push(name, label, "", valid, ColumnData::Text(texts), None)
    }

    /// Adds a column of words: texts in both languages. Takes `Option`s too, of which `None` is null.
    #[must_use]
    pub fn words<V: Into<Option<LocalizedText>>>(
        self,
        name: &str,
        label: (&str, &str),
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values: Vec<Option<LocalizedText>> = values.into_iter().map(Into::into).collect();
        let said = |text: fn(&LocalizedText) -> &str| {
            text_column(values.iter().map(|value| value.as_ref().map_or("", text)))
        };
        let (en, zh_cn) = (said(|value| &value.en), said(|value| &value.zh_cn));
        let valid = validity(values.iter().map(Option::is_some));
        self.push(name, label, "", valid, ColumnData::Text(en), Some(zh_cn))
    }

    /// Adds a column of moments in milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn time(
        self,
        name: &str,
        label: (&str, &str),
        values: impl IntoIterator<Item = Option<i64>>,
    ) -> Self {
        self.column(name, label, "", values, ColumnData::Time)
    }

    /// Adds a column of yes and no.
    #[must_use]
    pub fn boolean(
        self,
        name: &str,
        label: (&str, &str),
        values: impl IntoIterator<Item = Option<bool>>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.map(u8::from));
        self.column(name, label, "", values, ColumnData::Boolean)
    }

    /// Draws bars: one for each column of `y` at each value of `x`.
    #[must_use]
    pub fn bar<'a>(self, x: &str, y: impl IntoIterator<Item = &'a str>) -> Self {
        self.drawn(Drawing::Bar(chart(x, y)))
    }

    /// Draws lines through the rows in their order: one for each column of `y`.
    #[must_use]
    pub fn line<'a>(self, x: &str, y: impl IntoIterator<Item = &'a str>) -> Self {
        self.drawn(Drawing::Line(chart(x, y)))
    }

    /// Draws points.
    #[must_use]
    pub fn scatter<'a>(self, x: &str, y: impl IntoIterator<Item = &'a str>) -> Self {
        self.drawn(Drawing::Scatter(chart(x, y)))
    }

    /// Divides the rows of a picture of bars, lines or points by the column `series`, each value with a colour of its own. Does nothing to
    /// other pictures.
    #[must_use]
    pub fn series(self, series: &str) -> Self {
        self.chart(|chart| chart.series = Some(series.to_owned()))
    }

    /// Says between which columns the first `y` lies with the probability that the panel states; called again, the same of the next one.
    /// Does nothing to other pictures than bars, lines and points.
    #[must_use]
    pub fn interval(self, lower: &str, upper: &str) -> Self {
        self.chart(|chart| chart.intervals.push((lower.to_owned(), upper.to_owned())))
    }

    /// Draws the numbers of the column `value` in rows and columns, the darker the larger.
    #[must_use]
    pub fn matrix(self, row: &str, column: &str, value: &str) -> Self {
        let matrix = Matrix { row: row.to_owned(), column: column.to_owned(), value: value.to_owned() };
        self.drawn(Drawing::Matrix(matrix))
    }

    /// Draws nodes below nodes: the columns with the node's name (each once), the name of the one above it (null for a root; no circles), what
    /// it says, and its number.
    #[must_use]
    pub fn tree(self, node: &str, parent: &str, label: &str, value: Option<&str>) -> Self {
        self.drawn(Drawing::Tree(Tree {
            node: node.to_owned(),
            parent: parent.to_owned(),
            label: label.to_owned(),
            value: value.map(ToOwned::to_owned),
        }))
    }

    /// Draws arrows from `source` to `target`: each row is one.
    #[must_use]
    pub fn graph(self, source: &str, target: &str, weight: Option<&str>) -> Self {
        self.drawn(Drawing::Graph(Graph {
            source: source.to_owned(),
            target: target.to_owned(),
            weight: weight.map(ToOwned::to_owned),
        }))
    }

    /// How many rows the table has.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.data.rows())
    }

    fn column<T: Default>(
        self,
        name: &str,
        label: (&str, &str),
        unit: impl Into<LocalizedText>,
        values: impl IntoIterator<Item = Option<T>>,
        data: impl FnOnce(Vec<T>) -> ColumnData,
    ) -> Self {
        let values: Vec<Option<T>> = values.into_iter().collect();
        let valid = validity(values.iter().map(Option::is_some));
        let data = data(values.into_iter().map(Option::unwrap_or_default).collect());
        self.push(name, label, unit, valid, data, None)
    }

    fn push(
        mut self,
        name: &str,
        (en, zh): (&str, &str),
        unit: impl Into<LocalizedText>,
        valid: Vec<u8>,
        data: ColumnData,
        zh_cn: Option<crate::bindings::shared::trellis::plugin::columns::TextColumn>,
    ) -> Self {
        self.columns.push(PanelColumn {
            label: localized(en, zh),
            unit: unit.into(),
            values: Column { name: name.to_owned(), valid, data },
            zh_cn,
            extra: Vec::new(),
        });
        self
    }

    fn drawn(mut self, drawing: Drawing) -> Self {
        self.drawing = drawing;
        self
    }

    fn chart(mut self, change: impl FnOnce(&mut Chart)) -> Self {
        if let Drawing::Bar(chart) | Drawing::Line(chart) | Drawing::Scatter(chart) = &mut self.drawing {
            change(chart);
        }
        self
    }
}

fn chart<'a>(x: &str, y: impl IntoIterator<Item = &'a str>) -> Chart {
    Chart {
        x: x.to_owned(),
        y: y.into_iter().map(ToOwned::to_owned).collect(),
        series: None,
        intervals: Vec::new(),
        extra: Vec::new(),
    }
}

impl ColumnData {
    fn rows(&self) -> usize {
        match self {
            Self::Float64(values) => values.len(),
            Self::Int64(values) | Self::Time(values) => values.len(),
            Self::Boolean(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Money(money) => money.minor_units.len(),
            Self::Text(texts) => texts.offsets.len().saturating_sub(1),
            Self::Dictionary(dictionary) => dictionary.codes.len(),
            Self::Reference(values) => values.len(),
            Self::DictionaryList(lists) => lists.offsets.len().saturating_sub(1),
        }
    }
}
