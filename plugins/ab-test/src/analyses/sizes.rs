//! How many members a test needs.

use serde::Deserialize;
use trellis_sdk::{PluginError, Report, Result, json, localized, metric, panel, report};

use super::{Json, alpha_default, alpha_schema};
use crate::sample_size::{Plan, mean_sizes};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rates {
    baseline: f64,
    effect: f64,
    #[serde(default)]
    relative: bool,
    #[serde(default = "alpha_default")]
    alpha: f64,
    #[serde(default = "power_default")]
    power: f64,
    #[serde(default = "sides_default")]
    sides: u32,
    #[serde(default = "ratio_default")]
    ratio: f64,
    members: Option<u64>,
}

fn power_default() -> f64 {
    0.8
}

fn sides_default() -> u32 {
    2
}

fn ratio_default() -> f64 {
    1.0
}

fn power_schema() -> Json {
    json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.8, "title": { "en": "Power", "zh-CN": "检验功效" },
        "description": { "en": "How often the difference is to be seen.", "zh-CN": "能检出差异的概率。" } })
}

fn sides_schema() -> Json {
    json!({ "type": "integer", "minimum": 1, "maximum": 2, "default": 2, "title": { "en": "Sides", "zh-CN": "单侧或双侧" } })
}

pub(super) fn rate_parameters() -> Json {
    json!({
        "type": "object", "additionalProperties": false, "required": ["baseline", "effect"],
        "properties": {
            "baseline": { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "title": { "en": "Rate of the control", "zh-CN": "对照组比率" } },
            "effect": { "type": "number", "title": { "en": "Difference to be seen", "zh-CN": "要检出的差异" },
                "description": { "en": "In points of the rate (0.05 from 0.20 to 0.25), or as a share of it.", "zh-CN": "比率的绝对差（如 0.20 到 0.25 为 0.05），或相对差。" } },
            "relative": { "type": "boolean", "default": false, "title": { "en": "The difference is a share of the rate", "zh-CN": "差异为相对值" } },
            "alpha": alpha_schema(),
            "power": power_schema(),
            "sides": sides_schema(),
            "ratio": { "type": "number", "exclusiveMinimum": 0, "maximum": 1000, "default": 1, "title": { "en": "Size of the second group to the first", "zh-CN": "第二组与第一组人数之比" } },
            "members": { "type": "integer", "minimum": 2, "title": { "en": "Members that there are", "zh-CN": "现有人数" },
                "description": { "en": "Of the first group: what power they give.", "zh-CN": "第一组现有人数，用于计算可达到的功效。" } },
        },
    })
}

pub(super) fn rates(asked: &Rates) -> Result<Report> {
    let second =
        if asked.relative { asked.baseline * (1.0 + asked.effect) } else { asked.baseline + asked.effect };
    if !(second > 0.0 && second < 1.0) || asked.effect == 0.0 {
        let message = (
            format!(
                "`effect` makes the second rate {second}; it must lie between 0 and 1 and differ from `baseline`"
            ),
            format!("按 `effect` 计算，第二组比率为 {second}；须介于 0 与 1 之间，且不等于 `baseline`"),
        );
        return Err(PluginError::InvalidParameters(message.into()));
    }
    let plan = Plan {
        first: asked.baseline,
        second,
        alpha: asked.alpha,
        power: asked.power,
        sides: asked.sides,
        ratio: asked.ratio,
    };
    let sizes = plan.sizes();
    let (first, other) = (sizes.pooled.ceil(), (sizes.pooled * asked.ratio).ceil());
    let text = localized(
        format!(
            "{first} members in the first group and {other} in the second show a difference from {:.4} to {second:.4}.",
            asked.baseline
        ),
        format!(
            "第一组 {first} 人、第二组 {other} 人，可检出从 {:.4} 到 {second:.4} 的差异。",
            asked.baseline
        ),
    );
    let all = [
        ("pooled", "z-test, pooled", "z 检验（合并方差）", sizes.pooled),
        ("unpooled", "z-test, unpooled", "z 检验（非合并方差）", sizes.unpooled),
        ("arcsine", "Cohen's h", "科恩 h（反正弦）", sizes.arcsine),
        ("baseline_variance", "Variance of the baseline", "基线方差公式", sizes.baseline_variance),
        ("with_continuity", "With correction for continuity", "连续性校正", sizes.with_continuity),
    ];
    let mut answer = report(text);
    for (name, en, zh, size) in all {
        let label = localized(format!("Members of the first group: {en}"), format!("第一组人数：{zh}"));
        answer = answer.metric(metric(name, label, size));
    }
    if let Some(members) = asked.members {
        let label = localized(format!("Power with {members} members"), format!("{members} 人时的功效"));
        answer = answer.metric(metric("power_at_members", label, plan.power_at(members as f64)));
    }
    // From a fifth to three times the size that is needed.
    let points: Vec<f64> = (1..=15).map(|step| (sizes.pooled * 0.2 * f64::from(step)).ceil()).collect();
    let curve = panel("power", "Power by size", "功效与样本量")
        .about(
            "How often the difference is seen with so many members in the first group.",
            "第一组为不同人数时，检出差异的概率。",
        )
        .float64("members", ("Members of the first group", "第一组人数"), "", points.iter().map(|n| Some(*n)))
        .float64("power", ("Power", "功效"), "", points.iter().map(|n| Some(plan.power_at(*n))))
        .line("members", ["power"]);
    let formulas = panel("formulas", "By each formula", "各公式结果")
        .words("formula", ("Formula", "公式"), all.map(|(_, en, zh, _)| localized(en, zh)))
        .float64(
            "first",
            ("Members of the first group", "第一组人数"),
            "",
            all.map(|(_, _, _, size)| Some(size.ceil())),
        )
        .float64(
            "second",
            ("Members of the second group", "第二组人数"),
            "",
            all.map(|(_, _, _, size)| Some((size * asked.ratio).ceil())),
        );
    Ok(answer.panel(formulas).panel(curve))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Means {
    delta: f64,
    deviation: f64,
    #[serde(default = "alpha_default")]
    alpha: f64,
    #[serde(default = "power_default")]
    power: f64,
    #[serde(default = "sides_default")]
    sides: u32,
}

pub(super) fn mean_parameters() -> Json {
    json!({
        "type": "object", "additionalProperties": false, "required": ["delta", "deviation"],
        "properties": {
            "delta": { "type": "number", "title": { "en": "Difference to be seen", "zh-CN": "要检出的差异" } },
            "deviation": { "type": "number", "exclusiveMinimum": 0, "title": { "en": "Standard deviation", "zh-CN": "标准差" } },
            "alpha": alpha_schema(),
            "power": power_schema(),
            "sides": sides_schema(),
        },
    })
}

pub(super) fn means(asked: &Means) -> Result<Report> {
    if asked.delta == 0.0 {
        let message = (
            "`delta` is 0: no size shows a difference of nothing",
            "`delta` 为 0：任何样本量都无法检出零差异",
        );
        return Err(PluginError::InvalidParameters(message.into()));
    }
    let (student, normal) = mean_sizes(asked.delta, asked.deviation, asked.alpha, asked.power, asked.sides);
    let text = localized(
        format!("{} members in each group show a difference of {}.", student.ceil(), asked.delta),
        format!("每组 {} 人可检出 {} 的差异。", student.ceil(), asked.delta),
    );
    Ok(report(text)
        .metric(metric(
            "student",
            localized("Members of each group: Student's test", "每组人数：t 检验"),
            student,
        ))
        .metric(metric(
            "normal",
            localized("Members of each group: normal approximation", "每组人数：正态近似"),
            normal,
        )))
}
