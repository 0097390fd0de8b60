//! The external id of a row that has none of its own. A lasting format: `host/docs/formats/import-mapping.md`.

use std::collections::HashMap;

/// Bytes of the digest that an id shows.
const DIGEST_BYTES: usize = 16;

/// Gives equal rows of a file different ids, and equal files equal ids.
#[derive(Debug, Default)]
pub(super) struct RowIds {
    /// How often a digest was seen.
    seen: HashMap<[u8; DIGEST_BYTES], u32>,
}

impl RowIds {
    /// The id of the next row with these (field, canonical value) pairs, which are sorted by field:
    /// `row:` + digest in hex + `#` + which of the equal rows of the file it is, from 1.
    pub(super) fn next<'a>(
        &mut self,
        object: &str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> String {
        let digest = digest(object, pairs);
        let occurrence = self.seen.entry(digest).or_default();
        *occurrence += 1;
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("row:{hex}#{occurrence}")
    }
}

fn digest<'a>(object: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> [u8; DIGEST_BYTES] {
    let mut hasher = blake3::Hasher::new();
    let mut text = |text: &str| {
        // A length before each text, so that two lists of texts never run together to the same bytes.
        let length = u32::try_from(text.len()).expect("a cell is far below 4 GiB");
        hasher.update(&length.to_le_bytes());
        hasher.update(text.as_bytes());
    };
    text(object);
    for (name, value) in pairs {
        text(name);
        text(value);
    }
    let mut digest = [0; DIGEST_BYTES];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_numbered_and_other_rows_differ() {
        let mut ids = RowIds::default();
        let first = ids.next("order", [("amount", "29.33 USD"), ("quantity", "2")]);
        let second = ids.next("order", [("amount", "29.33 USD"), ("quantity", "2")]);
        // Locked: the format never changes, or a second import would double everything.
        assert_eq!(first, "row:5c64100c7a53d3ac2d7151f8a05ba70f#1");
        assert_eq!(second, "row:5c64100c7a53d3ac2d7151f8a05ba70f#2");
        let others = [
            ids.next("order", [("amount", "29.33 USD"), ("quantity", "3")]),
            ids.next("order", [("amount", "29.33 USDq"), ("uantity", "2")]),
            ids.next("order", [("amount", "29.33 USD")]),
            ids.next("account", [("amount", "29.33 USD"), ("quantity", "2")]),
        ];
        assert!(others.iter().all(|id| id.ends_with("#1") && id.get(..36) != first.get(..36)), "{others:?}");
    }
}
