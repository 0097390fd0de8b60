use jiff::civil::Date;
use trellis_model::{
    Covering, FieldDefinition, FieldId, FieldName, FieldType, Filter, ObjectDefinition, ObjectId, ObjectName,
    Published,
};
use trellis_records::Schema;

use crate::related::{Figure, Followed, Related, RelatedSource, Window, check_title, rolled_up, texts_of};
use crate::{Error, Result};

/// What a plugin or report reads about each customer: one column after another.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetSpec {
    /// The object whose records are the rows; it has ordinals.
    pub object: ObjectName,
    /// The columns in the order in which batches hold them.
    pub columns: Vec<DatasetColumn>,
}

/// A column of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetColumn {
    /// Its name within batches.
    pub name: String,
    /// Where its values come from.
    pub source: ColumnSource,
}

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnSource {
    /// A field of the record itself, as it is now (also for a past date).
    Field(FieldName),
    /// As [`ColumnSource::Field`], where the reader does not know which field it is: texts come as a dictionary, whether they repeat or not.
    CodedField(FieldName),
    /// Something about all events of the record, up to the date asked for. Where the events have a covering index over a reference to
    /// the dataset's object and over this time, it is kept, and only records that have such events have a row; otherwise it is as a
    /// [`Related`] with the same figure.
    Aggregate {
        /// The events.
        events: ObjectName,
        /// The field that is their time.
        time: FieldName,
        /// What about them.
        aggregate: Aggregate,
    },
    /// A figure over records that refer to the record.
    Related(Box<Related>),
    /// A score, its band or the value of a segmentation, as readers see it now: a number, or texts as a dictionary. Null where there is
    /// none of this name for the dataset's object, and for a past date.
    Published(Published),
    /// What the reader may not see: a column like this one, in which no row has a value.
    Withheld(Box<ColumnSource>),
}

impl ColumnSource {
    /// Where the values would come from if they were not withheld.
    pub fn seen(&self) -> &Self {
        match self {
            Self::Withheld(source) => source,
            source => source,
        }
    }

    /// The records whose changes change what the column holds because they refer to the dataset's record, with their reference to it: those
    /// that a figure or a roll-up is about. None where nothing is shown.
    pub fn followed(&self, schema: &Schema, object: &ObjectDefinition) -> Vec<(ObjectId, FieldId)> {
        let related = match self {
            Self::Related(related) => Related::clone(related),
            Self::Aggregate { events, time, aggregate } => aggregate.as_related(events, time),
            Self::Field(name) | Self::CodedField(name) => {
                let field = object.field(name.as_str());
                let followed = field.map(|field| rolled_up(schema, object, field)).unwrap_or_default();
                return followed.iter().map(Followed::reference).collect();
            }
            Self::Published(_) | Self::Withheld(_) => return Vec::new(),
        };
        let reference = related.reference(schema, object);
        reference.map(|(of, by)| (of.id, by.id)).into_iter().collect()
    }
}

/// What an aggregate column says about the events of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregate {
    /// How many there are (a whole number).
    Count,
    /// The sum of a field that the covering index carries. Events without a value add nothing. Money is summed in minor units of
    /// the base currency, exactly; whole numbers exactly too; numbers in the order of time and id. Null where the sum passes 64 bits.
    Sum(FieldName),
    /// The time of the earliest: a date or a time, as the time field is. Null where there are none.
    First,
    /// The time of the latest.
    Last,
}

impl Aggregate {
    /// The same said of records that may have no covering index.
    fn as_related(&self, events: &ObjectName, time: &FieldName) -> Related {
        let figure = match self {
            Self::Count => Figure::Count,
            Self::Sum(field) => Figure::Sum(field.clone()),
            Self::First => Figure::First,
            Self::Last => Figure::Last,
        };
        Related {
            object: events.clone(),
            by: None,
            filter: Filter::everything(),
            time: Some(time.clone()),
            window: Window::default(),
            repeat: false,
            figure,
        }
    }
}

