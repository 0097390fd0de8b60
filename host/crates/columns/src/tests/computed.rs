//! Roll-ups as columns: whatever happens to children, the columns say what counting them anew says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use trellis_model::{Filter, Record, RecordId, Scope, Sort, Value};
use trellis_records::{Caller, Query, Write};

use super::company::{Company, money, name};
use crate::Config;

const STAGES: [&str; 4] = ["prospecting", "won", "lost", "negotiation"];

fn caller() -> Caller {
    Caller::system("test")
}

async fn company() -> Company {
    let company = Company::with(Config { log_page_entries: 3, ..Config::default() }).await;
    company.records.set_derived(company.columns.clone());
    company
}

/// What happens to the opportunities of five accounts; numbers name which one, counted round.
#[derive(Debug, Clone)]
enum Step {
    Create { account: Option<u8>, stage: usize, cents: Option<i64> },
    Move { which: u8, account: Option<u8> },
    Stage { which: u8, stage: usize },
    Amount { which: u8, cents: Option<i64> },
    Rename { which: u8 },
    Delete { which: u8 },
    Restore { which: u8 },
    Meet { account: u8, ms: i64 },
    Forget { which: u8 },
    CatchUp,
}

fn step() -> impl Strategy<Value = Step> {
    let account = || prop::option::weighted(0.8, 0..5_u8);
    let cents = || prop::option::weighted(0.8, -10_000..100_000_000_i64);
    let which = || 0..40_u8;
    prop_oneof![
        4 => (account(), 0..4_usize, cents()).prop_map(|(account, stage, cents)| Step::Create { account, stage, cents }),
        2 => (which(), account()).prop_map(|(which, account)| Step::Move { which, account }),
        2 => (which(), 0..4_usize).prop_map(|(which, stage)| Step::Stage { which, stage }),
        2 => (which(), cents()).prop_map(|(which, cents)| Step::Amount { which, cents }),
        1 => which().prop_map(|which| Step::Rename { which }),
        2 => which().prop_map(|which| Step::Delete { which }),
        1 => which().prop_map(|which| Step::Restore { which }),
        2 => (0..5_u8, 0..1_000_000_i64).prop_map(|(account, ms)| Step::Meet { account, ms }),
        1 => which().prop_map(|which| Step::Forget { which }),
        2 => Just(Step::CatchUp),
    ]
}

struct Play {
    company: Company,
    accounts: Vec<Record>,
    deals: Vec<RecordId>,
    meetings: Vec<RecordId>,
}

impl Play {
    async fn new() -> Self {
        let company = company().await;
        let accounts = company.accounts(5).await;
        Self { company, accounts, deals: Vec::new(), meetings: Vec::new() }
    }

    fn deal(&self, which: u8) -> Option<RecordId> {
        self.deals.get(usize::from(which) % self.deals.len().max(1)).copied()
    }

    fn reference(&self, account: Option<u8>) -> Option<Value> {
        account.map(|account| Value::Reference(self.accounts[usize::from(account)].id))
    }

    async fn write(&self, write: Write) -> Option<RecordId> {
        let mut written = self.company.records.write_batch(&caller(), vec![write]).await.unwrap();
        // A step about a record that is deleted, or is not, does nothing.
        written.pop().unwrap().ok().and_then(|written| written.record().map(|record| record.id))
    }

