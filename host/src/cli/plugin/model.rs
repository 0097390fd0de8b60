//! What plugins learned: fitting, listing, pinning, going back.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::{
    super::{
        Connection, Result,
        client::{Client, number, text},
        output,
    },
    succeeded,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Model {
    /// Have a plugin learn a model without using it, and wait for it.
    Fit(Fit),
    /// List what a plugin learned, the newest first; with a number, tell of that model.
    List {
        /// The plugin's id.
        id: String,
        /// The number of a model.
        model: Option<u32>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Have runs use a model until it is unpinned.
    Pin(Named),
    /// Have runs use what they learn again.
    Unpin(Named),
    /// Go back to a model: evaluate all customers with it.
    Activate(Named),
}

#[derive(Debug, Args)]
pub(crate) struct Fit {
    /// The plugin's id.
    id: String,
    /// Another day than the one it is configured with, or `now`.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The plugin's id.
    id: String,
    /// The number of the model.
    model: u32,
    #[command(flatten)]
    connection: Connection,
}

impl Model {
    pub(super) fn run(&self) -> Result {
        match self {
            Self::Fit(fit) => fit.run(),
            Self::List { id, model: Some(model), connection } => show(id, *model, connection),
            Self::List { id, model: None, connection } => list(id, connection),
            Self::Pin(named) => named.pin(),
            Self::Unpin(named) => named.unpin(),
            Self::Activate(named) => named.activate(),
        }
    }
}

impl Fit {
    fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let request = self.as_of.as_ref().map_or_else(|| json!({}), |as_of| json!({ "as_of": as_of }));
        let job = client.post(&format!("/api/v1/plugins/{}/fit", self.id), &request)?;
        let job = succeeded(client.wait_for_job(&job)?, "the fit")?;
        let result = job.get("result").unwrap_or(&Json::Null);
        output::line(&format!(
            "{} learned model {} from {} customers",
            self.id,
            number(result, "model"),
            number(result, "customers")
        ));
        show_about(result.get("models").unwrap_or(&Json::Null));
        Ok(())
    }
}

impl Named {
    fn path(&self, rest: &str) -> String {
        format!("/api/v1/plugins/{}/models/{}/{rest}", self.id, self.model)
    }

    fn pin(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let pinned = client.post(&self.path("pin"), &json!({}))?;
        output::line(&format!("runs of {} use model {}", self.id, self.model));
        match pinned.get("job").filter(|job| !job.is_null()) {
            Some(job) => self.evaluated(&client, job),
            None => Ok(()),
        }
    }

    fn unpin(&self) -> Result {
        Client::new(&self.connection)?.delete(&self.path("pin"))?;
        output::line(&format!("runs of {} use what they learn", self.id));
        Ok(())
    }

    fn activate(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let job = client.post(&self.path("activate"), &json!({}))?;
        self.evaluated(&client, &job)
    }

    fn evaluated(&self, client: &Client, job: &Json) -> Result {
        let job = succeeded(client.wait_for_job(job)?, "the run")?;
        let customers = number(job.get("result").unwrap_or(&Json::Null), "customers");
        output::line(&format!("{} has decided for {customers} customers with model {}", self.id, self.model));
        Ok(())
    }
}

fn list(id: &str, connection: &Connection) -> Result {
    let models = Client::new(connection)?.get(&format!("/api/v1/plugins/{id}/models"))?;
    let rows = models.get("data").and_then(Json::as_array).into_iter().flatten().map(|model| {
        let is = |name: &str| model.get(name).and_then(Json::as_bool).unwrap_or_default();
        let standing = [("in_use", "in use"), ("pinned", "pinned"), ("kept", "kept")];
        let standing: Vec<_> = standing.iter().filter(|(name, _)| is(name)).map(|(_, text)| *text).collect();
        [
            number(model, "model").to_string(),
            text(model, "version").to_owned(),
            text(model, "as_of").to_owned(),
            number(model, "customers").to_string(),
            text(model, "learned_at").to_owned(),
            if standing.is_empty() { "expired".to_owned() } else { standing.join(", ") },
        ]
    });
    let heads = ["MODEL", "VERSION", "AS OF", "CUSTOMERS", "LEARNED", "STANDING"];
    output::table(heads, &rows.collect::<Vec<_>>());
    Ok(())
}

fn show(id: &str, model: u32, connection: &Connection) -> Result {
    let model = Client::new(connection)?.get(&format!("/api/v1/plugins/{id}/models/{model}"))?;
    output::line(&format!(
        "{id} model {}, version {}, as of {}, from {} customers, {} bytes",
        number(&model, "model"),
        text(&model, "version"),
        text(&model, "as_of"),
        number(&model, "customers"),
        number(&model, "bytes")
    ));
    show_about(model.get("about").unwrap_or(&Json::Null));
    Ok(())
}

/// What the plugin says about a model: summary and figures for each interface.
fn show_about(about: &Json) {
    for (interface, of) in about.as_object().into_iter().flatten() {
        output::line(&format!("  {interface}: {}", text(of.get("summary").unwrap_or(&Json::Null), "en")));
        for metric in of.get("metrics").and_then(Json::as_array).into_iter().flatten() {
            let value = metric.get("value").and_then(Json::as_f64).unwrap_or_default();
            output::line(&format!("    {} {value}", text(metric, "name")));
        }
    }
}
