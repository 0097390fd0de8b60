//! Reading the columns of a batch and writing the columns of an answer.

use proptest::prelude::*;
use trellis_sdk::bindings::segmentation::exports::trellis::plugin::segmentation as raw;
use trellis_sdk::bindings::segmentation::trellis::plugin::columns::{
    Batch as RawBatch, Column, ColumnData, DictionaryColumn, MoneyColumn, TextColumn,
};
use trellis_sdk::testing::{BatchBuilder, context, split, stream, take_log};
use trellis_sdk::{
    Assignments, Batch, Context, Level, NO_VALUE, NoConfig, PluginError, Result, RowStream, Segmentation,
    SegmentationDescription, localized,
};

fn every_type() -> Batch {
    BatchBuilder::new([3, 5, 8])
        .float64("float64", [Some(0.5), None, Some(-1.0)])
        .int64("int64", [Some(1), Some(2), Some(3)])
        .boolean("boolean", [Some(true), Some(false), None])
        .date("date", [None, Some(-1), Some(20_000)])
        .time("time", [Some(0), None, None])
        .money("money", "CNY", [Some(100), Some(-5), None])
        .text("text", [Some("客户"), None, Some("")])
        .dictionary("dictionary", [Some("gold"), Some("tin"), Some("gold")])
        .reference("reference", [Some(7), None, Some(9)])
        .build()
}

#[test]
fn every_type_reads_back_with_its_nulls() {
    let batch = every_type();
    assert_eq!((batch.rows(), batch.ordinals()), (3, &[3, 5, 8][..]));
    assert_eq!(batch.float64("float64").unwrap().iter().collect::<Vec<_>>(), [Some(0.5), None, Some(-1.0)]);
    assert_eq!(batch.int64("int64").unwrap().as_slice(), [1, 2, 3]);
    assert!(batch.int64("int64").unwrap().validity().is_full());
    assert_eq!(batch.boolean("boolean").unwrap().iter().collect::<Vec<_>>(), [Some(true), Some(false), None]);
    assert_eq!(batch.date("date").unwrap().iter().collect::<Vec<_>>(), [None, Some(-1), Some(20_000)]);
    assert_eq!(batch.time("time").unwrap().get(1), None);
    let money = batch.money("money").unwrap();
    assert_eq!((money.currency(), money.minor_units().get(1)), ("CNY", Some(-5)));
    assert_eq!(batch.text("text").unwrap().iter().collect::<Vec<_>>(), [Some("客户"), None, Some("")]);
    let dictionary = batch.dictionary("dictionary").unwrap();
    assert_eq!(dictionary.iter().collect::<Vec<_>>(), [Some("gold"), Some("tin"), Some("gold")]);
    assert_eq!(dictionary.texts().len(), 2);
    assert_eq!(batch.reference("reference").unwrap().get(2), Some(9));
    assert_eq!(batch.reference("reference").unwrap().get(3), None);
}

#[test]
fn a_wrong_name_or_type_is_told_with_what_there_is() {
    let batch = every_type();
    let check = |error: PluginError, code: &str, message: &str| {
        let PluginError::Other((found_code, found)) = error else { panic!("{error}") };
        assert_eq!((found_code.as_str(), found.en.as_str()), (code, message));
    };
    let names = "float64, int64, boolean, date, time, money, text, dictionary, reference";
    check(
        batch.float64("spent").unwrap_err(),
        "missing-column",
        &format!("there is no column `spent` in the batch; it has: {names}"),
    );
    let wrong = "wrong-column-type";
    check(batch.int64("float64").unwrap_err(), wrong, "column `float64` is of type float64, not int64");
    check(batch.float64("int64").unwrap_err(), wrong, "column `int64` is of type int64, not float64");
    check(batch.text("boolean").unwrap_err(), wrong, "column `boolean` is of type boolean, not text");
    check(batch.time("date").unwrap_err(), wrong, "column `date` is of type date, not time");
    check(batch.date("time").unwrap_err(), wrong, "column `time` is of type time, not date");
    check(batch.dictionary("text").unwrap_err(), wrong, "column `text` is of type text, not dictionary");
    check(batch.reference("money").unwrap_err(), wrong, "column `money` is of type money, not reference");
    check(batch.money("reference").unwrap_err(), wrong, "column `reference` is of type reference, not money");
    check(
        batch.boolean("dictionary").unwrap_err(),
        wrong,
        "column `dictionary` is of type dictionary, not boolean",
    );
}

