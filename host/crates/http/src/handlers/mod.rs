//! One function a route: take what the request says, ask the crates below once, write the answer.

pub(crate) mod attachments;
pub(crate) mod campaigns;
pub(crate) mod changes;
pub(crate) mod decisions;
pub(crate) mod duplicates;
pub(crate) mod exports;
mod files;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod home;
pub(crate) mod imports;
pub(crate) mod jobs;
pub(crate) mod merge;
pub(crate) mod metadata;
pub(crate) mod openapi;
pub(crate) mod plugin_health;
pub(crate) mod plugins;
pub(crate) mod records;
pub(crate) mod rules;
pub(crate) mod scores;
pub(crate) mod search;
pub(crate) mod segments;
pub(crate) mod timeline;
pub(crate) mod tokens;
pub(crate) mod undo;
pub(crate) mod workflows;
