//! The order in which people read names with numbers: `customer 9` before `customer 10`.

use std::cmp::Ordering;

/// Compares two keys piece by piece: runs of ASCII digits by value, everything else by its bytes.
///
/// A total order: keys that differ only in leading zeros are ordered by their bytes.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(&first_a), Some(&first_b)) = (rest_a.first(), rest_b.first()) else {
            return rest_a.len().cmp(&rest_b.len()).then_with(|| a.cmp(b));
        };
        let order = if first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            let (number_a, number_b) = (take_number(&mut rest_a), take_number(&mut rest_b));
            number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b))
        } else {
            rest_a = rest_a.get(1..).unwrap_or_default();
            rest_b = rest_b.get(1..).unwrap_or_default();
            first_a.cmp(&first_b)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes the digits at the front of `text` and returns them without leading zeros.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    let zeros = number.iter().take_while(|&&byte| byte == b'0').count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_are_ordered_by_value() {
        let check = |ordered: &[&str]| {
            let mut sorted = ordered.to_vec();
            sorted.reverse();
            sorted.sort_by(|a, b| compare(a, b));
            assert_eq!(sorted, ordered);
        };
        check(&["1", "2", "10", "11", "100"]);
        check(&["", "c", "c 9", "c 10", "c 10 a2", "c 10 a10", "d"]);
        check(&["00", "000", "01", "1", "002", "99999999999999999999", "100000000000000000000"]);
        check(&["1-2", "1a", "客户2", "客户10"]);
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[01a2]{0,5}", b in "[01a2]{0,5}", c in "[01a2]{0,5}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &b) == Ordering::Equal, a == b);
            if compare(&a, &b) != Ordering::Greater && compare(&b, &c) != Ordering::Greater {
                prop_assert_ne!(compare(&a, &c), Ordering::Greater);
            }
        }
    }
}
