//! Puts the parts of a batch together again that was served in parts.

use std::collections::HashMap;

use trellis_model::{TextColumn, Validity};

use crate::bisect::{Outcome, Piece};
use crate::{AssignedColumn, CallStats, LogLine, Result, RowError, ScoredColumn};

/// What the parts of a batch have in common: rows that failed, lines, what was used.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    pub(crate) failed: Vec<RowError>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) stats: CallStats,
}

/// The answer to a batch or to a part of it.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) value: T,
    pub(crate) rest: Rest,
}

impl<T> Outcome<Answered<T>> {
    /// The answer to the whole batch: `join` puts those to its parts together, in the order of the rows; `None` is a poison row.
    /// Of their lines together no more are kept than of one call.
    pub(crate) fn joined(
        self,
        log_lines_max: u32,
        join: impl FnOnce(Vec<(usize, Option<T>)>) -> T,
    ) -> Result<Answered<T>> {
        let pieces = match self {
            Self::Whole(answered) => return Ok(answered),
            Self::Pieces(pieces) => pieces,
        };
        let (mut values, mut rest) = (Vec::with_capacity(pieces.len()), Rest::default());
        for piece in pieces {
            match piece {
                Piece::Poison(error) => {
                    rest.failed.push(error);
                    values.push((1, None));
                }
                Piece::Served(range, answered) => {
                    let start = u32::try_from(range.start).unwrap_or(u32::MAX);
                    let moved = |error: RowError| RowError { row: error.row.saturating_add(start), ..error };
                    rest.failed.extend(answered.rest.failed.into_iter().map(moved));
                    rest.stats = added(rest.stats, answered.rest.stats);
                    let room = (log_lines_max as usize).saturating_sub(rest.logs.len());
                    let over = answered.rest.logs.len().saturating_sub(room);
                    rest.stats.log_lines_suppressed += over as u64;
                    rest.logs.extend(answered.rest.logs.into_iter().take(room));
                    values.push((range.len(), Some(answered.value)));
                }
            }
        }
        Ok(Answered { value: join(values), rest })
    }
}

fn added(a: CallStats, b: CallStats) -> CallStats {
    CallStats {
        wall: a.wall + b.wall,
        cpu: a.cpu + b.cpu,
        waited: a.waited + b.waited,
        memory_bytes_peak: a.memory_bytes_peak.max(b.memory_bytes_peak),
        log_lines_suppressed: a.log_lines_suppressed + b.log_lines_suppressed,
        lookups: a.lookups + b.lookups,
        lookups_took: a.lookups_took + b.lookups_took,
        rows: a.rows + b.rows,
        fuel: a.fuel.zip(b.fuel).map(|(a, b)| a + b).or(a.fuel).or(b.fuel),
    }
}

/// The columns of a segmentation of all parts; rows that are poison have no value.
pub(crate) fn assigned(
    names: &[&str],
    parts: Vec<(usize, Option<Vec<AssignedColumn>>)>,
) -> Vec<AssignedColumn> {
    let (rows, mut parts) = by_column(names.len(), parts);
    let column = |(place, name): (usize, &&str)| {
        let (mut values, mut codes, mut flags) = (Values::default(), Vec::new(), Vec::new());
        for (rows, columns) in rows.iter().zip(&mut parts) {
            match columns.get_mut(place).and_then(Option::take) {
                None => {
                    codes.extend(std::iter::repeat_n(0, *rows));
                    flags.extend(std::iter::repeat_n(false, *rows));
                }
                Some(column) => {
                    let new =
                        |code: &u32| column.values.get(*code as usize).map_or(0, |text| values.code(text));
                    codes.extend(column.codes.iter().map(new));
                    flags.extend((0..*rows).map(|row| column.valid.get(row)));
                }
            }
        }
        AssignedColumn {
            name: (*name).to_owned(),
            codes,
            valid: Validity::from_flags(flags),
            values: values.texts,
        }
    };
    names.iter().enumerate().map(column).collect()
}

