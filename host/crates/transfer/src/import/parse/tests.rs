use proptest::prelude::*;

use super::*;
use crate::import::Limits;
use crate::import::checkpoint::Done;
use crate::import::source::{Source, Taken};
use crate::import::test_schema::schema;

const ORDERS: &str = r#"
object = "order"
columns = [
    { column = "customer", field = "account", reference = { create = true, set = { name = "Customer {}" } } },
    { column = "date", field = "ordered_on" },
    { column = "cds", field = "quantity" },
    { column = "price", field = "amount", currency = "USD" },
]
[constants]
status = "paid"
"#;

fn source(mapping: Mapping, text: &[u8], folder: &tempfile::TempDir, limits: Limits) -> Result<Source> {
    let file = folder.path().join("orders.csv");
    std::fs::write(&file, text).unwrap();
    let locale = Locale { base_currency: Currency::new("EUR").unwrap(), zone: TimeZone::UTC };
    let limits = Limits { line_bytes_max: 100, ..limits };
    Source::open(&file, Arc::new(mapping), Arc::default(), locale, limits)
}

/// The rows of a file: `line#row`, then the id and the references, or the errors.
fn rows(mapping: &str, text: &[u8]) -> Result<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let source = source(Mapping::parse(mapping, &schema())?, text, &folder, Limits::default())?;
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1_000);
    source.send_rows(&sender, &Done::default())?;
    drop(sender);
    let mut rows = Vec::new();
    while let Ok(batch) = receiver.try_recv() {
        rows.extend(batch.into_iter().map(|item| match item.draft {
            Taken::Draft(draft) => {
                let id = draft.fields.get(&FieldId(1)).map_or(String::new(), Value::canonical);
                let keys: Vec<&str> = draft.references.iter().map(|(_, key)| key.as_str()).collect();
                format!("{}#{} {id} {}", item.line, item.number, keys.join(","))
            }
            Taken::Bad(errors) => errors.iter().map(error_text).collect::<Vec<_>>().join("; "),
            other => panic!("{other:?}"),
        }));
    }
    Ok(rows)
}

fn error_text(error: &RowError) -> String {
    format!(
        "{}#{} {} {}: {}",
        error.line,
        error.row,
        error.column.as_deref().unwrap_or("-"),
        error.code,
        error.message.en
    )
}

#[test]
fn equal_rows_have_ids_of_their_own_and_equal_files_equal_ids() {
    let text =
        b"customer,date,cds,price,more\n7,1997-01-01,1,5.00,x\n7 ,1997-01-01,1,5,y\n7,1997-01-01,1,5 EUR,y\n";
    let rows = rows(ORDERS, text).unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row.split(' ').nth(1).unwrap()).collect();
    assert_eq!(
        ids[0].replace("#1", "#2"),
        ids[1],
        "the value counts, not how it is written, nor what is not mapped"
    );
    assert!(ids[2].ends_with("#1") && ids[2] != ids[0]);
    assert_eq!(rows[1], format!("3#2 {} 7", ids[1]));
}

#[test]
fn bad_rows_name_their_line_column_and_input() {
    let text = b"customer,date,cds,price\n\
        1,1997-01-01,1,5\n\
        2,1997-02-30,one,5.001\n\
        3,1997-01-01,1\n\
        \n\
        4,1997-01-01,1,\"5\n\
        5,1997-01-01,1,5\n\
        \xff,1997-01-01,1,5\n\
        a\0,1997-01-01,1,5\n\
        123456789012345678901,1997-01-01,1,5\n\
        6,1997-01-01,1,55555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555\n";
    let rows = rows(ORDERS, text).unwrap();
    let good: Vec<&str> =
        rows.iter().filter(|row| row.contains(" row:")).map(|row| row.split(' ').next().unwrap()).collect();
    assert_eq!(good, ["2#1", "7#5"]);
    let bad: Vec<&String> = rows.iter().filter(|row| !row.contains(" row:")).collect();
    assert_eq!(
        bad,
        [
            "3#2 date invalid_value: `1997-02-30` is not a date (YYYY-MM-DD); 3#2 cds invalid_value: `one` is not a whole number; \
         3#2 price invalid_value: `5.001` is not an amount of USD with at most 2 decimals and 15 digits",
            "4#3 - column_count: 3 cells, but the header has 4",
            "6#4 - csv_quote: a quote is not closed within 100 bytes, or something follows the closing quote",
            "8#6 customer invalid_utf8: `\u{fffd}` is not UTF-8",
            "9#7 customer nul_character: `a␀` has a NUL character",
            "10#8 customer invalid_value: text has 21 characters, at most 20",
            "11#9 - line_too_long: the row has more than 100 bytes",
        ]
    );
}