/// Up to when events count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AsOf {
    /// All events there are.
    Now,
    /// Events up to the end of this day, in the organisation's time zone.
    Date(Date),
}

/// An events object as features need it, resolved against the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventSource {
    pub(crate) events: ObjectId,
    pub(crate) events_name: ObjectName,
    pub(crate) target: ObjectId,
    pub(crate) target_name: ObjectName,
    pub(crate) target_field: FieldId,
    pub(crate) time_field: FieldId,
    pub(crate) time_is_date: bool,
    pub(crate) values: Vec<EventValue>,
}

/// A value that events carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventValue {
    pub(crate) field: FieldId,
    pub(crate) name: FieldName,
    pub(crate) kind: EventValueKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventValueKind {
    Number,
    Integer,
    Money,
}

/// A dataset resolved against the schema: its sources, and which of them each column reads.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) object: ObjectId,
    pub(crate) object_name: ObjectName,
    pub(crate) sources: Vec<EventSource>,
    pub(crate) related: Vec<RelatedSource>,
    /// Records that refer to the rows' and change them.
    pub(crate) followed: Vec<Followed>,
    pub(crate) columns: Vec<PlannedColumn>,
}

#[derive(Debug, Clone)]
pub(crate) struct PlannedColumn {
    pub(crate) name: String,
    pub(crate) source: PlannedSource,
    /// Whether no row gets its value.
    pub(crate) withheld: bool,
    /// Whether texts come as a dictionary.
    pub(crate) coded: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum PlannedSource {
    Field(Box<FieldDefinition>),
    Count { source: usize },
    Sum { source: usize, value: usize },
    First { source: usize },
    Last { source: usize },
    Related { source: usize, figure: usize },
    Published(Published),
}

impl EventSource {
    /// The source that an object with a covering index is.
    pub(crate) fn of(schema: &Schema, events: &ObjectDefinition) -> Option<Self> {
        let Covering { target, time, values } = events.covering.as_ref()?;
        let target_field = events.field(target.as_str())?;
        let FieldType::Reference { object } = &target_field.field_type else { return None };
        let target = schema.object(object.as_str()).filter(|target| target.ordinals)?;
        let time = events.field(time.as_str())?;
        let value = |name: &FieldName| {
            let field = events.field(name.as_str())?;
            let kind = match field.field_type {
                FieldType::Integer => EventValueKind::Integer,
                FieldType::Money => EventValueKind::Money,
                _ => EventValueKind::Number,
            };
            Some(EventValue { field: field.id, name: name.clone(), kind })
        };
        Some(Self {
            events: events.id,
            events_name: events.name.clone(),
            target: target.id,
            target_name: target.name.clone(),
            target_field: target_field.id,
            time_field: time.id,
            time_is_date: matches!(time.field_type, FieldType::Date),
            values: values.iter().map(value).collect::<Option<_>>()?,
        })
    }
}

impl Plan {
    /// Resolves a dataset.
    ///
    /// # Errors
    /// Names the object or column that cannot be given, and why.
    pub(crate) fn of(schema: &Schema, spec: &DatasetSpec) -> Result<Self> {
        let object = schema.object(spec.object.as_str()).filter(|object| object.ordinals);
        let object = object.ok_or_else(|| Error::UnknownObject { object: spec.object.to_string() })?;
        let mut plan = Self {
            object: object.id,
            object_name: object.name.clone(),
            sources: Vec::new(),
            related: Vec::new(),
            followed: Vec::new(),
            columns: Vec::with_capacity(spec.columns.len()),
        };
        for (place, column) in spec.columns.iter().enumerate() {
            let wrong = |reason: String| Error::InvalidDataset { column: column.name.clone(), reason };
            if spec.columns.iter().take(place).any(|other| other.name == column.name) {
                return Err(wrong("the name is there twice".into()));
            }
            let withheld = matches!(column.source, ColumnSource::Withheld(_));
            let source = match column.source.seen() {
                ColumnSource::Withheld(_) => return Err(wrong("it is withheld twice".into())),
                ColumnSource::Field(name) | ColumnSource::CodedField(name) => {
                    let field = plan_field(schema, object, name).map_err(wrong)?;
                    if !withheld {
                        let followed = rolled_up(schema, object, &field);
                        followed.into_iter().for_each(|followed| followed.join(&mut plan.followed));
                    }
                    PlannedSource::Field(field)
                }
                ColumnSource::Aggregate { events, time, aggregate } => {
                    plan.aggregate(schema, object, events, time, (aggregate, withheld)).map_err(wrong)?
                }
                ColumnSource::Related(related) => {
                    plan.related(schema, object, related, withheld).map_err(wrong)?
                }
                ColumnSource::Published(published) => PlannedSource::Published(published.clone()),
            };
            let coded = matches!(column.source.seen(), ColumnSource::CodedField(_));
            plan.columns.push(PlannedColumn { name: column.name.clone(), source, withheld, coded });
        }
        Ok(plan)
    }

