//! Saved views: lists that somebody gave a name.

use trellis_model::{FieldName, Filter, RecordId, Sort, bilingual};
use trellis_records::SavedView;

use super::list::PageRequest;
use crate::extract::{ObjectPath, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;

/// Adds to a request what the view that it names says; returns what of the view was left out. Its filter holds beside the request's;
/// its sort and columns count where the request names none.
pub(super) async fn apply(
    app: &App,
    requester: &Requester,
    path: &ObjectPath,
    request: &mut PageRequest,
) -> ApiResult<Vec<String>> {
    let Some(text) = request.view.take() else { return Ok(Vec::new()) };
    let id = RecordId::parse(&text).map_err(|error| Problem::bad_query("view", error.text()))?;
    let visible = |view: &SavedView| {
        let (principal, owner) = (&requester.principal, view.owner);
        view.shared || principal.administrator || owner == Some(principal.user)
    };
    let view = app.records.saved_view(id).await?.filter(visible);
    let view = view.ok_or_else(|| Problem::not_found("view", id))?;
    let object = &path.object.name;
    if view.object != object.as_str() {
        let shown = &view.object;
        let message =
            bilingual!("this view shows {shown}, not {object}", "此视图显示 {shown}，而不是 {object}");
        return Err(Problem::bad_query("view", message));
    }
    let mut opened = app.records.open_view(&requester.caller.scope, object, &view)?;
    let fields_max = app.config.sort_fields_max;
    if opened.sort.len() > fields_max {
        opened.sort.truncate(fields_max);
        opened.warnings.push(bilingual!(
            "the view is sorted by its first {fields_max} fields only",
            "视图仅按前 {fields_max} 个字段排序"
        ));
    }
    let filter = std::mem::replace(&mut request.filter, Filter::everything());
    request.filter = filter.and(opened.filter);
    if request.sort.trim().is_empty() {
        request.sort = sort_text(&opened.sort);
    }
    if request.fields.is_none() && !opened.columns.is_empty() {
        let columns: Vec<&str> = opened.columns.iter().map(FieldName::as_str).collect();
        request.fields = Some(columns.join(","));
    }
    let language = requester.language();
    Ok(opened.warnings.iter().map(|warning| warning.get(language).to_owned()).collect())
}

fn sort_text(sorts: &[Sort]) -> String {
    let one = |sort: &Sort| format!("{}{}", if sort.descending { "-" } else { "" }, sort.path);
    sorts.iter().map(one).collect::<Vec<_>>().join(",")
}
