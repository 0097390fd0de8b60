//! What responders have in common: how the values of each choice go with responding.

use trellis_mining::encoding::{Encoding, Kind, Preparation, Values};
use trellis_mining::frame::{Cells, Column, Frame, Measure};
use trellis_mining::measures::{chi_square, weight_of_evidence};
use trellis_mining::tree::short;
use trellis_sdk::{LocalizedText, ModelReader, ModelWriter, Panel, Result, localized, panel};

/// A number with at most so many different values is a choice, too: yes and no as 1 and 0, how many children.
const NUMBERS_MAX: usize = 10;
/// So many values of choices are shown.
const LEVELS_MAX: usize = 500;

/// How a choice goes with responding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    feature: LocalizedText,
    information: f64,
    /// Pearson's chi-square of its values against the response, its degrees of freedom and the probability of it by chance; none with one value.
    test: Option<(f64, u64, f64)>,
    levels: Vec<Level>,
}

/// How one value goes with it.
#[derive(Debug, Clone, PartialEq)]
struct Level {
    value: LocalizedText,
    customers: u64,
    responses: u64,
    /// None where all or none of them responded.
    weight: Option<f64>,
}

/// The choices of a frame against the outcomes that are known, those that tell most first.
pub(crate) fn choices(frame: &Frame, outcomes: &[Option<bool>], preparation: &Preparation) -> Vec<Choice> {
    let encoding = Encoding::learn(frame, preparation);
    let places: Vec<u32> =
        (0..).zip(outcomes).filter_map(|(row, known): (u32, _)| known.map(|_| row)).collect();
    let responded: Vec<bool> = outcomes.iter().flatten().copied().collect();
    let known = encoding.encode(frame).take(&places);
    let mut found = Vec::new();
    for (feature, values) in encoding.features.iter().zip(&known.features) {
        match (&feature.kind, values) {
            (Kind::Category { names, .. }, Values::Levels { codes, .. }) => {
                found.push(choice(feature.title(), names.clone(), codes, &responded));
            }
            (Kind::Number { .. }, _) => {
                let coded = frame.columns().get(feature.column).and_then(|column| coded(column, &places));
                found.extend(coded.map(|(names, codes)| choice(feature.title(), names, &codes, &responded)));
            }
            _ => {}
        }
    }
    found.sort_by(|one, other| other.information.total_cmp(&one.information));
    found
}

/// The few different numbers of a column as values, and which of them each row at `places` has; a missing one has none.
fn coded(column: &Column, places: &[u32]) -> Option<(Vec<LocalizedText>, Vec<u8>)> {
    let Cells::Numbers(numbers) = &column.cells else { return None };
    let mut values: Vec<f64> = Vec::new();
    for number in numbers.iter().filter(|number| !number.is_nan()) {
        if let Err(place) = values.binary_search_by(|value| value.total_cmp(number)) {
            values.insert(place, *number);
        }
        if values.len() > NUMBERS_MAX {
            return None;
        }
    }
    let code = |place: &u32| {
        let number = numbers.get(*place as usize)?;
        u8::try_from(values.binary_search_by(|value| value.total_cmp(number)).ok()?).ok()
    };
    let codes = places.iter().map(|place| code(place).unwrap_or(u8::MAX)).collect();
    let name = |number: &f64| match (column.measure, *number > 0.5) {
        (Measure::YesNo, true) => localized("yes", "是"),
        (Measure::YesNo, false) => localized("no", "否"),
        _ => localized(short(*number), short(*number)),
    };
    Some((values.iter().map(name).collect(), codes))
}

fn choice(feature: LocalizedText, names: Vec<LocalizedText>, codes: &[u8], responded: &[bool]) -> Choice {
    let found = weight_of_evidence(codes, names.len(), responded);
    let table: Vec<Vec<u64>> =
        found.levels.iter().map(|level| vec![level.positives, level.rows - level.positives]).collect();
    let level = |(value, level): (LocalizedText, &trellis_mining::measures::Level)| Level {
        value,
        customers: level.rows,
        responses: level.positives,
        weight: level.weight,
    };
    Choice {
        feature,
        information: found.information,
        test: chi_square(&table).map(|(statistic, freedom, p)| (statistic, freedom as u64, p)),
        levels: names.into_iter().zip(&found.levels).map(level).collect(),
    }
}

impl Choice {
    /// How strongly it goes with the response, from 0 to 1 (Cramér, 1946): of a table with two columns √(χ²/n).
    fn strength(&self) -> Option<f64> {
        let customers: u64 = self.levels.iter().map(|level| level.customers).sum();
        self.test.map(|(statistic, ..)| (statistic / customers.max(1) as f64).sqrt())
    }
}

