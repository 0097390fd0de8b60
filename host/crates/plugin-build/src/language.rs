//! In which language a plugin is written.

use std::path::Path;

use crate::error::{Error, Result};

/// The languages that [`crate::build`] knows the tools of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    JavaScript,
    Python,
}

/// The file that says so, and that the language's own tools read too.
const MARKS: [(&str, Language); 3] = [
    ("Cargo.toml", Language::Rust),
    ("package.json", Language::JavaScript),
    ("pyproject.toml", Language::Python),
];

impl Language {
    /// Decides by the files in `folder`.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let found: Vec<_> = MARKS.iter().filter(|(file, _)| folder.join(file).is_file()).collect();
        match found.as_slice() {
            [] => Err(Error::NoLanguage { folder: folder.to_owned() }),
            [(_, language)] => Ok(*language),
            several => Err(Error::SeveralLanguages {
                folder: folder.to_owned(),
                files: several.iter().map(|(file, _)| *file).collect(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_decides() {
        let folder = tempfile::tempdir().unwrap();
        let message = || Language::of(folder.path()).unwrap_err().to_string();
        assert!(message().contains("neither Cargo.toml (Rust) nor package.json"), "{}", message());
        std::fs::write(folder.path().join("pyproject.toml"), "").unwrap();
        assert_eq!(Language::of(folder.path()).unwrap(), Language::Python);
        std::fs::write(folder.path().join("package.json"), "").unwrap();
        assert!(message().contains("holds package.json and pyproject.toml: "), "{}", message());
    }
}
