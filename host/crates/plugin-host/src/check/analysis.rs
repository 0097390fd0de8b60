//! Checks what `analysis` returns.

use super::{Check, is_name, unique};
use crate::manifest::ConfigSchema;
use crate::{AnalysisDescription, Manifest, plain};

/// Questions of one plugin.
const ANALYSES_MAX: usize = 100;
/// Bytes of the schema of a question's parameters.
const PARAMETERS_BYTES_MAX: usize = 64 << 10;
/// Bytes of a label.
const LABEL_BYTES_MAX: usize = 1 << 10;
/// Bytes of a description.
const DESCRIPTION_BYTES_MAX: usize = 64 << 10;
/// Further facts of one question.
const EXTRA_MAX: usize = 20;
/// Bytes of a further fact, its name included.
const EXTRA_BYTES_MAX: usize = 1 << 10;
/// Characters of a name in a message: it is not checked yet.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// Checks what `describe` returned.
pub(crate) fn descriptions(descriptions: &[AnalysisDescription], manifest: &Manifest) -> Check {
    if descriptions.len() > ANALYSES_MAX {
        return Err(format!("{} analyses, at most {ANALYSES_MAX}", descriptions.len()));
    }
    unique("analysis", descriptions.iter().map(|description| description.name.as_str()))?;
    for AnalysisDescription { name, label, description, dataset, extra, .. } in descriptions {
        let shown = plain::line(name, SHOWN_CHARACTERS_MAX);
        if !is_name(name, false) {
            let form = "is not of the form [a-z][a-z0-9_]*, at most 40 characters";
            return Err(format!("analysis `{shown}` {form}"));
        }
        if label.en.is_empty() {
            return Err(format!("analysis `{shown}` has no label"));
        }
        let bounded = |what: &str, bytes: usize, bytes_max: usize| match bytes > bytes_max {
            true => Err(format!("analysis `{shown}`: {what} of {bytes} bytes, at most {bytes_max}")),
            false => Ok(()),
        };
        // Both languages are stored with each answer.
        bounded("a label", label.en.len().max(label.zh_cn.len()), LABEL_BYTES_MAX)?;
        let longest = description.en.len().max(description.zh_cn.len());
        bounded("a description", longest, DESCRIPTION_BYTES_MAX)?;
        if extra.len() > EXTRA_MAX {
            return Err(format!("analysis `{shown}`: {} further facts, at most {EXTRA_MAX}", extra.len()));
        }
        let longest = extra.iter().map(|(name, value)| name.len() + value.len()).max().unwrap_or_default();
        bounded("a further fact", longest, EXTRA_BYTES_MAX)?;
        if let Some(dataset) = dataset.as_deref().filter(|dataset| manifest.dataset(dataset).is_none()) {
            let dataset = plain::line(dataset, SHOWN_CHARACTERS_MAX);
            return Err(format!("analysis `{shown}`: plugin.toml declares no dataset `{dataset}`"));
        }
    }
    Ok(())
}

/// Reads the schema of a question's parameters; without one there are none.
pub(crate) fn parameters(name: &str, json: &str) -> Check<ConfigSchema> {
    let wrong = |reason: String| {
        format!("analysis `{}`: parameters: {reason}", plain::line(name, SHOWN_CHARACTERS_MAX))
    };
    if json.is_empty() {
        return ConfigSchema::new(None).map_err(|(path, reason)| wrong(format!("{path}: {reason}")));
    }
    if json.len() > PARAMETERS_BYTES_MAX {
        return Err(wrong(format!("a schema of {} bytes, at most {PARAMETERS_BYTES_MAX}", json.len())));
    }
    let schema = serde_json::from_str(json).map_err(|error| wrong(format!("no JSON: {error}")))?;
    ConfigSchema::new(Some(schema)).map_err(|(path, reason)| {
        wrong(plain::line(&format!("{path}: {reason}"), plain::REASON_CHARACTERS_MAX))
    })
}

#[cfg(test)]
mod tests {
    use trellis_model::Text;

    use super::*;

    fn manifest() -> Manifest {
        let text = r#"
            id = "sales-figures"
            version = "1.0.0"
            wit = "1.0.0"
            provides = ["analysis"]
            name = { en = "Sales figures" }
            [[datasets]]
            name = "customers"
            kind = "per-customer"
            object = "account"
            columns = [{ name = "orders", from = "order", aggregate = "count", time = "ordered_on" }]
        "#;
        Manifest::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn named(name: &str) -> AnalysisDescription {
        AnalysisDescription {
            name: name.to_owned(),
            label: Text::new("Orders", "订单"),
            description: Text::default(),
            dataset: Some("customers".to_owned()),
            parameters: parameters(name, "").unwrap(),
            extra: Vec::new(),
        }
    }

    #[track_caller]
    fn refused(described: &[AnalysisDescription], expected: &str) {
        let reason = descriptions(described, &manifest()).unwrap_err();
        assert!(reason.contains(expected), "{reason}");
    }

    #[test]
    fn descriptions_name_datasets_that_are_declared() {
        assert_eq!(descriptions(&[named("volume"), named("trend")], &manifest()), Ok(()));
        let dataset = Some("orders".to_owned());
        refused(&[AnalysisDescription { dataset, ..named("volume") }], "declares no dataset `orders`");
    }

    #[test]
    fn names_and_labels_are_checked() {
        refused(&[named("volume"), named("volume")], "analysis `volume` is there twice");
        refused(&[named("Volume")], "`Volume` is not of the form");
        refused(&[AnalysisDescription { label: Text::default(), ..named("volume") }], "has no label");
        let many: Vec<_> = (0..=ANALYSES_MAX).map(|number| named(&format!("a{number}"))).collect();
        refused(&many, "101 analyses, at most 100");
    }

    #[test]
    fn what_is_said_of_a_question_is_bounded() {
        let longest =
            AnalysisDescription { label: Text::new("x".repeat(1_024), "订单"), ..named("volume") };
        assert_eq!(descriptions(std::slice::from_ref(&longest), &manifest()), Ok(()));
        let label = Text::new("Orders", "x".repeat(1_025));
        refused(&[AnalysisDescription { label, ..named("volume") }], "a label of 1025 bytes, at most 1024");
        let description = Text::new("x".repeat(65_537), "");
        refused(
            &[AnalysisDescription { description, ..named("volume") }],
            "a description of 65537 bytes, at most 65536",
        );
        let extra = vec![("a".to_owned(), "x".repeat(1_024))];
        refused(&[AnalysisDescription { extra, ..named("volume") }], "a further fact of 1025 bytes");
        let extra = vec![(String::new(), String::new()); 21];
        refused(&[AnalysisDescription { extra, ..named("volume") }], "21 further facts, at most 20");
    }

    #[test]
    fn parameters_are_a_schema_that_the_host_checks() {
        let schema = r#"{"type":"object","properties":{"weeks":{"type":"integer","default":4,"minimum":1}}}"#;
        let parameters_of_schema = parameters("trend", schema).unwrap();
        assert_eq!(
            parameters_of_schema.with_defaults(serde_json::json!({})),
            serde_json::json!({ "weeks": 4 })
        );
        let wrong = |json: &str| parameters("trend", json).unwrap_err();
        assert!(wrong("{").contains("analysis `trend`: parameters: no JSON"), "{}", wrong("{"));
        let unknown = wrong(r#"{"type":"object","pattern":"x"}"#);
        assert!(unknown.contains(".pattern: is not a keyword"), "{unknown}");
        let long = format!("\"{}\"", "x".repeat(PARAMETERS_BYTES_MAX));
        assert!(wrong(&long).contains("at most 65536"));
    }
}