/// Value by value.
pub(crate) fn levels_panel(choices: &[Choice]) -> Panel {
    let shown = || {
        let levels = choices.iter().flat_map(|choice| choice.levels.iter().map(move |level| (choice, level)));
        levels.filter(|(_, level)| level.customers > 0).take(LEVELS_MAX)
    };
    let rate = |level: &Level| 100.0 * level.responses as f64 / level.customers.max(1) as f64;
    let count = |of: fn(&Level) -> u64| shown().map(move |(_, level)| i64::try_from(of(level)).ok());
    panel("evidence", "What responders have in common", "响应客户的共同特征")
        .about(
            "Weight of evidence of each value (above 0: more responses than average; empty where all or none responded) and the information value of its feature: from 0.02 weak, from 0.1 medium, from 0.3 strong.",
            "各取值的证据权重（大于 0 表示响应高于平均；全部或无人响应时为空）及特征的信息价值：0.02 起为弱，0.1 起为中，0.3 起为强。",
        )
        .words("feature", ("Feature", "特征"), shown().map(|(choice, _)| choice.feature.clone()))
        .words("value", ("Value", "取值"), shown().map(|(_, level)| level.value.clone()))
        .int64("customers", ("Customers", "客户数"), "", count(|level| level.customers))
        .int64("responses", ("Responses", "响应数"), "", count(|level| level.responses))
        .float64("rate", ("Response rate", "响应率"), "%", shown().map(|(_, level)| Some(rate(level))))
        .float64("weight", ("Weight of evidence", "证据权重"), "", shown().map(|(_, level)| level.weight))
        .float64("information", ("Information value of the feature", "特征信息价值"), "", shown().map(|(choice, _)| Some(choice.information)))
}

/// Choice by choice.
pub(crate) fn choices_panel(choices: &[Choice]) -> Panel {
    let number = |of: fn(&Choice) -> Option<f64>| choices.iter().map(of);
    panel("association", "How much each feature tells", "各特征与响应的关联")
        .about(
            "Chi-square test of each choice against the response. Cramér's V goes from 0 (nothing in common) to 1; a small probability says that the difference is not by chance.",
            "各选项特征与是否响应的卡方检验。克莱姆 V 系数从 0（无关联）到 1；概率很小说明差异并非偶然。",
        )
        .words("feature", ("Feature", "特征"), choices.iter().map(|choice| choice.feature.clone()))
        .float64("information", ("Information value", "信息价值"), "", number(|choice| Some(choice.information)))
        .float64("chi_square", ("Chi-square", "卡方值"), "", number(|choice| choice.test.map(|test| test.0)))
        .int64("freedom", ("Degrees of freedom", "自由度"), "", choices.iter().map(|choice| i64::try_from(choice.test?.1).ok()))
        .float64("p", ("Probability by chance", "偶然概率"), "", number(|choice| choice.test.map(|test| test.2)))
        .float64("cramers_v", ("Cramér's V", "克莱姆 V 系数"), "", number(Choice::strength))
        .bar("feature", ["cramers_v"])
}

pub(crate) fn write_choices(choices: &[Choice], writer: ModelWriter) -> ModelWriter {
    let text = |writer: ModelWriter, text: &LocalizedText| writer.text(&text.en).text(&text.zh_cn);
    choices.iter().fold(writer.u64(choices.len() as u64), |writer, choice| {
        let writer = text(writer, &choice.feature).f64(choice.information);
        let writer = match choice.test {
            None => writer.u64(0),
            Some((statistic, freedom, p)) => writer.u64(1).f64(statistic).u64(freedom).f64(p),
        };
        choice.levels.iter().fold(writer.u64(choice.levels.len() as u64), |writer, level| {
            let writer = text(writer, &level.value).u64(level.customers).u64(level.responses);
            writer.f64(level.weight.unwrap_or(f64::NAN))
        })
    })
}

pub(crate) fn read_choices(reader: &mut ModelReader<'_>) -> Result<Vec<Choice>> {
    let count = reader.u64()?;
    (0..count).map(|_| read_choice(reader)).collect()
}

fn read_choice(reader: &mut ModelReader<'_>) -> Result<Choice> {
    let feature = localized(reader.text()?, reader.text()?);
    let information = reader.f64()?;
    let test = match reader.u64()? {
        0 => None,
        _ => Some((reader.f64()?, reader.u64()?, reader.f64()?)),
    };
    let count = reader.u64()?;
    let levels: Result<Vec<Level>> = (0..count).map(|_| read_level(reader)).collect();
    Ok(Choice { feature, information, test, levels: levels? })
}

fn read_level(reader: &mut ModelReader<'_>) -> Result<Level> {
    let value = localized(reader.text()?, reader.text()?);
    let (customers, responses, weight) = (reader.u64()?, reader.u64()?, reader.f64()?);
    Ok(Level { value, customers, responses, weight: (!weight.is_nan()).then_some(weight) })
}
