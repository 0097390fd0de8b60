//! A small company on a memory store: accounts with orders, and columns over them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::{
    Aggregate, AsOf, BandDefinition, CodesColumn, ColumnSource, Columns, Config, DatasetColumn, DatasetSpec,
    FlipRequest, GenerationId, NumbersColumn, Origin, ResultColumn, RunId, ScoreDefinition,
    SegmentationDefinition, Source, ValueDefinition,
};
use tempfile::TempDir;
use trellis_model::{
    Batch, Currency, FieldName, Money, ObjectName, PluginId, Record, RecordId, SegmentationName, Text,
    TextColumn, Validity, Value,
};
use trellis_records::{Caller, Clock, EntryBody, LogEntry, Records, SystemIds};
use trellis_storage::{MemoryStore, Store};

#[derive(Debug, Default)]
pub(super) struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed)
    }
}

pub(super) struct Company {
    pub(super) store: Arc<dyn Store>,
    pub(super) records: Arc<Records>,
    pub(super) columns: Arc<Columns>,
    pub(super) dir: TempDir,
    pub(super) config: Config,
    records_config: trellis_records::Config,
}

pub(super) fn name(name: &str) -> ObjectName {
    ObjectName::new(name).unwrap()
}

pub(super) fn segmentation_name(name: &str) -> SegmentationName {
    SegmentationName::new(name).unwrap()
}

impl Company {
    pub(super) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(super) async fn with(config: Config) -> Self {
        Self::with_configs(config, trellis_records::Config::default()).await
    }

    pub(super) async fn with_configs(config: Config, records_config: trellis_records::Config) -> Self {
        Self::on(Arc::new(MemoryStore::new()), config, records_config).await
    }

    pub(super) async fn on(
        store: Arc<dyn Store>,
        config: Config,
        records_config: trellis_records::Config,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let records = open_records(Arc::clone(&store), &records_config).await;
        let columns = Columns::open(Arc::clone(&records), dir.path().into(), config.clone()).await.unwrap();
        Self { store, records, columns, dir, config, records_config }
    }

    /// As a new process would: from the store and the checkpoint files.
    pub(super) async fn restart(self) -> Self {
        let Self { store, dir, config, records_config, .. } = self;
        let records = open_records(Arc::clone(&store), &records_config).await;
        let columns = Columns::open(Arc::clone(&records), dir.path().into(), config.clone()).await.unwrap();
        Self { store, records, columns, dir, config, records_config }
    }

    pub(super) fn fields(
        &self,
        object: &str,
        values: Vec<(&str, Value)>,
    ) -> BTreeMap<trellis_model::FieldId, Value> {
        let schema = self.records.schema();
        let object = schema.object(object).unwrap();
        values.into_iter().map(|(field, value)| (object.field(field).unwrap().id, value)).collect()
    }

    pub(super) async fn account(&self, title: &str) -> Record {
        let fields = self.fields("account", vec![("name", Value::Text(title.into()))]);
        self.records.create(&Caller::system("test"), &name("account"), fields).await.unwrap()
    }

    pub(super) async fn accounts(&self, count: usize) -> Vec<Record> {
        let mut accounts = Vec::with_capacity(count);
        for part in (0..count).collect::<Vec<_>>().chunks(200) {
            let writes = part.iter().map(|number| trellis_records::Write::Create {
                object: name("account"),
                fields: self.fields("account", vec![("name", Value::Text(format!("Customer {number}")))]),
                id: None,
            });
            let written = self.records.write_batch(&Caller::system("test"), writes.collect()).await.unwrap();
            accounts.extend(written.into_iter().map(|written| written.unwrap().record().unwrap().clone()));
        }
        accounts
    }

    pub(super) fn order_fields(&self, order: &Order) -> BTreeMap<trellis_model::FieldId, Value> {
        let mut values = vec![
            ("account", Value::Reference(order.account)),
            ("ordered_on", Value::Date(Value::date_of_days(order.day).unwrap())),
        ];
        values.extend(order.quantity.map(|quantity| ("quantity", Value::Number(quantity))));
        values.extend(order.cents.map(|cents| ("amount", money(cents))));
        self.fields("order", values)
    }

    pub(super) async fn order(&self, account: &Record, day: i32, quantity: f64, cents: i64) -> Record {
        let order = Order { account: account.id, day, quantity: Some(quantity), cents: Some(cents) };
        let fields = self.order_fields(&order);
        self.records.create(&Caller::system("test"), &name("order"), fields).await.unwrap()
    }

