//! Figures over related records against a naive recomputation, whole populations and single customers alike, through changes that are
//! followed one at a time.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use trellis_model::{Batch, Column, ColumnData, FieldName, Filter, Op, Record, RecordId, Value, row_codes};
use trellis_records::Caller;

use super::company::{Company, money, name};
use crate::{AsOf, ColumnSource, Config, DatasetColumn, DatasetSpec, Figure, Related, Window};

/// The day that the tests' clock shows.
const TODAY: i32 = 19_675;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Whole(i64),
    Number(f64),
    Texts(Vec<String>),
}

pub(super) fn cell(column: &Column, row: usize) -> Cell {
    if !column.valid.get(row) {
        return Cell::Null;
    }
    match &column.data {
        ColumnData::Int64(values) | ColumnData::Time(values) => Cell::Whole(values[row]),
        ColumnData::Money { minor_units, .. } => Cell::Whole(minor_units[row]),
        ColumnData::Date(values) => Cell::Whole(i64::from(values[row])),
        ColumnData::Float64(values) => Cell::Number(values[row]),
        ColumnData::DictionaryList { offsets, codes, values } => {
            let codes = row_codes(offsets, codes, row).unwrap();
            assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
            Cell::Texts(codes.iter().map(|code| values.get(*code as usize).unwrap().to_owned()).collect())
        }
        other => panic!("{other:?}"),
    }
}

/// Rows by ordinal.
pub(super) type Rows = BTreeMap<u64, Vec<Cell>>;

pub(super) fn rows_of(batch: &Batch) -> Rows {
    let row = |row| batch.columns.iter().map(|column| cell(column, row)).collect();
    batch.ordinals.iter().enumerate().map(|(place, ordinal)| (*ordinal, row(place))).collect()
}

pub(super) async fn all_rows(company: &Company, spec: &DatasetSpec, as_of: AsOf, batch_rows: usize) -> Rows {
    let mut stream = company.columns.dataset(spec, as_of, batch_rows).await.unwrap();
    let mut rows = Rows::new();
    while let Some(batch) = stream.next().unwrap() {
        rows.extend(rows_of(&batch));
    }
    rows
}

pub(super) fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub(super) fn related(object: &str, figure: Figure) -> Related {
    Related {
        object: name(object),
        by: None,
        filter: Filter::everything(),
        time: None,
        window: Window::default(),
        repeat: false,
        figure,
    }
}

pub(super) fn spec_of(columns: Vec<Related>) -> DatasetSpec {
    let column = |(place, related)| DatasetColumn {
        name: format!("c{place}"),
        source: ColumnSource::Related(Box::new(related)),
    };
    DatasetSpec { object: name("account"), columns: columns.into_iter().enumerate().map(column).collect() }
}

fn orders(figure: Figure, within_days: Option<u32>, until_days_ago: u32) -> Related {
    let window = Window { within_days, until_days_ago };
    Related { time: Some(field("ordered_on")), window, ..related("order", figure) }
}

fn paid(related: Related) -> Related {
    Related { filter: Filter::compare("status", Op::Eq, "paid").unwrap(), ..related }
}

fn repeat(related: Related) -> Related {
    Related { repeat: true, ..related }
}

/// Of each figure some that the index of events gives and some that only the records give.
fn figures() -> Vec<Related> {
    let (amount, quantity) = (|| field("amount"), || field("quantity"));
    vec![
        paid(related("order", Figure::Count)),
        orders(Figure::Count, Some(10), 0),
        orders(Figure::CountDays, None, 0),
        paid(orders(Figure::CountDays, Some(12), 3)),
        orders(Figure::First, Some(10), 0),
        orders(Figure::Last, None, 5),
        paid(orders(Figure::Last, None, 0)),
        orders(Figure::Sum(amount()), Some(10), 5),
        repeat(orders(Figure::Sum(quantity()), None, 0)),
        paid(related("order", Figure::Min(amount()))),
        orders(Figure::Max(quantity()), Some(7), 0),
        orders(Figure::Mean(amount()), None, 0),
        repeat(paid(orders(Figure::Mean(quantity()), Some(15), 2))),
        related("order", Figure::Values(field("status"))),
        orders(Figure::Values(field("status")), Some(20), 0),
        repeat(orders(Figure::Count, None, 4)),
        repeat(paid(orders(Figure::Sum(amount()), Some(9), 0))),
        related("order", Figure::Max(field("ordered_on"))),
        repeat(orders(Figure::CountDays, None, 0)),
    ]
}

