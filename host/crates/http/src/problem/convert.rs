//! Errors of the crates below as problems: the one place where each gets its code, and where what nobody outside may see stays inside.

use serde_json::json;
use trellis_model::{Decider, Error as ModelError, FieldName, Language, Text};
use trellis_records::FieldError;

use super::{Code, FieldProblem, Problem};
use crate::handlers::duplicates::duplicates_json;

/// When to try again where a plugin or rule could not decide.
const UNAVAILABLE_RETRY_SECONDS: u16 = 5;

impl From<trellis_records::Error> for Problem {
    fn from(error: trellis_records::Error) -> Self {
        use trellis_records::Error as E;
        let text = error.text();
        match error {
            E::NotFound { object, id } => Self::not_found(object.as_str(), id),
            E::UnknownObject { name } => Self::not_found("object", name),
            E::UnknownField { field, .. } => Self::new(Code::UnknownField).field(field, "unknown_field", text),
            E::Invalid(errors) => Self::new(Code::ValidationError).fields(errors.into_iter().map(FieldProblem::from)),
            E::FieldDenied { field, .. } => Self::forbidden(&format!("write:{field}")).detail_text(text),
            E::OutOfScope { .. } => Self::forbidden("write").detail_text(text),
            E::Duplicate { object, field, holder, .. } => Self::new(Code::Duplicate)
                .detail_text(text.clone())
                .field(field.as_str(), "duplicate", text)
                .member("duplicates", json!([{ "object": object.as_str(), "id": holder.to_string(), "matched_on": [field.as_str()] }])),
            E::DuplicateSuspected { object, duplicates } => Self::suspected(&object, &duplicates).detail_text(text),
            E::Merged { into, .. } => {
                Self::new(Code::Merged).detail_text(text).member("merged_into", into.to_string())
            }
            E::Merge(_) => Self::new(Code::ValidationError).detail_text(text),
            E::VersionConflict { found, .. } => Self::version_conflict(found.version).detail_text(text),
            E::Veto { by, code, reason, field, unavailable } => {
                Self::veto(*by, code, reason, field.as_ref(), unavailable)
            }
            E::AppendOnly { .. } => Self::new(Code::AppendOnly).detail_text(text),
            E::TooDeep { .. } | E::TooMany { .. } => Self::new(Code::ValidationError).detail_text(text),
            E::Query(_) => Self::new(Code::BadQuery).detail_text(text),
            E::NotDone { .. } => Self::new(Code::NotDone).detail_text(text),
            E::Contended { .. } => Self::new(Code::Overloaded).detail_text(text).retry_after(1),
            E::HistoryExpired { .. } => Self::new(Code::HistoryExpired).detail_text(text),
            E::UnknownEntry { number } => Self::not_found("log entry", number),
            E::Definition { .. } => Self::new(Code::SchemaRefused).detail_text(text),
            E::SchemaRefused { reasons } => {
                let reason = |message: Text| FieldProblem { field: String::new(), code: "refused", message };
                Self::new(Code::SchemaRefused).detail_text(text).fields(reasons.into_iter().map(reason))
            }
            E::SchemaUnconfirmed { steps } => {
                let step = |message: Text| FieldProblem { field: String::new(), code: "destructive", message };
                Self::new(Code::SchemaUnconfirmed).detail_text(text).fields(steps.into_iter().map(step))
            }
            E::SchemaVersionConflict { found, .. } => Self::version_conflict(found).detail_text(text),
            E::Retired { .. } => Self::new(Code::Retired).detail_text(text),
            E::Model(error) => error.into(),
            E::Storage(error) => error.into(),
            E::SearchUnavailable => Self::new(Code::NotReady).detail_text(text).retry_after(5),
            error => Self::internal(&error),
        }
    }
}

impl Problem {
    /// A record that looks like others.
    fn suspected(object: &trellis_model::ObjectName, duplicates: &[trellis_records::DuplicateMatch]) -> Self {
        let mut named = duplicates_json(duplicates);
        for one in named.as_array_mut().into_iter().flatten().filter_map(serde_json::Value::as_object_mut) {
            one.insert("object".into(), json!(object.as_str()));
        }
        Self::new(Code::Duplicate).member("duplicates", named)
    }
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::InvalidDefinition { .. } => Self::new(Code::SchemaRefused).detail_text(error.text()),
            error => Self::new(Code::BadQuery).detail_text(error.text()),
        }
    }
}

impl From<trellis_storage::Error> for Problem {
    fn from(error: trellis_storage::Error) -> Self {
        use trellis_storage::Error as E;
        match error {
            E::DiskFull { .. } => Self::new(Code::DiskFull).cause(&error),
            E::Stopped { .. } => Self::new(Code::NotReady).cause(&error),
            E::PreconditionFailed { .. } => Self::new(Code::Overloaded).cause(&error).retry_after(1),
            error => Self::internal(&error),
        }
    }
}

