//! What came of a campaign.

use trellis_sdk::{
    Batch, Context, LocalizedText, Metric, ObjectRecord, Panel, Report, Result, RowStream, localized, metric,
    panel, report,
};

use crate::config::Config;
use crate::customers::{self, Customer};
use crate::proportions::{Comparison, Group, compare};

/// A difference that would be chance less often than this counts as one.
const SIGNIFICANCE: f64 = 0.05;

/// The members who count, by group. One who was not contacted counts in the hold-out group only.
#[derive(Debug, Default)]
struct Counts {
    a: Group,
    b: Group,
    hold_out: Group,
    /// Members who are still to be contacted, and those who are not to be.
    waiting: u64,
    suppressed: u64,
    outcomes: Outcomes,
}

/// What became of all members.
#[derive(Debug, Default)]
struct Outcomes {
    won_back: u64,
    lost: u64,
    /// Had a severe complaint, which is settled, and did not come back: at least no bad word spreads.
    contained: u64,
    /// Has an open severe complaint.
    complaining: u64,
    open: u64,
}

/// Reads the members once.
pub(crate) fn evaluate(
    campaign: &ObjectRecord,
    members: &mut RowStream<'_>,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let starts_on = campaign.date("starts_on");
    let is_over = starts_on
        .is_some_and(|start| i64::from(at.as_of) - i64::from(start) >= i64::from(config.deadline_days));
    let mut counts = Counts::default();
    for batch in members {
        counts.add(&batch, starts_on, is_over, at)?;
    }
    Ok(counts.evaluation())
}

impl Counts {
    fn add(&mut self, batch: &Batch, starts_on: Option<i32>, is_over: bool, at: &Context) -> Result<()> {
        let (variant, status) = (batch.dictionary("variant")?, batch.dictionary("status")?);
        let responded = batch.boolean("responded")?;
        for (row, customer) in customers::read(batch, at)?.into_iter().enumerate() {
            let has_bought =
                starts_on.is_some_and(|start| customer.last_order.is_some_and(|last| last >= start));
            let status = status.get(row).unwrap_or_default();
            let did =
                matches!(status, "responded" | "converted") || responded.get(row) == Some(true) || has_bought;
            let is_contacted = !matches!(status, "planned" | "suppressed");
            self.outcomes.add(&customer, did, is_over && is_contacted);
            let group = match (status, variant.get(row)) {
                ("suppressed", _) => {
                    self.suppressed += 1;
                    continue;
                }
                (_, None) => &mut self.hold_out,
                ("planned", _) => {
                    self.waiting += 1;
                    continue;
                }
                (_, Some("a")) => &mut self.a,
                (_, Some("b")) => &mut self.b,
                // A variant that an earlier configuration knew.
                _ => continue,
            };
            group.members += 1;
            group.responses += u64::from(did);
        }
        Ok(())
    }

    fn contacted(&self) -> Group {
        Group { members: self.a.members + self.b.members, responses: self.a.responses + self.b.responses }
    }

    fn evaluation(&self) -> Report {
        let variants = compare(self.a, self.b);
        let lift = compare(self.hold_out, self.contacted());
        let metrics = self.metrics(variants, lift);
        let evaluation = metrics.into_iter().fold(report(self.summary(variants, lift)), Report::metric);
        evaluation.panel(self.outcomes.panel())
    }

    fn summary(&self, variants: Option<Comparison>, lift: Option<Comparison>) -> LocalizedText {
        let (mut en, mut zh) = (Vec::new(), Vec::new());
        for (group, name, zh_name) in [
            (self.a, "A (offer)", "A 组（优惠）"),
            (self.b, "B (call)", "B 组（致电）"),
            (self.hold_out, "Hold-out", "对照组"),
        ] {
            let percent = group.rate().map_or("–".to_owned(), |rate| format!("{:.1} %", 100.0 * rate));
            en.push(format!("{name}: {} of {} came back ({percent}).", group.responses, group.members));
            zh.push(format!("{zh_name}：{} 人中有 {} 人回来（{percent}）。", group.members, group.responses));
        }
        let mut say = |text: LocalizedText| {
            en.push(text.en);
            zh.push(text.zh_cn);
        };
        say(verdict(variants, ["B against A", "B 组与 A 组相比"]));
        say(verdict(lift, ["Contacted against hold-out", "触达组与对照组相比"]));
        say(localized(
            format!("{} are still to be contacted, {} are left out.", self.waiting, self.suppressed),
            format!("尚待触达 {} 人，已排除 {} 人。", self.waiting, self.suppressed),
        ));
        localized(en.join("\n"), zh.join("\n"))
    }

