//! Days that are said relative to today: `this_quarter`, `last_n_days:30`.

use jiff::Span;
use jiff::civil::Date;

use crate::{Text, bilingual};

/// A period relative to today, as a filter names one in the place of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelativeDate {
    /// The day so many days from today: `today`, `yesterday`, `tomorrow`.
    Day(i32),
    /// The period of a unit, so many of them from the current one: `last_week`, `this_quarter`, `next_year`.
    Unit(Bucket, i32),
    /// So many days, today being the last of them: `last_n_days:30`.
    LastDays(i32),
    /// So many days, today being the first of them: `next_n_days:7`.
    NextDays(i32),
    /// Every day before the one that many days ago: `older_than_days:90`.
    OlderThanDays(i32),
}

/// A stretch of the calendar: what dates are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// A day.
    Day,
    /// A week from Monday to Sunday (ISO 8601).
    Week,
    /// A month.
    Month,
    /// A quarter, the first one beginning with January.
    Quarter,
    /// A year.
    Year,
}

/// A range of days, both included. No first day means since ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first day; `None` where there is none.
    pub first: Option<Date>,
    /// The last day.
    pub last: Date,
}

/// How many days a relative date can name: a hundred years.
const DAYS_MAX: i32 = 36_500;

impl Bucket {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The bucket of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.name() == name)
    }

    /// The first day of the bucket that a day lies in. At the very beginning of the calendar a week may begin before it: then the day itself.
    pub fn first_day(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(Span::new().days(since_monday)).unwrap_or(day)
            }
            Self::Month => day.first_of_month(),
            Self::Quarter => {
                let month = (day.month() - 1) / 3 * 3 + 1;
                Date::new(day.year(), month, 1).unwrap_or(day)
            }
            Self::Year => day.first_of_year(),
        }
    }

    /// So many buckets as a span.
    fn span(self, count: i32) -> Span {
        let count = i64::from(count);
        match self {
            Self::Day => Span::new().days(count),
            Self::Week => Span::new().weeks(count),
            Self::Month => Span::new().months(count),
            Self::Quarter => Span::new().months(count * 3),
            Self::Year => Span::new().years(count),
        }
    }
}

impl RelativeDate {
    /// Reads `this_quarter` and the like; `None` for what is meant as none.
    ///
    /// # Errors
    /// What is wrong with the number of days.
    pub fn parse(text: &str) -> Option<Result<Self, Text>> {
        let plain = match text {
            "today" => Self::Day(0),
            "yesterday" => Self::Day(-1),
            "tomorrow" => Self::Day(1),
            _ => return Self::of_unit(text).map(Ok).or_else(|| Self::of_days(text)),
        };
        Some(Ok(plain))
    }

    fn of_unit(text: &str) -> Option<Self> {
        let (which, unit) = text.split_once('_')?;
        let unit = Bucket::of(unit).filter(|unit| *unit != Bucket::Day)?;
        let offset = match which {
            "last" => -1,
            "this" => 0,
            "next" => 1,
            _ => return None,
        };
        Some(Self::Unit(unit, offset))
    }

    fn of_days(text: &str) -> Option<Result<Self, Text>> {
        let (name, days) = text.split_once(':').unwrap_or((text, ""));
        let make: fn(i32) -> Self = match name {
            "last_n_days" => Self::LastDays,
            "next_n_days" => Self::NextDays,
            "older_than_days" => Self::OlderThanDays,
            _ => return None,
        };
        let days = days.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days));
        Some(days.map(make).ok_or_else(|| {
            bilingual!(
                "`{name}` takes a number of days from 1 to {DAYS_MAX}, such as `{name}:30`",
                "`{name}` 需要 1 到 {DAYS_MAX} 的天数，例如 `{name}:30`"
            )
        }))
    }

    /// The days that it means; `None` beyond the end of the calendar.
    pub fn period(self, today: Date) -> Option<Period> {
        let days_from = |days: i32| today.checked_add(Span::new().days(i64::from(days))).ok();
        Some(match self {
            Self::Day(days) => Period::of_day(days_from(days)?),
            Self::Unit(unit, offset) => {
                let first = unit.first_day(today).checked_add(unit.span(offset)).ok()?;
                let last = first.checked_add(unit.span(1)).ok()?.yesterday().ok()?;
                Period { first: Some(first), last }
            }
            Self::LastDays(days) => Period { first: Some(days_from(1 - days)?), last: today },
            Self::NextDays(days) => Period { first: Some(today), last: days_from(days - 1)? },
            Self::OlderThanDays(days) => Period { first: None, last: days_from(-days - 1)? },
        })
    }
}

