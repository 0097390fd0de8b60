//! Files in and out: prepared imports, exports.

use axum::http::Method;
use axum::routing::{delete, get, patch, post};

use super::Endpoint;
use crate::handlers::{exports, imports, jobs};
use crate::middleware::Class;
use crate::openapi::{Body, Operation, Shape};

const ONE: &str = "/api/v1/imports/{id}";
const ROW: &str = "/api/v1/imports/{id}/rows/{row}";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let import = Shape::Named("PreparedImport");
    let job = Shape::Named("Job");
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/imports",
            Operation::new(
                "list_imports",
                "Returns the imports that the caller prepares.",
                Shape::List("PreparedImport"),
            ),
            get(imports::list_imports),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/imports",
            Operation::new("create_import", "Takes a file to import and says what it seems to be.", import)
                .created()
                .body(Body::PreparedImport)
                .refuses(&[413, 422, 429]),
            post(imports::create_import),
        )
        .class(Class::Import),
        Endpoint::new(
            Method::GET,
            ONE,
            Operation::new("get_import", "Returns one prepared import.", import).refuses(&[404]),
            get(imports::get_import),
        ),
        Endpoint::new(
            Method::PATCH,
            ONE,
            Operation::new("update_import", "Changes how a file is read and mapped.", import)
                .body(Body::Named("PreparedImportPatch"))
                .refuses(&[404, 422]),
            patch(imports::update_import),
        ),
        Endpoint::new(
            Method::DELETE,
            ONE,
            Operation::new(
                "delete_import",
                "Removes a prepared import; what it loaded stays.",
                Shape::Nothing,
            )
            .refuses(&[404, 422]),
            delete(imports::delete_import),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/imports/{id}/validate",
            Operation::new(
                "validate_import",
                "Starts a job that says what loading would do; nothing is written.",
                job,
            )
            .accepted()
            .refuses(&[404, 422, 429]),
            post(imports::validate_import),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/imports/{id}/start",
            Operation::new("start_import", "Starts the job that loads the file.", job)
                .accepted()
                .refuses(&[404, 422, 429]),
            post(imports::start_import),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/imports/{id}/rows",
            Operation::new(
                "list_import_rows",
                "Returns rows of the file with what is wrong with them.",
                Shape::Json,
            )
            .query(&["limit", "after", "errors"])
            .refuses(&[404]),
            get(imports::list_import_rows),
        ),
        Endpoint::new(
            Method::PATCH,
            ROW,
            Operation::new("update_import_row", "Puts other texts into cells of a row.", import)
                .body(Body::Named("ImportRowPatch"))
                .refuses(&[404, 422]),
            patch(imports::update_import_row),
        ),
        Endpoint::new(
            Method::DELETE,
            ROW,
            Operation::new("delete_import_row", "Leaves a row out.", Shape::Nothing).refuses(&[404, 422]),
            delete(imports::delete_import_row),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/imports/{id}/failed-rows",
            Operation::new("get_failed_rows", "Sends the rows that are wrong as CSV.", Shape::File)
                .refuses(&[404]),
            get(imports::get_failed_rows),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/jobs/{id}/pause",
            Operation::new(
                "pause_job",
                "Asks a job to stop where it is until it is resumed; imports can.",
                job,
            )
            .accepted()
            .refuses(&[404, 422]),
            post(jobs::pause_job),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/jobs/{id}/resume",
            Operation::new("resume_job", "Has a paused job go on.", job).accepted().refuses(&[404, 422]),
            post(jobs::resume_job),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/jobs/{id}/file",
            Operation::new("get_job_file", "Sends the file that an export has made.", Shape::File)
                .refuses(&[404]),
            get(exports::get_job_file),
        ),
        Endpoint::new(
            Method::GET,
            "/api/v1/{objects}/import-template",
            Operation::new("get_import_template_of_records", "Sends an empty table to fill in.", Shape::File)
                .query(&["format"]),
            get(exports::get_import_template),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/export",
            Operation::new("export_records", "Starts a job that writes records into a file.", job)
                .accepted()
                .body(Body::Named("Export"))
                .refuses(&[422, 429]),
            post(exports::export_records),
        ),
    ]
}
