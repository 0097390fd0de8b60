//! What happens next for a member.

use trellis_sdk::{
    Context, CreateTask, Decision, ObjectRecord, Reason, SendMessage, localized, message, reason, task,
};

use crate::config::{Config, Offer};
use crate::customers::Customer;

/// What a campaign says about contacting its members.
#[derive(Debug)]
pub(crate) struct Contacts<'a> {
    config: &'a Config,
    name: &'a str,
    /// An option of the field `channel` of messages.
    channel: &'a str,
    /// Days since the campaign began; none where it has no date.
    running_days: Option<i64>,
}

impl<'a> Contacts<'a> {
    pub(crate) fn new(campaign: &'a ObjectRecord, config: &'a Config, at: &Context) -> Self {
        let channel = match campaign.choice("channel") {
            Some(channel @ ("email" | "sms" | "wechat" | "phone" | "post")) => channel,
            // A website or an event reaches nobody who stays away.
            Some(_) => "other",
            None => "email",
        };
        Self {
            config,
            name: campaign.text("name").unwrap_or_default(),
            channel,
            running_days: campaign.date("starts_on").map(|start| i64::from(at.as_of) - i64::from(start)),
        }
    }

    /// What happens for a member of this status and variant, if anything. Nobody with an open severe complaint is sent an offer: its owner
    /// gets a task to settle it, so that no bad word spreads. The hold-out is left alone. Nobody gets a second task while one is open.
    pub(crate) fn next(&self, customer: &Customer, status: &str, variant: Option<&str>) -> Option<Decision> {
        let has_task = customer.open_tasks > 0;
        if customer.open_severe_complaints > 0 {
            let is_member = matches!(status, "planned" | "contacted" | "suppressed");
            variant?;
            return (is_member && !has_task).then(|| self.because(customer).then(self.contain()));
        }
        match (status, variant?) {
            ("planned", "a") => Some(self.because(customer).then(offer(self.channel, &self.config.offer))),
            ("planned", "b") if !has_task => Some(self.because(customer).then(self.call())),
            ("contacted", _) if !has_task && self.is_follow_up_due() => {
                Some(Decision::because(self.no_response()).then(self.follow_up()))
            }
            _ => None,
        }
    }

    fn because(&self, customer: &Customer) -> Decision {
        let reasons = customer.reasons(self.config);
        reasons.into_iter().fold(Decision::nothing(), Decision::and_because)
    }

    fn is_follow_up_due(&self) -> bool {
        self.running_days.is_some_and(|days| days >= i64::from(self.config.follow_up_days))
    }

    fn no_response(&self) -> Reason {
        let (days, limit) = (self.running_days.unwrap_or_default(), self.config.follow_up_days);
        let text = localized(
            format!("contacted, no response {days} days after the campaign began ({limit} are the limit)"),
            format!("已触达，活动开始 {days} 天后仍无响应（期限 {limit} 天）"),
        );
        reason("no-response", text, 1.0)
    }

    fn call(&self) -> CreateTask {
        let name = self.name;
        task("Win back: call the customer", "老客唤回：致电客户")
            .about(
                format!(
                    "Campaign “{name}”. Ask why the customer stopped buying, listen, and make an offer that fits. \
                     Note the answer, and set the campaign member to responded, converted or declined."
                ),
                format!(
                    "营销活动“{name}”。了解客户停止购买的原因，认真倾听，给出合适的方案。记录结果，并将活动成员的状态改为已响应、已转化或已拒绝。"
                ),
            )
            .due_in_days(5)
            .priority("normal")
    }

    fn contain(&self) -> CreateTask {
        let name = self.name;
        task("Win back: settle the complaint first", "老客唤回：先解决投诉")
            .about(
                format!(
                    "Campaign “{name}”. The customer has an open severe complaint and gets no offer. Call in person, listen, apologise, make it \
                     good, and ask whether it is settled, before it is told to others. Then resolve the case: the customer is planned again."
                ),
                format!(
                    "营销活动“{name}”。该客户有未结的严重投诉，不发送优惠。请亲自致电，倾听、致歉、补救，并确认客户满意，防止负面评价扩散。解决工单后，该客户将重新纳入活动。"
                ),
            )
            .due_in_days(self.config.contain_days)
            .priority("high")
    }

    fn follow_up(&self) -> CreateTask {
        let name = self.name;
        task("Win back: follow up, no response so far", "老客唤回：跟进未响应客户")
            .about(
                format!(
                    "Campaign “{name}”. The customer was contacted and did not respond. Try once more in person, then set \
                     the campaign member to responded, converted or declined."
                ),
                format!("营销活动“{name}”。客户已触达但未响应。请再次亲自联系，然后将活动成员的状态改为已响应、已转化或已拒绝。"),
            )
            .due_in_days(3)
            .priority("low")
    }
}

fn offer(channel: &str, offer: &Offer) -> SendMessage {
    message(channel).subject(&offer.subject_en, &offer.subject_zh).body(&offer.body_en, &offer.body_zh)
}
