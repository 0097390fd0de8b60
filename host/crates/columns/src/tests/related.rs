//! Counts of related records as they are now, and who is counted again.

use serde_json::json;
use trellis_model::{ColumnData, FieldName, Filter, Op, Record, Value};
use trellis_records::Caller;

use super::company::{Company, name, orders_spec};
use crate::{AsOf, ColumnSource, DatasetColumn, DatasetSpec, Figure, Related, Window};

fn open_complaints() -> Filter {
    let kind = Filter::compare("kind", Op::Eq, "complaint").unwrap();
    let open = Filter::compare("status", Op::Nin, json!(["resolved", "closed"])).unwrap();
    Filter::And(vec![kind, open])
}

/// How many records, as they are now, refer to an account.
fn counted(object: &str, by: &str, filter: Filter) -> ColumnSource {
    ColumnSource::Related(Box::new(Related {
        object: name(object),
        by: Some(FieldName::new(by).unwrap()),
        filter,
        time: None,
        window: Window::default(),
        repeat: false,
        figure: Figure::Count,
    }))
}

fn column(filter: Filter) -> DatasetColumn {
    DatasetColumn { name: "complaints".into(), source: counted("case", "account", filter) }
}

fn spec() -> DatasetSpec {
    DatasetSpec { object: name("account"), columns: vec![column(open_complaints())] }
}

impl Company {
    pub(super) async fn case(&self, account: Option<&Record>, kind: &str, status: &str) -> Record {
        let mut values = vec![
            ("subject", Value::Text("Something".into())),
            ("kind", Value::Choice(kind.into())),
            ("status", Value::Choice(status.into())),
        ];
        values.extend(account.map(|account| ("account", Value::Reference(account.id))));
        let fields = self.fields("case", values);
        self.records.create(&Caller::system("test"), &name("case"), fields).await.unwrap()
    }

    pub(super) async fn change_case(&self, case: &Record, field: &str, value: Value) {
        let changes = self.fields("case", vec![(field, value)]);
        let changes = changes.into_iter().map(|(field, value)| (field, Some(value))).collect();
        self.records.update(&Caller::system("test"), &name("case"), case.id, changes, None).await.unwrap();
    }

    /// Ordinals and counts, by the stream and again row by row.
    async fn complaints(&self) -> Vec<(u64, i64)> {
        let mut stream = self.columns.dataset(&spec(), AsOf::Now, 2).await.unwrap();
        let mut counts = Vec::new();
        while let Some(batch) = stream.next().unwrap() {
            let ColumnData::Int64(column) = &batch.columns[0].data else { panic!("{batch:?}") };
            counts.extend(batch.ordinals.iter().copied().zip(column.iter().copied()));
        }
        let ordinals: Vec<u64> = (0..10).collect();
        let batch = self.rows_at(&spec(), &ordinals).await;
        let same = ColumnData::Int64(counts.iter().map(|(_, count)| *count).collect());
        assert_eq!((&batch.columns[0].data, batch.ordinals.len()), (&same, counts.len()));
        counts
    }

    async fn changed(&self, after: u64) -> (Vec<u64>, u64) {
        self.columns.changed_after(&spec(), after).await.unwrap()
    }
}

#[tokio::test]
async fn related_records_are_counted_as_they_are_now() {
    let company = Company::new().await;
    let accounts = company.accounts(5).await;
    for (account, kind, status) in [
        (0, "complaint", "new"),
        (0, "complaint", "open"),
        (0, "complaint", "closed"),
        (3, "question", "new"),
        (4, "complaint", "waiting"),
    ] {
        company.case(Some(&accounts[account]), kind, status).await;
    }
    company.case(None, "complaint", "new").await;
    assert_eq!(company.complaints().await, [(0, 2), (1, 0), (2, 0), (3, 0), (4, 1)]);
    let caller = Caller::system("test");
    company.records.delete(&caller, &name("account"), accounts[4].id, None).await.unwrap();
    assert_eq!(company.complaints().await, [(0, 2), (1, 0), (2, 0), (3, 0)]);

    // Beside aggregates only customers with events have a row.
    company.order(&accounts[3], 10_000, 1.0, 100).await;
    let mut mixed = orders_spec();
    mixed.columns.push(column(open_complaints()));
    let batch = company.columns.dataset(&mixed, AsOf::Now, 10).await.unwrap().next().unwrap().unwrap();
    assert_eq!((batch.ordinals, &batch.columns[5].data), (vec![3], &ColumnData::Int64(vec![0])));
}

