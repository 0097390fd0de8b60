//! Columns in which a row has several texts.

use trellis_model::{TextColumn, row_codes};

/// Gives the codes of lists (each row's end is in `offsets`) the order of the texts that they stand for: so what a row holds, and in which
/// order, does not depend on the other rows of its batch. Equal texts become one. Returns the different texts, ascending.
pub(crate) fn sort_by_text<'a>(
    names: impl Iterator<Item = &'a str> + Clone,
    offsets: &mut Vec<u32>,
    codes: &mut Vec<u32>,
) -> TextColumn {
    let mut sorted: Vec<&str> = names.clone().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let places: Vec<u32> = names.map(|name| sorted.partition_point(|known| *known < name) as u32).collect();
    let (mut ends, mut renamed) = (Vec::with_capacity(offsets.len()), Vec::with_capacity(codes.len()));
    ends.push(0);
    for row in 0..offsets.len().saturating_sub(1) {
        let list = row_codes(offsets, codes, row).unwrap_or_default();
        let list = list.iter().filter_map(|code| places.get(*code as usize).copied());
        let mut list: Vec<u32> = list.collect();
        list.sort_unstable();
        list.dedup();
        renamed.extend(list);
        ends.push(renamed.len() as u32);
    }
    (*offsets, *codes) = (ends, renamed);
    sorted.iter().collect()
}
