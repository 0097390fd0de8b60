//! What people are told of an error, in both languages.

use trellis_model::{Language, Text};

use super::{AnswerLimit, Error};

impl Error {
    /// The message of an error that whoever runs plugins can do something about, in both languages; of others in English only.
    pub fn text(&self) -> Text {
        match self {
            Self::Records(error) => error.text(),
            Self::Columns(error) => error.text(),
            Self::Import(error) => error.text(),
            Self::Plugin(trellis_plugin_host::Error::Plugin { plugin, function, error }) => {
                let zh_cn = format!("插件 {plugin} 的 `{function}`：{}", error.text().zh_cn);
                Text::new(self.to_string(), zh_cn)
            }
            other => Text::new(other.to_string(), other.zh_cn().unwrap_or_default()),
        }
    }

    fn zh_cn(&self) -> Option<String> {
        Some(match self {
            Self::UnknownPlugin { id } => format!("插件 `{id}` 不存在"),
            Self::UnknownVersion { plugin, version } => format!("插件 `{plugin}` 未安装版本 {version}"),
            Self::InvalidSettings { plugin, reason } => {
                format!("插件 `{plugin}` 的设置：{}", reason.get(Language::ZhCn))
            }
            Self::InvalidSegmentation { reason, .. } => reason.get(Language::ZhCn).to_owned(),
            Self::SegmentationInUse { name, uses } => {
                format!("分群 `{name}` 正被引用：{}", super::listed(uses))
            }
            Self::NoExplanation { name, reason } => format!("`{name}` {}", reason.get(Language::ZhCn)),
            Self::InputsExpired { run, reason } => {
                format!("{run} 的输入数据已不可用：{}", reason.get(Language::ZhCn))
            }
            Self::NotEnabled { plugin, .. } => format!("插件 `{plugin}` 未启用，请先启用"),
            Self::CannotRun { plugin, reason } => {
                format!("插件 `{plugin}` 无法运行：{}", reason.get(Language::ZhCn))
            }
            Self::NotCopied { plugin, dataset, reason } => {
                format!("无法读取插件 `{plugin}` 的数据集 `{dataset}`：{}", reason.get(Language::ZhCn))
            }
            Self::Superseded { plugin, version, serving } => {
                format!("插件 `{plugin}` 已改用版本 {serving}，版本 {version} 的结果已丢弃")
            }
            Self::GrantsNeeded { plugin, version, requests } => {
                let grants: Vec<_> = requests.iter().map(|request| format!("`{}`", request.grant)).collect();
                let grants = grants.join("、");
                format!(
                    "插件 `{plugin}` {version} 申请的权限尚未全部授予：{grants}，请在 `grants` 中列出要授予的权限"
                )
            }
            Self::Busy { plugin, job } => format!("作业 {job} 正在运行插件 `{plugin}`，请等待或取消该作业"),
            Self::UnknownModel { plugin, model } => format!("插件 `{plugin}` 没有模型 {model}"),
            Self::NoModel { plugin } => format!("插件 `{plugin}` 没有在用模型，请先运行"),
            Self::ModelExpired { plugin, model } => {
                format!(
                    "插件 `{plugin}` 的模型 {model} 已不再保留（`engine.models_kept_per_plugin`），请重新训练"
                )
            }
            Self::ModelPinned { plugin, model } => {
                format!("插件 `{plugin}` 固定使用模型 {model}，请先取消固定")
            }
            Self::UnknownAnalysis { plugin, analysis } => {
                format!("插件 `{plugin}` 没有分析问题 `{analysis}`")
            }
            Self::UnknownAnalysisResult { plugin, analysis, result } => format!(
                "插件 `{plugin}` 的分析问题 `{analysis}` 没有答案 {result}（保留数量见 `engine.analysis_results_max`）"
            ),
            Self::InvalidParameters { plugin, analysis, problems } => {
                let of = |(name, reason): &(String, Text)| problem(name, reason.get(Language::ZhCn));
                let problems = problems.iter().map(of).collect::<Vec<_>>().join("；");
                format!("插件 `{plugin}` 的分析问题 `{analysis}` 参数无效：{problems}")
            }
            Self::AnswerTooLarge { plugin, analysis, bytes, limit } => {
                let limit = match limit {
                    AnswerLimit::Packed { bytes_max } => {
                        format!("最多保留 {bytes_max} 字节（`engine.analysis_result_bytes_max`）")
                    }
                    AnswerLimit::Unpacked { bytes_max } => format!("压缩前最多 {bytes_max} 字节"),
                };
                format!("插件 `{plugin}` 对 `{analysis}` 的答案有 {bytes} 字节，{limit}")
            }
            Self::QueueFull { waiting, waiting_max } => {
                format!("已有 {waiting} 个作业在等待，最多 {waiting_max} 个（`engine.jobs_queued_max`）")
            }
            Self::JobNotEnded { id } => format!("作业 {id} 尚未结束，请等待或取消"),
            Self::Cancelled => "作业已取消".to_owned(),
            Self::Stopping => "服务器正在停止".to_owned(),
            _ => return None,
        })
    }
}

/// What is wrong with a parameter; one without a name is all of them together.
pub(super) fn problem(name: &str, reason: &str) -> String {
    if name.is_empty() { reason.to_owned() } else { format!("`{name}` {reason}") }
}

#[cfg(test)]
mod tests {
    use trellis_model::PluginId;

    use super::*;

    #[test]
    fn what_can_be_mended_is_said_in_both_languages() {
        let plugin = PluginId::new("ab-test").unwrap();
        let error = Error::not_offered(&plugin, "analysis");
        let text = error.text();
        assert_eq!(text.en, "plugin `ab-test` cannot be run: it does not offer the interface `analysis`");
        assert_eq!(text.zh_cn, "插件 `ab-test` 无法运行：它未提供接口 `analysis`");
        let limit = AnswerLimit::Packed { bytes_max: 100 };
        let error = Error::AnswerTooLarge { plugin, analysis: "lift".to_owned(), bytes: 120, limit };
        assert!(error.text().zh_cn.contains("最多保留 100 字节"), "{:?}", error.text());
        assert_eq!(Error::Damaged { what: "x".to_owned() }.text().zh_cn, "", "for the log only");
    }
}
