//! How good a record is: complete, valid, fresh. Worked out when it is asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use phonenumber::country;
use trellis_model::{FieldDefinition, FieldId, FieldName, ObjectDefinition, Record, TextFormat, Value};

use crate::{Clock, Records};

const DAY_MS: i64 = 86_400_000;

/// The quality of a record, in shares of 0 to 100.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordQuality {
    /// The mean of the three others, rounded.
    pub score: u8,
    /// How many of the fields that a complete record has are there.
    pub complete: u8,
    /// How many of the e-mail addresses, telephone numbers and web addresses that are there look like such.
    pub valid: u8,
    /// 100 up to the object's days after the last change, then less each day, 0 after twice as many.
    pub fresh: u8,
    /// The fields that do not look like what they should be.
    pub invalid: Vec<FieldName>,
}

/// What a path `quality.…` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Score,
    Complete,
    Valid,
    Fresh,
}

/// What makes a record of an object good, ready to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Measure {
    complete: Vec<FieldId>,
    /// Texts that mean something, with what they mean.
    formats: Vec<(FieldId, FieldName, TextFormat)>,
    fresh_days: i64,
    /// A text whose two letters are a country, which telephone numbers without one are of.
    country: Option<FieldId>,
    clock: Arc<dyn Clock>,
}

impl Share {
    /// The share of a name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "score" => Some(Self::Score),
            "complete" => Some(Self::Complete),
            "valid" => Some(Self::Valid),
            "fresh" => Some(Self::Fresh),
            _ => None,
        }
    }
}

impl Measure {
    /// That of an object; `None` where its definition says nothing about quality.
    pub(crate) fn of(object: &ObjectDefinition, clock: &Arc<dyn Clock>) -> Option<Self> {
        let quality = object.quality.as_ref()?;
        let stored = |field: &&FieldDefinition| field.computed.is_none();
        let complete = quality.fields.iter().filter_map(|name| object.field(name.as_str())).filter(stored);
        let formats = object.fields.iter().filter(stored).filter_map(|field| {
            let format = field.format.filter(|format| *format != TextFormat::Name)?;
            Some((field.id, field.name.clone(), format))
        });
        Some(Self {
            complete: complete.map(|field| field.id).collect(),
            formats: formats.collect(),
            fresh_days: i64::from(quality.fresh_days),
            country: object.field("country").map(|field| field.id),
            clock: Arc::clone(clock),
        })
    }

    /// The fields that it looks at.
    pub(crate) fn add_fields(&self, fields: &mut BTreeSet<FieldId>) {
        fields.extend(self.complete.iter().chain(&self.country));
        fields.extend(self.formats.iter().map(|(field, ..)| *field));
    }

    fn complete(&self, record: &Record) -> u8 {
        let there = self.complete.iter().filter(|field| record.fields.contains_key(field)).count();
        share(there, self.complete.len())
    }

    fn invalid<'m>(&'m self, record: &'m Record) -> impl Iterator<Item = &'m FieldName> {
        let text = |field: &FieldId| match record.fields.get(field) {
            Some(Value::Text(text) | Value::Choice(text)) => Some(text.as_str()),
            _ => None,
        };
        let home =
            self.country.as_ref().and_then(text).and_then(|code| code.to_ascii_uppercase().parse().ok());
        self.formats.iter().filter_map(move |(field, name, format)| {
            let looks_right = text(field).is_none_or(|text| match format {
                TextFormat::Email => is_email(text),
                TextFormat::Phone => is_phone(text, home),
                TextFormat::Url => is_url(text),
                TextFormat::Name => true,
            });
            (!looks_right).then_some(name)
        })
    }

    fn valid(&self, record: &Record) -> u8 {
        let there = self.formats.iter().filter(|(field, ..)| record.fields.contains_key(field)).count();
        share(there.saturating_sub(self.invalid(record).count()), there)
    }

    fn fresh(&self, record: &Record) -> u8 {
        let days = (self.clock.now_ms() - record.updated_at_ms) / DAY_MS;
        let left = (2 * self.fresh_days - days).clamp(0, self.fresh_days);
        share(usize::try_from(left).unwrap_or(0), usize::try_from(self.fresh_days).unwrap_or(0))
    }