    async fn update(&self, which: u8, field: &str, value: Option<Value>) {
        let Some(id) = self.deal(which) else { return };
        let schema = self.company.records.schema();
        let field = schema.object("opportunity").unwrap().field(field).unwrap().id;
        let changes = [(field, value)].into();
        self.write(Write::Update { object: name("opportunity"), id, changes, expected_version: None }).await;
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Create { account, stage, cents } => {
                let mut fields = vec![
                    ("name", Value::Text("Deal".into())),
                    ("stage", Value::Choice(STAGES[*stage].into())),
                ];
                fields.extend(self.reference(*account).map(|account| ("account", account)));
                fields.extend(cents.map(|cents| ("amount", money(cents))));
                let fields = self.company.fields("opportunity", fields);
                let made = self.write(Write::Create { object: name("opportunity"), fields, id: None }).await;
                self.deals.push(made.expect("a valid opportunity"));
            }
            Step::Move { which, account } => self.update(*which, "account", self.reference(*account)).await,
            Step::Stage { which, stage } => {
                self.update(*which, "stage", Some(Value::Choice(STAGES[*stage].into()))).await;
            }
            Step::Amount { which, cents } => self.update(*which, "amount", cents.map(money)).await,
            Step::Rename { which } => {
                self.update(*which, "name", Some(Value::Text(format!("Deal {which}")))).await
            }
            Step::Delete { which } => {
                if let Some(id) = self.deal(*which) {
                    let object = name("opportunity");
                    self.write(Write::Delete { object, id, expected_version: None }).await;
                }
            }
            Step::Restore { which } => {
                if let Some(id) = self.deal(*which) {
                    self.write(Write::Restore { object: name("opportunity"), id }).await;
                }
            }
            Step::Meet { account, ms } => {
                let time = jiff::Timestamp::from_millisecond(1_690_000_000_000 + ms).unwrap();
                let fields = vec![
                    ("account", self.reference(Some(*account)).unwrap()),
                    ("channel", Value::Choice("phone".into())),
                    ("occurred_at", Value::Time(time)),
                ];
                let fields = self.company.fields("interaction", fields);
                let made = self.write(Write::Create { object: name("interaction"), fields, id: None }).await;
                self.meetings.push(made.expect("a valid interaction"));
            }
            Step::Forget { which } => {
                if !self.meetings.is_empty() {
                    let id = self.meetings.remove(usize::from(*which) % self.meetings.len());
                    let object = name("interaction");
                    self.write(Write::Delete { object, id, expected_version: None }).await;
                }
            }
            Step::CatchUp => drop(self.company.columns.catch_up().await.unwrap()),
        }
    }

    async fn all(&self, object: &str) -> Vec<Record> {
        let query = Query { limit: 200, ..Query::new(name(object)) };
        self.company.records.list(&Scope::everything(), &query).await.unwrap().records
    }

    /// Open deals, cents won, last meeting of each account, by counting.
    async fn expected(&self) -> BTreeMap<RecordId, Figures> {
        let schema = self.company.records.schema();
        let value = |record: &Record, object: &str, field: &str| {
            record.fields.get(&schema.object(object).unwrap().field(field).unwrap().id).cloned()
        };
        let mut expected: BTreeMap<RecordId, Figures> =
            self.accounts.iter().map(|account| (account.id, (0, 0, None))).collect();
        for deal in self.all("opportunity").await {
            let Some(Value::Reference(account)) = value(&deal, "opportunity", "account") else { continue };
            let Some(Value::Choice(stage)) = value(&deal, "opportunity", "stage") else { continue };
            let figures = expected.get_mut(&account).unwrap();
            figures.0 += i64::from(!["won", "lost"].contains(&stage.as_str()));
            if let (Some(Value::Money(amount)), "won") =
                (value(&deal, "opportunity", "amount"), stage.as_str())
            {
                figures.1 += amount.minor_units_in(amount.currency).unwrap();
            }
        }
        for meeting in self.all("interaction").await {
            let Some(Value::Reference(account)) = value(&meeting, "interaction", "account") else { continue };
            let Some(Value::Time(time)) = value(&meeting, "interaction", "occurred_at") else { continue };
            let figures = expected.get_mut(&account).unwrap();
            figures.2 = figures.2.max(Some(time.as_millisecond()));
        }
        expected
    }

    async fn found(&self) -> BTreeMap<RecordId, Figures> {
        self.company.columns.catch_up().await.unwrap();
        let schema = self.company.records.schema();
        let account = schema.object("account").unwrap();
        let value =
            |record: &Record, field: &str| record.fields.get(&account.field(field).unwrap().id).cloned();
        let figures = |record: &Record| {
            let open = match value(record, "open_opportunities") {
                Some(Value::Integer(open)) => open,
                other => panic!("{other:?}"),
            };
            let won = match value(record, "won_amount") {
                Some(Value::Money(won)) => won.minor_units_in(won.currency).unwrap(),
                other => panic!("{other:?}"),
            };
            let last = match value(record, "last_interaction_at") {
                Some(Value::Time(time)) => Some(time.as_millisecond()),
                None => None,
                other => panic!("{other:?}"),
            };
            (open, won, last)
        };
        self.all("account").await.iter().map(|record| (record.id, figures(record))).collect()
    }

    /// Reads all pages of a list of accounts, whose places are expected.
    async fn check(&self, filter: serde_json::Value, sort: &str, limit: usize, expected: &[usize]) {
        let sort = Sort::parse_list(sort).unwrap();
        let filter = Filter::parse(&filter).unwrap();
        let mut query = Query { filter, sort, limit, ..Query::new(name("account")) };
        let mut found = Vec::new();
        loop {
            let page = self.company.records.list(&Scope::everything(), &query).await.unwrap();
            let place = |record: &Record| self.accounts.iter().position(|account| account.id == record.id);
            found.extend(page.records.iter().filter_map(place));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(found, expected, "{:?} by {:?}", query.filter, query.sort);
    }
}

