//! What becomes of customers who complained.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use complaint_desk::{ComplaintDesk, Config};
use trellis_sdk::testing::{BatchBuilder, context, split, stream};
use trellis_sdk::{Analysis, Batch, Context, Report, RowStream};

const DAY_MS: i64 = 86_400_000;

fn at() -> Context {
    Context { as_of: 1_000, ..context() }
}

/// Five complaints: one bought again, one did not, one too lately resolved, one not resolved, one that never bought.
fn complaints() -> Batch {
    let days = |days: [Option<i64>; 5]| days.map(|day| day.map(|day| day * DAY_MS));
    BatchBuilder::new(0..5)
        .reference("account", [Some(1), Some(2), Some(1), Some(3), None])
        .time("received_at", days([Some(100), Some(200), Some(980), Some(300), Some(300)]))
        .time("resolved_at", days([Some(110), None, Some(990), None, Some(310)]))
        .time("closed_at", days([None, Some(205), None, None, None]))
        .dictionary("severity", [Some("high"), Some("low"), None, Some("high"), Some("low")])
        .dictionary("dissatisfaction", [Some("legal_action"), None, None, None, None])
        .dictionary("root_cause_kind", [Some("product"), Some("product"), Some("delivery"), None, None])
        .dictionary("effective", [Some("yes"), Some("no"), None, None, None])
        .lists("wants_met", [Some(vec!["serious", "heard"]), Some(vec!["serious"]), None, Some(vec![]), None])
        .int64("satisfaction", [Some(5), Some(2), None, None, None])
        .build()
}

fn orders() -> Batch {
    BatchBuilder::new(0..6)
        .reference("account", [Some(1), Some(1), Some(1), Some(2), Some(2), Some(9)])
        .date("ordered_on", [Some(90), Some(111), Some(200), Some(150), Some(296), Some(120)])
        .build()
}

fn ask(rows: &mut RowStream<'_>) -> Report {
    ComplaintDesk::analyse("recovery", rows, r#"{"days":90}"#, &Config::default(), &at()).unwrap()
}

#[test]
fn who_buys_again_in_time_is_recovered() {
    let report = ask(&mut stream([complaints()]).with_dataset("orders", [orders()]));
    for (name, expected) in [
        ("complaints", 5.0),
        ("resolved", 4.0),
        ("judged", 2.0),
        // Customer 1 bought on days 111 and 200 (the last day counts), customer 2 only on day 296, one too late.
        ("recovery_rate", 50.0),
        ("orders_before", 1.0),
        ("orders_after", 1.0),
        ("days_to_resolve", 8.75),
        ("satisfaction", 3.5),
        ("effective", 50.0),
    ] {
        assert_eq!(report.value(name), Some(expected), "{name}");
    }
    let names: Vec<&str> = report.panels.iter().map(|panel| panel.name.as_str()).collect();
    assert_eq!(names, ["causes", "severities", "forms", "wants"]);
    assert_eq!(report.panels.iter().map(|panel| panel.rows()).collect::<Vec<_>>(), [3, 3, 2, 5]);
}

#[test]
fn splitting_changes_nothing_and_nobody_is_no_fault() {
    let pieces = split(&complaints(), 2);
    let whole = ask(&mut stream([complaints()]).with_dataset("orders", [orders()]));
    let parts = ask(&mut stream(pieces).with_dataset("orders", split(&orders(), 1)));
    assert_eq!(format!("{whole:?}"), format!("{parts:?}"));
    let nobody = ask(&mut stream([]).with_dataset("orders", []));
    let unknown = BatchBuilder::new([0])
        .reference("account", [Some(1)])
        .time("received_at", [None])
        .time("resolved_at", [Some(110 * DAY_MS)])
        .time("closed_at", [None])
        .dictionary("severity", [None])
        .dictionary("dissatisfaction", [None])
        .dictionary("root_cause_kind", [None])
        .dictionary("effective", [None])
        .lists("wants_met", [None])
        .int64("satisfaction", [None])
        .build();
    let unknown = ask(&mut stream([unknown]).with_dataset("orders", [orders()]));
    assert_eq!((unknown.value("recovery_rate"), unknown.value("days_to_resolve")), (Some(100.0), None));
    assert_eq!((nobody.value("complaints"), nobody.value("recovery_rate")), (Some(0.0), None));
    let unknown = ComplaintDesk::analyse("weather", &mut stream([]), "{}", &Config::default(), &at());
    assert!(unknown.unwrap_err().to_string().contains("`weather`"));
}
