use std::fs::File;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::client::{Client, number, text};
use super::{Connection, Failure, Result, output};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// API name of the object, for example `account`.
    object: String,
    /// The file to write. Its end says what it is: .csv, .xlsx or .jsonl.
    file: PathBuf,
    /// The fields to write, by API name, in order: `name,owner,amount`. All that there are where this is left out.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// A filter tree in JSON.
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
    /// `-created_at,name`.
    #[arg(long, value_name = "FIELDS")]
    sort: Option<String>,
    /// Write what an import reads again: API names, record ids, texts as they are.
    #[arg(long)]
    for_import: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Export {
    pub(crate) fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let object = client.get(&format!("/api/v1/metadata/objects/{}", self.object))?;
        let job = client.post(&format!("{}/export", text(&object, "url")), &self.wish()?)?;
        let job = client.wait_for_job(&job)?;
        if text(&job, "state") != "succeeded" {
            let error = job.get("error").unwrap_or(&Json::Null);
            let (state, message) = (text(&job, "state"), text(error, "message"));
            return Err(Failure::Message(format!("the export {state}: {message}")));
        }
        let path = self.file.display();
        let mut file = File::create(&self.file)
            .map_err(|error| Failure::Message(format!("cannot write {path}: {error}")))?;
        client.get_file(&format!("/api/v1/jobs/{}/file", text(&job, "id")), &mut file)?;
        let rows = number(job.get("result").unwrap_or(&Json::Null), "rows");
        output::line(&format!("{rows} records in {path}"));
        Ok(())
    }

    fn wish(&self) -> Result<Json> {
        let format = self.file.extension().and_then(|end| end.to_str()).unwrap_or_default();
        if !["csv", "xlsx", "jsonl"].contains(&format) {
            let path = self.file.display();
            return Err(Failure::Message(format!("{path}: the name must end in .csv, .xlsx or .jsonl")));
        }
        let mut wish = Map::from_iter([("format".to_owned(), json!(format))]);
        wish.extend(self.columns.as_ref().map(|columns| ("columns".to_owned(), json!(columns))));
        wish.extend(self.sort.as_ref().map(|sort| ("sort".to_owned(), json!(sort))));
        if let Some(filter) = &self.filter {
            let filter: Json = serde_json::from_str(filter)
                .map_err(|error| Failure::Message(format!("--filter is no JSON: {error}")))?;
            wish.insert("filter".to_owned(), filter);
        }
        if self.for_import {
            for (key, value) in
                [("header", json!("names")), ("references", json!("ids")), ("guard", json!(false))]
            {
                wish.insert(key.to_owned(), value);
            }
        }
        Ok(Json::Object(wish))
    }
}