impl Period {
    /// One day.
    pub fn of_day(day: Date) -> Self {
        Self { first: Some(day), last: day }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(today: &str, text: &str, first: &str, last: &str) {
        let period = RelativeDate::parse(text).unwrap().unwrap().period(today.parse().unwrap()).unwrap();
        let shown = |date: Option<Date>| date.map_or_else(|| "-".to_owned(), |date| date.to_string());
        assert_eq!((shown(period.first), period.last.to_string()), (first.into(), last.into()), "{text}");
    }

    #[test]
    fn relative_dates_are_periods_of_whole_days() {
        // A Sunday, the last day of its ISO week.
        let sunday = "2026-11-22";
        check(sunday, "today", "2026-11-22", "2026-11-22");
        check(sunday, "yesterday", "2026-11-21", "2026-11-21");
        check(sunday, "tomorrow", "2026-11-23", "2026-11-23");
        check(sunday, "this_week", "2026-11-16", "2026-11-22");
        check(sunday, "last_week", "2026-11-09", "2026-11-15");
        check(sunday, "next_week", "2026-11-23", "2026-11-29");
        check(sunday, "this_month", "2026-11-01", "2026-11-30");
        check(sunday, "last_month", "2026-10-01", "2026-10-31");
        check(sunday, "next_month", "2026-12-01", "2026-12-31");
        check(sunday, "this_quarter", "2026-10-01", "2026-12-31");
        check(sunday, "last_quarter", "2026-07-01", "2026-09-30");
        check(sunday, "next_quarter", "2027-01-01", "2027-03-31");
        check(sunday, "this_year", "2026-01-01", "2026-12-31");
        check(sunday, "last_year", "2025-01-01", "2025-12-31");
        check(sunday, "next_year", "2027-01-01", "2027-12-31");
        check(sunday, "last_n_days:1", "2026-11-22", "2026-11-22");
        check(sunday, "last_n_days:30", "2026-10-24", "2026-11-22");
        check(sunday, "next_n_days:7", "2026-11-22", "2026-11-28");
        check(sunday, "older_than_days:90", "-", "2026-08-23");
    }

    #[test]
    fn months_of_different_lengths_and_leap_days_are_kept_apart() {
        check("2024-03-31", "last_month", "2024-02-01", "2024-02-29");
        check("2026-01-31", "next_month", "2026-02-01", "2026-02-28");
        check("2024-02-29", "last_year", "2023-01-01", "2023-12-31");
        check("2026-12-31", "next_quarter", "2027-01-01", "2027-03-31");
        // ISO: the first of January 2027 belongs to a week that began in December.
        check("2027-01-01", "this_week", "2026-12-28", "2027-01-03");
    }

    #[test]
    fn what_is_no_relative_date_is_told_from_what_is_a_wrong_one() {
        for text in ["2026-11-22", "this_wek", "this_day", "TODAY", "", "next"] {
            assert!(RelativeDate::parse(text).is_none(), "{text}");
        }
        for text in ["last_n_days", "last_n_days:", "last_n_days:0", "next_n_days:36501", "older_than_days:x"]
        {
            let error = RelativeDate::parse(text).unwrap().unwrap_err();
            assert!(error.en.contains("takes a number of days from 1 to 36500"), "{text}: {}", error.en);
        }
    }

    #[test]
    fn the_end_of_the_calendar_is_no_panic() {
        let last: Date = "9999-12-31".parse().unwrap();
        assert_eq!(RelativeDate::Day(1).period(last), None);
        assert_eq!(RelativeDate::Unit(Bucket::Year, 0).period(last), None);
        assert_eq!(Bucket::Week.first_day(Date::MIN), Date::MIN);
    }
}
