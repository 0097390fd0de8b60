use serde_json::{Map, Value as Json, json};
use trellis_model::ObjectDefinition;

use super::objects::component;

/// What the description says about an endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) public: bool,
    summary: &'static str,
    status: u16,
    answer: Shape,
    body: Option<Body>,
    query: &'static [&'static str],
    if_match: bool,
    refusals: &'static [u16],
}

/// The form of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// No body.
    Nothing,
    /// A page for people.
    Html,
    /// A text for people.
    Markdown,
    /// A text for programs.
    Plain,
    /// A file.
    File,
    /// Some JSON.
    Json,
    /// A component.
    Named(&'static str),
    /// `{data: [component]}`.
    List(&'static str),
    /// `{data: [component], page}`.
    Page(&'static str),
    /// A record of the endpoint's object.
    Record,
    /// A page of them.
    RecordPage,
}

/// The form of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    /// A component.
    Named(&'static str),
    /// The fields of a new record.
    NewRecord,
    /// Some fields of a record.
    RecordPatch,
    /// A filter tree and how to page.
    Search,
    /// A CSV file, alone or with a mapping.
    Import,
    /// A component of WebAssembly.
    Wasm,
    /// A component of the API's description, or one of WebAssembly.
    NamedOrWasm(&'static str),
    /// A table and, optionally, the object that its rows become.
    PreparedImport,
    /// A file with its name and description.
    Attachment,
}

impl Operation {
    pub(crate) fn new(id: &'static str, summary: &'static str, answer: Shape) -> Self {
        let status = if matches!(answer, Shape::Nothing) { 204 } else { 200 };
        Self {
            id,
            public: false,
            summary,
            status,
            answer,
            body: None,
            query: &[],
            if_match: false,
            refusals: &[],
        }
    }

    /// One that needs no token.
    pub(crate) fn public(id: &'static str, summary: &'static str, answer: Shape) -> Self {
        Self { public: true, ..Self::new(id, summary, answer) }
    }

    pub(crate) fn created(mut self) -> Self {
        self.status = 201;
        self
    }

    pub(crate) fn accepted(mut self) -> Self {
        self.status = 202;
        self
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn query(mut self, parameters: &'static [&'static str]) -> Self {
        self.query = parameters;
        self
    }

    pub(crate) fn if_match(mut self) -> Self {
        self.if_match = true;
        self
    }

    /// The refusals that are its own; every operation may answer 400, 401 and 503 besides.
    pub(crate) fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }

    /// The operation object. For an object's endpoint, `list_records` becomes `list_accounts`.
    pub(super) fn to_json(&self, path: &str, object: Option<&ObjectDefinition>) -> Json {
        let mut json = Map::from_iter([
            ("operationId".to_owned(), json!(self.operation_id(object))),
            ("summary".to_owned(), json!(self.summary)),
            ("tags".to_owned(), json!([object.map_or("platform", |object| object.name.as_str())])),
            ("parameters".to_owned(), Json::Array(self.parameters(path))),
            ("responses".to_owned(), self.responses(object)),
        ]);
        if let Some(body) = self.body {
            json.insert("requestBody".into(), body.to_json(object));
        }
        let security = if self.public { json!([]) } else { json!([{ "token": [] }]) };
        json.insert("security".into(), security);
        Json::Object(json)
    }

    fn operation_id(&self, object: Option<&ObjectDefinition>) -> String {
        match object {
            Some(object) => {
                self.id.replace("records", object.plural.as_str()).replace("record", object.name.as_str())
            }
            None => self.id.to_owned(),
        }
    }

    fn parameters(&self, path: &str) -> Vec<Json> {
        let in_path = path
            .split('/')
            .filter_map(|part| Some(part.strip_prefix('{')?.strip_suffix('}')?.trim_start_matches('*')))
            .filter(|name| *name != "objects");
        let in_path = in_path.map(
            |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
        );
        let in_query = self.query.iter().map(|name| query_parameter(name));
        let if_match = self.if_match.then(|| {
            json!({
                "name": "If-Match", "in": "header", "schema": { "type": "string" },
                "description": "The `ETag` that was read. A change of the same fields in between is answered 412.",
            })
        });
        in_path.chain(in_query).chain(if_match).collect()
    }

    fn responses(&self, object: Option<&ObjectDefinition>) -> Json {
        let mut responses = Map::new();
        let description = if self.status == 202 { "Accepted: follow the job." } else { "Done." };
        let mut answer = json!({ "description": description });
        if let (Some((media_type, schema)), Some(answer)) =
            (self.answer.content(object), answer.as_object_mut())
        {
            answer.insert("content".into(), json!({ media_type: { "schema": schema } }));
        }
        responses.insert(self.status.to_string(), answer);
        let common: &[u16] = if self.public { &[400] } else { &[400, 401, 503] };
        for status in common.iter().chain(self.refusals) {
            let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
            let content = json!({ "application/problem+json": problem });
            let description = "A problem; its `code` says which.";
            responses.insert(status.to_string(), json!({ "description": description, "content": content }));
        }
        Json::Object(responses)
    }
}

impl Shape {
    fn content(self, object: Option<&ObjectDefinition>) -> Option<(&'static str, Json)> {
        let named = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let list = |item: Json| json!({ "type": "object", "required": ["data"], "properties": { "data": { "type": "array", "items": item } } });
        let page = |item: Json| {
            let data = json!({ "type": "array", "items": item });
            json!({ "type": "object", "required": ["data", "page"], "properties": { "data": data, "page": named("Page"), "total": { "type": "integer" }, "total_exact": { "type": "boolean" } } })
        };
        let record = || named(&object.map_or_else(|| "Record".to_owned(), |object| component(object, "")));
        let schema = match self {
            Self::Nothing => return None,
            Self::Html => return Some(("text/html", json!({ "type": "string" }))),
            Self::Plain => return Some(("text/plain", json!({ "type": "string" }))),
            Self::Markdown => return Some(("text/markdown", json!({ "type": "string" }))),
            Self::File => {
                return Some(("application/octet-stream", json!({ "type": "string", "format": "binary" })));
            }
            Self::Json => json!({ "type": "object" }),
            Self::Named(name) => named(name),
            Self::List(name) => list(named(name)),
            Self::Page(name) => page(named(name)),
            Self::Record => record(),
            Self::RecordPage => {
                let mut page = page(record());
                if let Some(properties) = page.pointer_mut("/properties").and_then(Json::as_object_mut) {
                    let warnings = json!({ "type": "array", "items": { "type": "string" } });
                    properties.insert("warnings".into(), warnings);
                    let record = json!({ "type": "object", "additionalProperties": true });
                    let of_object = json!({ "type": "object", "additionalProperties": record });
                    let description = "Records that references point at, by plural and id.";
                    let included = json!({ "type": "object", "description": description, "additionalProperties": of_object });
                    properties.insert("included".into(), included);
                }
                page
            }
        };
        Some(("application/json", schema))
    }
}

impl Body {
    fn to_json(self, object: Option<&ObjectDefinition>) -> Json {
        let named = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let of_object =
            |part: &str| named(&object.map_or_else(|| "Record".to_owned(), |object| component(object, part)));
        let file = json!({ "type": "string", "format": "binary" });
        let content = match self {
            Self::Named(name) => json!({ "application/json": { "schema": named(name) } }),
            Self::NewRecord => json!({ "application/json": { "schema": of_object("Create") } }),
            Self::RecordPatch => json!({ "application/json": { "schema": of_object("Update") } }),
            Self::Search => json!({ "application/json": { "schema": named("Search") } }),
            Self::Attachment => json!({
                "multipart/form-data": { "schema": { "type": "object", "required": ["file"], "properties": {
                    "file": file, "name": { "type": "string" }, "description": { "type": "string" },
                } } },
            }),
            Self::Wasm => json!({ "application/wasm": { "schema": file } }),
            Self::NamedOrWasm(name) => {
                json!({ "application/json": { "schema": named(name) }, "application/wasm": { "schema": file } })
            }
            Self::PreparedImport => json!({
                "multipart/form-data": { "schema": { "type": "object", "required": ["file"], "properties": {
                    "file": file, "object": { "type": "string", "description": "API name of the object that each row becomes." },
                } } },
            }),
            Self::Import => json!({
                "text/csv": { "schema": { "type": "string" } },
                "multipart/form-data": { "schema": { "type": "object", "required": ["file"], "properties": {
                    "file": file, "map": { "type": "string", "description": "A mapping of columns to fields, as TOML." },
                } } },
            }),
        };
        json!({ "required": !matches!(self, Self::Named(_) | Self::NamedOrWasm(_)), "content": content })
    }
}

fn query_parameter(name: &str) -> Json {
    let (schema, description) = match name {
        "limit" => (json!({ "type": "integer", "minimum": 1 }), "How many at most."),
        "after" => (json!({ "type": "string" }), "The `page.next` of the page before."),
        "last" => (
            json!({ "type": "integer", "minimum": 0 }),
            "Instead of `after`: how many of the newest entries it begins with; 0 gives the end, to go on from.",
        ),
        "learned_by" => (
            json!({ "type": "string", "enum": ["segmentation", "scoring"] }),
            "Whose part of the model, of a plugin that learns with both; by default the first.",
        ),
        "entered" => (json!({ "type": "string" }), "Only customers who have this value now."),
        "left" => (json!({ "type": "string" }), "Only customers who had this value before."),
        "before" => (json!({ "type": "string" }), "The `page.prev` of the page after."),
        "sort" => (json!({ "type": "string" }), "Fields, `-` before one for descending: `-created_at,name`."),
        "fields" => {
            (json!({ "type": "string" }), "The fields to show: `name,country,owner.name`. The id always is.")
        }
        "count" => {
            (json!({ "type": "string", "enum": ["none", "exact"] }), "Whether all matches are counted.")
        }
        "q" => (
            json!({ "type": "string", "maxLength": 200 }),
            "Words that must be in the record's texts; the last may go on.",
        ),
        "objects" => (
            json!({ "type": "string" }),
            "Objects to look in: `accounts,contacts`. All where it is not given.",
        ),
        "wait" => (json!({ "type": "boolean" }), "Whether to wait until what was saved before can be found."),
        "labels" => (json!({ "type": "boolean" }), "Whether options come as `{value, label}`."),
        "deleted" => (json!({ "type": "boolean" }), "Whether deleted records are meant instead."),
        "view" => (
            json!({ "type": "string", "format": "uuid" }),
            "A saved view: its filter holds too; its sort and columns count where the request names none.",
        ),
        "kinds" => (
            json!({ "type": "string" }),
            "Only these: channels of interactions and names of objects: `phone,email,task`.",
        ),
        "derived" => (
            json!({ "type": "boolean" }),
            "Whether `segments` shows the record's value in each segmentation, and `quality` how good it is.",
        ),
        "include" => (
            json!({ "type": "string" }),
            "References whose records come along in `included`: `owner,account`. Beside a single record also lists of what refers to it, in `included_lists`: `contacts`, or `contacts.account` to name the reference.",
        ),
        "as_of" => {
            (json!({ "type": "string" }), "A time, or the number of a log entry: the record as it was then.")
        }
        "expand" => {
            (json!({ "type": "string", "enum": ["record"] }), "Whether each member comes with its record.")
        }
        "confirm_destructive" => (
            json!({ "type": "boolean" }),
            "Whether steps that lose something, or take it out of use, are meant.",
        ),
        "force" => (json!({ "type": "boolean" }), "Whether it is meant although it is enabled."),
        "pack" => {
            (json!({ "type": "string" }), "The id of the plugin whose pack adds this, under its prefix.")
        }
        "version" => (json!({ "type": "integer" }), "The version to look at instead of the newest one."),
        "dry_run" => (json!({ "type": "boolean" }), "Whether it only says what would happen."),
        "errors" => (json!({ "type": "boolean" }), "Only rows that something is wrong with."),
        "format" => (json!({ "type": "string" }), "The kind of file."),
        "object" => (json!({ "type": "string" }), "Only those about records of this object."),
        "record" => (json!({ "type": "string", "format": "uuid" }), "Only those about this record."),
        "plugin" => (json!({ "type": "string" }), "Only those of this plugin."),
        "rule" => (json!({ "type": "string", "format": "uuid" }), "Only those of this rule."),
        "kind" => (json!({ "type": "string" }), "Only those of this kind."),
        "filter" => {
            return json!({
                "name": "filter", "in": "query", "style": "deepObject", "explode": true, "schema": { "type": "object" },
                "description": "`filter[stage]=won`, `filter[amount][gte]=1000`, `filter[account.name][contains]=mill`.",
            });
        }
        _ => (json!({ "type": "string" }), ""),
    };
    json!({ "name": name, "in": "query", "schema": schema, "description": description })
}
