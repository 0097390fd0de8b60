//! Formulas in reads, filters and sorts; what is refused before there are values. Roll-ups have their tests where their columns are.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{Filter, ObjectDefinition, Scope, Sort, Text, Value};
use trellis_rules::{FormulaEngine, Limits};
use trellis_storage::MemoryStore;

use crate::{
    Caller, CompiledFormula, Config, Error, EvaluationTime, FormulaSource, Formulas, Query, Records,
    SystemClock, SystemIds, schema,
};

#[derive(Debug)]
pub(crate) struct Rhai(FormulaEngine);

#[derive(Debug)]
struct Compiled(trellis_rules::Formula);

impl Formulas for Rhai {
    fn compile(&self, formula: &FormulaSource<'_>) -> Result<Arc<dyn CompiledFormula>, Text> {
        let FormulaSource { expression, stored, field_type, object } = *formula;
        let compiled = self.0.compile(expression, stored, field_type, object);
        compiled.map(|formula| Arc::new(Compiled(formula)) as _).map_err(|error| error.text())
    }
}

impl CompiledFormula for Compiled {
    fn uses(&self) -> &[trellis_model::FieldName] {
        self.0.uses()
    }

    fn asks_the_time(&self) -> bool {
        self.0.asks_the_time()
    }

    fn value(&self, values: &[Option<Value>], moment: &EvaluationTime<'_>) -> Result<Option<Value>, Text> {
        self.0.value(values, moment.now_ms, moment.time_zone).map_err(|error| error.text())
    }
}

pub(crate) fn rhai() -> Rhai {
    Rhai(FormulaEngine::new(Limits { time_ms_max: 20_000, ..Limits::default() }))
}

/// An object `bet` with these fields after `name`, each as lines of TOML.
fn toml(fields: &[&str]) -> String {
    let label = "{ en = \"x\", zh-CN = \"x\" }";
    let mut toml = format!(
        "name = \"bet\"\nplural = \"bets\"\nlabel = {label}\nplural_label = {label}\ntitle = \"name\"\n\
         [[fields]]\nname = \"name\"\nlabel = {label}\ntype = \"text\"\n"
    );
    for field in fields {
        toml += &format!("[[fields]]\nlabel = {label}\n{field}\n");
    }
    toml
}

const STAKE: &str = "name = \"stake\"\ntype = \"money\"";
const ODDS: &str = "name = \"odds\"\ntype = \"number\"";
const WIN: &str =
    "name = \"win\"\ntype = \"money\"\nformula = { expression = \"record.stake * record.odds\" }";
const NET: &str =
    "name = \"net\"\ntype = \"money\"\nformula = { expression = \"record.win - record.stake\" }";
const PER: &str =
    "name = \"per\"\ntype = \"integer\"\nformula = { expression = \"100 / (record.odds.to_int() - 2)\" }";

async fn records(fields: &[&str]) -> Arc<Records> {
    let store = Arc::new(MemoryStore::new());
    schema::install(&*store, &SystemClock, &SystemIds::default(), &[&toml(fields)]).await.unwrap();
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
    let records = Records::open(store, clock, ids, Config::default()).await.unwrap();
    records.set_formulas(Arc::new(rhai()));
    records
}

fn bet(records: &Records) -> Arc<ObjectDefinition> {
    Arc::clone(records.schema().object("bet").unwrap())
}

async fn create(records: &Records, row: Json) -> Result<trellis_model::Record, Error> {
    let bet = bet(records);
    let fields = row.as_object().unwrap().iter().map(|(name, value)| {
        let field = bet.field(name).unwrap();
        (field.id, field.field_type.parse_json(value).unwrap().unwrap())
    });
    records.create(&Caller::system("test"), &bet.name, fields.collect()).await
}

fn value(records: &Records, record: &trellis_model::Record, field: &str) -> Option<String> {
    record.fields.get(&bet(records).field(field).unwrap().id).map(Value::canonical)
}

async fn world() -> Arc<Records> {
    let records = records(&[NET, STAKE, ODDS, WIN, PER]).await;
    for (name, stake, odds) in [("a", "10", 3.5), ("b", "2.50", 2.0), ("c", "100", 1.2)] {
        let stake = json!({"amount": stake, "currency": "USD"});
        create(&records, json!({"name": name, "stake": stake, "odds": odds})).await.unwrap();
    }
    create(&records, json!({"name": "d", "odds": 4.0})).await.unwrap();
    records
}

async fn names(records: &Records, filter: Json, sort: &str) -> Result<String, String> {
    let sort = Sort::parse_list(sort).unwrap();
    let query =
        Query { filter: Filter::parse(&filter).unwrap(), sort, ..Query::new(bet(records).name.clone()) };
    let page = records.list(&Scope::everything(), &query).await.map_err(|error| error.to_string())?;
    Ok(page.records.iter().filter_map(|record| value(records, record, "name")).collect())
}

