//! What is different between two definitions of an object, step by step, and what of it cannot be.

use serde_json::{Map, Value as Json, json};
use trellis_model::{Text, bilingual};

use super::definition::Definition;

/// One thing that a change of the schema does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaStep {
    /// What kind of thing.
    pub kind: SchemaStepKind,
    /// Of which object.
    pub object: String,
    /// Of which field, layout, pipeline, index…
    pub part: Option<String>,
    /// Whether something gets lost or out of use, so that it has to be confirmed.
    pub destructive: bool,
    /// What it does, for people.
    pub text: Text,
}

/// What kind of thing a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaStepKind {
    /// A new object.
    AddObject,
    /// Labels, title or order of fields of an object.
    ChangeObject,
    /// An object goes out of use.
    RetireObject,
    /// It comes back.
    RestoreObject,
    /// A new field.
    AddField,
    /// Labels, limits, defaults and conditions of a field.
    ChangeField,
    /// A field goes out of use.
    RetireField,
    /// It comes back.
    RestoreField,
    /// A new option.
    AddOption,
    /// Labels or order of options.
    ChangeOption,
    /// An option can no longer be chosen.
    RetireOption,
    /// It can be again.
    RestoreOption,
    /// An index is to be built, for a field, a unique field or several fields.
    AddIndex,
    /// An index is to be deleted.
    DropIndex,
    /// Layouts, pipelines, rules about duplicates and quality.
    ChangePart,
    /// An index is ready, or could not be built.
    FinishIndex,
}

impl SchemaStepKind {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::AddObject => "add_object",
            Self::ChangeObject => "change_object",
            Self::RetireObject => "retire_object",
            Self::RestoreObject => "restore_object",
            Self::AddField => "add_field",
            Self::ChangeField => "change_field",
            Self::RetireField => "retire_field",
            Self::RestoreField => "restore_field",
            Self::AddOption => "add_option",
            Self::ChangeOption => "change_option",
            Self::RetireOption => "retire_option",
            Self::RestoreOption => "restore_option",
            Self::AddIndex => "add_index",
            Self::DropIndex => "drop_index",
            Self::ChangePart => "change_part",
            Self::FinishIndex => "finish_index",
        }
    }
}

impl SchemaStep {
    /// As the API and the history have it.
    pub fn to_json(&self) -> Json {
        json!({
            "kind": self.kind.name(), "object": self.object, "part": self.part, "destructive": self.destructive,
            "text": { "en": self.text.en, "zh-CN": self.text.zh_cn },
        })
    }
}

/// The steps from one definition to another, and what cannot be done.
pub(super) fn steps(before: Option<&Definition>, after: &Definition) -> (Vec<SchemaStep>, Vec<Text>) {
    let mut diff = Diff { object: &after.name, steps: Vec::new(), refused: Vec::new() };
    match before {
        Some(before) => diff.objects(&before.to_json(), &after.to_json()),
        None => diff.step(SchemaStepKind::AddObject, None, false, {
            let name = &after.name;
            bilingual!("adds the object `{name}`", "新增对象 `{name}`")
        }),
    }
    (diff.steps, diff.refused)
}

struct Diff<'a> {
    object: &'a str,
    steps: Vec<SchemaStep>,
    refused: Vec<Text>,
}

