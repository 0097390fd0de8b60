//! What the scores and the model's figures are called.

use trellis_sdk::{LocalizedText, Metric, ScoreDescription, localized, metric, scored};

use crate::config::Config;
use crate::model::LifetimeModel;

pub(crate) const ALIVE: &str = "alive";
pub(crate) const PURCHASES: &str = "expected_purchases";
pub(crate) const SPEND: &str = "expected_spend";
pub(crate) const LIFETIME: &str = "clv";
pub(crate) const SIMPLE: &str = "simple_clv";

pub(crate) fn describe(config: &Config) -> Vec<ScoreDescription> {
    let Config { horizon_weeks, discount_percent_yearly, margin_percent, lifetime_years, .. } = *config;
    vec![
        scored(ALIVE, "Probability of being active", "活跃概率")
            .about(
                "The probability that the customer has not left for good. Without it there were too few repeat purchases for a model.",
                "客户尚未永久流失的概率。没有数值表示重复购买太少，无法建模。",
            )
            .range(0.0, 1.0)
            .band("lost", 0.0, "Probably lost", "可能已流失")
            .band("doubtful", 0.3, "Doubtful", "不确定")
            .band("active", 0.7, "Active", "活跃"),
        scored(
            PURCHASES,
            &format!("Purchases within {horizon_weeks} weeks"),
            &format!("未来 {horizon_weeks} 周的购买次数"),
        )
        .about(
            "Expected number of days with a purchase, whether or not the customer is still active.",
            "预期有购买的天数，已计入客户可能流失的因素。",
        )
        .range(0.0, f64::MAX),
        scored(SPEND, "Spend per purchase", "每次消费金额")
            .about(
                "Expected spend per day with a purchase, in the base currency: the customer's own mean and that of all, weighted by how much is known.",
                "预期每个购买日的消费金额（本位币）：按已知次数对客户自身均值与总体均值加权。",
            )
            .range(0.0, f64::MAX),
        scored(
            LIFETIME,
            &format!("Lifetime value, {horizon_weeks} weeks"),
            &format!("客户终身价值（{horizon_weeks} 周）"),
        )
        .about(
            &format!(
                "Expected purchases within {horizon_weeks} weeks times expected spend times a margin of {margin_percent} %, discounted by \
                 {discount_percent_yearly} % a year, in the base currency. Where there were too few repeat purchases for a model: the simple formula."
            ),
            &format!(
                "未来 {horizon_weeks} 周的预期购买次数 × 预期消费金额 × 毛利率 {margin_percent}%，按每年 {discount_percent_yearly}% 折现，\
                 以本位币计。重复购买太少、无法建模时采用简单公式。"
            ),
        )
        .range(0.0, f64::MAX),
        scored(SIMPLE, "Lifetime value, simple formula", "客户终身价值（简单公式）")
            .about(
                &format!(
                    "Margin × frequency × lifetime: spend per purchase, purchases a year, {lifetime_years} years, margin {margin_percent} %, \
                     discounted by {discount_percent_yearly} % a year, in the base currency. A baseline that knows no leaving. Of customers without an order: \
                     at the pace and spend that the settings expect of them, or those of customers on the mean."
                ),
                &format!(
                    "毛利 × 频率 × 寿命：每次消费金额 × 每年购买次数 × {lifetime_years} 年，毛利率 {margin_percent}%，每年折现 \
                     {discount_percent_yearly}%，以本位币计。作为对照基准，不考虑流失。尚无订单的客户按设置的预期或现有客户的平均次数和金额计算。"
                ),
            )
            .range(0.0, f64::MAX),
    ]
}

