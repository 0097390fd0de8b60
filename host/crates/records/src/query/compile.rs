//! A filter that met its schema: names are numbers, values are typed.

use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value as Json;
use trellis_model::{
    CountBound, FieldId, FieldName, FieldType, Filter, Money, Op, Path, Related, RowAccess, Scope,
    SystemField, Text, Value, bilingual,
};

use super::relative;
use crate::computed::{ComputedField, FormulaField, Measure, Share};
use crate::index::Column;
use crate::schema::Object;
use crate::{Config, DerivedFields, Error, Records, Result, Schema};

/// A filter over the records of one object.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Test(Box<TestNode>),
    Related(Box<RelatedNode>),
}

#[derive(Debug, Clone)]
pub(crate) struct TestNode {
    pub(super) source: Source,
    pub(super) test: Test,
    /// As it was asked for: what derived fields are asked.
    pub(super) op: Op,
    pub(super) value: Json,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Column(Column),
    /// Kept as a column; with the type of its values where it is a field of the object.
    Derived(Path, Option<FieldType>),
    Formula(Arc<FormulaField>, FieldType),
    Quality(Arc<Measure>, Share),
    Follow(Box<Follow>),
}

/// A value of a record that a reference points at; null where the caller must not see that record.
#[derive(Debug, Clone)]
pub(crate) struct Follow {
    pub(super) field: FieldId,
    pub(super) object: Object,
    pub(super) rows: Option<Node>,
    pub(super) rest: Source,
}

#[derive(Debug, Clone)]
pub(crate) struct RelatedNode {
    pub(super) object: Object,
    pub(super) field: FieldId,
    /// What must hold of a related record, the caller's scope included.
    pub(super) filter: Option<Node>,
    pub(super) sum: Option<FieldId>,
    pub(super) bounds: Vec<CountBound>,
}

/// What a value is asked.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Null(bool),
    /// One of eq, ne, gt, gte, lt, lte.
    Compare(Op, Value),
    /// One of the values, or none of them; `null` says whether a null was among them.
    In {
        values: Vec<Value>,
        null: bool,
        not: bool,
    },
    Between(Value, Value),
    /// One of contains, starts, ends, with the text in lower case.
    Text(Op, String),
    Any(Vec<Value>),
    All(Vec<Value>),
    /// A comparison with null: neither true nor false.
    Unknown,
}

/// What a filter is compiled against.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    pub(super) schema: &'a Schema,
    pub(super) config: &'a Config,
    pub(super) derived: Option<Arc<dyn DerivedFields>>,
    pub(super) records: &'a Records,
    /// Whose rights hold; `None` for filters that are part of a scope themselves.
    pub(super) scope: Option<&'a Scope>,
    /// What `today` is reckoned from, in milliseconds since 1970-01-01T00:00:00Z.
    pub(super) now_ms: i64,
}

impl Records {
    /// What compiles filters as of now.
    pub(crate) fn compiler<'a>(&'a self, schema: &'a Schema, scope: Option<&'a Scope>) -> Compiler<'a> {
        Compiler {
            schema,
            config: self.config(),
            derived: self.derived(),
            records: self,
            scope,
            now_ms: self.clock().now_ms(),
        }
    }

    /// As [`Records::compiler`], but `today` is another day.
    pub(super) fn compiler_on<'a>(
        &'a self,
        schema: &'a Schema,
        scope: Option<&'a Scope>,
        today: Option<Date>,
    ) -> Compiler<'a> {
        let compiler = self.compiler(schema, scope);
        let start = today.and_then(|today| today.to_zoned(self.config().time_zone.clone()).ok());
        let now_ms = start.map_or(compiler.now_ms, |start| start.timestamp().as_millisecond());
        Compiler { now_ms, ..compiler }
    }
}

impl Node {
    /// Whether a record alone decides it, without reading others.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().all(Self::is_local),
            Self::Not(node) => node.is_local(),
            Self::Test(test) => !matches!(test.source, Source::Follow(_)),
            Self::Related(_) => false,
        }
    }

    /// Whether the fields of a record alone decide it: nothing is read or computed.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().all(Self::is_plain),
            Self::Not(node) => node.is_plain(),
            Self::Test(test) => matches!(test.source, Source::Column(_)),
            Self::Related(_) => false,
        }
    }

    /// What must hold in any case: the node itself, or the parts of an `and`.
    pub(super) fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::And(nodes) => nodes.iter().flat_map(Self::conjuncts).collect(),
            _ => vec![self],
        }
    }
}

