use std::io::{self, BufRead};

use super::lines::{Line, Lines};

/// A row of a file: its place and its cells, as bytes without their quotes.
#[derive(Debug, Default)]
pub(in super::super) struct Row {
    /// The line of the file at which it begins, from 1.
    pub(in super::super) line: u64,
    /// Its number, from 1: neither the header nor empty lines count, bad rows do.
    pub(in super::super) number: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Row {
    /// How many cells it has.
    pub(in super::super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at a place, from 0.
    pub(in super::super) fn cell(&self, place: usize) -> Option<&[u8]> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end)
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a cell.
    pub(super) fn push(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.end_cell();
    }

    /// How many bytes its cells have.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Puts other texts in the place of some cells.
    pub(super) fn replace(&mut self, cells: &[(usize, &str)]) {
        let mut replaced = Self { line: self.line, number: self.number, ..Self::default() };
        for place in 0..self.len() {
            match cells.iter().find(|(at, _)| *at == place) {
                Some((_, text)) => replaced.push(text.as_bytes()),
                None => replaced.push(self.cell(place).unwrap_or_default()),
            }
        }
        *self = replaced;
    }

    fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }
}

/// Why a row is not well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Fault {
    /// More bytes than the limit.
    TooLong,
    /// A quote that is closed is followed by something other than the delimiter or the end of the line, or it is not closed
    /// within the limit.
    Quote,
    /// More cells than a file may have columns.
    TooManyCells,
    /// Not as many cells as the header.
    Columns {
        /// How many it has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
}

/// What came of reading a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Read {
    /// A row.
    Row,
    /// A bad row, of which only `line` and `number` are valid.
    Bad(Fault),
    /// There are no more.
    End,
}

/// Where in a cell the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote within quotes, which either closes the cell or is the first half of an escaped one.
    QuoteInQuoted,
}

/// What a line did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fed {
    Complete,
    Open,
    BadQuote,
}

/// The rows of a file.
///
/// A row that goes over several lines and is not well formed (a quote that is never closed, a wrong number of cells) is a bad
/// row of one line: reading goes on with its second line. So a stray quote never takes good rows with it.
#[derive(Debug)]
pub(in super::super) struct Rows<R> {
    lines: Lines<R>,
    /// The number of the next line, from 1.
    line: u64,
    number: u64,
    bytes_max: usize,
    delimiter: u8,
    columns: Option<usize>,
    raw: Vec<u8>,
}

impl<R: BufRead> Rows<R> {
    /// Reads rows of at most `bytes_max` bytes, whose cells are parted by `delimiter`.
    pub(in super::super) fn new(source: R, bytes_max: usize, delimiter: u8) -> Self {
        let (lines, raw) = (Lines::new(source), Vec::new());
        Self { lines, line: 1, number: 0, bytes_max, delimiter, columns: None, raw }
    }

    /// Has every row have as many cells.
    pub(super) fn expect_columns(&mut self, columns: usize) {
        self.columns = Some(columns);
    }

    /// Reads a first row; later ones must have as many cells, and are numbered from 1.
    #[cfg(test)]
    pub(in super::super) fn read_header(&mut self, row: &mut Row) -> io::Result<Read> {
        let read = self.read(row)?;
        if read == Read::Row {
            self.columns = Some(row.len());
        }
        self.number = 0;
        Ok(read)
    }

    /// Reads the next row into `row`.
    pub(in super::super) fn read(&mut self, row: &mut Row) -> io::Result<Read> {
        loop {
            row.line = self.line;
            self.raw.clear();
            let read = self.read_record(row)?;
            if read == Read::End {
                return Ok(Read::End);
            }
            if !matches!(self.raw.as_slice(), b"\n" | b"\r\n") {
                self.number += 1;
                row.number = self.number;
                return Ok(read);
            }
        }
    }

    fn read_record(&mut self, row: &mut Row) -> io::Result<Read> {
        row.clear();
        match self.lines.append(&mut self.raw, self.bytes_max)? {
            Line::End => return Ok(Read::End),
            Line::TooLong => {
                if self.raw.last() != Some(&b'\n') {
                    self.lines.skip()?;
                }
                self.line += 1;
                return Ok(Read::Bad(Fault::TooLong));
            }
            Line::Whole => self.line += 1,
        }
        if row.line == 1 && self.raw.starts_with(b"\xef\xbb\xbf") {
            self.raw.drain(..3);
        }
        let first_line = self.raw.len();
        let mut state = State::CellStart;
        let mut fed_to = 0;
        let fault = loop {
            match feed(self.raw.get(fed_to..).unwrap_or_default(), self.delimiter, &mut state, row) {
                Fed::Complete => match self.columns {
                    Some(expected) if expected != row.len() => {
                        break Fault::Columns { found: row.len(), expected };
                    }
                    _ => return Ok(Read::Row),
                },
                Fed::BadQuote => break Fault::Quote,
                Fed::Open => {}
            }
            fed_to = self.raw.len();
            match self.lines.append(&mut self.raw, self.bytes_max)? {
                Line::Whole => self.line += 1,
                // The quote is at fault, not the lines that happen to follow it.
                Line::TooLong | Line::End => break Fault::Quote,
            }
        };
        self.lines.put_back(self.raw.get(first_line..).unwrap_or_default());
        self.line = row.line + 1;
        Ok(Read::Bad(fault))
    }
}

