use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{ObjectId, ObjectName, PluginId, SegmentationName, Text};
use trellis_records::{EntryBody, NewEntry};
use trellis_storage::{Position, WriteSet};

use super::{Output, Pointer, Presence};
use crate::keys::{self, KeyKind};
use crate::{Columns, Error, Origin, Result, stored};

/// Bytes of a stored part of a definition.
const PART_BYTES: usize = 4_000;
const NAME_CHARACTERS_MAX: usize = 100;
const LABEL_CHARACTERS_MAX: usize = 200;
const DESCRIPTION_CHARACTERS_MAX: usize = 2_000;

/// Says what is wrong with the API names of values or bands, which `what` calls them.
pub(crate) fn check_names<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        let length = name.chars().count();
        if !(1..=NAME_CHARACTERS_MAX).contains(&length) || name.chars().any(char::is_control) {
            return Err(format!(
                "{what} `{}` is not 1 to {NAME_CHARACTERS_MAX} characters without control characters",
                name.chars().take(NAME_CHARACTERS_MAX).collect::<String>().escape_debug()
            ));
        }
        if !seen.insert(name) {
            return Err(format!("{what} `{name}` is there twice"));
        }
    }
    Ok(())
}

/// Says which label or description is too long.
pub(crate) fn check_texts<'a>(texts: impl Iterator<Item = (&'a Text, &'a Text)>) -> Result<(), String> {
    let over = |text: &Text, most: usize| text.en.chars().count() > most || text.zh_cn.chars().count() > most;
    for (label, description) in texts {
        if over(label, LABEL_CHARACTERS_MAX) || over(description, DESCRIPTION_CHARACTERS_MAX) {
            return Err(format!(
                "label or description `{}…` is over {LABEL_CHARACTERS_MAX} or {DESCRIPTION_CHARACTERS_MAX} characters",
                label.en.chars().take(60).collect::<String>()
            ));
        }
    }
    Ok(())
}

/// The aliases that there are, and after them those that are new.
pub(crate) fn merged_aliases(
    known: &[SegmentationName],
    new: Vec<SegmentationName>,
) -> Vec<SegmentationName> {
    let added = new.into_iter().filter(|alias| !known.contains(alias));
    known.iter().cloned().chain(added).collect()
}

impl Columns {
    /// The name of the segmentation or score that has a name or alias: all of them share one set of names.
    pub fn name_holder(&self, name: &str) -> Option<SegmentationName> {
        self.results.state().get(name).map(|output| output.name().clone())
    }

    pub(crate) fn object_with_ordinals(&self, name: &ObjectName) -> Result<ObjectId> {
        let schema = self.records.schema();
        let object = schema.object(name.as_str()).filter(|object| object.ordinals);
        object.map(|object| object.id).ok_or_else(|| Error::UnknownObject { object: name.to_string() })
    }

    /// The plugins that have a segmentation or score here, installed or not.
    pub fn plugins(&self) -> BTreeSet<PluginId> {
        self.results.state().outputs.values().filter_map(|output| output.plugin().cloned()).collect()
    }

