//! Customers with their group, outcomes and subgroups.

use trellis_sdk::{Batch, PluginError, Result, RowStream, localized};

use crate::config::Config;
use crate::proportions::Group;

/// How many groups there may be: with all their pairs they still fit a page.
const GROUPS_MAX: usize = 20;
/// How many values a field of subgroups may have.
const SUBGROUPS_MAX: usize = 200;

/// One value of each customer, as a text or as a number.
enum Column<'a> {
    Texts(trellis_sdk::values::Dictionary<'a>),
    Booleans(trellis_sdk::values::Booleans<'a>),
    Integers(trellis_sdk::values::Values<'a, i64>),
    Numbers(trellis_sdk::values::Values<'a, f64>),
    Money(trellis_sdk::values::Money<'a>),
}

impl<'a> Column<'a> {
    fn read(batch: &'a Batch, name: &str) -> Result<Self> {
        match batch.type_of(name) {
            Some("dictionary") => Ok(Self::Texts(batch.dictionary(name)?)),
            Some("boolean") => Ok(Self::Booleans(batch.boolean(name)?)),
            Some("int64") => Ok(Self::Integers(batch.int64(name)?)),
            Some("float64") => Ok(Self::Numbers(batch.float64(name)?)),
            Some("money") => Ok(Self::Money(batch.money(name)?)),
            found => {
                let found = found.unwrap_or("none");
                Err(PluginError::InvalidConfig(localized(
                    format!("`{name}` is of type {found}, which cannot be compared"),
                    format!("`{name}` 的类型为 {found}，无法比较"),
                )))
            }
        }
    }

    /// What an outcome of this type is; `None` where its values decide.
    fn is_proportion(&self) -> Option<bool> {
        match self {
            Self::Booleans(_) => Some(true),
            Self::Texts(_) | Self::Money(_) => Some(false),
            Self::Integers(_) | Self::Numbers(_) => None,
        }
    }

    fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Texts(_) => None,
            Self::Booleans(values) => values.get(row).map(|value| f64::from(u8::from(value))),
            Self::Integers(values) => values.get(row).map(|value| value as f64),
            Self::Numbers(values) => values.get(row),
            Self::Money(money) => {
                let unit = 10_f64.powi(trellis_sdk::decimal_places(money.currency()) as i32);
                money.minor_units().get(row).map(|amount| amount as f64 / unit)
            }
        }
    }

    fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Texts(texts) => texts.get(row).map(str::to_owned),
            Self::Booleans(values) => {
                values.get(row).map(|value| if value { "true" } else { "false" }.to_owned())
            }
            _ => self.number(row).map(|number| number.to_string()),
        }
    }
}

/// All customers that are in a group.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) groups: Vec<String>,
    /// For each customer the place of its group.
    pub(super) of_group: Vec<u32>,
    /// For each outcome a value a customer; NaN where there is none.
    pub(super) outcomes: Vec<Vec<f64>>,
    /// For each outcome whether its type says that it is a proportion, or is none.
    are_proportions: Vec<Option<bool>>,
    /// For each field of subgroups its values, and for each customer the place of its own.
    pub(super) subgroups: Vec<(Vec<String>, Vec<u32>)>,
}

/// No subgroup.
const NONE: u32 = u32::MAX;

impl Data {
    pub(super) fn read(rows: &mut RowStream<'_>, config: &Config) -> Result<Self> {
        if config.group.is_none() || config.outcomes.is_empty() {
            return Err(PluginError::InvalidConfig(localized(
                "the settings `group` and `outcomes` name no fields: an experiment needs both",
                "设置 `group` 和 `outcomes` 未指定字段：评估实验两者缺一不可",
            )));
        }
        let mut data = Self {
            outcomes: vec![Vec::new(); config.outcomes.len()],
            subgroups: vec![Default::default(); config.subgroups.len()],
            ..Self::default()
        };
        for batch in rows {
            data.add(&batch, config)?;
        }
        if data.groups.len() < 2 {
            let groups = data.groups.len();
            return Err(PluginError::UnsuitableData(localized(
                format!("{groups} groups have members: an experiment needs two"),
                format!("有成员的分组只有 {groups} 个：实验至少需要两个"),
            )));
        }
        Ok(data)
    }

