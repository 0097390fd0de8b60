//! Checks what `service-workflow` returns.

use super::{Check, is_name, unique};
use crate::Suggestion;

/// Suggestions for one record.
const SUGGESTIONS_MAX: usize = 10;
/// What can be missing at once before a record may be closed.
const REQUIREMENTS_MAX: usize = 100;

/// Checks names and count of suggestions.
pub(crate) fn suggestions(suggestions: Vec<Suggestion>) -> Check<Vec<Suggestion>> {
    if suggestions.len() > SUGGESTIONS_MAX {
        return Err(format!("{} suggestions, at most {SUGGESTIONS_MAX}", suggestions.len()));
    }
    unique("suggestion", suggestions.iter().map(|suggestion| suggestion.name.as_str()))?;
    for Suggestion { name, label, .. } in &suggestions {
        if !is_name(name, false) {
            return Err(format!(
                "suggestion `{name}` is not of the form [a-z][a-z0-9_]*, at most 40 characters"
            ));
        }
        if label.en.is_empty() {
            return Err(format!("suggestion `{name}` has no label"));
        }
    }
    Ok(suggestions)
}

/// Checks that not too much is missing.
pub(crate) fn requirements_count(requirements: usize) -> Check {
    if requirements > REQUIREMENTS_MAX {
        return Err(format!("{requirements} requirements, at most {REQUIREMENTS_MAX}"));
    }
    Ok(())
}