#[derive(Debug, Clone)]
struct Order {
    account: RecordId,
    day: i32,
    quantity: Option<f64>,
    cents: Option<i64>,
    status: &'static str,
    live: bool,
}

/// A figure by hand.
fn naive(related: &Related, orders: &[&Order], as_of: i32) -> Cell {
    let mut orders: Vec<&Order> = orders.to_vec();
    if related.filter != Filter::everything() {
        orders.retain(|order| order.status == "paid");
    }
    if related.time.is_some() {
        let until = as_of - related.window.until_days_ago as i32;
        orders.retain(|order| order.day <= until);
        let first = orders.iter().map(|order| order.day).min();
        orders.retain(|order| !related.repeat || Some(order.day) != first);
        orders.retain(|order| related.window.within_days.is_none_or(|days| order.day > until - days as i32));
    }
    let whole = |value: Option<i64>| value.map_or(Cell::Null, Cell::Whole);
    let number = |value: Option<f64>| value.map_or(Cell::Null, Cell::Number);
    let days = || orders.iter().map(|order| i64::from(order.day));
    let cents: Vec<i64> = orders.iter().filter_map(|order| order.cents).collect();
    let quantities: Vec<f64> = orders.iter().filter_map(|order| order.quantity).collect();
    let is = |name: &FieldName, wanted: &str| name.as_str() == wanted;
    match &related.figure {
        Figure::Count => Cell::Whole(orders.len() as i64),
        Figure::CountDays => Cell::Whole(days().collect::<std::collections::BTreeSet<_>>().len() as i64),
        Figure::First => whole(days().min()),
        Figure::Last => whole(days().max()),
        Figure::Max(of) if is(of, "ordered_on") => whole(days().max()),
        Figure::Sum(of) if is(of, "amount") => Cell::Whole(cents.iter().sum()),
        Figure::Sum(_) => Cell::Number(quantities.iter().fold(0.0, |sum, quantity| sum + quantity)),
        Figure::Min(_) => whole(cents.iter().min().copied()),
        Figure::Max(_) => number(quantities.iter().copied().reduce(f64::max)),
        Figure::Mean(of) if is(of, "amount") => {
            let sum: i64 = cents.iter().sum();
            let mean = Decimal::from(sum).checked_div(Decimal::from(cents.len()));
            let even = RoundingStrategy::MidpointNearestEven;
            whole(mean.and_then(|mean| mean.round_dp_with_strategy(0, even).to_i64()))
        }
        Figure::Mean(_) => {
            let sum: f64 = quantities.iter().sum();
            number((!quantities.is_empty()).then(|| sum / quantities.len() as f64))
        }
        Figure::Values(_) => {
            let mut texts: Vec<String> = orders.iter().map(|order| order.status.to_owned()).collect();
            texts.sort();
            texts.dedup();
            Cell::Texts(texts)
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Order { account: usize, day: i32, eighths: Option<i32>, cents: Option<i64>, paid: bool },
    Move { order: usize, account: usize },
    Change { order: usize, day: i32, cents: i64, paid: bool },
    Delete(usize),
    Restore(usize),
    DeleteAccount(usize),
    RestoreAccount(usize),
    LookBack(i32),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    // Some lie ahead of today.
    let day = || TODAY - 25..TODAY + 4;
    prop_oneof![
        8 => (0..5_usize, day(), prop::option::of(-20..200), prop::option::of(-50..500_i64), any::<bool>())
            .prop_map(|(account, day, eighths, cents, paid)| Step::Order { account, day, eighths, cents, paid }),
        2 => (0..20_usize, 0..5_usize).prop_map(|(order, account)| Step::Move { order, account }),
        3 => (0..20_usize, day(), -50..500_i64, any::<bool>())
            .prop_map(|(order, day, cents, paid)| Step::Change { order, day, cents, paid }),
        2 => (0..20_usize).prop_map(Step::Delete),
        1 => (0..20_usize).prop_map(Step::Restore),
        1 => (0..5_usize).prop_map(Step::DeleteAccount),
        1 => (0..5_usize).prop_map(Step::RestoreAccount),
        2 => (TODAY - 26..TODAY + 4).prop_map(Step::LookBack),
        1 => Just(Step::Restart),
    ]
}

/// What should be, kept by hand.
struct Shop {
    company: Company,
    accounts: Vec<(Record, bool)>,
    orders: Vec<(RecordId, Order)>,
    figures: Vec<Related>,
    spec: DatasetSpec,
    /// Rows as a follower has them, and up to which log entry.
    followed: Rows,
    log_number: u64,
}

impl Shop {
    async fn new() -> Self {
        let company = Company::with(Config { events_page_rows: 3, ..Config::default() }).await;
        let accounts = company.accounts(5).await.into_iter().map(|account| (account, true)).collect();
        let (figures, log_number) = (figures(), company.records.log_head());
        let spec = spec_of(figures.clone());
        let followed = all_rows(&company, &spec, AsOf::Now, 10).await;
        Self { company, accounts, orders: Vec::new(), figures, spec, followed, log_number }
    }

    fn expected(&self, as_of: i32) -> Rows {
        let row = |account: &Record| {
            let orders = self.orders.iter().map(|(_, order)| order);
            let orders: Vec<_> = orders.filter(|order| order.live && order.account == account.id).collect();
            self.figures.iter().map(|figure| naive(figure, &orders, as_of)).collect()
        };
        let live = self.accounts.iter().filter(|(_, live)| *live);
        live.map(|(account, _)| (account.ordinal.unwrap(), row(account))).collect()
    }

    async fn apply(mut self, step: Step) -> Self {
        let caller = Caller::system("test");
        let (account_name, order_name) = (name("account"), name("order"));
        let records = std::sync::Arc::clone(&self.company.records);
        match step {
            Step::Order { account, day, eighths, cents, paid } => {
                let (account, true) = &self.accounts[account] else { return self };
                let (quantity, status) = (eighths.map(|n| f64::from(n) / 8.0), status(paid));
                let order = Order { account: account.id, day, quantity, cents, status, live: true };
                let fields = self.fields(&order);
                let record = records.create(&caller, &order_name, fields).await.unwrap();
                self.orders.push((record.id, order));
            }
            Step::Move { order, account } => {
                let (account, true) = &self.accounts[account] else { return self };
                let account = account.id;
                self.update(order, |order| order.account = account).await;
            }
            Step::Change { order, day, cents, paid } => {
                self.update(order, |order| {
                    (order.day, order.cents, order.status) = (day, Some(cents), status(paid));
                })
                .await;
            }
            Step::Delete(order) => {
                let Some((id, order)) = self.orders.get_mut(order).filter(|(_, order)| order.live) else {
                    return self;
                };
                records.delete(&caller, &order_name, *id, None).await.unwrap();
                order.live = false;
            }
            Step::Restore(order) => {
                let Some((id, order)) = self.orders.get_mut(order).filter(|(_, order)| !order.live) else {
                    return self;
                };
                order.live = records.restore(&caller, &order_name, *id).await.is_ok();
            }
            Step::DeleteAccount(account) => {
                let (account, live @ true) = &mut self.accounts[account] else { return self };
                records.delete(&caller, &account_name, account.id, None).await.unwrap();
                *live = false;
            }
            Step::RestoreAccount(account) => {
                let (account, live @ false) = &mut self.accounts[account] else { return self };
                records.restore(&caller, &account_name, account.id).await.unwrap();
                *live = true;
            }
            Step::LookBack(day) => {
                let date = AsOf::Date(Value::date_of_days(day).unwrap());
                assert_eq!(all_rows(&self.company, &self.spec, date, 2).await, self.expected(day));
            }
            Step::Restart => self.company = self.company.restart().await,
        }
        self.follow().await;
        self
    }

    fn fields(&self, order: &Order) -> BTreeMap<trellis_model::FieldId, Value> {
        let mut values = vec![
            ("account", Value::Reference(order.account)),
            ("ordered_on", Value::Date(Value::date_of_days(order.day).unwrap())),
            ("status", Value::Choice(order.status.into())),
        ];
        values.extend(order.quantity.map(|quantity| ("quantity", Value::Number(quantity))));
        values.extend(order.cents.map(|cents| ("amount", money(cents))));
        self.company.fields("order", values)
    }

    async fn update(&mut self, order: usize, change: impl FnOnce(&mut Order)) {
        let Some((id, mut order_now)) = self.orders.get(order).cloned().filter(|(_, order)| order.live)
        else {
            return;
        };
        change(&mut order_now);
        let changes =
            self.fields(&order_now).into_iter().map(|(field, value)| (field, Some(value))).collect();
        let caller = Caller::system("test");
        let updated = self.company.records.update(&caller, &name("order"), id, changes, None).await;
        if updated.is_ok() {
            self.orders[order].1 = order_now;
        }
    }

    /// Evaluates again whom a change may concern, and nobody else.
    async fn follow(&mut self) {
        let (changed, head) = self.company.columns.changed_after(&self.spec, self.log_number).await.unwrap();
        self.log_number = head;
        changed.iter().for_each(|ordinal| drop(self.followed.remove(ordinal)));
        let batch = self.company.rows_at(&self.spec, &changed).await;
        self.followed.extend(rows_of(&batch));
    }
}

fn status(paid: bool) -> &'static str {
    if paid { "paid" } else { "placed" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn figures_equal_a_naive_recomputation_and_follow_changes(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let mut shop = Shop::new().await;
            for step in steps {
                shop = shop.apply(step).await;
            }
            let expected = shop.expected(TODAY);
            assert_eq!(shop.followed, expected);
            assert_eq!(all_rows(&shop.company, &shop.spec, AsOf::Now, 2).await, expected);
        });
    }
}