    /// Marks the segmentations and scores of a plugin as stale until one of its runs becomes current: nobody follows what is current now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_stale(&self, plugin: &PluginId) -> Result<()> {
        self.set_pointers(
            |output| output.is_of(plugin),
            |output| Pointer { stale: true, ..output.pointer.clone() },
        )
        .await
    }

    /// Marks one segmentation as stale until another result becomes current.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_segmentation_stale(&self, segmentation: &SegmentationName) -> Result<()> {
        self.set_pointers(
            |output| !output.is_score() && output.name() == segmentation,
            |output| Pointer { stale: true, ..output.pointer.clone() },
        )
        .await
    }

    /// Says whether a plugin is there, and what is shown of its segmentations and of its scores while it is not. Whoever reads sees nobody
    /// with a value while they are cleared; that is no transition of anybody, and the values are as they were when the plugin is back.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_presence(
        &self,
        plugin: &PluginId,
        segmentations: Presence,
        scores: Presence,
    ) -> Result<()> {
        let presence = |output: &Output| if output.is_score() { scores } else { segmentations };
        self.set_pointers(
            |output| output.is_of(plugin),
            |output| Pointer { presence: presence(output), ..output.pointer.clone() },
        )
        .await
    }

    /// Gives some outputs other pointers, each that changes in a commit with its event.
    async fn set_pointers(
        &self,
        which: impl Fn(&Output) -> bool,
        other: impl Fn(&Output) -> Pointer,
    ) -> Result<()> {
        let _changing = self.results.change.lock().await;
        for output in self.results.state().outputs.values().filter(|output| which(output)) {
            let pointer = other(output);
            if pointer == output.pointer {
                continue;
            }
            let mut set = WriteSet::new();
            set.put(keys::pointer(output.id), stored::encode(&pointer));
            let (kind, event) = match output.is_score() {
                true => ("score", "score.stale"),
                false => ("segmentation", "segmentation.stale"),
            };
            let cleared = pointer.presence == Presence::Cleared;
            let data =
                json!({ kind: output.name().as_str(), "stale": pointer.is_stale(), "cleared": cleared });
            let position = self.commit_event(set, &Origin::system("columns"), event, data).await?;
            let marked = Output { pointer, pointer_position: Some(position), ..Output::clone(output) };
            self.results.put(|state| {
                state.outputs.insert(marked.id, Arc::new(marked));
            });
        }
        Ok(())
    }

    /// Writes a definition in parts and claims its names. The caller holds `change`.
    pub(crate) async fn store_definition(
        &self,
        output: &Arc<Output>,
        before: Option<&Output>,
        origin: &Origin,
        (event, data): (&str, Json),
    ) -> Result<()> {
        let state = self.results.state();
        let mut set = WriteSet::new();
        for name in output.names() {
            match state.get(name) {
                Some(holder) if holder.id != output.id => {
                    let holder = holder.name().to_string();
                    return Err(Error::NameTaken { name: name.to_owned(), holder });
                }
                Some(_) => {}
                None => {
                    set.expect_absent(keys::name(name));
                    set.put(keys::name(name), output.id.0.to_be_bytes());
                }
            }
        }
        let (kind, bytes) = output.kind.encode();
        for (part, number) in bytes.chunks(PART_BYTES).zip(0_u16..) {
            set.put(keys::definition(kind, output.id, number), part);
        }
        let parts = parts_of(output);
        for number in parts..before.map_or(parts, parts_of) {
            set.delete(keys::definition(kind, output.id, number));
        }
        self.commit_event(set, origin, event, data).await?;
        self.results.put(|state| state.redefine(output));
        Ok(())
    }

    /// Takes an output out of the store and of what is known, with its definition, its names and its pointer. The caller holds `change`.
    pub(crate) async fn delete_definition(
        &self,
        output: &Output,
        origin: &Origin,
        (event, data): (&str, Json),
    ) -> Result<()> {
        let mut set = WriteSet::new();
        for name in output.names() {
            set.delete(keys::name(name));
        }
        let (kind, _) = output.kind.encode();
        for part in 0..parts_of(output) {
            set.delete(keys::definition(kind, output.id, part));
        }
        set.delete(keys::pointer(output.id));
        let last = self.results.state().last_removed.max(output.id.0);
        set.put(keys::kind(KeyKind::LastRemoved), stored::encode(&last));
        self.commit_event(set, origin, event, data).await?;
        self.results.put(|state| state.remove(output.id));
        Ok(())
    }

    async fn commit_event(&self, set: WriteSet, origin: &Origin, name: &str, data: Json) -> Result<Position> {
        let body = EntryBody::Event { name: name.to_owned(), data };
        let entry = NewEntry { actor: origin.actor.clone(), cause: origin.cause.clone(), body };
        Ok(self.records.commit(set, Some(entry)).await?.position)
    }
}

/// In how many parts a definition is stored.
fn parts_of(output: &Output) -> u16 {
    let (_, bytes) = output.kind.encode();
    bytes.len().div_ceil(PART_BYTES) as u16
}
