//! Pages for people.

use axum::http::Method;
use axum::routing::get;

use super::Endpoint;
use crate::handlers::{home, workbench};
use crate::openapi::{Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/",
            Operation::public("get_home", "Leads a browser to the workbench.", Shape::Html),
            get(workbench::get_home),
        ),
        Endpoint::new(
            Method::GET,
            "/app",
            Operation::public("get_workbench", "Returns the workbench.", Shape::Html),
            get(workbench::get_workbench),
        ),
        Endpoint::new(
            Method::GET,
            "/app/",
            Operation::public(
                "get_workbench_start",
                "Returns the workbench at its first screen.",
                Shape::Html,
            ),
            get(workbench::get_workbench),
        ),
        Endpoint::new(
            Method::GET,
            "/app/{*screen}",
            Operation::public(
                "get_workbench_screen",
                "Returns the workbench at one of its screens.",
                Shape::Html,
            ),
            get(workbench::get_workbench),
        ),
        Endpoint::new(
            Method::GET,
            "/assets/{*file}",
            Operation::public("get_workbench_file", "Returns a file of the workbench.", Shape::File)
                .refuses(&[404]),
            get(workbench::get_workbench_file),
        ),
        Endpoint::new(
            Method::GET,
            "/errors/{code}",
            Operation::public("get_error_page", "Says what an error means and what to do.", Shape::Markdown),
            get(home::get_error_page),
        ),
    ]
}
