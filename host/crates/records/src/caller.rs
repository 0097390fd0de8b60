use trellis_model::{Actor, Cause, Language, Scope};

/// Who asks for a change, what for, and what it may do.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// What it may read and write.
    pub scope: Scope,
    /// Who it is.
    pub actor: Actor,
    /// Why it does so.
    pub cause: Cause,
    /// The language of messages to it.
    pub language: Language,
}

impl Caller {
    /// A part of the host itself, which may do everything.
    pub fn system(component: &str) -> Self {
        Self {
            scope: Scope::everything(),
            actor: Actor::System { component: component.to_owned() },
            cause: Cause::default(),
            language: Language::En,
        }
    }
}
