//! Several texts a row: tags and choices of a customer, products of its orders.

use trellis_model::{ColumnData, FieldName, Record, Value};
use trellis_records::Caller;

use super::company::{Company, name};
use super::figures::{Cell, all_rows, field, related, rows_of, spec_of};
use crate::{AsOf, ColumnSource, Config, DatasetColumn, DatasetSpec, Figure};

impl Company {
    pub(super) async fn named(&self, object: &str, title: &str) -> Record {
        let fields = self.fields(object, vec![("name", Value::Text(title.into()))]);
        self.records.create(&Caller::system("test"), &name(object), fields).await.unwrap()
    }

    pub(super) async fn bought(&self, account: &Record, product: Option<&Record>) {
        let mut values = vec![
            ("account", Value::Reference(account.id)),
            ("ordered_on", Value::Date(Value::date_of_days(19_000).unwrap())),
        ];
        values.extend(product.map(|product| ("product", Value::Reference(product.id))));
        let fields = self.fields("order_line", values);
        self.records.create(&Caller::system("test"), &name("order_line"), fields).await.unwrap();
    }

    pub(super) async fn tag_account(&self, account: &Record, tags: Option<Vec<&Record>>) {
        let tags = tags.map(|tags| Value::List(tags.iter().map(|tag| Value::Reference(tag.id)).collect()));
        let schema = self.records.schema();
        let tags_field = schema.object("account").unwrap().field("tags").unwrap().id;
        let changes = [(tags_field, tags)].into_iter().collect();
        let caller = Caller::system("test");
        self.records.update(&caller, &name("account"), account.id, changes, None).await.unwrap();
    }
}

fn texts<const N: usize>(texts: [&str; N]) -> Cell {
    Cell::Texts(texts.map(str::to_owned).to_vec())
}

#[tokio::test]
async fn products_come_by_title_each_once_and_deleted_ones_keep_theirs() {
    let company = Company::new().await;
    let accounts = company.accounts(3).await;
    let pear = company.named("product", "Pear").await;
    // Two products of the same name are one text.
    let (first, second) = (company.named("product", "Apple").await, company.named("product", "Apple").await);
    for (account, product) in [
        (0, Some(&pear)),
        (0, Some(&first)),
        (0, Some(&first)),
        (0, None),
        (2, Some(&first)),
        (2, Some(&second)),
    ] {
        company.bought(&accounts[account], product).await;
    }
    company.records.delete(&Caller::system("test"), &name("product"), pear.id, None).await.unwrap();
    let spec = spec_of(vec![related("order_line", Figure::Values(field("product")))]);
    let expected = [(0, vec![texts(["Apple", "Pear"])]), (1, vec![texts([])]), (2, vec![texts(["Apple"])])];
    assert_eq!(all_rows(&company, &spec, AsOf::Now, 10).await, expected.clone().into());
    let batch = company.rows_at(&spec, &[0, 1, 2]).await;
    assert_eq!(rows_of(&batch), expected.into());
}

#[tokio::test]
async fn tags_are_lists_and_none_is_not_an_empty_list() {
    let company = Company::new().await;
    let accounts = company.accounts(3).await;
    let (vip, old) = (company.named("tag", "VIP").await, company.named("tag", "Old").await);
    company.tag_account(&accounts[0], Some(vec![&vip, &old])).await;
    company.tag_account(&accounts[2], Some(vec![&old])).await;
    let column = |name: &str| DatasetColumn {
        name: name.into(),
        source: ColumnSource::Field(FieldName::new(name).unwrap()),
    };
    let mut spec = DatasetSpec { object: name("account"), columns: vec![column("tags")] };
    let rows = all_rows(&company, &spec, AsOf::Now, 10).await;
    let found: Vec<Cell> = rows.values().map(|row| row[0].clone()).collect();
    assert_eq!(found, [texts(["Old", "VIP"]), Cell::Null, texts(["Old"])]);

    spec.columns[0].source = ColumnSource::Withheld(Box::new(spec.columns[0].source.clone()));
    let batch = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap().next().unwrap().unwrap();
    let ColumnData::DictionaryList { offsets, codes, values } = &batch.columns[0].data else {
        panic!("{batch:?}")
    };
    assert_eq!((offsets.as_slice(), codes.is_empty(), values.is_empty()), (&[0; 4][..], true, true));
    assert!((0..3).all(|row| !batch.columns[0].valid.get(row)));
}

#[tokio::test]
async fn lists_keep_a_batch_within_its_bytes() {
    let company = Company::with(Config { batch_bytes_max: 200, ..Config::default() }).await;
    let accounts = company.accounts(6).await;
    for number in 0..18 {
        let product = company.named("product", &format!("{number:02} {}", "x".repeat(20))).await;
        company.bought(&accounts[number / 3], Some(&product)).await;
    }
    let spec = spec_of(vec![related("order_line", Figure::Values(field("product")))]);
    let mut stream = company.columns.dataset(&spec, AsOf::Now, 10).await.unwrap();
    let mut sizes = Vec::new();
    while let Some(batch) = stream.next().unwrap() {
        // A single row may be larger than a batch should be; several never are together.
        assert!(batch.rows == 1 || batch.bytes() <= 200 + 16, "{} bytes", batch.bytes());
        sizes.push(batch.rows);
    }
    assert_eq!(sizes.iter().sum::<u32>(), 6);
    assert!(sizes.len() > 1, "{sizes:?}");
}
