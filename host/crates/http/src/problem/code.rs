//! Every code that a problem can have. A code never changes its meaning; each has a page that ships with the server.

use axum::http::StatusCode;
use trellis_model::Language;

macro_rules! codes {
    ($($variant:ident $code:literal $status:ident $en:literal $zh:literal $page:literal)*) => {
        /// What went wrong, in a word that clients may compare.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code {
            $($variant,)*
        }

        impl Code {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it stands in a problem: `VALIDATION_ERROR`.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            pub(crate) fn title(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, Language::En) => $en, (Self::$variant, Language::ZhCn) => $zh,)*
                }
            }

            /// The page about it, in Markdown: cause and fix.
            pub(crate) fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../../../../docs/errors/", $page, ".md")),)* }
            }

            /// The last part of its page's address: the code in lower case.
            pub(crate) fn slug(self) -> &'static str {
                match self { $(Self::$variant => $page,)* }
            }
        }
    };
}

codes! {
    BadJson "BAD_JSON" BAD_REQUEST "The body is not the expected JSON" "请求体不是预期的 JSON" "bad_json"
    BadUpload "BAD_UPLOAD" BAD_REQUEST "The upload cannot be read" "无法读取上传内容" "bad_upload"
    BadQuery "BAD_QUERY" BAD_REQUEST "The query is wrong" "查询有误" "bad_query"
    UnknownField "UNKNOWN_FIELD" BAD_REQUEST "Unknown field" "未知字段" "unknown_field"
    BadHeader "BAD_HEADER" BAD_REQUEST "A header is wrong" "请求头有误" "bad_header"
    Unauthenticated "UNAUTHENTICATED" UNAUTHORIZED "A token is needed" "需要令牌" "unauthenticated"
    InvalidToken "INVALID_TOKEN" UNAUTHORIZED "The token is not valid" "令牌无效" "invalid_token"
    Forbidden "FORBIDDEN" FORBIDDEN "Not allowed" "没有权限" "forbidden"
    NotFound "NOT_FOUND" NOT_FOUND "Not found" "未找到" "not_found"
    UnknownRoute "UNKNOWN_ROUTE" NOT_FOUND "No such address" "地址不存在" "unknown_route"
    MethodNotAllowed "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED "This address does not take this method" "该地址不支持此方法" "method_not_allowed"
    Duplicate "DUPLICATE" CONFLICT "Another record has this value" "已有记录使用该值" "duplicate"
    Merged "MERGED" CONFLICT "The record was merged into another" "记录已并入其他记录" "merged"
    Conflict "CONFLICT" CONFLICT "Not possible in the current state" "当前状态不允许此操作" "conflict"
    InputsExpired "INPUTS_EXPIRED" GONE "The inputs are no longer kept" "输入数据已不再保留" "inputs_expired"
    HistoryExpired "HISTORY_EXPIRED" GONE "The log no longer tells" "日志已不再保留" "history_expired"
    HistoryRestarted "HISTORY_RESTARTED" GONE "The history started anew" "历史已重新开始" "history_restarted"
    VersionConflict "VERSION_CONFLICT" PRECONDITION_FAILED "Somebody else changed the record" "记录已被他人修改" "version_conflict"
    BodyTooLarge "BODY_TOO_LARGE" PAYLOAD_TOO_LARGE "The body is too large" "请求体过大" "body_too_large"
    UriTooLong "URI_TOO_LONG" URI_TOO_LONG "The address is too long" "地址过长" "uri_too_long"
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE "The content type is not taken here" "不支持该内容类型" "unsupported_media_type"
    BatchRefused "BATCH_REFUSED" UNPROCESSABLE_ENTITY "Nothing of the batch was done" "批量操作未执行" "batch_refused"
    NotDone "NOT_DONE" FAILED_DEPENDENCY "Not done because of another operation" "因其他操作被拒绝而未执行" "not_done"
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" UNPROCESSABLE_ENTITY "The key belongs to another request" "该幂等键属于另一个请求" "idempotency_key_reused"
    IdempotencyInProgress "IDEMPOTENCY_IN_PROGRESS" CONFLICT "The same request is being answered" "相同的请求正在处理" "idempotency_in_progress"
    ValidationError "VALIDATION_ERROR" UNPROCESSABLE_ENTITY "Validation failed" "校验未通过" "validation_error"
    SchemaRefused "SCHEMA_REFUSED" UNPROCESSABLE_ENTITY "The schema cannot change so" "无法这样更改结构" "schema_refused"
    SchemaUnconfirmed "SCHEMA_UNCONFIRMED" CONFLICT "The change of the schema needs to be confirmed" "此结构变更需要确认" "schema_unconfirmed"
    Retired "RETIRED" UNPROCESSABLE_ENTITY "The object is out of use" "该对象已停用" "retired"
    AppendOnly "APPEND_ONLY" UNPROCESSABLE_ENTITY "Records of this object are never changed" "该对象的记录不可修改" "append_only"
    PluginVeto "PLUGIN_VETO" UNPROCESSABLE_ENTITY "A plugin refused the change" "插件拒绝了此更改" "plugin_veto"
    RuleVeto "RULE_VETO" UNPROCESSABLE_ENTITY "A rule refused the change" "规则拒绝了此更改" "rule_veto"
    PluginUnavailable "PLUGIN_UNAVAILABLE" SERVICE_UNAVAILABLE "A plugin or rule that has to agree cannot answer" "必须经其同意的插件或规则无法应答" "plugin_unavailable"
    PluginRefused "PLUGIN_REFUSED" UNPROCESSABLE_ENTITY "The plugin was refused" "插件未被接受" "plugin_refused"
    PluginFault "PLUGIN_FAULT" UNPROCESSABLE_ENTITY "The plugin failed" "插件运行失败" "plugin_fault"
    PluginError "PLUGIN_ERROR" UNPROCESSABLE_ENTITY "The plugin cannot answer" "插件无法给出结果" "plugin_error"
    PluginVersionExists "PLUGIN_VERSION_EXISTS" CONFLICT "This version is installed with other content" "该版本已安装且内容不同" "plugin_version_exists"
    PluginNotEnabled "PLUGIN_NOT_ENABLED" CONFLICT "The plugin is not enabled" "插件未启用" "plugin_not_enabled"
    PluginBroken "PLUGIN_BROKEN" CONFLICT "The plugin is broken" "插件已损坏" "plugin_broken"
    PluginBusy "PLUGIN_BUSY" CONFLICT "The plugin is running" "插件正在运行" "plugin_busy"
    PluginCannotRun "PLUGIN_CANNOT_RUN" UNPROCESSABLE_ENTITY "The plugin cannot be run" "插件无法运行" "plugin_cannot_run"
    PluginGrantsNeeded "PLUGIN_GRANTS_NEEDED" CONFLICT "The version asks for more than was granted" "该版本请求了尚未授予的权限" "plugin_grants_needed"
    PluginTestsFailed "PLUGIN_TESTS_FAILED" UNPROCESSABLE_ENTITY "The plugin's own tests fail" "插件自带的测试未通过" "plugin_tests_failed"
    PluginInUse "PLUGIN_IN_USE" CONFLICT "The plugin is in use" "插件正在使用" "plugin_in_use"
    PluginSettingsInvalid "PLUGIN_SETTINGS_INVALID" UNPROCESSABLE_ENTITY "The plugin's settings are not valid" "插件设置无效" "plugin_settings_invalid"
    ModelExpired "MODEL_EXPIRED" GONE "The model is no longer kept" "模型已不再保留" "model_expired"
    ModelPinned "MODEL_PINNED" CONFLICT "Another model is pinned" "已固定使用另一个模型" "model_pinned"
    ModelIncompatible "MODEL_INCOMPATIBLE" UNPROCESSABLE_ENTITY "The plugin does not read the model" "插件无法读取该模型" "model_incompatible"
    PromotionRefused "PROMOTION_REFUSED" CONFLICT "The version is not promoted" "该版本未被提升" "promotion_refused"
    NoExplanation "NO_EXPLANATION" NOT_FOUND "There is nothing to explain" "没有可解释的结果" "no_explanation"
    TooManyUploads "TOO_MANY_UPLOADS" TOO_MANY_REQUESTS "Too many uploads at a time" "同时上传过多" "too_many_uploads"
    TooManyJobs "TOO_MANY_JOBS" TOO_MANY_REQUESTS "Too many jobs wait" "等待的任务过多" "too_many_jobs"
    Internal "INTERNAL_ERROR" INTERNAL_SERVER_ERROR "The server failed" "服务器内部错误" "internal_error"
    Overloaded "OVERLOADED" SERVICE_UNAVAILABLE "The server is overloaded" "服务器繁忙" "overloaded"
    Timeout "TIMEOUT" SERVICE_UNAVAILABLE "The request took too long" "请求超时" "timeout"
    Stopping "STOPPING" SERVICE_UNAVAILABLE "The server is stopping" "服务器正在停止" "stopping"
    NotReady "NOT_READY" SERVICE_UNAVAILABLE "The server is not ready" "服务器尚未就绪" "not_ready"
    DiskFull "DISK_FULL" INSUFFICIENT_STORAGE "The disk is nearly full" "磁盘空间不足" "disk_full"
}

impl Code {
    /// The code of a refusal that a layer or the router made without one of our own.
    pub(crate) fn of_bare_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::UnknownRoute,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::SERVICE_UNAVAILABLE => Self::Timeout,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_of_its_name_with_cause_and_fix() {
        for code in Code::ALL {
            assert_eq!(code.slug(), code.as_str().to_lowercase());
            let page = code.page();
            assert!(
                page.starts_with(&format!("# `{}` ({})\n", code.as_str(), code.status().as_u16())),
                "{page}"
            );
            assert!(page.contains("\n**Cause.** ") && page.contains("\n**Fix.** "), "{page}");
            assert_ne!(code.title(Language::En), code.title(Language::ZhCn));
        }
    }

    #[test]
    fn no_page_is_left_of_a_code_that_is_gone() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        let mut pages: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|page| page.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut codes: Vec<String> = Code::ALL.iter().map(|code| format!("{}.md", code.slug())).collect();
        pages.sort();
        codes.sort();
        assert_eq!(pages, codes);
    }
}
