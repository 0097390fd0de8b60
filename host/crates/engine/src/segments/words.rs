//! Conditions of a filter in words, for people who ask why somebody is a member.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;
use trellis_columns::Columns;
use trellis_model::{
    Bucket, FieldDefinition, FieldType, Filter, Language, ObjectDefinition, ObjectName, Op, Path, Published,
    PublishedKind, RecordId, Related, RelativeDate, Scope, SystemField, Text,
};
use trellis_records::Schema;

use super::MEMBER;
use crate::{Result, core::Core};

/// What is known for putting the filter of an object into words.
pub(super) struct Words<'a> {
    schema: &'a Schema,
    columns: &'a Columns,
    object: &'a ObjectDefinition,
    /// What the records are called that the filter names.
    titles: HashMap<RecordId, String>,
}

/// What lies at the end of a path.
enum End<'a> {
    Field(&'a FieldDefinition),
    System(SystemField),
    Published(Published),
    Unknown,
}

impl End<'_> {
    fn is_time(&self) -> bool {
        match self {
            Self::Field(field) => matches!(field.field_type, FieldType::Date | FieldType::Time),
            Self::System(field) => is_moment(*field),
            Self::Published(_) | Self::Unknown => false,
        }
    }
}

impl<'a> Words<'a> {
    /// As somebody reads them: who may not see a record is told its id.
    pub(super) async fn of(
        core: &'a Core,
        schema: &'a Schema,
        scope: &Scope,
        object: &'a ObjectDefinition,
        filter: &Filter,
    ) -> Result<Self> {
        let mut words = Self { schema, columns: &core.columns, object, titles: HashMap::new() };
        let mut named = BTreeMap::new();
        words.named(object, filter, &mut named);
        for (object, ids) in named {
            words.titles.extend(core.records.titles(scope, &object, ids).await?);
        }
        Ok(words)
    }

    /// One condition in both languages.
    pub(super) fn condition(&self, filter: &Filter) -> Text {
        let of = |language| self.filter(language, self.object, filter);
        Text::new(of(Language::En), of(Language::ZhCn))
    }

    fn filter(&self, language: Language, object: &ObjectDefinition, filter: &Filter) -> String {
        match filter {
            Filter::And(filters) => self.several(language, object, filters, (" and ", "，且")),
            Filter::Or(filters) => self.several(language, object, filters, (" or ", "，或")),
            Filter::Not(filter) => {
                let inner = self.filter(language, object, filter);
                pick(language, format!("not ({inner})"), format!("不满足（{inner}）"))
            }
            Filter::Compare { path, op, value } => self.compare(language, object, path, *op, value),
            Filter::Related(related) => self.related(language, related),
        }
    }

    fn several(
        &self,
        language: Language,
        object: &ObjectDefinition,
        filters: &[Filter],
        (en, zh_cn): (&str, &str),
    ) -> String {
        let one = |filter: &Filter| {
            let inner = self.filter(language, object, filter);
            match filter {
                Filter::And(_) | Filter::Or(_) => {
                    pick(language, format!("({inner})"), format!("（{inner}）"))
                }
                _ => inner,
            }
        };
        filters.iter().map(one).collect::<Vec<_>>().join(pick(language, en, zh_cn))
    }

    fn compare(
        &self,
        language: Language,
        object: &ObjectDefinition,
        path: &Path,
        op: Op,
        value: &Json,
    ) -> String {
        let label = self.label(language, object, path);
        if op == Op::Null {
            let is_null = value.as_bool().unwrap_or(true);
            let words = if is_null { ("is empty", "为空") } else { ("is not empty", "不为空") };
            return pick(language, format!("{label} {}", words.0), format!("{label}{}", words.1));
        }
        let end = self.end(object, path);
        let one = |value: &Json| self.value(language, &end, value);
        let value = match (op, value) {
            (Op::Between, Json::Array(ends)) => {
                ends.iter().map(one).collect::<Vec<_>>().join(pick(language, " and ", " 与 "))
            }
            (_, Json::Array(values)) => {
                values.iter().map(one).collect::<Vec<_>>().join(pick(language, ", ", "、"))
            }
            (_, value) => one(value),
        };
        let words = if end.is_time() { words_of_time(language, op) } else { words(language, op) };
        format!("{label} {words} {value}")
    }

