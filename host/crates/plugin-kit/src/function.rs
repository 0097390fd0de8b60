//! The functions that plugins implement, by name.

use trellis_plugin_host::manifest::Interface;

/// A function of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Function {
    /// The interface.
    pub interface: Interface,
    /// The function's name in WIT.
    pub name: &'static str,
}

/// Every function of every interface, in the order of `wit/`.
const ALL: [(Interface, &[&str]); 7] = [
    (Interface::Segmentation, &["describe", "fit", "assign", "explain"]),
    (Interface::Scoring, &["describe", "fit", "score", "explain", "rules"]),
    (Interface::CampaignRules, &["eligible", "assign-variant", "next-action", "explain", "evaluate"]),
    (Interface::ServiceWorkflow, &["triage", "on-event", "suggest", "close-check"]),
    (Interface::RecordHook, &["before-save"]),
    (Interface::ModelReport, &["describe-model"]),
    (Interface::Analysis, &["describe", "analyse"]),
];

impl Function {
    /// The functions of an interface.
    pub fn of(interface: Interface) -> impl Iterator<Item = Self> {
        let names = ALL.iter().find(|(of, _)| *of == interface).map_or(&[][..], |(_, names)| names);
        names.iter().map(move |name| Self { interface, name })
    }

    /// The function of an interface by its name.
    pub fn find(interface: Interface, name: &str) -> Option<Self> {
        Self::of(interface).find(|function| function.name == name)
    }

    /// Whether its answer has one part for each row or change, which depends on that row or change alone.
    pub fn answers_by_row(self) -> bool {
        matches!(
            self.name,
            "assign" | "score" | "explain" | "eligible" | "assign-variant" | "next-action" | "before-save"
        )
    }
}

impl std::fmt::Display for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.interface.name(), self.name)
    }
}
