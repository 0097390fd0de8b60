//! CSV import, from a file to records in a store.
#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use trellis_model::{ChangeKind, Decider, FieldId, FieldName, ObjectId, PluginId, Record, Text, Value};
use trellis_records::{
    Caller, Config, EntryBody, Proposed, Records, SaveContext, SaveHook, SystemClock, SystemIds, Veto,
};
use trellis_storage::MemoryStore;
use trellis_transfer::import::{self, ImportReport, Limits, Mapping, Phase, Progress};

/// A server's records, and a folder for files.
struct Shop {
    records: Arc<Records>,
    folder: tempfile::TempDir,
}

impl Shop {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
        let records = Records::open(store, clock, ids, Config::default()).await.unwrap();
        Self { records, folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    async fn import(&self, mapping: &str, file: &Path) -> import::Result<ImportReport> {
        let mapping = Mapping::parse(mapping, &self.records.schema())?;
        let (caller, cancel) = (Caller::system("test"), AtomicBool::new(false));
        import::import_csv(&self.records, &caller, &mapping, file, &|_| {}, &cancel).await
    }

    /// Without a mapping.
    async fn import_plain(&self, object: &str, text: &str) -> import::Result<ImportReport> {
        let file = self.write("plain.csv", text);
        let header = import::read_header(&file)?;
        let mapping = Mapping::identity(&object.parse().unwrap(), &header, &self.records.schema())?;
        let (caller, cancel) = (Caller::system("test"), AtomicBool::new(false));
        import::import_csv(&self.records, &caller, &mapping, &file, &|_| {}, &cancel).await
    }

    async fn find(&self, object: &str, external_id: &str) -> Option<Record> {
        let (scope, field) = (Caller::system("test").scope, "external_id".parse().unwrap());
        let value = Value::Text(external_id.into());
        self.records.find_by(&scope, &object.parse().unwrap(), &field, &value).await.unwrap()
    }

    fn field(&self, object: &str, name: &str) -> FieldId {
        self.records.schema().object(object).unwrap().field(name).unwrap().id
    }

    /// A field's canonical value, empty for null.
    fn text(&self, object: &str, record: &Record, name: &str) -> String {
        record.fields.get(&self.field(object, name)).map_or(String::new(), Value::canonical)
    }

    /// How many records of an object were ever created.
    async fn created(&self, object: &str) -> usize {
        let id = self.records.schema().object(object).unwrap().id;
        let (mut created, mut after) = (0, 0);
        loop {
            let entries = self.records.log_after(after, 100).await.unwrap();
            let Some(last) = entries.last() else { return created };
            after = last.number;
            created += entries
                .iter()
                .map(|entry| match &entry.body {
                    EntryBody::Changes(changes) => changes
                        .iter()
                        .filter(|change| change.object == id && change.kind == ChangeKind::Created)
                        .count(),
                    EntryBody::Event { .. } => 0,
                })
                .sum::<usize>();
        }
    }

    /// The external ids of an object's records, in the order of their ordinals.
    async fn by_ordinal(&self, object: &str) -> Vec<String> {
        let definition = self.records.schema().object(object).unwrap().clone();
        let mut ids = Vec::new();
        for (_, id) in self.records.ordinals_after(definition.id, None, 10_000).await.unwrap() {
            let scope = Caller::system("test").scope;
            let record = self.records.get(&scope, &definition.name, id).await.unwrap().unwrap();
            ids.push(self.text(object, &record, "external_id"));
        }
        ids
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/cdnow").join(name)
}

fn orders_mapping() -> String {
    std::fs::read_to_string(example("orders.toml")).unwrap()
}

/// `created updated unchanged failed created_references`.
fn counts(report: &ImportReport) -> [u64; 5] {
    [report.created, report.updated, report.unchanged, report.failed, report.created_references]
}

fn errors(report: &ImportReport) -> Vec<String> {
    let text = |error: &import::RowError| {
        format!("{}#{} {} {}", error.line, error.row, error.column.as_deref().unwrap_or("-"), error.code)
    };
    report.errors.iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_purchases_of_cdnow_become_orders_of_accounts() {
    let shop = Shop::new().await;
    let file = example("cdnow_sample_transactions.csv");

    let report = shop.import(&orders_mapping(), &file).await.unwrap();
    assert_eq!(counts(&report), [6919, 0, 0, 0, 2357], "{:?}", report.errors.first());
    assert_eq!((report.rows, report.errors_found, report.cancelled), (6919, 0, false));
    assert_eq!((shop.created("order").await, shop.created("account").await), (6919, 2357));
    let natural: Vec<String> = (1..=2357).map(|customer| customer.to_string()).collect();
    assert_eq!(shop.by_ordinal("account").await, natural);

    let account = shop.find("account", "2357").await.unwrap();
    assert_eq!(shop.text("account", &account, "name"), "Customer 2357");

    let log_head = shop.records.log_head();
    let again = shop.import(&orders_mapping(), &file).await.unwrap();
    assert_eq!(counts(&again), [0, 0, 6919, 0, 0]);
    assert_eq!(shop.records.log_head(), log_head, "a second import writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_of_the_same_file_at_once_double_nothing() {
    let shop = Shop::new().await;
    let (mapping, file) = (orders_mapping(), example("cdnow_sample_transactions.csv"));
    let (one, other) = tokio::join!(shop.import(&mapping, &file), shop.import(&mapping, &file));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.failed, other.failed), (0, 0), "{:?} {:?}", one.errors.first(), other.errors.first());
    assert_eq!(one.created + other.created, 6919);
    assert_eq!(one.created_references + other.created_references, 2357);
    assert_eq!((shop.created("order").await, shop.created("account").await), (6919, 2357));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_named_and_the_others_written() {
    let shop = Shop::new().await;
    let file = shop.write(
        "orders.csv",
        b"customer_id,date,cds,amount\n\
        1,1997-01-01,1,5.00\n\
        2,1997-02-30,1,5.00\n\
        3,1997-01-01,1\n\
        4,1997-01-01,1,\"5.00\n\
        5,,1,5.00\n\
        ,1997-01-01,1,5.00\n\
        6,1997-01-01,1,5.00 JPY\n\
        1,1997-01-01,1,5\n\
        7,1997-01-01,1,5.00\n",
    );
    let report = shop.import(&orders_mapping(), &file).await.unwrap();
    assert_eq!(
        errors(&report),
        [
            "3#2 date invalid_value",
            "4#3 - column_count",
            "5#4 - csv_quote",
            "6#5 date required",
            "7#6 customer_id required",
            "8#7 amount missing_rate",
        ]
    );
    assert_eq!(counts(&report), [3, 0, 0, 6, 4], "5 and 6 are refused by the save pipeline only");
    assert_eq!(report.rows, 9);

    let fixed = shop.write(
        "fixed.csv",
        "date,customer_id,amount,cds\n1997-02-28,2,5,1\n1997-01-01,1,5.0,1\n1997-01-01,1,5,1\n",
    );
    let report = shop.import(&orders_mapping(), &fixed).await.unwrap();
    assert_eq!(
        counts(&report),
        [1, 0, 2, 0, 1],
        "a row that was written is known, in whatever order and form it comes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinals_follow_the_rows_and_the_last_row_of_a_key_decides() {
    let shop = Shop::new().await;
    let mut text = String::from("external_id,名称,Account Type\n");
    let rows: Vec<String> = (0..1_000).map(|row| format!("{}", (row * 7) % 500)).collect();
    for (place, id) in rows.iter().enumerate() {
        text += &format!("{id},Name {place},{}\n", if place < 500 { "prospect" } else { "" });
    }
    let text = text.replace("名称", "客户名称");
    let report = shop.import_plain("account", &text).await.unwrap();
    assert_eq!(counts(&report), [500, 500, 0, 0, 0], "{:?}", report.errors.first());
    assert_eq!(shop.by_ordinal("account").await, rows.get(..500).unwrap());
    let account = shop.find("account", "7").await.unwrap();
    assert_eq!(shop.text("account", &account, "name"), "Name 501");
    assert_eq!(
        shop.text("account", &account, "account_type"),
        "prospect",
        "an empty cell leaves what is there"
    );

    // The same for an object whose batches overlap: order 1 comes first and last.
    let mut text = String::from("external_id,account,ordered_on,quantity\n");
    for row in 0..1_000 {
        text += &format!("{},7,1997-01-01,{row}\n", if row % 100 == 0 { 1 } else { 10 + row });
    }
    let report = shop.import_plain("order", &text).await.unwrap();
    assert_eq!(counts(&report), [991, 9, 0, 0, 0], "{:?}", report.errors.first());
    let order = shop.find("order", "1").await.unwrap();
    assert_eq!(shop.text("order", &order, "quantity"), "900.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn references_are_found_by_their_key_or_named() {
    let shop = Shop::new().await;
    shop.import_plain("account", "external_id,name\nA1,One\n").await.unwrap();
    let id = shop.find("account", "A1").await.unwrap().id;
    let nobody = "01939d4c-7c3a-7b6e-8000-000000000001";
    let text = format!(
        "external_id,account,ordered_on\n1,A1,1997-01-01\n2,{id},1997-01-01\n3,A2,1997-01-01\n4,{nobody},1997-01-01\n"
    );
    let report = shop.import_plain("order", &text).await.unwrap();
    assert_eq!(errors(&report), ["4#3 account reference_missing", "5#4 account reference_missing"]);
    assert_eq!(report.errors.first().unwrap().message.en, "there is no account with external_id `A2`");
    assert_eq!(counts(&report), [2, 0, 0, 2, 0]);
    for order in ["1", "2"] {
        let order = shop.find("order", order).await.unwrap();
        assert_eq!(shop.text("order", &order, "account"), id.to_string());
    }

    let created = "object = \"order\"\ncolumns = [{ column = \"a\", field = \"account\", reference = { create = true, set = { name = \"x\", city = \"{}\" } } }, \
        { column = \"d\", field = \"ordered_on\" }]";
    let file = shop.write(
        "b.csv",
        format!("a,d\nB10,1997-01-01\nB{},1997-01-01\nB9,1997-01-01\nB9,\n", "9".repeat(195)),
    );
    let report = shop.import(created, &file).await.unwrap();
    assert_eq!(errors(&report), ["3#2 a reference_not_created", "5#4 d required"]);
    let message = "could not be created: city: text has 196 characters, at most 100";
    assert!(
        report.errors.first().is_some_and(|error| error.message.en.ends_with(message)),
        "{:?}",
        report.errors
    );
    assert_eq!(counts(&report), [2, 0, 0, 2, 2]);
    assert_eq!(shop.by_ordinal("account").await.get(1..3).unwrap(), ["B9", "B10"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_leads_and_cases_fit_their_objects() {
    let shop = Shop::new().await;
    shop.import(&orders_mapping(), &example("cdnow_sample_transactions.csv")).await.unwrap();
    let service = example("../service");
    for (object, rows) in [("lead", 60), ("case", 80)] {
        let file = service.join(format!("{object}s.csv"));
        let mapping = std::fs::read_to_string(file.with_extension("toml")).unwrap();
        let report = shop.import(&mapping, &file).await.unwrap();
        assert_eq!(counts(&report), [rows, 0, 0, 0, 0], "{object}: {:?}", report.errors);
    }
    let case = shop.find("case", "C001").await.unwrap();
    assert_eq!(shop.text("case", &case, "dissatisfaction"), "complained_to_authority");
    let customer = shop.find("account", "999").await.unwrap();
    assert_eq!(shop.text("case", &case, "account"), customer.id.to_string());
}

#[derive(Debug)]
struct NoOddQuantity {
    object: ObjectId,
    quantity: FieldId,
}

impl SaveHook for NoOddQuantity {
    fn concerns(&self, object: ObjectId) -> bool {
        object == self.object
    }

    fn before_save<'a>(
        &'a self,
        _context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        let odd = |row: &Proposed| matches!(row.fields.get(&self.quantity), Some(Value::Number(number)) if number % 2.0 == 1.0);
        let vetoes = proposed.iter().enumerate().filter(|(_, row)| odd(row)).map(|(row, _)| Veto {
            by: Decider::Plugin { id: PluginId::new("no-odd").unwrap(), version: "1.0.0".into() },
            code: "odd-quantity".into(),
            reason: Text::new("odd", "奇数"),
            field: Some(FieldName::new("quantity").unwrap()),
            unavailable: false,
            row,
        });
        let vetoes: Vec<Veto> = vetoes.collect();
        Box::pin(async move { if vetoes.is_empty() { Ok(()) } else { Err(vetoes) } })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_is_the_error_of_its_row() {
    let shop = Shop::new().await;
    shop.import_plain("account", "external_id,name\nA1,One\n").await.unwrap();
    let object = shop.records.schema().object("order").unwrap().id;
    shop.records.add_hook(Arc::new(NoOddQuantity { object, quantity: shop.field("order", "quantity") }));
    let mut text = String::from("external_id,account,ordered_on,quantity\n");
    (0..450).for_each(|row| text += &format!("{row},A1,1997-01-01,{row}\n"));
    let report = shop.import_plain("order", &text).await.unwrap();
    assert_eq!(counts(&report), [225, 0, 0, 225, 0]);
    let first = report.errors.first().unwrap();
    assert_eq!((first.line, first.row, first.code), (3, 2, "veto"));
    assert_eq!(first.column.as_deref(), Some("quantity"));
    assert_eq!(first.message.en, "refused by plugin no-odd 1.0.0: odd");
    assert_eq!(first.message.zh_cn, "插件 no-odd 1.0.0 拒绝了此更改：奇数");
    assert!(report.errors.is_sorted_by_key(|error| error.row));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_import_keeps_what_it_wrote_and_can_be_repeated() {
    let shop = Shop::new().await;
    let mapping = Mapping::parse(&orders_mapping(), &shop.records.schema()).unwrap();
    let (file, cancel) = (example("cdnow_sample_transactions.csv"), AtomicBool::new(false));
    let stop_early = |progress: Progress| {
        if progress.phase == Phase::Rows {
            assert_eq!(progress.total, Some(6919));
            cancel.store(true, Ordering::Relaxed);
        }
    };
    let caller = Caller::system("test");
    let report =
        import::import_csv(&shop.records, &caller, &mapping, &file, &stop_early, &cancel).await.unwrap();
    assert!(report.cancelled && report.created >= 200 && report.created < 6919, "{}", report.created);
    assert_eq!(shop.created("order").await as u64, report.created);

    let rest = shop.import(&orders_mapping(), &file).await.unwrap();
    assert_eq!(counts(&rest), [6919 - report.created, 0, report.created, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_fit_is_refused_before_anything_is_written() {
    let shop = Shop::new().await;
    let log_head = shop.records.log_head();
    let check = async |text: &str, limits: Limits, code: &str| {
        let file = shop.write("refused.csv", text);
        let mapping = Mapping::parse(&orders_mapping(), &shop.records.schema()).unwrap();
        let (caller, cancel) = (Caller::system("test"), AtomicBool::new(false));
        let outcome =
            import::import_csv_within(limits, &shop.records, &caller, &mapping, &file, &|_| {}, &cancel)
                .await;
        assert_eq!(outcome.map_err(|error| error.code()), Err(code), "{text}");
        assert_eq!(shop.records.log_head(), log_head);
    };
    let header = "customer_id,date,cds,amount";
    check("customer,date,cds,amount\n1,1997-01-01,1,5\n", Limits::default(), "invalid_header").await;
    check(&format!("{header},date\n1,1997-01-01,1,5,\n"), Limits::default(), "invalid_header").await;
    check("", Limits::default(), "invalid_header").await;
    let two = format!("{header}\n1,1997-01-01,1,5\n2,1997-01-01,1,5\n");
    check(&two, Limits { keys_in_memory_max: 1, ..Limits::default() }, "import_too_large").await;
    check(&two, Limits { rows_without_id_max: 1, ..Limits::default() }, "import_too_large").await;
    let missing = shop.import(&orders_mapping(), &shop.folder.path().join("none.csv")).await;
    assert_eq!(missing.map_err(|error| error.code()), Err("unreadable_file"));
    let plain = shop.import_plain("order", "amount,colour\n5,red\n").await;
    assert_eq!(plain.map_err(|error| error.code()), Err("invalid_header"));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_beyond_the_limit_are_counted() {
    let shop = Shop::new().await;
    let file = shop.write("bad.csv", format!("customer_id,date,cds,amount\n{}", "1,x,y,z\n".repeat(10)));
    let mapping = Mapping::parse(&orders_mapping(), &shop.records.schema()).unwrap();
    let (caller, cancel) = (Caller::system("test"), AtomicBool::new(false));
    let limits = Limits { errors_kept_max: 4, ..Limits::default() };
    let report = import::import_csv_within(limits, &shop.records, &caller, &mapping, &file, &|_| {}, &cancel)
        .await
        .unwrap();
    assert_eq!((report.errors.len(), report.errors_found, report.failed), (4, 30, 10));
    assert_eq!(counts(&report), [0, 0, 0, 10, 0], "a bad row creates no account");
}