#[tokio::test]
async fn a_change_marks_whom_the_record_points_at_and_pointed_at() {
    let company = Company::new().await;
    let accounts = company.accounts(4).await;
    let head = company.records.log_head();
    let case = company.case(Some(&accounts[1]), "complaint", "new").await;
    let (changed, head) = (company.changed(head).await.0, company.records.log_head());
    assert_eq!(changed, [1]);
    company.change_case(&case, "status", Value::Choice("resolved".into())).await;
    let (changed, next) = company.changed(head).await;
    assert_eq!((changed, next), (vec![1], company.records.log_head()));
    let head = next;
    company.change_case(&case, "account", Value::Reference(accounts[3].id)).await;
    let (changed, head) = (company.changed(head).await.0, company.records.log_head());
    assert_eq!(changed, [1, 3]);
    let caller = Caller::system("test");
    company.records.delete(&caller, &name("case"), case.id, None).await.unwrap();
    let (changed, head) = (company.changed(head).await.0, company.records.log_head());
    assert_eq!(changed, [3]);
    company.records.restore(&caller, &name("case"), case.id).await.unwrap();
    assert_eq!(company.changed(head).await.0, [3]);
    let plain = DatasetSpec { columns: vec![], ..spec() };
    assert_eq!(company.columns.changed_after(&plain, head).await.unwrap().0, [] as [u64; 0]);
}

#[tokio::test]
async fn many_customers_are_counted_in_one_scan() {
    let company = Company::new().await;
    let accounts = company.accounts(4_400).await;
    let cases: Vec<_> = accounts.iter().step_by(2).chain(&accounts).collect();
    for part in cases.chunks(200) {
        let writes = part.iter().map(|account| trellis_records::Write::Create {
            object: name("case"),
            fields: company.fields(
                "case",
                vec![
                    ("subject", Value::Text("Something".into())),
                    ("kind", Value::Choice("complaint".into())),
                    ("status", Value::Choice("new".into())),
                    ("account", Value::Reference(account.id)),
                ],
            ),
            id: None,
        });
        company.records.write_batch(&Caller::system("test"), writes.collect()).await.unwrap();
    }
    let ordinals: Vec<u64> = (0..4_400).collect();
    let batch = company.rows_at(&spec(), &ordinals).await;
    let expected = (0..4_400).map(|row| 2 - row % 2).collect();
    assert_eq!(batch.columns[0].data, ColumnData::Int64(expected));
}

#[tokio::test]
async fn what_cannot_be_counted_is_named() {
    let company = Company::new().await;
    let check = async |object: &str, by: &str, filter: Filter, message: &str| {
        let source = counted(object, by, filter);
        let columns = vec![DatasetColumn { name: "count".into(), source }];
        let spec = DatasetSpec { object: name("account"), columns };
        let error = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap_err();
        assert_eq!(error.to_string(), format!("dataset column `count`: {message}"));
    };
    let any = Filter::everything;
    let compare = |path: &str| Filter::compare(path, Op::Null, false).unwrap();
    check("nothing", "account", any(), "there is no object `nothing`").await;
    check("case", "subject", any(), "`case` has no reference `subject` to `account`").await;
    check("case", "contact", any(), "`case` has no reference `contact` to `account`").await;
    check("case", "account", compare("nothing"), "`nothing` is no field of `case`").await;
    check(
        "case",
        "account",
        Filter::Not(Box::new(compare("account.name"))),
        "`account.name` is no field of `case`",
    )
    .await;
}
