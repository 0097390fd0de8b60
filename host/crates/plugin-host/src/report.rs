//! What a plugin shows to people, after it was checked.

use trellis_model::{Column, Text, TextColumn};

use crate::Metric;

/// A report: figures, tables, and pictures of tables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// In a few lines.
    pub summary: Text,
    /// Figures, the most important first.
    pub metrics: Vec<Metric>,
    /// Tables and pictures, one below the other.
    pub panels: Vec<Panel>,
    /// What somebody has to be told, each on one line.
    pub warnings: Vec<Text>,
}

/// A table, and how to draw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Unique within the report.
    pub name: String,
    /// Its heading.
    pub label: Text,
    /// What it says and how to read it; may be empty.
    pub description: Text,
    /// The table, column by column, each of the same number of rows.
    pub columns: Vec<PanelColumn>,
    /// How it is drawn.
    pub drawing: Drawing,
}

/// A column of a panel's table.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelColumn {
    /// What people call it.
    pub label: Text,
    /// Its unit for people; may be empty.
    pub unit: Text,
    /// Its values, under a name that is unique within the panel.
    pub values: Column,
    /// The same texts in Simplified Chinese, where they are words.
    pub zh_cn: Option<TextColumn>,
}

/// How a panel is drawn. Names are those of columns of the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drawing {
    /// As the table that it is.
    Table,
    /// As bars.
    Bar(Chart),
    /// As lines, in the order of the rows.
    Line(Chart),
    /// As points.
    Scatter(Chart),
    /// As numbers in rows and columns, each the darker the larger.
    Matrix {
        /// The column that names the row of the picture.
        row: String,
        /// The column that names the column of the picture.
        column: String,
        /// The column with the number.
        value: String,
    },
    /// As nodes below nodes; each row is a node.
    Tree {
        /// The column with the node's name.
        node: String,
        /// The column with the name of the node above; null for the root.
        parent: String,
        /// The column with what the node says.
        label: String,
        /// The column with its number.
        value: Option<String>,
    },
    /// As nodes and arrows; each row is an arrow.
    Graph {
        /// The column with the name of where it begins.
        source: String,
        /// The column with the name of where it ends.
        target: String,
        /// The column with how much it matters.
        weight: Option<String>,
    },
    /// Of a kind that this host does not know: it shows the table.
    Other {
        /// Its name.
        kind: String,
        /// What the plugin says of it, for a client that knows the kind: JSON, or nothing.
        more: String,
    },
}

/// A picture of points, bars or lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// What lies along the horizontal axis.
    pub x: String,
    /// What is measured.
    pub y: Vec<String>,
    /// What divides the rows into series.
    pub series: Option<String>,
    /// Below and above what each of `y` lies; empty where nothing is said of that.
    pub intervals: Vec<(String, String)>,
}

impl Panel {
    /// How many rows the table has.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.data.len())
    }
}