/// Adds a line, with its line feed, to a row.
fn feed(line: &[u8], delimiter: u8, state: &mut State, row: &mut Row) -> Fed {
    let body = line.strip_suffix(b"\n").map_or(line, |body| body.strip_suffix(b"\r").unwrap_or(body));
    if *state == State::CellStart && !body.contains(&b'"') {
        for cell in body.split(|&byte| byte == delimiter) {
            row.text.extend_from_slice(cell);
            row.end_cell();
        }
        return Fed::Complete;
    }
    for &byte in body {
        *state = match (*state, byte) {
            (State::CellStart, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::CellStart | State::Plain | State::QuoteInQuoted, byte) if byte == delimiter => {
                row.end_cell();
                State::CellStart
            }
            (State::QuoteInQuoted, b'"') | (State::Quoted, _) => {
                row.text.push(byte);
                State::Quoted
            }
            (State::QuoteInQuoted, _) => return Fed::BadQuote,
            (State::CellStart | State::Plain, _) => {
                row.text.push(byte);
                State::Plain
            }
        };
    }
    if *state == State::Quoted {
        row.text.extend_from_slice(line.get(body.len()..).unwrap_or_default());
        return Fed::Open;
    }
    row.end_cell();
    Fed::Complete
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All rows of a text as `line#number cells`, with `|` between cells and bad rows by their fault.
    fn read_all(text: &[u8], bytes_max: usize) -> Vec<String> {
        // A small buffer, so that lines cross its edges.
        let mut rows = Rows::new(io::BufReader::with_capacity(7, text), bytes_max, b',');
        let mut row = Row::default();
        let mut out = Vec::new();
        if rows.read_header(&mut row).unwrap() == Read::End {
            return out;
        }
        loop {
            let place = match rows.read(&mut row).unwrap() {
                Read::End => return out,
                Read::Row => (0..row.len())
                    .map(|at| String::from_utf8_lossy(row.cell(at).unwrap()).into_owned())
                    .collect(),
                Read::Bad(fault) => vec![format!("{fault:?}")],
            };
            out.push(format!("{}#{} {}", row.line, row.number, place.join("|")));
        }
    }

    #[test]
    fn rows_are_read_with_their_line_and_number() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(read_all(text.as_bytes(), 60), expected, "{text:?}");
        check("", &[]);
        check("a,b\n", &[]);
        check("a,b\n1,2\n3,4", &["2#1 1|2", "3#2 3|4"]);
        check("a,b\r\n1,2\r\n", &["2#1 1|2"]);
        check("\u{feff}a,b\n\n1,2\n\r\n3,4\n", &["3#1 1|2", "5#2 3|4"]);
        check("a,b\n,\n\"\",\"x\"\n", &["2#1 |", "3#2 |x"]);
        check("a,b\n\"1,\"\"1\"\"\",\"2\n2\"\n3,4\n", &["2#1 1,\"1\"|2\n2", "4#2 3|4"]);
        check("a,b\n5\" pipe,x\"y\n", &["2#1 5\" pipe|x\"y"]);
        check("a,b\n1,\"2\r\n3\"\r\n", &["2#1 1|2\r\n3"]);
    }

    #[test]
    fn a_bad_row_costs_one_line() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(read_all(text.as_bytes(), 20), expected, "{text:?}");
        check(
            "a,b\n1\n1,2,3\n5,6\n",
            &["2#1 Columns { found: 1, expected: 2 }", "3#2 Columns { found: 3, expected: 2 }", "4#3 5|6"],
        );
        check("a,b\n1,\"2\n3,4\n", &["2#1 Quote", "3#2 3|4"]);
        check("a,b\n1,\"2\n3,\"4\"\n5,6\n", &["2#1 Quote", "3#2 3|4", "4#3 5|6"]);
        check("a,b\n\"1\"x,2\n3,4\n", &["2#1 Quote", "3#2 3|4"]);
        check(
            "a,b\n1,2,\"3\n4\"\n5,6\n",
            &["2#1 Columns { found: 3, expected: 2 }", "3#2 Columns { found: 1, expected: 2 }", "4#3 5|6"],
        );
        check("a,b\n1,234567890123456789\n5,6\n", &["2#1 TooLong", "3#2 5|6"]);
        check("a,b\n1,23456789012345678\n5,6\n", &["2#1 1|23456789012345678", "3#2 5|6"]);
        check(
            "a,b\n1,\"234567\n901234567890\n3,4\n",
            &["2#1 Quote", "3#2 Columns { found: 1, expected: 2 }", "4#3 3|4"],
        );
        check(
            "a,b\n1,\"2\n9999999999999999999999999999999999999\n3,4\n",
            &["2#1 Quote", "3#2 TooLong", "4#3 3|4"],
        );
    }

    #[test]
    fn a_line_without_end_is_skipped_in_bounded_memory() {
        let endless = [b"a,b\n1,".as_slice(), &vec![b'9'; 1 << 22], b"\n3,4\n"].concat();
        let mut rows = Rows::new(io::BufReader::new(endless.as_slice()), 100, b',');
        let mut row = Row::default();
        rows.read_header(&mut row).unwrap();
        assert_eq!(rows.read(&mut row).unwrap(), Read::Bad(Fault::TooLong));
        assert_eq!(rows.read(&mut row).unwrap(), Read::Row);
        assert!(rows.raw.capacity() < 4096, "{}", rows.raw.capacity());
    }

    proptest! {
        #[test]
        fn what_is_written_with_quotes_is_read_back(table in prop::collection::vec(prop::collection::vec("[a,\"\r\n 中]{0,6}", 3), 0..8)) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let lines = table.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n");
            let text = format!("x,y,z\n{}", lines.collect::<String>());
            let read: Vec<String> = read_all(text.as_bytes(), 1 << 20).iter().map(|row| row.split_once(' ').unwrap().1.into()).collect();
            prop_assert_eq!(read, table.iter().map(|row| row.join("|")).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_read_to_their_end(text in prop::collection::vec(prop::sample::select(b"a,\"\"\n\r".to_vec()), 0..200)) {
            read_all(&text, 16);
        }
    }
}
