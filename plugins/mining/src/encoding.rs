//! From columns to a design: what stands for a missing number, and which 0/1 columns a category becomes.
//!
//! The design has the numeric columns as they are and one 0/1 column for each value of a category, in ascending order of code points, all
//! values kept. It is never laid out: a category stays one byte a row, and what learns from it treats each value as a column.

use trellis_sdk::{LocalizedText, ModelReader, ModelWriter, PluginError, Result, localized};

use crate::frame::{Cells, Column, Frame, Measure, NO_TEXT};

/// The level of a row whose category was not met in training: all its 0/1 columns are 0.
pub const NO_LEVEL: u8 = u8::MAX;
/// More values than these of one category become one level, the rarest first.
const LEVELS_MAX: usize = 200;
/// What rare values are called together.
pub const OTHER: &str = "(other)";
/// What an empty category is called, where training has met one.
pub const MISSING: &str = "(missing)";

/// How columns are prepared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preparation {
    /// Values of a category with fewer rows than this become one level `(other)`, to which unseen values then belong too. 0 keeps all.
    pub rare_rows: usize,
    /// Whether a number that is missing in some rows gets a second column that says so.
    pub missing_indicator: bool,
}

impl Default for Preparation {
    fn default() -> Self {
        Self { rare_rows: 0, missing_indicator: true }
    }
}

/// How the columns of a frame become features.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// In the order of the columns; one column may become several features.
    pub features: Vec<Feature>,
}

/// One thing that a model may ask about a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Which column of the frame it comes from.
    pub column: usize,
    /// The plain name of that column.
    pub name: String,
    /// What people call that column.
    pub label: LocalizedText,
    /// What is asked.
    pub kind: Kind,
}

/// What a feature asks of its column.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Its number; where it is missing, the median of the rows that the encoding was learned from.
    Number {
        /// That median; 0 where no row had a number. Of yes and no it is the more frequent one.
        fill: f64,
        /// What it says.
        measure: Measure,
    },
    /// Whether its number is missing, as 0 or 1.
    IsMissing,
    /// Which of these texts it is. Each is a 0/1 column of the design.
    Category {
        /// In ascending order of code points; at most 202.
        levels: Vec<String>,
        /// What people call each of them.
        names: Vec<LocalizedText>,
    },
    /// Whether this is one of its texts, as 0 or 1.
    Contains {
        /// The text.
        value: String,
        /// What people call it.
        name: LocalizedText,
    },
}

/// Rows as a model sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// How many there are.
    pub rows: usize,
    /// The values of each feature of the encoding.
    pub features: Vec<Values>,
}

/// The values of one feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// A finite number a row.
    Numbers(Vec<f64>),
    /// The place of a level a row, or [`NO_LEVEL`].
    Levels {
        /// One a row.
        codes: Vec<u8>,
        /// How many levels there are.
        count: usize,
    },
}

/// A column of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DesignColumn {
    /// Which feature it belongs to.
    pub feature: usize,
    /// The level that it stands for; none for a number.
    pub level: Option<usize>,
}

impl Encoding {
    /// Learns medians and levels from all rows of `frame`.
    pub fn learn(frame: &Frame, preparation: &Preparation) -> Self {
        let mut features = Vec::new();
        for (place, column) in frame.columns().iter().enumerate() {
            let kinds = match &column.cells {
                Cells::Unknown => Vec::new(),
                Cells::Numbers(values) => number_kinds(values, column.measure, preparation),
                Cells::Texts { codes, texts } => {
                    let levels = levels(codes, texts, frame.rows(), preparation);
                    let names = levels.iter().map(|level| level_name(column, level)).collect();
                    vec![Kind::Category { levels, names }]
                }
                Cells::Sets { codes, texts, .. } => contained_kinds(column, codes, texts, preparation),
            };
            let name = column.plain_name();
            let label = column.title.clone().unwrap_or_else(|| localized(name, name));
            features.extend(kinds.into_iter().map(|kind| Feature {
                column: place,
                name: name.to_owned(),
                label: label.clone(),
                kind,
            }));
        }
        Self { features }
    }

    /// Encodes the rows of a frame with the same columns. Texts that were not met in training have no level, or that of the rare ones.
    pub fn encode(&self, frame: &Frame) -> Encoded {
        let values = |feature: &Feature| {
            let column = frame.columns().get(feature.column);
            column
                .map_or_else(|| feature.nothing(frame.rows()), |column| feature.values(column, frame.rows()))
        };
        Encoded { rows: frame.rows(), features: self.features.iter().map(values).collect() }
    }

    /// The columns of the design, in order.
    pub fn columns(&self) -> Vec<DesignColumn> {
        let levels = |feature: &Feature| match &feature.kind {
            Kind::Category { levels, .. } => Some(levels.len()),
            _ => None,
        };
        let mut columns = Vec::new();
        for (place, feature) in self.features.iter().enumerate() {
            match levels(feature) {
                None => columns.push(DesignColumn { feature: place, level: None }),
                Some(count) => columns
                    .extend((0..count).map(|level| DesignColumn { feature: place, level: Some(level) })),
            }
        }
        columns
    }

