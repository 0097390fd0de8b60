//! How long customers stay: of all of them, and of the groups that an admin chose.

use trellis_mining::frame::{Cells, Column, Frame, Measure, NO_TEXT};
use trellis_mining::survival::{kaplan_meier, log_rank, median, thinned};
use trellis_sdk::{LocalizedText, PluginError, Result, localized};

use crate::config::Config;
use crate::model::{Curve, Survival};
use crate::orders::Orders;

/// More groups than these make no readable picture; the largest are shown and compared.
const GROUPS_MAX: usize = 8;
/// So many points of each curve are kept.
const POINTS_MAX: usize = 300;

/// Who left, and how long each was a customer by their orders.
pub(crate) struct Stays {
    left: Vec<bool>,
    by_orders: Vec<f64>,
}

/// The group of each customer as its place in the names; larger where it is none of those shown.
struct Groups {
    codes: Vec<usize>,
    names: Vec<LocalizedText>,
}

impl Stays {
    pub(crate) fn of(orders: &Orders, lost: &[Option<bool>], day: i32) -> Self {
        // Who is unknown to be lost was still there when last seen.
        let left = lost.iter().map(|lost| *lost == Some(true)).collect();
        Self { left, by_orders: orders.tenures(day, lost) }
    }

    /// The curve of all customers, and those of the groups where a field divides them.
    pub(crate) fn survival(
        self,
        config: &Config,
        tenures: Option<Frame>,
        groups: Option<Frame>,
    ) -> Result<Survival> {
        let given = match (tenures, &config.tenure) {
            (Some(frame), Some(field)) => numbers(&frame, field)?,
            _ => None,
        };
        let is_given = given.is_some();
        let times = given.unwrap_or(self.by_orders);
        let groups = match (groups, &config.group) {
            (Some(frame), Some(field)) => Groups::of(&frame, field)?,
            _ => None,
        };
        let mut curves = vec![curve(localized("All customers", "全部客户"), &times, &self.left)];
        let Some(Groups { codes, names }) = groups else {
            return Ok(Survival { curves, test: None, is_given });
        };
        for (group, name) in names.iter().enumerate() {
            let rows = codes.iter().zip(times.iter().zip(&self.left)).filter(|(code, _)| **code == group);
            let (times, left): (Vec<f64>, Vec<bool>) = rows.map(|(_, (time, left))| (*time, *left)).unzip();
            curves.push(curve(name.clone(), &times, &left));
        }
        let test = log_rank(&times, &self.left, &codes, names.len());
        Ok(Survival { curves, test, is_given })
    }
}

fn curve(name: LocalizedText, times: &[f64], left: &[bool]) -> Curve {
    let points = kaplan_meier(times, left);
    Curve {
        name,
        customers: times.len() as u64,
        median: median(&points),
        staying: points.last().map_or(1.0, |point| point.survival),
        points: thinned(&points, POINTS_MAX),
    }
}

/// The numbers of the field with how long somebody has been a customer; none where there are no rows.
fn numbers(frame: &Frame, field: &str) -> Result<Option<Vec<f64>>> {
    match frame.columns().first().map(|column| (&column.cells, column.measure)) {
        None | Some((Cells::Unknown, _)) => Ok(None),
        Some((Cells::Numbers(numbers), Measure::Number)) => Ok(Some(numbers.clone())),
        Some(_) => {
            let en = format!(
                "`tenure` is the field `{field}`, which is no number; it has to say for how many days, months or years somebody has been or was a customer"
            );
            let zh = format!("`tenure` 所选字段 `{field}` 不是数值；应为客户时长的天数、月数或年数");
            Err(PluginError::UnsuitableData((en, zh).into()))
        }
    }
}

impl Groups {
    /// The groups by the field of that name; none where there are no rows.
    fn of(frame: &Frame, field: &str) -> Result<Option<Self>> {
        match frame.columns().first().map(|column| (&column.cells, column)) {
            None | Some((Cells::Unknown, _)) => Ok(None),
            Some((Cells::Texts { codes, texts }, column)) => {
                let name = |text: &String| column.called(text);
                Ok(Some(Self::largest(codes, texts.iter().map(name).collect())))
            }
            Some((Cells::Numbers(numbers), Column { measure: Measure::YesNo, .. })) => {
                let code = |number: &f64| if number.is_nan() { NO_TEXT } else { u32::from(*number > 0.5) };
                let codes: Vec<u32> = numbers.iter().map(code).collect();
                Ok(Some(Self::largest(&codes, vec![localized("no", "否"), localized("yes", "是")])))
            }
            Some(_) => {
                let en = format!(
                    "`group` is the field `{field}`, which does not divide customers into groups; choose a choice, a text or a yes/no field"
                );
                let zh = format!("`group` 所选字段 `{field}` 不能用于分组；请选择选项、文本或是/否字段");
                Err(PluginError::UnsuitableData((en, zh).into()))
            }
        }
    }

    /// The largest groups in the order of their names; of `codes` those beyond the names have no value.
    fn largest(codes: &[u32], mut names: Vec<LocalizedText>) -> Self {
        let missing = names.len();
        names.push(localized("(missing)", "（缺失）"));
        let place = |code: &u32| usize::try_from(*code).map_or(missing, |code| code.min(missing));
        let mut sizes: Vec<(usize, usize)> = (0..names.len()).map(|group| (0, group)).collect();
        for group in codes.iter().map(place) {
            if let Some(size) = sizes.get_mut(group) {
                size.0 += 1;
            }
        }
        sizes.retain(|size| size.0 > 0);
        let name = |group: usize| names.get(group).map_or("", |name| name.en.as_str());
        sizes.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| name(one.1).cmp(name(other.1))));
        sizes.truncate(GROUPS_MAX);
        sizes.sort_by(|one, other| name(one.1).cmp(name(other.1)));
        let mut shown = vec![usize::MAX; names.len()];
        for (place, (_, group)) in sizes.iter().enumerate() {
            if let Some(shown) = shown.get_mut(*group) {
                *shown = place;
            }
        }
        let code = |code: &u32| shown.get(place(code)).copied().unwrap_or(usize::MAX);
        let codes = codes.iter().map(code).collect();
        Self { codes, names: sizes.iter().filter_map(|(_, group)| names.get(*group)).cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_changes_neither_the_median_nor_the_end() {
        // Somebody leaves on each of 1,000 days, and 500 stay.
        let times: Vec<f64> = (1..=1_500).map(|day| f64::from(day.min(1_001))).collect();
        let left: Vec<bool> = (1..=1_500).map(|day| day <= 1_000).collect();
        let curve = curve(localized("All", "全部"), &times, &left);
        assert!(curve.points.len() <= POINTS_MAX, "{}", curve.points.len());
        assert_eq!(curve.median, Some(750.0));
        assert!((curve.staying - 1.0 / 3.0).abs() < 1e-9, "{}", curve.staying);
        let last = curve.points.last().expect("there are points");
        assert!((last.time, last.survival) == (1_000.0, curve.staying));
    }
}
