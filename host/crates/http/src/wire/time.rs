use jiff::Timestamp;

/// A moment as the API writes it: RFC 3339 in UTC with `Z`. `None` for what no calendar has.
pub(crate) fn timestamp(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}

/// Reads RFC 3339.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_end_in_z() {
        assert_eq!(timestamp(0).unwrap().to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(parse_time("2026-11-21T20:48:00.125+08:00"), Some(1_795_265_280_125));
        assert_eq!(parse_time("yesterday"), None);
    }
}
