//! Why a customer is judged so.

use trellis_sdk::{LocalizedText, Reason, localized, reason};

use crate::judgement::{Judgement, KINDS, TRAPS};
use crate::labels::{KIND_LABELS, STAGE_LABELS, TYPE_LABELS};
use crate::model::LoyaltyModel;
use crate::rows::{Customer, Item, METRICS};

/// At most five, the strongest first.
pub(crate) fn explain(model: &LoyaltyModel, customer: &Customer) -> Vec<Reason> {
    let judgement = model.judge(customer);
    let mut reasons = vec![type_reason(model, &judgement)];
    reasons.extend(judgement.kind.and_then(|kind| kind_reason(kind, customer, &judgement)));
    reasons.extend(trap_reason(customer, &judgement));
    reasons.extend(judgement.stage.and_then(stage_reason));
    reasons.extend(coverage_reason(customer));
    reasons
}

fn type_reason(model: &LoyaltyModel, judgement: &Judgement) -> Reason {
    let (attitude_high, behaviour_high) = (model.config.attitude_high, model.config.behaviour_high);
    let attitude = judgement.attitudinal.map_or(
        localized("attitude unknown (no intent answered)", "精神忠诚未知（未回答意向问题）"),
        |points| {
            localized(
                format!("attitude {points:.0} of 100 (high from {attitude_high})"),
                format!("精神忠诚 {points:.0} 分（{attitude_high} 分起为高）"),
            )
        },
    );
    let behaviour = judgement.behavioural.map_or(
        localized("behaviour unknown (no order)", "行为忠诚未知（无订单）"),
        |points| {
            localized(
                format!("behaviour {points:.0} of 100 (high from {behaviour_high})"),
                format!("行为忠诚 {points:.0} 分（{behaviour_high} 分起为高）"),
            )
        },
    );
    let (end, end_zh) = judgement
        .loyalty
        .and_then(|place| TYPE_LABELS.get(place))
        .map_or((String::new(), String::new()), |label| {
            (format!(": {}", label.en.to_lowercase()), format!("：{}", label.zh))
        });
    let text = localized(
        format!("{}, {}{end}", attitude.en, behaviour.en),
        format!("{}，{}{end_zh}", attitude.zh_cn, behaviour.zh_cn),
    );
    reason("loyalty-type", text, 1.0)
}

fn kind_reason(kind: usize, customer: &Customer, judgement: &Judgement) -> Option<Reason> {
    let label = KIND_LABELS.get(kind)?;
    let evidence = evidence(KINDS.get(kind)?, customer, judgement);
    let text = localized(
        format!("{} loyalty: {}", label.en, evidence.en),
        format!("{}：{}", label.zh, evidence.zh_cn),
    );
    Some(reason("loyalty-kind", text, 0.8))
}

fn evidence(kind: &str, customer: &Customer, judgement: &Judgement) -> LocalizedText {
    let points = |points: Option<f64>| points.unwrap_or_default();
    match kind {
        "monopoly" => localized("there is no other supplier", "没有其他供应商"),
        "kinship" => localized("a relative or an employee", "是亲属或员工"),
        "latent" => localized("wants to buy, but circumstances prevent it", "愿意购买但受到限制"),
        "price" => {
            let share = points(customer.discount_share);
            localized(format!("{share:.0} % bought at a discount"), format!("{share:.0}% 以折扣价购买"))
        }
        "incentive" => {
            let share = points(customer.reward_share);
            localized(format!("{share:.0} % bought for rewards"), format!("{share:.0}% 因奖励而购买"))
        }
        "premium" => {
            let (orders, referrals) = (customer.orders, customer.referrals.unwrap_or(0));
            localized(
                format!(
                    "{orders} orders at full price, {referrals} referrals, attitude {:.0}",
                    points(judgement.attitudinal)
                ),
                format!(
                    "{orders} 笔全价订单，推荐 {referrals} 位客户，精神忠诚 {:.0} 分",
                    points(judgement.attitudinal)
                ),
            )
        }
        "inertia" => {
            let rating = points(customer.rating(Item::Convenience));
            localized(
                format!("buys often, little attachment, convenience rated {rating:.0} of 10"),
                format!("购买频繁但认同低，便利性评分 {rating:.0}/10"),
            )
        }
        _ => localized("no evidence for one of the seven kinds", "没有符合七种忠诚的依据"),
    }
}

fn trap_reason(customer: &Customer, judgement: &Judgement) -> Option<Reason> {
    let trap = *TRAPS.get(judgement.trap?)?;
    let (basic, latent) =
        (customer.rating(Item::BasicExpectations)?, customer.rating(Item::LatentExpectations)?);
    let text = if trap == "trapped" {
        localized(
            format!(
                "satisfaction trap: basic expectations met ({basic:.0} of 10), latent ones not ({latent:.0} of 10), loyalty no higher: invest in latent wishes"
            ),
            format!(
                "满意度陷阱：基本期望已满足（{basic:.0}/10），潜在期望未满足（{latent:.0}/10），忠诚度不高：应投入于潜在期望"
            ),
        )
    } else {
        localized(
            format!(
                "no satisfaction trap: basic expectations {basic:.0} of 10, latent ones {latent:.0} of 10"
            ),
            format!("未陷入满意度陷阱：基本期望 {basic:.0}/10，潜在期望 {latent:.0}/10"),
        )
    };
    Some(reason("satisfaction-trap", text, 0.6))
}

fn stage_reason(stage: usize) -> Option<Reason> {
    let label = STAGE_LABELS.get(stage)?;
    Some(reason("consumption-stage", localized(label.en, label.zh), 0.3))
}

/// What the judgement could not rest on.
fn coverage_reason(customer: &Customer) -> Option<Reason> {
    let (answered, wrong) = (customer.answered(&METRICS), customer.out_of_scale);
    if answered == METRICS.len() && wrong == 0 {
        return None;
    }
    let (scale, scale_zh) = if wrong > 0 {
        (
            format!("; {wrong} answers outside of 1 to 10 are not counted"),
            format!("；{wrong} 项回答不在 1 至 10 之间，未计入"),
        )
    } else {
        (String::new(), String::new())
    };
    let text = localized(
        format!("{answered} of 4 intents answered; the others have no weight{scale}"),
        format!("四项意向回答了 {answered} 项，未回答的不计权重{scale_zh}"),
    );
    Some(reason("coverage", text, 0.1))
}