#[tokio::test]
async fn records_come_with_their_formulas() {
    let records = world().await;
    let stake = json!({"amount": "8", "currency": "USD"});
    let made = create(&records, json!({"stake": stake, "odds": 1.5})).await.unwrap();
    let scope = Scope::everything();
    let read = records.find(&scope, &bet(&records).name, made.id).await.unwrap();
    assert_eq!(made, read);
    assert_eq!(value(&records, &read, "win").as_deref(), Some("12 USD"));
    assert_eq!(value(&records, &read, "net").as_deref(), Some("4 USD"), "a formula over a formula");

    let mut query = Query::new(bet(&records).name.clone());
    let page = records.list(&scope, &query).await.unwrap();
    let all: Vec<_> = page.records.iter().map(|record| value(&records, record, "net")).collect();
    let money = |text: &str| Some(text.to_owned());
    assert_eq!(all, [money("25 USD"), money("2.5 USD"), money("20 USD"), None, money("4 USD")]);
    query.computed = Some(["win".parse().unwrap()].into());
    let page = records.list(&scope, &query).await.unwrap();
    assert!(
        page.records.iter().all(|record| value(&records, record, "net").is_none()),
        "only what is wanted"
    );
    assert_eq!(value(&records, &page.records[0], "win").as_deref(), Some("35 USD"));
}

#[tokio::test]
async fn formulas_are_filtered_and_sorted_by() {
    let records = world().await;
    let check = async |filter: Json, sort: &str, expected: &str| {
        assert_eq!(names(&records, filter.clone(), sort).await.as_deref(), Ok(expected), "{filter} {sort}");
    };
    check(json!({"field": "net", "op": "gt", "value": 2.5}), "", "ac").await;
    check(json!({"field": "net", "op": "between", "value": [2.5, 20]}), "-name", "cb").await;
    check(json!({"field": "net", "op": "null", "value": true}), "", "d").await;
    check(json!({"and": []}), "net", "dbca").await;
    check(json!({"and": []}), "-win", "cabd").await;
    let unknown = names(&records, json!({"field": "gross", "op": "gt", "value": 1}), "").await.unwrap_err();
    assert!(unknown.contains("gross"));
    let wrong = names(&records, json!({"field": "net", "op": "gt", "value": "x"}), "").await.unwrap_err();
    assert!(wrong.contains("`x` is not an amount"), "{wrong}");
}

#[tokio::test]
async fn an_error_is_null_and_counted() {
    let records = world().await;
    let query = Query::new(bet(&records).name.clone());
    let page = records.list(&Scope::everything(), &query).await.unwrap();
    let per: Vec<_> = page.records.iter().map(|record| value(&records, record, "per")).collect();
    assert_eq!(per, [Some("100".into()), None, Some("-100".into()), Some("50".into())]);
    let errors = records.formula_errors(bet(&records).id);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].field.as_str(), "per");
    assert!(errors[0].last.en.contains("calculation failed"), "{:?}", errors[0]);
}

#[tokio::test]
async fn computed_fields_cannot_be_written() {
    let records = world().await;
    let refused = |error: Error| match error {
        Error::Invalid(errors) => {
            errors.iter().map(|error| format!("{} {}", error.field, error.code)).collect()
        }
        other => panic!("{other}"),
    };
    let win = json!({"amount": "1", "currency": "USD"});
    let errors: Vec<String> = refused(create(&records, json!({"name": "x", "win": win})).await.unwrap_err());
    assert_eq!(errors, ["win read_only"]);
    let made = create(&records, json!({"name": "x"})).await.unwrap();
    let field = bet(&records).field("per").unwrap().id;
    let (caller, name) = (Caller::system("test"), bet(&records).name.clone());
    for value in [Some(Value::Integer(1)), None] {
        let changes = [(field, value)].into();
        let errors: Vec<String> =
            refused(records.update(&caller, &name, made.id, changes, None).await.unwrap_err());
        assert_eq!(errors, ["per read_only"]);
    }
    assert_eq!(records.find(&Scope::everything(), &name, made.id).await.unwrap(), made);
}

/// What is wrong with an object that has these fields.
async fn wrong(fields: &[&str]) -> String {
    let store = Arc::new(MemoryStore::new());
    let toml = toml(fields);
    if let Err(error) = schema::install(&*store, &SystemClock, &SystemIds::default(), &[&toml]).await {
        return error.to_string();
    }
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
    let records = match Records::open(store, clock, ids, Config::default()).await {
        Ok(records) => records,
        Err(error) => return error.to_string(),
    };
    records.set_formulas(Arc::new(rhai()));
    let objects: Vec<_> = records.schema().objects().cloned().collect();
    records.check_computed(&objects).map_or_else(|error| error.to_string(), |()| String::new())
}