    /// Whether a column is a computed field, which follows what it is made of a little later.
    pub(crate) fn reads_computed(&self) -> bool {
        let is_computed = |source: &PlannedSource| matches!(source, PlannedSource::Field(field) if field.computed.is_some());
        self.columns.iter().any(|column| is_computed(&column.source))
    }

    /// Whether a column needs the records themselves.
    pub(crate) fn reads_fields(&self) -> bool {
        self.columns.iter().any(|column| matches!(column.source, PlannedSource::Field(_)))
    }

    fn related(
        &mut self,
        schema: &Schema,
        object: &ObjectDefinition,
        related: &Related,
        withheld: bool,
    ) -> Result<PlannedSource, String> {
        let source = RelatedSource::of(schema, object, related, withheld)?;
        if !withheld {
            source.followed().join(&mut self.followed);
        }
        let (source, figure) = source.share(&mut self.related);
        Ok(PlannedSource::Related { source, figure })
    }

    fn aggregate(
        &mut self,
        schema: &Schema,
        object: &ObjectDefinition,
        events: &ObjectName,
        time: &FieldName,
        (aggregate, withheld): (&Aggregate, bool),
    ) -> Result<PlannedSource, String> {
        let definition =
            schema.object(events.as_str()).ok_or_else(|| format!("there is no object `{events}`"))?;
        let covers = definition.covering.as_ref().is_some_and(|covering| covering.time == *time);
        let source =
            EventSource::of(schema, definition).filter(|source| covers && source.target == self.object);
        let Some(source) = source else {
            return self.related(schema, object, &aggregate.as_related(events, time), withheld);
        };
        let value = match aggregate {
            Aggregate::Sum(field) => source.values.iter().position(|value| value.name == *field),
            _ => Some(0),
        };
        let known = self.sources.iter().position(|known| known.events == source.events);
        let source = known.unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        // Who has a row depends on the events, whether or not their index carries what is summed.
        let Some(value) = value else {
            return self.related(schema, object, &aggregate.as_related(events, time), withheld);
        };
        Ok(match aggregate {
            Aggregate::Count => PlannedSource::Count { source },
            Aggregate::Sum(_) => PlannedSource::Sum { source, value },
            Aggregate::First => PlannedSource::First { source },
            Aggregate::Last => PlannedSource::Last { source },
        })
    }
}

/// A field as a column.
pub(crate) fn plan_field(
    schema: &Schema,
    object: &ObjectDefinition,
    name: &FieldName,
) -> Result<Box<FieldDefinition>, String> {
    let field =
        object.field(name.as_str()).ok_or_else(|| format!("`{}` has no field `{name}`", object.name))?;
    let cannot = || Err(format!("a {} cannot be a column", field.field_type.name()));
    match &field.field_type {
        FieldType::Json => return cannot(),
        FieldType::List { of } => match texts_of(schema, of) {
            None => return cannot(),
            Some(None) => {}
            Some(Some(named)) => check_title(schema, &named)?,
        },
        _ => {}
    }
    Ok(Box::new(field.clone()))
}
