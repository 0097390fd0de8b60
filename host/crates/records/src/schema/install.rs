use trellis_model::{Actor, Cause, ObjectId};
use trellis_storage::{Bound, ScanRange, Store, WriteSet};

use super::Schema;
use super::definition::Definition;
use super::stored::StoredObject;
use crate::codec::chunks;
use crate::keys::{self, Key, KeyKind};
use crate::log::{self, EntryBody, NewEntry};
use crate::{Clock, Error, IdSource, Result};

/// The objects that every company starts with, each after those that it refers to.
pub(super) const STANDARD: [&str; 16] = [
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
    for toml in STANDARD {
        install(store, clock, ids, toml).await?;
    }
    Ok(())
}

/// Installs an object, or changes one: what the standard objects come through as an admin's will.
pub(crate) async fn install(
    store: &dyn Store,
    clock: &dyn Clock,
    ids: &dyn IdSource,
    toml: &str,
) -> Result<()> {
    let definition = Definition::parse(toml)?;
    let mut stored = load_stored(store).await?;
    let place = stored.iter().position(|object| object.definition.name == definition.name);
    let mut set = WriteSet::new();
    let changed = match place.map(|place| stored.remove(place)) {
        Some(old) if old.definition == definition => return Ok(()),
        Some(old) => {
            definition.check_grows_from(&old.definition)?;
            old.with(definition)
        }
        None => {
            let last = stored.iter().map(|object| object.id().0).max().unwrap_or_default();
            set.expect_counter(keys::object_counter(), Bound::AtMost(u64::from(last)));
            set.add(keys::object_counter(), 1);
            StoredObject::new(ObjectId(last + 1), definition)
        }
    };
    // The whole schema must hold together before any of it is written.
    let name = changed.definition.name.clone();
    let (id, bytes) = (changed.id(), changed.to_bytes());
    stored.push(changed);
    Schema::new(stored.iter().map(StoredObject::object).collect::<Result<_>>()?)?;
    put(&mut set, id, &bytes);
    let body = EntryBody::Event {
        name: "object.defined".into(),
        data: serde_json::json!({ "object": name, "number": id.0 }),
    };
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
