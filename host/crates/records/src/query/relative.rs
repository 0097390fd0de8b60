//! Days in a filter: what `this_quarter`, `last_n_days:30` and a day that is compared with a moment mean as of now.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use trellis_model::{FieldType, Op, Period, RelativeDate, Text, bilingual};

/// The organisation's calendar at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) now_ms: i64,
}

/// Comparisons that a comparison stands for: one of them holds, or none.
#[derive(Debug, PartialEq)]
pub(super) struct Resolved {
    pub(super) any: Vec<(Op, Json)>,
    pub(super) not: bool,
}

/// The two ends of a comparison value: the same where it is no period.
struct Ends {
    /// `None` where the period has no beginning.
    low: Option<Json>,
    high: Json,
    is_period: bool,
}

impl Calendar<'_> {
    /// The comparisons with days or moments that a comparison with periods means; `None` where it names no period.
    ///
    /// A period compares as a whole: equal is inside, less is before its beginning, greater is after its end, and what includes the period
    /// (`lte`, `gte`, `between`) includes all of it. For a moment, a day is a period too.
    ///
    /// # Errors
    /// What is wrong with a period.
    pub(super) fn resolve(
        &self,
        kind: Option<&FieldType>,
        op: Op,
        value: &Json,
    ) -> Result<Option<Resolved>, Text> {
        let Some(kind @ (FieldType::Date | FieldType::Time)) = kind else { return Ok(None) };
        match op {
            Op::Eq | Op::Ne | Op::Gt | Op::Gte | Op::Lt | Op::Lte => {
                let ends = self.ends(kind, value)?;
                if !ends.is_period {
                    return Ok(None);
                }
                let one = match op {
                    Op::Eq | Op::Ne => ends.inside(),
                    Op::Gt | Op::Lte => (op, ends.high),
                    _ => (op, ends.low.ok_or_else(|| no_beginning(value))?),
                };
                let (one, not) = if op == Op::Ne { (one, true) } else { (one, false) };
                Ok(Some(Resolved { any: vec![one], not }))
            }
            Op::Between => {
                let [low, high] = value.as_array().map_or(&[][..], Vec::as_slice) else { return Ok(None) };
                let (low_ends, high_ends) = (self.ends(kind, low)?, self.ends(kind, high)?);
                if !low_ends.is_period && !high_ends.is_period {
                    return Ok(None);
                }
                let low = low_ends.low.ok_or_else(|| no_beginning(low))?;
                let any = vec![(Op::Between, json!([low, high_ends.high]))];
                Ok(Some(Resolved { any, not: false }))
            }
            Op::In | Op::Nin => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                let ends = items.iter().map(|item| self.ends(kind, item)).collect::<Result<Vec<_>, _>>()?;
                if !ends.iter().any(|ends| ends.is_period) {
                    return Ok(None);
                }
                let any = ends.into_iter().map(Ends::inside).collect();
                Ok(Some(Resolved { any, not: op == Op::Nin }))
            }
            _ => Ok(None),
        }
    }

    fn ends(&self, kind: &FieldType, value: &Json) -> Result<Ends, Text> {
        let text = value.as_str().unwrap_or_default();
        let period = match RelativeDate::parse(text) {
            Some(relative) => Some(relative?.period(self.today()).ok_or_else(|| beyond(text))?),
            None if *kind == FieldType::Time && text.len() == 10 => text.parse().ok().map(Period::of_day),
            None => None,
        };
        let Some(period) = period else {
            return Ok(Ends { low: Some(value.clone()), high: value.clone(), is_period: false });
        };
        let (low, high) = if *kind == FieldType::Date {
            (period.first.map(|first| json!(first.to_string())), json!(period.last.to_string()))
        } else {
            let low = period.first.map(|first| self.start(first)).transpose()?;
            (low.map(|low| json!(low.to_string())), json!(self.end(period.last)?.to_string()))
        };
        Ok(Ends { low, high, is_period: true })
    }

    /// The day that it is for the organisation.
    pub(super) fn today(&self) -> Date {
        let now = Timestamp::from_millisecond(self.now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        now.to_zoned(self.zone.clone()).date()
    }

    /// The first moment of a day: not always midnight, where clocks go forward at night.
    fn start(&self, day: Date) -> Result<Timestamp, Text> {
        let zoned = day.to_zoned(self.zone.clone()).map_err(|_| beyond(&day.to_string()))?;
        Ok(zoned.timestamp())
    }

    /// The last moment of a day that a field can hold: times are kept to the millisecond.
    fn end(&self, day: Date) -> Result<Timestamp, Text> {
        let wrong = || beyond(&day.to_string());
        let next = self.start(day.tomorrow().map_err(|_| wrong())?)?;
        next.checked_sub(SignedDuration::from_millis(1)).map_err(|_| wrong())
    }
}

