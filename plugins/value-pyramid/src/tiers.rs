//! The scores, and the four tiers with their names and advice in two languages.

use trellis_sdk::{ScoreDescription, localized, scored};

use crate::config::{By, Shares};

/// A tier of the pyramid.
#[derive(Debug)]
pub(crate) struct Tier {
    pub(crate) name: &'static str,
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
    pub(crate) advice_en: &'static str,
    pub(crate) advice_zh: &'static str,
}

/// From the top.
pub(crate) const TIERS: [Tier; 4] = [
    Tier {
        name: "platinum",
        en: "Platinum",
        zh: "铂金层",
        advice_en: "The few most valuable customers. Retain: a named contact, service first, early access, an owner who notices every change; ask before they complain. Losing one costs more than winning many.",
        advice_zh: "最有价值的少数客户。重点保有：专人维护、服务优先、新品先享，负责人关注每一个变化，主动征询意见。流失一位的损失大于新增许多位。",
    },
    Tier {
        name: "gold",
        en: "Gold",
        zh: "黄金层",
        advice_en: "Valuable, but not all of their need is met here. Retain and grow: find what they buy elsewhere, cross-sell, give reasons to move up.",
        advice_zh: "价值较高，但部分需求没有在本企业得到满足。保有并提升：了解其他采购渠道，交叉销售，引导升入铂金层。",
    },
    Tier {
        name: "iron",
        en: "Iron",
        zh: "铁层",
        advice_en: "Moderately profitable; they carry the fixed costs. Grow with standard means: bundles, memberships, automatic offers; personal effort only where it shows a return.",
        advice_zh: "获利适度，分摊固定成本。适度开发：套餐、会员、自动化营销，只在有回报时投入人工。",
    },
    Tier {
        name: "lead",
        en: "Lead",
        zh: "铅层",
        advice_en: "Many customers who bring little. Fix or drop: find out why serving them does not pay (few orders, discounts, returns, support); serve them at lower cost, raise what they pay, or stop courting them. New customers start here: see whether they rise.",
        advice_zh: "数量多、贡献少。改善或放弃：查明无利可图的原因（订单少、折扣多、退货多、服务成本高），降低服务成本、提高收费，或不再投入。新客户由此起步，注意其上升趋势。",
    },
];

/// The tier that is `place` steps below the top; the lowest beyond it.
pub(crate) fn tier_at(place: usize) -> &'static Tier {
    let [.., lowest] = &TIERS;
    TIERS.get(place).unwrap_or(lowest)
}

/// The name of the score that holds the lifetime value.
pub(crate) const VALUE: &str = "value";
/// The name of the score that holds the standing.
pub(crate) const STANDING: &str = "standing";
/// The name of the score that holds revenue less cost.
pub(crate) const PROFIT: &str = "profit";

/// The scores under `shares`, in the order in which they are filled.
pub(crate) fn describe(shares: &Shares, has_cost: bool) -> Vec<ScoreDescription> {
    let value = scored(VALUE, "Lifetime value", "客户终身价值").about(
        "What the customer's orders add up to, in the base currency.",
        "客户全部订单的累计金额，以本位币计。",
    );
    let standing =
        scored(STANDING, "Standing in the value pyramid", "价值金字塔排位").unit("%").range(0.0, 100.0);
    let standing = match shares.by {
        By::Customers => standing.about(
            "How many percent of the other customers have a lower lifetime value.",
            "终身价值低于该客户的其他客户所占的百分比。",
        ),
        By::Revenue => standing.about(
            "How many percent of the other customers' revenue come from those with a lower lifetime value.",
            "其他客户的销售额中，来自终身价值较低客户的百分比。",
        ),
    };
    let from_below = TIERS.iter().zip(shares.lowest()).rev();
    let standing = from_below.fold(standing, |standing, (tier, lowest)| {
        let advice = localized(tier.advice_en, tier.advice_zh);
        standing.band_about(tier.name, lowest, localized(tier.en, tier.zh), advice)
    });
    let profit = has_cost.then(|| {
        scored(PROFIT, "Revenue less cost", "销售额减成本")
            .about("Lifetime value less what the customer has cost, in the base currency.", "终身价值减去该客户的累计成本，以本位币计。")
            .band_about(
                "unprofitable",
                -1e12,
                localized("Does not pay", "无利可图"),
                localized("Costs more than it brings. Its reasons name the cause: repair it, or stop serving at this price.", "成本高于贡献。理由中注明原因：加以改善，或不再以此价格服务。"),
            )
            .band("profitable", 0.0, "Pays", "有利可图")
    });
    [value, standing].into_iter().chain(profit).collect()
}