type Figures = (i64, i64, Option<i64>);

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn columns_are_what_counting_says(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut play = Play::new().await;
            for step in &steps {
                play.step(step).await;
            }
            let expected = play.expected().await;
            prop_assert_eq!(&play.found().await, &expected, "followed");
            let Play { company, accounts, deals, meetings } = play;
            let company = company.restart().await;
            company.records.set_derived(company.columns.clone());
            let play = Play { company, accounts, deals, meetings };
            prop_assert_eq!(&play.found().await, &expected, "after a restart");
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn lists_are_filtered_and_sorted_by_roll_ups() {
    let mut play = Play::new().await;
    play.company.columns.catch_up().await.unwrap();
    for (account, cents) in [(0, 500), (1, 100_000_000_000_001), (1, 2), (3, -40), (4, 500)] {
        play.step(&Step::Create { account: Some(account), stage: 1, cents: Some(cents) }).await;
    }
    play.step(&Step::Create { account: Some(2), stage: 0, cents: Some(7) }).await;
    play.company.columns.catch_up().await.unwrap();
    let all = || json!({"and": []});
    play.check(all(), "won_amount", 50, &[3, 2, 0, 4, 1]).await;
    play.check(all(), "won_amount", 2, &[3, 2, 0, 4, 1]).await;
    play.check(all(), "-won_amount", 1, &[1, 4, 0, 2, 3]).await;
    play.check(json!({"field": "won_amount", "op": "gt", "value": "1000000000000.02"}), "", 50, &[1]).await;
    play.check(json!({"field": "won_amount", "op": "eq", "value": 5}), "", 50, &[0, 4]).await;
    play.check(json!({"field": "open_opportunities", "op": "gte", "value": 1}), "", 50, &[2]).await;
    play.check(json!({"field": "last_interaction_at", "op": "null", "value": false}), "", 50, &[]).await;
    play.step(&Step::Meet { account: 4, ms: 5 }).await;
    play.company.columns.catch_up().await.unwrap();
    play.check(json!({"field": "last_interaction_at", "op": "null", "value": false}), "", 50, &[4]).await;
    play.check(json!({"field": "last_interaction_at", "op": "lt", "value": "2023-08-01"}), "", 50, &[4])
        .await;
}

#[tokio::test]
async fn a_roll_up_never_changes_a_record() {
    let mut play = Play::new().await;
    play.step(&Step::Create { account: Some(0), stage: 1, cents: Some(5) }).await;
    let figures = play.found().await;
    assert_eq!(figures.get(&play.accounts[0].id), Some(&(0, 5, None)));
    let now =
        play.company.records.find(&Scope::everything(), &name("account"), play.accounts[0].id).await.unwrap();
    assert_eq!(now.version, play.accounts[0].version);
    assert_eq!(now.last_log, play.accounts[0].last_log);
}

#[tokio::test]
async fn what_is_not_there_yet_is_null_and_cannot_be_filtered_by() {
    let play = Play::new().await;
    let account = &play.accounts[0];
    let schema = play.company.records.schema();
    let field = schema.object("account").unwrap().field("open_opportunities").unwrap().id;
    let read = play.company.records.find(&Scope::everything(), &name("account"), account.id).await.unwrap();
    assert_eq!(read.fields.get(&field), None);
    let filter = Filter::parse(&json!({"field": "open_opportunities", "op": "eq", "value": 0})).unwrap();
    let query = Query { filter, ..Query::new(name("account")) };
    let error = play.company.records.list(&Scope::everything(), &query).await.unwrap_err();
    assert!(error.to_string().contains("is being computed for the first time"), "{error}");
    play.company.columns.catch_up().await.unwrap();
    assert_eq!(play.company.records.list(&Scope::everything(), &query).await.unwrap().records.len(), 5);
}
