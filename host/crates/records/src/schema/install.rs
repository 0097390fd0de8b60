use serde_json::Value as Json;
use trellis_model::{Actor, Cause, ObjectId};
use trellis_storage::Store;

use super::change::{Change, Stored};
use super::definition::Definition;
use super::diff;
use super::merge::merge;
use super::stored::StoredObject;
use crate::{Clock, Error, IdSource, Result};

/// The definitions of the objects that every company starts with, as TOML.
pub fn standard_definitions() -> &'static [&'static str] {
    &STANDARD
}

/// The objects that every company starts with. They are installed together, since some refer to each other.
pub(super) const STANDARD: [&str; 38] = [
    include_str!("../../definitions/user.toml"),
    include_str!("../../definitions/account.toml"),
    include_str!("../../definitions/contact.toml"),
    include_str!("../../definitions/product.toml"),
    include_str!("../../definitions/order.toml"),
    include_str!("../../definitions/order_line.toml"),
    include_str!("../../definitions/interaction.toml"),
    include_str!("../../definitions/campaign.toml"),
    include_str!("../../definitions/lead.toml"),
    include_str!("../../definitions/opportunity.toml"),
    include_str!("../../definitions/campaign_member.toml"),
    include_str!("../../definitions/case.toml"),
    include_str!("../../definitions/message.toml"),
    include_str!("../../definitions/task.toml"),
    include_str!("../../definitions/segment.toml"),
    include_str!("../../definitions/rule.toml"),
    include_str!("../../definitions/team.toml"),
    include_str!("../../definitions/tag.toml"),
    include_str!("../../definitions/price_list.toml"),
    include_str!("../../definitions/price_list_entry.toml"),
    include_str!("../../definitions/competitor.toml"),
    include_str!("../../definitions/event.toml"),
    include_str!("../../definitions/quote.toml"),
    include_str!("../../definitions/quote_line.toml"),
    include_str!("../../definitions/contract.toml"),
    include_str!("../../definitions/payment.toml"),
    include_str!("../../definitions/knowledge_article.toml"),
    include_str!("../../definitions/survey.toml"),
    include_str!("../../definitions/survey_response.toml"),
    include_str!("../../definitions/target.toml"),
    include_str!("../../definitions/attachment.toml"),
    include_str!("../../definitions/comment.toml"),
    include_str!("../../definitions/follower.toml"),
    include_str!("../../definitions/notification.toml"),
    include_str!("../../definitions/duplicate_pair.toml"),
    include_str!("../../definitions/import_mapping.toml"),
    include_str!("../../definitions/view.toml"),
    include_str!("../../definitions/dashboard.toml"),
];

/// Installs the standard objects that are missing, and lets those that are there grow to what this release says: all of it in one
/// change, so that objects may refer to each other. What the company changed stays as it is.
pub(crate) async fn install_standard(store: &dyn Store, clock: &dyn Clock, ids: &dyn IdSource) -> Result<()> {
    install(store, clock, ids, &STANDARD).await
}

pub(crate) async fn install(
    store: &dyn Store,
    clock: &dyn Clock,
    ids: &dyn IdSource,
    tomls: &[&str],
) -> Result<()> {
    let stored = Stored::load(store).await?;
    let (mut changed, mut steps, mut next_id) = (Vec::new(), Vec::new(), stored.next_id());
    for toml in tomls {
        let release = Definition::parse(toml)?.standard();
        match stored.object(&release.name) {
            Some(old) if old.standard.as_ref() == Some(&release) => {}
            Some(old) => {
                let grown = grown(old, &release)?;
                steps.extend(diff::steps(Some(&old.definition), &grown.definition).0);
                changed.push(grown);
            }
            None => {
                steps.extend(diff::steps(None, &release).0);
                changed.push(StoredObject::new(next_id, release.clone())?.of_release(release));
                next_id = ObjectId(next_id.0 + 1);
            }
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    // The whole schema must hold together before any of it is written.
    stored.with(&changed).schema()?;
    let change = Change {
        actor: Actor::System { component: "schema".into() },
        cause: Cause::default(),
        event: "schema.changed",
        steps,
        objects: changed,
        done: Vec::new(),
    };
    stored.commit(store, clock, ids, change).await?;
    Ok(())
}

/// A standard object as this release says, with what the company changed of the one before.
fn grown(old: &StoredObject, release: &Definition) -> Result<StoredObject> {
    // An earlier release kept nothing but the definition: nobody could change it then.
    let base = old.standard.clone().unwrap_or_else(|| old.definition.clone().standard());
    let current = if old.standard.is_some() { old.definition.clone() } else { base.clone() };
    release.check_grows_from(&base)?;
    let merged = merge(&base.to_json(), &current.to_json(), &release.to_json());
    let definition = from_json(&release.name, merged)?;
    Ok(old.with(definition)?.of_release(release.clone()))
}

pub(super) fn from_json(object: &str, json: Json) -> Result<Definition> {
    serde_json::from_value(json)
        .map_err(|error| Error::Definition { object: object.to_owned(), reason: error.to_string() })
}
