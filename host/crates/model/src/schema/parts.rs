//! What the checks of layouts, pipelines and quality have in common.

use std::collections::BTreeSet;

use super::{ObjectDefinition, SystemField};
use crate::{Filter, Path, Text, bilingual};

/// The first one that is there a second time.
pub(super) fn twice<T: Ord>(all: impl IntoIterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    for one in all {
        if seen.contains(&one) {
            return Some(one);
        }
        seen.insert(one);
    }
    None
}

/// Whether a path begins with a field, or is that of a derived one.
pub(super) fn is_readable(path: &Path, object: &ObjectDefinition) -> bool {
    path.0.first().is_some_and(|first| {
        let name = first.as_str();
        object.field(name).is_some() || SystemField::of(name).is_some() || path.is_derived()
    })
}

/// Whether the fields of a filter are there. What they are compared with is checked where it meets a record.
pub(super) fn check_filter(filter: &Filter, object: &ObjectDefinition) -> Result<(), Text> {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter().try_for_each(|filter| check_filter(filter, object))
        }
        Filter::Not(filter) => check_filter(filter, object),
        Filter::Compare { path, .. } if !is_readable(path, object) => {
            Err(bilingual!("its condition names `{path}`, which is no field", "条件中的 `{path}` 不是字段"))
        }
        Filter::Compare { .. } | Filter::Related(_) => Ok(()),
    }
}

