//! Figures resolved against the schema, and gathered into passes.

use trellis_model::{
    FieldDefinition, FieldId, FieldName, FieldType, Filter, ObjectDefinition, ObjectId, ObjectName,
};
use trellis_records::Schema;

use super::roll_up::Followed;
use super::spec::{Figure, Related, Window};

/// Records that figures are about and that are read in one pass.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RelatedSource {
    pub(super) object: ObjectId,
    pub(super) object_name: ObjectName,
    /// The reference to the customer.
    pub(super) field: FieldId,
    pub(super) by: FieldName,
    pub(super) time: Option<TimeField>,
    /// Whether the index of events has all that is read, so that no record is touched.
    pub(super) from_index: bool,
    pub(super) figures: Vec<PlannedFigure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeField {
    pub(super) field: FieldId,
    pub(super) is_date: bool,
}

/// One figure of a pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlannedFigure {
    pub(super) filter: Filter,
    pub(super) window: Window,
    pub(super) repeat: bool,
    pub(super) about: About,
    /// Whether nobody gets it.
    pub(super) withheld: bool,
}

/// What a figure says, and of what.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum About {
    Count,
    CountDays,
    First { is_date: bool },
    Last { is_date: bool },
    Sum(Input),
    Min(Input),
    Max(Input),
    Mean(Input),
    Values { field: FieldId, of: Option<ObjectName> },
}

/// A field that a figure reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) field: FieldId,
    /// Its place among the values of the index of events, where that is read.
    pub(super) place: usize,
    pub(super) kind: InputKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputKind {
    Number,
    Integer,
    Money,
    Date,
    Time,
}

impl RelatedSource {
    /// Resolves one figure; the source holds nothing else.
    ///
    /// # Errors
    /// Says what cannot be told.
    pub(crate) fn of(
        schema: &Schema,
        target: &ObjectDefinition,
        related: &Related,
        withheld: bool,
    ) -> Result<Self, String> {
        let (object, field) = related.reference(schema, target)?;
        check_filter(object, &related.filter)?;
        let time = related.time.as_ref().map(|time| time_field(object, time)).transpose()?;
        if time.is_none() {
            let needs = |what: &str| Err(format!("{what} needs the `time` of `{}`", object.name));
            match related.figure {
                Figure::CountDays => return needs("a count of days"),
                Figure::First | Figure::Last => return needs("the first or last time"),
                _ if !related.window.is_everything() => return needs("a window"),
                _ if related.repeat => return needs("`repeat`"),
                _ => {}
            }
        }
        if related.window.within_days == Some(0) {
            return Err("a window has at least one day".into());
        }
        let mut about = about(schema, object, &related.figure, time)?;
        let from_index = reads_index(object, field, related) && place_input(object, &mut about);
        let (filter, window, repeat) = (related.filter.clone(), related.window, related.repeat);
        Ok(Self {
            object: object.id,
            object_name: object.name.clone(),
            field: field.id,
            by: field.name.clone(),
            time,
            from_index,
            figures: vec![PlannedFigure { filter, window, repeat, about, withheld }],
        })
    }

    /// Whether the figures of another source can be told in the same pass.
    fn reads_like(&self, other: &Self) -> bool {
        (self.object, self.field, self.time, self.from_index)
            == (other.object, other.field, other.time, other.from_index)
    }

    /// The records whose changes change its figures.
    pub(crate) fn followed(&self) -> Followed {
        Followed {
            object: self.object,
            object_name: self.object_name.clone(),
            field: self.field,
            from_index: self.from_index,
        }
    }

    /// Whether somebody gets one of its figures.
    pub(super) fn is_wanted(&self) -> bool {
        self.figures.iter().any(|figure| !figure.withheld)
    }

    /// Adds a source to others; returns its place among them, and that of its figure in it. A figure that is asked for twice is told once.
    pub(crate) fn share(self, sources: &mut Vec<Self>) -> (usize, usize) {
        let known = sources.iter().position(|known| known.reads_like(&self));
        let place = known.unwrap_or(sources.len());
        let Some(known) = sources.get_mut(place) else {
            sources.push(self);
            return (place, 0);
        };
        let mut figure = 0;
        for added in self.figures {
            figure = known.figures.iter().position(|known| *known == added).unwrap_or(known.figures.len());
            if figure == known.figures.len() {
                known.figures.push(added);
            }
        }
        (place, figure)
    }
}

/// Whether the index of events stands for the records: it has all of them, in the order of customers and time.
fn reads_index(object: &ObjectDefinition, by: &FieldDefinition, related: &Related) -> bool {
    let Some(covering) = &object.covering else { return false };
    covering.target == by.name
        && related.time.as_ref() == Some(&covering.time)
        && related.filter == Filter::everything()
        && !matches!(related.figure, Figure::Values(_))
}

