//! The figures of each customer in a batch, and what is due.

use jiff::civil::{Date, date};
use trellis_sdk::{Batch, Context, Reason, Result, localized, reason};

use crate::cares::CALL_DAYS;
use crate::config::{Config, Entry, Occasion};

const DAY_MS: i64 = 86_400_000;

pub(crate) const OPEN_SEVERE_COMPLAINT: &str = "open-severe-complaint";
pub(crate) const DO_NOT_CONTACT: &str = "do-not-contact";
pub(crate) const CARED_FOR_RECENTLY: &str = "cared-for-recently";
pub(crate) const ENOUGH_CARES: &str = "enough-cares";
pub(crate) const NOTHING_DUE: &str = "nothing-due";

/// What is known of a customer. Days are counted up to the day that is asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Customer {
    since_order: Option<i64>,
    /// Of the last delivery that was not dated ahead.
    since_delivery: Option<i64>,
    until_birthday: Option<i64>,
    /// Below 0 once it has ended.
    until_end: Option<i64>,
    open_deals: i64,
    open_severe_complaints: i64,
    not_to_be_contacted: i64,
    /// Of the last message of a campaign that was sent, and the last care call that was asked for.
    since_care: Option<i64>,
    /// Messages that are not sent yet.
    waiting: i64,
    cares_in_year: i64,
    segment: Option<String>,
}

/// The customers of a batch, in its order.
pub(crate) fn read(batch: &Batch, at: &Context) -> Result<Vec<Customer>> {
    let [order, delivery, birthday, end] =
        ["last_order", "last_delivery", "birthday", "contract_ends"].map(|name| batch.date(name));
    let (order, delivery, birthday, end) = (order?, delivery?, birthday?, end?);
    let count = |name: &str| batch.int64(name);
    let (deals, complaints, blocked) =
        (count("open_deals")?, count("open_severe_complaints")?, count("not_to_be_contacted")?);
    let (waiting, messages, calls) =
        (count("waiting_messages")?, count("messages_in_year")?, count("calls_in_year")?);
    let (sent, call_due) = (batch.time("last_message")?, batch.date("last_call_due")?);
    let segment = batch.has_column("segment").then(|| batch.dictionary("segment")).transpose()?;
    let since = |day: i32| i64::from(at.as_of) - i64::from(day);
    let customer = |row: usize| Customer {
        since_order: order.get(row).map(since),
        since_delivery: delivery.get(row).map(since).filter(|days| *days >= 0),
        until_birthday: birthday.get(row).and_then(|day| until_birthday(day, at.as_of)),
        until_end: end.get(row).map(|day| -since(day)),
        open_deals: deals.get(row).unwrap_or(0),
        open_severe_complaints: complaints.get(row).unwrap_or(0),
        not_to_be_contacted: blocked.get(row).unwrap_or(0),
        since_care: [
            sent.get(row).map(|ms| i64::from(at.as_of) - ms.div_euclid(DAY_MS)),
            call_due.get(row).map(|day| since(day) + i64::from(CALL_DAYS)),
        ]
        .into_iter()
        .flatten()
        .min(),
        waiting: waiting.get(row).unwrap_or(0),
        cares_in_year: messages.get(row).unwrap_or(0) + calls.get(row).unwrap_or(0),
        segment: segment.as_ref().and_then(|segment| segment.get(row)).map(str::to_owned),
    };
    Ok((0..batch.rows()).map(customer).collect())
}