#[tokio::test]
async fn days_are_those_of_the_organisation() {
    let time_zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let records_config = trellis_records::Config { time_zone, ..trellis_records::Config::default() };
    let company = Company::with_configs(Config::default(), records_config).await;
    let account = company.account("Ada").await;
    // Midnight in Shanghai is 16:00 UTC: these are of two days, though of one in UTC.
    for time in ["2023-03-01T15:00:00Z", "2023-03-01T16:00:00Z", "2023-03-01T17:00:00Z"] {
        let values = vec![
            ("account", Value::Reference(account.id)),
            ("channel", Value::Choice("phone".into())),
            ("occurred_at", Value::Time(time.parse().unwrap())),
        ];
        let fields = company.fields("interaction", values);
        company.records.create(&Caller::system("test"), &name("interaction"), fields).await.unwrap();
    }
    let calls = |figure, within_days, filter| Related {
        time: Some(field("occurred_at")),
        window: Window { within_days, until_days_ago: 0 },
        filter,
        ..related("interaction", figure)
    };
    let phone = || Filter::compare("channel", Op::Eq, "phone").unwrap();
    let spec = spec_of(vec![
        calls(Figure::CountDays, None, Filter::everything()),
        calls(Figure::CountDays, None, phone()),
        calls(Figure::Count, Some(1), Filter::everything()),
        calls(Figure::Count, Some(1), phone()),
    ]);
    let check = async |date: &str, expected: [i64; 4]| {
        let rows = all_rows(&company, &spec, AsOf::Date(date.parse().unwrap()), 10).await;
        assert_eq!(rows[&0], expected.map(Cell::Whole), "{date}");
    };
    check("2023-02-28", [0, 0, 0, 0]).await;
    check("2023-03-01", [1, 1, 1, 1]).await;
    check("2023-03-02", [2, 2, 2, 2]).await;
    check("2023-03-03", [2, 2, 0, 0]).await;
}

