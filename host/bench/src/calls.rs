//! What a plugin's isolation costs: an instance, and a value that crosses, beside the same function called natively.

use std::time::{Duration, Instant};

use trellis_model::{Batch, Column, ColumnData, TextColumn, Validity};
use trellis_plugin_host::{CallContext, Config, PluginHost};
use trellis_sdk::testing::BatchBuilder;

use crate::figures::{least, nanos_per, print};

const ROWS: usize = 65_536;
const RUNS: usize = 30;
const TEXTS: [&str; 8] =
    ["retail", "telecom", "bank", "insurance", "manufacturing", "education", "医疗", "物流"];

pub(crate) fn measure() {
    let host = PluginHost::new(Config::default()).expect("a plugin host");
    let plugin = host.load(&crate::setup::guest("columns")).expect("the guest loads");
    let segmentation = plugin.segmentation().expect("the guest segments");
    let described = segmentation.describe("{}").expect("a description");
    let instantiate =
        |count: usize| (0..count).for_each(|_| segmentation.instantiate_only().expect("an instance"));
    print(
        "store and instance",
        nanos_per(least(30, || instantiate(1_000)), 1_000) / 1e3,
        "µs",
        "aim 10; least of 30 means of 1,000",
    );
    let empty = batch(1, 0, false);
    let small =
        least(2_000, || segmentation.assign(&described, &[], empty.clone(), &context()).expect("a call"));
    print("a whole call of one row, no columns", nanos_per(small, 1) / 1e3, "µs", "");
    for (columns, text, aim) in [(4, false, "aim 4"), (10, false, "aim 4"), (0, true, "aim 5 a cell")] {
        let batches = vec![batch(ROWS, columns, text); RUNS];
        let in_guest = least_of(batches, |batch| {
            drop(segmentation.assign(&described, &[], batch, &context()).expect("a call"))
        });
        let native = native_batch(columns, text);
        let native = least(RUNS as u32, || columns::decide(&native).expect("columns of the right type"));
        let values = ROWS * (columns + usize::from(text));
        let name = if text { "a text column".to_owned() } else { format!("{columns} numeric columns") };
        let beside = format!("native {:.2}; {aim}; least of {RUNS}", nanos_per(native, values));
        print(
            &format!("per value, {name}, {ROWS} rows, call and answer"),
            nanos_per(in_guest, values),
            "ns",
            &beside,
        );
    }
}

fn least_of(batches: Vec<Batch>, mut work: impl FnMut(Batch)) -> Duration {
    let times = batches.into_iter().map(|batch| {
        let started = Instant::now();
        work(batch);
        started.elapsed()
    });
    times.min().unwrap_or_default()
}

fn context() -> CallContext {
    CallContext {
        run_id: "bench".into(),
        as_of_days: 10_134,
        now_ms: 0,
        time_zone: "UTC".into(),
        base_currency: "USD".into(),
        seed: 7,
    }
}

fn batch(rows: usize, columns: usize, text: bool) -> Batch {
    let mut all: Vec<Column> = (0..columns)
        .map(|column| {
            let data = ColumnData::Float64((0..rows).map(|row| value(row, column)).collect());
            Column { name: format!("n{column}"), valid: Validity::all(), data }
        })
        .collect();
    if text {
        let codes = (0..rows).map(|row| (row % TEXTS.len()) as u32).collect();
        let data = ColumnData::Dictionary { codes, values: TextColumn::from_iter(TEXTS) };
        all.push(Column { name: "text".into(), valid: Validity::all(), data });
    }
    Batch { rows: rows as u32, ordinals: (0..rows as u64).collect(), columns: all }
}

fn native_batch(columns: usize, text: bool) -> trellis_sdk::Batch {
    let mut builder = BatchBuilder::new(0..ROWS as u64);
    for column in 0..columns {
        builder = builder.float64(&format!("n{column}"), (0..ROWS).map(|row| Some(value(row, column))));
    }
    if text {
        builder = builder.dictionary("text", (0..ROWS).map(|row| Some(TEXTS[row % TEXTS.len()])));
    }
    builder.build()
}

fn value(row: usize, column: usize) -> f64 {
    ((row * 31 + column * 17) % 1000) as f64 / 500.0
}
