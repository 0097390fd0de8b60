//! Customers with orders, and a plugin that divides them.

use serde_json::{Value as Json, json};
use trellis_engine::{Job, JobState, ModelChoice, RunRequest, UseSettings};
use trellis_model::{PluginId, RecordId, Scope};
use trellis_records::Caller;

use crate::support::{World, built, name};

pub(crate) const RFM: &str = "retail-rfm";
pub(crate) const CLASS: &str = "retail_rfm__class";

pub(crate) fn caller() -> Caller {
    Caller::system("test")
}

pub(crate) fn plugin(id: &str) -> PluginId {
    PluginId::new(id).unwrap()
}

impl World {
    pub(crate) async fn order(&self, account: RecordId, day: &str, amount: &str) {
        let definition = self.records.schema().object("order").cloned().unwrap();
        let fields = json!({
            "account": account.to_string(),
            "ordered_on": day,
            "amount": { "amount": amount, "currency": "USD" },
        });
        let fields = fields.as_object().unwrap().iter().filter_map(|(name, json)| {
            let field = definition.field(name).unwrap();
            Some((field.id, field.field_type.parse_json(json).unwrap()?))
        });
        self.records.create(&caller(), &name("order"), fields.collect()).await.unwrap();
    }

    /// So many customers, each with one to four orders in October and November 2026.
    pub(crate) async fn customers(&self, count: usize) -> Vec<RecordId> {
        let mut ids = Vec::new();
        for number in 0..count {
            let id = self.create("account", json!({ "name": format!("Customer {number}") })).await.id;
            for order in 0..=number % 4 {
                let (month, day) = (10 + (number + order) % 2, 1 + (number * 7 + order * 5) % 20);
                self.order(id, &format!("2026-{month}-{day:02}"), &format!("{}.50", 10 + number * 3)).await;
            }
            ids.push(id);
        }
        ids
    }

    pub(crate) async fn enable(&self, id: &str, settings: UseSettings) {
        self.engine.plugin_upload(&caller(), built(id)).await.unwrap();
        self.engine.plugin_enable(&caller(), &plugin(id), settings).await.unwrap();
    }

    pub(crate) async fn start_run(&self, id: &str, model: ModelChoice) -> Job {
        let request = RunRequest { model, ..RunRequest::default() };
        self.engine.plugin_run(&caller(), &plugin(id), request).await.unwrap()
    }

    pub(crate) async fn run_well(&self, id: &str, model: ModelChoice) -> Json {
        let job = self.start_run(id, model).await;
        self.ended_well(job.id).await
    }

    pub(crate) async fn ended_well(&self, job: RecordId) -> Json {
        let job = self.engine.job_wait(job).await.unwrap();
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        job.result
    }

    pub(crate) async fn value(&self, account: RecordId) -> Option<String> {
        let found = self.records.find(&Scope::everything(), &name("account"), account).await.unwrap();
        self.columns.value_of(&Scope::everything(), CLASS, found.ordinal.unwrap())
    }

    pub(crate) async fn values(&self, accounts: &[RecordId]) -> Vec<Option<String>> {
        let mut values = Vec::new();
        for account in accounts {
            values.push(self.value(*account).await);
        }
        values
    }
}
