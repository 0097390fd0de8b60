//! Features against a naive recomputation, through restarts and past dates.

use std::collections::BTreeMap;

use super::company::{self, Company, Order, Row, name, orders_spec, rows_of};
use crate::{AsOf, ColumnSource, DatasetColumn, Error};
use proptest::prelude::*;
use trellis_model::{FieldName, Record, RecordId, Value};
use trellis_records::Caller;

#[derive(Debug, Clone)]
enum Step {
    Account,
    Order { account: usize, day: i32, quantity: Option<u8>, cents: Option<i64> },
    Move { order: usize, account: usize },
    Amount { order: usize, cents: Option<i64>, day: i32 },
    DeleteOrder(usize),
    RestoreOrder(usize),
    DeleteAccount(usize),
    RestoreAccount(usize),
    Look,
    LookBack(i32),
    Checkpoint,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let order =
        (0..20_usize, 10_000..10_020, prop::option::of(any::<u8>()), prop::option::of(-5_000..50_000_i64));
    prop_oneof![
        2 => Just(Step::Account),
        8 => order.prop_map(|(account, day, quantity, cents)| Step::Order { account, day, quantity, cents }),
        2 => (0..40_usize, 0..20_usize).prop_map(|(order, account)| Step::Move { order, account }),
        2 => (0..40_usize, prop::option::of(0..9_999_i64), 10_000..10_020)
            .prop_map(|(order, cents, day)| Step::Amount { order, cents, day }),
        2 => (0..40_usize).prop_map(Step::DeleteOrder),
        1 => (0..40_usize).prop_map(Step::RestoreOrder),
        1 => (0..20_usize).prop_map(Step::DeleteAccount),
        1 => (0..20_usize).prop_map(Step::RestoreAccount),
        3 => Just(Step::Look),
        2 => (9_999..10_021).prop_map(Step::LookBack),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Restart),
    ]
}

/// What should be, kept by hand.
#[derive(Default)]
struct Naive {
    accounts: Vec<(Record, bool)>,
    orders: Vec<(RecordId, Order, bool)>,
}

impl Naive {
    fn rows(&self, until: i32) -> Vec<Row> {
        let mut rows = Vec::new();
        for (account, _) in self.accounts.iter().filter(|(_, live)| *live) {
            let mut orders: Vec<_> = self
                .orders
                .iter()
                .filter(|(_, order, live)| *live && order.account == account.id && order.day <= until)
                .collect();
            orders.sort_by_key(|(id, order, _)| (order.day, *id));
            if let (Some((_, first, _)), Some((_, last, _))) = (orders.first(), orders.last()) {
                rows.push(Row {
                    ordinal: account.ordinal.unwrap(),
                    count: orders.len() as i64,
                    first: first.day,
                    last: last.day,
                    cents: orders.iter().filter_map(|(_, order, _)| order.cents).sum(),
                    quantity: orders
                        .iter()
                        .filter_map(|(_, order, _)| order.quantity)
                        .fold(0.0, |sum, q| sum + q),
                });
            }
        }
        rows.sort_by_key(|row| row.ordinal);
        rows
    }
}

