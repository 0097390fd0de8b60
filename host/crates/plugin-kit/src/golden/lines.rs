//! On which line of a file something stands, so that its author finds it.

/// The line, from 1, on which `place` (`rows[2].spent`) stands in a JSON text; that of the last part of it that is there.
pub(super) fn line_of(text: &str, place: &str) -> usize {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    for step in place.split(['.', '[']).filter(|step| !step.is_empty()) {
        let found = match step.strip_suffix(']').and_then(|number| number.parse().ok()) {
            Some(number) => cursor.element(number),
            None => cursor.member(step),
        };
        match found {
            Some(at) => cursor.at = at,
            None => break,
        }
    }
    cursor.skip_space();
    let before = cursor.bytes.iter().take(cursor.at);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// A place in a text that is known to be JSON.
#[derive(Clone)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes past `byte` and the space around it, if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        self.skip_space();
        found
    }

    /// Goes past the text that is next, if one is; returns it as it is written between its quotes.
    fn text(&mut self) -> Option<&str> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let begin = self.at + 1;
        self.at = begin;
        while self.peek()? != b'"' {
            self.at += if self.peek() == Some(b'\\') { 2 } else { 1 };
        }
        self.at += 1;
        std::str::from_utf8(self.bytes.get(begin..self.at - 1)?).ok()
    }

    /// Goes past a value.
    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => drop(self.text()),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Where the value of a key of the object that is next begins.
    fn member(&self, name: &str) -> Option<usize> {
        let mut cursor = self.clone();
        if !cursor.take(b'{') {
            return None;
        }
        loop {
            let is_it = cursor.text()? == name;
            cursor.take(b':');
            if is_it {
                return Some(cursor.at);
            }
            cursor.skip_value();
            if !cursor.take(b',') {
                return None;
            }
        }
    }

    /// Where an element of the list that is next begins.
    fn element(&self, number: usize) -> Option<usize> {
        let mut cursor = self.clone();
        if !cursor.take(b'[') || cursor.peek() == Some(b']') {
            return None;
        }
        for _ in 0..number {
            cursor.skip_value();
            if !cursor.take(b',') {
                return None;
            }
        }
        Some(cursor.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
  "title": "a \"quoted\" one, {with} [signs]",
  "rows": [
    { "ordinal": 1, "spent": "1" },
    { "ordinal": 2,
      "spent": "x" }
  ],
  "empty": [], "changes": [[1, {"after": {
    "fields": null }}]]
}"#;

    #[test]
    fn a_place_is_found_by_its_line() {
        for (place, line) in [
            ("", 1),
            ("title", 2),
            ("rows", 3),
            ("rows[0].spent", 4),
            ("rows[1]", 5),
            ("rows[1].spent", 6),
            ("empty", 8),
            ("changes[0][1].after.fields", 9),
        ] {
            assert_eq!(line_of(TEXT, place), line, "{place}");
        }
    }

    #[test]
    fn what_is_not_there_is_where_it_should_be() {
        for (place, line) in [("rows[1].none.deeper", 5), ("rows[7].spent", 3), ("empty[0]", 8), ("none", 1)]
        {
            assert_eq!(line_of(TEXT, place), line, "{place}");
        }
        for broken in ["", "{", "{\"a", "{\"a\":", "[", "{\"a\" 1", "\"\\"] {
            assert_eq!(line_of(broken, "a[1].b"), 1, "{broken}");
        }
    }
}