/// Finds what a figure reads among the values of the index of events.
fn place_input(object: &ObjectDefinition, about: &mut About) -> bool {
    let input = match about {
        About::Sum(input) | About::Min(input) | About::Max(input) | About::Mean(input) => input,
        About::Count | About::CountDays | About::First { .. } | About::Last { .. } => return true,
        About::Values { .. } => return false,
    };
    let name = object.field_by_id(input.field).map(|field| &field.name);
    let values = object.covering.as_ref().map_or(&[][..], |covering| &covering.values);
    let place = values.iter().position(|value| Some(value) == name);
    input.place = place.unwrap_or(0);
    place.is_some()
}

fn time_field(object: &ObjectDefinition, name: &FieldName) -> Result<TimeField, String> {
    let field = own_field(object, name)?;
    match field.field_type {
        FieldType::Date => Ok(TimeField { field: field.id, is_date: true }),
        FieldType::Time => Ok(TimeField { field: field.id, is_date: false }),
        _ => Err(format!("`{name}` of `{}` is neither a date nor a time", object.name)),
    }
}

/// A field that stands in the record itself.
fn own_field<'a>(object: &'a ObjectDefinition, name: &FieldName) -> Result<&'a FieldDefinition, String> {
    let field =
        object.field(name.as_str()).ok_or_else(|| format!("`{name}` is no field of `{}`", object.name))?;
    if field.computed.is_some() {
        return Err(format!("`{name}` of `{}` is computed, and figures read what is stored", object.name));
    }
    Ok(field)
}

fn about(
    schema: &Schema,
    object: &ObjectDefinition,
    figure: &Figure,
    time: Option<TimeField>,
) -> Result<About, String> {
    let is_date = time.is_some_and(|time| time.is_date);
    Ok(match figure {
        Figure::Count => About::Count,
        Figure::CountDays => About::CountDays,
        Figure::First => About::First { is_date },
        Figure::Last => About::Last { is_date },
        Figure::Sum(name) => About::Sum(summed(object, name)?),
        Figure::Mean(name) => About::Mean(summed(object, name)?),
        Figure::Min(name) => About::Min(input(object, name)?),
        Figure::Max(name) => About::Max(input(object, name)?),
        Figure::Values(name) => {
            let field = own_field(object, name)?;
            let of = texts_of(schema, &field.field_type).ok_or_else(|| {
                format!("`{name}` of `{}` is a {}, which has no texts", object.name, field.field_type.name())
            })?;
            if let Some(named) = &of {
                check_title(schema, named)?;
            }
            About::Values { field: field.id, of }
        }
    })
}

fn input(object: &ObjectDefinition, name: &FieldName) -> Result<Input, String> {
    let field = own_field(object, name)?;
    let kind = match field.field_type {
        FieldType::Number => InputKind::Number,
        FieldType::Integer => InputKind::Integer,
        FieldType::Money => InputKind::Money,
        FieldType::Date => InputKind::Date,
        FieldType::Time => InputKind::Time,
        _ => {
            let kind = field.field_type.name();
            return Err(format!("`{name}` of `{}` is a {kind}, which has no order", object.name));
        }
    };
    Ok(Input { field: field.id, place: 0, kind })
}

fn summed(object: &ObjectDefinition, name: &FieldName) -> Result<Input, String> {
    let found = input(object, name)?;
    match found.kind {
        InputKind::Number | InputKind::Integer | InputKind::Money => Ok(found),
        InputKind::Date | InputKind::Time => {
            Err(format!("`{name}` of `{}` is a time, which cannot be added", object.name))
        }
    }
}

/// Whether a field's values are texts: `Some(None)` where they are, `Some(Some(object))` where they are records that have titles.
pub(crate) fn texts_of(schema: &Schema, field_type: &FieldType) -> Option<Option<ObjectName>> {
    match field_type {
        FieldType::Text { .. } | FieldType::Choice { .. } | FieldType::MultiChoice { .. } => Some(None),
        FieldType::Reference { object } => {
            schema.object(object.as_str()).map(|object| Some(object.name.clone()))
        }
        FieldType::List { of } => texts_of(schema, of),
        _ => None,
    }
}

/// A title that is personal data needs a grant of its own, which a column that does not name it cannot have.
pub(crate) fn check_title(schema: &Schema, object: &ObjectName) -> Result<(), String> {
    let definition = schema.object(object.as_str());
    let title = definition.and_then(|definition| definition.field(definition.title.as_str()));
    match title {
        Some(title) if title.personal_data => Err(format!(
            "the title of `{object}`, `{}`, is personal data and cannot be a text of a list",
            title.name
        )),
        _ => Ok(()),
    }
}

/// Only what stands in a counted record itself may decide: a change elsewhere would go unnoticed, and what is computed is as it is now.
fn check_filter(object: &ObjectDefinition, filter: &Filter) -> Result<(), String> {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter().try_for_each(|filter| check_filter(object, filter))
        }
        Filter::Not(filter) => check_filter(object, filter),
        Filter::Compare { path, .. } => match path.0.as_slice() {
            [field] if object.field(field.as_str()).is_some() => own_field(object, field).map(drop),
            _ => Err(format!("`{path}` is no field of `{}`", object.name)),
        },
        Filter::Related(_) => Err(format!("only fields of `{}` itself can be compared", object.name)),
    }
}