    fn add(&mut self, batch: &Batch, config: &Config) -> Result<()> {
        let group = Column::read(batch, "group")?;
        let columns = |prefix: &str, fields: &[String]| {
            fields
                .iter()
                .map(|field| Column::read(batch, &format!("{prefix}.{field}")))
                .collect::<Result<Vec<_>>>()
        };
        let (outcomes, subgroups) =
            (columns("outcomes", &config.outcomes)?, columns("subgroups", &config.subgroups)?);
        self.are_proportions = outcomes.iter().map(Column::is_proportion).collect();
        for row in 0..batch.rows() {
            let Some(name) = group.text(row) else { continue };
            let place = place_of(&mut self.groups, name, GROUPS_MAX, "group")?;
            self.of_group.push(place);
            for (values, column) in self.outcomes.iter_mut().zip(&outcomes) {
                values.push(column.number(row).unwrap_or(f64::NAN));
            }
            for ((names, places), (column, field)) in
                self.subgroups.iter_mut().zip(subgroups.iter().zip(&config.subgroups))
            {
                places.push(match column.text(row) {
                    None => NONE,
                    Some(name) => place_of(names, name, SUBGROUPS_MAX, field)?,
                });
            }
        }
        Ok(())
    }

    /// The groups in the order in which they are shown: the control first, then by name.
    pub(super) fn order(&self, control: Option<&str>) -> Result<Vec<u32>> {
        let mut order: Vec<u32> = (0..).take(self.groups.len()).collect();
        let name = |place: &u32| self.groups.get(*place as usize).map_or("", String::as_str);
        if let Some(control) = control.filter(|control| !self.groups.iter().any(|group| group == control)) {
            return Err(PluginError::InvalidParameters(localized(
                format!("`control` is `{control}`; the groups are: {}", self.groups.join(", ")),
                format!("`control` 为 `{control}`，而实际分组为：{}", self.groups.join("、")),
            )));
        }
        order.sort_by_key(|place| (Some(name(place)) != control, name(place)));
        Ok(order)
    }

    /// The values of an outcome of the customers of a group that `keeps` takes.
    pub(super) fn values(&self, outcome: usize, group: u32, keeps: impl Fn(usize) -> bool) -> Vec<f64> {
        let values = self.outcomes.get(outcome).map_or(&[][..], Vec::as_slice);
        let rows = values.iter().zip(&self.of_group).enumerate();
        rows.filter(|(row, (value, of_group))| **of_group == group && !value.is_nan() && keeps(*row))
            .map(|(_, (value, _))| *value)
            .collect()
    }

    /// Whether an outcome is yes or no: by its type, or as a number that is always 0 or 1 and has been 1. Where a number was only ever 0,
    /// nobody has spent yet.
    pub(super) fn is_proportion(&self, outcome: usize) -> bool {
        let said = self.are_proportions.get(outcome).copied().flatten();
        let values = self.outcomes.get(outcome).map_or(&[][..], Vec::as_slice);
        said.unwrap_or_else(|| {
            values.contains(&1.0)
                && values.iter().all(|value| value.is_nan() || *value == 0.0 || *value == 1.0)
        })
    }
}

fn place_of(names: &mut Vec<String>, name: String, most: usize, field: &str) -> Result<u32> {
    let known = names.iter().position(|known| *known == name);
    let place = known.unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    });
    if names.len() > most {
        return Err(PluginError::UnsuitableData(localized(
            format!("`{field}` has more than {most} different values"),
            format!("`{field}` 的不同取值超过 {most} 个"),
        )));
    }
    Ok(u32::try_from(place).expect("there are few names"))
}

pub(super) fn counted(values: &[f64]) -> Group {
    Group {
        members: values.len() as u64,
        responses: values.iter().filter(|value| **value == 1.0).count() as u64,
    }
}
