//! What to offer to all customers (R123).

use trellis_sdk::{Context, Report, Result, RowStream, localized, metric, panel, report};

use crate::config::Config;
use crate::model::Model;
use crate::offers::Matcher;

/// How many products the table shows.
const SHOWN: usize = 1_000;

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    customers: i64,
    confidence: f64,
    /// None as long as no margin is known.
    gain: Option<f64>,
}

pub(super) fn answer(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Report> {
    let model = Model::fit(rows, config, at.as_of)?;
    let matcher = Matcher::new(&model);
    let mut totals = vec![Total::default(); model.items.len()];
    let mut by_mode = vec![Total::default(); model.modes.len()];
    let (mut customers, mut with_offer) = (0_u64, 0_u64);
    rows.rewind();
    for batch in &mut *rows {
        matcher.each_row(&batch, |_, owned| {
            customers += u64::from(!owned.is_empty());
            let Some(offer) = matcher.best(owned) else { return };
            with_offer += 1;
            let of_mode = offer.mode.and_then(|mode| by_mode.get_mut(mode));
            for total in totals.get_mut(offer.rule.rhs as usize).into_iter().chain(of_mode) {
                total.customers += 1;
                total.confidence += offer.rule.confidence();
                total.gain = offer.gain.map(|gain| total.gain.unwrap_or(0.0) + gain).or(total.gain);
            }
        })?;
    }
    let mut ranked: Vec<(&str, Total)> = model
        .items
        .iter()
        .map(|item| item.name.as_str())
        .zip(totals)
        .filter(|(_, total)| total.customers > 0)
        .collect();
    ranked.sort_by(|(name, one), (other_name, other)| {
        let gains = other.gain.unwrap_or(0.0).total_cmp(&one.gain.unwrap_or(0.0));
        gains.then(other.customers.cmp(&one.customers)).then(name.cmp(other_name))
    });
    let text = localized(
        format!("{with_offer} of {customers} customers lack a product that rules lead to."),
        format!("{customers} 位客户中有 {with_offer} 位存在可推荐的遗漏商品。"),
    );
    let total: f64 = ranked.iter().filter_map(|(_, total)| total.gain).sum();
    let shown = || ranked.iter().take(SHOWN);
    let mean = |total: &Total| Some(total.confidence / total.customers as f64);
    let products = panel("products", "What to offer", "推荐商品")
        .about("Each customer counts for its best offer.", "每位客户只计入其最佳推荐。")
        .names("item", ("Product", "商品"), shown().map(|(name, _)| Some(*name)))
        .int64("customers", ("Customers", "客户数"), "", shown().map(|(_, total)| Some(total.customers)))
        .float64("confidence", ("Mean confidence", "平均置信度"), "", shown().map(|(_, total)| mean(total)))
        .float64("gain", ("Expected gain", "期望收益"), &model.currency, shown().map(|(_, total)| total.gain))
        .bar("item", ["customers"]);
    let mut answer = report(text)
        .metric(metric(
            "customers",
            localized("Customers with a purchase", "有购买记录的客户数"),
            customers as f64,
        ))
        .metric(metric(
            "customers_with_offer",
            localized("Customers with an offer", "有推荐的客户数"),
            with_offer as f64,
        ))
        .metric(metric(
            "gain",
            localized("Expected gain in all, major units", "期望收益合计（主币单位）"),
            total,
        ))
        .panel(products);
    if !model.modes.is_empty() {
        let modes = || model.modes.iter().zip(&by_mode);
        answer = answer.panel(
            panel("modes", "Ways to sell", "销售方式")
                .about(
                    "How many customers are best addressed in which way, by response × confidence × margin − cost.",
                    "按“响应率 × 置信度 × 毛利 − 成本”，各销售方式最适合的客户数。",
                )
                .words("mode", ("Way to sell", "销售方式"), modes().map(|(mode, _)| localized(&mode.label_en, &mode.label_zh)))
                .int64("customers", ("Customers", "客户数"), "", modes().map(|(_, total)| Some(total.customers)))
                .float64("gain", ("Expected gain", "期望收益"), &model.currency, modes().map(|(_, total)| Some(total.gain.unwrap_or(0.0))))
                .bar("mode", ["customers"]),
        );
    }
    Ok(answer)
}
