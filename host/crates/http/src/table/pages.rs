//! Pages for people.

use axum::http::Method;
use axum::routing::get;

use super::Endpoint;
use crate::handlers::home;
use crate::openapi::{Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/",
            Operation::public("get_home", "Says what this server is.", Shape::Html),
            get(home::get_home),
        ),
        Endpoint::new(
            Method::GET,
            "/errors/{code}",
            Operation::public("get_error_page", "Says what an error means and what to do.", Shape::Markdown),
            get(home::get_error_page),
        ),
    ]
}
