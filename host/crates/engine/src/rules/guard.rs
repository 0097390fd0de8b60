//! Refuses rules that cannot run, when they are saved.

use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use trellis_model::{Decider, FieldId, FieldName, NamedRecord, ObjectId, Value, bilingual};
use trellis_records::{Proposed, SaveContext, SaveHook, Veto};

use super::draft::{Draft, Flaw};
use crate::{core::Core, hooks};

/// Checks rules when they are saved, and counts the versions of their scripts.
#[derive(Debug)]
pub(crate) struct RuleGuard {
    core: Weak<Core>,
    object: ObjectId,
    source: FieldId,
    version: FieldId,
}

impl RuleGuard {
    /// The guard of the rules; `None` where the schema has no such object.
    pub(crate) fn new(core: &Arc<Core>) -> Option<Self> {
        let schema = core.records.schema();
        let rule = schema.object(super::book::OBJECT)?;
        let field = |name: &str| rule.field(name).map(|field| field.id);
        Some(Self {
            core: Arc::downgrade(core),
            object: rule.id,
            source: field("source")?,
            version: field("source_version")?,
        })
    }

    async fn check(&self, context: &SaveContext, rows: &mut [Proposed]) -> Result<(), Vec<Veto>> {
        let Some(core) = self.core.upgrade() else { return Ok(()) };
        let mut vetoes = Vec::new();
        for (number, row) in rows.iter_mut().enumerate() {
            self.count_version(row);
            let schema = core.records.schema();
            let Some(record) = schema.named(&hooks::record(row, context.now_ms())) else { continue };
            let draft = Draft::of(&record);
            for flaw in self.flaws(&core, &draft, row).await {
                vetoes.push(veto(&record, &draft, number, flaw));
            }
        }
        if vetoes.is_empty() { Ok(()) } else { Err(vetoes) }
    }

    /// A script that was changed gets the next version, whatever the caller wrote.
    fn count_version(&self, row: &mut Proposed) {
        let stored = |field: FieldId| row.before.as_ref().and_then(|before| before.fields.get(&field));
        let before = match stored(self.version) {
            Some(Value::Integer(version)) => *version,
            _ => 0,
        };
        let changed = row.before.is_none() || stored(self.source) != row.fields.get(&self.source);
        let version = if changed { before.saturating_add(1) } else { before.max(1) };
        row.fields.insert(self.version, Value::Integer(version));
    }

    async fn flaws(&self, core: &Arc<Core>, draft: &Draft, row: &Proposed) -> Vec<Flaw> {
        let mut flaws = draft.flaws(&core.records.schema(), None);
        flaws.extend(unknown_watched(core, draft));
        let (book, source) = (Arc::clone(&core.rules), draft.source.clone());
        let compiled = tokio::task::spawn_blocking(move || book.engine().compile(&source).map(drop)).await;
        let problem = match compiled {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.text()),
            Err(error) => Some(bilingual!("cannot be compiled: {error}", "无法编译：{error}")),
        };
        flaws.extend(problem.map(|message| Flaw { field: "source", code: "script-error", message }));
        flaws.extend(too_many(core, draft, row).await);
        flaws
    }
}

/// As many rules may be switched on as are read at start. Saves of rules side by side may go one over it each.
async fn too_many(core: &Core, draft: &Draft, row: &Proposed) -> Option<Flaw> {
    let rules = core.rules.fresh().await.unwrap_or_else(|_| core.rules.current());
    let (count, max) = (rules.count(), core.rules.enabled_max());
    (draft.enabled && !rules.is_enabled(row.id) && count >= max).then(|| Flaw {
        field: "enabled",
        code: "too-many-rules",
        message: bilingual!(
            "{count} rules are switched on, at most {max} may (`engine.rules_enabled_max`)",
            "已启用 {count} 条规则，最多 {max} 条（`engine.rules_enabled_max`）"
        ),
    })
}

/// What a rule watches has to be there once it is switched on, or be an output of an installed plugin that has not run yet.
fn unknown_watched(core: &Core, draft: &Draft) -> Option<Flaw> {
    if !draft.enabled {
        return None;
    }
    let name = draft.watches.as_deref().and_then(|watches| watches.split_once('.')).map(|(_, name)| name)?;
    if core.registry.puts_out(name) {
        return None;
    }
    let flaws = draft.flaws(&core.records.schema(), Some(&core.columns));
    flaws.into_iter().find(|flaw| flaw.code == "unknown-watched")
}

fn veto(record: &NamedRecord, draft: &Draft, row: usize, flaw: Flaw) -> Veto {
    Veto {
        by: Decider::Rule { id: record.id, version: draft.version, name: draft.name.clone() },
        code: flaw.code.to_owned(),
        reason: flaw.message,
        field: FieldName::new(flaw.field).ok(),
        unavailable: false,
        row,
    }
}

impl SaveHook for RuleGuard {
    fn concerns(&self, object: ObjectId) -> bool {
        object == self.object
    }

    fn before_save<'a>(
        &'a self,
        context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        Box::pin(self.check(context, proposed))
    }
}
