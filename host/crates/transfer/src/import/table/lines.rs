use std::io::{self, BufRead, Read as _};

/// What came of reading a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// It was appended, with its line feed; only the last line of a file may lack one.
    Whole,
    /// It did not fit: the beginning was appended, the rest is still to be read (or skipped).
    TooLong,
    /// There are no more lines.
    End,
}

/// The lines of a file, with a way to put some back.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    /// Bytes that were put back; they come before those of `source`.
    pending: Vec<u8>,
    pending_from: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, pending: Vec::new(), pending_from: 0 }
    }

    /// Appends the next line to `record`, which shall not grow beyond `bytes_max`.
    pub(super) fn append(&mut self, record: &mut Vec<u8>, bytes_max: usize) -> io::Result<Line> {
        let start = record.len();
        let room = (bytes_max + 1).saturating_sub(start) as u64;
        let mut pending = self.pending.get(self.pending_from..).unwrap_or_default().take(room);
        let taken = pending.read_until(b'\n', record)?;
        self.pending_from += taken;
        if taken == 0 || record.last() != Some(&b'\n') {
            (&mut self.source).take(room - taken as u64).read_until(b'\n', record)?;
        }
        Ok(match record.len() {
            length if length == start => Line::End,
            length if length > bytes_max => Line::TooLong,
            _ => Line::Whole,
        })
    }

    /// Skips to the end of the line, however far that is, without keeping anything.
    pub(super) fn skip(&mut self) -> io::Result<()> {
        let pending = self.pending.get(self.pending_from..).unwrap_or_default();
        match pending.iter().position(|&byte| byte == b'\n') {
            Some(end) => self.pending_from += end + 1,
            None => {
                self.pending_from = self.pending.len();
                self.source.skip_until(b'\n')?;
            }
        }
        Ok(())
    }

    /// Puts the last bytes that were read back in front.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        if self.pending_from < self.pending.len() {
            // `pending` is not used up, so all of them came out of it and still stand there.
            self.pending_from -= bytes.len();
        } else {
            self.pending.clear();
            self.pending.extend_from_slice(bytes);
            self.pending_from = 0;
        }
    }
}
