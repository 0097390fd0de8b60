//! The questions, with what has to be said with each.

use trellis_sdk::{AnalysisDescription, analysis, json};

/// All of them.
pub(crate) fn all() -> Vec<AnalysisDescription> {
    vec![pipeline(), win_rates(), trend(), plan()]
}

/// A schema of one of these options.
macro_rules! one_of {
    ($default:literal, $en:literal, $zh:literal, [$(($value:literal, $option_en:literal, $option_zh:literal)),* $(,)?]) => {
        json!({
            "type": "string",
            "default": $default,
            "title": { "en": $en, "zh-CN": $zh },
            "oneOf": [$({ "const": $value, "title": { "en": $option_en, "zh-CN": $option_zh } }),*],
        })
    };
}

/// A schema of a whole number.
macro_rules! whole {
    ($default:literal, $minimum:literal, $maximum:literal, $en:literal, $zh:literal) => {
        json!({
            "type": "integer",
            "minimum": $minimum,
            "maximum": $maximum,
            "default": $default,
            "title": { "en": $en, "zh-CN": $zh },
        })
    };
}

/// A schema of a smoothing constant.
macro_rules! constant {
    ($en:literal, $zh:literal) => {
        json!({
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "title": { "en": $en, "zh-CN": $zh },
            "description": { "en": "The best is found where it is left out.", "zh-CN": "不填则自动寻优。" },
        })
    };
}

macro_rules! dimension {
    () => {
        one_of!(
            "owner",
            "By",
            "分组依据",
            [
                ("owner", "Owner", "负责人"),
                ("manager", "Owner's manager", "上级主管"),
                ("office", "Owner's office", "办事处"),
                ("product", "Product", "产品"),
                ("sector", "Customer's industry", "客户行业"),
                ("source", "Source", "来源"),
                ("stage", "Stage", "阶段"),
                ("account", "Customer", "客户"),
            ]
        )
    };
}

fn pipeline() -> AnalysisDescription {
    analysis("pipeline", "Weighted pipeline", "加权销售漏斗")
        .about(
            "What open deals are worth: by month and category, stage and group, as they are and weighted by probability or win rate.",
            "进行中商机的价值：按月份与预测类别、阶段和分组统计，含原值及按概率或赢单率加权后的金额。",
        )
        .of("opportunities")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "weights": one_of!("probability", "Weigh by", "加权依据", [
                    ("probability", "Probability of stage or record", "阶段或记录的成交概率"),
                    ("win_rate", "Win rate of all", "整体赢单率"),
                    ("product_win_rate", "Win rate of the product", "产品赢单率"),
                    ("owner_win_rate", "Win rate of the owner", "负责人赢单率"),
                    ("sector_win_rate", "Win rate of the industry", "行业赢单率"),
                ]),
                "by": dimension!(),
                "months": whole!(12, 1, 120, "Months to show", "显示月数"),
            },
        }))
}

fn win_rates() -> AnalysisDescription {
    analysis("win_rates", "Win rates and velocity", "赢单率与销售速度")
        .about(
            "How many deals are won, how long that takes, what they are worth, and how much a day brings.",
            "赢单比例、赢单周期、平均金额，以及每天带来的收入。",
        )
        .of("opportunities")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "by": dimension!(),
                "within_days": whole!(0, 0, 36500, "Deals that ended within so many days (0: all)", "仅统计最近若干天内结束的商机（0 表示全部）"),
            },
        }))
}