    /// One of the shares.
    pub(crate) fn share(&self, share: Share, record: &Record) -> u8 {
        match share {
            Share::Complete => self.complete(record),
            Share::Valid => self.valid(record),
            Share::Fresh => self.fresh(record),
            Share::Score => mean(self.complete(record), self.valid(record), self.fresh(record)),
        }
    }
}

/// The share in percent, rounded; 100 of nothing.
fn share(part: usize, whole: usize) -> u8 {
    if whole == 0 {
        return 100;
    }
    u8::try_from((part * 200 + whole) / (whole * 2)).unwrap_or(100)
}

fn mean(complete: u8, valid: u8, fresh: u8) -> u8 {
    let sum = u16::from(complete) + u16::from(valid) + u16::from(fresh);
    u8::try_from((sum * 2 + 3) / 6).unwrap_or(100)
}

/// One `@`, something before it, a domain of several labels after it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |text: &str| text.chars().all(|sign| !sign.is_whitespace() && !sign.is_control());
    let dotted = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    (1..=64).contains(&local.len()) && plain(local) && dotted && text.len() <= 254 && is_domain(domain)
}

/// Labels of letters, digits and hyphens with dots between them; the last begins with no digit.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|sign| sign.is_alphanumeric() || sign == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(label)
        && !last.starts_with(|sign: char| sign.is_ascii_digit())
}

/// A number that its country's plan allows. Without `+` it is of the record's country, or of China where that is not known.
fn is_phone(text: &str, home: Option<country::Id>) -> bool {
    // The parser's work grows with the text; no number is this long.
    text.len() <= 40
        && phonenumber::parse(Some(home.unwrap_or(country::Id::CN)), text)
            .is_ok_and(|number| number.is_valid())
}

/// `http` or `https`, then a host.
fn is_url(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let (host, port) = host.split_once(':').unwrap_or((host, "80"));
    port.parse::<u16>().is_ok()
        && (is_domain(host) || host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok())
        && !text.contains(char::is_whitespace)
}

impl Records {
    /// How good a record is; `None` where its object's definition says nothing about that.
    pub fn quality(&self, object: &ObjectDefinition, record: &Record) -> Option<RecordQuality> {
        let measure = Measure::of(object, self.clock())?;
        let (complete, valid, fresh) =
            (measure.complete(record), measure.valid(record), measure.fresh(record));
        let invalid = measure.invalid(record).cloned().collect();
        Some(RecordQuality { score: mean(complete, valid, fresh), complete, valid, fresh, invalid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_from_what_only_looks_like_them() {
        let check = |is: fn(&str) -> bool, good: &[&str], bad: &[&str]| {
            good.iter().for_each(|text| assert!(is(text), "{text}"));
            bad.iter().for_each(|text| assert!(!is(text), "{text}"));
        };
        check(
            is_email,
            &["a@b.cn", "first.last+tag@sub.example.com", "王@例子.中国"],
            &["", "a", "@b.cn", "a@", "a@b", "a b@c.cn", "a@b@c.cn", ".a@b.cn", "a@-b.cn", "a@1.2.3.4"],
        );
        check(
            is_url,
            &["https://example.com", "HTTP://example.com:8080/x?y=1", "http://localhost/", "http://10.0.0.1"],
            &["", "example.com", "ftp://example.com", "https://", "https://a b.cn", "https://x.cn:99999"],
        );
        let phone = |text: &str| is_phone(text, None);
        check(
            phone,
            &["13912345678", "+8613912345678", "010-62770334", "+1 212-555-2368"],
            &["", "12", "abc", "+86 1"],
        );
        assert!(is_phone("(212) 555-2368", Some(country::Id::US)));
        assert!(!is_phone("13912345678", Some(country::Id::US)));
    }

    #[test]
    fn shares_are_rounded() {
        assert_eq!(
            [share(0, 0), share(1, 3), share(2, 3), share(1, 200), share(3, 3)],
            [100, 33, 67, 1, 100]
        );
        assert_eq!([mean(0, 0, 0), mean(100, 100, 99), mean(50, 50, 51), mean(33, 34, 34)], [0, 100, 50, 34]);
    }
}