    /// What a column of the design is called: `tenure`, `contract=monthly`.
    pub fn column_name(&self, column: DesignColumn) -> LocalizedText {
        let Some(feature) = self.features.get(column.feature) else { return localized("", "") };
        match (&feature.kind, column.level) {
            (Kind::Category { names, .. }, Some(level)) => {
                let (en, zh) = names.get(level).map_or(("", ""), |name| (&name.en, &name.zh_cn));
                localized(format!("{}={en}", feature.label.en), format!("{}={zh}", feature.label.zh_cn))
            }
            _ => feature.title(),
        }
    }

    /// Writes the encoding.
    pub fn write(&self, writer: ModelWriter) -> ModelWriter {
        self.features.iter().fold(writer.u64(self.features.len() as u64), |writer, feature| {
            let label = &feature.label;
            let writer =
                writer.u64(feature.column as u64).text(&feature.name).text(&label.en).text(&label.zh_cn);
            match &feature.kind {
                Kind::Number { fill, measure } => writer.u64(number_code(*measure)).f64(*fill),
                Kind::IsMissing => writer.u64(1),
                Kind::Category { levels, names } => {
                    let writer = writer.u64(2).u64(levels.len() as u64);
                    levels.iter().zip(names).fold(writer, |writer, (level, name)| {
                        writer.text(level).text(&name.en).text(&name.zh_cn)
                    })
                }
                Kind::Contains { value, name } => writer.u64(3).text(value).text(&name.en).text(&name.zh_cn),
            }
        })
    }

    /// Reads what [`Encoding::write`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let count = reader.u64()?;
        let mut features = Vec::new();
        for _ in 0..count {
            let (column, name) = (reader.u64()? as usize, reader.text()?);
            let label = localized(reader.text()?, reader.text()?);
            let kind = match reader.u64()? {
                0 => Kind::Number { fill: reader.f64()?, measure: Measure::Number },
                1 => Kind::IsMissing,
                2 => {
                    let (mut levels, mut names) = (Vec::new(), Vec::new());
                    for _ in 0..reader.u64()? {
                        levels.push(reader.text()?);
                        names.push(localized(reader.text()?, reader.text()?));
                    }
                    Kind::Category { levels, names }
                }
                3 => {
                    Kind::Contains { value: reader.text()?, name: localized(reader.text()?, reader.text()?) }
                }
                4 => Kind::Number { fill: reader.f64()?, measure: Measure::YesNo },
                5 => Kind::Number { fill: reader.f64()?, measure: Measure::DaysAgo },
                other => {
                    let message = format!("the model has a feature of the unknown kind {other}");
                    return Err(PluginError::UnreadableModel(message.into()));
                }
            };
            features.push(Feature { column, name, label, kind });
        }
        Ok(Self { features })
    }
}

impl Feature {
    /// What people call it: the column's name, and what is asked where it is not the value itself.
    pub fn title(&self) -> LocalizedText {
        let LocalizedText { en, zh_cn } = &self.label;
        match &self.kind {
            Kind::IsMissing => localized(format!("{en} is missing"), format!("{zh_cn}缺失")),
            Kind::Contains { name, .. } => {
                localized(format!("{en} contains {}", name.en), format!("{zh_cn}包含{}", name.zh_cn))
            }
            _ => self.label.clone(),
        }
    }

    /// That what the title says is not so, for features that are 0 or 1.
    pub fn denied(&self) -> LocalizedText {
        let LocalizedText { en, zh_cn } = &self.label;
        match &self.kind {
            Kind::IsMissing => localized(format!("{en} is known"), format!("{zh_cn}已知")),
            Kind::Contains { name, .. } => localized(
                format!("{en} does not contain {}", name.en),
                format!("{zh_cn}不包含{}", name.zh_cn),
            ),
            _ => localized(format!("{en}: no"), format!("{zh_cn}：否")),
        }
    }

    fn values(&self, column: &Column, rows: usize) -> Values {
        match (&self.kind, &column.cells) {
            (Kind::Number { fill, .. }, Cells::Numbers(values)) => Values::Numbers(
                values.iter().map(|value| if value.is_nan() { *fill } else { *value }).collect(),
            ),
            (Kind::IsMissing, Cells::Numbers(values)) => {
                Values::Numbers(values.iter().map(|value| f64::from(u8::from(value.is_nan()))).collect())
            }
            (Kind::Category { levels, .. }, Cells::Texts { codes, texts }) => {
                let places: Vec<u8> = texts.iter().map(|text| level_of(levels, text)).collect();
                let missing = level_of(levels, MISSING);
                let place = |code: &u32| match *code {
                    NO_TEXT => missing,
                    code => places.get(code as usize).copied().unwrap_or(NO_LEVEL),
                };
                Values::Levels { codes: codes.iter().map(place).collect(), count: levels.len() }
            }
            (Kind::Contains { value, .. }, Cells::Sets { ends, codes, texts }) => {
                let Some(wanted) = texts.iter().position(|text| text == value) else {
                    return self.nothing(rows);
                };
                let mut from = 0;
                let contains = |end: &usize| {
                    let row = codes.get(from..*end).unwrap_or_default();
                    from = *end;
                    f64::from(u8::from(row.iter().any(|code| *code as usize == wanted)))
                };
                Values::Numbers(ends.iter().map(contains).collect())
            }
            _ => self.nothing(rows),
        }
    }

