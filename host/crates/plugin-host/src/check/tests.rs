use super::*;
use crate::{SegmentValue, SegmentationDescription};

fn described(values: &[&str]) -> SegmentationDescription {
    let value = |name: &&str| SegmentValue {
        name: (*name).to_owned(),
        label: Text::default(),
        description: Text::default(),
    };
    SegmentationDescription {
        name: "class".to_owned(),
        label: Text::default(),
        description: Text::default(),
        values: values.iter().map(value).collect(),
        extra: Vec::new(),
    }
}

fn dictionary(codes: &[u32], valid: Validity, values: TextColumn) -> Column {
    Column { name: "class".to_owned(), valid, data: ColumnData::Dictionary { codes: codes.to_vec(), values } }
}

/// Checks a column of two rows that may be "a" or "b".
fn check(column: Column, expected: Result<(), &str>) {
    let result = segmentation::columns(vec![column], &[described(&["a", "b"])], &[], 2).map(drop);
    assert_eq!(result.as_ref().map_err(String::as_str).copied(), expected);
}

#[test]
fn columns_have_to_be_as_described() {
    let values = || TextColumn::from_iter(["a", "b"]);
    let all = Validity::all;
    check(dictionary(&[0, 1], all(), values()), Ok(()));
    check(dictionary(&[0, 7], Validity(vec![0b01]), values()), Ok(()));
    check(dictionary(&[7, 7], Validity(vec![0]), TextColumn::default()), Ok(()));
    check(
        dictionary(&[0, 7], Validity(vec![0b11]), values()),
        Err("column `class`: code 7 in row 1, but there are 2 values"),
    );
    check(dictionary(&[0], all(), values()), Err("column `class`: 1 codes for 2 rows"));
    check(
        dictionary(&[0, 1], Validity(vec![3, 3]), values()),
        Err("column `class`: 2 validity bytes for 2 rows"),
    );
    check(
        dictionary(&[0, 1], all(), TextColumn::from_iter(["a", "c"])),
        Err("column `class`: value `c` was not described"),
    );
    check(
        Column { data: ColumnData::Int64(vec![1, 2]), ..dictionary(&[], all(), values()) },
        Err("column `class`: it is no dictionary column"),
    );
    check(
        Column { name: "other".to_owned(), ..dictionary(&[0, 1], all(), values()) },
        Err("column `other` where `class` was described"),
    );
    let nothing = segmentation::columns(Vec::new(), &[described(&["a"])], &[], 2);
    assert_eq!(nothing.unwrap_err(), "0 columns for 1 segmentations");
}

#[test]
fn texts_have_to_be_texts() {
    let check = |offsets: &[u32], bytes: &[u8], expected: &str| {
        let values = TextColumn { offsets: offsets.to_vec(), bytes: bytes.to_vec() };
        self::check(
            dictionary(&[0, 0], Validity::all(), values),
            Err(&format!("column `class`: {expected}")),
        );
    };
    check(&[], b"", "text offsets do not span the bytes");
    check(&[0, 1], b"ab", "text offsets do not span the bytes");
    check(&[1, 2], b"ab", "text offsets do not span the bytes");
    check(&[0, 3, 1, 2], b"ab", "text offsets do not rise");
    check(&[0, 1, 2], &[b'a', 0xff], "text 1 is not UTF-8");
    // Together the bytes are UTF-8, each text alone is not.
    check(&[0, 1, 2], "é".as_bytes(), "text 0 is not UTF-8");
}

#[test]
fn failed_rows_become_null() {
    let failed = [RowError { row: 1, code: "bad".to_owned(), message: Text::default() }];
    let column = dictionary(&[0, 1], Validity::all(), TextColumn::from_iter(["a", "b"]));
    let columns = segmentation::columns(vec![column], &[described(&["a", "b"])], &failed, 2).unwrap();
    assert_eq!((columns[0].valid.get(0), columns[0].valid.get(1)), (true, false));
    assert!(row_errors(failed.to_vec(), 2).is_ok());
    assert_eq!(row_errors(failed.to_vec(), 1).unwrap_err(), "failed row 1 of 1 rows");
}

#[test]
fn descriptions_have_names_that_can_be_used() {
    let check = |description: SegmentationDescription, expected: &str| {
        assert_eq!(segmentation::descriptions(&[description]).unwrap_err(), expected);
    };
    assert!(segmentation::descriptions(&[described(&["best", "5", "5_4"])]).is_ok());
    check(
        SegmentationDescription { name: "5th".to_owned(), ..described(&[]) },
        "segmentation `5th` is not of the form [a-z][a-z0-9_]*, at most 40 characters",
    );
    check(described(&["a", "a"]), "segmentation `class`: value `a` is there twice");
    check(
        described(&["A"]),
        "segmentation `class`: value `A` is not of the form [a-z0-9][a-z0-9_]*, at most 40 characters",
    );
    assert_eq!(
        segmentation::descriptions(&[described(&[]), described(&[])]).unwrap_err(),
        "segmentation `class` is there twice"
    );
}

#[test]
fn figures_have_to_be_finite() {
    let reason = |weight| Reason { code: "recency".to_owned(), text: Text::default(), weight };
    assert!(row_reasons(vec![vec![reason(1.0)], vec![]], 2).is_ok());
    assert_eq!(row_reasons(vec![vec![]], 2).unwrap_err(), "reasons for 1 of 2 rows");
    let nan = row_reasons(vec![vec![reason(f64::NAN)]], 1);
    assert_eq!(nan.unwrap_err(), "row 0: reason `recency` weighs NaN");
    assert_eq!(row_reasons(vec![vec![reason(1.0); 6]], 1).unwrap_err(), "row 0: 6 reasons, at most 5");
    let metric = Metric {
        name: "inertia".to_owned(),
        label: Text::default(),
        unit: Text::default(),
        value: f64::INFINITY,
    };
    assert_eq!(metrics(&[metric]).unwrap_err(), "metric `inertia` is inf");
    let model = Model { bytes: b"ab".to_vec(), summary: Text::default(), metrics: Vec::new() };
    assert!(self::model(model.clone(), 2).is_ok());
    let Err(Rejection::Fault(fault)) = self::model(model, 1) else { panic!("too large") };
    assert_eq!(fault, FaultKind::InvalidResult("a model of 2 bytes, at most 1".to_owned()));
}
