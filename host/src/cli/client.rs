//! A client of the public API.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;

use super::{Connection, Failure, Result, output};

/// Between two looks at a job.
const JOB_POLL: Duration = Duration::from_millis(100);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A server and a token for it.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base_url: String,
    token: String,
}

impl Client {
    /// Finds the server's address and a token.
    pub(crate) fn new(connection: &Connection) -> Result<Self> {
        let read = |name: &str| {
            let path = connection.data.join(name);
            let text = std::fs::read_to_string(&path).map_err(|error| {
                Failure::Message(format!(
                    "cannot read {}: {error}; is a server running on this data folder? Else give --server URL --token TOKEN",
                    path.display()
                ))
            })?;
            Ok(text.trim().to_owned())
        };
        let base_url = match &connection.server {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => read("server-url")?,
        };
        let token = match (&connection.token, &connection.server) {
            (Some(token), _) => token.clone(),
            (None, Some(_)) => return Err(Failure::Message("--server needs --token TOKEN".into())),
            (None, None) => read("admin-token")?,
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .build();
        Ok(Self { agent: config.into(), base_url, token })
    }

    /// The address of the server.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// GET a path below the server's address.
    pub(crate) fn get(&self, path: &str) -> Result<Json> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        self.answer(request.call())
    }

    /// GET a file below the server's address into a writer.
    pub(crate) fn get_file(&self, path: &str, into: &mut impl std::io::Write) -> Result {
        let failed =
            |error: String| Failure::Message(format!("{} does not send the file: {error}", self.base_url));
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        let response = request.call().map_err(|error| failed(error.to_string()))?;
        if !response.status().is_success() {
            return self.answer(Ok(response)).map(drop);
        }
        std::io::copy(&mut response.into_body().into_reader(), into)
            .map_err(|error| failed(error.to_string()))?;
        Ok(())
    }

    /// POST a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Json) -> Result<Json> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        let request = request.header("content-type", "application/json");
        self.answer(request.send(body.to_string()))
    }

    /// DELETE a path below the server's address.
    pub(crate) fn delete(&self, path: &str) -> Result<Json> {
        let request = self.agent.delete(self.url(path)).header("authorization", self.bearer());
        self.answer(request.call())
    }

    /// PATCH with a JSON body.
    pub(crate) fn patch(&self, path: &str, body: &Json) -> Result<Json> {
        let request = self.agent.patch(self.url(path)).header("authorization", self.bearer());
        let request = request.header("content-type", "application/json");
        self.answer(request.send(body.to_string()))
    }

    /// POST bytes of a media type, streamed.
    pub(crate) fn post_stream(&self, path: &str, media_type: &str, mut body: impl Read) -> Result<Json> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        let request = request.header("content-type", media_type);
        self.answer(request.send(ureq::SendBody::from_reader(&mut body)))
    }

    /// Waits for a job and shows its progress.
    pub(crate) fn wait_for_job(&self, job: &Json) -> Result<Json> {
        let id = text(job, "id").to_owned();
        loop {
            let job = self.get(&format!("/api/v1/jobs/{id}"))?;
            match text(&job, "state") {
                "queued" | "running" | "paused" => show_progress(&job),
                _ => {
                    output::progress("");
                    return Ok(job);
                }
            }
            std::thread::sleep(JOB_POLL);
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn answer(&self, result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Json> {
        let unreachable =
            |error: ureq::Error| Failure::Message(format!("{} does not answer: {error}", self.base_url));
        let mut response = result.map_err(unreachable)?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(64 << 20).read_to_string().map_err(unreachable)?;
        let json = if body.is_empty() {
            Json::Null
        } else {
            serde_json::from_str(&body).unwrap_or(Json::String(body))
        };
        if status.is_success() { Ok(json) } else { Err(Failure::Message(problem(status.as_u16(), &json))) }
    }
}

/// A text member of a JSON object, empty where there is none.
/// A text as one segment of a path, so that whatever somebody types names a thing and never another route.
pub(crate) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    // A dot alone, or two of them, would be a step within the path.
    let dots = text.bytes().all(|byte| byte == b'.');
    let written = |byte: u8| match plain(byte) || byte == b'.' && !dots {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(written).collect()
}

pub(crate) fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// A whole number of a JSON object, 0 where there is none.
pub(crate) fn number(json: &Json, name: &str) -> u64 {
    json.get(name).and_then(Json::as_u64).unwrap_or_default()
}

/// Opens a file that a command was given.
pub(crate) fn open(path: &Path) -> Result<std::fs::File> {
    std::fs::File::open(path)
        .map_err(|error| Failure::Message(format!("cannot open {}: {error}", path.display())))
}

fn show_progress(job: &Json) {
    let progress = job.get("progress").unwrap_or(&Json::Null);
    let (done, total) = (number(progress, "done"), number(progress, "total"));
    let of = if total > 0 { format!(" of {total}") } else { String::new() };
    output::progress(&format!("{} {done}{of} {}", text(job, "kind"), text(progress, "unit")));
}

/// A problem document (RFC 9457) as a few lines.
fn problem(status: u16, json: &Json) -> String {
    let detail = [text(json, "detail"), text(json, "title")].into_iter().find(|text| !text.is_empty());
    let mut lines = format!("{} ({status} {})", detail.unwrap_or("the server refused"), text(json, "code"));
    for error in json.get("errors").and_then(Json::as_array).into_iter().flatten() {
        lines += &format!("\n  {}: {}", text(error, "field"), text(error, "message"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn what_is_typed_stays_one_segment_of_a_path() {
        assert_eq!(segment("ab-test"), "ab-test");
        assert_eq!(segment("../../jobs?x#y"), "..%2F..%2Fjobs%3Fx%23y");
        assert_eq!([".", "..", "客"].map(segment), ["%2E", "%2E%2E", "%E5%AE%A2"]);
    }
}
