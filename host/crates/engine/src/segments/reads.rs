//! What the members of a filter follow from: whose changes can make somebody a member, or none any more.

use std::collections::BTreeSet;

use trellis_columns::{ColumnSource, DatasetColumn, DatasetSpec, Figure, Related, Window};
use trellis_model::{
    FieldDefinition, FieldName, FieldType, Filter, ObjectDefinition, ObjectId, ObjectName, Path, Published,
    PublishedKind, Related as RelatedFilter, SegmentationName,
};
use trellis_records::Schema;

/// What a filter over the records of an object reads.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reads {
    /// The object itself, the records that refer to it, and the results of others: a change there is told of whom it is about.
    pub(super) spec: DatasetSpec,
    /// Objects at the end of references, or further away: a change there may be about anybody.
    pub(super) beyond: BTreeSet<ObjectId>,
}

struct Reading<'a> {
    schema: &'a Schema,
    sources: Vec<ColumnSource>,
    beyond: BTreeSet<ObjectId>,
}

impl Reads {
    pub(super) fn of(schema: &Schema, object: &ObjectDefinition, filter: &Filter) -> Self {
        let mut reading = Reading { schema, sources: Vec::new(), beyond: BTreeSet::new() };
        reading.filter(object, filter);
        let mut columns: Vec<DatasetColumn> = Vec::new();
        for source in reading.sources {
            if columns.iter().all(|column| column.source != source) {
                columns.push(DatasetColumn { name: format!("c{}", columns.len()), source });
            }
        }
        Self { spec: DatasetSpec { object: object.name.clone(), columns }, beyond: reading.beyond }
    }

    /// The segmentations that are read.
    pub(super) fn segmentations(&self) -> impl Iterator<Item = &SegmentationName> {
        self.spec.columns.iter().filter_map(|column| match &column.source {
            ColumnSource::Published(Published { kind: PublishedKind::Segment, name }) => Some(name),
            _ => None,
        })
    }
}

impl Reading<'_> {
    fn filter(&mut self, object: &ObjectDefinition, filter: &Filter) {
        match filter {
            Filter::And(filters) | Filter::Or(filters) => {
                filters.iter().for_each(|filter| self.filter(object, filter));
            }
            Filter::Not(filter) => self.filter(object, filter),
            Filter::Compare { path, .. } => self.path(object, path),
            Filter::Related(related) => self.related(object, related),
        }
    }

    fn path(&mut self, object: &ObjectDefinition, path: &Path) {
        let Some((first, rest)) = path.0.split_first() else { return };
        match object.field(first.as_str()) {
            Some(field) if rest.is_empty() => self.field(field),
            Some(field) => self.follow(field, rest),
            // How good a record is follows from its own fields.
            None => self.sources.extend(Published::parse(&path.to_string()).map(ColumnSource::Published)),
        }
    }

    /// A change of the record itself is about it in any case; a roll-up and what is computed from one change with others.
    fn field(&mut self, field: &FieldDefinition) {
        if field.computed.is_some() {
            self.sources.push(ColumnSource::Field(field.name.clone()));
        }
    }

    fn follow(&mut self, field: &FieldDefinition, rest: &[FieldName]) {
        let FieldType::Reference { object } = &field.field_type else { return };
        let Some(object) = self.schema.object(object.as_str()) else { return };
        self.beyond.insert(object.id);
        if let Some((next, rest)) = rest.split_first()
            && let Some(field) = object.field(next.as_str())
        {
            self.beyond_of(object, field);
            self.follow(field, rest);
        }
    }

    /// What a computed field at the end of a reference follows from.
    fn beyond_of(&mut self, object: &ObjectDefinition, field: &FieldDefinition) {
        let source = ColumnSource::Field(field.name.clone());
        self.beyond.extend(source.followed(self.schema, object).into_iter().map(|(object, _)| object));
    }

    fn related(&mut self, object: &ObjectDefinition, related: &RelatedFilter) {
        let Some(other) = self.schema.object_by_plural(related.related.as_str()) else { return };
        let refers = |field: &&FieldDefinition| matches!(&field.field_type, FieldType::Reference { object: of } if *of == object.name);
        let Some(by) = other.fields.iter().find(refers) else { return };
        self.sources.push(ColumnSource::Related(Box::new(count_of(&other.name, &by.name))));
        if let Some(filter) = &related.filter {
            let mut inner = Reading { schema: self.schema, sources: Vec::new(), beyond: BTreeSet::new() };
            inner.filter(other, filter);
            self.beyond.extend(inner.beyond);
            for source in &inner.sources {
                self.beyond.extend(source.followed(self.schema, other).into_iter().map(|(object, _)| object));
            }
        }
    }
}

fn count_of(object: &ObjectName, by: &FieldName) -> Related {
    Related {
        object: object.clone(),
        by: Some(by.clone()),
        filter: Filter::everything(),
        time: None,
        window: Window::default(),
        repeat: false,
        figure: Figure::Count,
    }
}
