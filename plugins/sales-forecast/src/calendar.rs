//! Days and the periods that they fall into.

use jiff::civil::Date;
use serde::Deserialize;

/// The first and last day that a calendar has, in days since 1970-01-01.
const DAYS: std::ops::RangeInclusive<i32> = -4_371_587..=2_932_896;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    #[default]
    Month,
    /// Three calendar months.
    Quarter,
    /// A calendar year.
    Year,
}

impl Grain {
    /// The number of the period that `day` lies in; neighbouring periods have neighbouring numbers.
    pub fn period_of(self, day: i32) -> i32 {
        let date = date(day);
        let (year, month) = (i32::from(date.year()), i32::from(date.month()) - 1);
        match self {
            // 1970-01-01 was a Thursday.
            Self::Week => (day.clamp(*DAYS.start(), *DAYS.end()) + 3).div_euclid(7),
            Self::Month => year * 12 + month,
            Self::Quarter => year * 4 + month / 3,
            Self::Year => year,
        }
    }

    /// The first day of a period.
    pub fn first_day(self, period: i32) -> i32 {
        match self {
            Self::Week => period * 7 - 3,
            Self::Month => first_of_month(period),
            Self::Quarter => first_of_month(period * 3),
            Self::Year => first_of_month(period * 12),
        }
    }

    /// The last day of a period.
    pub fn last_day(self, period: i32) -> i32 {
        self.first_day(period + 1) - 1
    }

    /// What people call a period, in every language: `2017-03`, `2017-Q1`, `2017`, and the Monday of a week.
    pub fn label(self, period: i32) -> String {
        let date = date(self.first_day(period));
        match self {
            Self::Week => date.to_string(),
            Self::Month => format!("{:04}-{:02}", date.year(), date.month()),
            Self::Quarter => format!("{:04}-Q{}", date.year(), (date.month() + 2) / 3),
            Self::Year => format!("{:04}", date.year()),
        }
    }

    /// How many periods make a season that repeats: a year.
    pub fn season(self) -> usize {
        match self {
            Self::Week => 52,
            Self::Month => 12,
            Self::Quarter => 4,
            Self::Year => 1,
        }
    }

    /// English and Chinese, for one and for several.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Week => ("weeks", "周"),
            Self::Month => ("months", "个月"),
            Self::Quarter => ("quarters", "个季度"),
            Self::Year => ("years", "年"),
        }
    }
}

/// The day that a week begins with, in the order in which they follow Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// As ISO 8601 has it.
    #[default]
    Monday,
    /// One day later.
    Tuesday,
    /// Two days later.
    Wednesday,
    /// Three days later.
    Thursday,
    /// Four days later.
    Friday,
    /// Five days later.
    Saturday,
    /// Six days later: the day before a Monday.
    Sunday,
}

/// How time is divided: a [`Grain`] whose weeks may begin with another day than a Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Periods {
    /// How long they are.
    pub grain: Grain,
    /// What weeks begin with; of no meaning for other periods.
    pub week_starts_on: Weekday,
}

impl Periods {
    /// See [`Grain::period_of`].
    pub fn period_of(self, day: i32) -> i32 {
        self.grain.period_of(day.saturating_sub(self.shift()))
    }

    /// See [`Grain::last_day`].
    pub fn last_day(self, period: i32) -> i32 {
        self.grain.last_day(period).saturating_add(self.shift())
    }

    /// See [`Grain::label`]; a week is called by the day that it begins with.
    pub fn label(self, period: i32) -> String {
        match self.grain {
            Grain::Week => written(self.grain.first_day(period).saturating_add(self.shift())),
            grain => grain.label(period),
        }
    }

    /// By how many days periods begin later than those of the grain.
    fn shift(self) -> i32 {
        match self.grain {
            Grain::Week => self.week_starts_on as i32,
            Grain::Month | Grain::Quarter | Grain::Year => 0,
        }
    }
}

/// A day as people write it.
pub(crate) fn written(day: i32) -> String {
    date(day).to_string()
}

/// A day that no calendar has is the nearest that it has.
fn date(day: i32) -> Date {
    let day = day.clamp(*DAYS.start(), *DAYS.end());
    jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(day))
}

/// The first day of a month that is counted from the year 0.
fn first_of_month(months: i32) -> i32 {
    let year = i16::try_from(months.div_euclid(12)).unwrap_or(i16::MAX).clamp(-9_999, 9_999);
    let month = i8::try_from(months.rem_euclid(12) + 1).expect("a month is at most 12");
    let first = jiff::civil::date(year, month, 1);
    let since = first.since(jiff::civil::date(1970, 1, 1));
    since.map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trellis_sdk::testing::day;

    use super::*;

    #[test]
    fn periods_are_called_as_people_call_them() {
        for (grain, date, label, first, last) in [
            (Grain::Week, "2017-03-12", "2017-03-06", "2017-03-06", "2017-03-12"),
            (Grain::Month, "2016-02-29", "2016-02", "2016-02-01", "2016-02-29"),
            (Grain::Quarter, "2017-12-31", "2017-Q4", "2017-10-01", "2017-12-31"),
            (Grain::Year, "1969-07-20", "1969", "1969-01-01", "1969-12-31"),
        ] {
            let period = grain.period_of(day(date));
            let days = (grain.first_day(period), grain.last_day(period));
            assert_eq!((grain.label(period).as_str(), days), (label, (day(first), day(last))), "{date}");
        }
        assert_eq!(written(i32::MAX), "9999-12-31");
    }

    #[test]
    fn a_week_begins_with_the_day_that_was_chosen() {
        let weeks = |week_starts_on| Periods { grain: Grain::Week, week_starts_on };
        for (start, date, label, last) in [
            (Weekday::Monday, "1997-01-01", "1996-12-30", "1997-01-05"),
            (Weekday::Wednesday, "1997-01-01", "1997-01-01", "1997-01-07"),
            (Weekday::Wednesday, "1997-01-07", "1997-01-01", "1997-01-07"),
            (Weekday::Sunday, "1997-01-04", "1996-12-29", "1997-01-04"),
            (Weekday::Sunday, "1997-01-05", "1997-01-05", "1997-01-11"),
        ] {
            let week = weeks(start).period_of(day(date));
            assert_eq!(
                (weeks(start).label(week).as_str(), weeks(start).last_day(week)),
                (label, day(last)),
                "{date}"
            );
        }
        let months = Periods { grain: Grain::Month, week_starts_on: Weekday::Sunday };
        assert_eq!(months.label(months.period_of(day("2026-06-30"))), "2026-06");
    }

    proptest! {
        #[test]
        fn every_day_lies_in_its_period(day in -700_000..2_900_000_i32) {
            for grain in [Grain::Week, Grain::Month, Grain::Quarter, Grain::Year] {
                let period = grain.period_of(day);
                prop_assert!((grain.first_day(period)..=grain.last_day(period)).contains(&day));
            }
        }
    }
}