    /// All rows of a dataset, read in batches of `batch_rows`.
    pub(super) async fn rows(&self, as_of: AsOf, batch_rows: usize) -> Vec<Row> {
        let mut stream = self.columns.dataset(&orders_spec(), as_of, batch_rows).await.unwrap();
        let mut rows = Vec::new();
        while let Some(batch) = stream.next().unwrap() {
            assert!(batch.ordinals.len() <= batch_rows);
            rows.extend(rows_of(&batch));
        }
        assert_eq!(stream.rows(), rows.len() as u64);
        stream.rewind();
        let again = stream.next().unwrap().map_or(0, |batch| batch.ordinals.len());
        assert_eq!(again, rows.len().min(batch_rows));
        rows
    }

    /// The rows of some ordinals, which fit one batch.
    pub(super) async fn rows_at(&self, spec: &DatasetSpec, ordinals: &[u64]) -> Batch {
        let mut stream = self.columns.dataset_rows(spec, AsOf::Now, ordinals).await.unwrap();
        let batch = stream.next().unwrap().unwrap_or_default();
        assert_eq!((stream.next().unwrap(), stream.rows()), (None, u64::from(batch.rows)));
        batch
    }

    /// Stores results: for each output its code of each ordinal, `None` is null.
    pub(super) async fn generation(&self, run: RunId, outputs: &[(&str, &[Option<u32>])]) -> GenerationId {
        let names: Vec<_> = outputs.iter().map(|(name, _)| segmentation_name(name)).collect();
        let mut writer = self.columns.begin(run, &names).unwrap();
        let rows = outputs[0].1.len();
        for start in (0..rows).step_by(1_000) {
            let end = rows.min(start + 1_000);
            let ordinals: Vec<u64> = (start as u64..end as u64).collect();
            let codes: Vec<Vec<u32>> = outputs
                .iter()
                .map(|(_, codes)| codes[start..end].iter().map(|code| code.unwrap_or(0)).collect())
                .collect();
            let valid: Vec<Validity> = outputs
                .iter()
                .map(|(_, codes)| Validity::from_flags(codes[start..end].iter().map(Option::is_some)))
                .collect();
            let values: TextColumn = ["low", "middle", "high"].into_iter().collect();
            let columns: Vec<ResultColumn<'_>> = codes
                .iter()
                .zip(&valid)
                .map(|(codes, valid)| ResultColumn::Codes(CodesColumn { codes, valid, values: &values }))
                .collect();
            writer.append(&ordinals, &columns).unwrap();
        }
        writer.finish().await.unwrap()
    }

    /// Stores the numbers of scores: `None` is null.
    pub(super) async fn score_generation(
        &self,
        run: RunId,
        scores: &[(&str, &[Option<f64>])],
    ) -> crate::Result<GenerationId> {
        let names: Vec<_> = scores.iter().map(|(name, _)| segmentation_name(name)).collect();
        let mut writer = self.columns.begin(run, &names)?;
        let rows = scores[0].1.len();
        for start in (0..rows).step_by(700) {
            let end = rows.min(start + 700);
            let ordinals: Vec<u64> = (start as u64..end as u64).collect();
            let parts = scores.iter().map(|(_, numbers)| ScorePart::of(&numbers[start..end]));
            let parts: Vec<ScorePart> = parts.collect();
            let columns: Vec<_> = parts.iter().map(ScorePart::column).collect();
            writer.append(&ordinals, &columns)?;
        }
        writer.finish().await
    }

    pub(super) async fn events(&self, after: u64, wanted: &str) -> Vec<serde_json::Value> {
        let entries = self.log_from(after).await.into_iter();
        let data = entries.filter_map(|entry| match entry.body {
            EntryBody::Event { name, data } if name == wanted => Some(data),
            _ => None,
        });
        data.collect()
    }

    pub(super) async fn assert_clean(&self) {
        let report = self.columns.check().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.differences);
    }

    pub(super) async fn log_from(&self, after: u64) -> Vec<LogEntry> {
        self.records.log_after(after, 1_000).await.unwrap()
    }
}

/// Numbers in the shape in which plugins give them.
pub(super) struct ScorePart {
    values: Vec<f64>,
    valid: Validity,
}

impl ScorePart {
    pub(super) fn of(numbers: &[Option<f64>]) -> Self {
        // What stands at a null row means nothing.
        let values = numbers.iter().map(|number| number.unwrap_or(f64::NAN)).collect();
        Self { values, valid: Validity::from_flags(numbers.iter().map(Option::is_some)) }
    }

    pub(super) fn column(&self) -> ResultColumn<'_> {
        ResultColumn::Numbers(NumbersColumn { values: &self.values, valid: &self.valid })
    }
}