async fn apply(company: Company, naive: &mut Naive, step: Step) -> Company {
    let caller = Caller::system("test");
    let (account_name, order_name) = (name("account"), name("order"));
    match step {
        Step::Account => {
            let account = company.account("Someone").await;
            naive.accounts.push((account, true));
        }
        Step::Order { account, day, quantity, cents } => {
            let Some((account, true)) = naive.accounts.get(account) else { return company };
            // Tenths do not add up alike in every order.
            let quantity = quantity.map(|quantity| f64::from(quantity) / 10.0);
            let order = Order { account: account.id, day, quantity, cents };
            let fields = company.order_fields(&order);
            let record = company.records.create(&caller, &order_name, fields).await.unwrap();
            naive.orders.push((record.id, order, true));
        }
        Step::Move { order, account } => {
            let Some((account, true)) = naive.accounts.get(account) else { return company };
            let Some((id, order, true)) = naive.orders.get_mut(order) else { return company };
            let changes = company.fields("order", vec![("account", Value::Reference(account.id))]);
            let changes = changes.into_iter().map(|(field, value)| (field, Some(value))).collect();
            company.records.update(&caller, &order_name, *id, changes, None).await.unwrap();
            order.account = account.id;
        }
        Step::Amount { order, cents, day } => {
            let Some((id, order, true)) = naive.orders.get_mut(order) else { return company };
            let day_value = Value::Date(Value::date_of_days(day).unwrap());
            let changes =
                company.fields("order", vec![("ordered_on", day_value), ("amount", company::money(1))]);
            let amount = *changes.iter().find(|(_, value)| matches!(value, Value::Money(_))).unwrap().0;
            let mut changes: BTreeMap<_, _> =
                changes.into_iter().map(|(field, value)| (field, Some(value))).collect();
            changes.insert(amount, cents.map(company::money));
            if company.records.update(&caller, &order_name, *id, changes, None).await.is_ok() {
                (order.cents, order.day) = (cents, day);
            }
        }
        Step::DeleteOrder(order) => {
            let Some((id, _, live @ true)) = naive.orders.get_mut(order) else { return company };
            company.records.delete(&caller, &order_name, *id, None).await.unwrap();
            *live = false;
        }
        Step::RestoreOrder(order) => {
            let Some((id, _, live @ false)) = naive.orders.get_mut(order) else { return company };
            *live = company.records.restore(&caller, &order_name, *id).await.is_ok();
        }
        Step::DeleteAccount(account) => {
            let Some((account, live @ true)) = naive.accounts.get_mut(account) else { return company };
            company.records.delete(&caller, &account_name, account.id, None).await.unwrap();
            *live = false;
        }
        Step::RestoreAccount(account) => {
            let Some((account, live @ false)) = naive.accounts.get_mut(account) else { return company };
            company.records.restore(&caller, &account_name, account.id).await.unwrap();
            *live = true;
        }
        Step::Look => {
            assert_eq!(company.rows(AsOf::Now, 3).await, naive.rows(i32::MAX));
        }
        Step::LookBack(day) => {
            let date = AsOf::Date(Value::date_of_days(day).unwrap());
            assert_eq!(company.rows(date, 1_000).await, naive.rows(day));
        }
        Step::Checkpoint => company.columns.checkpoint().await.unwrap(),
        Step::Restart => return company.restart().await,
    }
    company
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn folded_features_equal_a_naive_recomputation(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let (mut company, mut naive) = (Company::new().await, Naive::default());
            company.columns.declare(&orders_spec()).unwrap();
            for step in steps {
                company = apply(company, &mut naive, step).await;
            }
            company.columns.catch_up().await.unwrap();
            let report = company.columns.check().await.unwrap();
            assert!(report.is_clean(), "{:?}", report.differences);
            assert_eq!(company.rows(AsOf::Now, 1_000).await, naive.rows(i32::MAX));
        });
    }
}

#[tokio::test]
async fn a_stream_keeps_the_moment_in_which_it_was_opened() {
    let company = Company::new().await;
    let account = company.account("Ada").await;
    company.order(&account, 10_000, 1.0, 500).await;
    let mut stream = company.columns.dataset(&orders_spec(), AsOf::Now, 10).await.unwrap();
    let opened_at = stream.log_number();
    company.order(&account, 10_001, 1.0, 700).await;
    assert_eq!(company.rows(AsOf::Now, 10).await[0].cents, 1_200);
    assert_eq!(rows_of(&stream.next().unwrap().unwrap())[0].cents, 500);
    let (changed, head) = company.columns.changed_after(&orders_spec(), opened_at).await.unwrap();
    assert_eq!((changed, head), (vec![account.ordinal.unwrap()], company.records.log_head()));
    assert_eq!(company.columns.changed_after(&orders_spec(), head).await.unwrap().0, Vec::<u64>::new());
}

