use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::extract::{Parameters, Requester};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::json;
use crate::{openapi, table};

/// Returns the description of this API with every object as it is now.
pub(crate) async fn get_openapi(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let schema = app.records.schema();
    let scope = &requester.caller.scope;
    let visible =
        schema.objects().filter(|object| scope.of(&object.name).rows != trellis_model::RowAccess::Nothing);
    json(StatusCode::OK, &openapi::document(&table::endpoints(), visible.map(|object| &**object)))
}