impl Ends {
    /// What is inside.
    fn inside(self) -> (Op, Json) {
        match self.low {
            None => (Op::Lte, self.high),
            Some(low) if low == self.high => (Op::Eq, low),
            Some(low) => (Op::Between, json!([low, self.high])),
        }
    }
}

fn no_beginning(value: &Json) -> Text {
    let value = value.as_str().unwrap_or_default();
    bilingual!(
        "`{value}` has no beginning to compare with; use it with `eq`, `ne`, `lte`, `gt` or `in`",
        "`{value}` 没有起点，无法这样比较；请与 `eq`、`ne`、`lte`、`gt` 或 `in` 一起使用"
    )
}

fn beyond(text: &str) -> Text {
    bilingual!("`{text}` is beyond the calendar", "`{text}` 超出日历范围")
}

/// What is neither a day nor relative to one.
pub(super) fn unknown(text: &str) -> Text {
    let text: String = text.chars().take(60).collect();
    bilingual!(
        "`{text}` is neither a day nor relative to one, such as `today`, `last_month`, `this_quarter`, `last_n_days:30`",
        "`{text}` 既不是日期，也不是相对日期，例如 `today`、`last_month`、`this_quarter`、`last_n_days:30`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(
        zone: &str,
        now: &str,
        kind: FieldType,
        op: Op,
        value: Json,
    ) -> Result<Option<Resolved>, Text> {
        let zone = TimeZone::get(zone).unwrap();
        let now_ms = now.parse::<Timestamp>().unwrap().as_millisecond();
        Calendar { zone: &zone, now_ms }.resolve(Some(&kind), op, &value)
    }

    fn one(zone: &str, now: &str, kind: FieldType, op: Op, value: Json) -> (Op, Json) {
        let mut resolved = resolve(zone, now, kind, op, value).unwrap().unwrap();
        assert!(!resolved.not && resolved.any.len() == 1);
        resolved.any.remove(0)
    }

    #[test]
    fn today_is_that_of_the_organisation() {
        // Half past midnight in Shanghai is still the day before in UTC and in New York.
        let now = "2026-11-21T16:30:00Z";
        let check = |zone: &str, expected: &str| {
            let found = one(zone, now, FieldType::Date, Op::Eq, json!("today"));
            assert_eq!(found, (Op::Eq, json!(expected)), "{zone}");
        };
        check("UTC", "2026-11-21");
        check("Asia/Shanghai", "2026-11-22");
        check("America/New_York", "2026-11-21");
        let month = one("Asia/Shanghai", now, FieldType::Time, Op::Eq, json!("this_month"));
        assert_eq!(month, (Op::Between, json!(["2026-10-31T16:00:00Z", "2026-11-30T15:59:59.999Z"])));
    }

    #[test]
    fn days_on_which_the_clock_changes_are_shorter_or_longer() {
        let day = |zone: &str, now: &str| one(zone, now, FieldType::Time, Op::Eq, json!("today")).1;
        // 23 hours and 25 hours.
        assert_eq!(
            day("Europe/Berlin", "2026-03-29T10:00:00Z"),
            json!(["2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999Z"])
        );
        assert_eq!(
            day("Europe/Berlin", "2026-10-25T10:00:00Z"),
            json!(["2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999Z"])
        );
        // Clocks went forward at midnight: the day began at one.
        assert_eq!(
            day("America/Sao_Paulo", "2018-11-04T12:00:00Z"),
            json!(["2018-11-04T03:00:00Z", "2018-11-05T01:59:59.999Z"])
        );
        // A day that never was: Samoa went over the date line.
        assert_eq!(
            day("Pacific/Apia", "2011-12-29T12:00:00Z"),
            json!(["2011-12-29T10:00:00Z", "2011-12-30T09:59:59.999Z"])
        );
    }

    #[test]
    fn a_period_compares_as_a_whole() {
        let now = "2026-11-22T12:00:00Z";
        let date = |op: Op, value: Json| one("UTC", now, FieldType::Date, op, value);
        assert_eq!(date(Op::Lt, json!("this_month")), (Op::Lt, json!("2026-11-01")));
        assert_eq!(date(Op::Lte, json!("this_month")), (Op::Lte, json!("2026-11-30")));
        assert_eq!(date(Op::Gt, json!("this_month")), (Op::Gt, json!("2026-11-30")));
        assert_eq!(date(Op::Gte, json!("this_month")), (Op::Gte, json!("2026-11-01")));
        assert_eq!(date(Op::Eq, json!("older_than_days:90")), (Op::Lte, json!("2026-08-23")));
        assert_eq!(
            date(Op::Between, json!(["last_month", "2026-11-05"])),
            (Op::Between, json!(["2026-10-01", "2026-11-05"]))
        );
        let time = |op: Op, value: Json| one("UTC", now, FieldType::Time, op, value);
        assert_eq!(time(Op::Lte, json!("2026-01-31")), (Op::Lte, json!("2026-01-31T23:59:59.999Z")));
        assert_eq!(time(Op::Gte, json!("2026-01-31")), (Op::Gte, json!("2026-01-31T00:00:00Z")));
        let ne = resolve("UTC", now, FieldType::Date, Op::Ne, json!("today")).unwrap().unwrap();
        assert_eq!(ne, Resolved { any: vec![(Op::Eq, json!("2026-11-22"))], not: true });
        let nin = resolve("UTC", now, FieldType::Date, Op::Nin, json!(["today", "2026-01-01", null]));
        let any = vec![(Op::Eq, json!("2026-11-22")), (Op::Eq, json!("2026-01-01")), (Op::Eq, Json::Null)];
        assert_eq!(nin.unwrap().unwrap(), Resolved { any, not: true });
    }

    #[test]
    fn what_names_no_period_is_left_alone() {
        let now = "2026-11-22T12:00:00Z";
        let none = |kind, op, value| assert_eq!(resolve("UTC", now, kind, op, value), Ok(None));
        none(FieldType::Date, Op::Eq, json!("2026-11-22"));
        none(FieldType::Date, Op::Eq, Json::Null);
        none(FieldType::Time, Op::Gt, json!("2026-11-22T00:00:00Z"));
        none(FieldType::Text { characters_max: 9 }, Op::Eq, json!("today"));
        none(FieldType::Date, Op::Null, json!(true));
    }

    #[test]
    fn a_wrong_period_is_named() {
        let now = "2026-11-22T12:00:00Z";
        let error = |op, value| resolve("UTC", now, FieldType::Date, op, value).unwrap_err();
        assert!(error(Op::Eq, json!("last_n_days:x")).en.contains("from 1 to 36500"));
        assert!(error(Op::Lt, json!("older_than_days:5")).zh_cn.contains("没有起点"));
        let between = json!(["older_than_days:5", "today"]);
        assert!(error(Op::Between, between).en.contains("has no beginning"));
    }
}
