//! Datasets of rows.

use trellis_model::{Batch, ColumnData, FieldName, Filter, Op, Record, Value};
use trellis_records::{Caller, Write};

use super::company::{Company, money, name};
use crate::{AsOf, Config, RowsColumn, RowsSource, RowsSpec};

fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

fn own(name: &str) -> RowsColumn {
    RowsColumn { name: name.into(), source: RowsSource::Field(field(name)), withheld: false }
}

fn through(references: &str, name: &str) -> RowsColumn {
    let source =
        RowsSource::Through { references: references.split('.').map(field).collect(), field: field(name) };
    RowsColumn { name: format!("{references}.{name}"), source, withheld: false }
}

fn lines(columns: Vec<RowsColumn>) -> RowsSpec {
    RowsSpec {
        object: name("order_line"),
        filter: Filter::everything(),
        order_by: Vec::new(),
        time: Some(field("ordered_on")),
        columns,
    }
}

impl Company {
    async fn product(&self, title: &str) -> Record {
        let fields = self.fields("product", vec![("name", Value::Text(title.into()))]);
        self.records.create(&Caller::system("test"), &name("product"), fields).await.unwrap()
    }

    async fn line(&self, account: &Record, product: Option<&Record>, day: i32, quantity: f64) -> Record {
        let mut values = vec![
            ("account", Value::Reference(account.id)),
            ("ordered_on", Value::Date(Value::date_of_days(day).unwrap())),
            ("quantity", Value::Number(quantity)),
            ("amount", money(100)),
        ];
        values.extend(product.map(|product| ("product", Value::Reference(product.id))));
        let fields = self.fields("order_line", values);
        self.records.create(&Caller::system("test"), &name("order_line"), fields).await.unwrap()
    }

    /// The batches of a dataset, read twice to the same.
    async fn lines(&self, spec: &RowsSpec, as_of: AsOf, batch_rows: usize) -> Vec<Batch> {
        let mut stream = self.columns.rows_dataset(spec, as_of, batch_rows).await.unwrap();
        let mut pass = || std::iter::from_fn(|| stream.next().unwrap()).collect::<Vec<_>>();
        let batches = pass();
        stream.rewind();
        assert_eq!(std::iter::from_fn(|| stream.next().unwrap()).collect::<Vec<_>>(), batches);
        assert_eq!(stream.rows(), batches.iter().map(|batch| u64::from(batch.rows)).sum::<u64>());
        batches
    }
}

fn numbers(batches: &[Batch], column: &str) -> Vec<f64> {
    let of = |batch: &Batch| match &batch.column(column).unwrap().data {
        ColumnData::Float64(values) => values.clone(),
        other => panic!("{other:?}"),
    };
    batches.iter().flat_map(of).collect()
}

fn texts(batch: &Batch, column: &str) -> Vec<Option<String>> {
    let column = batch.column(column).unwrap();
    let ColumnData::Dictionary { codes, values } = &column.data else { panic!("{column:?}") };
    let text = |(row, code): (usize, &u32)| {
        column.valid.get(row).then(|| values.get(*code as usize).unwrap().to_owned())
    };
    codes.iter().enumerate().map(text).collect()
}

#[tokio::test]
async fn rows_come_in_order_with_what_they_refer_to() {
    let company = Company::new().await;
    let accounts = company.accounts(2).await;
    let (bread, milk) = (company.product("Bread").await, company.product("Milk").await);
    company.line(&accounts[1], Some(&milk), 5, 1.0).await;
    company.line(&accounts[0], None, 9, 2.0).await;
    company.line(&accounts[1], Some(&bread), 3, 3.0).await;
    let gone = company.line(&accounts[0], Some(&bread), 1, 4.0).await;
    company.line(&accounts[0], Some(&bread), 3, 5.0).await;
    company.records.delete(&Caller::system("test"), &name("order_line"), gone.id, None).await.unwrap();
    let columns =
        vec![own("account"), own("product"), through("product", "name"), own("quantity"), own("amount")];
    let spec = RowsSpec { order_by: vec![field("ordered_on"), field("quantity")], ..lines(columns) };
    let [batch] = company.lines(&spec, AsOf::Now, 100).await.try_into().unwrap();
    assert_eq!(batch.ordinals, [0, 1, 2, 3], "the places of the rows");
    assert_eq!(numbers(std::slice::from_ref(&batch), "quantity"), [3.0, 5.0, 1.0, 2.0]);
    assert_eq!(batch.column("account").unwrap().data, ColumnData::Reference(vec![1, 0, 1, 0]));
    assert_eq!(
        texts(&batch, "product.name"),
        ["Bread", "Bread", "Milk", ""].map(|text| (!text.is_empty()).then(|| text.to_owned()))
    );
    assert_eq!(texts(&batch, "product")[0], Some(bread.id.to_string()), "products have no ordinals");
    assert_eq!(texts(&batch, "product")[3], None);
    let split = company.lines(&spec, AsOf::Now, 3).await;
    assert_eq!(
        split.iter().map(|batch| batch.ordinals.clone()).collect::<Vec<_>>(),
        [vec![0, 1, 2], vec![3]]
    );
    assert_eq!(numbers(&split, "quantity"), [3.0, 5.0, 1.0, 2.0]);
    let by_id = RowsSpec { order_by: Vec::new(), ..spec };
    assert_eq!(numbers(&company.lines(&by_id, AsOf::Now, 100).await, "quantity"), [1.0, 2.0, 3.0, 5.0]);
}

