//! What handlers take from a request, checked.

mod body;
mod job;
mod path;
mod plugin;
mod query;
mod requester;

pub(crate) use body::{JsonBody, check_media_type};
pub(crate) use job::OnJob;
pub(crate) use path::{ObjectPath, PathParts, RecordPath};
pub(crate) use plugin::{NoParameters, OnPlugin, PluginAdministrator, WasmBody};
pub(crate) use query::Parameters;
pub(crate) use requester::Requester;
