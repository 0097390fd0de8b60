use std::collections::{BTreeMap, BTreeSet};

use crate::{FieldName, Filter, ObjectName};

/// What a caller may read and write. Every read and write of `records` and `columns` takes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    default: ObjectScope,
    objects: BTreeMap<ObjectName, ObjectScope>,
}

/// What a caller may do with one object.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectScope {
    /// Which records exist for the caller.
    pub rows: RowAccess,
    /// Which fields can be read, filtered, sorted, exported.
    pub readable: FieldAccess,
    /// Which fields can be written.
    pub writable: FieldAccess,
}

/// Which records a caller sees. A record that is out of scope does not exist for it.
#[derive(Debug, Clone, PartialEq)]
pub enum RowAccess {
    /// All of them.
    All,
    /// Those that the filter matches.
    Where(Filter),
    /// None.
    Nothing,
}

/// A set of fields.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldAccess {
    /// Every field, also those that are added later.
    All,
    /// These.
    Only(BTreeSet<FieldName>),
    /// Every field but these.
    Except(BTreeSet<FieldName>),
}

impl Scope {
    /// No limits: the administrator, and the host itself.
    pub fn everything() -> Self {
        Self { default: ObjectScope::everything(), objects: BTreeMap::new() }
    }

    /// Nothing at all, to be widened object by object.
    pub fn nothing() -> Self {
        Self { default: ObjectScope::nothing(), objects: BTreeMap::new() }
    }

    /// The same scope with another one for an object.
    #[must_use]
    pub fn with(mut self, object: ObjectName, scope: ObjectScope) -> Self {
        self.objects.insert(object, scope);
        self
    }

    /// The scope for an object.
    pub fn of(&self, object: &ObjectName) -> &ObjectScope {
        self.objects.get(object).unwrap_or(&self.default)
    }
}

impl ObjectScope {
    /// No limits.
    pub fn everything() -> Self {
        Self { rows: RowAccess::All, readable: FieldAccess::All, writable: FieldAccess::All }
    }

    /// Nothing.
    pub fn nothing() -> Self {
        let none = || FieldAccess::Only(BTreeSet::new());
        Self { rows: RowAccess::Nothing, readable: none(), writable: none() }
    }
}

impl FieldAccess {
    /// Whether the field is in the set.
    pub fn contains(&self, field: &FieldName) -> bool {
        match self {
            Self::All => true,
            Self::Only(fields) => fields.contains(field),
            Self::Except(fields) => !fields.contains(field),
        }
    }
}
