use super::*;
use crate::import::test_schema::schema;

const COLUMNS: &str = "[[columns]]\ncolumn = \"a\"\nfield = \"quantity\"\n";

fn parsed(toml: &str) -> Result<Mapping> {
    Mapping::parse(toml, &schema())
}

fn identity(header: &str) -> Result<Mapping> {
    let header: Vec<String> = header.split(',').map(str::to_owned).collect();
    Mapping::identity(&"order".parse().unwrap(), &header, &schema())
}

#[test]
fn a_mapping_of_every_kind_is_read() {
    let mapping = parsed(
        r#"
        object = "order"
        match = "number"
        [[columns]]
        column = "customer"
        field = "account"
        reference = { object = "account", match = "external_id", create = true, set = { name = "Customer {} ({})", rank = 3 } }
        [[columns]]
        column = "no"
        field = "number"
        [[columns]]
        column = "amount"
        field = "amount"
        currency = "EUR"
        [constants]
        status = "paid"
        quantity = 1
        ordered_on = 1997-01-31
        tags = [1, 2]
        "#,
    )
    .unwrap();
    assert_eq!(mapping.key.field().unwrap().name.as_str(), "number");
    let constants: Vec<String> = mapping
        .constants
        .iter()
        .map(|(field, value)| format!("{}={}", field.name, value.canonical()))
        .collect();
    assert_eq!(constants, ["ordered_on=1997-01-31", "quantity=1", "status=paid", "tags=1\u{1f}2"]);
    let Cell::Reference(reference) = &mapping.columns[0].cell else { panic!("a reference") };
    let presets = reference.create.as_ref().unwrap();
    let values: Vec<String> = presets
        .iter()
        .map(|preset| preset.value("7", &[], &jiff::tz::TimeZone::UTC).unwrap().unwrap().canonical())
        .collect();
    assert_eq!(values, ["Customer 7 (7)", "3"]);
    assert!(!reference.or_id);
    assert!(
        matches!(&mapping.columns[2].cell, Cell::Value(format) if format.currency.unwrap().as_str() == "EUR")
    );
}

#[test]
fn what_is_wrong_with_a_mapping_is_named() {
    let check = |toml: &str, message: &str| {
        let error = parsed(toml).expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}\ninstead of {message}");
    };
    check("object = \"order\"\ncolour = 1\ncolumns = []", "mapping, line 2: unknown field `colour`");
    check("object = \"order\"", "mapping, line 1: missing field `columns`");
    check("object = \"order\"\ncolumns = []", "mapping: columns: 0 columns");
    check("object = ", "mapping, line 1: ");
    check(&format!("object = \"orders\"\n{COLUMNS}"), "mapping: object: there is no object `orders`");
    check(
        &format!("object = \"order\"\nmatch = \"note\"\n{COLUMNS}"),
        "mapping: match: `note` of order is not unique",
    );
    check(
        &format!("object = \"order\"\nmatch = \"nr\"\n{COLUMNS}"),
        "mapping: match: order has no field `nr`",
    );
    check(
        &format!("object = \"order\"\nmatch = \"number\"\n{COLUMNS}"),
        "mapping: match: no column becomes `number`",
    );
    check(
        &format!("object = \"order\"\nmatch = \"account\"\n{COLUMNS}"),
        "mapping: match: `account` of order is a reference",
    );
    check(&format!("object = \"order\"\n{COLUMNS}{COLUMNS}"), "mapping: field `quantity`: is mapped twice");
    let column = |rest: &str| format!("object = \"order\"\n[[columns]]\ncolumn = \"a\"\n{rest}");
    check(&column("field = \"qty\""), "mapping: column `a`: order has no field `qty`");
    check(&column("field = \"id\""), "mapping: match: a column becomes `id`");
    check(&column("field = \"note\"\ncolour = \"x\""), "mapping, line 5: unknown field `colour`");
    check(
        &column("field = \"note\"\ncurrency = \"USD\""),
        "mapping: column `a`: `currency`, but `note` is no money",
    );
    check(
        &column("field = \"amount\"\ncurrency = \"usd\""),
        "mapping: column `a`: `usd` is not a valid currency",
    );
    check(
        &column("field = \"note\"\nreference = {}"),
        "mapping: column `a`: `reference`, but `note` is no reference",
    );
    let reference = |rest: &str| column(&format!("field = \"account\"\nreference = {{ {rest} }}"));
    check(
        &reference("object = \"order\""),
        "mapping: column `a`: reference to `order`, but `account` refers to account",
    );
    check(&reference("created = true"), "mapping, line 5: unknown field `created`");
    check(&reference("create = true"), "mapping: column `a`: cannot create account without `name`");
    check(&reference("set = { name = \"x\" }"), "mapping: column `a`: `set` is for records that are created");
    check(
        &reference("create = true, set = { nom = \"x\" }"),
        "mapping: column `a`: set `nom`: account has no field `nom`",
    );
    check(
        &reference("create = true, set = { name = \"{key\" }"),
        "mapping: column `a`: set `name`: `{key` has a brace",
    );
    check(
        &reference("create = true, set = { external_id = \"x\" }"),
        "mapping: column `a`: set `external_id`: is the key",
    );
    let constant = |rest: &str| format!("object = \"order\"\n{COLUMNS}[constants]\n{rest}");
    check(
        &constant("status = \"lost\""),
        "mapping: constant `status`: `lost` is not one of the options paid, sent",
    );
    check(&constant("amount = 3"), "mapping: constant `amount`: `3` is not an amount and a currency");
    check(&constant("note = \" \""), "mapping: constant `note`: is empty");
    check(&constant("nope = 1"), "mapping: constant `nope`: order has no field `nope`");
    check(&constant("quantity = 1"), "mapping: field `quantity`: is mapped twice");
    check(
        &constant("external_id = \"x\""),
        "mapping: constant `external_id`: every row would be the same record",
    );
    check(
        &format!("# {}", "x".repeat(64 << 10)),
        "mapping, line 1: the mapping has 65538 bytes, at most 65536",
    );
}

#[test]
fn columns_are_recognised_by_name_and_by_label() {
    let check = |header: &str, expected: &str| {
        let fields = identity(header).map(|mapping| {
            mapping.columns.iter().map(|column| column.field.name.to_string()).collect::<Vec<_>>().join(",")
        });
        assert_eq!(fields.unwrap_or_else(|error| error.to_string()), expected);
    };
    check("external_id,ordered_on,amount", "external_id,ordered_on,amount");
    check("Amount,ORDERED ON,客户,数量", "amount,ordered_on,account,quantity");
    check("amount,colour", "header: column `colour` is no field of order; a mapping can leave it out");
    check("amount,金额", "header: columns `amount` and `金额` are both the field `amount`");
    check("单号", "header: column `单号` can be `number` or `note`; use the API name");
    check("amount,", "header: a column has no name");
}
