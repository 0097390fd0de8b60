//! Why a customer is worth what it is, and what the models say.

use trellis_sdk::{LocalizedText, Reason, localized, reason};

use crate::model::LifetimeModel;
use crate::rows::{Customer, Known};
use crate::value::Value;

/// Whether the customer is active, how often and for how much it will buy, and what that is worth.
pub(crate) fn explain(model: &LifetimeModel, known: &Known) -> Vec<Reason> {
    let Some(value) = model.value(known) else {
        return vec![reason(
            "contradiction",
            localized("its orders contradict each other", "订单数据相互矛盾"),
            1.0,
        )];
    };
    let Some(customer) = known.customer() else {
        return vec![prospect_reason(model, &value)];
    };
    let mut reasons = vec![activity_reason(customer, &value)];
    reasons.extend(purchases_reason(model, &value));
    reasons.push(spend_reason(model, customer, &value));
    reasons.push(value_reason(model, &value));
    reasons
}

/// Says that nothing of the customer's own is in the figure.
fn prospect_reason(model: &LifetimeModel, value: &Value) -> Reason {
    let (simple, spend, orders) = (value.simple, value.spend, model.prospect_orders_yearly());
    let (currency, years, margin) =
        (&model.currency, model.config.lifetime_years, model.config.margin_percent);
    let is_set = model.config.expected_orders_yearly.is_some() && model.config.expected_spend.is_some();
    let (source, source_zh) = if is_set {
        ("as the settings expect", "按设置的预期")
    } else {
        ("as customers do on the mean", "按现有客户的平均水平")
    };
    let text = localized(
        format!(
            "no order so far: {simple:.2} {currency} over {years} years by the simple formula, if it buys {source}, {orders:.2} times a year \
             for {spend:.2} at a margin of {margin} %"
        ),
        format!(
            "暂无订单：{source_zh}（每年 {orders:.2} 次，每次 {spend:.2}，毛利率 {margin}%），按简单公式 {years} 年价值 {simple:.2} {currency}"
        ),
    );
    reason("prospect", text, 1.0)
}

fn activity_reason(customer: &Customer, value: &Value) -> Reason {
    let history = &customer.history;
    let (days, age) = (history.repeats + 1, history.age_days);
    let since = history.age_days - history.last_days;
    let noun = if days == 1 { "day" } else { "days" };
    let (mut en, mut zh) = (
        format!("bought on {days} {noun} in {age} days as a customer, last {since} days ago"),
        format!("成为客户 {age} 天，有 {days} 天购买，最近一次在 {since} 天前"),
    );
    if let Some(alive) = value.alive {
        en += &format!(": active with a probability of {:.0} %", 100.0 * alive);
        zh += &format!("：仍活跃的概率 {:.0}%", 100.0 * alive);
    }
    reason("activity", localized(en, zh), 1.0)
}

fn purchases_reason(model: &LifetimeModel, value: &Value) -> Option<Reason> {
    let weeks = model.config.horizon_weeks;
    let (purchases, found) = (value.purchases?, model.purchases.as_ref()?);
    let new = found.model.expected(&crate::history::History::NEW, f64::from(weeks));
    let text = localized(
        format!("{purchases:.2} purchases expected within {weeks} weeks; a new customer makes {new:.2}"),
        format!("未来 {weeks} 周预期购买 {purchases:.2} 次；新客户为 {new:.2} 次"),
    );
    Some(reason("purchases", text, 0.8))
}