    /// What rows have where the column is not there, or of another type than in training.
    fn nothing(&self, rows: usize) -> Values {
        match &self.kind {
            Kind::Number { fill, .. } => Values::Numbers(vec![*fill; rows]),
            Kind::IsMissing => Values::Numbers(vec![1.0; rows]),
            Kind::Contains { .. } => Values::Numbers(vec![0.0; rows]),
            Kind::Category { levels, .. } => {
                Values::Levels { codes: vec![level_of(levels, MISSING); rows], count: levels.len() }
            }
        }
    }
}

impl Encoded {
    /// The rows at these places, in that order.
    #[expect(clippy::indexing_slicing, reason = "the places are those of rows")]
    pub fn take(&self, places: &[u32]) -> Self {
        let values = |values: &Values| match values {
            Values::Numbers(numbers) => {
                Values::Numbers(places.iter().map(|place| numbers[*place as usize]).collect())
            }
            Values::Levels { codes, count } => Values::Levels {
                codes: places.iter().map(|place| codes[*place as usize]).collect(),
                count: *count,
            },
        };
        Self { rows: places.len(), features: self.features.iter().map(values).collect() }
    }
}

/// What people call a level of a column.
fn level_name(column: &Column, level: &str) -> LocalizedText {
    match level {
        OTHER => localized(OTHER, "（其他）"),
        MISSING => localized(MISSING, "（缺失）"),
        other => column.called(other),
    }
}

/// The numbers by which a stored encoding tells kinds apart; 1 to 3 are those without a number.
fn number_code(measure: Measure) -> u64 {
    match measure {
        Measure::Number => 0,
        Measure::YesNo => 4,
        Measure::DaysAgo => 5,
    }
}

fn number_kinds(values: &[f64], measure: Measure, preparation: &Preparation) -> Vec<Kind> {
    let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let missing = values.len() - present.len();
    let middle = median(&mut present);
    // Between yes and no there is nothing.
    let fill = if measure == Measure::YesNo { f64::from(u8::from(middle > 0.5)) } else { middle };
    let mut kinds = vec![Kind::Number { fill, measure }];
    if preparation.missing_indicator && missing > 0 && missing < values.len() {
        kinds.push(Kind::IsMissing);
    }
    kinds
}

/// The middle value, or the mean of the two middle ones; 0 of none.
pub fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !even {
        return upper;
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    lower / 2.0 + upper / 2.0
}

/// The texts that become levels, in ascending order of code points, with one for rare and one for missing values where there are any.
fn levels(codes: &[u32], texts: &[String], rows: usize, preparation: &Preparation) -> Vec<String> {
    let mut counts = vec![0_usize; texts.len()];
    let mut present = 0;
    for code in codes {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
            present += 1;
        }
    }
    let mut kept: Vec<(&String, usize)> = texts.iter().zip(counts).collect();
    kept.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    let all = kept.len();
    kept.retain(|(_, count)| *count >= preparation.rare_rows);
    kept.truncate(LEVELS_MAX);
    let dropped = kept.len() < all;
    let mut levels: Vec<String> = kept.into_iter().map(|(text, _)| text.clone()).collect();
    let named = |levels: &[String], name: &str| levels.iter().any(|level| level == name);
    if dropped && !named(&levels, OTHER) {
        levels.push(OTHER.to_owned());
    }
    if present < rows && !named(&levels, MISSING) {
        levels.push(MISSING.to_owned());
    }
    levels.sort_unstable();
    levels
}

fn contained_kinds(column: &Column, codes: &[u32], texts: &[String], preparation: &Preparation) -> Vec<Kind> {
    let mut values = levels(codes, texts, codes.len(), preparation);
    values.retain(|value| value != OTHER);
    values.into_iter().map(|value| Kind::Contains { name: level_name(column, &value), value }).collect()
}

fn level_of(levels: &[String], text: &str) -> u8 {
    let exact = levels.binary_search_by(|level| level.as_str().cmp(text));
    let place = exact.or_else(|_| {
        let rare = if text == MISSING { Err(0) } else { Ok(OTHER) };
        rare.and_then(|rare| levels.binary_search_by(|level| level.as_str().cmp(rare)))
    });
    place.ok().and_then(|place| u8::try_from(place).ok()).unwrap_or(NO_LEVEL)
}