impl Diff<'_> {
    fn step(&mut self, kind: SchemaStepKind, part: Option<&str>, destructive: bool, text: Text) {
        let (object, part) = (self.object.to_owned(), part.map(str::to_owned));
        self.steps.push(SchemaStep { kind, object, part, destructive, text });
    }

    fn refuse(&mut self, text: Text) {
        let object = self.object;
        self.refused.push(bilingual!("{object}: ", "{object}：").then(&text));
    }

    fn objects(&mut self, before: &Json, after: &Json) {
        let object = self.object;
        for key in changed_keys(before, after) {
            match key {
                "plural" | "ordinals" | "append_only" | "covering" => {
                    self.refuse(bilingual!("`{key}` cannot change", "`{key}` 不能更改"));
                }
                "fields" => self.fields(list(before, "fields"), list(after, "fields")),
                "indexes" => self.indexes(before, after),
                "retired" => {
                    let retired = is_true(after, "retired");
                    let (kind, text) = if retired {
                        (
                            SchemaStepKind::RetireObject,
                            bilingual!("retires the object `{object}`", "停用对象 `{object}`"),
                        )
                    } else {
                        (
                            SchemaStepKind::RestoreObject,
                            bilingual!("restores the object `{object}`", "恢复对象 `{object}`"),
                        )
                    };
                    self.step(kind, None, retired, text);
                }
                "origin" if is_removed(before) != is_removed(after) => {
                    let removed = is_removed(after);
                    let (kind, text) = if removed {
                        (
                            SchemaStepKind::RetireObject,
                            bilingual!(
                                "takes the object `{object}` out of use",
                                "将对象 `{object}` 移出使用"
                            ),
                        )
                    } else {
                        (
                            SchemaStepKind::RestoreObject,
                            bilingual!("takes the object `{object}` up again", "重新启用对象 `{object}`"),
                        )
                    };
                    self.step(kind, None, removed, text);
                }
                "origin" => {
                    let text = bilingual!("changes whose `{object}` is", "更改 `{object}` 的归属");
                    self.step(SchemaStepKind::ChangeObject, None, false, text);
                }
                "label" | "plural_label" | "title" => {
                    let text = bilingual!("changes `{key}` of `{object}`", "更改 `{object}` 的 `{key}`");
                    self.step(SchemaStepKind::ChangeObject, None, false, text);
                }
                part => {
                    let text = bilingual!("changes `{part}` of `{object}`", "更改 `{object}` 的 `{part}`");
                    self.step(SchemaStepKind::ChangePart, Some(part), false, text);
                }
            }
        }
    }

    fn fields(&mut self, before: &[Json], after: &[Json]) {
        let object = self.object;
        for old in before {
            let name = name(old, "name");
            match find(after, "name", name) {
                Some(new) => self.field(name, old, new),
                None => self.refuse(bilingual!(
                    "field `{name}` is gone: retire it instead",
                    "字段 `{name}` 不见了：请改为停用"
                )),
            }
        }
        let is_new = |field: &&Json| find(before, "name", name(field, "name")).is_none();
        for new in after.iter().filter(is_new) {
            let (name, kind) = (name(new, "name"), name(new, "type"));
            let text = bilingual!(
                "adds the {kind} field `{name}` to `{object}`",
                "为 `{object}` 新增 {kind} 字段 `{name}`"
            );
            self.step(SchemaStepKind::AddField, Some(name), false, text);
            if is_true(new, "indexed") {
                self.index(name, true);
            }
        }
        let order = |fields: &[Json], others: &[Json]| -> Vec<String> {
            let names = fields.iter().map(|field| name(field, "name").to_owned());
            names.filter(|name| find(others, "name", name).is_some()).collect()
        };
        if order(before, after) != order(after, before) {
            let text = bilingual!("reorders the fields of `{object}`", "调整 `{object}` 的字段顺序");
            self.step(SchemaStepKind::ChangeObject, None, false, text);
        }
    }

    fn field(&mut self, field: &str, before: &Json, after: &Json) {
        let object = self.object;
        for key in changed_keys(before, after) {
            let on = is_true(after, key);
            match key {
                "type" | "of" | "object" => {
                    self.refuse(bilingual!(
                        "`{key}` of field `{field}` cannot change: add another field",
                        "字段 `{field}` 的 `{key}` 不能更改：请新增字段"
                    ));
                }
                "formula" | "roll_up" if is_computed(before) != is_computed(after) => {
                    self.refuse(bilingual!(
                        "field `{field}` cannot become computed, nor stop being so: add another field",
                        "字段 `{field}` 不能改为或不再是计算字段：请新增字段"
                    ));
                }
                "retired" => {
                    let (kind, text) = if on {
                        (
                            SchemaStepKind::RetireField,
                            bilingual!(
                                "retires field `{field}` of `{object}`",
                                "停用 `{object}` 的字段 `{field}`"
                            ),
                        )
                    } else {
                        (
                            SchemaStepKind::RestoreField,
                            bilingual!(
                                "restores field `{field}` of `{object}`",
                                "恢复 `{object}` 的字段 `{field}`"
                            ),
                        )
                    };
                    self.step(kind, Some(field), on, text);
                }
                "origin" if is_removed(before) != is_removed(after) => {
                    let removed = is_removed(after);
                    let (kind, text) = if removed {
                        (
                            SchemaStepKind::RetireField,
                            bilingual!(
                                "takes field `{field}` of `{object}` out of use",
                                "将 `{object}` 的字段 `{field}` 移出使用"
                            ),
                        )
                    } else {
                        (
                            SchemaStepKind::RestoreField,
                            bilingual!(
                                "takes field `{field}` of `{object}` up again",
                                "重新启用 `{object}` 的字段 `{field}`"
                            ),
                        )
                    };
                    self.step(kind, Some(field), removed, text);
                }
                "indexed" if name(after, "type") == "reference" => {
                    self.refuse(bilingual!(
                        "`indexed` of the reference `{field}` cannot change: a reference always has an index",
                        "引用字段 `{field}` 的 `indexed` 不能更改：引用字段总有索引"
                    ));
                }
                "unique" if !on => {
                    let text = bilingual!(
                        "lets several records of `{object}` have the same `{field}`",
                        "允许多条 `{object}` 记录的 `{field}` 相同"
                    );
                    self.step(SchemaStepKind::DropIndex, Some(field), true, text);
                }
                "unique" | "indexed" => self.index(field, on),
                "options" => self.options(field, list(before, "options"), list(after, "options")),
                "characters_max" => {
                    let (old, new) = (characters_max(before), characters_max(after));
                    let text = bilingual!(
                        "changes the most characters of `{field}` of `{object}` from {old} to {new}",
                        "将 `{object}` 的 `{field}` 的最大字符数从 {old} 改为 {new}"
                    );
                    self.step(SchemaStepKind::ChangeField, Some(field), new < old, text);
                }
                other => {
                    let reveals = other == "personal_data" && !on;
                    let text = bilingual!(
                        "changes `{other}` of field `{field}` of `{object}`",
                        "更改 `{object}` 的字段 `{field}` 的 `{other}`"
                    );
                    self.step(SchemaStepKind::ChangeField, Some(field), reveals, text);
                }
            }
        }
    }

    fn index(&mut self, name: &str, on: bool) {
        let object = self.object;
        let (kind, text) = if on {
            (
                SchemaStepKind::AddIndex,
                bilingual!("builds an index of `{object}` over {name}", "为 `{object}` 构建 {name} 的索引"),
            )
        } else {
            (
                SchemaStepKind::DropIndex,
                bilingual!("deletes the index of `{object}` over {name}", "删除 `{object}` 的 {name} 索引"),
            )
        };
        self.step(kind, Some(name), false, text);
    }

    fn options(&mut self, field: &str, before: &[Json], after: &[Json]) {
        let object = self.object;
        for new in after {
            let value = name(new, "value");
            let Some(old) = find(before, "value", value) else {
                let text = bilingual!(
                    "adds the option `{value}` to `{field}` of `{object}`",
                    "为 `{object}` 的 `{field}` 新增选项 `{value}`"
                );
                self.step(SchemaStepKind::AddOption, Some(field), false, text);
                continue;
            };
            if old.get("label") != new.get("label") {
                let text = bilingual!(
                    "relabels the option `{value}` of `{field}` of `{object}`",
                    "更改 `{object}` 的 `{field}` 的选项 `{value}` 的名称"
                );
                self.step(SchemaStepKind::ChangeOption, Some(field), false, text);
            }
            match (is_true(old, "retired"), is_true(new, "retired")) {
                (false, true) => {
                    let text = bilingual!(
                        "retires the option `{value}` of `{field}` of `{object}`",
                        "停用 `{object}` 的 `{field}` 的选项 `{value}`"
                    );
                    self.step(SchemaStepKind::RetireOption, Some(field), true, text);
                }
                (true, false) => {
                    let text = bilingual!(
                        "restores the option `{value}` of `{field}` of `{object}`",
                        "恢复 `{object}` 的 `{field}` 的选项 `{value}`"
                    );
                    self.step(SchemaStepKind::RestoreOption, Some(field), false, text);
                }
                _ => {}
            }
        }
        let values = |list: &[Json]| -> Vec<String> {
            list.iter().map(|option| name(option, "value").to_owned()).collect()
        };
        let (old, mut new) = (values(before), values(after));
        new.retain(|value| old.contains(value));
        if old != new {
            let text = bilingual!(
                "reorders the options of `{field}` of `{object}`",
                "调整 `{object}` 的 `{field}` 的选项顺序"
            );
            self.step(SchemaStepKind::ChangeOption, Some(field), false, text);
        }
    }

    fn indexes(&mut self, before: &Json, after: &Json) {
        let names = |json: &Json| -> Vec<String> {
            let fields = |index: &Json| {
                let names = list(index, "equals").iter().filter_map(Json::as_str);
                names.chain([name(index, "sort")]).collect::<Vec<_>>().join(", ")
            };
            list(json, "indexes").iter().map(fields).collect()
        };
        let (old, new) = (names(before), names(after));
        for name in old.iter().filter(|name| !new.contains(name)) {
            self.index(name, false);
        }
        for name in new.iter().filter(|name| !old.contains(name)) {
            self.index(name, true);
        }
    }
}

