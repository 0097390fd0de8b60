//! How alike two values are.

use rapidfuzz::distance::jaro_winkler;
use trellis_model::{MatchMethod, Value};

use super::person::Person;
use super::phone::{self, Country};
use super::{company, normalise};

/// A value with the country of its record, for what a telephone number means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compared<'a> {
    /// The value.
    pub(crate) value: &'a Value,
    /// The country.
    pub(crate) country: Country,
}

/// How alike two values are by a method: 0 not at all, 1 the same. All methods but `fuzzy` answer only these two.
pub(crate) fn similarity(method: MatchMethod, one: Compared<'_>, other: Compared<'_>) -> f64 {
    if method == MatchMethod::Exact {
        return f64::from(one.value == other.value);
    }
    let (a, b) = (one.value.canonical(), other.value.canonical());
    let same = |of: fn(&str) -> String| {
        let (a, b) = (of(&a), of(&b));
        !a.is_empty() && a == b
    };
    match method {
        MatchMethod::Exact => unreachable!("answered above"),
        MatchMethod::Normalised => f64::from(same(normalise::letters)),
        MatchMethod::Company => f64::from(same(company::name)),
        MatchMethod::Person => f64::from(Person::new(&a).is(&Person::new(&b))),
        MatchMethod::Phone => {
            let number = phone::e164(&a, one.country);
            f64::from(number.is_some() && number == phone::e164(&b, other.country))
        }
        MatchMethod::Fuzzy => fuzzy(&normalise::spaced(&a), &normalise::spaced(&b)),
    }
}

/// Jaro-Winkler similarity: a common beginning of up to four letters counts where the similarity is above 0.7.
fn fuzzy(a: &str, b: &str) -> f64 {
    if a.is_empty() || b.is_empty() { 0.0 } else { jaro_winkler::similarity(a.chars(), b.chars()) }
}

/// What records are found by that may be alike by a method; equal for all that it calls the same. `None` for a value that says nothing.
pub(crate) fn block(method: MatchMethod, value: &Value) -> Option<String> {
    let text = value.canonical();
    let block = match method {
        MatchMethod::Exact => text,
        MatchMethod::Normalised | MatchMethod::Fuzzy => normalise::letters(&text),
        MatchMethod::Company => company::name(&text),
        MatchMethod::Person => Person::new(&text).letters(),
        MatchMethod::Phone => return phone::last_digits(&text),
    };
    (!block.is_empty()).then_some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(method: MatchMethod, a: &str, b: &str) -> f64 {
        let (a, b, country) = (Value::Text(a.into()), Value::Text(b.into()), Country::new("CN").unwrap());
        similarity(method, Compared { value: &a, country }, Compared { value: &b, country })
    }

    #[test]
    fn fuzzy_is_jaro_winkler_with_a_boost_above_seven_tenths_only() {
        let near = |a: &str, b: &str, expected: f64| {
            let found = alike(MatchMethod::Fuzzy, a, b);
            assert!((found - expected).abs() < 1e-6, "{a} {b}: {found}");
        };
        near("MARTHA", "marhta", 0.961_111);
        near("dixon", "dicksonx", 0.813_333);
        near("dwayne", "duane", 0.84);
        // Jaro 0.611 is not boosted for the two letters in common.
        near("abcdef", "abxyzw", 0.555_556);
        near("", "", 0.0);
        near("a", "---", 0.0);
    }

    #[test]
    fn what_is_the_same_has_the_same_block() {
        let pairs = [
            (MatchMethod::Exact, "A b", "A b"),
            (MatchMethod::Normalised, "Müller, K.", "muller k"),
            (MatchMethod::Company, "华为技术有限公司", "华为技术（深圳）有限责任公司"),
            (MatchMethod::Person, "张伟", "Wei ZHANG"),
            (MatchMethod::Phone, "138 0013 8000", "+86-13800138000"),
            (MatchMethod::Fuzzy, "Herschell Circuit", "herschell circuit"),
        ];
        for (method, a, b) in pairs {
            assert_eq!(alike(method, a, b), 1.0, "{method:?}");
            let block = |text: &str| super::block(method, &Value::Text(text.into()));
            assert!(block(a).is_some() && block(a) == block(b), "{method:?}");
        }
        assert_eq!(alike(MatchMethod::Exact, "A b", "a b"), 0.0);
        assert_eq!(alike(MatchMethod::Phone, "none", "none"), 0.0);
        assert_eq!(block(MatchMethod::Company, &Value::Text("?".into())), None);
    }
}
