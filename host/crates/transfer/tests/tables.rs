//! Tables of other kinds than plain CSV, richer mappings, rehearsals, and going on after a crash.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a set-up that fails is a test that fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use trellis_model::{Record, Text, Value};
use trellis_records::{Caller, Config, Query, Records, SystemClock, SystemIds};
use trellis_storage::MemoryStore;
use trellis_transfer::export::{self, Encoding, ExportSpec, Format, Header, References};
use trellis_transfer::import::{
    self, Checkpoints, Control, Done, Edits, ImportReport, Input, Limits, Mapping, MappingSpec, ReadOptions,
};
use trellis_transfer::{RowTexts, Transform, Transforms};

struct Shop {
    records: Arc<Records>,
    folder: tempfile::TempDir,
}

/// Knows `upper`, and `is <column> <text>`.
#[derive(Debug)]
struct Words;

#[derive(Debug)]
struct Word(Vec<String>);

impl Transforms for Words {
    fn compile(&self, source: &str) -> Result<Arc<dyn Transform>, Text> {
        Ok(Arc::new(Word(source.split(' ').map(str::to_owned).collect())))
    }
}

impl Transform for Word {
    fn apply(&self, value: Option<&str>, row: &RowTexts<'_>) -> Result<Option<String>, Text> {
        match self.0[0].as_str() {
            "upper" => Ok(value.map(str::to_uppercase)),
            "is" => {
                let place = row.columns.iter().position(|column| *column == self.0[1]).unwrap();
                Ok(Some((row.cells[place] == self.0[2]).to_string()))
            }
            _ => Err(Text::new("no such word", "没有这个词")),
        }
    }
}