impl ObjectDefinition {
    /// Checks its layouts, pipelines and quality.
    pub(super) fn validate_parts(&self) -> Result<(), Text> {
        if let Some(name) = twice(self.layouts.iter().map(|layout| &layout.name)) {
            return Err(bilingual!("layout `{name}` is there twice", "布局 `{name}` 重复"));
        }
        for layout in &self.layouts {
            let name = &layout.name;
            layout
                .validate(self)
                .map_err(|reason| bilingual!("layout `{name}`: ", "布局 `{name}`：").then(&reason))?;
        }
        if let Some(name) = twice(self.pipelines.iter().map(|pipeline| &pipeline.name)) {
            return Err(bilingual!("pipeline `{name}` is there twice", "流程 `{name}` 重复"));
        }
        for pipeline in &self.pipelines {
            let name = &pipeline.name;
            pipeline
                .validate(self)
                .map_err(|reason| bilingual!("pipeline `{name}`: ", "流程 `{name}`：").then(&reason))?;
        }
        if let Some(quality) = &self.quality {
            quality.validate(self).map_err(|reason| Text::new("quality: ", "数据质量：").then(&reason))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{
        ChoiceOption, FieldDefinition, FieldId, FieldType, Layout, ObjectId, Outcome, Pipeline, Quality,
        Section, Stage, StageTask,
    };
    use super::*;
    use crate::{FieldName, Sort};

    fn name(text: &str) -> FieldName {
        FieldName::new(text).unwrap()
    }

    /// An object with one valid part of each kind.
    fn deal() -> ObjectDefinition {
        let text = || FieldType::Text { characters_max: 100 };
        let option = |value: &str| ChoiceOption {
            value: value.into(),
            label: Text::new(value, value),
            retired: false,
        };
        let options = vec![option("open"), option("won")];
        let types = [
            ("name", text()),
            ("stage", FieldType::Choice { options }),
            ("since", FieldType::Time),
            ("percent", FieldType::Number),
            ("done", FieldType::List { of: Box::new(text()) }),
            ("closed_on", FieldType::Date),
        ];
        let fields = (1..).zip(types).map(|(number, (field, kind))| {
            FieldDefinition::new(FieldId(number), name(field), Text::new(field, field), kind)
        });
        let stage = |value: &str, outcome| Stage {
            value: value.into(),
            goal: Text::default(),
            tasks: Vec::new(),
            required: Vec::new(),
            probability: None,
            days_max: Some(7),
            outcome,
        };
        let call = StageTask { name: name("call"), label: Text::new("Call", "致电"), required: true };
        let mut object = ObjectDefinition::new(
            ObjectId(1),
            "deal".parse().unwrap(),
            "deals".parse().unwrap(),
            name("name"),
            fields.collect(),
        );
        object.pipelines = vec![Pipeline {
            name: name("sales"),
            label: Text::new("Sales", "销售"),
            stage: name("stage"),
            when: Some(Filter::parse(&json!({"field": "name", "op": "null", "value": false})).unwrap()),
            entered_at: Some(name("since")),
            probability: Some(name("percent")),
            tasks_done: Some(name("done")),
            closed_at: Some(name("closed_on")),
            stages: vec![
                Stage {
                    tasks: vec![call],
                    required: vec![name("name")],
                    probability: Some(50.0),
                    ..stage("open", Outcome::Open)
                },
                stage("won", Outcome::Won),
            ],
        }];
        object.layouts = vec![Layout {
            name: name("standard"),
            label: Text::new("Standard", "标准"),
            when: None,
            columns: ["name", "created_at", "segment.rfm"].map(|path| Path::parse(path).unwrap()).into(),
            sort: Sort::parse_list("-stage").unwrap(),
            sections: vec![Section {
                name: name("main"),
                label: Text::new("Main", "基本"),
                fields: vec![name("name"), name("stage")],
            }],
            related: Vec::new(),
        }];
        object.quality = Some(Quality { fields: vec![name("name")], fresh_days: 30 });
        object
    }

    #[test]
    fn parts_that_cannot_be_are_named() {
        deal().validate().unwrap();
        let check = |change: fn(&mut ObjectDefinition), expected: &str| {
            let mut object = deal();
            change(&mut object);
            let error = object.validate().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_ne!(error.text().en, error.text().zh_cn);
        };
        check(|o| o.pipelines[0].stage = name("name"), "pipeline `sales`: `name` is not a choice");
        check(|o| o.pipelines[0].stages.clear(), "there are no stages");
        check(|o| o.pipelines[0].entered_at = Some(name("name")), "`name` is not a time");
        check(|o| o.pipelines[0].probability = Some(name("since")), "`since` is not a number");
        check(|o| o.pipelines[0].tasks_done = Some(name("name")), "`name` is not a list of texts");
        check(|o| o.pipelines[0].closed_at = Some(name("nothing")), "`nothing` is not a date or time");
        check(|o| o.pipelines[0].stages[1].value = "open".into(), "stage `open` is there twice");
        check(
            |o| o.pipelines[0].stages[1].value = "gone".into(),
            "stage `gone`: it is not an option of `stage`",
        );
        check(
            |o| o.pipelines[0].stages[0].required.push(name("size")),
            "requires `size`, which is no field that anybody writes",
        );
        check(
            |o| o.pipelines[0].stages[0].probability = Some(100.5),
            "probability 100.5 is not within 0 to 100",
        );
        check(|o| o.pipelines[0].stages[0].days_max = Some(0), "days_max is 1 or more");
        check(|o| o.pipelines[0].tasks_done = None, "task `call` is required");
        check(
            |o| {
                let tasks = o.pipelines[0].stages[0].tasks.clone();
                o.pipelines[0].stages[1].tasks = tasks;
            },
            "task `call` is there twice",
        );
        check(|o| o.pipelines.extend_from_within(..), "pipeline `sales` is there twice");
        check(
            |o| {
                let colour = json!({"not": {"field": "colour", "op": "eq", "value": 1}});
                o.pipelines[0].when = Some(Filter::parse(&colour).unwrap());
            },
            "its condition names `colour`",
        );
        check(|o| o.layouts.extend_from_within(..), "layout `standard` is there twice");
        check(|o| o.layouts[0].columns.push(Path::parse("size").unwrap()), "column `size` is no field");
        check(|o| o.layouts[0].columns.push(Path::parse("segment").unwrap()), "column `segment` is no field");
        check(|o| o.layouts[0].sort = Sort::parse_list("size").unwrap(), "sorts by `size`");
        check(|o| o.layouts[0].sections.extend_from_within(..), "section `main` is there twice");
        check(|o| o.layouts[0].sections[0].fields.push(name("size")), "`size` in a section is no field");
        check(|o| o.layouts[0].sections[0].fields.push(name("name")), "field `name` is there twice");
        check(|o| o.quality.as_mut().unwrap().fields.clear(), "quality: no fields");
        check(|o| o.quality.as_mut().unwrap().fields.push(name("size")), "quality: `size` is no field");
        check(|o| o.quality.as_mut().unwrap().fields.push(name("name")), "`name` is there twice");
        check(|o| o.quality.as_mut().unwrap().fresh_days = 0, "fresh_days is 1 or more");
    }
}