fn spend_reason(model: &LifetimeModel, customer: &Customer, value: &Value) -> Reason {
    let (spend, currency) = (value.spend, &model.currency);
    let text = match (customer.repeat_mean(), &model.spend) {
        (Some(own), Some(found)) => {
            let percent = 100.0 * found.model.own_weight(customer.history.x());
            localized(
                format!(
                    "{spend:.2} {currency} expected per purchase: {own:.2} on repeat days so far count {percent:.0} %, everybody's mean the rest"
                ),
                format!(
                    "预期每次消费 {spend:.2} {currency}：以往重复购买日均 {own:.2} 占 {percent:.0}%，其余取总体均值"
                ),
            )
        }
        _ => localized(
            format!("{spend:.2} {currency} expected per purchase, as much as customers spend on the mean"),
            format!("预期每次消费 {spend:.2} {currency}，取平均水平"),
        ),
    };
    reason("spend", text, 0.6)
}

fn value_reason(model: &LifetimeModel, value: &Value) -> Reason {
    let (simple, currency, config) = (value.simple, &model.currency, &model.config);
    let (weeks, discount, margin) =
        (config.horizon_weeks, config.discount_percent_yearly, config.margin_percent);
    let years = config.lifetime_years;
    let text = match value.lifetime {
        Some(lifetime) => localized(
            format!(
                "{lifetime:.2} {currency} over {weeks} weeks at a margin of {margin} % and {discount} % discount a year; \
                 the simple formula says {simple:.2} over {years} years"
            ),
            format!(
                "{weeks} 周价值 {lifetime:.2} {currency}（毛利率 {margin}%，年折现率 {discount}%）；简单公式按 {years} 年计为 {simple:.2}"
            ),
        ),
        None => localized(
            format!(
                "{simple:.2} {currency} by the simple formula over {years} years; too few repeat purchases for a model"
            ),
            format!("按简单公式 {years} 年价值 {simple:.2} {currency}；重复购买太少，无法建模"),
        ),
    };
    reason("value", text, 0.4)
}

/// The models as Markdown.
pub(crate) fn rules(model: &LifetimeModel) -> LocalizedText {
    let config = &model.config;
    let (mut en, mut zh) = (String::new(), String::new());
    if let Some(found) = &model.purchases {
        let name = found.model.name();
        en += &format!(
            "Purchases follow {name}, fitted by maximum likelihood; times in weeks.\n\n| parameter | value | meaning |\n|---|---|---|\n"
        );
        zh += &format!(
            "购买次数采用 {name} 模型，以最大似然估计，时间单位为周。\n\n| 参数 | 数值 | 含义 |\n|---|---|---|\n"
        );
        let meanings = found.model.parameter_meanings();
        let parameters = found.model.parameter_names().into_iter().zip(found.model.parameters());
        for ((parameter, value), meaning) in parameters.zip(meanings) {
            en += &format!("| {parameter} | {value:.6} | {} |\n", meaning.en);
            zh += &format!("| {parameter} | {value:.6} | {} |\n", meaning.zh_cn);
        }
    }
    if let Some(found) = &model.spend {
        let (p, q, v, currency) = (found.model.p, found.model.q, found.model.v, &model.currency);
        en +=
            &format!("\nSpend per purchase follows Gamma-Gamma: p {p:.6}, q {q:.6}, v {v:.6} {currency}.\n");
        zh += &format!("\n每次消费金额采用 Gamma-Gamma 模型：p {p:.6}，q {q:.6}，v {v:.6} {currency}。\n");
    }
    let (weeks, discount, margin, years) =
        (config.horizon_weeks, config.discount_percent_yearly, config.margin_percent, config.lifetime_years);
    en += &format!(
        "\nLifetime value: expected purchases of every four weeks, up to {weeks} weeks, discounted by {discount} % a year as of their end, times \
         expected spend, times a margin of {margin} %. Simple formula: spend per purchase day × purchases a year × {years} years, with the \
         same margin and discount.\n"
    );
    zh += &format!(
        "\n客户终身价值：每四周的预期购买次数（至 {weeks} 周），按期末以每年 {discount}% 折现，乘以预期消费金额和毛利率 {margin}%。\
         简单公式：每购买日消费 × 每年购买次数 × {years} 年，毛利率和折现率相同。\n"
    );
    localized(en, zh)
}
