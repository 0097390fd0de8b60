//! Plugins in other languages than Rust: the examples, and the laws that every scoring plugin keeps.

use std::sync::Arc;

use trellis_model::{Batch, ColumnData, Text, Validity};
use trellis_plugin_host::{
    CancelFlag, Error, Fitted, Plugin, PluginError, ScoreDescription, Scored, inspect,
};

use crate::support::{Customers, at, built_with, customers, hundred, load_cached};

/// The examples that were built here.
fn examples() -> Vec<Arc<Plugin>> {
    ["js-engagement", "python-engagement"]
        .into_iter()
        .filter_map(load_cached)
        .map(|(_, plugin)| plugin)
        .collect()
}

fn described(plugin: &Plugin) -> Vec<ScoreDescription> {
    plugin.scoring().unwrap().describe("{}").unwrap()
}

fn fit(plugin: &Plugin, rows: &mut Customers, config: &str) -> Result<Fitted, Error> {
    plugin.scoring().unwrap().fit(rows, config, &at(), &CancelFlag::default())
}

fn score(plugin: &Plugin, model: &[u8], batch: Batch) -> Scored {
    plugin.scoring().unwrap().score(&described(plugin), model, batch, &at()).unwrap()
}

/// The values of the only score, bit by bit; none where there is none.
fn bits(scored: &Scored) -> Vec<Option<u64>> {
    let [column] = scored.columns.as_slice() else { panic!("{scored:?}") };
    let value = |(row, value): (usize, &f64)| column.valid.get(row).then(|| value.to_bits());
    column.values.iter().enumerate().map(value).collect()
}

/// Customers 0 to 3: one without an order, one with the most that a column holds, one who orders tomorrow, one like others.
fn extremes() -> Batch {
    let mut batch = customers(0..4);
    let some_null = Validity::from_flags([false, true, true, true]);
    for column in &mut batch.columns {
        column.valid = some_null.clone();
        match &mut column.data {
            ColumnData::Int64(values) => values.copy_from_slice(&[i64::MIN, 1 << 53, 1, 3]),
            ColumnData::Date(days) => {
                days.copy_from_slice(&[i32::MIN, -719_162, at().as_of_days + 1, 10_000])
            }
            _ => {}
        }
    }
    batch
}

/// What every scoring plugin owes.
fn keeps_the_laws(plugin: &Plugin) {
    let name = plugin.plugin_version();
    let model = fit(plugin, &mut hundred(), "{}").unwrap().model;
    let again = fit(plugin, &mut hundred(), "{}").unwrap().model;
    assert_eq!(model.bytes, again.bytes, "{name}: the same rows give the same model");
    let one = Customers::new(vec![customers(0..100)]);
    assert_eq!(
        fit(plugin, &mut { one }, "{}").unwrap().model.bytes,
        model.bytes,
        "{name}: however they are split"
    );

    let whole = bits(&score(plugin, &model.bytes, customers(0..100)));
    assert_eq!(bits(&score(plugin, &model.bytes, customers(0..100))), whole, "{name}: the same again");
    let split: Vec<_> = [0..37, 37..38, 38..100]
        .into_iter()
        .flat_map(|part| bits(&score(plugin, &model.bytes, customers(part))))
        .collect();
    assert_eq!(split, whole, "{name}: splitting a batch changes no row's result");
    assert_eq!(bits(&score(plugin, &model.bytes, customers(0..0))), [], "{name}: no rows, no results");
    assert_eq!(
        bits(&score(plugin, &model.bytes, extremes())).len(),
        4,
        "{name}: extreme values are no fault"
    );

    let reasons = plugin.scoring().unwrap().explain(&model.bytes, customers(0..100), &at()).unwrap();
    assert_eq!(reasons.len(), 100, "{name}");
    for (row, reasons) in reasons.iter().enumerate() {
        assert_eq!(
            reasons.is_empty(),
            whole[row].is_none(),
            "{name}: row {row} has reasons if it has a score"
        );
        assert!(reasons.is_sorted_by(|a, b| a.weight >= b.weight), "{name}: the strongest first");
        assert!(
            reasons.iter().all(|reason| !reason.text.en.is_empty() && !reason.text.zh_cn.is_empty()),
            "{name}"
        );
    }
    let rules = plugin.scoring().unwrap().rules(&model.bytes).unwrap();
    assert!(!rules.en.is_empty() && !rules.zh_cn.is_empty(), "{name}");
    let unreadable = plugin.scoring().unwrap().rules(b"not a model").unwrap_err();
    assert!(
        matches!(unreadable, Error::Plugin { error: PluginError::UnreadableModel(_), .. }),
        "{name}: {unreadable}"
    );
}

#[test]
fn every_language_keeps_the_laws() {
    for plugin in examples() {
        keeps_the_laws(&plugin);
    }
}

#[test]
fn the_same_plugin_in_two_languages_gives_the_same_numbers() {
    let examples = examples();
    let [js, python] = examples.as_slice() else { return };
    assert_eq!(described(js), described(python));
    let [fitted_js, fitted_python] =
        [js, python].map(|plugin| fit(plugin, &mut hundred(), "{}").unwrap().model);
    assert_eq!(fitted_js.summary, fitted_python.summary);
    assert_eq!(
        fitted_js.summary.en,
        "100 customers with 5.95 orders on average, the last one 130.5 days ago"
    );
    let [scores_js, scores_python] = [(js, &fitted_js), (python, &fitted_python)]
        .map(|(plugin, model)| bits(&score(plugin, &model.bytes, customers(0..100))));
    assert_eq!(scores_js, scores_python);
    let [reasons_js, reasons_python] = [(js, &fitted_js), (python, &fitted_python)].map(|(plugin, model)| {
        plugin.scoring().unwrap().explain(&model.bytes, customers(0..100), &at()).unwrap()
    });
    assert_eq!(reasons_js, reasons_python);
}

#[test]
fn a_setting_and_the_data_reach_the_guest() {
    for plugin in examples() {
        let name = plugin.plugin_version();
        let by = |config: &str| {
            let model = fit(&plugin, &mut hundred(), config).unwrap().model.bytes;
            f64::from_bits(bits(&score(&plugin, &model, customers(3..4)))[0].unwrap())
        };
        // Customer 3 has 11 orders, 5.95 on average, and none for 111 days.
        let [orders, recency, both] =
            [100, 0, 50].map(|share| by(&format!("{{\"share_of_orders\":{share}}}")));
        assert!(
            (orders - 64.90).abs() < 0.01 && (recency - 54.04).abs() < 0.01,
            "{name}: {orders} {recency}"
        );
        assert!((both - (orders + recency) / 2.0).abs() < 1e-9, "{name}: {both}");
        let error = fit(&plugin, &mut Customers::new(Vec::new()), "{}").unwrap_err();
        let expected =
            PluginError::UnsuitableData(Box::new(Text::new("no customer has an order", "没有客户有订单")));
        assert!(matches!(error, Error::Plugin { error, .. } if error == expected), "{name}");
    }
}

#[test]
fn a_runtime_is_seen_before_it_runs() {
    for name in ["js-engagement", "python-engagement"] {
        let Some(wasm) = built_with(name) else { continue };
        let inspection = inspect(&wasm).unwrap();
        assert!(inspection.brings_runtime() && !inspection.wasi, "{name}: {inspection:?}");
        assert!(inspection.sdk.unwrap().starts_with("trellis-sdk-"));
    }
    let rust = inspect(&crate::support::built("value-pyramid")).unwrap();
    assert!(!rust.brings_runtime() && rust.initial_memory_bytes > 0);
}
