//! Golden cases: inputs with the answers that their author expects, kept beside the plugin's source and carried in its component, so that
//! whoever installs the plugin can run them too. `host/docs/formats/golden-cases.md` describes the form.

mod case;
mod compare;
mod lines;
mod records;
mod report;
mod rows;
mod run;
mod values;

use serde::Deserialize;
use serde_json::Value as Json;
use trellis_plugin_host::Manifest;

use crate::calls::Input;
use crate::{Error, Result};

pub use case::Case;
pub(crate) use case::{default_context, member_columns};
pub use compare::Difference;
pub(crate) use records::Answers;
pub use report::{CaseReport, Outcome, Report};
pub(crate) use run::failure;
pub use run::{Limits, run, run_carried};
pub use values::ValueType;

/// The golden cases of a plugin.
#[derive(Debug, Clone, Default)]
pub struct Cases {
    /// Those that say what they should, and for the others why they do not.
    pub(crate) cases: Vec<(String, Result<Case>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCases {
    cases: Vec<RawNamed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNamed {
    name: String,
    case: Json,
}

impl Cases {
    /// Reads the text of the section `trellis:tests`. A single bad case is no error: running it says what is wrong with it.
    ///
    /// # Errors
    /// [`Error::NotCases`] and [`Error::TooManyCases`].
    pub fn parse(text: &str, manifest: &Manifest, cases_max: usize) -> Result<Self> {
        let raw: RawCases =
            serde_json::from_str(text).map_err(|error| Error::NotCases { reason: error.to_string() })?;
        if raw.cases.len() > cases_max {
            return Err(Error::TooManyCases { cases: raw.cases.len(), cases_max });
        }
        let case = |raw: RawNamed| (raw.name.clone(), Case::parse(&raw.name, &raw.case, manifest));
        Ok(Self { cases: raw.cases.into_iter().map(case).collect() })
    }

    /// The cases that can be run.
    pub fn usable(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter_map(|(_, case)| case.as_ref().ok())
    }

    /// What the first case of a question says with it.
    pub(crate) fn said_with(&self, question: &str) -> Option<&Json> {
        self.usable().find_map(|case| match &case.input {
            Input::Question { analysis, parameters, .. } if analysis == question => Some(parameters),
            _ => None,
        })
    }

    /// What is wrong with the others.
    pub fn problems(&self) -> impl Iterator<Item = &Error> {
        self.cases.iter().filter_map(|(_, case)| case.as_ref().err())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }
}