pub(crate) fn summary(model: &LifetimeModel) -> LocalizedText {
    let (figures, config) = (&model.figures, &model.config);
    let (customers, repeaters, weeks) = (figures.customers, figures.repeaters, config.horizon_weeks);
    let (mut en, mut zh) = (
        format!("{customers} customers, {repeaters} bought again."),
        format!("{customers} 位客户，其中 {repeaters} 位有重复购买。"),
    );
    match &model.purchases {
        Some(found) => {
            let new = found.model.expected(&crate::history::History::NEW, f64::from(weeks));
            let (name, likelihood) = (found.model.name(), found.log_likelihood);
            en += &format!(
                " {name}, log-likelihood {likelihood:.2}: a new customer buys {new:.2} more times within {weeks} weeks."
            );
            zh += &format!("{name}，对数似然 {likelihood:.2}：新客户未来 {weeks} 周平均再购买 {new:.2} 次。");
            if !found.is_flat {
                en += " A parameter runs to the end of its range: predictions hold, single parameters mean little.";
                zh += "有参数达到取值边界：预测仍可用，但单个参数意义不大。";
            }
        }
        None => {
            en += " Too few for a model of purchases: the simple formula serves for everybody.";
            zh += "重复购买太少，无法建模，全部采用简单公式。";
        }
    }
    if let Some(mean) = model.spend.and_then(|found| found.model.population_mean()) {
        let currency = &model.currency;
        en += &format!(" Expected spend per purchase: {mean:.2} {currency}.");
        zh += &format!("预期每次消费 {mean:.2} {currency}。");
    }
    localized(en, zh)
}

pub(crate) fn metrics(model: &LifetimeModel) -> Vec<Metric> {
    let figures = &model.figures;
    let mut metrics = vec![
        metric(
            "customers",
            localized("Customers with a purchase", "有购买的客户数"),
            figures.customers as f64,
        ),
        metric(
            "repeaters",
            localized("Customers who bought again", "有重复购买的客户数"),
            figures.repeaters as f64,
        ),
        metric("repeats", localized("Repeat purchases", "重复购买次数"), figures.repeats as f64),
    ];
    let mut add = |name: &str, en: String, zh: String, value: f64| {
        metrics.push(metric(name, localized(en, zh), value));
    };
    if let Some(found) = &model.purchases {
        let name = found.model.name();
        add(
            "log_likelihood",
            format!("{name}: log-likelihood"),
            format!("{name}：对数似然"),
            found.log_likelihood,
        );
        for (parameter, value) in found.model.parameter_names().into_iter().zip(found.model.parameters()) {
            add(parameter, format!("{name}: {parameter}"), format!("{name}：{parameter}"), value);
        }
        let weeks = model.config.horizon_weeks;
        add(
            "new_customer_purchases",
            format!("Expected purchases of a new customer within {weeks} weeks"),
            format!("新客户未来 {weeks} 周的预期购买次数"),
            found.model.expected(&crate::history::History::NEW, f64::from(weeks)),
        );
    }
    if let Some(found) = &model.spend {
        let spend = &found.model;
        add("spend_p", "Gamma-Gamma: p".to_owned(), "Gamma-Gamma：p".to_owned(), spend.p);
        add("spend_q", "Gamma-Gamma: q".to_owned(), "Gamma-Gamma：q".to_owned(), spend.q);
        add(
            "spend_v",
            "Gamma-Gamma: v, base currency".to_owned(),
            "Gamma-Gamma：v（本位币）".to_owned(),
            spend.v,
        );
        add(
            "spend_log_likelihood",
            "Gamma-Gamma: log-likelihood".to_owned(),
            "Gamma-Gamma：对数似然".to_owned(),
            found.log_likelihood,
        );
        if let Some(correlation) = figures.spend_correlation {
            add(
                "spend_correlation",
                "Correlation of number and spend of repeat purchases".to_owned(),
                "重复购买次数与每次金额的相关系数".to_owned(),
                correlation,
            );
        }
        if let Some(mean) = spend.population_mean() {
            add(
                "mean_spend",
                "Expected spend per purchase, base currency".to_owned(),
                "预期每次消费金额（本位币）".to_owned(),
                mean,
            );
        }
    }
    if let Some(holdout) = &model.holdout {
        for (name, en, zh, value) in [
            ("holdout_actual", "Hold-out: purchases", "检验期：实际购买次数", holdout.actual),
            ("holdout_predicted", "Hold-out: predicted purchases", "检验期：预测购买次数", holdout.predicted),
            (
                "holdout_mae",
                "Hold-out: mean absolute error",
                "检验期：平均绝对误差",
                holdout.mean_absolute_error,
            ),
            (
                "holdout_rmse",
                "Hold-out: root mean square error",
                "检验期：均方根误差",
                holdout.root_mean_square_error,
            ),
            ("holdout_correlation", "Hold-out: correlation", "检验期：相关系数", holdout.correlation),
        ] {
            add(name, en.to_owned(), zh.to_owned(), value);
        }
    }
    metrics.retain(|metric| metric.value.is_finite());
    metrics
}
