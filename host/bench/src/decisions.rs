//! What deciding costs: rules and a record hook before a save, reactions after one, and how soon a score follows a change.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use trellis_engine::UseSettings;
use trellis_model::{ObjectName, PluginId, RecordId, Scope};
use trellis_records::FieldChanges;

use crate::figures::{per_second, percentile, print};
use crate::setup::{Parts, caller, finish, guest};

const SAVES: usize = 2_000;
const CHANGES: usize = 300;
const REACTIONS: usize = 2_000;
const CUSTOMERS: u64 = 20_000;
const PURCHASES: u64 = 100_000;
/// What a rule of a company looks like: it reads a field or two and finds nothing to say.
const RULE: &str = r#"if record.country == "France" && record.phone == () { veto("phone", "needed"); }"#;

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        before_save().await;
        reactions().await;
        rescoring().await;
    });
}

/// Saves on the memory store, so that the disk does not hide what a rule costs.
async fn before_save() {
    let mut without = 0.0;
    for rules in [0, 1, 10] {
        let parts = Parts::in_memory().await;
        for number in 0..rules {
            add_rule(&parts, number, "before_save", RULE).await;
        }
        let cities = ["Shanghai", "Chengdu"];
        let cost =
            save_cost(&parts, "account", &[("name", "Acme"), ("country", "China")], "city", cities).await;
        without = if rules == 0 { cost } else { without };
        let beside =
            format!("{:.1} µs over no rule; median of {SAVES} updates, memory store", cost - without);
        print(&format!("before-save with {rules} rules"), cost, "µs", &beside);
        parts.shutdown().await;
    }
    let fields = [("name", "Ann"), ("status", "new")];
    // One of the fields that the plugin wants to be asked about.
    let grades = ["yes", "partly"];
    let bare = Parts::in_memory().await;
    let without = save_cost(&bare, "lead", &fields, "need_grade", grades).await;
    bare.shutdown().await;
    let parts = Parts::in_memory().await;
    enable(&parts, "b2b-gate").await;
    let cost = save_cost(&parts, "lead", &fields, "need_grade", grades).await;
    let beside = format!("{:.1} µs over no hook; b2b-gate, a call for each update", cost - without);
    print("before-save with a record hook", cost, "µs", &beside);
    parts.shutdown().await;
}

/// Median time of an update of one field from one value to another and back, in microseconds.
async fn save_cost(
    parts: &Parts,
    object: &str,
    fields: &[(&str, &str)],
    changing: &str,
    values: [&str; 2],
) -> f64 {
    let (object, id) = create(parts, object, fields).await;
    let definition = parts.records.schema().object(object.as_str()).cloned().expect("an object");
    let field = definition.field(changing).expect("a field");
    let values = values.map(|text| field.field_type.parse_text(text).expect("a value"));
    let mut times = Vec::with_capacity(SAVES);
    for number in 0..SAVES {
        let changes: FieldChanges = [(field.id, values.get(number % 2).cloned())].into();
        let started = Instant::now();
        parts.records.update(&caller(), &object, id, changes, None).await.expect("a save");
        times.push(started.elapsed());
    }
    percentile(&mut times, 0.5).as_secs_f64() * 1e6
}

