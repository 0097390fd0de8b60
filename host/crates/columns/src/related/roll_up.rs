//! Which other records a computed field is made of.

use std::collections::BTreeSet;

use trellis_model::{Computed, FieldDefinition, FieldId, ObjectDefinition, ObjectId, ObjectName};
use trellis_records::Schema;

/// Records whose changes change the rows of those that they refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Followed {
    pub(super) object: ObjectId,
    pub(super) object_name: ObjectName,
    /// The reference.
    pub(super) field: FieldId,
    /// Whether only those count that are in the index of events.
    pub(super) from_index: bool,
}

impl Followed {
    /// Adds it to others, each reference once.
    pub(crate) fn join(self, others: &mut Vec<Self>) {
        let same = |other: &&mut Self| (other.object, other.field) == (self.object, self.field);
        match others.iter_mut().find(same) {
            Some(known) => known.from_index &= self.from_index,
            None => others.push(self),
        }
    }

    pub(crate) fn reference(&self) -> (ObjectId, FieldId) {
        (self.object, self.field)
    }
}

/// The records that a field of an object is rolled up from, by itself or by the fields that its formula names.
pub(crate) fn rolled_up(
    schema: &Schema,
    object: &ObjectDefinition,
    field: &FieldDefinition,
) -> Vec<Followed> {
    let (mut found, mut seen, mut open) = (Vec::new(), BTreeSet::new(), vec![field]);
    while let Some(field) = open.pop() {
        if !seen.insert(field.id) {
            continue;
        }
        match &field.computed {
            None => {}
            Some(Computed::Formula(formula)) => {
                let word = |letter: char| !(letter.is_alphanumeric() || letter == '_');
                let words: BTreeSet<&str> = formula.expression.split(word).collect();
                let computed = object.fields.iter().filter(|field| field.computed.is_some());
                open.extend(computed.filter(|field| words.contains(field.name.as_str())));
            }
            Some(Computed::RollUp(roll_up)) => {
                let child = schema.object(roll_up.object.as_str());
                let by = child.and_then(|child| Some((child, child.field(roll_up.reference.as_str())?)));
                found.extend(by.map(|(child, by)| Followed {
                    object: child.id,
                    object_name: child.name.clone(),
                    field: by.id,
                    from_index: false,
                }));
            }
        }
    }
    found
}
