//! What happened around records, and the files that belong to them.

use axum::http::Method;
use axum::routing::{get, post};

use super::Endpoint;
use crate::handlers::{attachments, timeline};
use crate::middleware::Class;
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/{objects}/{id}/timeline",
            Operation::new(
                "get_record_timeline",
                "Returns what happened around a record, the newest first.",
                Shape::Page("TimelineItem"),
            )
            .query(&["kinds", "limit", "after", "labels"])
            .refuses(&[404]),
            get(timeline::get_record_timeline),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/{objects}/{id}/attachments",
            Operation::new(
                "list_record_attachments",
                "Returns a page of a record's attachments, the newest first.",
                Shape::Json,
            )
            .query(&["limit", "after"])
            .refuses(&[404]),
            get(attachments::list_record_attachments),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/{id}/attachments",
            Operation::new("add_record_attachment", "Adds a file to a record.", Shape::Json)
                .created()
                .body(Body::Attachment)
                .refuses(&[404, 413, 415, 422, 429]),
            post(attachments::add_record_attachment),
        )
        .class(Class::Import),
        Endpoint::new(
            Method::GET,
            "/api/v1/attachments/{id}/content",
            Operation::new(
                "get_attachment_content",
                "Returns the content of an attachment, as a file to be saved.",
                Shape::File,
            )
            .refuses(&[404]),
            get(attachments::get_attachment_content),
        ),
    ]
}