    fn related(&self, language: Language, related: &Related) -> String {
        let Some(other) = self.schema.object_by_plural(related.related.as_str()) else {
            return related.related.to_string();
        };
        let mut of = other.plural_label.get(language).to_owned();
        if let Some(filter) = related.filter.as_deref().filter(|filter| **filter != Filter::everything()) {
            let which = self.filter(language, other, filter);
            of = pick(language, format!("{of} where {which}"), format!("{of}（{which}）"));
        }
        let what = match related.sum.as_ref() {
            Some(sum) => {
                let field = other.field(sum.as_str());
                let label = field.map_or(sum.as_str(), |field| field.label.get(language));
                pick(language, format!("sum of {label} of {of}"), format!("{of}的{label}合计"))
            }
            None => pick(language, format!("number of {of}"), format!("{of}的数量")),
        };
        let bound =
            |bound: &trellis_model::CountBound| format!("{} {}", words(language, bound.op), bound.number);
        let bounds = related.bounds.iter().map(bound).collect::<Vec<_>>();
        format!("{what} {}", bounds.join(pick(language, " and ", " 且 ")))
    }

    /// What a path is called, over references: `Account: Industry`.
    fn label(&self, language: Language, object: &ObjectDefinition, path: &Path) -> String {
        let fields = self.fields(object, path);
        if fields.len() == path.0.len() {
            let labels: Vec<_> = fields.iter().map(|field| field.label.get(language)).collect();
            return labels.join(pick(language, ": ", "："));
        }
        let label = match self.end(object, path) {
            End::System(field) => return system(language, field).to_owned(),
            End::Published(Published { kind: PublishedKind::Segment, name }) => {
                self.columns.segmentation(name.as_str()).map(|info| info.definition.label.clone())
            }
            End::Published(Published { name, .. }) => {
                self.columns.score(name.as_str()).map(|info| info.definition.label.clone())
            }
            _ => None,
        };
        label.map_or_else(|| path.to_string(), |label| label.get(language).to_owned())
    }

    /// The fields of a path as far as they are there.
    fn fields<'b>(&'b self, object: &'b ObjectDefinition, path: &Path) -> Vec<&'b FieldDefinition> {
        let (mut object, mut fields) = (Some(object), Vec::new());
        for step in &path.0 {
            let Some(field) = object.and_then(|object| object.field(step.as_str())) else { break };
            fields.push(field);
            object = match &field.field_type {
                FieldType::Reference { object } => self.schema.object(object.as_str()).map(AsRef::as_ref),
                _ => None,
            };
        }
        fields
    }

    fn end<'b>(&'b self, object: &'b ObjectDefinition, path: &Path) -> End<'b> {
        let fields = self.fields(object, path);
        let of_system = path.single().and_then(|name| SystemField::of(name.as_str()));
        match (of_system, fields.last()) {
            (Some(field), _) => End::System(field),
            (None, Some(field)) if fields.len() == path.0.len() => End::Field(field),
            _ => Published::parse(&path.to_string()).map_or(End::Unknown, End::Published),
        }
    }

    fn value(&self, language: Language, end: &End<'_>, value: &Json) -> String {
        let text = match value {
            Json::String(text) => text.as_str(),
            Json::Bool(is) => {
                return pick(language, if *is { "yes" } else { "no" }, if *is { "是" } else { "否" })
                    .to_owned();
            }
            Json::Object(money) => {
                let part = |name| money.get(name).map(plain).unwrap_or_default();
                return format!("{} {}", part("amount"), part("currency")).trim().to_owned();
            }
            other => return other.to_string(),
        };
        let found = match end {
            End::Field(field) => match &field.field_type {
                FieldType::Choice { options } | FieldType::MultiChoice { options } => {
                    let option = options.iter().find(|option| option.value == text);
                    option.map(|option| option.label.get(language).to_owned())
                }
                FieldType::Reference { .. } => {
                    RecordId::parse(text).ok().and_then(|id| self.titles.get(&id).cloned())
                }
                FieldType::Date | FieldType::Time => day(language, text),
                _ => None,
            },
            End::Published(of) => self.class(language, of, text),
            End::System(field) if is_moment(*field) => day(language, text),
            End::System(_) | End::Unknown => None,
        };
        found.unwrap_or_else(|| text.to_owned())
    }

    /// What a value of a segmentation or a band of a score is called.
    fn class(&self, language: Language, of: &Published, class: &str) -> Option<String> {
        if of.kind == PublishedKind::Segment && class == MEMBER {
            return Some(pick(language, "member", "成员").to_owned());
        }
        let label = match of.kind {
            PublishedKind::Segment => {
                let info = self.columns.segmentation(of.name.as_str())?;
                info.definition.values.iter().find(|value| value.name == class)?.label.clone()
            }
            _ => {
                let info = self.columns.score(of.name.as_str())?;
                info.definition.bands.iter().find(|band| band.name == class)?.label.clone()
            }
        };
        Some(label.get(language).to_owned())
    }

