use trellis_model::{Filter, Reason, Scope};
use trellis_records::Caller;

use super::{filter_of, parse, words::Words};
use crate::{Result, core::Core};

/// Which conditions of the filter that makes a segmentation a customer meets, and which not; those first that decide. `None` where no filter
/// makes it, or the caller may not see all that it reads.
pub(crate) async fn reasons(
    core: &Core,
    caller: &Caller,
    info: &trellis_columns::SegmentationInfo,
    ordinal: u64,
) -> Result<Option<Vec<Reason>>> {
    let Some(filter) = filter_of(info) else { return Ok(None) };
    let filter = parse(filter).map_err(trellis_records::Error::from)?;
    let name = &info.definition.object;
    if core.records.check_filter(&caller.scope, name, &filter)?.is_err() {
        return Ok(None);
    }
    let schema = core.records.schema();
    let Some(object) = schema.object(name.as_str()) else { return Ok(None) };
    let words = Words::of(core, &schema, &caller.scope, object, &filter).await?;
    let (mut met, mut unmet) = (Vec::new(), Vec::new());
    for condition in conditions(&filter) {
        if let Some(met_by) = holds(core, info, condition, ordinal).await? {
            met.push(Reason {
                code: "condition-met".to_owned(),
                text: words.condition(&met_by),
                weight: 1.0,
            });
        } else {
            let text = words.condition(condition);
            let text = trellis_model::bilingual!("does not hold: ", "不满足：").then(&text);
            unmet.push(Reason { code: "condition-not-met".to_owned(), text, weight: -1.0 });
        }
    }
    unmet.extend(met);
    Ok(Some(unmet))
}

/// What must hold in any case.
fn conditions(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::And(filters) => filters.iter().flat_map(conditions).collect(),
        one => vec![one],
    }
}

/// What of a condition holds: of several that suffice those that do; `None` where it does not.
async fn holds(
    core: &Core,
    info: &trellis_columns::SegmentationInfo,
    condition: &Filter,
    ordinal: u64,
) -> Result<Option<Filter>> {
    let is_so = async |filter: &Filter| {
        let (scope, object) = (Scope::everything(), &info.definition.object);
        let found = core.records.matching_among(&scope, object, filter, &[ordinal]).await?;
        Ok::<_, crate::Error>(!found.is_empty())
    };
    if !is_so(condition).await? {
        return Ok(None);
    }
    let Filter::Or(alternatives) = condition else { return Ok(Some(condition.clone())) };
    let mut held = Vec::new();
    for alternative in alternatives {
        if is_so(alternative).await? {
            held.push(alternative.clone());
        }
    }
    Ok(Some(match held.as_slice() {
        [one] => one.clone(),
        _ => Filter::Or(held),
    }))
}
