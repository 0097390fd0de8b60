//! The columns that a model learns from, as they come in batches whose columns an admin chose.

use std::collections::BTreeMap;

use trellis_sdk::{
    Batch, ColumnDescription, Context, LocalizedText, PluginError, Result, decimal_places, localized,
};

/// The code of a text that is missing.
pub const NO_TEXT: u32 = u32::MAX;
/// [`Frame::gather`] keeps at most so many different texts of a column: names and addresses tell nothing about other customers, and those of a million
/// customers would not fit into memory.
pub const TEXTS_MAX: usize = 10_000;

/// Rows of chosen columns, gathered from batches.
#[derive(Debug, Clone)]
pub struct Frame {
    rows: usize,
    columns: Vec<Column>,
}

/// One chosen column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in the batch.
    pub name: String,
    /// What people call it, where that is not the plain name.
    pub title: Option<LocalizedText>,
    /// What people call values of a choice, by the value.
    pub options: BTreeMap<String, LocalizedText>,
    /// What its numbers say.
    pub measure: Measure,
    /// Its values; empty until the first batch says of which type they are.
    pub cells: Cells,
    known: BTreeMap<String, u32>,
}

/// What the numbers of a column say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// A number or an amount as it is.
    #[default]
    Number,
    /// 1 for yes and 0 for no.
    YesNo,
    /// How many days ago a date is; negative for one to come.
    DaysAgo,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// No batch was read so far.
    Unknown,
    /// A number a row, NaN where there is none. Amounts are in whole units of their currency, yes and no are 1 and 0, and days are counted back
    /// from the day of the call, so that an older date is a larger number.
    Numbers(Vec<f64>),
    /// A text a row, as its place in `texts`, [`NO_TEXT`] where there is none.
    Texts {
        /// One a row.
        codes: Vec<u32>,
        /// Each once, in the order in which they were met.
        texts: Vec<String>,
    },
    /// Several texts a row, as their places in `texts`.
    Sets {
        /// Where each row ends in `codes`.
        ends: Vec<usize>,
        /// Row after row.
        codes: Vec<u32>,
        /// Each once, in the order in which they were met.
        texts: Vec<String>,
    },
}

impl Frame {
    /// A frame without rows of the columns with these names.
    pub fn of(names: &[String]) -> Self {
        let column = |name: &String| Column::new(name, Cells::Unknown);
        Self { rows: 0, columns: names.iter().map(column).collect() }
    }

    /// A frame with the rows of one batch.
    ///
    /// # Errors
    /// As [`Frame::push`].
    pub fn read(names: &[String], batch: &Batch, at: &Context) -> Result<Self> {
        let mut frame = Self::of(names);
        frame.push(batch, at)?;
        Ok(frame)
    }

    /// How many rows were read.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in the order of their names.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// If a column is not there, changed its type between two batches, or is of a type that no model learns from.
    pub fn push(&mut self, batch: &Batch, at: &Context) -> Result<()> {
        for column in &mut self.columns {
            column.push(batch, at)?;
        }
        self.rows += batch.rows();
        Ok(())
    }

    /// As [`Frame::push`], for all customers and not only for one batch of them.
    ///
    /// # Errors
    /// Beyond those of [`Frame::push`], if a column has more than [`TEXTS_MAX`] different texts.
    pub fn gather(&mut self, batch: &Batch, at: &Context) -> Result<()> {
        self.push(batch, at)?;
        let full = self.columns.iter().find(|column| column.known.len() > TEXTS_MAX);
        full.map_or(Ok(()), |column| {
            let name = column.plain_name();
            let en = format!(
                "`{name}` has more than {TEXTS_MAX} different texts, as names and addresses have; choose a field that many customers share the values of"
            );
            let zh = format!("`{name}` 的不同文本超过 {TEXTS_MAX} 个（如姓名、地址）；请选择多位客户取值相同的字段");
            Err(PluginError::UnsuitableData((en, zh).into()))
        })
    }

