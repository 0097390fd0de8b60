//! Finds the rows of a batch on which a plugin fails, so that the others are served.
//!
//! A batch that faults is asked for without rows first: a plugin that fails on nothing fails on everything. Then it is halved, and its
//! halves are, until what fails is a single row. How many calls that may take is limited, and a plugin of which nothing at all goes well
//! is given up sooner; then the batch fails as a whole, as it does where not one of several rows is served.

use std::collections::VecDeque;
use std::ops::Range;

use trellis_model::{Text, bilingual};

use crate::call::Call;
use crate::health::{Found, RowKey};
use crate::interfaces::Exported;
use crate::{Error, Fault, FaultKind, Plugin, Result, RowError};

/// Calls without any success after which a batch is given up.
const CALLS_WITHOUT_SUCCESS_MAX: u32 = 16;
/// Characters of a fault's text that a poison row says.
const REASON_CHARACTERS_MAX: usize = 500;
/// The code of a row that a plugin cannot take.
pub(crate) const POISON: &str = "poison";

/// A part of a batch, in the order of its rows.
#[derive(Debug)]
pub(crate) enum Piece<T> {
    /// What the plugin said of these rows.
    Served(Range<usize>, T),
    /// The plugin fails on this row.
    Poison(RowError),
}

/// What came of a batch.
pub(crate) enum Outcome<T> {
    /// It was served as a whole.
    Whole(T),
    /// Some rows are poison, or it was only served in parts.
    Pieces(Vec<Piece<T>>),
}

/// A search for poison rows under way.
struct Search<'a, T> {
    plugin: &'a Plugin,
    rows: Range<usize>,
    pieces: Vec<(usize, Piece<T>)>,
    calls: u32,
    served: bool,
}

/// What a single attempt of a search came to.
enum Attempt<T> {
    Served(T),
    Failed(Box<Fault>),
}

impl Plugin {
    /// Asks for a batch of so many rows, and where that ends in a fault, for its parts. `ask` makes the call for some of its rows; `key`
    /// names a row.
    ///
    /// # Errors
    /// Those of `ask`; the fault of the whole batch where the poison rows cannot be told within the limits.
    pub(crate) fn by_parts<I: Exported, T>(
        &self,
        call: &Call<'_>,
        rows: usize,
        key: impl Fn(usize) -> Option<RowKey>,
        ask: impl Fn(&Call<'_>, Range<usize>) -> Result<T>,
    ) -> Result<Outcome<T>> {
        let pass = self.admit(I::NAME, call)?;
        let as_part = |range: Range<usize>| ask(&call.part(range.len() as u64), range);
        let whole = Call { is_part: true, ..call.clone() };
        let (done, counts) = self.tried_twice(call, || ask(&whole, 0..rows));
        let fault = match done {
            Err(Error::Fault(fault)) => fault,
            done => {
                self.judge(pass, call, &done, counts);
                return done.map(Outcome::Whole);
            }
        };
        let run = call.at.map(|at| at.run_id.as_str());
        match (Search::new(self, rows)).find(&fault, &as_part) {
            Ok(Some(pieces)) => {
                let found = pieces.iter().filter_map(|piece| match piece {
                    Piece::Poison(error) => Some((error, key(error.row as usize)?)),
                    Piece::Served(..) => None,
                });
                let found = found.map(|(error, key)| Found { key, reason: error.message.clone() });
                let found = found.collect();
                let served = pieces.iter().any(|piece| matches!(piece, Piece::Served(..)));
                self.count_fault();
                pass.poisoned(&fault, run, found, served);
                Ok(Outcome::Pieces(pieces))
            }
            Ok(None) => {
                let done: Result<()> = Err(Error::Fault(fault));
                self.judge(pass, call, &done, counts);
                done.map(|()| Outcome::Pieces(Vec::new()))
            }
            // Cancelled, or the host's own trouble: nothing is known of the plugin.
            Err(error) => Err(error),
        }
    }
}

impl<'a, T> Search<'a, T> {
    fn new(plugin: &'a Plugin, rows: usize) -> Self {
        Self { plugin, rows: 0..rows, pieces: Vec::new(), calls: 0, served: false }
    }

    /// The pieces of a batch that ended in `fault` as a whole; `None` where they cannot be told.
    fn find(
        mut self,
        fault: &Fault,
        ask: &impl Fn(Range<usize>) -> Result<T>,
    ) -> Result<Option<Vec<Piece<T>>>> {
        if self.rows.is_empty() || self.is_spent() || !self.works_without_rows(ask)? {
            return Ok(None);
        }
        let mut failed = VecDeque::from([(self.rows.clone(), poison_text(&fault.kind))]);
        while let Some((range, reason)) = failed.pop_front() {
            if range.len() == 1 {
                let row = u32::try_from(range.start).unwrap_or(u32::MAX);
                let error = RowError { row, code: POISON.to_owned(), message: reason };
                self.pieces.push((range.start, Piece::Poison(error)));
                continue;
            }
            let middle = range.start + range.len() / 2;
            for half in [range.start..middle, middle..range.end] {
                if self.is_spent() {
                    return Ok(None);
                }
                match self.attempt(half.clone(), ask)? {
                    Attempt::Served(value) => {
                        self.served = true;
                        self.pieces.push((half.start, Piece::Served(half, value)));
                    }
                    Attempt::Failed(fault) => failed.push_back((half, poison_text(&fault.kind))),
                }
            }
        }
        if !self.served && self.rows.len() > 1 {
            return Ok(None);
        }
        self.pieces.sort_by_key(|(start, _)| *start);
        Ok(Some(self.pieces.into_iter().map(|(_, piece)| piece).collect()))
    }

    fn is_spent(&self) -> bool {
        let calls_max = self.plugin.bisect_calls_max();
        let calls_max = if self.served { calls_max } else { calls_max.min(CALLS_WITHOUT_SUCCESS_MAX) };
        self.calls >= calls_max
    }

    fn works_without_rows(&mut self, ask: &impl Fn(Range<usize>) -> Result<T>) -> Result<bool> {
        match self.attempt(0..0, ask) {
            Ok(attempt) => Ok(matches!(attempt, Attempt::Served(_))),
            // It says in order that it has no answer.
            Err(Error::Plugin { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn attempt(
        &mut self,
        range: Range<usize>,
        ask: &impl Fn(Range<usize>) -> Result<T>,
    ) -> Result<Attempt<T>> {
        self.calls += 1;
        match ask(range) {
            Ok(value) => Ok(Attempt::Served(value)),
            Err(Error::Fault(fault)) => Ok(Attempt::Failed(fault)),
            Err(error) => Err(error),
        }
    }
}

/// What a row says on which a plugin fails.
fn poison_text(kind: &FaultKind) -> Text {
    let reason: String = kind.to_string().chars().take(REASON_CHARACTERS_MAX).collect();
    bilingual!("the plugin fails on this row: it {reason}", "插件处理此行时出错：{reason}")
}