#[tokio::test]
async fn what_lies_after_the_day_or_does_not_match_is_no_row() {
    let company = Company::new().await;
    let accounts = company.accounts(1).await;
    // The clock of the company stands at 2023-11-14, which is 19,675.
    for (day, quantity) in [(19_000, 1.0), (19_001, -1.0), (19_675, 2.0), (19_676, 3.0)] {
        company.line(&accounts[0], None, day, quantity).await;
    }
    let filter = Filter::compare("quantity", Op::Gt, 0).unwrap();
    let spec = RowsSpec { filter, ..lines(vec![own("quantity")]) };
    let date = |days| AsOf::Date(Value::date_of_days(days).unwrap());
    assert_eq!(numbers(&company.lines(&spec, AsOf::Now, 9).await, "quantity"), [1.0, 2.0], "up to today");
    assert_eq!(numbers(&company.lines(&spec, date(19_674), 9).await, "quantity"), [1.0]);
    assert_eq!(numbers(&company.lines(&spec, date(20_000), 9).await, "quantity"), [1.0, 2.0, 3.0]);
    assert!(company.lines(&spec, date(1), 9).await.is_empty());
    let timeless = RowsSpec { time: None, ..spec };
    assert_eq!(numbers(&company.lines(&timeless, date(1), 9).await, "quantity"), [1.0, 2.0, 3.0]);
}

#[tokio::test]
async fn rows_stay_those_that_were_there_when_it_was_opened() {
    let company = Company::new().await;
    let accounts = company.accounts(1).await;
    let first = company.line(&accounts[0], None, 1, 1.0).await;
    company.line(&accounts[0], None, 2, 2.0).await;
    let mut stream = company.columns.rows_dataset(&lines(vec![own("quantity")]), AsOf::Now, 9).await.unwrap();
    company.line(&accounts[0], None, 1, 3.0).await;
    company.records.delete(&Caller::system("test"), &name("order_line"), first.id, None).await.unwrap();
    let batch = stream.next().unwrap().unwrap();
    assert_eq!((batch.rows, stream.rows()), (2, 2));
    let quantity = batch.column("quantity").unwrap();
    assert_eq!(
        (quantity.valid.get(0), quantity.valid.get(1)),
        (false, true),
        "deleted since: without values"
    );
    let mut again = stream.clone();
    again.rewind();
    assert_eq!(again.next().unwrap(), Some(batch));
    assert_eq!(stream.next().unwrap(), None, "each is read by itself");
}

#[tokio::test]
async fn withheld_columns_have_no_values() {
    let company = Company::new().await;
    let accounts = company.accounts(1).await;
    let bread = company.product("Bread").await;
    company.line(&accounts[0], Some(&bread), 1, 1.0).await;
    let hidden = RowsColumn { withheld: true, ..through("product", "name") };
    let [batch] =
        company.lines(&lines(vec![hidden, own("quantity")]), AsOf::Now, 9).await.try_into().unwrap();
    assert_eq!(texts(&batch, "product.name"), [None]);
    let ColumnData::Dictionary { values, .. } = &batch.columns[0].data else { panic!("{batch:?}") };
    assert!(values.is_empty(), "nothing is left of what was there");
}

#[tokio::test]
async fn batches_and_datasets_have_limits() {
    let config = Config { batch_bytes_max: 1_000, dataset_rows_max: 300, ..Config::default() };
    let company = Company::with(config).await;
    let accounts = company.accounts(1).await;
    let create = |number: usize| Write::Create {
        object: name("order_line"),
        fields: company.fields(
            "order_line",
            vec![
                ("account", Value::Reference(accounts[0].id)),
                ("ordered_on", Value::Date(Value::date_of_days(1).unwrap())),
                ("description", Value::Text(format!("{number} {}", "x".repeat(200)))),
            ],
        ),
        id: None,
    };
    for part in 0..2 {
        let writes = (0..150).map(|number| create(part * 150 + number)).collect();
        company.records.write_batch(&Caller::system("test"), writes).await.unwrap();
    }
    let spec = lines(vec![own("description")]);
    let batches = company.lines(&spec, AsOf::Now, 65_536).await;
    assert!(batches.iter().all(|batch| batch.bytes() <= 1_400 && batch.rows >= 1), "about its bytes");
    assert_eq!(batches.iter().map(|batch| batch.rows).sum::<u32>(), 300);
    company.line(&accounts[0], None, 1, 1.0).await;
    let refused = company.columns.rows_dataset(&spec, AsOf::Now, 9).await.unwrap_err();
    assert!(refused.to_string().contains("300"), "{refused}");
}

#[tokio::test]
async fn what_cannot_be_given_is_named() {
    let company = Company::new().await;
    let check = async |spec: RowsSpec, expected: &str| {
        let refused = company.columns.rows_dataset(&spec, AsOf::Now, 9).await.unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
    };
    check(lines(vec![own("colour")]), "dataset column `colour`: `order_line` has no field `colour`").await;
    check(lines(vec![through("product", "colour")]), "`product` has no field `colour`").await;
    check(lines(vec![through("quantity", "name")]), "`order_line.quantity` is no reference").await;
    check(lines(vec![own("quantity"), own("quantity")]), "the name is there twice").await;
    check(RowsSpec { time: Some(field("quantity")), ..lines(vec![own("quantity")]) }, "a number is no time")
        .await;
    check(RowsSpec { object: name("cart"), ..lines(Vec::new()) }, "`cart`").await;
    check(RowsSpec { order_by: vec![field("colour")], ..lines(vec![own("quantity")]) }, "colour").await;
}