#[test]
fn headers_that_do_not_fit_are_refused_before_any_row() {
    let check = |text: &[u8], message: &str| assert_eq!(rows(ORDERS, text).unwrap_err().to_string(), message);
    check(b"", "header: the file is empty");
    check(
        b"customer,date,cds,Price\n",
        "header: there is no column `price`; the file has customer, date, cds, Price",
    );
    check(b"customer,date,cds,price,cds\n", "header: column `cds` is there twice");
    check(b"customer,\xff\n", "header: `\u{fffd}` is not UTF-8 text");
    check(b"customer,\"date\n", "header: the first line is too long, or has a quote that is not closed");
    let byte_order_mark = b"\xef\xbb\xbfcustomer , date,cds,price,,\n1,1997-01-01,1,5,,\n";
    assert_eq!(rows(ORDERS, byte_order_mark).unwrap().len(), 1);
}

#[test]
fn a_row_is_matched_by_the_field_that_the_mapping_names() {
    let mapping = |key: &str, field: &str| {
        format!(
            "object = \"order\"\nmatch = \"{key}\"\ncolumns = [{{ column = \"id\", field = \"{field}\" }}, {{ column = \"cds\", field = \"quantity\" }}]"
        )
    };
    let own = rows(&mapping("external_id", "external_id"), b"id,cds\nA1,5\n,5\n").unwrap();
    assert_eq!(own[0], "2#1 A1 ");
    assert!(own[1].starts_with("3#2 row:"), "a row without an id gets one: {}", own[1]);
    let number = rows(&mapping("number", "number"), b"id,cds\nA1,5\n,5\n").unwrap();
    assert_eq!(number, ["2#1  ", "3#2 id key_missing: `id` is empty, and rows are matched by it"]);
}

#[test]
fn limits_refuse_a_file_before_anything_is_written() {
    let check = |change: fn(&mut Limits), message: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mapping = Mapping::parse(ORDERS, &schema()).unwrap();
        let text = b"customer,date,cds,price\n1,1997-01-01,1,5\n2,1997-01-01,1,5\n2,1997-01-01,1,x\n3,,,x\n";
        let mut limits = Limits::default();
        change(&mut limits);
        let (reports, _counts) = tokio::sync::mpsc::channel(1);
        let outcome = source(mapping, text, &folder, limits)
            .and_then(|source| source.survey(&reports, false))
            .map(|survey| (survey.rows, survey.keys.iter().map(|keys| keys.len()).sum()));
        assert_eq!(
            outcome.map_err(|error| error.to_string()),
            match message {
                "" => Ok((4, 2_usize)),
                message => Err(message.to_owned()),
            }
        );
    };
    check(|_| {}, "");
    check(|limits| limits.keys_in_memory_max = 2, "");
    check(|limits| limits.keys_in_memory_max = 1, "more than 1 distinct keys of references: split the file");
    check(|limits| limits.rows_without_id_max = 1, "more than 1 rows without an id: split the file");
    check(|limits| limits.columns_max = 3, "header: 4 columns, at most 3");
    check(|limits| limits.rows_max = 3, "more than 3 rows: split the file");
    check(|limits| limits.file_bytes_max = 10, "the file has 81 bytes, at most 10");
}

proptest! {
    #[test]
    fn a_row_keeps_its_id_when_columns_move(order in Just(vec![0, 1, 2, 3]).prop_shuffle(), cells in "[0-9]{1,3},[0-9]{1,3},[0-9]{1,3}") {
        let cells: Vec<&str> = cells.split(',').collect();
        let row = [cells[0], "1997-01-01", cells[1], cells[2]];
        let names = ["customer", "date", "cds", "price"];
        let pick = |from: [&str; 4]| order.iter().map(|&place| from[place]).collect::<Vec<_>>().join(",");
        let moved = rows(ORDERS, format!("{}\n{}\n", pick(names), pick(row)).as_bytes()).unwrap();
        let straight = rows(ORDERS, format!("{}\n{}\n", names.join(","), row.join(",")).as_bytes()).unwrap();
        prop_assert_eq!(moved, straight);
    }
}
