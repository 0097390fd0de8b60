//! Days and moments in scripts.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use rhai::{Dynamic, Engine, ImmutableString};
use trellis_model::{Expected, Text, bilingual};

use super::compare::{Evaluated, comparisons, mixed, written};
use super::describe;
use crate::call;
use crate::error::Fault;

/// A day, in scripts `Date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateValue(pub(crate) Date);

/// A moment to the millisecond, in scripts `Time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeValue(pub(crate) Timestamp);

impl DateValue {
    /// The day, if a field can hold it.
    pub(crate) fn checked(self) -> Result<Date, Text> {
        match self.0.year() {
            0.. => Ok(self.0),
            _ => Err(bilingual!("the year of a day is 0 to 9999", "日期的年份应在 0 到 9999 之间")),
        }
    }
}

impl TimeValue {
    /// The moment of a count of milliseconds since 1970.
    pub(crate) fn of_ms(ms: i64) -> Result<Self, Fault> {
        Timestamp::from_millisecond(ms).map(Self).map_err(|_| beyond_calendar())
    }
}

fn beyond_calendar() -> Fault {
    Fault::runtime(bilingual!("the result is beyond the calendar", "结果超出日历范围"))
}

fn expected(what: Expected, found: &Dynamic) -> Fault {
    let (found, what) = (describe(found), what.text());
    Fault::value(Text::new(
        format!("`{found}` is not {}", what.en),
        format!("`{found}` 无效，应为{}", what.zh_cn),
    ))
}

fn parse_date(text: &ImmutableString) -> Result<DateValue, Fault> {
    let date = text.parse().ok().filter(|_| text.len() == 10).map(DateValue);
    date.ok_or_else(|| expected(Expected::Date, &text.clone().into()))
}

fn parse_time(text: &ImmutableString) -> Result<TimeValue, Fault> {
    let wrong = || expected(Expected::Time, &text.clone().into());
    let time: Timestamp = text.parse().map_err(|_| wrong())?;
    TimeValue::of_ms(time.as_millisecond())
}

/// The day of a date, a time (in the organisation's time zone) or a text.
fn to_date(value: &Dynamic) -> Evaluated<DateValue> {
    if let Some(date) = value.read_lock::<DateValue>() {
        return Ok(*date);
    }
    if let Some(time) = value.read_lock::<TimeValue>() {
        let moment = time.0;
        return call::with(|call| Ok(DateValue(moment.to_zoned(call.time_zone.clone()).date())));
    }
    let text = value.as_immutable_string_ref().map_err(|_| expected(Expected::Date, value))?;
    Ok(parse_date(&text)?)
}

fn days_from(from: DateValue, to: DateValue) -> i64 {
    from.0.until(to.0).map_or(0, |span| i64::from(span.get_days()))
}

fn date_plus(date: DateValue, days: i64) -> Evaluated<DateValue> {
    let span = Span::new().try_days(days).map_err(|_| beyond_calendar())?;
    Ok(date.0.checked_add(span).map(DateValue).map_err(|_| beyond_calendar())?)
}

fn time_plus(time: TimeValue, ms: i64) -> Evaluated<TimeValue> {
    let moved = time.0.checked_add(SignedDuration::from_millis(ms)).map_err(|_| beyond_calendar())?;
    Ok(TimeValue(moved))
}