    /// Takes over what people call the columns and the values of their choices, from [`trellis_sdk::RowStream::columns`].
    pub fn describe(&mut self, columns: &[ColumnDescription]) {
        for column in &mut self.columns {
            if let Some(found) = columns.iter().find(|found| found.name == column.name) {
                // A host that knows nothing better says the name.
                let is_said = |label: &LocalizedText| !label.en.is_empty() && label.en != column.name;
                column.title = Some(spoken(&found.label)).filter(is_said);
                let options = found.options.iter().map(|(value, label)| (value.clone(), spoken(label)));
                column.options = options.collect();
            }
        }
    }

    /// Says what people call the column whose plain name this is; does nothing where there is none.
    pub fn entitle(&mut self, plain_name: &str, en: &str, zh_cn: &str) {
        let named = self.columns.iter_mut().filter(|column| column.plain_name() == plain_name);
        named.for_each(|column| column.title = Some(localized(en, zh_cn)));
    }

    /// Adds a column of numbers that the caller computed for all rows; NaN is missing.
    ///
    /// # Panics
    /// If it has not as many values as the frame has rows.
    pub fn add_numbers(&mut self, name: &str, values: Vec<f64>) {
        assert!(
            self.columns.is_empty() || values.len() == self.rows,
            "a column has a value for each row of the frame"
        );
        self.rows = values.len();
        self.columns.push(Column::new(name, Cells::Numbers(values)));
    }

    /// Adds a column of texts that the caller has for all rows.
    ///
    /// # Panics
    /// As [`Frame::add_numbers`].
    pub fn add_texts<'a>(&mut self, name: &str, values: impl IntoIterator<Item = Option<&'a str>>) {
        let mut column = Column::new(name, Cells::Texts { codes: Vec::new(), texts: Vec::new() });
        column.push_texts(values);
        let rows = column.rows();
        assert!(
            self.columns.is_empty() || rows == self.rows,
            "a column has a value for each row of the frame"
        );
        self.rows = rows;
        self.columns.push(column);
    }
}

impl Column {
    fn new(name: &str, cells: Cells) -> Self {
        let (options, known) = (BTreeMap::new(), BTreeMap::new());
        Self { name: name.to_owned(), title: None, options, measure: Measure::default(), cells, known }
    }

    /// The name without the setting that it came by: `tenure` of `features.tenure`.
    pub fn plain_name(&self) -> &str {
        self.name.rsplit_once('.').map_or(self.name.as_str(), |(_, name)| name)
    }

    /// What people call one of its texts.
    pub fn called(&self, text: &str) -> LocalizedText {
        self.options.get(text).cloned().unwrap_or_else(|| localized(text, text))
    }

    fn rows(&self) -> usize {
        match &self.cells {
            Cells::Unknown => 0,
            Cells::Numbers(values) => values.len(),
            Cells::Texts { codes, .. } => codes.len(),
            Cells::Sets { ends, .. } => ends.len(),
        }
    }

    fn push(&mut self, batch: &Batch, at: &Context) -> Result<()> {
        let name = self.name.clone();
        match batch.type_of(&name) {
            Some("float64") => self.push_numbers(batch.float64(&name)?.iter()),
            Some("int64") => self.push_numbers(batch.int64(&name)?.iter().map(|value| Some(value? as f64))),
            Some("boolean") => {
                self.measure = Measure::YesNo;
                self.push_numbers(batch.boolean(&name)?.iter().map(|value| Some(f64::from(u8::from(value?)))))
            }
            Some("date") => {
                self.measure = Measure::DaysAgo;
                let today = i64::from(at.as_of);
                let age = |day: Option<i32>| Some((today - i64::from(day?)) as f64);
                self.push_numbers(batch.date(&name)?.iter().map(age))
            }
            Some("money") => {
                let money = batch.money(&name)?;
                let unit = 10_u64.pow(decimal_places(money.currency())) as f64;
                self.push_numbers(money.minor_units().iter().map(|cents| Some(cents? as f64 / unit)))
            }
            Some("dictionary") => {
                let dictionary = batch.dictionary(&name)?;
                self.begin_texts().then(|| self.push_coded(&dictionary)).ok_or_else(|| self.changed())
            }
            Some("text") => {
                let texts = batch.text(&name)?;
                self.begin_texts().then(|| self.push_texts(texts.iter())).ok_or_else(|| self.changed())
            }
            Some("dictionary-list") => self.push_sets(&batch.lists(&name)?),
            Some(other) => Err(PluginError::UnsuitableData((
                format!(
                    "`{}` is of type {other}; a model learns from numbers, amounts, dates, yes/no fields, choices and texts",
                    self.plain_name()
                ),
                format!("`{}` 的类型为 {other}；模型只能从数字、金额、日期、是/否、选项和文本字段中学习", self.plain_name()),
            ).into())),
            None => {
                Err(PluginError::other("missing-column", (format!("there is no column `{name}` in the batch"), format!("数据中没有 `{name}` 列"))))
            }
        }
    }

