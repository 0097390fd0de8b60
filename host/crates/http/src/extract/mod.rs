//! What handlers take from a request, checked.

mod body;
mod path;
mod query;
mod requester;

pub(crate) use body::{JsonBody, check_media_type};
pub(crate) use path::{ObjectPath, PathParts, RecordPath};
pub(crate) use query::Parameters;
pub(crate) use requester::Requester;
