//! Questions: about counts that somebody enters, and about groups that fields of customers name.

mod counts;
mod experiment;
mod sizes;

use serde_json::Value as Json;
use trellis_sdk::{AnalysisDescription, PluginError, Report, Result, RowStream, analysis, parse_parameters};

use crate::config::Config;

pub(crate) fn describe() -> Vec<AnalysisDescription> {
    vec![
        analysis("compare", "Compare groups", "比较各组")
            .about("Every test of two proportions, for sizes and responses that you enter.", "按输入的人数和响应数，给出两个比例的全部检验。")
            .asking(&counts::compare_parameters()),
        analysis("compare_means", "Compare means", "比较均值")
            .about("Welch, Student, and Mann and Whitney, for values or figures that you enter.", "按输入的数值或统计量，进行 Welch、Student 和 Mann–Whitney 检验。")
            .asking(&counts::means_parameters()),
        analysis("table", "Test a table", "列联表检验")
            .about("Chi-square and Cramér's V of a table of counts.", "计数表的卡方检验和克莱姆 V 系数。")
            .asking(&counts::table_parameters()),
        analysis("split_check", "Check a split", "检查分组比例")
            .about("Whether groups came out in the sizes that were asked for.", "各组人数是否符合设定的比例。")
            .asking(&counts::split_parameters()),
        analysis("adjust", "Correct several p-values", "多重检验校正")
            .about("Bonferroni, Holm, and Benjamini and Hochberg.", "Bonferroni、Holm 和 Benjamini–Hochberg 校正。")
            .asking(&counts::adjust_parameters()),
        analysis("sample_size", "Sample size", "样本量计算")
            .about("How many members each group needs to see a difference of two rates.", "要检出两个比率的差异，每组需要多少人。")
            .asking(&sizes::rate_parameters()),
        analysis("sample_size_means", "Sample size for means", "均值的样本量计算")
            .about("How many members each group needs to see a difference of two means.", "要检出两个均值的差异，每组需要多少人。")
            .asking(&sizes::mean_parameters()),
        analysis("experiment", "Evaluate an experiment", "评估实验")
            .about(
                "Compares the outcomes that fields of customers hold between the groups that another field names, in all and by subgroup.",
                "按客户字段划分的组，比较其他字段记录的结果，包括整体和各细分群体。",
            )
            .of("customers")
            .asking(&experiment::parameters()),
    ]
}

pub(crate) fn answer(
    name: &str,
    rows: &mut RowStream<'_>,
    parameters: &str,
    config: &Config,
) -> Result<Report> {
    match name {
        "compare" => counts::compare(&parse_parameters(parameters)?, config),
        "compare_means" => counts::compare_means(&parse_parameters(parameters)?),
        "table" => counts::table(&parse_parameters(parameters)?),
        "split_check" => counts::split_check(&parse_parameters(parameters)?),
        "adjust" => counts::adjust(&parse_parameters(parameters)?),
        "sample_size" => sizes::rates(&parse_parameters(parameters)?),
        "sample_size_means" => sizes::means(&parse_parameters(parameters)?),
        "experiment" => experiment::answer(rows, &parse_parameters(parameters)?, config),
        _ => Err(PluginError::InvalidParameters(
            (format!("there is no question `{name}`"), format!("没有名为 `{name}` 的问题")).into(),
        )),
    }
}

/// A setting for how often chance may pass for a difference.
fn alpha_schema() -> Json {
    trellis_sdk::json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.05,
        "title": { "en": "Significance level", "zh-CN": "显著性水平" } })
}

fn alpha_default() -> f64 {
    0.05
}
