//! A function with data to try it on, of which any part can be taken.

use serde_json::Value as Json;
use trellis_model::{Phrase, Text, bilingual};
use trellis_plugin_host::Error;

use super::random::Random;
use crate::golden::failure;

/// Calls that finding the fewest rows may cost.
const SHRINK_CALLS_MAX: usize = 300;

const SECOND_CALL: Phrase = Phrase::new("the second call", "第二次调用");
const PARTS: Phrase = Phrase::new("a part of the batch", "拆分后的批次");

/// What a function says of some rows.
pub(super) type Answer = Result<Vec<Json>, Error>;

/// Calls a function with some rows.
type Call<'a> = dyn Fn(&[usize]) -> Answer + 'a;

/// A function and rows or changes to call it with.
pub(super) struct Subject<'a> {
    /// How many rows there are.
    pub(super) rows: usize,
    /// Calls the function with these rows, given by their numbers in ascending order, and returns one answer a row.
    pub(super) call: Box<Call<'a>>,
    /// A row, for people.
    pub(super) shown: Box<dyn Fn(usize) -> Json + 'a>,
}

impl Subject<'_> {
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.rows).collect()
    }

    /// Why the call with these rows is a fault, if it is one.
    pub(super) fn fault(&self, rows: &[usize]) -> Option<Text> {
        match (self.call)(rows) {
            Ok(_) | Err(Error::Plugin { .. }) => None,
            Err(error) => Some(failure(&error)),
        }
    }

    /// What differs between two calls with the same rows.
    pub(super) fn differs(&self, rows: &[usize]) -> Option<Text> {
        compared(&(self.call)(rows), &(self.call)(rows), SECOND_CALL)
    }

    /// What differs between the rows together and in pieces.
    pub(super) fn split(&self, rows: &[usize], cuts: &[usize]) -> Option<Text> {
        let whole = (self.call)(rows);
        let mut pieces = Vec::new();
        let mut begin = 0;
        for end in cuts.iter().copied().chain([rows.len()]) {
            let piece = rows.get(begin..end).unwrap_or_default();
            begin = end;
            match ((self.call)(piece), &whole) {
                (Ok(answers), Ok(_)) => pieces.extend(answers),
                (Ok(_), Err(error @ Error::Plugin { .. })) if !piece.is_empty() => {
                    let error = error.to_string();
                    return Some(bilingual!(
                        "one row makes the whole batch fail, say it of that row alone: {error}",
                        "一行数据使整个批次失败，应只标记该行：{error}"
                    ));
                }
                (Err(error), Ok(_)) => {
                    let error = error.to_string();
                    return Some(bilingual!(
                        "a part of the batch fails: {error}",
                        "批次的一部分失败：{error}"
                    ));
                }
                (Ok(_) | Err(_), Err(_)) => {}
            }
        }
        match whole {
            Ok(_) => compared(&whole, &Ok(pieces), PARTS),
            Err(_) => None,
        }
    }

    /// The fewest of `rows` for which `broken` still says something: halves first, then single rows.
    pub(super) fn shrink(
        &self,
        rows: Vec<usize>,
        what: Text,
        broken: impl Fn(&[usize]) -> Option<Text>,
    ) -> (Vec<Json>, Text) {
        let (mut rows, mut what, mut calls) = (rows, what, 0);
        let mut size = rows.len() / 2;
        while size > 0 && calls < SHRINK_CALLS_MAX {
            let mut begin = 0;
            while begin < rows.len() && rows.len() > 1 && calls < SHRINK_CALLS_MAX {
                let end = (begin + size).min(rows.len());
                let fewer: Vec<usize> = rows
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| !(begin..end).contains(at))
                    .map(|(_, row)| *row)
                    .collect();
                calls += 1;
                match broken(&fewer) {
                    Some(still) if !fewer.is_empty() => (rows, what) = (fewer, still),
                    _ => begin = end,
                }
            }
            size /= 2;
        }
        (rows.into_iter().map(|row| (self.shown)(row)).collect(), what)
    }
}

/// Where to cut so many rows: up to five places.
pub(super) fn cuts(rows: usize, random: &mut Random) -> Vec<usize> {
    let mut cuts: Vec<usize> = (0..1 + random.below(5)).map(|_| random.below(rows + 1)).collect();
    cuts.sort_unstable();
    cuts
}

/// The first part in which two answers differ.
pub(super) fn compared(one: &Answer, other: &Answer, of_other: Phrase) -> Option<Text> {
    let Phrase { en, zh_cn } = of_other;
    match (one, other) {
        (Ok(one), Ok(other)) => {
            let at = (0..one.len().max(other.len())).find(|&row| one.get(row) != other.get(row))?;
            let shown = |answers: &[Json]| answers.get(at).map_or("nothing".to_owned(), Json::to_string);
            let (one, other) = (shown(one), shown(other));
            Some(Text::new(
                format!("row {at} is {one}, but {en} gives {other}"),
                format!("第 {at} 行为 {one}，但{zh_cn}给出 {other}"),
            ))
        }
        (Err(one), Err(other)) if one.to_string() == other.to_string() => None,
        (one, other) => {
            let shown =
                |answer: &Answer| answer.as_ref().map_or_else(ToString::to_string, |_| "OK".to_owned());
            let (one, other) = (shown(one), shown(other));
            Some(Text::new(format!("{one}, but {en}: {other}"), format!("{one}，但{zh_cn}：{other}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;

    fn subject<'a>(rows: usize, call: impl Fn(&[usize]) -> Answer + 'a) -> Subject<'a> {
        Subject { rows, call: Box::new(call), shown: Box::new(|row| json!(row)) }
    }

    fn each(rows: &[usize], of: impl Fn(usize) -> Json) -> Answer {
        Ok(rows.iter().map(|row| of(*row)).collect())
    }

    #[test]
    fn an_answer_that_depends_on_the_other_rows_breaks_splitting() {
        let good = subject(9, |rows| each(rows, |row| json!(row)));
        assert_eq!(good.split(&good.all(), &[0, 4, 9]), None);
        // The last row is told apart only where another one is there.
        let bad = subject(9, |rows| each(rows, |row| json!(row == 8 && rows.contains(&3))));
        let what = bad.split(&bad.all(), &[5]).unwrap();
        assert_eq!(what.en, "row 8 is true, but a part of the batch gives false");
        assert_eq!(what.zh_cn, "第 8 行为 true，但拆分后的批次给出 false");
        let alone = |rows: &[usize]| bad.split(rows, &(1..rows.len()).collect::<Vec<_>>());
        let (rows, what) = bad.shrink(bad.all(), what, alone);
        assert_eq!(rows, [json!(3), json!(8)]);
        assert_eq!(what.en, "row 1 is true, but a part of the batch gives false");
    }

    #[test]
    fn a_second_call_that_answers_otherwise_is_noticed() {
        let calls = Cell::new(0);
        let moody = subject(2, |rows| {
            calls.set(calls.get() + 1);
            each(rows, |_| json!(calls.get()))
        });
        assert_eq!(moody.differs(&[0, 1]).unwrap().en, "row 0 is 1, but the second call gives 2");
    }

    #[test]
    fn looking_for_the_fewest_rows_ends() {
        let calls = Cell::new(0_usize);
        let all = subject(5_000, |rows| each(rows, |row| json!(row)));
        let broken = |_: &[usize]| {
            calls.set(calls.get() + 1);
            None
        };
        let (rows, _) = all.shrink(all.all(), Text::default(), broken);
        assert_eq!((rows.len(), calls.get()), (5_000, SHRINK_CALLS_MAX));
    }
}
