use serde_json::json;
use trellis_model::{ColumnData, RecordId};
use trellis_records::EventPage;

use crate::support::{World, name};

async fn events(world: &World) -> EventPage {
    world.records.events(&name("order"), 0..u64::MAX, None, 1_000).await.unwrap()
}

fn cents(page: &EventPage) -> Vec<i64> {
    match &page.values[0].data {
        ColumnData::Money { currency, minor_units } if currency == "USD" => minor_units.clone(),
        other => panic!("{other:?}"),
    }
}

async fn two_accounts(world: &World) -> (RecordId, RecordId) {
    let first = world.create("account", json!({"name": "A"})).await.id;
    (first, world.create("account", json!({"name": "B"})).await.id)
}

#[tokio::test]
async fn events_come_by_target_then_time_as_columns() {
    let world = World::new().await;
    let (a, b) = two_accounts(&world).await;
    world.order(b, "1997-01-02", "3.30", 3.0).await;
    world.order(a, "1997-01-03", "2", 2.0).await;
    let first = world.order(a, "1969-12-31", "1.10", 1.5).await;
    let page = events(&world).await;
    assert_eq!((&page.ordinals[..], &page.times[..]), (&[0, 0, 1][..], &[-1, 9864, 9863][..]));
    assert_eq!(cents(&page), [110, 200, 330]);
    assert_eq!(page.values[1].data, ColumnData::Float64(vec![1.5, 2.0, 3.0]));
    assert_eq!((page.ids[0], page.positions[0]), (first.id, first.version));
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn pages_and_ranges_of_events_fit_together() {
    let world = World::new().await;
    let (a, b) = two_accounts(&world).await;
    for day in 1..=9 {
        world.order(if day % 2 == 0 { a } else { b }, &format!("2026-01-0{day}"), "1", 1.0).await;
    }
    let (mut after, mut ordinals) = (None, Vec::new());
    loop {
        let page = world.records.events(&name("order"), 0..2, after, 2).await.unwrap();
        ordinals.extend(page.ordinals);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(ordinals, [0, 0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!(world.records.events(&name("order"), 1..2, None, 100).await.unwrap().ordinals.len(), 5);
    assert_eq!(
        world.records.events(&name("account"), 1..2, None, 1).await.unwrap_err().to_string(),
        "account is no object of events"
    );
}

#[tokio::test]
async fn an_event_moves_with_its_record_and_goes_with_it() {
    let world = World::new().await;
    let (a, b) = two_accounts(&world).await;
    let order = world.order(a, "2026-01-01", "1", 1.0).await;
    let moved =
        world.update("order", order.id, json!({"account": b.to_string(), "amount": null})).await.unwrap();
    let page = events(&world).await;
    assert_eq!(
        (&page.ordinals[..], page.values[0].valid.get(0), page.values[1].valid.get(0)),
        (&[1][..], false, true)
    );
    let entry = world.records.log_after(moved.last_log - 1, 1).await.unwrap().remove(0);
    let change = &entry.changes()[0];
    assert_eq!((change.event.unwrap().target_ordinal, change.event_before.unwrap().target_ordinal), (1, 0));
    world.delete("order", order.id).await;
    assert!(events(&world).await.ordinals.is_empty());
    world.records.restore(&world.caller, &name("order"), order.id).await.unwrap();
    assert_eq!(events(&world).await.ordinals, [1]);
    world.expect_clean().await;
}
