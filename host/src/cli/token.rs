use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::client::{Client, text};
use super::{Connection, Failure, Result, output};

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token. It is shown once.
    Create(Create),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The user that it acts for, by user name; without it the user whose token asks.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// What it is for, shown in the list of tokens.
    #[arg(long, default_value = "command line")]
    label: String,
    #[command(flatten)]
    connection: Connection,
}

impl Token {
    pub(crate) fn run(&self) -> Result {
        let Self::Create(create) = self;
        let client = Client::new(&create.connection)?;
        let user = create.user.as_ref().map(|name| user_id(&client, name)).transpose()?;
        let request = json!({ "label": create.label, "user": user });
        let token = client.post("/api/v1/tokens", &request)?;
        output::line(text(&token, "token"));
        output::note("shown once; keep it safe");
        Ok(())
    }
}

fn user_id(client: &Client, name: &str) -> Result<Json> {
    let filter = json!({ "filter": { "field": "username", "op": "eq", "value": name }, "limit": 1 });
    let found = client.post("/api/v1/users/search", &filter)?;
    let id = found.pointer("/data/0/id").cloned();
    id.ok_or_else(|| Failure::Message(format!("there is no user `{name}`")))
}
