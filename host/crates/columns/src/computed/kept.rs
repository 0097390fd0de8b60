//! Which columns there are to keep.

use std::sync::Arc;

use trellis_model::{
    Computed, Currency, FieldDefinition, FieldName, ObjectDefinition, ObjectId, ObjectName, RollUp,
    RollUpFunction, SystemField,
};
use trellis_records::Schema;

use super::column::{Column, Form};
use super::figure::{By, Figure, form};
use super::{Fresh, Window};

/// A computed field that has a column.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) object: ObjectId,
    pub(super) object_name: ObjectName,
    pub(super) field: FieldDefinition,
    pub(super) source: Source,
    /// The computed fields that decide its values, as they are defined: with others it is another column.
    pub(super) defined: Vec<FieldDefinition>,
    /// `None` until it was read from the records.
    pub(super) column: Option<Arc<Column>>,
    /// That of the scan that it was read with.
    pub(super) window: Window,
    pub(super) fresh: Fresh,
}

/// Where a column's values come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Formula(Form),
    RollUp { child: ObjectId, roll_up: RollUp, figure: Figure },
}

impl Kept {
    /// All that a schema asks for; what does not fit together is left out, and so has no value.
    pub(super) fn wanted(schema: &Schema, base: Currency) -> Vec<Self> {
        let mut wanted = Vec::new();
        for object in schema.objects().filter(|object| object.ordinals) {
            for field in &object.fields {
                wanted.extend(Self::of(schema, object, field, base));
            }
        }
        // A stored formula may read a roll-up.
        wanted.sort_by_key(|kept| matches!(kept.source, Source::Formula(_)));
        wanted
    }

    fn of(
        schema: &Schema,
        object: &ObjectDefinition,
        field: &FieldDefinition,
        base: Currency,
    ) -> Option<Self> {
        let (source, computed_by) = match field.computed.as_ref()? {
            Computed::Formula(formula) if formula.stored => {
                (Source::Formula(Form::of(&field.field_type, base)), object)
            }
            Computed::Formula(_) => return None,
            Computed::RollUp(roll_up) => {
                let child = schema.object(roll_up.object.as_str())?;
                let figure = figure(child, field, roll_up, base)?;
                (Source::RollUp { child: child.id, roll_up: roll_up.clone(), figure }, &**child)
            }
        };
        let defined = computed_by.fields.iter().filter(|field| field.computed.is_some());
        let label_free = |field: &FieldDefinition| FieldDefinition {
            computed: field.computed.clone(),
            ..FieldDefinition::new(field.id, field.name.clone(), Default::default(), field.field_type.clone())
        };
        let defined = defined.chain([field]).map(label_free).collect();
        Some(Self {
            object: object.id,
            object_name: object.name.clone(),
            field: field.clone(),
            source,
            defined,
            column: None,
            window: (0, 0),
            fresh: Fresh::new(),
        })
    }

    /// Whether another has the same values.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.object, &self.defined) == (other.object, &other.defined) && self.field.id == other.field.id
    }
}

fn figure(
    child: &ObjectDefinition,
    field: &FieldDefinition,
    roll_up: &RollUp,
    base: Currency,
) -> Option<Figure> {
    let number = |name: &FieldName| child.field(name.as_str()).map(|field| field.id);
    let of = match &roll_up.field {
        Some(name) => Some(number(name)?),
        None => None,
    };
    let by = match &roll_up.by {
        None => By::Created,
        Some(name) => match SystemField::of(name.as_str()) {
            Some(system) => By::system(system),
            None => By::Field(number(name)?),
        },
    };
    // The last date by that same date is the greatest, which a new child alone can tell.
    let function = match (roll_up.function, by) {
        (RollUpFunction::Last, By::Field(field)) if Some(field) == of => RollUpFunction::Max,
        (function, _) => function,
    };
    let form = form(roll_up.function, &field.field_type, base);
    Some(Figure { function, field: of, by, form })
}