impl Compiler<'_> {
    /// The filter and the scope's own, in one; `None` where the scope has no records at all.
    pub(super) fn with_scope(&self, object: &Object, filter: &Filter) -> Result<Option<Node>> {
        let node = self.filter(object, filter)?;
        Ok(match self.rows(object)? {
            Rows::All => Some(node),
            Rows::Where(rows) => Some(Node::And(vec![node, rows])),
            Rows::Nothing => None,
        })
    }

    fn rows(&self, object: &Object) -> Result<Rows> {
        let Some(scope) = self.scope else { return Ok(Rows::All) };
        match &scope.of(&object.name).rows {
            RowAccess::All => Ok(Rows::All),
            RowAccess::Nothing => Ok(Rows::Nothing),
            // The scope's filter may use what its owner cannot read.
            RowAccess::Where(filter) => self.unscoped().filter(object, filter).map(Rows::Where),
        }
    }

    fn unscoped(&self) -> Compiler<'_> {
        Compiler { derived: self.derived.clone(), scope: None, ..*self }
    }

    /// Compiles a filter for the records of `object`.
    pub(crate) fn filter(&self, object: &Object, filter: &Filter) -> Result<Node> {
        let all = |filters: &[Filter]| {
            filters.iter().map(|filter| self.filter(object, filter)).collect::<Result<_>>()
        };
        Ok(match filter {
            Filter::And(filters) => Node::And(all(filters)?),
            Filter::Or(filters) => Node::Or(all(filters)?),
            Filter::Not(filter) => Node::Not(Box::new(self.filter(object, filter)?)),
            Filter::Related(related) => Node::Related(Box::new(self.related(object, related)?)),
            Filter::Compare { path, op, value } => {
                let source = self.source(object, path, &path.0)?;
                let kind = self.kind(object, &source)?;
                self.compare(source, kind.as_ref(), path, *op, value)?
            }
        })
    }

    /// Finds where the value of a path comes from. `steps` is what is left of `path`.
    pub(super) fn source(&self, object: &Object, path: &Path, steps: &[FieldName]) -> Result<Source> {
        let unknown = || Error::UnknownField { object: object.name.clone(), field: path.to_string() };
        let (first, rest) = steps.split_first().ok_or_else(unknown)?;
        let column = Column::of(object, first.as_str())
            .filter(|column| self.can_read(object, first) || matches!(column, Column::System(_)));
        match (column, rest) {
            (Some(Column::Field(field)), []) if is_computed(object, field) => {
                return self.computed(object, field, first);
            }
            (Some(column), []) => return Ok(Source::Column(column)),
            (Some(Column::Field(field)), rest) => {
                let definition = object.field_by_id(field).ok_or_else(unknown)?;
                if let FieldType::Reference { object: target } = &definition.field_type {
                    let target = self.schema.find(target)?;
                    let rows = match self.rows(&target)? {
                        Rows::All => None,
                        Rows::Where(rows) => Some(rows),
                        Rows::Nothing => Some(Node::Or(Vec::new())),
                    };
                    let rest = self.source(&target, path, rest)?;
                    return Ok(Source::Follow(Box::new(Follow { field, object: target, rows, rest })));
                }
            }
            _ => {}
        }
        if let (None, "quality", [share]) = (column, first.as_str(), rest)
            && let Some(share) = Share::of(share.as_str())
            && let Some(measure) = Measure::of(object, self.records.clock())
        {
            return Ok(Source::Quality(Arc::new(measure), share));
        }
        let derived = Path(steps.to_vec());
        let known = self.derived.as_ref().is_some_and(|fields| fields.knows(object.id, &derived));
        if known { Ok(Source::Derived(derived, None)) } else { Err(unknown()) }
    }

    /// A computed field: its column where it has one, else what works it out.
    fn computed(&self, object: &Object, field: FieldId, name: &FieldName) -> Result<Source> {
        let unknown = || Error::UnknownField { object: object.name.clone(), field: name.to_string() };
        let kind = object.field_by_id(field).map(|field| field.field_type.clone()).ok_or_else(unknown)?;
        let path = Path(vec![name.clone()]);
        if self.derived.as_ref().is_some_and(|fields| fields.knows(object.id, &path)) {
            return Ok(Source::Derived(path, Some(kind)));
        }
        let computed = self.records.computed_of(&object.definition);
        match computed.as_ref().and_then(|computed| computed.field(field)) {
            Some(ComputedField::Formula(formula)) => Ok(Source::Formula(Arc::clone(formula), kind)),
            _ => Err(Error::Query(bilingual!(
                "`{name}` is being computed for the first time: try again in a moment",
                "`{name}` 正在首次计算，请稍后重试"
            ))),
        }
    }

    /// The type of what a source yields; `None` for a derived field, which may be text or number.
    pub(super) fn kind(&self, object: &Object, source: &Source) -> Result<Option<FieldType>> {
        Ok(match source {
            Source::Column(Column::Field(id)) => {
                object.field_by_id(*id).map(|field| field.field_type.clone())
            }
            Source::Column(Column::System(field)) => Some(match field {
                SystemField::Id => FieldType::Reference { object: object.name.clone() },
                SystemField::Version => FieldType::Integer,
                SystemField::CreatedAt | SystemField::UpdatedAt | SystemField::DeletedAt => FieldType::Time,
            }),
            Source::Derived(_, kind) => kind.clone(),
            Source::Formula(_, kind) => Some(kind.clone()),
            Source::Quality(..) => Some(FieldType::Integer),
            Source::Follow(follow) => self.kind(&follow.object, &follow.rest)?,
        })
    }

    /// A comparison of a source whose type is known. Days that are said relative to today become days of the calendar here, so that
    /// what comes after (indexes, derived fields) sees nothing else.
    pub(super) fn compare(
        &self,
        source: Source,
        kind: Option<&FieldType>,
        path: &Path,
        op: Op,
        value: &Json,
    ) -> Result<Node> {
        let zone = &self.config.time_zone;
        let calendar = relative::Calendar { zone, now_ms: self.now_ms };
        let node = |op: Op, value: Json| {
            let test = self.test(kind, path, op, &value)?;
            Ok(Node::Test(Box::new(TestNode { source: source.clone(), test, op, value })))
        };
        let Some(resolved) = calendar.resolve(kind, op, value).map_err(|reason| wrong(path, &reason))? else {
            return node(op, value.clone());
        };
        let mut nodes =
            resolved.any.into_iter().map(|(op, value)| node(op, value)).collect::<Result<Vec<_>>>()?;
        let any = match nodes.pop() {
            Some(only) if nodes.is_empty() => only,
            last => Node::Or(nodes.into_iter().chain(last).collect()),
        };
        Ok(if resolved.not { Node::Not(Box::new(any)) } else { any })
    }

    fn test(&self, kind: Option<&FieldType>, path: &Path, op: Op, value: &Json) -> Result<Test> {
        let wrong = |reason: Text| wrong(path, &reason);
        let one = |json: &Json| self.operand(kind, json).map_err(wrong);
        let list = || value.as_array().map_or(&[][..], Vec::as_slice);
        let item_kind = match kind {
            Some(FieldType::List { of }) => Some((**of).clone()),
            Some(FieldType::MultiChoice { options }) => Some(FieldType::Choice { options: options.clone() }),
            _ => None,
        };
        let items = || {
            list()
                .iter()
                .map(|json| self.operand(item_kind.as_ref(), json).map_err(wrong))
                .filter_map(Result::transpose)
                .collect::<Result<Vec<_>>>()
        };
        let is_text = matches!(kind, None | Some(FieldType::Text { .. } | FieldType::Choice { .. }));
        let is_sortable = kind.is_none_or(FieldType::is_sortable);
        let refuse = || {
            let name = op.name();
            let reason =
                bilingual!("`{name}` does not apply to this kind of field", "`{name}` 不适用于此类字段");
            Err(wrong(reason))
        };
        Ok(match op {
            Op::Null => Test::Null(value.as_bool().unwrap_or(true)),
            Op::Eq | Op::Ne => one(value)?.map_or(Test::Unknown, |value| Test::Compare(op, value)),
            Op::Gt | Op::Gte | Op::Lt | Op::Lte if is_sortable => {
                one(value)?.map_or(Test::Unknown, |value| Test::Compare(op, value))
            }
            Op::Between if is_sortable => match list() {
                [low, high] => match (one(low)?, one(high)?) {
                    (Some(low), Some(high)) => Test::Between(low, high),
                    _ => Test::Unknown,
                },
                _ => {
                    return Err(wrong(Text::new(
                        "`between` expects a list of two",
                        "`between` 需要两个值的列表",
                    )));
                }
            },
            Op::In | Op::Nin => {
                let values = list().iter().map(one).collect::<Result<Vec<_>>>()?;
                let null = values.iter().any(Option::is_none);
                Test::In { values: values.into_iter().flatten().collect(), null, not: op == Op::Nin }
            }
            Op::Contains | Op::Starts | Op::Ends if is_text => {
                Test::Text(op, value.as_str().unwrap_or_default().to_lowercase())
            }
            Op::Any if item_kind.is_some() => Test::Any(items()?),
            Op::All if item_kind.is_some() => Test::All(items()?),
            _ => return refuse(),
        })
    }

    /// Reads a value that a field is compared with; more is allowed than may be stored: `1.5` for a whole number, a plain
    /// number for an amount in base currency, a day for a moment.
    fn operand(&self, kind: Option<&FieldType>, json: &Json) -> Result<Option<Value>, Text> {
        let Some(kind) = kind else { return derived_operand(json) };
        match (kind, json) {
            (FieldType::Integer, Json::Number(number)) if number.as_i64().is_none() => {
                Ok(number.as_f64().map(Value::Number))
            }
            (FieldType::Money, Json::Number(_) | Json::String(_)) => self.amount(json).map(Some),
            (FieldType::Money, Json::Object(_)) => {
                match kind.parse_json(json).map_err(|error| error.text())? {
                    Some(Value::Money(money)) if money.currency != self.config.base_currency => {
                        let base = self.config.base_currency;
                        Err(bilingual!("amounts are compared in {base}", "金额须以 {base} 比较"))
                    }
                    value => Ok(value),
                }
            }
            (FieldType::Date | FieldType::Time, Json::String(text))
                if !text.starts_with(|first: char| first.is_ascii_digit()) =>
            {
                Err(relative::unknown(text))
            }
            _ => kind.parse_json(json).map_err(|error| error.text()),
        }
    }

    fn amount(&self, json: &Json) -> Result<Value, Text> {
        let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        let wrong = |_| bilingual!("`{text}` is not an amount", "`{text}` 不是金额");
        let amount: Decimal = text.parse().map_err(wrong)?;
        Ok(Value::Money(Money { amount, currency: self.config.base_currency, base_amount: Some(amount) }))
    }

    /// The object whose plural is `related`, and its reference to `object`; the first one counts where there are several.
    pub(super) fn referring(&self, object: &Object, related: &str) -> Result<(Object, FieldId)> {
        let unknown = || Error::UnknownField { object: object.name.clone(), field: related.to_owned() };
        let other = self.schema.object_by_plural(related).and_then(|found| self.schema.full(found.id));
        let other = other.ok_or_else(unknown)?;
        let refers = |field_type: &FieldType| matches!(field_type, FieldType::Reference { object: target } if *target == object.name);
        let mut fields = other.fields.iter().filter(|field| refers(&field.field_type));
        let field = fields.find(|field| self.can_read(&other, &field.name)).ok_or_else(unknown)?.id;
        Ok((other, field))
    }

    fn can_read(&self, object: &Object, field: &FieldName) -> bool {
        self.scope.is_none_or(|scope| scope.of(&object.name).readable.contains(field))
    }

    fn related(&self, object: &Object, related: &Related) -> Result<RelatedNode> {
        let (other, field) = self.referring(object, related.related.as_str())?;
        let readable = |name: &FieldName| self.can_read(&other, name);
        let numeric = |field_type: &FieldType| {
            matches!(field_type, FieldType::Number | FieldType::Integer | FieldType::Money)
        };
        let sum = related.sum.as_ref().map(|name| {
            let found =
                other.field(name.as_str()).filter(|field| numeric(&field.field_type) && readable(name));
            found
                .map(|field| field.id)
                .ok_or_else(|| Error::UnknownField { object: other.name.clone(), field: name.to_string() })
        });
        let filter = related.filter.as_ref().map(|filter| self.filter(&other, filter)).transpose()?;
        let filter = match (self.rows(&other)?, filter) {
            (Rows::All, filter) => filter,
            (Rows::Nothing, _) => Some(Node::Or(Vec::new())),
            (Rows::Where(rows), None) => Some(rows),
            (Rows::Where(rows), Some(filter)) => Some(Node::And(vec![rows, filter])),
        };
        Ok(RelatedNode {
            object: other.clone(),
            field,
            filter,
            sum: sum.transpose()?,
            bounds: related.bounds.clone(),
        })
    }
}

fn wrong(path: &Path, reason: &Text) -> Error {
    Error::Query(bilingual!("filter on `{path}`: ", "筛选字段 `{path}`：").then(reason))
}

fn is_computed(object: &Object, field: FieldId) -> bool {
    object.field_by_id(field).is_some_and(|field| field.computed.is_some())
}

enum Rows {
    All,
    Where(Node),
    Nothing,
}

fn derived_operand(json: &Json) -> Result<Option<Value>, Text> {
    match json {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(Value::Text(text.clone()))),
        Json::Number(number) => Ok(number.as_f64().map(Value::Number)),
        other => {
            Err(bilingual!("`{other}` is neither a text nor a number", "`{other}` 既不是文本也不是数字"))
        }
    }
}
