//! Scoring a whole population by ten features that are warm, and how soon one score follows a change.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use trellis_columns::{Aggregate, AsOf, ColumnSource, DatasetColumn, DatasetSpec};
use trellis_engine::ModelChoice;
use trellis_model::{Batch, FieldName, ObjectName, PluginId, RecordId, Scope};
use trellis_plugin_host::CallContext;
use trellis_sdk::testing::BatchBuilder;

use crate::company::{Company, customers};
use crate::figures::{least, nanos_per, percentile, print};
use crate::setup::caller;

/// Rows of a batch, as the engine has them by default.
const ROWS: usize = 65_536;
const RUNS: usize = 3;
const CHANGES: u64 = 200;
/// Plugins that are enabled at once where it counts how many are.
const PLUGINS: u32 = 10;
const TODAY: i32 = 10_592;

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (company, customers) = (Company::new().await, customers());
        let started = Instant::now();
        company.purchases(customers).await;
        print(
            &format!("set-up: {customers} customers with a purchase each"),
            started.elapsed().as_secs_f64(),
            "s",
            "",
        );
        let plugin = company.enable_copy(0).await;
        runs(&company, &plugin).await;
        isolation(&company, customers).await;
        rescoring(&company, customers, 1).await;
        for number in 1..PLUGINS {
            let another = company.enable_copy(number).await;
            company.run(&another, ModelChoice::Fit).await;
        }
        rescoring(&company, customers, PLUGINS).await;
        company.engine.shutdown().await;
    });
}

/// Whole runs: the first learns its model, the others use it.
async fn runs(company: &Company, plugin: &PluginId) {
    for run in 0..=RUNS {
        let (model, name) = match run {
            0 => (ModelChoice::Fit, "first run, which learns a model".to_owned()),
            _ => (ModelChoice::Last, format!("run {run} with that model")),
        };
        let started = Instant::now();
        let result = company.run(plugin, model).await;
        let beside = "features → plugin → stored and flipped to; aim 600 for 1 M";
        print(&name, started.elapsed().as_secs_f64() * 1e3, "ms", beside);
        for (part, took) in result.get("timings_ms").and_then(Json::as_object).into_iter().flatten() {
            print(&format!("  {part}"), took.as_f64().unwrap_or(0.0), "ms", "");
        }
    }
}

/// The calls alone, one after the other, beside the same function called natively.
async fn isolation(company: &Company, customers: u64) {
    let dataset = company.columns.dataset(&spec(), AsOf::Now, ROWS).await;
    let mut dataset = dataset.expect("a dataset");
    let plugin = company.host.load(&crate::company::copy(0)).expect("a plugin that loads");
    let scoring = plugin.scoring().expect("the guest scores");
    let described = scoring.describe("{}").expect("a description");
    let model = 1.5_f64.to_le_bytes();
    let mut made = Duration::ZERO;
    let mut in_guest = Duration::ZERO;
    loop {
        let started = Instant::now();
        let next = tokio::task::block_in_place(|| dataset.next()).expect("rows");
        made += started.elapsed();
        let Some(batch) = next else { break };
        in_guest +=
            call(|batch| drop(scoring.score(&described, &model, batch, &context()).expect("a call")), batch);
    }
    let native_batch = native_batch();
    let native = least(10, || linear::weigh(&native_batch, 1.5, TODAY).expect("columns of the right type"));
    let native_ms = nanos_per(native, ROWS) * customers as f64 / 1e6;
    let ms = in_guest.as_secs_f64() * 1e3;
    print("rows made of the features, one thread", made.as_secs_f64() * 1e3, "ms", "");
    let beside = format!("aim 100 for 1 M; native {native_ms:.1} ms, {:.1} times as long", ms / native_ms);
    print(&format!("calls of {ROWS} rows, one thread"), ms, "ms", &beside);
    print("  per value", in_guest.as_nanos() as f64 / (customers as f64 * 10.0), "ns", "of ten in, one out");
}