fn trend() -> AnalysisDescription {
    analysis("trend", "Trend of sales", "销售趋势预测")
        .about(
            "Continues the sums of past periods by the method that would have forecast the last ones best: moving average, linear trend, exponential smoothing, Holt–Winters.",
            "汇总历史各期销售额，用回测误差最小的方法外推：移动平均、线性趋势、指数平滑、霍尔特-温特斯。",
        )
        .of("orders")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "x-order": ["measure", "grain", "week_starts_on", "horizon", "method", "season", "window", "start", "alpha", "beta", "gamma", "test_periods", "origins", "confidence"],
            "properties": {
                "measure": one_of!("order_amount", "What", "预测对象", [
                    ("order_amount", "Amount of orders", "订单金额"),
                    ("orders", "Number of orders", "订单数"),
                    ("won_amount", "Amount of won deals", "赢单金额"),
                    ("won_deals", "Number of won deals", "赢单数"),
                ]),
                "grain": one_of!("month", "Period", "期间", [
                    ("week", "Week", "周"),
                    ("month", "Month", "月"),
                    ("quarter", "Quarter", "季度"),
                    ("year", "Year", "年"),
                ]),
                "week_starts_on": one_of!("monday", "Weeks begin on", "每周起始日", [
                    ("monday", "Monday", "星期一"),
                    ("tuesday", "Tuesday", "星期二"),
                    ("wednesday", "Wednesday", "星期三"),
                    ("thursday", "Thursday", "星期四"),
                    ("friday", "Friday", "星期五"),
                    ("saturday", "Saturday", "星期六"),
                    ("sunday", "Sunday", "星期日"),
                ]),
                "horizon": whole!(12, 1, 260, "Periods ahead", "预测期数"),
                "method": {
                    "type": "string",
                    "title": { "en": "Method", "zh-CN": "方法" },
                    "description": { "en": "The best of a back-test where it is left out.", "zh-CN": "不填则按回测误差自动选择。" },
                    "oneOf": [
                        { "const": "naive", "title": { "en": "Last value", "zh-CN": "沿用上期" } },
                        { "const": "seasonal_naive", "title": { "en": "Value a season ago", "zh-CN": "沿用去年同期" } },
                        { "const": "moving_average", "title": { "en": "Moving average", "zh-CN": "移动平均" } },
                        { "const": "simple_smoothing", "title": { "en": "Simple exponential smoothing", "zh-CN": "一次指数平滑" } },
                        { "const": "linear_trend", "title": { "en": "Linear trend", "zh-CN": "线性趋势" } },
                        { "const": "holt", "title": { "en": "Holt", "zh-CN": "霍尔特双参数平滑" } },
                        { "const": "holt_winters_additive", "title": { "en": "Holt–Winters, additive", "zh-CN": "霍尔特-温特斯（加法）" } },
                        { "const": "holt_winters_multiplicative", "title": { "en": "Holt–Winters, multiplicative", "zh-CN": "霍尔特-温特斯（乘法）" } },
                    ],
                },
                "season": { "type": "integer", "minimum": 1, "maximum": 366, "title": { "en": "Periods of a season", "zh-CN": "季节周期（期数）" }, "description": { "en": "A year where it is left out.", "zh-CN": "不填则为一年。" } },
                "window": whole!(3, 1, 366, "Periods of the moving average", "移动平均期数"),
                "start": one_of!("decomposition", "Start of Holt–Winters", "霍尔特-温特斯初值", [
                    ("decomposition", "Decomposition of two seasons", "前两个周期的经典分解"),
                    ("simple", "Means of the first two seasons", "前两个周期的均值"),
                ]),
                "alpha": constant!("Smoothing of the level", "水平平滑系数"),
                "beta": constant!("Smoothing of the trend", "趋势平滑系数"),
                "gamma": constant!("Smoothing of the season", "季节平滑系数"),
                "test_periods": { "type": "integer", "minimum": 1, "maximum": 366, "title": { "en": "Periods held back in the back-test", "zh-CN": "回测留出期数" }, "description": { "en": "A season, or a fifth of a short series, where it is left out.", "zh-CN": "不填则留出一个季节周期；序列较短时留出五分之一。" } },
                "origins": whole!(1, 1, 24, "Times the back-test is repeated", "回测次数"),
                "confidence": one_of!("80", "Probability of the bounds (%)", "区间概率（%）", [
                    ("80", "80", "80"),
                    ("90", "90", "90"),
                    ("95", "95", "95"),
                ]),
            },
        }))
}

fn plan() -> AnalysisDescription {
    analysis("plan", "Plan and forecast", "计划与预测")
        .about(
            "Targets against what is there and what is to be expected, and month by month: closed, commit, best case, pipeline, trend and plan.",
            "目标与已完成、预计完成的对照，并逐月列出已成交、承诺、最佳情况、在谈、趋势与计划。",
        )
        .of("opportunities")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "past_days": whole!(0, 0, 3650, "Also targets that ended within so many days", "包括最近若干天内结束的目标"),
                "future_days": whole!(0, 0, 3650, "Also targets that begin within so many days", "包括未来若干天内开始的目标"),
                "months": whole!(6, 1, 60, "Months before and after", "前后显示月数"),
            },
        }))
}
