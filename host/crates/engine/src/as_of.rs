//! "As of" in the forms in which it is stored and passed to plugins.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use trellis_columns::AsOf;

const EPOCH: Date = Date::constant(1970, 1, 1);

pub(crate) fn days(date: Date) -> i32 {
    EPOCH.until(date).map_or(0, |span| span.get_days())
}

pub(crate) fn to_days(as_of: AsOf) -> Option<i32> {
    match as_of {
        AsOf::Now => None,
        AsOf::Date(date) => Some(days(date)),
    }
}

pub(crate) fn from_days(stored: Option<i32>) -> AsOf {
    stored.and_then(|days| EPOCH.checked_add(days.days()).ok()).map_or(AsOf::Now, AsOf::Date)
}

/// The day that a plugin is told: the fixed one, or today in the organisation's time zone.
pub(crate) fn day(as_of: AsOf, now_ms: i64, time_zone: &TimeZone) -> i32 {
    match as_of {
        AsOf::Date(date) => days(date),
        AsOf::Now => {
            let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
            days(now.to_zoned(time_zone.clone()).date())
        }
    }
}

/// As the API writes it: a date or `now`.
pub(crate) fn text(as_of: AsOf) -> String {
    match as_of {
        AsOf::Now => "now".to_owned(),
        AsOf::Date(date) => date.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_being_stored() {
        for date in ["1997-09-30", "1970-01-01", "1969-12-31", "2026-11-21"] {
            let as_of = AsOf::Date(date.parse().unwrap());
            assert_eq!(from_days(to_days(as_of)), as_of, "{date}");
            assert_eq!(text(as_of), date);
        }
        assert_eq!(from_days(to_days(AsOf::Now)), AsOf::Now);
        assert_eq!(days("1997-09-30".parse().unwrap()), 10_134);
    }

    #[test]
    fn today_is_the_day_of_the_organisations_time_zone() {
        let now_ms = "1997-09-30T20:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(day(AsOf::Now, now_ms, &TimeZone::UTC), 10_134);
        let east = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(day(AsOf::Now, now_ms, &east), 10_135);
    }
}