#[tokio::test]
async fn a_checkpoint_is_used_and_a_damaged_or_foreign_one_is_not() {
    let company = Company::new().await;
    let account = company.account("Ada").await;
    company.order(&account, 10_000, 1.0, 500).await;
    let before = company.rows(AsOf::Now, 10).await;
    company.columns.checkpoint().await.unwrap();
    let files = || std::fs::read_dir(company.dir.path()).unwrap().map(|file| file.unwrap().path());
    let features =
        files().find(|file| file.to_string_lossy().contains("features")).expect("a checkpoint file");
    let good = std::fs::read(&features).unwrap();

    // A sum changed in the file, checksum mended, shows that the file is what is read.
    let mut bytes = good.clone();
    let place = bytes.windows(8).rposition(|window| window == 500_i64.to_le_bytes()).unwrap();
    bytes[place..place + 8].copy_from_slice(&501_i64.to_le_bytes());
    let end = bytes.len() - 4;
    let crc = crc32c::crc32c(&bytes[..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&features, &bytes).unwrap();
    let company = company.restart().await;
    assert_eq!(company.rows(AsOf::Now, 10).await[0].cents, 501);
    let report = company.columns.check().await.unwrap();
    assert!(report.differences[0].contains("order of account 0"), "{:?}", report.differences);

    bytes[place] ^= 1;
    std::fs::write(&features, &bytes).unwrap();
    let company = company.restart().await;
    assert_eq!(company.rows(AsOf::Now, 10).await, before);

    std::fs::write(&features, &good).unwrap();
    let other = Company::new().await;
    for file in std::fs::read_dir(company.dir.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), other.dir.path().join(file.file_name())).unwrap();
    }
    assert_eq!(other.restart().await.rows(AsOf::Now, 10).await, []);
}

#[tokio::test]
async fn what_happened_after_a_checkpoint_is_folded_on_top() {
    let company = Company::new().await;
    let account = company.account("Ada").await;
    company.order(&account, 10_000, 1.0, 500).await;
    company.rows(AsOf::Now, 10).await;
    company.columns.checkpoint().await.unwrap();
    company.order(&account, 10_001, 1.0, 700).await;
    let late = company.account("Bob").await;
    company.order(&late, 9_000, 2.0, 100).await;
    let company = company.restart().await;
    let rows = company.rows(AsOf::Now, 10).await;
    assert_eq!(rows.iter().map(|row| (row.count, row.cents)).collect::<Vec<_>>(), [(2, 1_200), (1, 100)]);
}

#[tokio::test]
async fn plain_fields_stand_beside_aggregates() {
    let company = Company::new().await;
    let accounts = company.accounts(3).await;
    company.order(&accounts[0], 10_000, 1.0, 500).await;
    company.order(&accounts[2], 10_000, 1.0, 700).await;
    let mut spec = orders_spec();
    let field = |name: &str| DatasetColumn {
        name: name.into(),
        source: ColumnSource::Field(FieldName::new(name).unwrap()),
    };
    spec.columns = vec![field("name"), field("country"), spec.columns[3].clone()];
    let batch = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap().next().unwrap().unwrap();
    assert_eq!(batch.ordinals, [0, 2]);
    let trellis_model::ColumnData::Text(names) = &batch.columns[0].data else { panic!("{batch:?}") };
    assert_eq!((names.get(0), names.get(1)), (Some("Customer 0"), Some("Customer 2")));
    assert!(!batch.columns[1].valid.get(0));

    spec.columns.pop();
    let mut stream = company.columns.dataset(&spec, AsOf::Now, 2).await.unwrap();
    assert_eq!(stream.rows(), 3);
    assert_eq!(stream.next().unwrap().unwrap().ordinals, [0, 1]);
    assert_eq!(stream.next().unwrap().unwrap().ordinals, [2]);
    assert_eq!(stream.next().unwrap(), None);
    let some = company.rows_at(&spec, &[2, 0, 9, 2]).await;
    assert_eq!(some.ordinals, [0, 2]);
}

