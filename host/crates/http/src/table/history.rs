//! What happened to records, and taking it back.

use axum::http::Method;
use axum::routing::{get, post};

use super::Endpoint;
use crate::handlers::{history, undo};
use crate::openapi::{Body, Operation, Shape};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/{objects}/{id}/history",
            Operation::new(
                "list_record_history",
                "Returns a page of what happened to a record, deleted or not, the newest first.",
                Shape::Page("HistoryEntry"),
            )
            .query(&["limit", "after", "labels"])
            .refuses(&[404]),
            get(history::list_record_history),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/{objects}/{id}/undo",
            Operation::new(
                "undo_record_change",
                "Takes back one change of one record at once.",
                Shape::Named("UndoneChange"),
            )
            .body(Body::Named("ChangeToUndo"))
            .refuses(&[404, 409, 422]),
            post(undo::undo_record_change),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/undo/preview",
            Operation::new(
                "preview_undo",
                "Says what an undo would do; changes nothing.",
                Shape::Named("UndoPreview"),
            )
            .body(Body::Named("UndoQuestion"))
            .refuses(&[403, 404, 409, 422]),
            post(undo::preview_undo),
        ),
        Endpoint::new(
            Method::POST,
            "/api/v1/undo",
            Operation::new(
                "start_undo",
                "Takes back what a change, a job, a rule or a plugin did, as a job.",
                Shape::Named("Job"),
            )
            .accepted()
            .body(Body::Named("UndoOrder"))
            .refuses(&[403, 404, 409, 422, 429]),
            post(undo::start_undo),
        ),
    ]
}
