//! What a plugin brings besides code, tried on the schema of a new server before there is one: for its author.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use trellis_model::{NamedRecord, PluginId, Text, bilingual};
use trellis_records::{Caller, Records, SchemaApply, SchemaDocument, SystemClock, SystemIds, Written};
use trellis_rules::RuleEngine;
use trellis_storage::MemoryStore;

use super::rules::{RULE, RULES_MAX, creation, shipped};
use crate::rules::Draft;
use crate::{Result, RuleFormulas, RuleLimits};

/// Something that a server would refuse of what a plugin brings.
#[derive(Debug, Clone, PartialEq)]
pub struct PackProblem {
    /// In which part.
    pub part: PackPart,
    /// The line of a rule's script, from 1.
    pub line: Option<u32>,
    /// The character within it, from 1.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: Text,
}

/// A part of what a plugin brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackPart {
    /// Its objects and fields.
    Schema,
    /// The fields of this one of its rules, counted from 0.
    Rule(usize),
    /// The script of this one of its rules, counted from 0.
    Script(usize),
}

/// Tries what a plugin brings on a server that has the standard objects and nothing else. Rules are tried with its objects; where those are
/// refused, not at all.
///
/// # Errors
/// That the server cannot be made up; what is wrong with the plugin is no error of this function.
pub async fn check_pack(
    plugin: &PluginId,
    schema: Option<&Json>,
    rules: &[Map<String, Json>],
) -> Result<Vec<PackProblem>> {
    let store = Arc::new(MemoryStore::new());
    let ids = Arc::new(SystemIds::default());
    let records =
        Records::open(store, Arc::new(SystemClock), ids, trellis_records::Config::default()).await?;
    records.set_formulas(Arc::new(RuleFormulas::new(RuleLimits::default())));
    if let Some(schema) = schema {
        let refused = apply(&records, plugin, schema).await;
        if !refused.is_empty() {
            let problem = |message| PackProblem { part: PackPart::Schema, line: None, column: None, message };
            return Ok(refused.into_iter().map(problem).collect());
        }
    }
    let mut trial =
        Trial { records, plugin, engine: RuleEngine::new(RuleLimits::default()), seen: BTreeSet::new() };
    let mut problems = Vec::new();
    for (number, fields) in rules.iter().enumerate() {
        problems.extend(trial.rule(number, fields).await);
    }
    Ok(problems)
}

/// Adds what the document says; returns why that is refused.
async fn apply(records: &Records, plugin: &PluginId, schema: &Json) -> Vec<Text> {
    let apply = SchemaApply { pack: Some(plugin.clone()), ..SchemaApply::default() };
    let applied = match SchemaDocument::from_json(schema) {
        Ok(document) => records.schema_apply(&Caller::system("author"), &document, &apply).await.map(drop),
        Err(error) => Err(error),
    };
    match applied {
        Ok(()) => Vec::new(),
        Err(trellis_records::Error::SchemaRefused { reasons }) => reasons,
        Err(error) => vec![error.text()],
    }
}

/// Saves rules one after the other.
struct Trial<'a> {
    records: Arc<Records>,
    plugin: &'a PluginId,
    engine: RuleEngine,
    /// External ids of the rules so far.
    seen: BTreeSet<String>,
}

impl Trial<'_> {
    async fn rule(&mut self, number: usize, fields: &Map<String, Json>) -> Vec<PackProblem> {
        let of_fields =
            |message| PackProblem { part: PackPart::Rule(number), line: None, column: None, message };
        if number >= RULES_MAX {
            return vec![of_fields(bilingual!(
                "a plugin ships at most {RULES_MAX} rules",
                "一个插件最多附带 {RULES_MAX} 条规则"
            ))];
        }
        let draft = match self.draft(fields).await {
            Ok(draft) => draft,
            Err(message) => return vec![of_fields(message)],
        };
        let flaws = draft.flaws(&self.records.schema(), None).into_iter();
        let named = |flaw: &'static str, message: &Text| {
            Text::new(format!("`{flaw}`: {}", message.en), format!("`{flaw}`：{}", message.zh_cn))
        };
        let mut problems: Vec<_> = flaws.map(|flaw| of_fields(named(flaw.field, &flaw.message))).collect();
        if let Err(error) = self.engine.compile(&draft.source) {
            let (line, column, message) = (error.line, error.column, error.message);
            problems.push(PackProblem { part: PackPart::Script(number), line, column, message });
        }
        problems
    }

    /// The rule as its record would say it.
    async fn draft(&mut self, fields: &Map<String, Json>) -> Result<Draft, Text> {
        let (external_id, fields) = shipped(self.plugin, fields.clone()).map_err(|why| Text::new(why, ""))?;
        if !self.seen.insert(external_id.clone()) {
            return Err(bilingual!("there are two rules `{external_id}`", "规则 `{external_id}` 重复"));
        }
        let schema = self.records.schema();
        let unknown = || bilingual!("there is no object `{RULE}`", "对象 `{RULE}` 不存在");
        let rule = schema.object(RULE).ok_or_else(unknown)?;
        for (name, json) in &fields {
            let parsed = rule.field(name).map(|field| field.field_type.parse_json(json));
            if let Some(Err(error)) = parsed {
                let why = trellis_records::Error::from(error).text();
                return Err(Text::new(format!("`{name}`: {}", why.en), format!("`{name}`：{}", why.zh_cn)));
            }
        }
        let write = creation(rule, &external_id, fields, false).map_err(|error| match error {
            crate::Error::Records(error) => error.text(),
            other => Text::new(other.to_string(), ""),
        })?;
        let written = self.records.write_batch(&Caller::system("author"), vec![write]).await;
        let written =
            written.and_then(|mut written| written.pop().transpose()).map_err(|error| error.text())?;
        let named: Option<NamedRecord> = match &written {
            Some(Written::Created(record)) => schema.named(record),
            _ => None,
        };
        named.map(|record| Draft::of(&record)).ok_or_else(unknown)
    }
}
