use std::collections::BTreeSet;

use trellis_model::{Actor, Cause, ObjectId};
use trellis_storage::{Bound, ScanRange, Store, WriteSet};

use super::Schema;
use super::definition::Definition;
use super::stored::StoredObject;
use crate::codec::chunks;
use crate::keys::{self, Key, KeyKind};
use crate::log::{self, EntryBody, NewEntry};
use crate::{Clock, Error, IdSource, Result};

/// The objects that every company starts with. They are installed together, since some refer to each other.
pub(super) const STANDARD: [&str; 34] = [
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
];

/// Rows of a page when definitions are read.
const PAGE_ROWS: usize = 200;

/// Reads all definitions.
pub(crate) async fn load(store: &dyn Store) -> Result<Schema> {
    let stored = load_stored(store).await?;
    Schema::new(stored.iter().map(StoredObject::object).collect::<Result<_>>()?)
}

/// Installs the standard objects that are missing, and lets those that are there grow to what this release says.
pub(crate) async fn install_standard(store: &dyn Store, clock: &dyn Clock, ids: &dyn IdSource) -> Result<()> {
    install(store, clock, ids, &STANDARD).await
}

/// Installs objects, or changes them, all in one write set: what the standard objects come through as an admin's will.
pub(crate) async fn install(
    store: &dyn Store,
    clock: &dyn Clock,
    ids: &dyn IdSource,
    tomls: &[&str],
) -> Result<()> {
    let mut stored = load_stored(store).await?;
    let known = stored.iter().map(|object| object.id().0).max().unwrap_or_default();
    let (mut last, mut changed) = (known, BTreeSet::new());
    for toml in tomls {
        let definition = Definition::parse(toml)?;
        let place = stored.iter().position(|object| object.definition.name == definition.name);
        let object = match place.map(|place| stored.remove(place)) {
            Some(old) if old.definition == definition => old,
            Some(old) => {
                definition.check_grows_from(&old.definition)?;
                changed.insert(old.id());
                old.with(definition)
            }
            None => {
                last += 1;
                changed.insert(ObjectId(last));
                StoredObject::new(ObjectId(last), definition)
            }
        };
        stored.push(object);
    }
    if changed.is_empty() {
        return Ok(());
    }
    // The whole schema must hold together before any of it is written.
    Schema::new(stored.iter().map(StoredObject::object).collect::<Result<_>>()?)?;
    let mut set = WriteSet::new();
    if last > known {
        set.expect_counter(keys::object_counter(), Bound::AtMost(u64::from(known)));
        set.add(keys::object_counter(), i64::from(last - known));
    }
    let mut defined = Vec::new();
    for object in stored.iter().filter(|object| changed.contains(&object.id())) {
        put(&mut set, object.id(), &object.to_bytes());
        defined.push(serde_json::json!({ "object": object.definition.name, "number": object.id().0 }));
    }
    let body =
        EntryBody::Event { name: "object.defined".into(), data: serde_json::json!({ "objects": defined }) };
    let entry =
        NewEntry { actor: Actor::System { component: "schema".into() }, cause: Cause::default(), body };
    log::append(&mut set, &entry, clock.now_ms(), ids.salt())?;
    store.commit(set).await?;
    Ok(())
}

fn put(set: &mut WriteSet, id: ObjectId, body: &[u8]) {
    let key = keys::object(id, 0);
    let (first, further) = chunks::split(&key, body);
    set.put(key, first);
    for (part, value) in (1_u16..).zip(further) {
        set.put(keys::object(id, part), value);
    }
}

async fn load_stored(store: &dyn Store) -> Result<Vec<StoredObject>> {
    let mut range = ScanRange::prefix(&Key::new(KeyKind::Object).done());
    let mut rows = Vec::new();
    loop {
        let page = store.scan(range.clone(), PAGE_ROWS).await?;
        let more = page.more;
        rows.extend(page.rows);
        match rows.last() {
            Some(last) if more => range = range.after(&last.key),
            _ => break,
        }
    }
    let mut rows = rows.into_iter();
    let mut objects = Vec::new();
    while let Some(row) = rows.next() {
        let (prefix, first) = chunks::prefix(&row.value)?;
        let mut body = first.to_vec();
        for _ in 0..prefix.parts {
            let part = rows.next().ok_or_else(|| Error::damaged("an object definition ends too early"))?;
            body.extend_from_slice(&part.value);
        }
        prefix.verify(&row.key, &body)?;
        objects.push(StoredObject::from_bytes(&body)?);
    }
    Ok(objects)
}
