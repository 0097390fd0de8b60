//! The first-party plugins through the whole sandbox: their manifests hold, and what they answer passes every check.

use trellis_model::{Batch, Column, ColumnData, Validity, Value};
use trellis_plugin_host::{CancelFlag, Plugin};

use crate::support::{AS_OF, at, customers, field, load, record};

fn with(mut batch: Batch, columns: Vec<Column>) -> Batch {
    batch.columns.extend(columns);
    batch
}

fn column(name: &str, data: ColumnData) -> Column {
    Column { name: name.to_owned(), valid: Validity::all(), data }
}

fn words(name: &str, words: &[&str], of_row: impl Fn(u64) -> u32, batch: &Batch) -> Column {
    let codes = batch.ordinals.iter().map(|&ordinal| of_row(ordinal)).collect();
    column(name, ColumnData::Dictionary { codes, values: words.iter().collect() })
}

fn grants(plugin: &Plugin) -> Vec<String> {
    plugin.inspection().requests().into_iter().map(|request| request.grant).collect()
}

#[test]
fn value_pyramid_ranks_customers() {
    let (host, plugin) = load("value-pyramid");
    assert_eq!(grants(&plugin).len(), 1, "it reads customers: {:?}", grants(&plugin));
    let of_orders = |batch: Batch| {
        let day = || ColumnData::Date(vec![AS_OF - 30; batch.ordinals.len()]);
        with(batch.clone(), vec![column("first_order", day())])
    };
    let config = plugin.manifest().default_config().to_string();
    let scoring = plugin.scoring().unwrap();
    let described = scoring.describe(&config).unwrap();
    assert_eq!(described.iter().map(|score| score.name.as_str()).collect::<Vec<_>>(), ["value", "standing"]);
    let bands: Vec<_> = described[1].bands.iter().map(|band| (band.name.as_str(), band.lowest)).collect();
    assert_eq!(bands, [("lead", 0.0), ("iron", 80.0), ("gold", 95.0), ("platinum", 99.0)]);

    let mut rows =
        crate::support::Customers::new(vec![of_orders(customers(0..40)), of_orders(customers(40..101))]);
    let fitted = scoring.fit(&mut rows, &config, &at(), &CancelFlag::default()).unwrap();
    let scored = scoring.score(&described, &fitted.model.bytes, of_orders(customers(0..101)), &at()).unwrap();
    let platinum = scored.columns[1].values.iter().filter(|standing| **standing >= 99.0).count();
    assert_eq!((platinum, scored.failed.len()), (2, 0));
    let one = of_orders(customers(7..8));
    assert_eq!(scoring.explain(&fitted.model.bytes, one, &at()).unwrap()[0].len(), 4);
    let rules = scoring.rules(&fitted.model.bytes).unwrap();
    assert!(rules.en.contains("| Platinum | 1 % |"), "{}", rules.en);
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn win_back_decides_for_a_campaign() {
    let (host, plugin) = load("win-back");
    let granted = grants(&plugin);
    for grant in ["act:create-task", "act:send-message"] {
        assert!(granted.iter().any(|granted| granted == grant), "{granted:?}");
    }
    let counted = |batch: Batch| {
        let complaints = batch.ordinals.iter().map(|&ordinal| i64::from(ordinal == 5)).collect();
        let tasks = vec![0; batch.ordinals.len()];
        let columns = vec![
            column("open_severe_complaints", ColumnData::Int64(complaints)),
            column("open_tasks", ColumnData::Int64(tasks)),
        ];
        with(batch, columns)
    };
    let mut campaign = record("campaign", 1, &[("name", "Spring"), ("budget", "not shown")]);
    campaign.fields.insert(field("channel"), Value::Choice("sms".to_owned()));
    let config = plugin.manifest().default_config().to_string();
    let rules = plugin.campaign_rules().unwrap();

    let eligible = rules.eligible(&campaign, counted(customers(0..100)), &config, &at()).unwrap();
    assert_eq!(eligible.causes[5].as_deref(), Some("open-severe-complaint"));
    assert!(eligible.eligible.iter().any(|eligible| *eligible));
    let variants = rules.assign_variant(&campaign, counted(customers(0..100)), &config, &at()).unwrap();
    assert!(variants.variants.iter().any(Option::is_none), "somebody is held out");
    let reasons = rules.explain(&campaign, counted(customers(5..6)), &config, &at()).unwrap();
    assert_eq!(reasons[0][0].code, "open-severe-complaint");

    let members = |batch: Batch| {
        let batch = counted(batch);
        let variant = words("variant", &["a", "b"], |ordinal| (ordinal % 2) as u32, &batch);
        let status = words("status", &["planned", "contacted"], |ordinal| (ordinal / 50) as u32, &batch);
        with(batch, vec![variant, status])
    };
    let next = rules.next_action(&campaign, members(customers(0..100)), &config, &at()).unwrap();
    assert_eq!(
        next.rows.len(),
        50,
        "the planned ones; for the one who complains somebody settles that first"
    );
    let kinds = [next.rows[0].actions[0].kind(), next.rows[1].actions[0].kind()];
    assert_eq!(kinds, ["send-message", "create-task"]);
    let granted = |action| plugin.manifest().actions.iter().any(|grant| grant.allows(action));
    assert!(next.rows.iter().flat_map(|row| &row.actions).all(granted));

    let responded = |batch: Batch| {
        let flags = batch.ordinals.iter().map(|&ordinal| u8::from(ordinal % 4 == 0)).collect();
        with(members(batch), vec![column("responded", ColumnData::Boolean(flags))])
    };
    let mut rows =
        crate::support::Customers::new(vec![responded(customers(0..60)), responded(customers(60..100))]);
    let evaluation = rules.evaluate(&campaign, &mut rows, &config, &at(), &CancelFlag::default()).unwrap();
    let figure =
        |name: &str| evaluation.report.metrics.iter().find(|metric| metric.name == name).unwrap().value;
    assert_eq!((figure("a_members"), figure("a_responses"), figure("waiting")), (25.0, 12.0, 50.0));
    assert!(figure("b_against_a_z") < 0.0);
    assert_eq!(host.stats().faults, 0);
}
