use std::sync::Arc;

use jiff::tz::TimeZone;
use trellis_model::{Currency, FieldDefinition, FieldType, ObjectDefinition, Phrase, Text, Value, bilingual};

use super::spec::{ColumnSpec, DropSpec, MappingSpec};
use super::{Cell, Drop, ID, Key, MappedColumn, Mapping, header, no_field, reference};
use crate::import::cell::{self, CellFormat};
use crate::import::{Error, Limits, Result};
use crate::transform::{Transform, Transforms};
use trellis_records::Schema;

/// What reading the parts of a mapping needs.
struct Reader<'a> {
    schema: &'a Schema,
    object: &'a Arc<ObjectDefinition>,
    transforms: &'a dyn Transforms,
}

pub(super) fn checked(
    spec: &MappingSpec,
    schema: &Schema,
    limits: &Limits,
    transforms: &dyn Transforms,
) -> Result<Mapping> {
    let place = Phrase::new("object", "object");
    let object = object_named(schema, &spec.object).map_err(|reason| Error::mapping(place, reason))?;
    if spec.columns.is_empty() || spec.columns.len() > limits.columns_max {
        let (columns, max) = (spec.columns.len(), limits.columns_max);
        let reason = bilingual!(
            "{columns} columns, at least 1 and at most {max}",
            "有 {columns} 列，至少 1 列，最多 {max} 列"
        );
        return Err(Error::mapping(Phrase::new("columns", "columns"), reason));
    }
    let reader = Reader { schema, object, transforms };
    let (ids, columns): (Vec<_>, Vec<_>) =
        spec.columns.iter().partition(|column| column.field == ID && object.field(ID).is_none());
    let constants = spec.constants.iter().map(|(name, toml)| {
        reader
            .constant(name, toml)
            .map_err(|reason| Error::mapping(bilingual!("constant `{name}`", "常量 `{name}`"), reason))
    });
    let mapping = Mapping {
        object: object.clone(),
        key: Key::None,
        mode: spec.mode,
        id_column: ids.first().and_then(|column| column.column.clone()),
        columns: columns.into_iter().map(|column| reader.column(column)).collect::<Result<_>>()?,
        constants: constants.collect::<Result<_>>()?,
        drops: spec.drops.iter().map(|drop| reader.drop(drop)).collect::<Result<_>>()?,
        read: spec.source.clone(),
    };
    mapping.assemble(spec.key.as_deref())
}

impl Reader<'_> {
    fn constant(&self, name: &str, toml: &toml::Value) -> Result<(FieldDefinition, Value), Text> {
        let field = field_named(self.object, name)?;
        Ok((field.clone(), constant(field, toml)?))
    }

    fn drop(&self, drop: &DropSpec) -> Result<Drop> {
        let place = || Text::new("drop", "drop");
        let reason = drop.reason();
        if reason.en.is_empty() {
            let missing = Text::new("`reason.en` says nothing", "缺少 `reason.en`");
            return Err(Error::mapping(place(), missing));
        }
        let when = self.transforms.compile(&drop.when).map_err(|reason| Error::mapping(place(), reason))?;
        Ok(Drop { when, reason })
    }

    fn column(&self, spec: &ColumnSpec) -> Result<MappedColumn> {
        let read = || -> Result<MappedColumn, Text> {
            let field = field_named(self.object, &spec.field)?;
            if spec.column.is_none() && spec.transform.is_none() && spec.default.is_none() {
                return Err(Text::new(
                    "needs `column`, or `transform` or `default` in its place",
                    "需要 `column`，或以 `transform`、`default` 代替",
                ));
            }
            Ok(MappedColumn {
                column: spec.column.as_ref().map(|column| column.trim().to_owned()),
                field: field.clone(),
                cell: self.cell(spec, field)?,
                values: spec.values.clone(),
                default: spec.default.clone(),
                transform: self.transform(spec)?,
            })
        };
        read().map_err(|reason| {
            let column = spec.column.as_ref().unwrap_or(&spec.field);
            Error::mapping(bilingual!("column `{column}`", "列 `{column}`"), reason)
        })
    }

    fn transform(&self, spec: &ColumnSpec) -> Result<Option<Arc<dyn Transform>>, Text> {
        let compile = |source: &String| self.transforms.compile(source);
        spec.transform.as_ref().map(compile).transpose()
    }

    fn cell(&self, spec: &ColumnSpec, field: &FieldDefinition) -> Result<Cell, Text> {
        let name = &field.name;
        match (&field.field_type, &spec.reference, &spec.currency) {
            (FieldType::Money, None, _) => Ok(Cell::Value(format(spec)?)),
            (_, _, Some(_)) => Err(bilingual!(
                "`currency`, but `{name}` is no money",
                "写了 `currency`，但 `{name}` 不是金额字段"
            )),
            (FieldType::Reference { object }, None, None) => header::by_external_id(object, self.schema)
                .map(|found| Cell::Reference(Box::new(found)))
                .map_err(|error| error.text()),
            (FieldType::Reference { object }, Some(entry), None) => {
                let target = object_named(self.schema, object.as_str())?;
                reference::checked(entry, field, target).map(|found| Cell::Reference(Box::new(found)))
            }
            (_, Some(_), None) => Err(bilingual!(
                "`reference`, but `{name}` is no reference",
                "写了 `reference`，但 `{name}` 不是引用字段"
            )),
            (_, None, None) => Ok(Cell::Value(format(spec)?)),
        }
    }
}

fn format(spec: &ColumnSpec) -> Result<CellFormat, Text> {
    let currency = spec.currency.as_deref().map(Currency::new).transpose().map_err(|error| error.text())?;
    let decimal_comma = match spec.decimal.as_deref() {
        None | Some(".") => false,
        Some(",") => true,
        Some(other) => {
            return Err(bilingual!(
                "`decimal` is `.` or `,`, not `{other}`",
                "`decimal` 应为 `.` 或 `,`，而不是 `{other}`"
            ));
        }
    };
    let dates = spec.format.as_ref().map(super::spec::OneOrMany::to_vec).unwrap_or_default();
    Ok(CellFormat { currency, dates, decimal_comma, percent: spec.percent })
}

pub(super) fn constant(field: &FieldDefinition, toml: &toml::Value) -> Result<Value, Text> {
    let empty = || Text::new("is empty: leave it out", "为空，请去掉");
    let text = match toml {
        toml::Value::String(text) => text.trim().to_owned(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Array(_) | toml::Value::Table(_) => {
            let json =
                serde_json::to_value(toml).map_err(|error| bilingual!("{error}", "无法转换：{error}"))?;
            let value = field.field_type.parse_json(&json).map_err(|error| error.text())?;
            return value.ok_or_else(empty);
        }
    };
    if text.is_empty() {
        return Err(empty());
    }
    cell::parse(&field.field_type, &CellFormat::default(), &TimeZone::UTC, &text)
        .map_err(|error| error.text())
}

pub(super) fn object_named<'a>(schema: &'a Schema, name: &str) -> Result<&'a Arc<ObjectDefinition>, Text> {
    schema.object(name).ok_or_else(|| bilingual!("there is no object `{name}`", "对象 `{name}` 不存在"))
}

pub(super) fn field_named<'a>(object: &'a ObjectDefinition, name: &str) -> Result<&'a FieldDefinition, Text> {
    object.field(name).ok_or_else(|| no_field(object, name))
}
