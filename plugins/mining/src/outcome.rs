//! The field that says what became of customers, and how each of its values was read.

use std::collections::BTreeMap;

use trellis_sdk::{LocalizedText, ModelReader, ModelWriter, Panel, PluginError, Result, localized, panel};

use crate::frame::{Cells, Column, Frame, Measure, NO_TEXT};

/// So many values are shown, the most frequent first.
const SHOWN_MAX: usize = 50;

/// What became of customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    /// Of each row, whether it has the outcome; none where nobody knows.
    pub known: Vec<Option<bool>>,
    /// How each value was read.
    pub readings: Vec<Reading>,
}

/// How a value of the field was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value in words.
    pub value: LocalizedText,
    /// How many rows have it.
    pub rows: u64,
    /// Whether it means the outcome.
    pub is_positive: bool,
}

impl Outcomes {
    /// Reads the only column of `target`, which comes from the field `field`. Of a number what is above 0 has the outcome, of a yes/no field yes; of a text or a
    /// choice those whose text `means` it. What is empty is not known.
    ///
    /// # Errors
    /// [`PluginError::UnsuitableData`] for a field with several values a customer, and for one whose values all mean the same: the message says which
    /// values there are.
    pub fn read(target: &Frame, field: &str, means: impl Fn(&str) -> bool) -> Result<Self> {
        let Some(column) = target.columns().first() else {
            return Ok(Self { known: Vec::new(), readings: Vec::new() });
        };
        let found = match &column.cells {
            Cells::Unknown => Self { known: Vec::new(), readings: Vec::new() },
            Cells::Numbers(numbers) => Self::of_numbers(numbers, column.measure),
            Cells::Texts { codes, texts } => Self::of_texts(column, codes, texts, means),
            Cells::Sets { .. } => {
                let en = format!(
                    "`{field}` has several values a customer; an outcome is a choice, a text, a yes/no field or a number"
                );
                let zh = format!("`{field}` 每位客户可有多个值；结果字段应为选项、文本、是/否或数值");
                return Err(PluginError::UnsuitableData((en, zh).into()));
            }
        };
        found.check(field)?;
        Ok(found)
    }

    fn of_numbers(numbers: &[f64], measure: Measure) -> Self {
        let known: Vec<Option<bool>> =
            numbers.iter().map(|number| (!number.is_nan()).then_some(*number > 0.0)).collect();
        let (positive, negative) = match measure {
            Measure::YesNo => (localized("yes", "是"), localized("no", "否")),
            Measure::Number => (localized("above 0", "大于 0"), localized("0 or less", "不大于 0")),
            Measure::DaysAgo => (localized("past", "已过"), localized("today or later", "今天或以后")),
        };
        let count = |wanted: bool| known.iter().filter(|known| **known == Some(wanted)).count() as u64;
        let readings = [(positive, true), (negative, false)];
        let readings =
            readings.map(|(value, is_positive)| Reading { value, rows: count(is_positive), is_positive });
        Self { readings: readings.into_iter().filter(|reading| reading.rows > 0).collect(), known }
    }

    fn of_texts(column: &Column, codes: &[u32], texts: &[String], means: impl Fn(&str) -> bool) -> Self {
        let is_positive: Vec<bool> = texts.iter().map(|text| means(text)).collect();
        let known =
            |code: &u32| if *code == NO_TEXT { None } else { is_positive.get(*code as usize).copied() };
        let mut rows: BTreeMap<u32, u64> = BTreeMap::new();
        codes.iter().filter(|code| **code != NO_TEXT).for_each(|code| *rows.entry(*code).or_default() += 1);
        let reading = |(code, rows): (u32, u64)| {
            let text = texts.get(code as usize)?;
            let is_positive = is_positive.get(code as usize).copied()?;
            Some(Reading { value: column.called(text), rows, is_positive })
        };
        let mut readings: Vec<Reading> = rows.into_iter().filter_map(reading).collect();
        readings
            .sort_by(|one, other| other.rows.cmp(&one.rows).then_with(|| one.value.en.cmp(&other.value.en)));
        readings.truncate(SHOWN_MAX);
        Self { known: codes.iter().map(known).collect(), readings }
    }