#[tokio::test]
async fn definitions_that_make_no_sense_are_refused() {
    let check = async |fields: &[&str], expected: &str| {
        let wrong = wrong(fields).await;
        assert!(wrong.contains(expected), "{fields:?}: {wrong:?}");
    };
    assert_eq!(wrong(&[NET, STAKE, ODDS, WIN]).await, "");
    check(&[WIN], "field `win`: line 1, column 1: `bet` has no field `stake`").await;
    let a = "name = \"aa\"\ntype = \"integer\"\nformula = { expression = \"record.bb + 1\" }";
    let b = "name = \"bb\"\ntype = \"integer\"\nformula = { expression = \"record.cc + 1\" }";
    let c = "name = \"cc\"\ntype = \"integer\"\nformula = { expression = \"record.bb + 1\" }";
    check(&[a, b, c], "formulas go round in a circle: bb → cc → bb").await;
    let own = "name = \"aa\"\ntype = \"integer\"\nformula = { expression = \"record.aa + 1\" }";
    check(&[own], "formulas go round in a circle: aa → aa").await;
    let required = "name = \"aa\"\ntype = \"integer\"\nrequired = true\nformula = { expression = \"1\" }";
    check(&[required], "cannot be required or unique").await;
    let indexed = "name = \"aa\"\ntype = \"integer\"\nindexed = true\nformula = { expression = \"1\" }";
    check(&[indexed], "stands in no index").await;
    let json = "name = \"aa\"\ntype = \"json\"\nformula = { expression = \"1\" }";
    check(&[json], "a formula cannot be a json").await;
    let stored = "name = \"aa\"\ntype = \"integer\"\nformula = { expression = \"1\", stored = true }";
    check(&[stored], "`bet` has no ordinals").await;
    let secret = "name = \"secret\"\ntype = \"integer\"\npersonal_data = true";
    let open = "name = \"open\"\ntype = \"integer\"\nformula = { expression = \"record.secret\" }";
    check(&[secret, open], "`secret` is personal data").await;
    let roll_up = "name = \"aa\"\ntype = \"integer\"\nroll_up = { object = \"order\", reference = \"account\", function = \"count\" }";
    check(&[roll_up], "`bet` has no ordinals").await;
}

/// A clock that stands still until it is set.
#[derive(Debug)]
struct Set(std::sync::atomic::AtomicI64);

impl crate::Clock for Set {
    fn now_ms(&self) -> i64 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[tokio::test]
async fn quality_is_complete_valid_and_fresh() {
    let email = "name = \"email\"\ntype = \"text\"\nformat = \"email\"";
    let phone = "name = \"phone\"\ntype = \"text\"\nformat = \"phone\"";
    let toml = toml(&[email, phone, ODDS])
        + "[quality]\nfields = [\"name\", \"email\", \"odds\"]\nfresh_days = 10\n";
    let store = Arc::new(MemoryStore::new());
    schema::install(&*store, &SystemClock, &SystemIds::default(), &[&toml]).await.unwrap();
    let day = 86_400_000;
    let clock = Arc::new(Set((20_000 * day).into()));
    let open = Records::open(store, clock.clone(), Arc::new(SystemIds::default()), Config::default());
    let records = open.await.unwrap();
    create(&records, json!({"name": "a", "email": "a@example.com", "odds": 1.0})).await.unwrap();
    create(&records, json!({"name": "b", "email": "nobody", "phone": "13912345678"})).await.unwrap();
    create(&records, json!({"name": "c"})).await.unwrap();
    clock.0.store(20_015 * day, std::sync::atomic::Ordering::Relaxed);
    create(&records, json!({"name": "d"})).await.unwrap();

    let page = records.list(&Scope::everything(), &Query::new(bet(&records).name.clone())).await.unwrap();
    let quality = |record| records.quality(&bet(&records), record).unwrap();
    let found: Vec<_> = page.records.iter().map(quality).collect();
    let shares: Vec<_> =
        found.iter().map(|quality| (quality.score, quality.complete, quality.valid, quality.fresh)).collect();
    assert_eq!(shares, [(83, 100, 100, 50), (56, 67, 50, 50), (61, 33, 100, 50), (78, 33, 100, 100)]);
    let invalid: Vec<_> = found.iter().map(|quality| quality.invalid.len()).collect();
    assert_eq!((invalid, found[1].invalid[0].as_str()), (vec![0, 1, 0, 0], "email"));

    let check = async |filter: Json, sort: &str, expected: &str| {
        assert_eq!(names(&records, filter.clone(), sort).await.as_deref(), Ok(expected), "{filter} {sort}");
    };
    check(json!({"field": "quality.score", "op": "lt", "value": 70}), "", "bc").await;
    check(json!({"field": "quality.valid", "op": "lt", "value": 100}), "", "b").await;
    check(json!({"field": "quality.fresh", "op": "eq", "value": 100}), "", "d").await;
    check(json!({"field": "quality.complete", "op": "gte", "value": 66}), "quality.score", "ba").await;
    check(json!({"and": []}), "-quality.score", "adcb").await;
    let unknown = names(&records, json!({"field": "quality.worth", "op": "lt", "value": 1}), "").await;
    assert!(unknown.unwrap_err().contains("quality.worth"));
}
