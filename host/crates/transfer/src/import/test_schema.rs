//! A small schema, so that tests of the mapping do not hang on the standard definitions.

use trellis_model::{ChoiceOption, FieldDefinition, FieldId, FieldType, ObjectDefinition, ObjectId, Text};

use trellis_records::Schema;

fn field(number: u32, name: &str, label: (&str, &str), field_type: FieldType) -> FieldDefinition {
    FieldDefinition {
        required: name == "name",
        unique: matches!(name, "external_id" | "number"),
        ..FieldDefinition::new(
            FieldId(number),
            name.parse().unwrap(),
            Text::new(label.0, label.1),
            field_type,
        )
    }
}

fn object(number: u32, name: &str, title: &str, fields: Vec<FieldDefinition>) -> ObjectDefinition {
    ObjectDefinition {
        ordinals: name == "account",
        ..ObjectDefinition::new(
            ObjectId(number),
            name.parse().unwrap(),
            format!("{name}s").parse().unwrap(),
            title.parse().unwrap(),
            fields,
        )
    }
}

/// Accounts, and orders that refer to them.
pub(super) fn schema() -> Schema {
    let text = || FieldType::Text { characters_max: 20 };
    let option = |value: &str| ChoiceOption { value: value.into(), label: Text::default(), retired: false };
    let account = vec![
        field(1, "name", ("Name", "名称"), text()),
        field(2, "external_id", ("External id", "外部编号"), text()),
        field(3, "rank", ("Rank", "等级"), FieldType::Integer),
    ];
    let order = vec![
        field(1, "external_id", ("External id", "外部编号"), text()),
        field(2, "account", ("Account", "客户"), FieldType::Reference { object: "account".parse().unwrap() }),
        field(3, "ordered_on", ("Ordered on", "下单日期"), FieldType::Date),
        field(4, "quantity", ("Quantity", "数量"), FieldType::Integer),
        field(5, "amount", ("Amount", "金额"), FieldType::Money),
        field(
            6,
            "status",
            ("Status", "状态"),
            FieldType::Choice { options: vec![option("paid"), option("sent")] },
        ),
        field(7, "number", ("Number", "单号"), text()),
        field(8, "note", ("Note", "单号"), text()),
        field(9, "tags", ("Tags", "标签"), FieldType::List { of: Box::new(FieldType::Integer) }),
    ];
    Schema::new(vec![object(1, "account", "name", account), object(2, "order", "number", order)]).unwrap()
}
