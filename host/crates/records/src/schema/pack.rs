//! What a plugin's pack adds to the schema: everything new under its prefix, nothing of others changed.

use serde_json::{Map, Value as Json, json};
use trellis_model::{PluginId, Text, bilingual};

use super::document::SchemaDocument;
use super::merge::name_of;

/// The lists of a definition to which a pack may add parts.
const LISTS: [&str; 2] = ["fields", "layouts"];

/// What each stored definition, and each new one, is to be once the pack contributes this document. Parts of the pack that the document
/// lacks are marked as removed; those that it has again are taken up again.
pub(super) fn contribute(
    stored: &[Json],
    document: &SchemaDocument,
    pack: &PluginId,
) -> Result<Vec<Json>, Vec<Text>> {
    let pack = Pack { id: pack, prefix: format!("{}__", pack.prefix()) };
    let (mut objects, mut refused) = (Vec::new(), Vec::new());
    for current in stored {
        let contributed = name_of(current).and_then(|name| document.object(name));
        match pack.object(current, contributed) {
            Ok(object) => objects.push(object),
            Err(reason) => refused.push(reason),
        }
    }
    let is_new = |object: &&Json| !stored.iter().any(|current| name_of(current) == name_of(object));
    for object in document.objects().iter().filter(is_new) {
        match pack.new_object(object) {
            Ok(object) => objects.push(object),
            Err(reason) => refused.push(reason),
        }
    }
    if refused.is_empty() { Ok(objects) } else { Err(refused) }
}

struct Pack<'a> {
    id: &'a PluginId,
    prefix: String,
}