impl Customer {
    /// The entry of the plan that is due now; if none may be carried out, the first cause against it.
    pub(crate) fn due<'a>(&self, config: &'a Config) -> Result<&'a Entry, &'static str> {
        if self.open_severe_complaints > 0 {
            return Err(OPEN_SEVERE_COMPLAINT);
        }
        if self.not_to_be_contacted > 0 {
            return Err(DO_NOT_CONTACT);
        }
        if self.waiting > 0 || self.since_care.is_some_and(|days| days < i64::from(config.gap_days)) {
            return Err(CARED_FOR_RECENTLY);
        }
        if self.cares_in_year >= config.cares_in_year {
            return Err(ENOUGH_CARES);
        }
        config.plan.iter().find(|entry| self.is_due(entry, config.gap_days)).ok_or(NOTHING_DUE)
    }

    fn is_due(&self, entry: &Entry, gap_days: i32) -> bool {
        let of_segment = |segment: &String| self.segment.as_ref() == Some(segment);
        if !entry.segments.is_empty() && !entry.segments.iter().any(of_segment) {
            return false;
        }
        let days = i64::from(entry.days);
        // Due no longer than the gap is: who was cared for is left alone until the occasion is over.
        let window = i64::from(entry.window_days.min(gap_days).max(1));
        let after = |since: Option<i64>| since.is_some_and(|since| (days..days + window).contains(&since));
        let before = |until: Option<i64>| {
            until.is_some_and(|until| until >= 0 && until <= days && until > days - window)
        };
        match entry.occasion {
            Occasion::Birthday => before(self.until_birthday),
            Occasion::Renewal => before(self.until_end),
            Occasion::Delivery => after(self.since_delivery),
            Occasion::OrderPlaced => after(self.since_order) && self.awaits_delivery(),
            Occasion::Inactivity => after(self.since_order),
            Occasion::OpenDeal => self.open_deals > 0 && self.since_order.is_none_or(|since| since >= days),
        }
    }

    /// Nothing was delivered since the last order.
    fn awaits_delivery(&self) -> bool {
        self.since_order
            .is_some_and(|ordered| self.since_delivery.is_none_or(|delivered| delivered > ordered))
    }

    /// Why something is due, or why nothing is, what decides first.
    pub(crate) fn reasons(&self, config: &Config) -> Vec<Reason> {
        let cause = match self.due(config) {
            Ok(entry) => return vec![self.occasion(entry.occasion)],
            Err(cause) => cause,
        };
        let mut reasons = vec![self.against(cause, config)];
        if cause != NOTHING_DUE
            && let Some(entry) = config.plan.iter().find(|entry| self.is_due(entry, config.gap_days))
        {
            let mut waits = self.occasion(entry.occasion);
            waits.weight = 0.5;
            reasons.push(waits);
        }
        reasons
    }

    fn against(&self, cause: &'static str, config: &Config) -> Reason {
        let (gap, year) = (config.gap_days, config.cares_in_year);
        let text = match cause {
            OPEN_SEVERE_COMPLAINT => {
                localized("a severe complaint is open: settle that first", "有未结的严重投诉：先妥善解决投诉")
            }
            DO_NOT_CONTACT => localized("does not want to be contacted", "客户不希望被联系"),
            CARED_FOR_RECENTLY => localized(
                format!("was contacted within the last {gap} days, or is about to be"),
                format!("最近 {gap} 天内已触达过，或有待发送的消息"),
            ),
            ENOUGH_CARES => localized(
                format!("was contacted {} times within a year; {year} is the limit", self.cares_in_year),
                format!("一年内已触达 {} 次，达到上限 {year} 次", self.cares_in_year),
            ),
            _ => localized("no occasion of the plan is due", "计划中暂无到期的时机"),
        };
        reason(cause, text, 1.0)
    }

    fn occasion(&self, occasion: Occasion) -> Reason {
        let days = |days: Option<i64>| days.unwrap_or_default();
        let text = match occasion {
            Occasion::Birthday => {
                let days = days(self.until_birthday);
                localized(format!("birthday in {days} days"), format!("{days} 天后生日"))
            }
            Occasion::Renewal => {
                let days = days(self.until_end);
                localized(format!("a contract ends in {days} days"), format!("合同将于 {days} 天后到期"))
            }
            Occasion::Delivery => {
                let days = days(self.since_delivery);
                localized(format!("delivered {days} days ago"), format!("{days} 天前送达"))
            }
            Occasion::OrderPlaced => {
                let days = days(self.since_order);
                localized(
                    format!("ordered {days} days ago, not delivered yet"),
                    format!("{days} 天前下单，尚未送达"),
                )
            }
            Occasion::Inactivity => {
                let days = days(self.since_order);
                localized(format!("last order {days} days ago"), format!("最近一次下单在 {days} 天前"))
            }
            Occasion::OpenDeal => {
                let deals = self.open_deals;
                localized(format!("{deals} open deals"), format!("有 {deals} 个进行中的商机"))
            }
        };
        reason(occasion.code(), text, 1.0)
    }
}

/// Days until the next birthday, 0 on the day itself. Who was born on 29 February has it on the 28th in other years.
fn until_birthday(born: i32, as_of: i32) -> Option<i64> {
    let epoch = date(1970, 1, 1);
    let day = |days: i32| epoch.checked_add(jiff::Span::new().try_days(days).ok()?).ok();
    let (born, today) = (day(born)?, day(as_of)?);
    let in_year = |year: i16| {
        Date::new(year, born.month(), born.day()).or_else(|_| Date::new(year, born.month(), 28)).ok()
    };
    let next = [today.year(), today.year().checked_add(1)?]
        .into_iter()
        .filter_map(in_year)
        .find(|birthday| *birthday >= today)?;
    Some(i64::from(today.until(next).ok()?.get_days()))
}

#[cfg(test)]
mod tests {
    use trellis_sdk::testing::day;

    use super::until_birthday;

    #[test]
    fn birthdays_come_once_a_year() {
        for (born, today, expected) in [
            ("1980-06-30", "2026-06-30", 0),
            ("1980-07-03", "2026-06-30", 3),
            ("1980-06-29", "2026-06-30", 364),
            ("1980-02-29", "2026-02-20", 8),
            ("1980-02-29", "2028-02-20", 9),
            ("1980-01-02", "2026-12-31", 2),
        ] {
            assert_eq!(until_birthday(day(born), day(today)), Some(expected), "{born} on {today}");
        }
        assert_eq!(until_birthday(i32::MAX, 0), None);
    }
}