    /// A model needs both kinds; values that nobody expected are the usual cause where there is one.
    fn check(&self, field: &str) -> Result<()> {
        let both = self.known.contains(&Some(true)) && self.known.contains(&Some(false));
        if both || self.readings.is_empty() {
            return Ok(());
        }
        let shown = || self.readings.iter().take(5);
        let found = shown().map(|reading| reading.value.en.as_str()).collect::<Vec<_>>().join(", ");
        let found_zh = shown().map(|reading| reading.value.zh_cn.as_str()).collect::<Vec<_>>().join("、");
        let (en, zh) = if self.known.contains(&Some(true)) {
            (
                format!(
                    "the outcome of every customer is positive: all that `{field}` has ({found}) means so; a model needs both kinds"
                ),
                format!("`{field}` 的取值（{found_zh}）全部表示发生；模型需要发生与未发生两类客户"),
            )
        } else {
            (
                format!(
                    "the outcome of no customer is positive: nothing that `{field}` has ({found}) means so; a model needs both kinds"
                ),
                format!("`{field}` 的取值（{found_zh}）无一表示发生；模型需要发生与未发生两类客户"),
            )
        };
        Err(PluginError::UnsuitableData((en, zh).into()))
    }
}

/// How the values were read, as a table, so that a value that was misread is seen. `words` say what the outcome is and what its opposite is.
pub fn readings_panel(readings: &[Reading], [positive, negative]: [(&str, &str); 2]) -> Panel {
    let meaning = |reading: &Reading| {
        let (en, zh) = if reading.is_positive { positive } else { negative };
        localized(en, zh)
    };
    panel("outcome_values", "How the outcome was read", "结果字段的取值解读")
        .about(
            "Each value of the field that says what became of a customer, and what it was taken for. A value in the wrong place is set right in the settings.",
            "结果字段的每个取值及其解读。若有取值被误读，请在设置中更正。",
        )
        .words("value", ("Value", "取值"), readings.iter().map(|reading| reading.value.clone()))
        .words("meaning", ("Taken for", "解读为"), readings.iter().map(meaning))
        .int64("customers", ("Customers", "客户数"), "", readings.iter().map(|reading| i64::try_from(reading.rows).ok()))
}

/// Writes readings.
pub fn write_readings(readings: &[Reading], writer: ModelWriter) -> ModelWriter {
    readings.iter().fold(writer.u64(readings.len() as u64), |writer, reading| {
        let writer = writer.text(&reading.value.en).text(&reading.value.zh_cn);
        writer.u64(reading.rows).u64(u64::from(reading.is_positive))
    })
}

/// Reads what [`write_readings`] wrote.
///
/// # Errors
/// [`PluginError::UnreadableModel`] for anything else.
pub fn read_readings(reader: &mut ModelReader<'_>) -> Result<Vec<Reading>> {
    let count = reader.u64()?;
    let reading = |_| {
        let value = localized(reader.text()?, reader.text()?);
        Ok(Reading { value, rows: reader.u64()?, is_positive: reader.u64()? == 1 })
    };
    (0..count).map(reading).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[Option<&str>]) -> Result<Outcomes> {
        let mut frame = Frame::of(&[]);
        frame.add_texts("target", texts.iter().copied());
        Outcomes::read(&frame, "state", |text| text == "gone")
    }

    #[test]
    fn every_value_is_told_with_what_it_was_taken_for() {
        let outcomes =
            read(&[Some("gone"), Some("here"), None, Some("here"), Some("left")]).expect("both kinds occur");
        assert_eq!(outcomes.known, [Some(true), Some(false), None, Some(false), Some(false)]);
        let told: Vec<(&str, u64, bool)> = outcomes
            .readings
            .iter()
            .map(|reading| (reading.value.en.as_str(), reading.rows, reading.is_positive))
            .collect();
        assert_eq!(told, [("here", 2, false), ("gone", 1, true), ("left", 1, false)]);
    }

    #[test]
    fn values_that_mean_the_same_are_named() {
        let refused = read(&[Some("Left"), Some("here")]).expect_err("nothing means gone").to_string();
        assert!(refused.contains("`state` has (Left, here)"), "{refused}");
        assert!(read(&[None, None]).is_ok(), "what nobody knows is the learner's to refuse");
    }
}