impl Pack<'_> {
    fn origin(&self, removed: bool) -> Json {
        if removed {
            json!({ "pack": { "id": self.id.as_str(), "removed": true } })
        } else {
            json!({ "pack": { "id": self.id.as_str() } })
        }
    }

    fn owns(&self, part: &Json) -> bool {
        let id = part.get("origin").and_then(|origin| origin.get("pack")).and_then(|pack| pack.get("id"));
        id.and_then(Json::as_str) == Some(self.id.as_str())
    }

    fn check_prefix(&self, name: &str) -> Result<(), Text> {
        let prefix = &self.prefix;
        if name.starts_with(prefix) {
            return Ok(());
        }
        Err(bilingual!("`{name}` does not begin with `{prefix}`", "`{name}` 没有以 `{prefix}` 开头"))
    }

    fn new_object(&self, object: &Json) -> Result<Json, Text> {
        for key in ["name", "plural"] {
            self.check_prefix(object.get(key).and_then(Json::as_str).unwrap_or_default())?;
        }
        let append_only = object.get("append_only").and_then(Json::as_bool).unwrap_or_default();
        let mut own = self.own(object, &Json::Null);
        set(&mut own, "ordinals", json!(!append_only));
        Ok(own)
    }

    fn object(&self, current: &Json, contributed: Option<&Json>) -> Result<Json, Text> {
        match contributed {
            Some(contributed) if self.owns(current) => Ok(self.own(contributed, current)),
            None if self.owns(current) => {
                let mut object = current.clone();
                set(&mut object, "origin", self.origin(true));
                Ok(object)
            }
            Some(contributed) => self.extended(current, contributed),
            None => self.extended(current, &json!({ "name": name_of(current) })),
        }
    }

    /// The pack's own object: as it says, with the fields that it no longer says marked as removed and those of others kept.
    fn own(&self, contributed: &Json, current: &Json) -> Json {
        let mut object = contributed.clone();
        set(&mut object, "origin", self.origin(false));
        let mut fields: Vec<Json> = list(contributed, "fields").to_vec();
        for field in &mut fields {
            set(field, "origin", self.origin(false));
        }
        fields.extend(self.left(list(current, "fields"), list(contributed, "fields")));
        set(&mut object, "fields", Json::Array(fields));
        if let (Some(object), Some(current)) = (object.as_object_mut(), current.as_object()) {
            // The host decided on these when the object was new.
            for key in ["ordinals", "append_only"] {
                object.extend(current.get(key).map(|value| (key.to_owned(), value.clone())));
            }
        }
        object
    }

    /// The fields that the pack no longer has, marked, and those that are not its own, as they are.
    fn left(&self, current: &[Json], contributed: &[Json]) -> Vec<Json> {
        let left = current.iter().filter(|field| find(contributed, field).is_none());
        left.map(|field| {
            let mut field = field.clone();
            if self.owns(&field) {
                set(&mut field, "origin", self.origin(true));
            }
            field
        })
        .collect()
    }

    /// Somebody else's object, with what the pack adds.
    fn extended(&self, current: &Json, contributed: &Json) -> Result<Json, Text> {
        let name = name_of(current).unwrap_or_default();
        let of_object = |reason: Text| bilingual!("{name}: ", "{name}：").then(&reason);
        let nothing = Map::new();
        let known = |key: &&String| key.as_str() == "name" || LISTS.contains(&key.as_str());
        if let Some(key) = contributed.as_object().unwrap_or(&nothing).keys().find(|key| !known(key)) {
            return Err(of_object(bilingual!(
                "a pack adds fields, options and layouts to it and cannot change its `{key}`",
                "扩展包只能为其新增字段、选项和布局，不能更改其 `{key}`"
            )));
        }
        let mut object = current.clone();
        let fields = self.fields(list(current, "fields"), list(contributed, "fields")).map_err(of_object)?;
        set(&mut object, "fields", Json::Array(fields));
        let mut layouts: Vec<Json> = list(current, "layouts").to_vec();
        layouts.retain(|layout| !name_of(layout).unwrap_or_default().starts_with(&self.prefix));
        for layout in list(contributed, "layouts") {
            self.check_prefix(name_of(layout).unwrap_or_default()).map_err(of_object)?;
            layouts.push(layout.clone());
        }
        if !layouts.is_empty() || object.get("layouts").is_some() {
            set(&mut object, "layouts", Json::Array(layouts));
        }
        Ok(object)
    }

    fn fields(&self, current: &[Json], contributed: &[Json]) -> Result<Vec<Json>, Text> {
        let mut fields = Vec::new();
        for field in current {
            let mut field = field.clone();
            match find(contributed, &field) {
                Some(new) if self.owns(&field) => {
                    field = new.clone();
                    set(&mut field, "origin", self.origin(false));
                }
                None if self.owns(&field) => set(&mut field, "origin", self.origin(true)),
                new => self.options(&mut field, new)?,
            }
            fields.push(field);
        }
        for new in contributed.iter().filter(|new| find(current, new).is_none()) {
            self.check_prefix(name_of(new).unwrap_or_default())?;
            let mut field = new.clone();
            set(&mut field, "origin", self.origin(false));
            fields.push(field);
        }
        Ok(fields)
    }

    /// Somebody else's choice, with the options that the pack adds and without those that it no longer has.
    fn options(&self, field: &mut Json, contributed: Option<&Json>) -> Result<(), Text> {
        let nothing = json!({});
        let contributed = contributed.unwrap_or(&nothing);
        let name = name_of(field).unwrap_or_default();
        let only = |key: &String| ["name", "options"].contains(&key.as_str());
        if !contributed.as_object().is_some_and(|contributed| contributed.keys().all(only)) {
            return Err(bilingual!(
                "field `{name}` is not the pack's: it can only add options to it",
                "字段 `{name}` 不属于该扩展包：只能为其新增选项"
            ));
        }
        if field.get("options").is_none() {
            return Ok(());
        }
        let mut options: Vec<Json> = list(field, "options").to_vec();
        let new = list(contributed, "options");
        for option in &mut options {
            if name_of(option).unwrap_or_default().starts_with(&self.prefix) {
                match find(new, option) {
                    Some(again) => *option = again.clone(),
                    None => set(option, "retired", json!(true)),
                }
            }
        }
        for option in new.iter().filter(|new| find(list(field, "options"), new).is_none()) {
            self.check_prefix(name_of(option).unwrap_or_default())?;
            options.push(option.clone());
        }
        set(field, "options", Json::Array(options));
        Ok(())
    }
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json.get(key).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn find<'a>(list: &'a [Json], like: &Json) -> Option<&'a Json> {
    list.iter().find(|element| name_of(element) == name_of(like))
}

fn set(json: &mut Json, key: &str, value: Json) {
    if let Some(json) = json.as_object_mut() {
        json.insert(key.to_owned(), value);
    }
}
