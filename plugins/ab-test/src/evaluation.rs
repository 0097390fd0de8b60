//! What came of a campaign.

use std::collections::BTreeMap;

use trellis_sdk::{Batch, Context, LocalizedText, ObjectRecord, Report, Result, RowStream, localized};

use crate::config::Config;
use crate::groups::{Circumstances, Named, compared, split_panel};
use crate::proportions::Group;
use crate::tables::check_split;

/// The members of a variant; the hold-out group has no name.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// All who were put there.
    split: u64,
    /// Those who count: contacted, or in the hold-out group.
    members: u64,
    responses: u64,
}

/// Reads the members once.
pub(crate) fn evaluate(
    campaign: &ObjectRecord,
    members: &mut RowStream<'_>,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let weights = config.weights()?;
    let mut counts: BTreeMap<Option<String>, Count> = BTreeMap::new();
    for batch in members {
        add(&mut counts, &batch)?;
    }
    // Variants of an earlier configuration come last, with no weight.
    let mut names: Vec<Option<String>> =
        weights.iter().filter(|(_, weight)| *weight > 0).map(|(name, _)| name.map(str::to_owned)).collect();
    names.sort_by_key(Option::is_some);
    let strays: Vec<Option<String>> = counts.keys().filter(|name| !names.contains(name)).cloned().collect();
    names.extend(strays);

    let count = |name: &Option<String>| counts.get(name).copied().unwrap_or_default();
    let weight = |name: &Option<String>| {
        weights
            .iter()
            .find(|(weighted, _)| *weighted == name.as_deref())
            .map_or(0.0, |(_, weight)| f64::from(*weight))
    };
    let groups: Vec<Named> = names
        .iter()
        .map(|name| {
            let Count { members, responses, .. } = count(name);
            Named { label: label(name.as_deref()), group: Group { members, responses } }
        })
        .collect();
    let observed: Vec<u64> = names.iter().map(|name| count(name).split).collect();
    let split = check_split(&observed, &names.iter().map(weight).collect::<Vec<_>>());
    let days = campaign.date("starts_on").map(|start| i64::from(at.as_of) - i64::from(start));
    let circumstances = Circumstances { split_p: split.as_ref().map(|split| split.p), days };
    let answer = compared(&groups, config.winner, circumstances);
    Ok(match &split {
        Some(split) => {
            answer.panel(split_panel(names.iter().map(|name| label(name.as_deref())), &observed, split))
        }
        None => answer,
    })
}

fn label(name: Option<&str>) -> LocalizedText {
    match name {
        None => localized("Hold-out", "对照组"),
        Some(name) => localized(format!("Variant {name}"), format!("方案 {name}")),
    }
}

/// A member who is still planned was not contacted, and one that is suppressed never will be: neither counts, but in the hold-out group.
fn add(counts: &mut BTreeMap<Option<String>, Count>, batch: &Batch) -> Result<()> {
    let (variant, status) = (batch.dictionary("variant")?, batch.dictionary("status")?);
    let responded = batch.boolean("responded")?;
    // One count for each text of the batch, and one for the hold-out group.
    let mut of_text = vec![Count::default(); variant.texts().len()];
    let mut held_out = Count::default();
    for row in 0..batch.rows() {
        let code = variant.codes().get(row).map(|code| code as usize);
        let count = match code {
            None => &mut held_out,
            Some(code) => of_text.get_mut(code).expect("a code is that of a text"),
        };
        let status = status.get(row).unwrap_or_default();
        count.split += 1;
        if status == "suppressed" || (status == "planned" && code.is_some()) {
            continue;
        }
        let did = matches!(status, "responded" | "converted") || responded.get(row) == Some(true);
        count.members += 1;
        count.responses += u64::from(did);
    }
    let named = variant.texts().iter().map(|text| text.map(str::to_owned)).zip(of_text);
    for (name, count) in named.chain([(None, held_out)]).filter(|(_, count)| count.split > 0) {
        let sum = counts.entry(name).or_default();
        sum.split += count.split;
        sum.members += count.members;
        sum.responses += count.responses;
    }
    Ok(())
}