/// How fast the reader turns changes into tasks, on disk.
async fn reactions() {
    let parts = Parts::new().await;
    add_rule(
        &parts,
        0,
        "after_save",
        r#"if is_new() { create_task(#{ subject: "Welcome", account: record.id }); }"#,
    )
    .await;
    let parts = Arc::new(parts);
    let started = Instant::now();
    let clients: Vec<_> = (0..16)
        .map(|client| {
            let parts = Arc::clone(&parts);
            tokio::spawn(async move {
                for number in 0..REACTIONS / 16 {
                    let name = format!("customer {client}/{number}");
                    create(&parts, "account", &[("name", &name)]).await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("a client that ends");
    }
    let created = started.elapsed();
    let task = ObjectName::new("task").expect("a name");
    let everything = trellis_model::Filter::parse(&json!({ "and": [] })).expect("a filter");
    while parts.records.count(&Scope::everything(), &task, &everything).await.expect("a count")
        < REACTIONS as u64
    {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let beside = format!("{REACTIONS} accounts by 16 clients in {:.2} s, a task each", created.as_secs_f64());
    print("reactions: decided, recorded and done", per_second(REACTIONS, started.elapsed()), "/s", &beside);
    parts.shutdown().await;
}

/// From the acknowledged order to the changed score.
async fn rescoring() {
    let parts = Parts::new().await;
    let file = parts.folder.path().join("purchases.csv");
    crate::population::write(&file, CUSTOMERS, PURCHASES);
    parts.import(&file).await;
    let plugin = enable(&parts, "value-pyramid").await;
    let job =
        parts.engine.plugin_run(&caller(), &plugin, Default::default()).await.expect("a run that starts");
    finish(&parts.engine, job).await;
    let order = object(&parts, "order");
    let mut times = Vec::with_capacity(CHANGES);
    for number in 0..CHANGES {
        let ordinal = (number as u64 * 7_919) % CUSTOMERS;
        let Some(id) =
            parts.records.ordinal_ids(account_id(&parts), &[ordinal]).await.expect("ids").pop().flatten()
        else {
            continue;
        };
        let value = || parts.columns.score_of(&Scope::everything(), "value_pyramid__value", ordinal);
        let before = value();
        let fields = json!({ "account": id.to_string(), "ordered_on": "1998-12-31", "amount": { "amount": "12.34", "currency": "USD" }, "status": "paid" });
        let definition = parts.records.schema().object(order.as_str()).cloned().expect("an object");
        let fields = fields.as_object().expect("fields").iter().filter_map(|(name, json)| {
            let field = definition.field(name)?;
            Some((field.id, field.field_type.parse_json(json).expect("a value")?))
        });
        parts.records.create(&caller(), &order, fields.collect()).await.expect("an order");
        let started = Instant::now();
        while value() == before {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        times.push(started.elapsed());
    }
    let ms = |share, times: &mut [Duration]| percentile(times, share).as_secs_f64() * 1e3;
    let beside = format!(
        "p99 {:.1} ms, aim 100; {} changes, {CUSTOMERS} customers",
        ms(0.99, &mut times),
        times.len()
    );
    print("re-score after one change, p50", ms(0.5, &mut times), "ms", &beside);
    crate::day::measure(&parts, PURCHASES).await;
    parts.shutdown().await;
}

async fn add_rule(parts: &Parts, number: u32, trigger: &str, source: &str) {
    let position = number.to_string();
    let fields = [
        ("name", "bench"),
        ("object", "account"),
        ("trigger", trigger),
        ("position", position.as_str()),
        ("enabled", "true"),
        ("reads_personal_data", "true"),
        ("source", source),
    ];
    create(parts, "rule", &fields).await;
}

async fn enable(parts: &Parts, plugin: &str) -> PluginId {
    parts.engine.plugin_upload(&caller(), guest(plugin)).await.expect("a plugin");
    let id: PluginId = plugin.parse().expect("an id");
    parts
        .engine
        .plugin_enable(&caller(), &id, UseSettings::default())
        .await
        .expect("a plugin that can be enabled");
    id
}

/// Creates a record from texts, as a CSV file would have them.
async fn create(parts: &Parts, object_name: &str, fields: &[(&str, &str)]) -> (ObjectName, RecordId) {
    let name = object(parts, object_name);
    let definition = parts.records.schema().object(object_name).cloned().expect("an object");
    let fields = fields.iter().map(|(field, text)| {
        let field = definition.field(field).expect("a field");
        (field.id, field.field_type.parse_text(text).expect("a value"))
    });
    let record = parts.records.create(&caller(), &name, fields.collect()).await.expect("a record");
    (name, record.id)
}

fn object(parts: &Parts, name: &str) -> ObjectName {
    parts.records.schema().object(name).expect("an object").name.clone()
}

fn account_id(parts: &Parts) -> trellis_model::ObjectId {
    parts.records.schema().object("account").expect("an object").id
}