impl Shop {
    async fn new() -> Self {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
        let records =
            Records::open(Arc::new(MemoryStore::new()), clock, ids, Config::default()).await.unwrap();
        Self { records, folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    fn mapping(&self, toml: &str) -> import::Result<Mapping> {
        let limits = Limits::default();
        Mapping::new(&MappingSpec::parse(toml, &limits)?, &self.records.schema(), &limits, &Words)
    }

    fn input(&self, toml: &str, file: &Path) -> Input {
        Input::new(file, self.mapping(toml).unwrap(), Limits::default())
    }

    async fn import(&self, toml: &str, file: &Path) -> import::Result<ImportReport> {
        self.run(&self.input(toml, file)).await
    }

    async fn run(&self, input: &Input) -> import::Result<ImportReport> {
        let cancel = AtomicBool::new(false);
        import::run(&self.records, &Caller::system("test"), input, &Control::new(&|_| {}, &cancel)).await
    }

    async fn rehearse(&self, input: &Input) -> ImportReport {
        let cancel = AtomicBool::new(false);
        let caller = Caller::system("test");
        import::rehearse(&self.records, &caller, input, &Control::new(&|_| {}, &cancel)).await.unwrap()
    }

    /// Every record, as texts by field, sorted.
    async fn all(&self, object: &str) -> Vec<BTreeMap<String, String>> {
        let schema = self.records.schema();
        let definition = schema.object(object).unwrap();
        let mut query = Query { limit: 200, ..Query::new(definition.name.clone()) };
        let mut all = Vec::new();
        loop {
            let page = self.records.list(&Caller::system("test").scope, &query).await.unwrap();
            let texts = |record: &Record| {
                let text = |(id, value): (&trellis_model::FieldId, &Value)| {
                    (definition.field_by_id(*id).unwrap().name.to_string(), value.canonical())
                };
                record.fields.iter().map(text).chain([("id".into(), record.id.to_string())]).collect()
            };
            all.extend(page.records.iter().map(texts));
            query.after = page.next;
            if query.after.is_none() {
                return all;
            }
        }
    }

    async fn names(&self, object: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.all(object).await.into_iter().map(|mut fields| fields.remove("name").unwrap()).collect();
        names.sort();
        names
    }
}

const ACCOUNTS: &str = r#"
object = "account"
[[columns]]
column = "客户编号"
field = "external_id"
[[columns]]
column = "公司名称"
field = "name"
"#;

fn counts(report: &ImportReport) -> [u64; 5] {
    [report.created, report.updated, report.unchanged, report.failed, report.created_references]
}

fn errors(report: &ImportReport) -> Vec<String> {
    let text = |error: &import::RowError| format!("{}#{} {}", error.line, error.row, error.code);
    report.errors.iter().map(text).collect()
}

fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet().set_name("客户").unwrap();
    for (row, cells) in (0_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(*cells) {
            match cell.parse::<f64>() {
                Ok(number) => sheet.write_number(row, column, number).unwrap(),
                Err(_) if cell.is_empty() => sheet,
                Err(_) => sheet.write_string(row, column, *cell).unwrap(),
            };
        }
    }
    workbook.add_worksheet().set_name("other").unwrap().write_string(0, 0, "x").unwrap();
    workbook.save_to_buffer().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_every_kind_give_the_same_records() {
    let text = "客户编号,公司名称\n1,甲公司\n2,\"乙,公司\"\n";
    let tables: [(&str, Vec<u8>); 5] = [
        ("utf-8", text.into()),
        ("gb18030", gb18030(text)),
        ("utf-16", format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("semicolons", "客户编号;公司名称\r\n1;甲公司\r\n2;乙,公司\r\n".into()),
        ("xlsx", workbook(&[&["客户编号", "公司名称"], &["1", "甲公司"], &["", ""], &["2", "乙,公司"]])),
    ];
    for (kind, bytes) in tables {
        let shop = Shop::new().await;
        let file = shop.write(kind, bytes);
        let profile = import::profile(&file, &ReadOptions::default(), &Limits::default()).unwrap();
        assert_eq!(
            (profile.header(), profile.rows),
            (vec!["客户编号".into(), "公司名称".into()], 2),
            "{kind}"
        );
        let report = shop.import(ACCOUNTS, &file).await.unwrap();
        assert_eq!(counts(&report), [2, 0, 0, 0, 0], "{kind}: {:?}", report.errors);
        assert_eq!(shop.names("account").await, ["乙,公司", "甲公司"], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_and_numbers_of_a_workbook_are_read_as_such() {
    let shop = Shop::new().await;
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in (0_u16..).zip(["ordered_on", "quantity", "amount", "account"]) {
        sheet.write_string(0, column, name).unwrap();
    }
    let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2024, 3, 5).unwrap();
    let format = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_datetime_with_format(1, 0, &day, &format).unwrap();
    sheet.write_number(1, 1, 2.5).unwrap();
    sheet.write_formula(1, 2, rust_xlsxwriter::Formula::new("=1+1").set_result("12.5")).unwrap();
    sheet.write_string(1, 3, "c1").unwrap();
    let file = shop.write("orders.xlsx", workbook.save_to_buffer().unwrap());
    let mapping = "object = \"order\"\ncolumns = [{ column = \"ordered_on\", field = \"ordered_on\" }, { column = \"quantity\", field = \"quantity\" }, { column = \"amount\", field = \"amount\", currency = \"USD\" }, { column = \"account\", field = \"account\", reference = { create = true, set = { name = \"{}\" } } }]";
    let report = shop.import(mapping, &file).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 0, 1], "{:?}", report.errors);
    let order = shop.all("order").await.remove(0);
    assert_eq!(
        (&*order["ordered_on"], &*order["quantity"], &*order["amount"]),
        ("2024-03-05", "2.5", "12.5 USD")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_files_are_refused_with_a_reason_and_nothing_is_written() {
    let shop = Shop::new().await;
    let head = shop.records.log_head();
    let bomb = {
        use std::io::Write as _;
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options: zip::write::SimpleFileOptions = Default::default();
        zip.start_file(
            "xl/worksheets/sheet1.xml",
            options.compression_method(zip::CompressionMethod::Deflated),
        )
        .unwrap();
        for _ in 0..64 {
            zip.write_all(&vec![b' '; 1 << 20]).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    assert!(bomb.len() < 1 << 20, "a small file that unpacks to a large one");
    let wide = (0..5_000).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",") + "\n";
    let limits = Limits { xlsx_bytes_max: 32 << 20, ..Limits::default() };
    let files: [(&str, &[u8], &str); 7] = [
        ("bomb", &bomb, "import_too_large"),
        ("a zip that is no workbook", b"PK\x03\x04 and nothing more", "invalid_header"),
        ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "invalid_header"),
        ("5,000 columns", wide.as_bytes(), "invalid_header"),
        ("empty", b"", "invalid_header"),
        ("another header", b"a,b\n1,2\n", "invalid_header"),
        ("a header that is no text", b"\xff\xfe\xfd,b\n1,2\n", "invalid_header"),
    ];
    for (what, bytes, code) in files {
        let input = Input { limits, ..shop.input(ACCOUNTS, &shop.write("bad", bytes)) };
        let error = shop.run(&input).await.expect_err(what);
        assert_eq!(error.code(), code, "{what}: {error}");
        assert_ne!(error.text().zh_cn, error.text().en, "{what}");
    }
    assert_eq!(shop.records.log_head(), head);
    let only_header = shop.import(ACCOUNTS, &shop.write("header", "客户编号,公司名称\n")).await.unwrap();
    assert_eq!((only_header.rows, only_header.created), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_ten_megabytes_costs_itself_alone() {
    let shop = Shop::new().await;
    let long = "x".repeat(10 << 20);
    let text = format!("客户编号,公司名称\n1,甲\n2,{long}\n3,a\0b\n4,丁\n");
    let report = shop.import(ACCOUNTS, &shop.write("long", text)).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 0, 2, 0]);
    assert_eq!(errors(&report), ["3#2 line_too_long", "4#3 nul_character"]);
    let report = shop
        .import(
            ACCOUNTS,
            &shop
                .write("bytes", [&gb18030("客户编号,公司名称\n5,戊己庚辛壬癸\n6,"), &b"\xff\n"[..]].concat()),
        )
        .await;
    // What is text in no encoding leaves the header unread as UTF-8, so that the file is refused as a whole.
    assert_eq!(report.unwrap_err().code(), "invalid_header");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_changed_and_rows_left_out_for_a_reason() {
    let shop = Shop::new().await;
    let mapping = r#"
        object = "account"
        columns = [
            { column = "id", field = "external_id", transform = "upper" },
            { column = "name", field = "name", values = { "Acme Ldt" = "Acme Ltd" }, default = "nobody" },
        ]
        [[drop]]
        when = "is gift yes"
        reason = { en = "gifts", "zh-CN" = "赠品" }
        [[drop]]
        when = "is gift test"
        reason = { en = "test rows", "zh-CN" = "测试数据" }
    "#;
    let text = "id,name,gift\na1,Acme Ldt,\na2,,no\na3,Present,yes\na4,Test,test\na5,Test,test\n";
    let report = shop.import(mapping, &shop.write("gifts.csv", text)).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 0, 0, 0], "{:?}", report.errors);
    let dropped: Vec<_> =
        report.dropped.iter().map(|dropped| (dropped.reason.zh_cn.as_str(), dropped.rows)).collect();
    assert_eq!(dropped, [("赠品", 1), ("测试数据", 2)]);
    assert_eq!(shop.names("account").await, ["Acme Ltd", "nobody"]);
    let ids: Vec<String> =
        shop.all("account").await.iter().map(|fields| fields["external_id"].clone()).collect();
    assert_eq!(ids, ["A1", "A2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_says_whether_rows_create_or_change() {
    let shop = Shop::new().await;
    shop.import(ACCOUNTS, &shop.write("a.csv", "客户编号,公司名称\n1,甲\n")).await.unwrap();
    let both = shop.write("b.csv", "客户编号,公司名称\n1,甲新\n2,乙\n");
    let report = shop.import(&format!("mode = \"create\"\n{ACCOUNTS}"), &both).await.unwrap();
    assert_eq!((counts(&report), errors(&report)), ([1, 0, 0, 1, 0], vec!["2#1 duplicate".to_owned()]));
    let third = shop.write("c.csv", "客户编号,公司名称\n1,甲新\n3,丙\n");
    let report = shop.import(&format!("mode = \"update\"\n{ACCOUNTS}"), &third).await.unwrap();
    assert_eq!((counts(&report), errors(&report)), ([0, 1, 0, 1, 0], vec!["3#2 record_missing".to_owned()]));
    assert_eq!(shop.names("account").await, ["乙", "甲新"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn references_are_found_by_any_field() {
    let shop = Shop::new().await;
    shop.import(ACCOUNTS, &shop.write("a.csv", "客户编号,公司名称\n1,甲\n2,乙\n3,乙\n")).await.unwrap();
    let mapping = |several: &str| {
        format!(
            "object = \"contact\"\ncolumns = [{{ column = \"name\", field = \"name\" }}, {{ column = \"company\", field = \"account\", reference = {{ match = \"name\", several = \"{several}\" }} }}]"
        )
    };
    let file = shop.write("contacts.csv", "name,company\nA,甲\nB,乙\nC,丙\n");
    let report = shop.import(&mapping("error"), &file).await.unwrap();
    assert_eq!(errors(&report), ["3#2 reference_ambiguous", "4#3 reference_missing"]);
    let report = shop.import(&mapping("first"), &file).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_target_takes_over_what_stands_beside_its_key() {
    let shop = Shop::new().await;
    let mapping = r#"
        object = "order"
        columns = [
            { column = "订单编号", field = "external_id" },
            { column = "VIP卡号", field = "account", reference = { create = true, set = { name = "{VIP姓名}" } } },
            { column = "付款时间", field = "ordered_on" },
            { column = "实际付款金额", field = "amount", currency = "USD" },
        ]
    "#;
    let text = "店铺名称,订单编号,VIP卡号,VIP姓名,VIP种类,付款时间,实际付款金额\n上海店,d1,v1,张三,金卡,2024-03-05 10:20:00,\"1,299.50\"\n上海店,d2,v1,张三,金卡,2024/3/6,88\n";
    let report = shop.import(mapping, &shop.write("orders.csv", gb18030(text))).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 0, 0, 1], "{:?}", report.errors);
    assert_eq!(shop.names("account").await, ["张三"]);
    // R153: the seven columns are known without a mapping too.
    let header: Vec<String> = text.lines().next().unwrap().split(',').map(str::to_owned).collect();
    let suggested = Mapping::suggested(&"order".parse().unwrap(), &header, &shop.records.schema()).unwrap();
    let fields: Vec<&str> = suggested.columns.iter().map(|column| column.field.as_str()).collect();
    for field in ["external_id", "account", "ordered_on", "amount"] {
        assert!(fields.contains(&field), "{field} of {fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_counts_what_the_import_then_does_and_writes_nothing() {
    let shop = Shop::new().await;
    shop.import(ACCOUNTS, &shop.write("a.csv", "客户编号,公司名称\n1,甲\n2,乙\n")).await.unwrap();
    let mapping = r#"
        object = "order"
        columns = [
            { column = "no", field = "external_id" },
            { column = "customer", field = "account", reference = { create = true, set = { name = "客户 {}" } } },
            { column = "day", field = "ordered_on" },
            { column = "amount", field = "amount" },
        ]
    "#;
    let mut text = "no,customer,day,amount\n".to_owned();
    for row in 0..500 {
        let day = if row % 50 == 7 { "never".to_owned() } else { format!("2024-01-{:02}", row % 28 + 1) };
        // Every tenth row repeats the number before it, half of them with the same content.
        let number = if row % 10 == 9 { row - 1 } else { row };
        let amount = if row % 20 == 9 { number } else { row };
        text += &format!("n{number},c{},{day},{amount}\n", number % 30);
    }
    let input = shop.input(mapping, &shop.write("orders.csv", text));
    let head = shop.records.log_head();
    let rehearsed = shop.rehearse(&input).await;
    assert_eq!(shop.records.log_head(), head, "nothing is written");
    let report = shop.run(&input).await.unwrap();
    assert_eq!(counts(&rehearsed), counts(&report));
    assert!(
        report.updated > 0 && report.failed == 10 && report.created_references == 27,
        "{:?}",
        counts(&report)
    );
    assert_eq!(errors(&rehearsed), errors(&report));
    let again = shop.rehearse(&input).await;
    assert_eq!(counts(&again)[0], 0, "everything is there by now");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_mend_rows_without_touching_the_file() {
    let shop = Shop::new().await;
    let file = shop.write("a.csv", "客户编号,公司名称\n1,\n2,乙,too many\n3,丙\n");
    let cells =
        |cells: &[(&str, &str)]| cells.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    let edits = Edits {
        cells: [(1, cells(&[("公司名称", "甲")])), (2, cells(&[("客户编号", "2"), ("公司名称", "乙")]))]
            .into(),
        dropped: [3].into(),
    };
    let input = Input { edits: Arc::new(edits), ..shop.input(ACCOUNTS, &file) };
    let report = shop.run(&input).await.unwrap();
    assert_eq!((counts(&report), report.rows), ([2, 0, 0, 0, 0], 2), "{:?}", report.errors);
    assert_eq!(shop.names("account").await, ["乙", "甲"]);
}

/// Notes of an import, as a store would keep them.
#[derive(Debug, Default)]
struct Notes(Mutex<BTreeMap<u32, Vec<u8>>>);

impl Checkpoints for Notes {
    fn put(&self, slot: u32, note: Vec<u8>) -> Vec<(Vec<u8>, Vec<u8>)> {
        assert!(note.len() <= 4 << 10);
        // The key is one that nobody else has; that the store takes it with the rows is what counts.
        vec![(vec![0x57, 0, 0, 0, slot as u8, (slot >> 8) as u8], note)]
    }
}

impl Notes {
    async fn said(&self, records: &Records) -> Vec<Vec<u8>> {
        let range = trellis_storage::ScanRange::prefix(&[0x57]);
        let page = records.store().scan(range, 200).await.unwrap();
        self.0
            .lock()
            .unwrap()
            .extend(page.rows.iter().zip(0..).map(|(row, slot)| (slot, row.value.to_vec())));
        page.rows.iter().map(|row| row.value.to_vec()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_taken_up_again_counts_as_one() {
    let mut text = "no,name\n".to_owned();
    for row in 1..=3_000 {
        text += &format!("l{row},{}\n", if row % 100 == 0 { String::new() } else { format!("Lead {row}") });
    }
    // Products have no ordinals, so several batches are on their way at once.
    for object in ["product", "account"] {
        let shop = Shop::new().await;
        let mapping = format!(
            "object = \"{object}\"\ncolumns = [{{ column = \"no\", field = \"external_id\" }}, {{ column = \"name\", field = \"name\" }}]"
        );
        let limits = Limits { batch_rows_max: 50, ..Limits::default() };
        let input = Input { limits, ..shop.input(&mapping, &shop.write("a.csv", &text)) };
        let (notes, caller) = (Notes::default(), Caller::system("test"));
        let mut done = Done::default();
        let mut attempts = 0;
        let report = loop {
            attempts += 1;
            let cancel = AtomicBool::new(false);
            let stop_at = attempts * 700;
            let progress = |progress: import::Progress| {
                if progress.phase == import::Phase::Rows && progress.done >= stop_at {
                    cancel.store(true, Ordering::Relaxed);
                }
            };
            let control = Control { checkpoints: Some(&notes), done, ..Control::new(&progress, &cancel) };
            let report = import::run(&shop.records, &caller, &input, &control).await.unwrap();
            if !report.cancelled {
                break report;
            }
            let said = notes.said(&shop.records).await;
            done = Done::of(said.iter().map(Vec::as_slice));
        };
        assert!(attempts > 2, "{object}: it was stopped {attempts} times");
        assert_eq!((counts(&report), report.rows), ([2_970, 0, 0, 30, 0], 3_000), "{object}");
        assert_eq!(shop.names(object).await.len(), 2_970);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported_and_is_the_same() {
    let shop = Shop::new().await;
    let text =
        "name,external_id,country,tags\n\"Acme, Inc \"\"x\"\"\",a1,DE,\n甲公司,a2,CN,\n=SUM(A1),a3,,\n";
    let text = text.replace(",tags", "").replace(",\n", "\n");
    let header: Vec<String> = text.lines().next().unwrap().split(',').map(str::to_owned).collect();
    let file = shop.write("a.csv", &text);
    let identity = Mapping::identity(&"account".parse().unwrap(), &header, &shop.records.schema()).unwrap();
    let report = shop.run(&Input::new(&file, identity, Limits::default())).await.unwrap();
    assert_eq!(counts(&report), [3, 0, 0, 0, 0], "{:?}", report.errors);
    let (caller, cancel, object) =
        (Caller::system("test"), AtomicBool::new(false), "account".parse().unwrap());
    for (format, encoding) in
        [(Format::Csv, Encoding::Utf8Bom), (Format::Csv, Encoding::Gb18030), (Format::Xlsx, Encoding::Utf8)]
    {
        let spec = ExportSpec {
            format,
            encoding,
            guard: false,
            header: Header::Names,
            references: References::Ids,
            ..ExportSpec::default()
        };
        let out = shop.folder.path().join("out");
        let report =
            export::run(&shop.records, &caller, &object, &spec, &out, &|_| {}, &cancel).await.unwrap();
        assert_eq!(report.rows, 3);
        let other = Shop::new().await;
        let header = import::read_header(&out).unwrap();
        let identity = Mapping::identity(&object, &header, &other.records.schema()).unwrap();
        let report = other.run(&Input::new(&out, identity, Limits::default())).await.unwrap();
        assert_eq!(counts(&report), [3, 0, 0, 0, 0], "{format:?}: {:?}", report.errors);
        assert_eq!(other.all("account").await, shop.all("account").await, "{format:?} {encoding:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_exactly_the_columns_that_were_asked_for() {
    let shop = Shop::new().await;
    shop.import(ACCOUNTS, &shop.write("a.csv", "客户编号,公司名称\n1,=1+1\n2,乙\n")).await.unwrap();
    let (caller, cancel, object) =
        (Caller::system("test"), AtomicBool::new(false), "account".parse().unwrap());
    let out = shop.folder.path().join("out");
    let spec = ExportSpec {
        columns: Some(vec!["name".into(), "external_id".into()]),
        filter: Some(serde_json::json!({ "field": "external_id", "op": "eq", "value": "1" })),
        language: export::ExportLanguage::ZhCn,
        ..ExportSpec::default()
    };
    export::run(&shop.records, &caller, &object, &spec, &out, &|_| {}, &cancel).await.unwrap();
    let label = shop.records.schema().object("account").unwrap().field("name").unwrap().label.zh_cn.clone();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), format!("\u{feff}{label},外部编号\r\n'=1+1,1\r\n"));
    let spec = ExportSpec { columns: Some(vec!["nom".into()]), ..ExportSpec::default() };
    let refused = export::check(&shop.records, &caller, &object, &spec).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_export");
    let lines = ExportSpec {
        format: Format::Jsonl,
        columns: Some(vec!["external_id".into()]),
        ..ExportSpec::default()
    };
    export::run(&shop.records, &caller, &object, &lines, &out, &|_| {}, &cancel).await.unwrap();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "{\"external_id\":\"1\"}\n{\"external_id\":\"2\"}\n");
}

#[tokio::test]
async fn the_documented_mapping_is_valid() {
    use trellis_transfer::import::{Limits, Mapping, MappingSpec};
    let shop = Shop::new().await;
    let page = include_str!("../../../docs/formats/import-mapping.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let limits = Limits::default();
    let spec = MappingSpec::parse(example, &limits).unwrap();
    let mapping = Mapping::new(&spec, &shop.records.schema(), &limits, &Words).unwrap();
    let header = ["amount", "customer_id", "paid", "product", "VIP name"].map(str::to_owned);
    mapping.check_header(&header).unwrap();
    let missing = mapping.check_header(&header[..1]).unwrap_err().to_string();
    assert!(missing.starts_with("header: there is no column `"), "{missing}");
}
