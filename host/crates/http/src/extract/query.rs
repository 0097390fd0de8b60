use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use trellis_model::{RecordId, Text, bilingual};

use crate::problem::Problem;
use crate::state::App;

/// The parameters of the query string. Each handler takes out what it knows; what is left at the end is an error, so that a typing
/// mistake never passes for a filter that matched everything.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Takes a parameter that may be there once.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let Some(place) = self.0.iter().position(|(key, _)| key == name) else { return Ok(None) };
        let (_, value) = self.0.remove(place);
        if self.0.iter().any(|(key, _)| key == name) {
            return Err(Problem::bad_query(name, bilingual!("`{name}` is there twice", "`{name}` 重复")));
        }
        Ok(Some(value))
    }

    /// Takes `true` or `false`; a missing one is false.
    pub(crate) fn take_flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::bad_query(
                name,
                bilingual!("`{name}` is true or false", "`{name}` 只接受 true 或 false"),
            )),
        }
    }

    /// Takes a whole number from 1 to `max`.
    pub(crate) fn take_limit(&mut self, default: usize, max: usize) -> Result<usize, Problem> {
        let Some(text) = self.take("limit")? else { return Ok(default.min(max)) };
        let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
        limit.ok_or_else(|| Problem::bad_limit(max))
    }

    /// Takes the id after which a page begins.
    pub(crate) fn take_after_id(&mut self) -> Result<Option<RecordId>, Problem> {
        let after = self.take("after")?;
        after.map(|text| RecordId::parse(&text).map_err(|_| Problem::bad_cursor())).transpose()
    }

    /// Takes every parameter whose name begins with `prefix`, in the order of the query.
    pub(crate) fn take_all(&mut self, prefix: &str) -> Vec<(String, String)> {
        let (taken, left) =
            std::mem::take(&mut self.0).into_iter().partition(|(key, _)| key.starts_with(prefix));
        self.0 = left;
        taken
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = name.chars().take(60).collect();
                Err(Problem::bad_query(
                    &name,
                    bilingual!("there is no parameter `{name}` here", "此处没有参数 `{name}`"),
                ))
            }
        }
    }
}

impl FromRequestParts<App> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if parts.uri.query().is_none_or(str::is_empty) {
            return Ok(Self(Vec::new()));
        }
        let pairs = Query::from_request_parts(parts, app).await;
        pairs.map(|Query(pairs)| Self(pairs)).map_err(|_| {
            Problem::bad_query("query", Text::new("the query is not UTF-8", "查询不是 UTF-8 编码"))
        })
    }
}