/// When a timer is due: a time, or the first moment of a day in the organisation's time zone.
pub(crate) fn due_ms(value: &Dynamic) -> Evaluated<i64> {
    if let Some(time) = value.read_lock::<TimeValue>() {
        return Ok(time.0.as_millisecond());
    }
    let date = value.read_lock::<DateValue>().map(|date| *date);
    let date = date.ok_or_else(|| expected(Expected::Time, value))?;
    call::with(|call| {
        let start = date.0.to_zoned(call.time_zone.clone()).map_err(|_| beyond_calendar())?;
        Ok(start.timestamp().as_millisecond())
    })
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<DateValue>("Date").register_type_with_name::<TimeValue>("Time");
    register_dates(engine);
    register_times(engine);
    engine.register_fn("today", || call::with(|call| call.today()));
    engine.register_fn("now", || call::with(|call| TimeValue::of_ms(call.now_ms)));
    engine.register_fn("date", |value: Dynamic| to_date(&value));
    engine.register_fn("time", |text: ImmutableString| Ok::<_, Box<rhai::EvalAltResult>>(parse_time(&text)?));
    engine.register_fn("days_between", |from: Dynamic, to: Dynamic| {
        Ok::<_, Box<rhai::EvalAltResult>>(days_from(to_date(&from)?, to_date(&to)?))
    });
    for (name, ms) in [("minutes", 60_000_i64), ("hours", 3_600_000)] {
        engine.register_fn(name, move |count: i64| {
            Ok::<_, Box<rhai::EvalAltResult>>(count.checked_mul(ms).ok_or_else(beyond_calendar)?)
        });
    }
}

fn register_dates(engine: &mut Engine) {
    comparisons(engine, |a: &DateValue, b: &DateValue| Ok(a.0.cmp(&b.0)));
    mixed(engine, |a: &DateValue, b: &ImmutableString| Ok(a.0.cmp(&parse_date(b)?.0)));
    mixed(engine, |a: &DateValue, b: &TimeValue| Ok(a.0.cmp(&to_date(&Dynamic::from(*b))?.0)));
    written(engine, |date: &DateValue| date.0.to_string());
    engine.register_fn("+", date_plus);
    engine.register_fn("+", |days: i64, date: DateValue| date_plus(date, days));
    engine.register_fn("-", |date: DateValue, days: i64| {
        days.checked_neg().ok_or_else(|| beyond_calendar().into()).and_then(|days| date_plus(date, days))
    });
    engine.register_fn("-", |to: DateValue, from: DateValue| days_from(from, to));
    engine.register_get("year", |date: &mut DateValue| i64::from(date.0.year()));
    engine.register_get("month", |date: &mut DateValue| i64::from(date.0.month()));
    engine.register_get("day", |date: &mut DateValue| i64::from(date.0.day()));
    engine.register_get("weekday", |date: &mut DateValue| i64::from(date.0.weekday().to_monday_one_offset()));
}

fn register_times(engine: &mut Engine) {
    comparisons(engine, |a: &TimeValue, b: &TimeValue| Ok(a.0.cmp(&b.0)));
    mixed(engine, |a: &TimeValue, b: &ImmutableString| Ok(a.0.cmp(&parse_time(b)?.0)));
    written(engine, |time: &TimeValue| time.0.to_string());
    engine.register_fn("+", time_plus);
    engine.register_fn("+", |ms: i64, time: TimeValue| time_plus(time, ms));
    engine.register_fn("-", |time: TimeValue, ms: i64| {
        ms.checked_neg().ok_or_else(|| beyond_calendar().into()).and_then(|ms| time_plus(time, ms))
    });
    engine.register_fn("-", |to: TimeValue, from: TimeValue| to.0.as_millisecond() - from.0.as_millisecond());
    engine.register_get("hour", |time: &mut TimeValue| zoned(*time, |zoned| i64::from(zoned.hour())));
    engine.register_get("minute", |time: &mut TimeValue| zoned(*time, |zoned| i64::from(zoned.minute())));
}

fn zoned(time: TimeValue, part: fn(&jiff::Zoned) -> i64) -> Evaluated<i64> {
    call::with(|call| Ok(part(&time.0.to_zoned(call.time_zone.clone()))))
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn the_calendar_has_edges() {
        let last = DateValue(Date::MAX);
        assert!(date_plus(last, 1).is_err());
        assert!(date_plus(last, i64::MAX).is_err());
        assert_eq!(date_plus(last, -1).unwrap().0, Date::MAX.checked_sub(1.day()).unwrap());
        assert!(DateValue(Date::MIN).checked().is_err());
        assert!(time_plus(TimeValue(Timestamp::MAX), i64::MAX).is_err());
    }
}
