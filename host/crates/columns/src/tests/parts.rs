//! Rows that do not fit one batch come in several, and none is left out.

use trellis_model::{Batch, FieldName};

use super::company::{Company, name};
use super::figures::{Rows, all_rows, field, related, rows_of, spec_of};
use crate::{AsOf, ColumnSource, Config, DatasetColumn, DatasetSpec, DatasetStream, Figure};

/// Six customers with long names, tags and products, where a batch has few bytes.
async fn company(batch_bytes_max: usize) -> Company {
    let company = Company::with(Config { batch_bytes_max, ..Config::default() }).await;
    for number in 0..6 {
        let account = company.account(&format!("Customer {number} {}", "x".repeat(30))).await;
        let tag = company.named("tag", &format!("Tag {number} {}", "y".repeat(30))).await;
        company.tag_account(&account, Some(vec![&tag])).await;
        for line in 0..3 {
            let product = company.named("product", &format!("{number}{line} {}", "z".repeat(20))).await;
            company.bought(&account, Some(&product)).await;
        }
    }
    company
}

fn own(name: &str) -> DatasetColumn {
    DatasetColumn { name: name.into(), source: ColumnSource::Field(FieldName::new(name).unwrap()) }
}

fn fields() -> DatasetSpec {
    DatasetSpec { object: name("account"), columns: vec![own("tags")] }
}

/// Two lists a row, neither of which alone fills a batch.
fn lists() -> DatasetSpec {
    let mut spec = spec_of(vec![
        related("order_line", Figure::Values(field("product"))),
        related("order_line", Figure::Values(field("description"))),
    ]);
    spec.columns.push(own("tags"));
    spec
}

fn numbers() -> DatasetSpec {
    spec_of(vec![related("order_line", Figure::Count), related("order", Figure::Count)])
}

fn batches(mut stream: DatasetStream) -> Vec<Batch> {
    std::iter::from_fn(|| stream.next().unwrap()).collect()
}

#[tokio::test]
async fn all_rows_that_are_asked_for_come_in_as_many_batches_as_they_need() {
    for (spec, bytes_max) in [(fields(), 200), (lists(), 400), (numbers(), 60), (numbers(), 1)] {
        let company = company(bytes_max).await;
        let asked = company.columns.dataset_rows(&spec, AsOf::Now, &[5, 3, 0, 1, 2, 4, 3, 99]).await.unwrap();
        assert_eq!(asked.rows(), 6);
        let batches = batches(asked);
        assert!(batches.len() > 1, "{bytes_max}");
        let too_large = |batch: &Batch| batch.rows > 1 && batch.bytes() > bytes_max;
        assert!(!batches.iter().any(too_large), "{bytes_max}: {batches:?}");
        let mut rows = Rows::new();
        batches.iter().for_each(|batch| rows.extend(rows_of(batch)));
        assert_eq!(rows.len(), 6, "{bytes_max}");
        assert_eq!(rows, all_rows(&company, &spec, AsOf::Now, 100).await, "{bytes_max}");
    }
}

#[tokio::test]
async fn a_batch_is_as_full_as_its_bytes_allow() {
    let company = company(4_000).await;
    let sizes: Vec<u32> = batches(company.columns.dataset(&fields(), AsOf::Now, 100).await.unwrap())
        .iter()
        .map(|batch| batch.rows)
        .collect();
    assert_eq!(sizes, [6]);
    // 8 for the ends, and 17 a row: there are no bytes left for fields where only these are counted.
    let empty = Company::with(Config { batch_bytes_max: 8 + 17 * 3, ..Config::default() }).await;
    empty.accounts(6).await;
    let sizes: Vec<u32> = batches(empty.columns.dataset(&fields(), AsOf::Now, 100).await.unwrap())
        .iter()
        .map(|batch| batch.rows)
        .collect();
    assert_eq!(sizes, [3, 3]);
}

#[tokio::test]
async fn a_row_says_the_same_alone_and_beside_others() {
    let company = Company::new().await;
    let accounts = company.accounts(2).await;
    let (vip, old) = (company.named("tag", "VIP").await, company.named("tag", "Old").await);
    company.tag_account(&accounts[0], Some(vec![&vip])).await;
    company.tag_account(&accounts[1], Some(vec![&vip, &old])).await;
    let beside = rows_of(&company.rows_at(&fields(), &[0, 1]).await);
    let alone = rows_of(&company.rows_at(&fields(), &[1]).await);
    assert_eq!(beside[&1], alone[&1]);
}

#[tokio::test]
async fn a_row_of_nobody_has_all_columns() {
    let company = company(1_000).await;
    let row = company.columns.dataset_row(&lists(), AsOf::Now, None).await.unwrap();
    assert_eq!((row.rows, row.columns.len()), (0, 3));
    let row = company.columns.dataset_row(&lists(), AsOf::Now, Some(99)).await.unwrap();
    assert_eq!((row.rows, row.columns.len()), (0, 3));
    let row = company.columns.dataset_row(&lists(), AsOf::Now, Some(2)).await.unwrap();
    assert_eq!((row.ordinals, row.columns.len()), (vec![2], 3));
}

#[tokio::test]
async fn ids_of_references_are_counted_as_the_texts_that_they_become() {
    use crate::{RowsColumn, RowsSource, RowsSpec};
    let company = company(300).await;
    let product =
        RowsColumn { name: "product".into(), source: RowsSource::Field(field("product")), withheld: false };
    let spec = RowsSpec {
        object: name("order_line"),
        filter: trellis_model::Filter::everything(),
        order_by: Vec::new(),
        time: None,
        columns: vec![product],
    };
    let mut stream = company.columns.rows_dataset(&spec, AsOf::Now, 100).await.unwrap();
    let batches: Vec<Batch> = std::iter::from_fn(|| stream.next().unwrap()).collect();
    assert_eq!(batches.iter().map(|batch| batch.rows).sum::<u32>(), 18);
    assert!(batches.iter().all(|batch| batch.rows > 1 && batch.bytes() <= 300), "{batches:?}");
}

#[tokio::test]
async fn the_order_of_the_texts_of_a_field_is_that_of_the_texts() {
    let company = Company::new().await;
    let accounts = company.accounts(1).await;
    let tags =
        [company.named("tag", "b").await, company.named("tag", "c").await, company.named("tag", "a").await];
    company.tag_account(&accounts[0], Some(tags.iter().collect())).await;
    let texts = ["a", "b", "c"].map(str::to_owned).to_vec();
    let rows = rows_of(&company.rows_at(&fields(), &[0]).await);
    assert_eq!(rows[&0], [super::figures::Cell::Texts(texts)]);
}
