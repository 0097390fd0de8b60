//! One function a route: take what the request says, ask the crates below once, write the answer.

pub(crate) mod changes;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod jobs;
pub(crate) mod metadata;
pub(crate) mod openapi;
pub(crate) mod plugins;
pub(crate) mod records;
pub(crate) mod segments;
pub(crate) mod tokens;
