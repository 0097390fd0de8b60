//! An aggregation that met its schema.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;
use trellis_model::{
    Bucket, FieldId, FieldName, FieldType, Path, Phrase, Record, RecordId, Text, Value, bilingual,
};

use super::{Aggregation, Function, GroupBy, Measure, ResultColumn};
use crate::index::Column;
use crate::query::compile::{Compiler, Node, Source};
use crate::schema::Object;
use crate::{Error, Limits, Records, Result};

/// An aggregation over the records of one object.
pub(super) struct Prepared {
    pub(super) keys: Vec<KeyPart>,
    pub(super) measures: Vec<MeasurePart>,
    pub(super) key_columns: Vec<ResultColumn>,
    pub(super) value_columns: Vec<ResultColumn>,
    pub(super) time_zone: TimeZone,
}

/// A value of each record.
pub(super) struct Part {
    pub(super) source: Source,
    /// Values that lie beyond a reference, by the first record on the way.
    followed: HashMap<RecordId, Option<Value>>,
}

pub(super) struct KeyPart {
    pub(super) part: Part,
    pub(super) bucket: Option<Bucket>,
}

pub(super) struct MeasurePart {
    pub(super) function: Function,
    /// `None` counts records.
    pub(super) part: Option<Part>,
    pub(super) node: Option<Node>,
    /// The type of what is reckoned with; `None` where it is not known before it is read.
    pub(super) kind: Option<FieldType>,
}

/// References beyond which values are remembered; more are forgotten and read again.
const FOLLOWED_MAX: usize = 100_000;

impl Prepared {
    pub(super) fn new(
        compiler: &Compiler<'_>,
        object: &Object,
        aggregation: &Aggregation,
        limits: &Limits,
    ) -> Result<Self> {
        let (groups, measures) = (aggregation.group_by.len(), aggregation.measures.len());
        let within = |what, count, count_max| {
            if count > count_max { Err(Error::TooMany { what, count, count_max }) } else { Ok(()) }
        };
        within(Phrase::new("fields to group by", "分组字段数"), groups, limits.group_fields_max)?;
        within(Phrase::new("aggregates", "聚合数"), measures, limits.measures_max)?;
        within(Phrase::new("groups in an answer", "返回的分组数"), aggregation.limit, limits.groups_max)?;
        let mut prepared = Self {
            keys: Vec::new(),
            measures: Vec::new(),
            key_columns: Vec::new(),
            value_columns: Vec::new(),
            time_zone: compiler.config.time_zone.clone(),
        };
        for group_by in &aggregation.group_by {
            prepared.add_key(compiler, object, group_by)?;
        }
        for measure in &aggregation.measures {
            prepared.add_measure(compiler, object, measure)?;
        }
        Ok(prepared)
    }

    fn add_key(&mut self, compiler: &Compiler<'_>, object: &Object, group_by: &GroupBy) -> Result<()> {
        let GroupBy { name, path, bucket } = group_by;
        let source = compiler.source(object, path, &path.0)?;
        let kind = compiler.kind(object, &source)?;
        let field_type = match (kind, bucket) {
            (Some(FieldType::Date | FieldType::Time), Some(_)) => Some(FieldType::Date),
            (_, Some(bucket)) => {
                let bucket = bucket.name();
                return Err(Error::Query(bilingual!(
                    "`{path}` cannot be grouped by {bucket}: it is neither a date nor a time",
                    "`{path}` 不能按 {bucket} 分组：它既不是日期也不是时间"
                )));
            }
            (Some(FieldType::Json), None) => {
                let (en, zh) = ("cannot be grouped by", "不能作为分组字段");
                return Err(Error::Query(bilingual!("`{path}` {en}", "`{path}` {zh}")));
            }
            (Some(FieldType::MultiChoice { options }), None) => Some(FieldType::Choice { options }),
            (Some(FieldType::List { of }), None) => Some(*of),
            (kind, None) => kind,
        };
        let name = self.name(name.as_deref(), path.to_string())?;
        self.key_columns.push(ResultColumn { name, field_type });
        self.keys.push(KeyPart { part: Part::new(source), bucket: *bucket });
        Ok(())
    }

    fn add_measure(&mut self, compiler: &Compiler<'_>, object: &Object, measure: &Measure) -> Result<()> {
        let function = measure.function;
        let source = measure.path.as_ref().map(|path| compiler.source(object, path, &path.0)).transpose()?;
        let kind = source.as_ref().map(|source| compiler.kind(object, source)).transpose()?.flatten();
        let path = measure.path.as_ref().map(Path::to_string);
        if source.is_none() && function != Function::Count {
            let function = function.name();
            return Err(Error::Query(bilingual!("`{function}` needs a field", "`{function}` 需要字段")));
        }
        if let Function::Percentile(share) = function
            && !(0.0..=1.0).contains(&share)
        {
            let (en, zh) =
                ("a percentile is a share from 0 to 1, such as 0.9", "百分位为 0 到 1 之间的比例，例如 0.9");
            return Err(Error::Query(Text::new(en, zh)));
        }
        if !kind.as_ref().is_none_or(|kind| takes(function, kind)) {
            let (function, path) = (function.name(), path.unwrap_or_default());
            return Err(Error::Query(bilingual!(
                "`{function}` does not apply to `{path}`",
                "`{function}` 不适用于 `{path}`"
            )));
        }
        let field_type = match (function, &kind) {
            (Function::Count | Function::CountDistinct, _) => Some(FieldType::Integer),
            (Function::Avg | Function::Median | Function::Percentile(_), Some(FieldType::Integer)) => {
                Some(FieldType::Number)
            }
            (_, kind) => kind.clone(),
        };
        let default = match &path {
            None => function.name().to_owned(),
            Some(path) => format!("{}_{}", function.name(), path.replace('.', "_")),
        };
        let name = self.name(measure.name.as_deref(), default)?;
        let node = measure.filter.as_ref().map(|filter| compiler.filter(object, filter)).transpose()?;
        self.value_columns.push(ResultColumn { name, field_type });
        self.measures.push(MeasurePart { function, part: source.map(Part::new), node, kind });
        Ok(())
    }

