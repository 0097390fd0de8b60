use trellis_sdk::{LearnedBy, ModelReport, Report, Result, export_model_report, localized, metric, report};

/// What there is to see of a model. This plugin learns nothing, so it is only how large it is.
impl ModelReport for Plugin {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        let size = localized("Size of the model in bytes", "模型大小（字节）");
        let summary = localized("Nothing was learned", "没有学习任何内容");
        Ok(report(summary).metric(metric("model_bytes", size, model.len() as f64)))
    }
}
export_model_report!(Plugin);
