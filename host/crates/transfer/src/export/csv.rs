/// A line of CSV, built again and again in the same memory.
#[derive(Debug, Default)]
pub struct CsvLine(Vec<u8>);

impl CsvLine {
    /// The line of these cells: quoted where they need it, ended by CR LF.
    pub fn of<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> &[u8] {
        self.0.clear();
        for (place, cell) in cells.into_iter().enumerate() {
            if place > 0 {
                self.0.push(b',');
            }
            // A blank at an edge would be taken for none, and so would an empty line for no row.
            let plain =
                !cell.contains([',', '"', '\n', '\r', ';', '\t', '|']) && cell.trim().len() == cell.len();
            if plain {
                self.0.extend_from_slice(cell.as_bytes());
            } else {
                self.0.push(b'"');
                self.0.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
                self.0.push(b'"');
            }
        }
        if self.0.is_empty() {
            self.0.extend_from_slice(b"\"\"");
        }
        self.0.extend_from_slice(b"\r\n");
        &self.0
    }
}

/// Whether a spreadsheet would take a text for a formula: `=1+1`, `@SUM`, but not `-12.5` and not `+86 21 5555`.
pub(super) fn is_formula(text: &str) -> bool {
    let first = text.as_bytes().first().copied().unwrap_or_default();
    let is_number = || {
        let digits = text.get(1..).unwrap_or_default();
        matches!(first, b'+' | b'-')
            && digits.starts_with(|sign: char| sign.is_ascii_digit() || sign == '.')
            && digits.chars().all(|sign| sign.is_ascii_digit() || matches!(sign, '.' | ',' | ' ' | '%'))
    };
    matches!(first, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') && !is_number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_need_it() {
        let mut line = CsvLine::default();
        assert_eq!(
            line.of(["a", "b,c", "say \"x\"", " d", "e\nf"]),
            b"a,\"b,c\",\"say \"\"x\"\"\",\" d\",\"e\nf\"\r\n"
        );
        assert_eq!(line.of([""]), b"\"\"\r\n");
        assert_eq!(line.of(["", ""]), b",\r\n");
    }

    #[test]
    fn formulas_are_told_from_numbers() {
        for formula in ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "@SUM(A1)", "\t=1"] {
            assert!(is_formula(formula), "{formula}");
        }
        for text in ["-12.5", "+86 21 5555", "-1,234.50", "a=b", "", "100%"] {
            assert!(!is_formula(text), "{text}");
        }
    }
}
