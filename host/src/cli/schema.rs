use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value as Json;

use super::client::{Client, number, text};
use super::{Connection, Failure, Result, output};

#[derive(Debug, Subcommand)]
pub(crate) enum Schema {
    /// Write all object definitions of a server into a file.
    Export {
        /// The file, JSON; without it they are printed.
        file: Option<PathBuf>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Say what applying a file would do. Nothing is changed.
    Diff(Given),
    /// Make the objects what a file says, all of them or none, and wait until their indexes are built.
    Apply {
        #[command(flatten)]
        given: Given,
        /// Steps that lose something, or take it out of use, are meant.
        #[arg(long)]
        confirm_destructive: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Given {
    /// The file: `{"format": 1, "objects": [...]}` as JSON, or the same as .toml.
    file: PathBuf,
    /// The id of the plugin whose pack the file is: what it adds begins with its prefix.
    #[arg(long, value_name = "ID")]
    pack: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Schema {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Export { file, connection } => export(file.as_deref(), &Client::new(connection)?),
            Self::Diff(given) => given.diff(),
            Self::Apply { given, confirm_destructive } => given.apply(*confirm_destructive),
        }
    }
}

fn export(file: Option<&std::path::Path>, client: &Client) -> Result {
    let document = client.get("/api/v1/metadata/schema")?;
    let shown =
        serde_json::to_string_pretty(&document).map_err(|error| Failure::Message(error.to_string()))?;
    let Some(file) = file else {
        output::line(&shown);
        return Ok(());
    };
    std::fs::write(file, shown + "\n")
        .map_err(|error| Failure::Message(format!("cannot write {}: {error}", file.display())))?;
    let objects = document.get("objects").and_then(Json::as_array).map_or(0, Vec::len);
    output::line(&format!("{objects} objects written to {}", file.display()));
    Ok(())
}

impl Given {
    fn read(&self) -> Result<Json> {
        let wrong = |error: String| Failure::Message(format!("{}: {error}", self.file.display()));
        let content = std::fs::read_to_string(&self.file)
            .map_err(|error| Failure::Message(format!("cannot read {}: {error}", self.file.display())))?;
        if self.file.extension().is_some_and(|extension| extension == "toml") {
            toml::from_str(&content).map_err(|error| wrong(error.to_string()))
        } else {
            serde_json::from_str(&content).map_err(|error| wrong(error.to_string()))
        }
    }

    fn path(&self, what: &str, confirm_destructive: bool) -> String {
        let pack = self.pack.as_ref().map(|pack| format!("&pack={pack}")).unwrap_or_default();
        format!("/api/v1/metadata/schema/{what}?confirm_destructive={confirm_destructive}{pack}")
    }

    fn diff(&self) -> Result {
        let plan = Client::new(&self.connection)?.post(&self.path("diff", false), &self.read()?)?;
        show_steps(&plan);
        let refused = plan.get("refused").and_then(Json::as_array).into_iter().flatten();
        let refused: Vec<&str> = refused.map(|reason| text(reason, "en")).collect();
        if refused.is_empty() {
            return Ok(());
        }
        Err(Failure::Incomplete(format!("it cannot be applied:\n  {}", refused.join("\n  "))))
    }

    fn apply(&self, confirm_destructive: bool) -> Result {
        let client = Client::new(&self.connection)?;
        let applied = client.post(&self.path("apply", confirm_destructive), &self.read()?)?;
        show_steps(&applied);
        output::line(&format!("the schema has version {}", number(&applied, "version")));
        for job in applied.get("jobs").and_then(Json::as_array).into_iter().flatten() {
            let job = serde_json::json!({ "id": job });
            let ended = client.wait_for_job(&job)?;
            if text(&ended, "state") != "succeeded" {
                let error = ended.get("error").map(|error| text(error, "message")).unwrap_or_default();
                return Err(Failure::Incomplete(format!("an index could not be built: {error}")));
            }
        }
        Ok(())
    }
}

fn show_steps(answer: &Json) {
    let steps = answer.get("steps").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    if steps.is_empty() {
        output::line("nothing changes");
    }
    for step in steps {
        let destructive = step.get("destructive").and_then(Json::as_bool).unwrap_or_default();
        let said = step.get("text").map(|said| text(said, "en")).unwrap_or_default();
        output::line(&format!("{} {said}", if destructive { "!" } else { " " }));
    }
}
