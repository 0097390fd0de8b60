//! Who is judged again after a change, and what figures read: roll-ups, expired payloads, withheld columns, days, limits.

use serde_json::json;
use trellis_model::{ColumnData, FieldName, Filter, Op, Scope, Value};
use trellis_records::{Caller, Selection};

use super::company::{Company, name};
use super::figures::{Cell, all_rows, field, related, rows_of, spec_of};
use crate::{
    AsOf, ColumnSource, Config, DatasetColumn, DatasetSpec, Figure, GoOn, Related, RowsColumn, RowsSource,
    RowsSpec, Window,
};

fn column(name: &str) -> DatasetColumn {
    DatasetColumn { name: name.into(), source: ColumnSource::Field(FieldName::new(name).unwrap()) }
}

fn fields(names: &[&str]) -> DatasetSpec {
    DatasetSpec { object: name("account"), columns: names.iter().map(|name| column(name)).collect() }
}

fn withheld(mut spec: DatasetSpec) -> DatasetSpec {
    for column in &mut spec.columns {
        column.source = ColumnSource::Withheld(Box::new(column.source.clone()));
    }
    spec
}

fn descriptions() -> RowsSpec {
    let source = RowsSource::Field(field("description"));
    RowsSpec {
        object: name("order_line"),
        filter: Filter::everything(),
        order_by: Vec::new(),
        time: None,
        columns: vec![RowsColumn { name: "description".into(), source, withheld: false }],
    }
}

#[tokio::test]
async fn a_roll_up_follows_its_children_and_is_read_as_they_are() {
    let company = Company::new().await;
    company.records.set_derived(company.columns.clone());
    let accounts = company.accounts(3).await;
    let spec = fields(&["open_cases"]);
    let open = async |row: u64| rows_of(&company.rows_at(&spec, &[row]).await)[&row].clone();
    assert_eq!(open(1).await, [Cell::Whole(0)]);
    let head = company.records.log_head();
    let case = company.case(Some(&accounts[1]), "complaint", "new").await;
    // Nothing was folded in between.
    assert_eq!(open(1).await, [Cell::Whole(1)]);
    let (changed, head) = company.columns.changed_after(&spec, head).await.unwrap();
    assert_eq!(changed, [1]);
    company.change_case(&case, "account", Value::Reference(accounts[2].id)).await;
    let (changed, head) = company.columns.changed_after(&spec, head).await.unwrap();
    assert_eq!(changed, [1, 2]);
    company.change_case(&case, "status", Value::Choice("closed".into())).await;
    assert_eq!(company.columns.changed_after(&spec, head).await.unwrap().0, [2]);
    assert_eq!(company.columns.changed_after(&fields(&["name"]), head).await.unwrap().0, [] as [u64; 0]);
    assert_eq!(company.columns.changed_after(&withheld(spec), head).await.unwrap().0, [] as [u64; 0]);
}

#[tokio::test]
async fn a_filter_of_a_figure_compares_what_is_stored() {
    let company = Company::new().await;
    let filter = Filter::compare("open_cases", Op::Gt, 0).unwrap();
    let spec = spec_of(vec![Related { filter, ..related("account", Figure::Count) }]);
    let refused = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "dataset column `c0`: `open_cases` of `account` is computed, and figures read what is stored"
    );
}

#[tokio::test]
async fn days_of_filters_are_counted_from_the_day_that_is_asked_about() {
    let company = Company::new().await;
    let account = company.account("Ada").await;
    for day in [19_000, 19_100, 19_200] {
        company.order(&account, day, 1.0, 100).await;
    }
    let until = |value: &str| Filter::compare("ordered_on", Op::Lte, value).unwrap();
    let since = Filter::compare("ordered_on", Op::Eq, "last_n_days:30").unwrap();
    let spec = spec_of(vec![
        Related { filter: until("today"), ..related("order", Figure::Count) },
        Related { filter: since, ..related("order", Figure::Count) },
    ]);
    let day = |day: i32| AsOf::Date(Value::date_of_days(day).unwrap());
    let counts = async |as_of| all_rows(&company, &spec, as_of, 10).await[&0].clone();
    assert_eq!(counts(AsOf::Now).await, [3, 0].map(Cell::Whole));
    assert_eq!(counts(day(19_150)).await, [2, 0].map(Cell::Whole));
    assert_eq!(counts(day(19_110)).await, [2, 1].map(Cell::Whole));
    let rows = RowsSpec {
        object: name("order"),
        filter: until("today"),
        columns: vec![RowsColumn {
            name: "day".into(),
            source: RowsSource::Field(field("ordered_on")),
            withheld: false,
        }],
        ..descriptions()
    };
    let count = async |as_of| company.columns.rows_dataset(&rows, as_of, 10).await.unwrap().rows();
    assert_eq!((count(AsOf::Now).await, count(day(19_150)).await, count(day(18_000)).await), (3, 2, 0));
}

#[tokio::test]
async fn where_nobody_can_tell_whose_a_record_was_everybody_is_judged_again() {
    let company = Company::new().await;
    let accounts = company.accounts(3).await;
    let case = company.case(Some(&accounts[0]), "complaint", "new").await;
    let head = company.records.log_head();
    company.change_case(&case, "account", Value::Reference(accounts[1].id)).await;
    let spec = spec_of(vec![related("case", Figure::Count)]);
    assert_eq!(company.columns.changed_after(&spec, head).await.unwrap().0, [0, 1]);
    while company.records.expire_payloads(i64::MAX, u64::MAX).await.unwrap() {}
    assert_eq!(company.columns.changed_after(&spec, head).await.unwrap().0, [0, 1, 2]);
}

