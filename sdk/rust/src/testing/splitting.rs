//! The law of splitting: cutting a batch changes no row's result.

use std::fmt::Debug;

use super::split;
use crate::{Batch, CampaignRules, Context, ObjectRecord, Result, RowError, Scoring, Segmentation};

/// How many rows the pieces have.
const PIECES: [usize; 5] = [1, 2, 3, 7, 64];

/// Checks that cutting `batch` changes nothing: pieces of 1, 2, 3, 7 and 64 rows give the values, failures and reasons
/// of the whole.
///
/// # Panics
/// If a piece differs, or a call fails.
pub fn assert_splitting_changes_nothing<P: Segmentation>(model: &[u8], batch: &Batch, at: &Context) {
    check("values", batch, |piece| {
        let assigned = P::assign(model, piece, at)?;
        let names: Vec<_> = assigned.names().collect();
        let values =
            |row| names.iter().map(|name| assigned.value(name, row).map(str::to_owned)).collect::<Vec<_>>();
        Ok((0..piece.rows()).map(|row| (values(row), failure(assigned.failed(), row))).collect())
    });
    check("reasons", batch, |piece| P::explain(model, piece, at));
}

/// As [`assert_splitting_changes_nothing`], for scores.
///
/// # Panics
/// If a piece differs, or a call fails.
pub fn assert_splitting_changes_no_score<P: Scoring>(model: &[u8], batch: &Batch, at: &Context) {
    check("scores", batch, |piece| {
        let scores = P::score(model, piece, at)?;
        let names: Vec<_> = scores.names().collect();
        let values =
            |row| names.iter().map(|name| scores.value(name, row).map(f64::to_bits)).collect::<Vec<_>>();
        Ok((0..piece.rows()).map(|row| (values(row), failure(scores.failed(), row))).collect())
    });
    check("reasons", batch, |piece| P::explain(model, piece, at));
}

/// As [`assert_splitting_changes_nothing`], for a campaign: who takes part, variants and reasons; and what happens next, if `batch`
/// has the columns `variant` and `status`.
///
/// # Panics
/// If a piece differs, or a call fails.
pub fn assert_splitting_changes_no_campaign<P: CampaignRules>(
    campaign: &ObjectRecord,
    batch: &Batch,
    config: &P::Config,
    at: &Context,
) {
    check("who takes part", batch, |piece| {
        let who = P::eligible(campaign, piece, config, at)?;
        let cause = |row| who.cause(row).map(str::to_owned);
        Ok((0..piece.rows())
            .map(|row| (who.takes_part(row), cause(row), failure(who.failed(), row)))
            .collect())
    });
    check("variants", batch, |piece| {
        let variants = P::assign_variant(campaign, piece, config, at)?;
        let variant = |row| variants.variant(row).map(str::to_owned);
        Ok((0..piece.rows()).map(|row| (variant(row), failure(variants.failed(), row))).collect())
    });
    check("reasons", batch, |piece| P::explain(campaign, piece, config, at));
    if ["variant", "status"].into_iter().all(|name| batch.has_column(name)) {
        check("what happens next", batch, |piece| {
            let next = P::next_action(campaign, piece, config, at)?;
            let of_row = |row: usize| {
                let of_row = next.iter().filter(move |actions| actions.row as usize == row);
                of_row.map(|actions| (actions.actions.clone(), actions.reasons.clone())).collect::<Vec<_>>()
            };
            Ok((0..piece.rows()).map(of_row).collect())
        });
    }
}

/// Compares what `call` says about each row of the whole with what it says about the pieces.
fn check<T: Debug + PartialEq>(what: &str, batch: &Batch, call: impl Fn(&Batch) -> Result<Vec<T>>) {
    let whole = call(batch).expect("the call on the whole batch succeeds");
    assert_eq!(whole.len(), batch.rows(), "{what}: one a row");
    for rows in PIECES {
        for (number, piece) in split(batch, rows).into_iter().enumerate() {
            let first = number * rows;
            let of_piece = call(&piece).expect("the call on a piece succeeds");
            let expected = whole.get(first..first + piece.rows()).expect("the rows exist");
            assert_eq!(expected, &*of_piece, "{what} of the {} rows from {first}", piece.rows());
        }
    }
}

fn failure(failed: &[RowError], row: usize) -> Option<String> {
    failed.iter().find(|failed| failed.row as usize == row).map(|failed| failed.code.clone())
}
