//! Which fields a formula reads: seen in its source, before it ever runs.

use trellis_model::{Text, bilingual};

/// Line and column, from 1.
type Place = (u32, u32);

/// What an expression asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Fields of the record in the order in which they are first named, each with the place (line, column) where that is.
    pub(super) fields: Vec<(String, Place)>,
    /// Whether it asks what day or time it is, and where.
    pub(super) moment: Option<Place>,
}

/// What cannot be in a formula, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) place: Place,
    pub(super) text: Text,
}

/// Reads an expression sign by sign.
struct Scanner<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: u32,
    column: u32,
}

/// A part of an expression.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Number,
    Sign(char),
}

/// Finds the fields of `record`. It can be named only as `record.field`, `record?.field` and `record["field"]`.
pub(super) fn scan(source: &str) -> Result<Found, Wrong> {
    let mut scanner = Scanner { rest: source.chars().peekable(), line: 1, column: 0 };
    let mut tokens = Vec::new();
    while let Some((token, place)) = scanner.next()? {
        tokens.push((token, place));
    }
    let mut found = Found::default();
    for (at, (token, place)) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map(|(token, _)| token);
        let Token::Name(name) = token else { continue };
        match name.as_str() {
            "record" if before != Some(&Token::Sign('.')) => {
                let after: Vec<&Token> = tokens.iter().skip(at + 1).take(3).map(|(token, _)| token).collect();
                let field = field(&after).ok_or_else(|| Wrong {
                    place: *place,
                    text: Text::new(
                        "`record` stands only before the name of a field: `record.amount`",
                        "`record` 之后只能是字段名，例如 `record.amount`",
                    ),
                })?;
                if !found.fields.iter().any(|(known, _)| known == field) {
                    found.fields.push((field.to_owned(), *place));
                }
            }
            "today" | "now" if before != Some(&Token::Sign('.')) => {
                found.moment = found.moment.or(Some(*place))
            }
            _ => {}
        }
    }
    Ok(found)
}

fn field<'t>(after: &[&'t Token]) -> Option<&'t str> {
    match after {
        [Token::Sign('.'), Token::Name(field), ..]
        | [Token::Sign('?'), Token::Sign('.'), Token::Name(field), ..]
        | [Token::Sign('['), Token::Text(field), Token::Sign(']')] => Some(field),
        _ => None,
    }
}

impl Scanner<'_> {
    fn take(&mut self) -> Option<char> {
        let sign = self.rest.next()?;
        if sign == '\n' {
            (self.line, self.column) = (self.line + 1, 0);
        } else {
            self.column += 1;
        }
        Some(sign)
    }

    fn take_while(&mut self, first: Option<char>, wanted: impl Fn(char) -> bool) -> String {
        let mut taken: String = first.into_iter().collect();
        while self.rest.peek().is_some_and(|sign| wanted(*sign)) {
            taken.extend(self.take());
        }
        taken
    }

    fn next(&mut self) -> Result<Option<(Token, Place)>, Wrong> {
        loop {
            let Some(sign) = self.take() else { return Ok(None) };
            let place = (self.line, self.column);
            let inner = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
            let token = match sign {
                _ if sign.is_whitespace() => continue,
                '/' if self.rest.peek() == Some(&'/') => {
                    self.take_while(None, |sign| sign != '\n');
                    continue;
                }
                '/' if self.rest.peek() == Some(&'*') => {
                    let text = Text::new("a formula has no `/* */`", "公式中不能使用 `/* */`");
                    return Err(Wrong { place, text });
                }
                '`' => {
                    let text = Text::new(
                        "a formula has no texts in backticks: put texts together with `+`",
                        "公式中不能使用反引号文本：请用 `+` 连接文本",
                    );
                    return Err(Wrong { place, text });
                }
                '"' | '\'' => Token::Text(self.text(sign)),
                '0'..='9' => {
                    self.take_while(None, inner);
                    Token::Number
                }
                _ if sign.is_ascii_alphabetic() || sign == '_' => {
                    Token::Name(self.take_while(Some(sign), inner))
                }
                sign if sign == '#' || sign == '@' => {
                    let text = bilingual!("a formula has no `{sign}`", "公式中不能使用 `{sign}`");
                    return Err(Wrong { place, text });
                }
                // A range, not what comes before a property.
                '.' if self.rest.peek() == Some(&'.') => {
                    self.take();
                    Token::Sign('…')
                }
                sign => Token::Sign(sign),
            };
            return Ok(Some((token, place)));
        }
    }

    /// The text after its opening quote. One that does not end is for the compiler to refuse.
    fn text(&mut self, quote: char) -> String {
        let mut text = String::new();
        while let Some(sign) = self.take() {
            match sign {
                '\\' => text.extend(self.take()),
                _ if sign == quote => break,
                _ => text.push(sign),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(source: &str) -> Vec<String> {
        scan(source).unwrap().fields.into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn fields_are_found_wherever_the_record_is_named() {
        assert_eq!(fields("record.amount * record . probability / 100.0"), ["amount", "probability"]);
        assert_eq!(fields(r#"record["amount"] + record?.amount ?? 0"#), ["amount"]);
        assert_eq!(fields("\"record.x \\\" record.y\" + record.z // record.w"), ["z"]);
        assert_eq!(fields("1..record.last"), ["last"]);
        assert_eq!(fields("record.price.amount"), ["price"]);
        assert_eq!(scan("\n  today() - record.due").unwrap().moment, Some((2, 3)));
        assert_eq!(scan("record.today").unwrap().moment, None);
    }

    #[test]
    fn what_hides_a_field_is_refused_with_its_place() {
        for (source, place) in [
            ("record", (1, 1)),
            ("record[name]", (1, 1)),
            ("1 +\n len(record)", (2, 6)),
            ("`${record.x}`", (1, 1)),
            ("1 /* record */", (1, 3)),
            ("#{a: 1}", (1, 1)),
        ] {
            assert_eq!(scan(source).unwrap_err().place, place, "{source}");
        }
    }
}
