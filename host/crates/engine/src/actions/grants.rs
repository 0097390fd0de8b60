//! What a plugin or rule may do.

use trellis_model::{Action, bilingual};
use trellis_plugin_host::Manifest;

use super::Refusal;
use crate::plugins::Grants;

/// Says whether an action was granted.
pub(crate) type Granted<'a> = dyn Fn(&Action) -> Result<(), Refusal> + Send + Sync + 'a;

/// Objects that decide who may do what, or what happens by itself: no rule writes them.
const CLOSED_TO_RULES: [&str; 3] = ["user", "token", "rule"];

/// A plugin may do what its manifest asks for, as far as an admin granted it.
pub(crate) fn for_plugin(manifest: &Manifest, grants: &Grants, action: &Action) -> Result<(), Refusal> {
    if matches!(action, Action::Other { .. }) {
        // What nobody can carry out nobody can grant: it is refused by its name.
        return Ok(());
    }
    match grants.refusal(manifest, action) {
        Some(message) => Err(Refusal::new("not_granted", message)),
        None => Ok(()),
    }
}

/// A plugin that was disabled meanwhile may do nothing.
pub(crate) fn not_enabled() -> Refusal {
    Refusal::phrase("plugin_not_enabled", "the plugin is not enabled any more", "该插件已不再启用")
}

/// A rule may do everything but write users, tokens and rules.
pub(crate) fn for_rule(action: &Action) -> Result<(), Refusal> {
    let object = match action {
        Action::SetFields { object, .. } | Action::CreateRecord { object, .. } => object.as_str(),
        _ => return Ok(()),
    };
    if CLOSED_TO_RULES.contains(&object) {
        let message = bilingual!("rules do not write {object}", "规则不能写入 {object}");
        return Err(Refusal::new("not_granted", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use trellis_model::{NewTask, ObjectName, RecordId};

    use super::*;

    #[test]
    fn rules_write_everything_but_who_may_do_what() {
        let id = RecordId(uuid::Uuid::from_u128(1));
        let set = |object: &str| Action::SetFields {
            object: ObjectName::new(object).unwrap(),
            id,
            fields: BTreeMap::new(),
        };
        let create = |object: &str| Action::CreateRecord {
            object: ObjectName::new(object).unwrap(),
            fields: BTreeMap::new(),
        };
        for object in ["user", "token", "rule"] {
            assert_eq!(for_rule(&set(object)).unwrap_err().code, "not_granted", "{object}");
            assert_eq!(for_rule(&create(object)).unwrap_err().code, "not_granted", "{object}");
        }
        assert_eq!(for_rule(&set("account")), Ok(()));
        assert_eq!(for_rule(&Action::CreateTask(NewTask::default())), Ok(()));
    }
}