    fn metrics(&self, variants: Option<Comparison>, lift: Option<Comparison>) -> Vec<Metric> {
        let mut metrics = Vec::new();
        let mut add = |name: &str, en: String, zh: String, value: f64| {
            metrics.push(metric(name, localized(en, zh), value));
        };
        for (name, en, zh, group) in [
            ("a", "A", "A 组", self.a),
            ("b", "B", "B 组", self.b),
            ("hold_out", "Hold-out", "对照组", self.hold_out),
        ] {
            add(
                &format!("{name}_members"),
                format!("{en}: members"),
                format!("{zh}：成员数"),
                group.members as f64,
            );
            add(
                &format!("{name}_responses"),
                format!("{en}: came back"),
                format!("{zh}：回来人数"),
                group.responses as f64,
            );
            if let Some(rate) = group.rate() {
                add(
                    &format!("{name}_rate"),
                    format!("{en}: share who came back"),
                    format!("{zh}：回来比例"),
                    rate,
                );
            }
        }
        for (name, en, zh, comparison) in [
            ("b_against_a", "B against A", "B 组对 A 组", variants),
            ("lift", "Contacted against hold-out", "触达组对对照组", lift),
        ] {
            let Some(comparison) = comparison else { continue };
            let label =
                |en_part: &str, zh_part: &str| (format!("{en}: {en_part}"), format!("{zh}：{zh_part}"));
            let (en, zh) = label("difference of the shares", "比例之差");
            add(&format!("{name}_difference"), en, zh, comparison.difference);
            let (en, zh) = label("z of the two-proportion test", "两比例检验的 z 值");
            add(&format!("{name}_z"), en, zh, comparison.z);
            let (en, zh) = label("two-sided p", "双侧 p 值");
            add(&format!("{name}_p"), en, zh, comparison.p_two_sided);
        }
        if let (Some(rate), Some(base)) =
            (self.contacted().rate(), self.hold_out.rate().filter(|base| *base > 0.0))
        {
            let (en, zh) = ("Relative lift against hold-out", "相对对照组的提升");
            add("relative_lift", en.to_owned(), zh.to_owned(), rate / base - 1.0);
        }
        add("waiting", "Still to be contacted".to_owned(), "尚待触达".to_owned(), self.waiting as f64);
        add("suppressed", "Left out".to_owned(), "已排除".to_owned(), self.suppressed as f64);
        metrics
    }
}

impl Outcomes {
    /// `is_over`: the member was contacted and its time to come back is over.
    fn add(&mut self, customer: &Customer, has_come_back: bool, is_over: bool) {
        let outcome = if has_come_back {
            &mut self.won_back
        } else if customer.open_severe_complaints > 0 {
            &mut self.complaining
        } else if customer.severe_complaints > 0 {
            &mut self.contained
        } else if is_over {
            &mut self.lost
        } else {
            &mut self.open
        };
        *outcome += 1;
    }

    fn panel(&self) -> Panel {
        let counts = [self.won_back, self.lost, self.contained, self.complaining, self.open];
        let names = [
            localized("Won back", "已挽回"),
            localized("Lost", "已流失"),
            localized("Contained: severe complaint settled", "已控制：严重投诉已解决"),
            localized("Complaining: severe complaint open", "投诉中：严重投诉未结"),
            localized("Open", "进行中"),
        ];
        panel("outcomes", "Outcomes", "挽回结果")
            .about(
                "Of all members, hold-out included. Lost is who was contacted and has not come back by the deadline; contained is who has not come back and whose severe \
                 complaint was settled, so that no bad word spreads.",
                "全部成员（含对照组）。已触达且期限内未回来的计为流失；未回来但严重投诉已解决的计为已控制（防止负面评价扩散）。",
            )
            .words("outcome", ("Outcome", "结果"), names)
            .int64("members", ("Members", "成员数"), "", counts.map(|count| i64::try_from(count).ok()))
            .bar("outcome", ["members"])
    }
}

/// Says whether a difference is one.
fn verdict(comparison: Option<Comparison>, [en, zh]: [&str; 2]) -> LocalizedText {
    let Some(comparison) = comparison else {
        return localized(format!("{en}: nothing to compare yet."), format!("{zh}：尚无可比较的数据。"));
    };
    let (points, p) = (100.0 * comparison.difference, comparison.p_two_sided);
    let figures = localized(
        format!("{en}: {points:+.1} points, z = {:.2}, p = {p:.4}", comparison.z),
        format!("{zh}：相差 {points:+.1} 个百分点，z = {:.2}，p = {p:.4}", comparison.z),
    );
    let (end, end_zh) = match (comparison.is_reliable, p < SIGNIFICANCE) {
        (false, _) => ("too few for a conclusion.", "样本太少，不能下结论。"),
        (true, true) => ("hardly chance.", "不太可能是偶然。"),
        (true, false) => ("may be chance.", "可能只是偶然。"),
    };
    localized(format!("{}: {end}", figures.en), format!("{}：{end_zh}", figures.zh_cn))
}