#[tokio::test]
async fn a_sum_past_64_bits_is_null_and_its_mean_is_not() {
    let company = Company::new().await;
    let account = company.account("Rich").await;
    let most = 99_999_999_999_999_999;
    for _ in 0..93 {
        company.order(&account, 10_000, 1.0, most).await;
    }
    let spec = spec_of(vec![
        orders(Figure::Sum(field("amount")), Some(100_000), 0),
        related("order", Figure::Sum(field("amount"))),
        related("order", Figure::Mean(field("amount"))),
    ]);
    let rows = all_rows(&company, &spec, AsOf::Now, 10).await;
    assert_eq!(rows[&0], [Cell::Null, Cell::Null, Cell::Whole(most)]);
}

#[tokio::test]
async fn an_index_that_does_not_carry_a_field_leaves_the_rows_those_of_its_events() {
    let company = Company::new().await;
    let accounts = company.accounts(2).await;
    company.order(&accounts[1], 10_000, 1.0, 500).await;
    let delivered = ColumnSource::Aggregate {
        events: name("order"),
        time: field("delivered_on"),
        aggregate: crate::Aggregate::Count,
    };
    let counted = DatasetColumn { name: "delivered".into(), source: delivered };
    let spec = DatasetSpec { object: name("account"), columns: vec![counted] };
    // Nothing is kept over that time: everybody has a row.
    assert_eq!(all_rows(&company, &spec, AsOf::Now, 10).await.len(), 2);
    let mut both = super::company::orders_spec();
    both.columns.truncate(1);
    both.columns.extend(spec.columns);
    assert_eq!(
        all_rows(&company, &both, AsOf::Now, 10).await,
        Rows::from([(1, vec![Cell::Whole(1), Cell::Whole(0)])])
    );
}

