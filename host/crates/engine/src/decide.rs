//! Rules, decisions and suggestions as the engine offers them.

use std::collections::{BTreeMap, HashMap};

use trellis_model::{Decider, FieldName, ObjectName, PluginId, RecordId, Text, Value};
use trellis_records::Caller;
use trellis_rules::Trigger;

use crate::{
    BrokenRule, Decision, DecisionPage, DecisionQuery, Engine, PluginSuggestion, Replay, Result, RuleDraft,
    RuleProblem, RuleTarget, RuleTest, actions, decisions, rules, suggest,
};

impl Engine {
    /// Up to `decisions_max` (at most 200) decisions, the newest first: those before `after`. Without a record, a page looks at up to 2,000
    /// decisions, so it may be short where more follow.
    ///
    /// # Errors
    /// [`crate::Error::Records`] for an unknown object, [`crate::Error::InvalidRequest`] for a record without an object,
    /// [`crate::Error::Damaged`] where a decision cannot be read.
    pub async fn decisions(
        &self,
        query: DecisionQuery,
        after: Option<RecordId>,
        decisions_max: usize,
    ) -> Result<DecisionPage> {
        decisions::list(&self.core.records, &query, after, decisions_max).await
    }

    /// A decision.
    ///
    /// # Errors
    /// [`crate::Error::Damaged`] where it cannot be read.
    pub async fn decision_get(&self, id: RecordId) -> Result<Option<Decision>> {
        decisions::get(&self.core.records, id).await
    }

    /// Makes a decision again from what was known then, by the same version of the plugin or the script as it was then. Changes nothing.
    ///
    /// # Errors
    /// [`crate::Error::UnknownDecision`], [`crate::Error::InputsExpired`] where its inputs were not kept or the plugin has another content
    /// now, [`crate::Error::Plugin`] where the plugin fails.
    pub async fn decision_replay(&self, id: RecordId) -> Result<Replay> {
        decisions::replay(&self.core, id).await
    }

    /// What the plugins are called that decided, by the digest of the component: also those that were removed since.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn decider_names(&self, decisions: &[Decision]) -> Result<HashMap<[u8; 32], Text>> {
        let mut names = HashMap::new();
        for decision in decisions {
            let Decider::Plugin { id, .. } = &decision.by else { continue };
            if names.contains_key(&decision.digest) {
                continue;
            }
            if let Some(name) = self.core.registry.name_of(id, &decision.digest).await? {
                names.insert(decision.digest, name);
            }
        }
        Ok(names)
    }

    /// Checks that a script can be a rule about an object.
    ///
    /// # Errors
    /// What is wrong with it, with line and column where they are known.
    pub async fn rule_check(&self, object: &str, trigger: Trigger, source: &str) -> Result<(), RuleProblem> {
        rules::check(&self.view(), self.core.rules.engine(), object, trigger, source).await
    }

    /// A stored rule, to try it out.
    ///
    /// # Errors
    /// [`crate::Error::Records`] where there is no such rule, [`crate::Error::InvalidRequest`] where its trigger is none of this host.
    pub async fn rule_draft(&self, caller: &Caller, id: RecordId) -> Result<RuleDraft> {
        rules::stored(&self.view(), caller, id).await
    }

    /// Runs a rule on a record as it would be with `changes`. Nothing is saved, and no save waits for it. What goes wrong within the rule is
    /// part of the answer.
    ///
    /// # Errors
    /// [`crate::Error::Records`] where there is no such object, record or field, or a value does not fit.
    pub async fn rule_test(
        &self,
        caller: &Caller,
        draft: RuleDraft,
        target: RuleTarget,
        changes: BTreeMap<FieldName, Option<Value>>,
    ) -> Result<RuleTest> {
        rules::test(&self.view(), self.core.rules.engine(), caller, draft, (target, changes)).await
    }

    /// The rules that are switched on and left out, because what they name is not there or their script does not compile.
    pub fn rules_broken(&self) -> Vec<BrokenRule> {
        self.core.rules.current().broken().to_vec()
    }

    /// What the enabled service workflows suggest to do about a record, the plugins by id, each one's best first. Writes nothing.
    ///
    /// # Errors
    /// [`crate::Error::Records`] where the caller does not see the record, [`crate::Error::Plugin`] where every plugin failed.
    pub async fn suggestions(
        &self,
        caller: &Caller,
        object: &ObjectName,
        id: RecordId,
    ) -> Result<Vec<PluginSuggestion>> {
        suggest::suggestions(&self.core, caller, object, id).await
    }

    /// Carries out what a service workflow suggests for a record now, for the caller: it may do what both the plugin was granted and the
    /// caller may do. An action that is refused is in the decision, with the reason.
    ///
    /// # Errors
    /// [`crate::Error::Records`] where the caller does not see the record, [`crate::Error::UnknownSuggestion`] where the plugin does not
    /// suggest that (any more), [`crate::Error::UnknownPlugin`], [`crate::Error::NotEnabled`], [`crate::Error::CannotRun`] where it does not
    /// guide the work on the object, [`crate::Error::Plugin`] where it fails.
    pub async fn suggestion_apply(
        &self,
        caller: &Caller,
        object: &ObjectName,
        id: RecordId,
        plugin: &PluginId,
        name: &str,
    ) -> Result<Decision> {
        actions::choose(&self.core, caller, object, id, (plugin, name)).await
    }

    /// Waits until rules and plugins have reacted to everything that is in the log, and to what came of that. Does not return while the
    /// store fails or others go on changing things: for tests and measurements.
    pub async fn reactions_settled(&self) {
        let mut reacted = self.core.reacted.subscribe();
        loop {
            let head = self.core.records.log_head();
            if reacted.wait_for(|reacted| *reacted >= head).await.is_err()
                || self.core.records.log_head() == head
            {
                return;
            }
        }
    }
}