/// The columns of scores of all parts; rows that are poison have no value.
pub(crate) fn scored(names: &[&str], parts: Vec<(usize, Option<Vec<ScoredColumn>>)>) -> Vec<ScoredColumn> {
    let (rows, mut parts) = by_column(names.len(), parts);
    let column = |(place, name): (usize, &&str)| {
        let (mut values, mut flags) = (Vec::new(), Vec::new());
        for (rows, columns) in rows.iter().zip(&mut parts) {
            match columns.get_mut(place).and_then(Option::take) {
                None => {
                    values.extend(std::iter::repeat_n(0.0, *rows));
                    flags.extend(std::iter::repeat_n(false, *rows));
                }
                Some(mut column) => {
                    values.append(&mut column.values);
                    flags.extend((0..*rows).map(|row| column.valid.get(row)));
                }
            }
        }
        ScoredColumn { name: (*name).to_owned(), valid: Validity::from_flags(flags), values }
    };
    names.iter().enumerate().map(column).collect()
}

/// One value a row of all parts; rows that are poison have `poison`.
pub(crate) fn values<T: Clone>(poison: &T, parts: Vec<(usize, Option<Vec<T>>)>) -> Vec<T> {
    parts
        .into_iter()
        .flat_map(|(rows, values)| values.unwrap_or_else(|| vec![poison.clone(); rows]))
        .collect()
}

/// How many rows each part has, and its columns to be taken one by one.
fn by_column<T>(columns: usize, parts: Vec<(usize, Option<Vec<T>>)>) -> (Vec<usize>, Vec<Vec<Option<T>>>) {
    let none = || (0..columns).map(|_| None).collect();
    let part = |(rows, part): (usize, Option<Vec<T>>)| {
        (rows, part.map_or_else(none, |part| part.into_iter().map(Some).collect()))
    };
    parts.into_iter().map(part).unzip()
}

/// The texts of a dictionary, each once.
#[derive(Default)]
struct Values {
    texts: TextColumn,
    codes: HashMap<String, u32>,
}

impl Values {
    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text);
        self.codes.insert(text.to_owned(), code);
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(codes: &[u32], texts: &[&str]) -> AssignedColumn {
        let values = texts.iter().collect();
        AssignedColumn { name: "lot".to_owned(), codes: codes.to_vec(), valid: Validity::all(), values }
    }

    #[test]
    fn dictionaries_of_parts_become_one() {
        let parts = vec![
            (2, Some(vec![part(&[0, 1], &["even", "odd"])])),
            (1, None),
            (2, Some(vec![part(&[0, 0], &["odd"])])),
        ];
        let columns = assigned(&["lot"], parts);
        let column = &columns[0];
        let value = |row: usize| {
            column.valid.get(row).then(|| column.values.get(column.codes[row] as usize).unwrap())
        };
        assert_eq!(
            (0..5).map(value).collect::<Vec<_>>(),
            [Some("even"), Some("odd"), None, Some("odd"), Some("odd")]
        );
        assert_eq!(column.values.len(), 2);
    }

    #[test]
    fn rows_of_parts_keep_their_places() {
        let answered = |value: Vec<f64>, row: u32| {
            let failed = vec![RowError { row, code: "x".to_owned(), message: Default::default() }];
            Answered { value, rest: Rest { failed, ..Rest::default() } }
        };
        let pieces = vec![
            Piece::Served(0..2, answered(vec![1.0, 2.0], 1)),
            Piece::Poison(RowError { row: 2, code: "poison".to_owned(), message: Default::default() }),
            Piece::Served(3..4, answered(vec![4.0], 0)),
        ];
        let joined = Outcome::Pieces(pieces).joined(9, |parts| values(&0.0, parts)).unwrap();
        assert_eq!(joined.value, [1.0, 2.0, 0.0, 4.0]);
        assert_eq!(joined.rest.failed.iter().map(|error| error.row).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn lines_of_parts_are_as_many_as_those_of_a_call() {
        let line = LogLine { level: crate::LogLevel::Info, message: "x".to_owned() };
        let part = |row: usize| {
            let rest = Rest { logs: vec![line.clone(); 3], ..Rest::default() };
            Piece::Served(row..row + 1, Answered { value: vec![0.0], rest })
        };
        let joined = Outcome::Pieces((0..100).map(part).collect());
        let joined = joined.joined(5, |parts| values(&0.0, parts)).unwrap();
        assert_eq!((joined.rest.logs.len(), joined.rest.stats.log_lines_suppressed), (5, 295));
    }
}
