//! Events with a time of day, sums at the edge of 64 bits, and writers beside readers.

use std::sync::Arc;

use trellis_model::{ColumnData, FieldName, Value};
use trellis_records::{Caller, Write};

use super::company::{Company, Order, name, orders_spec, rows_of};
use crate::{Aggregate, AsOf, ColumnSource, Config, DatasetColumn, DatasetSpec};

fn interactions_spec() -> DatasetSpec {
    let column = |column: &str, aggregate| DatasetColumn {
        name: column.into(),
        source: ColumnSource::Aggregate {
            events: name("interaction"),
            time: FieldName::new("occurred_at").unwrap(),
            aggregate,
        },
    };
    DatasetSpec {
        object: name("account"),
        columns: vec![column("calls", Aggregate::Count), column("last", Aggregate::Last)],
    }
}

#[tokio::test]
async fn a_day_ends_where_the_organisation_is() {
    let time_zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let records_config = trellis_records::Config { time_zone, ..trellis_records::Config::default() };
    let company = Company::with_configs(Config::default(), records_config).await;
    let account = company.account("Ada").await;
    // Midnight in Shanghai is 16:00 UTC.
    for time in ["2023-03-01T15:59:59.999Z", "2023-03-01T16:00:00Z"] {
        let fields = company.fields(
            "interaction",
            vec![
                ("account", Value::Reference(account.id)),
                ("channel", Value::Choice("phone".into())),
                ("occurred_at", Value::Time(time.parse().unwrap())),
            ],
        );
        company.records.create(&Caller::system("test"), &name("interaction"), fields).await.unwrap();
    }
    let mut mixed = interactions_spec();
    mixed.columns.extend(orders_spec().columns.into_iter().take(2));
    let batch = async |as_of| company.columns.dataset(&mixed, as_of, 10).await.unwrap().next().unwrap();
    let date = |date: &str| AsOf::Date(date.parse().unwrap());
    assert_eq!(batch(date("2023-02-28")).await, None);
    let first = batch(date("2023-03-01")).await.unwrap();
    let last_ms: i64 = 1_677_686_399_999;
    assert_eq!(first.columns[0].data, ColumnData::Int64(vec![1]));
    assert_eq!(first.columns[1].data, ColumnData::Time(vec![last_ms]));
    let second = batch(date("2023-03-02")).await.unwrap();
    assert_eq!(second, batch(AsOf::Now).await.unwrap());
    assert_eq!(second.columns[1].data, ColumnData::Time(vec![last_ms + 1]));
    // Of another source that has no event of the customer: 0 and null.
    assert_eq!(second.columns[2].data, ColumnData::Int64(vec![0]));
    assert!(!second.columns[3].valid.get(0) && second.columns[1].valid.get(0));
}

#[tokio::test]
async fn a_sum_past_64_bits_is_null_and_exact_again_below() {
    let company = Company::new().await;
    let (rich, poor) = (company.account("Rich").await, company.account("Poor").await);
    company.order(&poor, 10_000, 1.0, 1).await;
    let most = 99_999_999_999_999_999;
    for _ in 0..93 {
        company.order(&rich, 10_000, 1.0, most).await;
    }
    let mut spec = orders_spec();
    spec.columns = vec![spec.columns.remove(3)];
    let column = async || {
        let batch = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap().next().unwrap().unwrap();
        let ColumnData::Money { minor_units, .. } = &batch.columns[0].data else { panic!("{batch:?}") };
        (0..2).map(|row| batch.columns[0].valid.get(row).then(|| minor_units[row])).collect::<Vec<_>>()
    };
    assert_eq!(column().await, [None, Some(1)]);
    company.order(&rich, 10_000, 1.0, -most).await;
    assert_eq!(column().await, [Some(92 * most), Some(1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_writers_count_every_event_once() {
    let config = Config { events_page_rows: 7, log_page_entries: 2, as_of_kept: 1, ..Config::default() };
    let company = Arc::new(Company::with(config).await);
    let accounts = company.accounts(40).await;
    let writer = tokio::spawn({
        let company = Arc::clone(&company);
        async move {
            for round in 0..60 {
                let writes = accounts.iter().step_by(1 + round % 3).map(|account| Write::Create {
                    object: name("order"),
                    fields: company.order_fields(&Order {
                        account: account.id,
                        day: 10_000 + (round as i32 * 7) % 20,
                        quantity: Some(0.1),
                        cents: Some(100),
                    }),
                    id: None,
                });
                let written =
                    company.records.write_batch(&Caller::system("test"), writes.collect()).await.unwrap();
                let gone =
                    written.into_iter().step_by(5).map(|written| written.unwrap().record().unwrap().id);
                let deletes =
                    gone.map(|id| Write::Delete { object: name("order"), id, expected_version: None });
                company.records.write_batch(&Caller::system("test"), deletes.collect()).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let mut looks = 0;
    while looks < 2 || !writer.is_finished() {
        let mut stream = company.columns.dataset(&orders_spec(), AsOf::Now, 1_000).await.unwrap();
        let rows = stream.next().unwrap().map_or(Vec::new(), |batch| rows_of(&batch));
        assert!(rows.iter().all(|row| row.cents == 100 * row.count), "{rows:?}");
        if looks % 5 == 0 {
            let report = company.columns.check().await.unwrap();
            assert!(report.is_clean(), "{:?}", report.differences);
        }
        looks += 1;
    }
    writer.await.unwrap();
    let report = company.columns.check().await.unwrap();
    // Every fifth account loses each of its orders again.
    assert!(report.is_clean() && report.feature_rows == 32, "{report:?}");
}