#[tokio::test]
async fn a_long_log_is_looked_through_in_parts() {
    let company = Company::with(Config { followed_entries_max: 2, ..Config::default() }).await;
    let (accounts, spec) = (company.accounts(5).await, spec_of(vec![related("case", Figure::Count)]));
    let mut cursor = company.records.log_head();
    for account in &accounts {
        company.case(Some(account), "complaint", "new").await;
    }
    let mut parts = Vec::new();
    while cursor < company.records.log_head() {
        let (changed, next) = company.columns.changed_after(&spec, cursor).await.unwrap();
        assert!((1..=2).contains(&(next - cursor)));
        cursor = next;
        parts.push(changed);
    }
    assert_eq!(parts, [vec![0, 1], vec![2, 3], vec![4]]);
}

#[tokio::test]
async fn figures_that_take_too_much_are_refused_and_withheld_ones_are_not_read() {
    let company = Company::with(Config { figures_bytes_max: 2_000, ..Config::default() }).await;
    let accounts = company.accounts(30).await;
    for account in &accounts {
        company.case(Some(account), "complaint", "new").await;
        company.order(account, 10_000, 1.0, 100).await;
    }
    let days = Related {
        time: Some(field("ordered_on")),
        window: Window { within_days: Some(1_000_000), until_days_ago: 0 },
        ..related("order", Figure::CountDays)
    };
    for (figures, object) in [
        (vec![related("case", Figure::Count)], "case"),
        (vec![related("case", Figure::Values(field("subject")))], "case"),
        (vec![days.clone(), related("order", Figure::Count)], "order"),
    ] {
        let spec = spec_of(figures);
        let refused = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "the figures over `{object}` take more than 2000 bytes while they are computed \
                 (`columns.figures_bytes_max`)"
            )
        );
        let spec = withheld(spec);
        let batch = company.columns.dataset(&spec, AsOf::Now, 100).await.unwrap().next().unwrap().unwrap();
        assert_eq!(batch.rows, 30);
        assert!(batch.columns.iter().all(|column| !column.valid.get(0)));
    }
    let some = company.rows_at(&spec_of(vec![related("case", Figure::Count)]), &[3, 9]).await;
    assert_eq!(some.columns[0].data, ColumnData::Int64(vec![1, 1]), "two fit");
}

#[tokio::test]
async fn what_nobody_wants_any_more_ends() {
    let company = Company::new().await;
    let account = company.account("Ada").await;
    company.order(&account, 10_000, 1.0, 100).await;
    company.bought(&account, None).await;
    let nobody = || GoOn::as_long_as(|| false);
    let lately = Related {
        time: Some(field("ordered_on")),
        window: Window { within_days: Some(1), until_days_ago: 0 },
        ..related("order", Figure::Count)
    };
    for figure in [lately, related("order", Figure::Count)] {
        let spec = spec_of(vec![figure]);
        let ended = company.columns.dataset_while(&spec, AsOf::Now, 10, nobody()).await.unwrap_err();
        assert_eq!(ended.code(), "cancelled");
    }
    for order_by in [vec![], vec![field("ordered_on")]] {
        let spec = RowsSpec { order_by, ..descriptions() };
        let ended = company.columns.rows_dataset_while(&spec, AsOf::Now, 10, nobody()).await.unwrap_err();
        assert_eq!(ended.code(), "cancelled");
    }
}

#[tokio::test]
async fn a_record_that_moves_along_an_index_meanwhile_is_met_once() {
    let company = Company::new().await;
    let accounts = company.accounts(250).await;
    let (account, filter) = (name("account"), Filter::compare("name", Op::Gt, "A").unwrap());
    let selection =
        Selection { object: &account, of: None, filters: std::slice::from_ref(&filter), today: None };
    let mut matching = company.records.matching(&Scope::everything(), &selection).unwrap();
    let mut met = vec![0; accounts.len()];
    let mut first = true;
    while let Some(page) = matching.next(&company.records).await.unwrap() {
        for (record, matches) in page.iter() {
            assert_eq!(matches, [true]);
            met[record.ordinal.unwrap() as usize] += 1;
            if std::mem::take(&mut first) {
                let changes = company.fields("account", vec![("name", Value::Text("Z".into()))]);
                let changes = changes.into_iter().map(|(field, value)| (field, Some(value))).collect();
                let caller = Caller::system("test");
                company.records.update(&caller, &account, record.id, changes, None).await.unwrap();
            }
        }
    }
    assert!(!first && met.iter().all(|count| *count == 1), "{met:?}");
}

#[tokio::test]
async fn one_customers_records_are_found_by_their_reference() {
    let company = Company::new().await;
    let accounts = company.accounts(3).await;
    for number in 0..300 {
        company.case(Some(&accounts[usize::from(number % 100 == 0)]), "complaint", "new").await;
    }
    // An index on the status would go over the cases of everybody.
    let filters = [
        Filter::compare("status", Op::Eq, "new").unwrap(),
        Filter::compare("kind", Op::Eq, json!("question")).unwrap(),
    ];
    let (case, by) = (name("case"), field("account"));
    for filters in [&filters[..1], &filters] {
        let selection = Selection { object: &case, of: Some((&by, accounts[1].id)), filters, today: None };
        let mut matching = company.records.matching(&Scope::everything(), &selection).unwrap();
        let mut pages = 0;
        while let Some(page) = matching.next(&company.records).await.unwrap() {
            assert_eq!(page.iter().count(), 3);
            assert!(page.iter().all(|(_, matches)| matches[0] && matches.len() == filters.len()));
            pages += 1;
        }
        assert_eq!(pages, 1);
    }
}
