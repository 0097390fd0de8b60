//! What a file seems to be: guessed from its bytes, and always open to be overruled.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

/// Lines that tell the delimiter.
const LINES_LOOKED_AT: usize = 20;
/// What parts cells, the most usual first.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Finds the encoding of a file while it goes by.
#[derive(Debug)]
pub(super) struct EncodingGuess {
    /// A character of UTF-8 that a chunk began and did not end.
    cut: Vec<u8>,
    first: Vec<u8>,
    characters: u64,
    broken: u64,
    /// Bytes with something beyond ASCII, with what is around them.
    sample: Vec<u8>,
}

/// Bytes that are kept to tell encodings other than UTF-8 apart.
const SAMPLE_BYTES_MAX: usize = 64 << 10;

impl EncodingGuess {
    pub(super) fn new() -> Self {
        Self { cut: Vec::new(), first: Vec::new(), characters: 0, broken: 0, sample: Vec::new() }
    }

    /// Looks at the next bytes of the file.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let missing = 3_usize.saturating_sub(self.first.len());
        self.first.extend(bytes.iter().take(missing));
        if bytes.is_ascii() && self.cut.is_empty() {
            return;
        }
        let room = SAMPLE_BYTES_MAX.saturating_sub(self.sample.len());
        self.sample.extend(bytes.iter().take(room));
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend_from_slice(bytes);
        let mut rest = joined.as_slice();
        loop {
            match str::from_utf8(rest) {
                Ok(text) => {
                    self.count(text);
                    return;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.count(str::from_utf8(good).unwrap_or_default());
                    match error.error_len() {
                        Some(length) => {
                            self.broken += 1;
                            rest = bad.get(length..).unwrap_or_default();
                        }
                        None => {
                            self.cut = bad.to_vec();
                            return;
                        }
                    }
                }
            }
        }
    }

    fn count(&mut self, text: &str) {
        self.characters += text.chars().filter(|character| !character.is_ascii()).count() as u64;
    }

    /// The encoding. UTF-8 where that is what most of it is, or where nothing else fits: then what is none is refused cell by cell.
    pub(super) fn encoding(mut self) -> &'static Encoding {
        self.broken += u64::from(!self.cut.is_empty());
        match self.first.as_slice() {
            [0xff, 0xfe, ..] => return UTF_16LE,
            [0xfe, 0xff, ..] => return UTF_16BE,
            [0xef, 0xbb, 0xbf] => return UTF_8,
            _ if self.broken == 0 || self.characters > 10 * self.broken => return UTF_8,
            _ => {}
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&self.sample, true);
        let guess = detector.guess(Some(b"cn"), Utf8Detection::Deny);
        // GB18030 holds all of GBK. Single bytes beyond ASCII mean something in every Western encoding, so that tells nothing.
        let guess = if guess == GBK { GB18030 } else { guess };
        let whole = self.sample.len() < SAMPLE_BYTES_MAX;
        let fits =
            || !whole || guess.decode_without_bom_handling_and_without_replacement(&self.sample).is_some();
        if [GB18030, BIG5, SHIFT_JIS, EUC_JP, EUC_KR].contains(&guess) && fits() { guess } else { UTF_8 }
    }
}

/// What parts the cells of these first lines: what is there equally often in (nearly) all of them. A comma where nothing is.
pub(super) fn delimiter(text: &[u8]) -> u8 {
    let counts = |delimiter: u8| {
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let counts: Vec<usize> = lines.take(LINES_LOOKED_AT).map(|line| unquoted(line, delimiter)).collect();
        let first = counts.first().copied().unwrap_or_default();
        let same = counts.iter().filter(|&&count| count == first).count();
        if same * 10 >= counts.len() * 9 { first } else { 0 }
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|&delimiter| counts(delimiter));
    best.filter(|&delimiter| counts(delimiter) > 0).unwrap_or(b',')
}

fn unquoted(line: &[u8], delimiter: u8) -> usize {
    let mut quoted = false;
    let outside = line.iter().filter(|&&byte| {
        quoted ^= byte == b'"';
        byte == delimiter && !quoted
    });
    outside.count()
}

/// Whether a first row names columns: each cell says something, each something else, and none is a number or a day.
pub(in super::super) fn is_header(cells: &[String]) -> bool {
    let is_value = |cell: &String| {
        cell.is_empty()
            || cell.parse::<f64>().is_ok()
            || cell.get(..10).is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok())
    };
    let distinct: std::collections::HashSet<&String> = cells.iter().collect();
    distinct.len() == cells.len() && !cells.iter().any(is_value)
}

#[cfg(test)]
mod tests {
    use super::super::decode::encode;
    use super::*;

    fn guessed(bytes: &[u8]) -> &'static Encoding {
        let mut guess = EncodingGuess::new();
        bytes.chunks(7).for_each(|chunk| guess.feed(chunk));
        guess.encoding()
    }

    #[test]
    fn the_encoding_is_told_by_the_bytes() {
        let mut gb = Vec::new();
        encode(GB18030, "店铺名称,订单编号,VIP卡号,VIP姓名,付款时间\n上海店,1,2,张三,2024-01-01\n", &mut gb);
        assert_eq!(guessed(&gb), GB18030);
        assert_eq!(guessed("店铺名称,金额\n上海,1\n".as_bytes()), UTF_8);
        assert_eq!(guessed(b"a,b\n1,2\n"), UTF_8);
        assert_eq!(guessed(b"\xff\xfea\0"), UTF_16LE);
        assert_eq!(guessed(b"a,b\n1,\xff\n"), UTF_8, "nothing has it: the cell is at fault");
        let stray = [b"\xff,".as_slice(), "客户的名称是中文写的".repeat(3).as_bytes()].concat();
        assert_eq!(guessed(&stray), UTF_8, "one bad byte among many good characters");
    }

    #[test]
    fn the_delimiter_is_what_every_line_has() {
        assert_eq!(delimiter(b"a,b\n1,2\n"), b',');
        assert_eq!(delimiter(b"a;b\n1,5;2\n3,5;4\n"), b';');
        assert_eq!(delimiter(b"a\tb\tc\n1\t2\t3\n"), b'\t');
        assert_eq!(delimiter(b"a|b\n\"1|1\"|2\n"), b'|');
        assert_eq!(delimiter(b"name\nx;y\nz\n"), b',');
        assert_eq!(delimiter(b""), b',');
    }

    #[test]
    fn a_header_has_no_numbers() {
        let cells = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        assert!(is_header(&cells("name,amount")));
        assert!(!is_header(&cells("Acme,12.5")));
        assert!(!is_header(&cells("Acme,2024-01-31 10:00")));
        assert!(!is_header(&cells("a,a")));
    }
}
