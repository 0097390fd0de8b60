//! Which moments count.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use trellis_model::Value;

use super::spec::Window;

/// The first and the last moment that counts, in the unit of a time field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) from: i64,
    pub(super) until: i64,
}

/// How the values of a time field are laid out on days.
#[derive(Debug, Clone)]
pub(super) enum Clock {
    /// They are days since 1970-01-01.
    Days,
    /// They are milliseconds, whose days are those of a time zone.
    Moments(TimeZone),
}

impl Bounds {
    /// Where no time counts.
    pub(super) const EVERYTHING: Self = Self { from: i64::MIN, until: i64::MAX };
    const NOTHING: Self = Self { from: i64::MAX, until: i64::MIN };

    /// The bounds of a window as of a day. A window that lies before the calendar's first day has nothing in it.
    pub(super) fn of(window: Window, as_of: Date, clock: &Clock) -> Self {
        let back = |date: Date, days: u32| date.checked_sub(Span::new().try_days(i64::from(days)).ok()?).ok();
        let Some(last) = back(as_of, window.until_days_ago) else { return Self::NOTHING };
        let first = match window.within_days {
            None => None,
            Some(0) => return Self::NOTHING,
            // Beyond the first day of the calendar there is nothing to leave out.
            Some(days) => back(last, days - 1),
        };
        let from = first.and_then(|first| clock.start(first)).unwrap_or(i64::MIN);
        let after = last.tomorrow().ok().and_then(|day| clock.start(day));
        Self { from, until: after.map_or(i64::MAX, |after| after - 1) }
    }
}

impl Clock {
    /// The first moment of a day.
    fn start(&self, day: Date) -> Option<i64> {
        match self {
            Self::Days => Some(i64::from(Value::days_of(day))),
            Self::Moments(zone) => Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond()),
        }
    }

    /// The day of a moment; the first or last one there is where it is beyond the calendar.
    pub(super) fn day(&self, moment: i64) -> i32 {
        match self {
            Self::Days => i32::try_from(moment).unwrap_or(if moment < 0 { i32::MIN } else { i32::MAX }),
            Self::Moments(zone) => match Timestamp::from_millisecond(moment) {
                Ok(time) => Value::days_of(time.to_zoned(zone.clone()).date()),
                Err(_) if moment < 0 => i32::MIN,
                Err(_) => i32::MAX,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_window_is_so_many_days_and_ends_so_many_days_ago() {
        let check = |within_days, until_days_ago, expected: (i64, i64)| {
            let bounds = Bounds::of(Window { within_days, until_days_ago }, date(1970, 4, 11), &Clock::Days);
            assert_eq!((bounds.from, bounds.until), expected);
        };
        check(None, 0, (i64::MIN, 100));
        check(Some(1), 0, (100, 100));
        check(Some(90), 0, (11, 100));
        check(None, 90, (i64::MIN, 10));
        check(Some(10), 90, (1, 10));
        check(Some(u32::MAX), 0, (i64::MIN, 100));
        check(Some(0), 0, (i64::MAX, i64::MIN));
        check(None, u32::MAX, (i64::MAX, i64::MIN));
    }

    #[test]
    fn moments_are_of_the_days_of_the_time_zone() {
        let clock = Clock::Moments(TimeZone::get("Asia/Shanghai").unwrap());
        let window = Window { within_days: Some(2), until_days_ago: 1 };
        let bounds = Bounds::of(window, date(2024, 3, 3), &clock);
        let moment = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(bounds.from, moment("2024-02-29T16:00:00Z"));
        assert_eq!(bounds.until, moment("2024-03-02T16:00:00Z") - 1);
        assert_eq!(clock.day(bounds.from), Value::days_of(date(2024, 3, 1)));
        assert_eq!(clock.day(bounds.until), Value::days_of(date(2024, 3, 2)));
    }
}