    fn changed(&self) -> PluginError {
        PluginError::UnsuitableData(
            (
                format!("`{}` changed its type between two batches", self.plain_name()),
                format!("`{}` 的类型在不同批次之间不一致", self.plain_name()),
            )
                .into(),
        )
    }

    fn push_numbers(&mut self, values: impl Iterator<Item = Option<f64>>) -> Result<()> {
        if self.cells == Cells::Unknown {
            self.cells = Cells::Numbers(Vec::new());
        }
        let Cells::Numbers(numbers) = &mut self.cells else { return Err(self.changed()) };
        numbers.extend(values.map(|value| value.unwrap_or(f64::NAN)));
        Ok(())
    }

    fn begin_texts(&mut self) -> bool {
        if self.cells == Cells::Unknown {
            self.cells = Cells::Texts { codes: Vec::new(), texts: Vec::new() };
        }
        matches!(self.cells, Cells::Texts { .. })
    }

    fn push_coded(&mut self, dictionary: &trellis_sdk::values::Dictionary<'_>) {
        let Cells::Texts { codes, texts } = &mut self.cells else { return };
        let known = &mut self.known;
        let places: Vec<u32> =
            dictionary.texts().iter().map(|text| place(known, texts, text.unwrap_or_default())).collect();
        let code = |code: Option<u32>| code.and_then(|code| places.get(code as usize).copied());
        codes.extend(dictionary.codes().iter().map(|found| code(found).unwrap_or(NO_TEXT)));
    }

    fn push_texts<'a>(&mut self, values: impl IntoIterator<Item = Option<&'a str>>) {
        let Cells::Texts { codes, texts } = &mut self.cells else { return };
        let known = &mut self.known;
        codes.extend(values.into_iter().map(|text| text.map_or(NO_TEXT, |text| place(known, texts, text))));
    }

    fn push_sets(&mut self, lists: &trellis_sdk::values::Lists<'_>) -> Result<()> {
        if self.cells == Cells::Unknown {
            self.cells = Cells::Sets { ends: Vec::new(), codes: Vec::new(), texts: Vec::new() };
        }
        let Cells::Sets { ends, codes, texts } = &mut self.cells else { return Err(self.changed()) };
        let known = &mut self.known;
        let places: Vec<u32> =
            lists.texts().iter().map(|text| place(known, texts, text.unwrap_or_default())).collect();
        for row in 0..lists.rows() {
            let found = lists.codes(row).unwrap_or_default();
            codes.extend(found.iter().filter_map(|code| places.get(*code as usize)));
            ends.push(codes.len());
        }
        Ok(())
    }
}

/// A text with both of its languages; where the Chinese one is empty it is the English one.
fn spoken(text: &LocalizedText) -> LocalizedText {
    let zh_cn = if text.zh_cn.is_empty() { &text.en } else { &text.zh_cn };
    localized(&text.en, zh_cn)
}

/// The place of `text` among `texts`, at whose end it is put if it is new.
fn place(known: &mut BTreeMap<String, u32>, texts: &mut Vec<String>, text: &str) -> u32 {
    if let Some(place) = known.get(text) {
        return *place;
    }
    let place = u32::try_from(texts.len()).expect("a column has fewer than 2^32 texts");
    texts.push(text.to_owned());
    known.insert(text.to_owned(), place);
    place
}
