//! What a version of a plugin may see of what was known at a decision: no more than its plugin is granted by now.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{
    FieldName, LookupError, NamedRecord, ObjectName, RecordId, RowAccess, Scope, SystemField, bilingual,
};
use trellis_plugin_host::{Manifest, Occurrence, WorkItem};
use trellis_records::Schema;

use super::PluginInput;
use crate::{
    Error, Result,
    lookups::{Answer, Question, plugin_scope},
    plugins::{Grants, Hidden},
    run::{Withheld, configured},
};

/// What a version may see.
pub(crate) struct Sight<'a> {
    manifest: &'a Manifest,
    grants: &'a Grants,
    hidden: Hidden,
    /// What its look-ups see.
    scope: Scope,
    rows: Withheld,
}

impl<'a> Sight<'a> {
    pub(crate) fn of(
        manifest: &'a Manifest,
        config: &str,
        schema: &Schema,
        grants: &'a Grants,
    ) -> Result<Self> {
        let hidden = Hidden::of(&configured(manifest, config)?, schema, grants);
        let lookups = grants.lookups(manifest);
        let lookups = lookups.map(|lookup| (&lookup.object, hidden.shown(&lookup.object, &lookup.fields)));
        let scope = plugin_scope(lookups);
        let rows = Withheld::of(manifest, config, schema, grants)?;
        Ok(Self { manifest, grants, hidden, scope, rows })
    }

    /// Refuses to show a plugin again what it may not see any more: an answer to half of what was known says nothing.
    ///
    /// # Errors
    /// [`Error::InputsExpired`], which names it.
    pub(crate) fn check(
        &self,
        decision: RecordId,
        input: &PluginInput,
        answers: &BTreeMap<Question, Answer>,
    ) -> Result<()> {
        let mut withheld = self.of_input(input);
        answers.iter().for_each(|(question, answer)| withheld.extend(self.of_answer(question, answer)));
        if withheld.is_empty() {
            return Ok(());
        }
        let names = withheld.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let reason = bilingual!(
            "the plugin may not see {names} any more, which it saw then",
            "插件当时看到的 {names} 现已不允许其查看"
        );
        Err(Error::InputsExpired { run: decision, reason })
    }

    /// The answers that the version would have been given with its own look-ups, each as far as these see it.
    pub(crate) fn answers(&self, answers: BTreeMap<Question, Answer>) -> BTreeMap<Question, Answer> {
        let seen = |(question, answer): (Question, Answer)| {
            let answer = self.answer(question.object(), answer);
            (question, answer)
        };
        answers.into_iter().map(seen).collect()
    }

    fn answer(&self, object: &ObjectName, answer: Answer) -> Answer {
        let seen = self.scope.of(object);
        if seen.rows == RowAccess::Nothing {
            return match answer {
                Answer::Error(error) => Answer::Error(error),
                _ => Answer::Error(LookupError::Denied(object.to_string())),
            };
        }
        let narrowed = |mut record: NamedRecord| {
            record.fields.retain(|name, _| is_system(name) || seen.readable.contains(name));
            record
        };
        match answer {
            Answer::Record(record) => Answer::Record(record.map(narrowed)),
            Answer::Records(records) => Answer::Records(records.into_iter().map(narrowed).collect()),
            other => other,
        }
    }

    fn of_input(&self, input: &PluginInput) -> BTreeSet<String> {
        match input {
            PluginInput::Triage(item) | PluginInput::Suggest(item) | PluginInput::CloseCheck(item) => {
                self.of_item(item)
            }
            PluginInput::Event(item, occurrence) => {
                let mut withheld = self.of_item(item);
                if let Occurrence::Changed(fields) = occurrence {
                    withheld.extend(self.of_fields(&item.item.object, fields.keys()));
                }
                withheld
            }
            PluginInput::BeforeSave(change) => {
                let object = &change.after.object;
                let before = change.before.iter().flatten().map(|(name, _)| name);
                let fields = self.of_fields(object, change.after.fields.keys().chain(before));
                self.of_grant("judge", object).into_iter().chain(fields).collect()
            }
            PluginInput::Eligible { campaign, batch }
            | PluginInput::Variant { campaign, batch }
            | PluginInput::NextAction { campaign, batch } => {
                let fields = self.of_record("see", campaign);
                fields.into_iter().chain(self.rows.told_to_customers(batch)).collect()
            }
        }
    }

    fn of_item(&self, WorkItem { item, account }: &WorkItem) -> BTreeSet<String> {
        let account = account.iter().flat_map(|account| self.of_record("see", account));
        self.of_record("see", item).into_iter().chain(account).collect()
    }

    /// What is withheld of a record that is seen by a grant which begins with this word.
    fn of_record(&self, word: &str, record: &NamedRecord) -> Vec<String> {
        if record.fields.keys().all(is_system) {
            return Vec::new();
        }
        let fields = self.of_fields(&record.object, record.fields.keys());
        self.of_grant(word, &record.object).into_iter().chain(fields).collect()
    }

    fn of_grant(&self, word: &str, object: &ObjectName) -> Option<String> {
        let is_granted = self.grants.allow_any(&format!("{word}:{object}("));
        (!is_granted).then(|| object.to_string())
    }

    fn of_fields<'f>(&self, object: &ObjectName, fields: impl Iterator<Item = &'f FieldName>) -> Vec<String> {
        let hidden = fields.filter(|field| self.hidden.hides(object, field));
        hidden.map(|field| format!("{object}.{field}")).collect()
    }

    /// What is withheld of an answer to a look-up that the version declares. That a question names a field says something of it too.
    fn of_answer(&self, question: &Question, answer: &Answer) -> BTreeSet<String> {
        let object = question.object();
        let Some(declared) = self.manifest.lookups.iter().find(|lookup| lookup.object == *object) else {
            return BTreeSet::new();
        };
        if matches!(answer, Answer::Error(_)) {
            return BTreeSet::new();
        }
        let mut withheld: BTreeSet<String> = self.of_grant("read", object).into_iter().collect();
        if let Question::Find { filter, .. } | Question::Count { filter, .. } = question {
            let named = declared.fields.iter().filter(|field| filter.contains(&format!("\"{field}\"")));
            withheld.extend(self.of_fields(object, named));
        }
        let records: &[NamedRecord] = match answer {
            Answer::Record(record) => record.as_slice(),
            Answer::Records(records) => records,
            Answer::Count(_) | Answer::Error(_) => &[],
        };
        for record in records {
            withheld.extend(self.of_fields(object, record.fields.keys()));
        }
        withheld
    }
}

fn is_system(name: &FieldName) -> bool {
    SystemField::of(name.as_str()).is_some()
}