#[test]
fn parts_that_differ_in_length_are_refused() {
    let text =
        |offsets: &[u32], bytes: &[u8]| TextColumn { offsets: offsets.to_vec(), bytes: bytes.to_vec() };
    let batch = |valid: &[u8], data| {
        let column = Column { name: "c".to_owned(), valid: valid.to_vec(), data };
        Batch::from(RawBatch { rows: 2, ordinals: vec![1, 2], columns: vec![column] })
    };
    let money = MoneyColumn { currency: "USD".to_owned(), minor_units: vec![1] };
    let dictionary = DictionaryColumn { codes: vec![0, 1], values: text(&[], b"") };
    assert!(batch(&[], ColumnData::Float64(vec![1.0])).float64("c").is_err());
    assert!(batch(&[1, 2], ColumnData::Int64(vec![1, 2])).int64("c").is_err());
    assert!(batch(&[], ColumnData::Money(money)).money("c").is_err());
    assert!(batch(&[], ColumnData::Dictionary(dictionary)).dictionary("c").is_err());
    assert!(batch(&[], ColumnData::Text(text(&[0, 1], b"a"))).text("c").is_err());
    assert!(batch(&[], ColumnData::Text(text(&[0, 1, 3], b"ab"))).text("c").is_err());
    assert!(batch(&[], ColumnData::Text(text(&[0, 1, 2], b"\xff\xff"))).text("c").is_err());
    // Offsets that do not ascend, and codes without a text, read as null.
    assert_eq!(batch(&[], ColumnData::Text(text(&[2, 1, 2], b"ab"))).text("c").unwrap().get(0), None);
    let dictionary = DictionaryColumn { codes: vec![0, 9], values: text(&[0, 1], b"a") };
    let batch = batch(&[], ColumnData::Dictionary(dictionary));
    assert_eq!(batch.dictionary("c").unwrap().iter().collect::<Vec<_>>(), [Some("a"), None]);
}

#[test]
fn a_stream_gives_the_same_batches_after_a_rewind() {
    let batches = split(&every_type(), 2);
    assert_eq!(batches.iter().map(Batch::rows).collect::<Vec<_>>(), [2, 1]);
    let mut rows = stream(batches.clone());
    assert_eq!(rows.rows(), 3);
    assert_eq!(rows.by_ref().collect::<Vec<_>>(), batches);
    assert_eq!(rows.next(), None);
    rows.rewind();
    assert_eq!(rows.collect::<Vec<_>>(), batches);
}

#[test]
fn assignments_cross_as_dictionary_columns_with_a_bit_for_each_row() {
    let mut assignments = Assignments::default();
    assignments.push("full", ["a", "b"], vec![1, 0, 1]);
    assignments.push("sparse", ["客", "户"], vec![1, NO_VALUE, 0]);
    assignments.fail(1, "no-date", localized("no date", "没有日期"));
    assert_eq!([0, 1, 2].map(|row| assignments.value("sparse", row)), [Some("户"), None, Some("客")]);

    let raw::Assignments { columns, failed } = assignments.into();
    assert_eq!(
        columns.iter().map(|column| column.valid.as_slice()).collect::<Vec<_>>(),
        [&[][..], &[0b101][..]]
    );
    let ColumnData::Dictionary(full) = &columns.first().unwrap().data else { panic!("not a dictionary") };
    assert_eq!(
        (full.codes.as_slice(), full.values.offsets.as_slice(), &*full.values.bytes),
        (&[1, 0, 1][..], &[0, 1, 2][..], &b"ab"[..])
    );
    assert_eq!(failed.first().map(|failed| (failed.row, failed.code.as_str())), Some((1, "no-date")));
}