impl From<trellis_transfer::import::Error> for Problem {
    fn from(error: trellis_transfer::import::Error) -> Self {
        use trellis_transfer::import::Error as E;
        let (code, text) = (error.code(), error.text());
        let part = match error {
            E::Mapping { .. } | E::MappingSyntax { .. } => "map",
            E::Header { .. } | E::TooMany { .. } | E::FileTooLarge { .. } | E::UnpackedTooLarge { .. } => {
                "file"
            }
            E::Records(error) => return error.into(),
            error => return Self::internal(&error),
        };
        Self::new(Code::ValidationError).detail_text(text.clone()).field(part, code, text)
    }
}

impl From<trellis_access::Error> for Problem {
    fn from(error: trellis_access::Error) -> Self {
        use trellis_access::Error as E;
        let en = error.to_string();
        let invalid = |field, code, message| Self::new(Code::ValidationError).field(field, code, message);
        match error {
            E::NoSuchUser { user } => {
                invalid("user", "unknown_reference", Text::new(en, format!("用户 {user} 不存在或未启用")))
            }
            E::NoSuchToken { id } => Self::not_found("token", id),
            E::InvalidLabel { label, characters_max } => {
                let zh = format!("`{label}` 不是有效的标签：1 到 {characters_max} 个字符，不含控制字符");
                invalid("label", "invalid", Text::new(en, zh))
            }
            E::ExpiresInPast => invalid("expires_at", "in_past", Text::new(en, "令牌的到期时间不能早于现在")),
            E::TooManyTokens { user, tokens_max } => {
                let zh = format!("用户 {user} 已有 {tokens_max} 个令牌，达到上限，请先撤销一个");
                Self::new(Code::Conflict).detail_in_both(en, zh)
            }
            E::Records(error) => error.into(),
            E::Storage(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<trellis_columns::Error> for Problem {
    fn from(error: trellis_columns::Error) -> Self {
        use trellis_columns::Error as E;
        match error {
            E::UnknownSegmentation { name } => Self::not_found("segmentation", name),
            E::UnknownScore { name } => Self::not_found("score", name),
            E::UnknownValue { segmentation, value } => {
                Self::not_found(&format!("value of segmentation `{segmentation}`:"), value)
            }
            E::InvalidSegmentation { .. } => Self::new(Code::ValidationError).detail_text(error.text()),
            E::FlipConflict { .. } | E::NothingEarlier { .. } | E::NameTaken { .. } => {
                Self::new(Code::Conflict).detail_text(error.text())
            }
            E::Records(error) => error.into(),
            E::Storage(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<trellis_transfer::export::Error> for Problem {
    fn from(error: trellis_transfer::export::Error) -> Self {
        use trellis_transfer::export::Error as E;
        match error {
            E::Spec(text) => Self::new(Code::ValidationError).detail_text(text),
            E::Records(error) => error.into(),
            E::Workbook(_) => Self::new(Code::ValidationError).detail(error.to_string()),
            E::Cancelled => Self::new(Code::Conflict).detail(error.to_string()),
            error => Self::internal(&error),
        }
    }
}

impl From<trellis_engine::Error> for Problem {
    fn from(error: trellis_engine::Error) -> Self {
        use trellis_engine::Error as E;
        let message = error.text();
        let code = match error {
            E::UnknownJob { id } => return Self::not_found("job", id),
            E::UnknownImport { id } => return Self::not_found("import", id),
            E::UnknownPlugin { id } => return Self::not_found("plugin", id),
            E::UnknownRun { run, .. } => return Self::not_found("run", run),
            E::UnknownDecision { id } => return Self::not_found("decision", id),
            E::UnknownSuggestion { plugin, name, .. } => {
                return Self::not_found(&format!("suggestion of plugin `{plugin}`:"), name);
            }
            E::InputsExpired { reason, .. } => return Self::new(Code::InputsExpired).detail_text(reason),
            E::UnknownModel { model, .. } => return Self::not_found("model", model),
            E::NoModel { plugin } => return Self::not_found("model in use of plugin", plugin),
            E::UnknownAnalysis { analysis, .. } => return Self::not_found("analysis", analysis),
            E::UnknownAnalysisResult { result, .. } => return Self::not_found("result", result),
            E::InvalidParameters { problems, .. } => return wrong_parameters(problems).detail_text(message),
            E::AnswerTooLarge { .. } | E::NotCopied { .. } => Code::PluginCannotRun,
            E::ModelExpired { .. } => Code::ModelExpired,
            E::ModelPinned { model, .. } => {
                return Self::new(Code::ModelPinned).detail_text(message).member("model", model);
            }
            E::ModelIncompatible { .. } => Code::ModelIncompatible,
            E::NoShadow { plugin } => return Self::not_found("shadow of plugin", plugin),
            E::PromotionRefused { against, figures, .. } => return not_promoted(&against, *figures),
            E::UnknownVersion { .. } => Code::NotFound,
            E::NoExplanation { .. } => Code::NoExplanation,
            E::InvalidSegmentation { field, .. } => {
                return Self::new(Code::ValidationError).field(field, "invalid", message);
            }
            E::SegmentationInUse { .. } => Code::Conflict,
            E::VersionExists { .. } => Code::PluginVersionExists,
            E::NotEnabled { .. } => Code::PluginNotEnabled,
            E::Broken { .. } => Code::PluginBroken,
            E::InvalidSettings { .. } => Code::PluginSettingsInvalid,
            E::CannotRun { .. } => Code::PluginCannotRun,
            E::GrantsNeeded { requests, .. } => {
                let field = |request: trellis_engine::Request| FieldProblem {
                    field: request.grant,
                    code: "not_granted",
                    message: request.text,
                };
                let requests = requests.into_iter().map(field);
                return Self::new(Code::PluginGrantsNeeded).detail_text(message).fields(requests);
            }
            E::SelfTestsFailed { .. } => Code::PluginTestsFailed,
            E::NothingEarlier { .. } | E::Superseded { .. } => Code::Conflict,
            E::InUse { .. } => Code::PluginInUse,
            E::InvalidPack { .. } => Code::PluginRefused,
            E::Busy { job, .. } => {
                return Self::new(Code::PluginBusy).detail_text(message).member("job", job.to_string());
            }
            E::QueueFull { .. } => return Self::new(Code::TooManyJobs).detail_text(message).retry_after(5),
            E::InvalidRequest { .. } => Code::ValidationError,
            E::Cancelled | E::JobNotEnded { .. } => Code::Conflict,
            E::Stopping => Code::Stopping,
            E::Plugin(_) => match error.code() {
                "plugin_fault" => Code::PluginFault,
                "plugin_error" => Code::PluginError,
                "plugin_busy" => Code::PluginBusy,
                "plugin_unavailable" => {
                    return Self::new(Code::PluginUnavailable).detail_text(message).retry_after(5);
                }
                "cancelled" => Code::Conflict,
                "plugin_refused" => Code::PluginRefused,
                _ => return Self::internal(&error),
            },
            E::Records(error) => return error.into(),
            E::Import(error) => return error.into(),
            E::Export(error) => return error.into(),
            E::Columns(error) => return error.into(),
            E::Storage(error) => return error.into(),
            error => return Self::internal(&error),
        };
        Self::new(code).detail_text(message)
    }
}

/// What is said with a question, and what is wrong with it.
fn wrong_parameters(problems: Vec<(String, Text)>) -> Problem {
    let field = |(name, message): (String, Text)| {
        let field = if name.is_empty() { "parameters".to_owned() } else { format!("parameters.{name}") };
        FieldProblem { field, code: "invalid", message }
    };
    Problem::new(Code::ValidationError).fields(problems.into_iter().map(field))
}

/// Every reason against a promotion, with the figures that it rests on.
fn not_promoted(against: &[Text], figures: serde_json::Value) -> Problem {
    let joined = |language| {
        against.iter().map(|reason| reason.get(language)).collect::<Vec<_>>().join(match language {
            Language::En => "; ",
            Language::ZhCn => "；",
        })
    };
    let detail = Text::new(joined(Language::En), joined(Language::ZhCn));
    Problem::new(Code::PromotionRefused).detail_text(detail).member("figures", figures)
}

impl Problem {
    /// Somebody else changed the record, which is now at version `current`.
    pub(crate) fn version_conflict(current: u64) -> Self {
        Self::new(Code::VersionConflict).member("current_version", current)
    }
}

impl Problem {
    /// A plugin or rule refused a change, or could not decide.
    fn veto(
        by: Decider,
        reason_code: String,
        reason: Text,
        field: Option<&FieldName>,
        unavailable: bool,
    ) -> Self {
        let both = |text: &Text| json!({ "en": text.en, "zh-CN": text.get(Language::ZhCn) });
        let code = match &by {
            _ if unavailable => Code::PluginUnavailable,
            Decider::Plugin { .. } => Code::PluginVeto,
            Decider::Rule { .. } => Code::RuleVeto,
        };
        let mut problem = Self::new(code).member("reason", both(&reason)).member("reason_code", reason_code);
        problem = match by {
            Decider::Plugin { id, version } => {
                problem.member("plugin", id.to_string()).member("version", version)
            }
            Decider::Rule { id, version, name } => problem
                .member("rule", id.to_string())
                .member("rule_name", both(&name))
                .member("version", version),
        };
        if let Some(field) = field {
            problem = problem.member("field", field.as_str()).field(field.as_str(), "veto", reason.clone());
        }
        if unavailable {
            problem = problem.retry_after(UNAVAILABLE_RETRY_SECONDS);
        }
        problem.detail_text(reason)
    }
}

impl From<FieldError> for FieldProblem {
    fn from(error: FieldError) -> Self {
        Self { field: error.field.to_string(), code: error.code, message: error.message }
    }
}

/// The code of what is wrong with the value of a field.
pub(crate) fn field_code(error: &ModelError) -> &'static str {
    match error {
        ModelError::UnknownOption { .. } => "unknown_option",
        ModelError::TextTooLong { .. } => "too_long",
        ModelError::WrongType { .. } => "invalid_type",
        _ => "invalid",
    }
}