async fn open_records(store: Arc<dyn Store>, config: &trellis_records::Config) -> Arc<Records> {
    let (clock, ids) = (Arc::new(Ticking::default()), Arc::new(SystemIds::default()));
    Records::open(store, clock, ids, config.clone()).await.unwrap()
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) account: RecordId,
    pub(super) day: i32,
    pub(super) quantity: Option<f64>,
    pub(super) cents: Option<i64>,
}

pub(super) fn money(cents: i64) -> Value {
    let amount = rust_decimal::Decimal::new(cents, 2);
    Value::Money(Money::new(amount, Currency::new("USD").unwrap()).unwrap())
}

/// A row of [`orders_spec`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) ordinal: u64,
    pub(super) count: i64,
    pub(super) first: i32,
    pub(super) last: i32,
    pub(super) cents: i64,
    pub(super) quantity: f64,
}

pub(super) fn orders_spec() -> DatasetSpec {
    let field = |name: &str| FieldName::new(name).unwrap();
    let column = |name: &str, aggregate| DatasetColumn {
        name: name.into(),
        source: ColumnSource::Aggregate { events: self::name("order"), time: field("ordered_on"), aggregate },
    };
    DatasetSpec {
        object: name("account"),
        columns: vec![
            column("orders", Aggregate::Count),
            column("first", Aggregate::First),
            column("last", Aggregate::Last),
            column("spent", Aggregate::Sum(field("amount"))),
            column("pieces", Aggregate::Sum(field("quantity"))),
        ],
    }
}

pub(super) fn rows_of(batch: &Batch) -> Vec<Row> {
    use trellis_model::ColumnData::{Date, Float64, Int64, Money};
    let data: Vec<_> = batch.columns.iter().map(|column| &column.data).collect();
    let [Int64(counts), Date(first), Date(last), Money { currency, minor_units }, Float64(quantities)] =
        data[..]
    else {
        panic!("unexpected columns: {data:?}");
    };
    assert_eq!(currency, "USD");
    assert!(batch.columns.iter().all(|column| column.valid == Validity::all()));
    let row = |row: usize| Row {
        ordinal: batch.ordinals[row],
        count: counts[row],
        first: first[row],
        last: last[row],
        cents: minor_units[row],
        quantity: quantities[row],
    };
    (0..batch.rows as usize).map(row).collect()
}

pub(super) fn definition(name: &str) -> SegmentationDefinition {
    let value = |name: &str, zh: &str| ValueDefinition {
        name: name.into(),
        label: Text::new(name.to_uppercase(), zh),
        description: Text::default(),
    };
    SegmentationDefinition {
        name: segmentation_name(name),
        object: self::name("account"),
        label: Text::new("Value", "价值"),
        description: Text::default(),
        values: vec![value("low", "低"), value("middle", "中"), value("high", "高")],
        source: Source::Plugin { plugin: PluginId::new("retail-rfm").unwrap(), output: name.into() },
        aliases: Vec::new(),
    }
}

/// A score with bands that begin at these numbers: `b1`, `b2`, …
pub(super) fn score_definition(name: &str, bands: &[f64]) -> ScoreDefinition {
    let band = |(number, lowest): (usize, &f64)| BandDefinition {
        name: format!("b{}", number + 1),
        label: Text::new(format!("Band {}", number + 1), format!("第 {} 档", number + 1)),
        description: Text::default(),
        lowest: *lowest,
    };
    ScoreDefinition {
        name: segmentation_name(name),
        object: self::name("account"),
        label: Text::new("Risk of leaving", "流失风险"),
        description: Text::default(),
        unit: Text::new("%", ""),
        minimum: Some(0.0),
        maximum: Some(100.0),
        bands: bands.iter().enumerate().map(band).collect(),
        source: Source::Plugin { plugin: PluginId::new("churn-lite").unwrap(), output: name.into() },
        aliases: Vec::new(),
    }
}

pub(super) fn run_id(number: u8) -> RunId {
    RecordId::parse(&format!("0192f0c1-2345-7abc-8def-0123456789{number:02x}")).unwrap()
}

pub(super) fn flip_request(run: RunId, baseline: bool) -> FlipRequest {
    FlipRequest {
        run,
        baseline,
        as_of: AsOf::Now,
        data: serde_json::json!({}),
        origin: Origin::system("test"),
    }
}

pub(super) fn codes(values: &[i32]) -> Vec<Option<u32>> {
    values.iter().map(|value| u32::try_from(*value).ok()).collect()
}