/// The keys whose values differ; what is `false` and what is not said are the same.
fn changed_keys<'a>(before: &'a Json, after: &'a Json) -> Vec<&'a str> {
    let keys_of = |json: &'a Json| json.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
    let mut keys: Vec<&str> = keys_of(before).chain(keys_of(after)).collect();
    keys.sort_unstable();
    keys.dedup();
    let said = |json: &'a Json, key: &str| {
        json.get(key).filter(|value| !matches!(value, Json::Null | Json::Bool(false)))
    };
    keys.retain(|key| said(before, key) != said(after, key));
    keys
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json.get(key).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn name<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn find<'a>(list: &'a [Json], key: &str, value: &str) -> Option<&'a Json> {
    list.iter().find(|element| name(element, key) == value)
}

/// Whether the pack that a part is of was removed, or lacks the part by now.
fn is_removed(part: &Json) -> bool {
    let pack = part.get("origin").and_then(|origin| origin.get("pack"));
    pack.is_some_and(|pack| is_true(pack, "removed"))
}

fn is_true(json: &Json, key: &str) -> bool {
    json.get(key).and_then(Json::as_bool).unwrap_or_default()
}

fn is_computed(json: &Json) -> bool {
    json.get("formula").is_some() || json.get("roll_up").is_some()
}

fn characters_max(json: &Json) -> u64 {
    let default = u64::from(super::definition::CHARACTERS_MAX_DEFAULT);
    json.get("characters_max").and_then(Json::as_u64).unwrap_or(default)
}