    /// A name that no other result has.
    fn name(&self, given: Option<&str>, default: String) -> Result<String> {
        let name = match given {
            Some(name) => FieldName::new(name)?.to_string(),
            None => default,
        };
        if self.columns().any(|column| column.name == name) {
            return Err(Error::Query(bilingual!(
                "two results are called `{name}`: name one of them with `as`",
                "有两个结果都叫 `{name}`：请用 `as` 为其中一个命名"
            )));
        }
        Ok(name)
    }

    /// Keys, then values.
    pub(super) fn columns(&self) -> impl Iterator<Item = &ResultColumn> {
        self.key_columns.iter().chain(&self.value_columns)
    }

    /// Every source that is read for each record.
    fn parts(&self) -> impl Iterator<Item = &Part> {
        let measured = self.measures.iter().filter_map(|measure| measure.part.as_ref());
        self.keys.iter().map(|key| &key.part).chain(measured)
    }

    /// The fields of a record that are needed.
    pub(super) fn fields(&self, node: &Node) -> BTreeSet<FieldId> {
        let mut fields = BTreeSet::new();
        node.add_fields(&mut fields);
        self.measures
            .iter()
            .filter_map(|measure| measure.node.as_ref())
            .for_each(|node| node.add_fields(&mut fields));
        self.parts().for_each(|part| part.source.add_fields(&mut fields));
        fields
    }

    /// Reads what lies beyond the references of a record, so that [`Part::value`] has it.
    pub(super) async fn follow(&mut self, records: &Records, record: &Record) -> Result<()> {
        let measured = self.measures.iter_mut().filter_map(|measure| measure.part.as_mut());
        for part in self.keys.iter_mut().map(|key| &mut key.part).chain(measured) {
            let Source::Follow(follow) = &part.source else { continue };
            let Some(Value::Reference(id)) = record.fields.get(&follow.field) else { continue };
            if !part.followed.contains_key(id) {
                let derived = records.derived();
                let value = records.value(&part.source, record, derived.as_deref()).await?;
                if part.followed.len() >= FOLLOWED_MAX {
                    part.followed.clear();
                }
                part.followed.insert(*id, value);
            }
        }
        Ok(())
    }
}

impl Part {
    fn new(source: Source) -> Self {
        Self { source, followed: HashMap::new() }
    }

    /// The value of a record that was followed.
    pub(super) fn value<'r>(
        &'r self,
        record: &'r Record,
        derived: Option<&dyn crate::DerivedFields>,
    ) -> Option<std::borrow::Cow<'r, Value>> {
        match &self.source {
            Source::Follow(follow) => match record.fields.get(&follow.field) {
                Some(Value::Reference(id)) => self.followed.get(id)?.as_ref().map(std::borrow::Cow::Borrowed),
                _ => None,
            },
            source => crate::query::evaluate::local_value(source, record, derived),
        }
    }
}

/// Whether a function has a meaning for a type.
fn takes(function: Function, kind: &FieldType) -> bool {
    match function {
        Function::Count => true,
        Function::CountDistinct => !matches!(kind, FieldType::Json),
        Function::Sum | Function::Avg | Function::Median | Function::Percentile(_) => {
            matches!(kind, FieldType::Number | FieldType::Integer | FieldType::Money)
        }
        Function::Min | Function::Max => kind.is_sortable(),
    }
}

impl Node {
    /// Adds the fields of the record itself that decide.
    fn add_fields(&self, fields: &mut BTreeSet<FieldId>) {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().for_each(|node| node.add_fields(fields)),
            Self::Not(node) => node.add_fields(fields),
            Self::Test(test) => test.source.add_fields(fields),
            // Found by the record's id.
            Self::Related(_) => {}
        }
    }
}

impl Source {
    fn add_fields(&self, fields: &mut BTreeSet<FieldId>) {
        match self {
            Self::Column(Column::Field(field)) => drop(fields.insert(*field)),
            Self::Follow(follow) => drop(fields.insert(follow.field)),
            // In every record's header.
            Self::Column(Column::System(_)) | Self::Derived(..) => {}
            Self::Formula(formula, _) => formula.add_fields(fields),
            Self::Quality(measure, _) => measure.add_fields(fields),
        }
    }
}