fn call(work: impl Fn(Batch), batch: Batch) -> Duration {
    let started = Instant::now();
    work(batch);
    started.elapsed()
}

/// From the acknowledged order to the changed score, of the plugin that is served last.
async fn rescoring(company: &Company, customers: u64, plugins: u32) {
    let score = format!("{}__points", crate::company::copy_id(plugins - 1));
    let records = &company.records;
    let schema = records.schema();
    let account = schema.object("account").expect("an object").id;
    let definition = schema.object("order").cloned().expect("an object");
    let order: ObjectName = "order".parse().expect("a name");
    let mut times = Vec::new();
    for number in 0..CHANGES {
        let ordinal = (number * 7_919 + u64::from(plugins)) % customers;
        let ids = records.ordinal_ids(account, &[ordinal]).await.expect("ids");
        let Some(id): Option<RecordId> = ids.into_iter().next().flatten() else { continue };
        let value = || company.columns.score_of(&Scope::everything(), &score, ordinal);
        let before = value();
        let fields = json!({
            "account": id.to_string(),
            "ordered_on": "1998-12-31",
            "amount": { "amount": "12.34", "currency": "USD" },
            "status": "paid",
        });
        let fields = fields.as_object().expect("fields").iter().filter_map(|(name, json)| {
            let field = definition.field(name)?;
            Some((field.id, field.field_type.parse_json(json).expect("a value")?))
        });
        records.create(&caller(), &order, fields.collect()).await.expect("an order");
        let started = Instant::now();
        while value() == before {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        times.push(started.elapsed());
    }
    let ms = |share, times: &mut [Duration]| percentile(times, share).as_secs_f64() * 1e3;
    let beside = format!(
        "p99 {:.1} ms, aim 100; {} changes one after the other, {customers} customers, {plugins} enabled plugins",
        ms(0.99, &mut times),
        times.len()
    );
    print("re-score after one change, p50", ms(0.5, &mut times), "ms", &beside);
}

/// The dataset of the plugin.
fn spec() -> DatasetSpec {
    let name = |name: &str| -> FieldName { name.parse().expect("a name") };
    let mut columns = Vec::new();
    for suffix in ["", "_again"] {
        for (column, aggregate) in [
            ("orders", Aggregate::Count),
            ("spent", Aggregate::Sum(name("amount"))),
            ("pieces", Aggregate::Sum(name("quantity"))),
            ("first_order", Aggregate::First),
            ("last_order", Aggregate::Last),
        ] {
            let (events, time) = ("order".parse().expect("a name"), name("ordered_on"));
            let source = ColumnSource::Aggregate { events, time, aggregate };
            columns.push(DatasetColumn { name: format!("{column}{suffix}"), source });
        }
    }
    DatasetSpec { object: "account".parse().expect("a name"), columns }
}

fn native_batch() -> trellis_sdk::Batch {
    let mut builder = BatchBuilder::new(0..ROWS as u64);
    for suffix in ["", "_again"] {
        let (whole, days) =
            (|row: usize| Some((row % 7) as i64), |row: usize| Some(10_000 + (row % 500) as i32));
        builder = builder
            .int64(&format!("orders{suffix}"), (0..ROWS).map(whole))
            .money(&format!("spent{suffix}"), "USD", (0..ROWS).map(|row| Some((row % 9_000) as i64)))
            .float64(&format!("pieces{suffix}"), (0..ROWS).map(|row| Some((row % 7) as f64)))
            .date(&format!("first_order{suffix}"), (0..ROWS).map(days))
            .date(&format!("last_order{suffix}"), (0..ROWS).map(days));
    }
    builder.build()
}

fn context() -> CallContext {
    CallContext {
        run_id: "bench".into(),
        as_of_days: TODAY,
        now_ms: 0,
        time_zone: "UTC".into(),
        base_currency: "USD".into(),
        seed: 7,
    }
}
