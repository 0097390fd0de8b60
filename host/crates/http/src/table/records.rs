//! Records of every object.

use axum::http::Method;
use axum::routing::{delete, get, patch, post, put};

use super::Endpoint;
use crate::handlers::records;
use crate::middleware::Class;
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let one = "/api/v1/{objects}/{id}";
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/{objects}",
            Operation::new("list_records", "Returns a page of records.", Shape::RecordPage).query(&[
                "limit", "after", "before", "sort", "fields", "include", "filter", "q", "count", "labels",
                "deleted", "view",
            ]),
            get(records::list_records),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}",
            Operation::new("create_record", "Creates a record.", Shape::Record)
                .created()
                .body(Body::NewRecord)
                .refuses(&[409, 422]),
            post(records::create_record),
        ),
        Endpoint::new(
            Method::GET,
            one,
            Operation::new("get_record", "Returns one record.", Shape::Record)
                .query(&["fields", "include", "labels", "derived", "as_of"])
                .refuses(&[404, 410]),
            get(records::get_record),
        ),
        Endpoint::new(
            Method::PATCH,
            one,
            Operation::new("update_record", "Changes some fields of a record.", Shape::Record)
                .body(Body::RecordPatch)
                .if_match()
                .refuses(&[404, 409, 412, 422]),
            patch(records::update_record),
        ),
        Endpoint::new(
            Method::DELETE,
            one,
            Operation::new("delete_record", "Deletes a record, so that it can be restored.", Shape::Nothing)
                .if_match()
                .refuses(&[404, 412]),
            delete(records::delete_record),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/{id}/restore",
            Operation::new("restore_record", "Brings a deleted record back.", Shape::Record)
                .refuses(&[404, 409]),
            post(records::restore_record),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/search",
            Operation::new(
                "search_records",
                "Returns a page of the records that a filter tree matches.",
                Shape::RecordPage,
            )
            .body(Body::Search),
            post(records::search_records),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/batch",
            Operation::new(
                "batch_records",
                "Does up to 200 operations; each has its own answer.",
                Shape::Named("BatchResult"),
            )
            .body(Body::Named("Batch"))
            .refuses(&[409, 422]),
            post(records::batch_records),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/bulk",
            Operation::new(
                "bulk_edit_records",
                "Makes one change to every record that a filter matches.",
                Shape::Named("Job"),
            )
            .accepted()
            .query(&["dry_run"])
            .body(Body::Named("BulkEdit"))
            .refuses(&[422, 429]),
            post(records::bulk_edit_records),
        ),
        Endpoint::new(
            Method::PUT,
            "/api/v1/{objects}/by/{field}/{value}",
            Operation::new(
                "upsert_record",
                "Creates the record with this value in a unique field, or changes it.",
                Shape::Record,
            )
            .body(Body::RecordPatch)
            .refuses(&[409, 422]),
            put(records::upsert_record),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/import",
            Operation::new("import_records", "Starts a job that loads a CSV file.", Shape::Named("Job"))
                .accepted()
                .body(Body::Import)
                .refuses(&[413, 429]),
            post(records::import_records),
        )
        .class(Class::Import),
    ]
}