#[tokio::test]
async fn what_is_withheld_is_null_and_leaves_nothing_behind() {
    let company = Company::new().await;
    let accounts = company.accounts(2).await;
    company.order(&accounts[0], 10_000, 1.0, 500).await;
    company.order(&accounts[1], 10_000, 1.0, 700).await;
    let mut spec = orders_spec();
    let name = ColumnSource::Field(FieldName::new("name").unwrap());
    spec.columns.push(DatasetColumn { name: "name".into(), source: name });
    let open = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap().next().unwrap().unwrap();
    for column in &mut spec.columns {
        column.source = ColumnSource::Withheld(Box::new(column.source.clone()));
    }
    let batch = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap().next().unwrap().unwrap();
    assert_eq!((batch.rows, &batch.ordinals), (2, &open.ordinals), "the rows are the same");
    for (column, seen) in batch.columns.iter().zip(&open.columns) {
        assert_eq!((&column.name, column.data.len()), (&seen.name, 2));
        assert!((0..2).all(|row| !column.valid.get(row)), "{}", column.name);
        let same_type = std::mem::discriminant(&column.data) == std::mem::discriminant(&seen.data);
        assert!(same_type, "{}", column.name);
    }
    let trellis_model::ColumnData::Text(names) = &batch.columns.last().unwrap().data else {
        panic!("{batch:?}")
    };
    assert!(names.bytes.is_empty());
    let rows = company.rows_at(&spec, &[1]).await;
    assert!(rows.columns.iter().all(|column| !column.valid.get(0)), "single rows too");
}

#[tokio::test]
async fn a_dataset_that_cannot_be_given_is_named() {
    let company = Company::new().await;
    let check = async |change: &dyn Fn(&mut crate::DatasetSpec), message: &str| {
        let mut spec = orders_spec();
        change(&mut spec);
        let error: Error = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    };
    let field = |name: &str| FieldName::new(name).unwrap();
    check(&|spec| spec.object = name("nothing"), "object `nothing` does not exist or has no columns").await;
    check(&|spec| spec.object = name("segment"), "object `segment` does not exist or has no columns").await;
    check(&|spec| spec.columns[1].name = "orders".into(), "dataset column `orders`: the name is there twice")
        .await;
    check(
        &|spec| spec.columns[0].source = ColumnSource::Field(field("nothing")),
        "dataset column `orders`: `account` has no field `nothing`",
    )
    .await;
    let of = |events: &str, time: &str, aggregate| ColumnSource::Aggregate {
        events: name(events),
        time: field(time),
        aggregate,
    };
    let count = || crate::Aggregate::Count;
    check(
        &|spec| spec.columns[0].source = of("account", "ordered_on", count()),
        "dataset column `orders`: `ordered_on` is no field of `account`",
    )
    .await;
    check(
        &|spec| spec.columns[0].source = of("order", "created_at", count()),
        "dataset column `orders`: `created_at` is no field of `order`",
    )
    .await;
    check(
        &|spec| spec.columns[0].source = of("order", "ordered_on", crate::Aggregate::Sum(field("status"))),
        "dataset column `orders`: `status` of `order` is a choice, which has no order",
    )
    .await;
}

#[tokio::test]
async fn orders_dated_later_than_today_do_not_exist_yet() {
    /// The day that the test's clock shows.
    const TODAY: i32 = 19_675;
    let company = Company::new().await;
    let (both, later) = (company.account("Both").await, company.account("Later").await);
    company.order(&both, TODAY, 1.0, 500).await;
    company.order(&both, TODAY + 1, 2.0, 700).await;
    company.order(&later, TODAY + 1, 2.0, 700).await;
    let today = Row { ordinal: 0, count: 1, first: TODAY, last: TODAY, cents: 500, quantity: 1.0 };
    assert_eq!(company.rows(AsOf::Now, 10).await, std::slice::from_ref(&today));
    let batch = company.rows_at(&orders_spec(), &[0, 1]).await;
    assert_eq!(rows_of(&batch), [today]);
    let tomorrow = AsOf::Date(Value::date_of_days(TODAY + 1).unwrap());
    assert_eq!(company.rows(tomorrow, 10).await.len(), 2);
}
