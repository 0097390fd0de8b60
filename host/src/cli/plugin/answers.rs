//! Answers that plugins gave to questions, and that are kept.

use clap::Args;
use serde_json::Value as Json;

use super::{
    super::{
        Connection, Result,
        client::{Client, number, segment, text},
        output,
    },
    report::{Shown, print_json},
    review::{both, list},
};

#[derive(Debug, Args)]
pub(crate) struct Answers {
    /// The plugin's id; it may have been removed.
    id: String,
    /// The question.
    analysis: String,
    /// An answer to print; lists the answers where it is left out.
    result: Option<String>,
    /// Delete the answer.
    #[arg(long, requires = "result")]
    delete: bool,
    /// Delete every answer to the question.
    #[arg(long, conflicts_with = "result")]
    delete_all: bool,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    connection: Connection,
}

impl Answers {
    pub(super) fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let path =
            format!("/api/v1/plugins/{}/analyses/{}/results", segment(&self.id), segment(&self.analysis));
        match &self.result {
            None if self.delete_all => {
                let deleted = client.delete(&path)?;
                output::line(&format!("deleted · 已删除: {}", number(&deleted, "deleted")));
                Ok(())
            }
            None => self.list(&client.get(&format!("{path}?limit=200"))?),
            Some(result) if self.delete => {
                client.delete(&format!("{path}/{}", segment(result)))?;
                output::line(&format!("deleted · 已删除: {result}"));
                Ok(())
            }
            Some(result) => {
                self.shown.print_answer(&self.id, &client.get(&format!("{path}/{}", segment(result)))?)
            }
        }
    }

    fn list(&self, page: &Json) -> Result {
        if self.shown.json {
            return print_json(page);
        }
        for answer in list(page, "data") {
            let personal = answer.get("personal") == Some(&Json::Bool(true));
            let personal = if personal { ", personal data · 含个人信息" } else { "" };
            output::line(&format!(
                "{}  {}  {}{personal}",
                text(answer, "id"),
                text(answer, "answered_at"),
                both(answer, "summary")
            ));
        }
        Ok(())
    }
}