    /// The records that a filter names, by their objects.
    fn named(
        &self,
        object: &ObjectDefinition,
        filter: &Filter,
        found: &mut BTreeMap<ObjectName, Vec<RecordId>>,
    ) {
        match filter {
            Filter::And(filters) | Filter::Or(filters) => {
                filters.iter().for_each(|filter| self.named(object, filter, found));
            }
            Filter::Not(filter) => self.named(object, filter, found),
            Filter::Compare { path, value, .. } => {
                let End::Field(field) = self.end(object, path) else { return };
                let FieldType::Reference { object } = &field.field_type else { return };
                let values = match value {
                    Json::Array(values) => values.as_slice(),
                    one => std::slice::from_ref(one),
                };
                let ids =
                    values.iter().filter_map(Json::as_str).filter_map(|text| RecordId::parse(text).ok());
                found.entry(object.clone()).or_default().extend(ids);
            }
            Filter::Related(related) => {
                let other = self.schema.object_by_plural(related.related.as_str());
                if let (Some(other), Some(filter)) = (other, &related.filter) {
                    self.named(other, filter, found);
                }
            }
        }
    }
}

fn pick<T>(language: Language, en: T, zh_cn: T) -> T {
    match language {
        Language::En => en,
        Language::ZhCn => zh_cn,
    }
}

fn is_moment(field: SystemField) -> bool {
    matches!(field, SystemField::CreatedAt | SystemField::UpdatedAt | SystemField::DeletedAt)
}

fn system(language: Language, field: SystemField) -> &'static str {
    let (en, zh_cn) = match field {
        SystemField::Id => ("Id", "编号"),
        SystemField::CreatedAt => ("Created", "创建时间"),
        SystemField::UpdatedAt => ("Last change", "最近更改"),
        SystemField::DeletedAt => ("Deleted", "删除时间"),
        SystemField::Version => ("Version", "版本"),
    };
    pick(language, en, zh_cn)
}

/// A day that is said relative to today.
fn day(language: Language, text: &str) -> Option<String> {
    Some(relative(language, RelativeDate::parse(text)?.ok()?))
}

/// A number or text as it is read.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn words(language: Language, op: Op) -> &'static str {
    let (en, zh_cn) = match op {
        Op::Eq => ("is", "为"),
        Op::Ne => ("is not", "不为"),
        Op::Gt => ("is above", "大于"),
        Op::Gte => ("is at least", "不低于"),
        Op::Lt => ("is below", "小于"),
        Op::Lte => ("is at most", "不高于"),
        Op::In => ("is one of", "属于"),
        Op::Nin => ("is none of", "不属于"),
        Op::Contains => ("contains", "包含"),
        Op::Starts => ("starts with", "开头为"),
        Op::Ends => ("ends with", "结尾为"),
        Op::Null => ("is empty", "为空"),
        Op::Between => ("is between", "介于"),
        Op::Any => ("has one of", "包含任一"),
        Op::All => ("has all of", "包含全部"),
    };
    pick(language, en, zh_cn)
}

fn words_of_time(language: Language, op: Op) -> &'static str {
    let (en, zh_cn) = match op {
        Op::Eq => ("is in", "在"),
        Op::Ne => ("is not in", "不在"),
        Op::Gt => ("is after", "晚于"),
        Op::Gte => ("is not before", "不早于"),
        Op::Lt => ("is before", "早于"),
        Op::Lte => ("is not after", "不晚于"),
        other => return words(language, other),
    };
    pick(language, en, zh_cn)
}

fn relative(language: Language, date: RelativeDate) -> String {
    let unit = |bucket: Bucket| match bucket {
        Bucket::Day => ("day", "天"),
        Bucket::Week => ("week", "周"),
        Bucket::Month => ("month", "月"),
        Bucket::Quarter => ("quarter", "季度"),
        Bucket::Year => ("year", "年"),
    };
    match date {
        RelativeDate::Day(0) => pick(language, "today".to_owned(), "今天".to_owned()),
        RelativeDate::Day(days) if days < 0 => {
            pick(language, format!("{} day(s) ago", -days), format!("{} 天前", -days))
        }
        RelativeDate::Day(days) => pick(language, format!("in {days} day(s)"), format!("{days} 天后")),
        RelativeDate::Unit(bucket, by) => {
            let (en, zh_cn) = unit(bucket);
            let (which_en, which_zh) = match by {
                0 => ("this", "本"),
                by if by < 0 => ("last", "上"),
                _ => ("next", "下"),
            };
            pick(language, format!("{which_en} {en}"), format!("{which_zh}{zh_cn}"))
        }
        RelativeDate::LastDays(days) => {
            pick(language, format!("the last {days} days"), format!("最近 {days} 天"))
        }
        RelativeDate::NextDays(days) => {
            pick(language, format!("the next {days} days"), format!("未来 {days} 天"))
        }
        RelativeDate::OlderThanDays(days) => {
            pick(language, format!("over {days} days ago"), format!("{days} 天以前"))
        }
    }
}