#[tokio::test]
async fn a_figure_that_cannot_be_told_is_named() {
    let company = Company::new().await;
    let check = async |related: Related, message: &str| {
        let error = company.columns.dataset(&spec_of(vec![related]), AsOf::Now, 10).await.unwrap_err();
        assert_eq!(error.to_string(), format!("dataset column `c0`: {message}"));
    };
    let timeless = |figure| related("order", figure);
    check(timeless(Figure::First), "the first or last time needs the `time` of `order`").await;
    check(timeless(Figure::CountDays), "a count of days needs the `time` of `order`").await;
    check(repeat(timeless(Figure::Count)), "`repeat` needs the `time` of `order`").await;
    let window = Window { within_days: None, until_days_ago: 1 };
    check(Related { window, ..timeless(Figure::Count) }, "a window needs the `time` of `order`").await;
    check(orders(Figure::Count, Some(0), 0), "a window has at least one day").await;
    check(
        Related { time: Some(field("status")), ..timeless(Figure::Count) },
        "`status` of `order` is neither a date nor a time",
    )
    .await;
    check(
        timeless(Figure::Mean(field("ordered_on"))),
        "`ordered_on` of `order` is a time, which cannot be added",
    )
    .await;
    check(timeless(Figure::Min(field("status"))), "`status` of `order` is a choice, which has no order")
        .await;
    check(timeless(Figure::Values(field("amount"))), "`amount` of `order` is a money, which has no texts")
        .await;
    check(
        timeless(Figure::Values(field("contact"))),
        "the title of `contact`, `name`, is personal data and cannot be a text of a list",
    )
    .await;
    check(related("tag", Figure::Count), "`tag` has no reference to `account`").await;
    check(
        related("account", Figure::Sum(field("won_amount"))),
        "`won_amount` of `account` is computed, and figures read what is stored",
    )
    .await;
}
