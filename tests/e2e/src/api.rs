use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

/// A client of the public API.
#[derive(Debug, Clone)]
pub struct Api {
    agent: ureq::Agent,
    url: String,
    token: String,
    language: &'static str,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// HTTP status; 0 where no answer came.
    pub status: u16,
    /// The body, null where there is none.
    pub json: Json,
    /// The `etag` header.
    pub etag: Option<String>,
    /// The `location` header.
    pub location: Option<String>,
}

impl Api {
    /// A client with a token; an empty one sends none.
    pub fn new(url: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { agent: config.into(), url: url.to_owned(), token: token.to_owned(), language: "en" }
    }

    /// The same client for a reader of this language.
    #[must_use]
    pub fn in_language(&self, language: &'static str) -> Self {
        Self { language, ..self.clone() }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], None)
    }

    /// POST of a JSON body.
    pub fn post(&self, path: &str, body: &Json) -> Response {
        self.send("POST", path, &[("content-type", "application/json")], Some(body.to_string().into_bytes()))
    }

    /// PATCH of a JSON body, with a version where one is given.
    pub fn patch(&self, path: &str, body: &Json, if_match: Option<&str>) -> Response {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(if_match.map(|version| ("if-match", version)));
        self.send("PATCH", path, &headers, Some(body.to_string().into_bytes()))
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, &[], None)
    }

    /// POST of bytes.
    pub fn post_bytes(&self, path: &str, media_type: &str, body: Vec<u8>) -> Response {
        self.send("POST", path, &[("content-type", media_type)], Some(body))
    }

    /// Waits for a job that an answer named.
    ///
    /// # Panics
    /// When it does not end within two minutes.
    pub fn wait_for_job(&self, started: Response) -> Json {
        assert_eq!(started.status, 202, "{}", started.json);
        let path = format!("/api/v1/jobs/{}", started.json["id"].as_str().expect("a job has an id"));
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(120) {
            let job = self.get(&path).ok();
            if !["queued", "running"].contains(&job["state"].as_str().unwrap_or_default()) {
                return job;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{path} did not end");
    }

    /// Runs a plugin and returns the ended job.
    pub fn run_plugin(&self, id: &str) -> Json {
        self.wait_for_job(self.post(&format!("/api/v1/plugins/{id}/run"), &json!({})))
    }

    /// How many customers have each value of a segmentation, without those that nobody has.
    ///
    /// # Panics
    /// When there is no such segmentation.
    pub fn counts(&self, segmentation: &str) -> std::collections::BTreeMap<String, u64> {
        let all = self.get("/api/v1/segmentations").ok();
        let found = all["data"].as_array().expect("a list").iter().find(|one| one["name"] == segmentation);
        let values = found.unwrap_or_else(|| panic!("no segmentation {segmentation} in {all}"))["values"]
            .as_array()
            .cloned();
        let values = values.expect("a segmentation has values").into_iter();
        let counts = values.map(|value| {
            (value["value"].as_str().unwrap_or_default().to_owned(), value["count"].as_u64().unwrap_or(0))
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// How many records an object has.
    ///
    /// # Panics
    /// When the list cannot be read.
    pub fn total(&self, objects: &str) -> u64 {
        self.get(&format!("/api/v1/{objects}?limit=1&count=exact")).ok()["total"]
            .as_u64()
            .expect("asked for the total")
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Response {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        request = request.header("accept-language", self.language);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => self.agent.run(request.body(body).expect("a valid request")),
            None => self.agent.run(request.body(()).expect("a valid request")),
        };
        let Ok(mut answer) = answer else {
            return Response { status: 0, json: Json::Null, etag: None, location: None };
        };
        let header =
            |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, location) = (header("etag"), header("location"));
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        Response { status, json: serde_json::from_str(&text).unwrap_or(Json::Null), etag, location }
    }
}

impl Response {
    /// The body of an answer that says success.
    ///
    /// # Panics
    /// When it does not.
    pub fn ok(self) -> Json {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.json);
        self.json
    }

    /// The code of an answer that says an error of this status.
    ///
    /// # Panics
    /// When it is another status.
    pub fn problem(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.json);
        self.json["code"].as_str().unwrap_or_default().to_owned()
    }
}