#[test]
fn a_small_batch_carries_only_the_values_that_it_uses() {
    let texts = |codes: Vec<u32>| {
        let mut assignments = Assignments::default();
        assignments.push("letter", ["a", "b", "c", "d"], codes);
        let raw::Assignments { columns, .. } = assignments.into();
        let ColumnData::Dictionary(dictionary) = columns.into_iter().next().unwrap().data else {
            panic!("not a dictionary")
        };
        (dictionary.codes, String::from_utf8(dictionary.values.bytes).unwrap())
    };
    assert_eq!(texts(vec![3, 1, 3]), (vec![1, 0, 1], "bd".to_owned()));
    // A code without a value stays one: the host refuses it by name.
    assert_eq!(texts(vec![7, 0]), (vec![1, 0], "a".to_owned()));
    let many: Vec<u32> = vec![2; 64];
    assert_eq!(texts(many.clone()), (many, "abcd".to_owned()));
}

#[test]
fn lines_are_kept_for_the_test_that_wrote_them() {
    trellis_sdk::log::warn("three rows without a date");
    assert_eq!(take_log(), [(Level::Warn, "three rows without a date".to_owned())]);
    assert_eq!(take_log(), []);
}

/// A plugin that says nothing but what it must.
struct Smallest;

impl Segmentation for Smallest {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<SegmentationDescription>> {
        Ok(Vec::new())
    }

    fn assign(_: &[u8], _: &Batch, _: &Context) -> Result<Assignments> {
        Ok(Assignments::default())
    }
}

type Exported = trellis_sdk::segmentation::Adapter<Smallest>;

#[test]
fn what_a_plugin_leaves_out_has_a_default() {
    let model = Smallest::fit(&mut RowStream::of_batches([]), &NoConfig {}, &context()).unwrap();
    assert!(model.bytes.is_empty());
    assert_eq!(Smallest::explain(&model.bytes, &every_type(), &context()).unwrap(), vec![Vec::new(); 3]);
}

#[test]
fn a_configuration_that_does_not_fit_names_the_setting() {
    use raw::Guest;
    assert_eq!(Exported::describe("{}".to_owned()).unwrap(), []);
    assert_eq!(Exported::describe(String::new()).unwrap(), []);
    let error = Exported::describe("{\"colour\": 1}".to_owned()).unwrap_err();
    assert!(matches!(&error, PluginError::InvalidConfig(text) if text.en.contains("`colour`")), "{error}");
}

proptest! {
    #[test]
    fn splitting_keeps_every_cell(
        numbers in prop::collection::vec(prop::option::of(-9..9_i64), 1..100),
        rows in 1..40_usize,
    ) {
        let texts: Vec<_> = numbers.iter().map(|number| number.map(|number| "x".repeat(number.unsigned_abs() as usize))).collect();
        let batch = BatchBuilder::new(0..numbers.len() as u64)
            .int64("number", numbers.clone())
            .text("text", texts.iter().map(Option::as_deref))
            .dictionary("word", texts.iter().map(Option::as_deref))
            .build();
        let pieces = split(&batch, rows);
        prop_assert!(pieces.iter().all(|piece| piece.rows() <= rows));
        let mut row = 0;
        for piece in &pieces {
            let (number, text, word) = (piece.int64("number")?, piece.text("text")?, piece.dictionary("word")?);
            for part in 0..piece.rows() {
                prop_assert_eq!(piece.ordinals().get(part), Some(&(row as u64)));
                prop_assert_eq!(Some(&number.get(part)), numbers.get(row));
                prop_assert_eq!(Some(text.get(part)), texts.get(row).map(Option::as_deref));
                prop_assert_eq!(text.get(part), word.get(part));
                row += 1;
            }
        }
        prop_assert_eq!(row, numbers.len());
    }
}
