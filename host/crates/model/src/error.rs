/// What is wrong with an input. The message names the input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name breaks the rules for names of its kind.
    #[error("`{name}` is not a valid {kind}: {rule}")]
    InvalidName {
        /// What the name is for.
        kind: &'static str,
        /// The name.
        name: String,
        /// The rule.
        rule: &'static str,
    },
    /// A value is not of the type that its field has.
    #[error("`{input}` is not {expected}")]
    WrongType {
        /// The input, shortened.
        input: String,
        /// What was expected, with an article: "a whole number".
        expected: String,
    },
    /// A choice is not among the options.
    #[error("`{input}` is not one of the options {options}")]
    UnknownOption {
        /// The input.
        input: String,
        /// The options, separated by commas.
        options: String,
    },
    /// A text is longer than its field allows.
    #[error("text has {characters} characters, at most {characters_max}")]
    TextTooLong {
        /// Its length.
        characters: usize,
        /// The limit.
        characters_max: usize,
    },
    /// A filter is not of the grammar. `place` is a path into the JSON tree.
    #[error("filter at {place}: {reason}")]
    InvalidFilter {
        /// Where in the tree.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// An object definition contradicts itself.
    #[error("definition of `{object}`: {reason}")]
    InvalidDefinition {
        /// Which object.
        object: String,
        /// What is wrong.
        reason: String,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Cuts an input for a message: at most 60 characters.
pub(crate) fn shorten(input: &str) -> String {
    match input.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", input.get(..end).unwrap_or_default()),
        None => input.to_owned(),
    }
}
