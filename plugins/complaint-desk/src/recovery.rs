//! What became of customers who complained: how many came back, and what it was that they complained about (R48).

use std::collections::BTreeMap;

use serde::Deserialize;
use trellis_sdk::{
    Analysis, AnalysisDescription, Batch, Context, LocalizedText, Panel, PluginError, Report, Result,
    RowStream, analysis, export_analysis, json, localized, metric, panel, parse_parameters, report,
};

use crate::severity::{Severity, form_words};
use crate::wants::Want;
use crate::{ComplaintDesk, Config};

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    days: i32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { days: 90 }
    }
}

/// A complaint. Days since 1970-01-01.
#[derive(Debug)]
struct Complaint {
    account: Option<u64>,
    /// None of what came in before the desk was there.
    came_on: Option<i32>,
    resolved_on: Option<i32>,
    severity: Option<String>,
    form: Option<String>,
    cause: Option<String>,
    effective: Option<String>,
    /// None where nobody ticked anything.
    wants: Option<Vec<String>>,
    satisfaction: Option<f64>,
}

/// Counts over some complaints.
#[derive(Debug, Default)]
struct Sum {
    complaints: u64,
    resolved: u64,
    /// Of customers who had bought before, resolved so long ago that the days are over.
    judged: u64,
    came_back: u64,
    orders_before: u64,
    orders_after: u64,
    days_to_resolve: i64,
    with_days: u64,
    satisfaction: f64,
    rated: u64,
}

impl Sum {
    fn add(&mut self, complaint: &Complaint, orders: &[i32], days: i32, as_of: i32) {
        self.complaints += 1;
        if let Some(satisfaction) = complaint.satisfaction {
            self.satisfaction += satisfaction;
            self.rated += 1;
        }
        let Some(resolved) = complaint.resolved_on else { return };
        self.resolved += 1;
        let came_on = complaint.came_on.unwrap_or(resolved);
        if let Some(came_on) = complaint.came_on {
            self.days_to_resolve += i64::from(resolved) - i64::from(came_on);
            self.with_days += 1;
        }
        let was_customer = orders.iter().any(|day| *day <= came_on);
        if !was_customer || resolved.saturating_add(days) > as_of {
            return;
        }
        let count =
            |from: i32, to: i32| orders.iter().filter(|day| **day > from && **day <= to).count() as u64;
        let after = count(resolved, resolved.saturating_add(days));
        self.judged += 1;
        self.came_back += u64::from(after > 0);
        self.orders_after += after;
        self.orders_before += count(came_on.saturating_sub(days), came_on);
    }

    fn recovery(&self) -> Option<f64> {
        share(self.came_back as f64 * 100.0, self.judged)
    }
}

fn share(part: f64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part / whole as f64)
}

impl Analysis for ComplaintDesk {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<AnalysisDescription>> {
        let recovery = analysis("recovery", "Recovery after complaints", "投诉后的挽回情况")
            .about(
                "How many customers bought again after their complaint was resolved, how often they bought before and after, and what the complaints were about.",
                "投诉解决后有多少客户再次购买、投诉前后购买频次的变化，以及投诉的原因分布。",
            )
            .of("complaints")
            .asking(&json!({
                "type": "object",
                "additionalProperties": false,
                "properties": { "days": {
                    "type": "integer", "minimum": 1, "maximum": 3650, "default": 90,
                    "title": { "en": "Days in which a customer comes back", "zh-CN": "视为挽回的再次购买天数" },
                } },
            }));
        Ok(vec![recovery])
    }

    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        _: &Config,
        at: &Context,
    ) -> Result<Report> {
        if name != "recovery" {
            return Err(PluginError::other(
                "unknown-question",
                (format!("there is no question `{name}`"), format!("没有名为 `{name}` 的问题")),
            ));
        }
        let parameters: Parameters = parse_parameters(parameters)?;
        let mut complaints = Vec::new();
        let mut orders: BTreeMap<u64, Vec<i32>> = BTreeMap::new();
        for batch in &mut *rows {
            read(&batch, at, &mut complaints)?;
        }
        for complaint in &complaints {
            orders.extend(complaint.account.map(|account| (account, Vec::new())));
        }
        for batch in rows.dataset("orders")? {
            let (account, day) = (batch.reference("account")?, batch.date("ordered_on")?);
            for (account, day) in account.iter().zip(day.iter()) {
                let Some((account, day)) = account.zip(day.filter(|day| *day <= at.as_of)) else { continue };
                if let Some(days) = orders.get_mut(&account) {
                    days.push(day);
                }
            }
        }
        Ok(answer(&complaints, &orders, parameters.days, at.as_of))
    }
}

export_analysis!(ComplaintDesk);

fn read(batch: &Batch, at: &Context, complaints: &mut Vec<Complaint>) -> Result<()> {
    let (account, received) = (batch.reference("account")?, batch.time("received_at")?);
    let (resolved, closed) = (batch.time("resolved_at")?, batch.time("closed_at")?);
    let texts = ["severity", "dissatisfaction", "root_cause_kind", "effective"];
    let [severity, form, cause, effective] = texts.map(|name| batch.dictionary(name));
    let (severity, form, cause, effective) = (severity?, form?, cause?, effective?);
    let (wants, satisfaction) = (batch.lists("wants_met")?, batch.int64("satisfaction")?);
    let day = |ms: i64| i32::try_from(ms.div_euclid(DAY_MS)).unwrap_or(i32::MAX);
    for row in 0..batch.rows() {
        let came_on = received.get(row).map(day);
        if came_on.is_some_and(|day| day > at.as_of) {
            continue;
        }
        complaints.push(Complaint {
            account: account.get(row),
            came_on,
            resolved_on: resolved.get(row).or(closed.get(row)).map(day).filter(|day| *day <= at.as_of),
            severity: severity.get(row).map(str::to_owned),
            form: form.get(row).map(str::to_owned),
            cause: cause.get(row).map(str::to_owned),
            effective: effective.get(row).map(str::to_owned),
            wants: wants.get(row).map(|wants| wants.map(str::to_owned).collect()),
            satisfaction: satisfaction.get(row).map(|score| score as f64),
        });
    }
    Ok(())
}

fn answer(complaints: &[Complaint], orders: &BTreeMap<u64, Vec<i32>>, days: i32, as_of: i32) -> Report {
    let of = |complaint: &Complaint| {
        complaint.account.and_then(|account| orders.get(&account)).map_or(&[] as &[i32], Vec::as_slice)
    };
    let mut all = Sum::default();
    let (mut severities, mut forms, mut causes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for complaint in complaints {
        all.add(complaint, of(complaint), days, as_of);
        for (groups, key) in [
            (&mut severities, &complaint.severity),
            (&mut forms, &complaint.form),
            (&mut causes, &complaint.cause),
        ] {
            let sum: &mut Sum = groups.entry(key.clone()).or_default();
            sum.add(complaint, of(complaint), days, as_of);
        }
    }
    let summary = match all.recovery() {
        Some(percent) => localized(
            format!(
                "{} of {} customers bought again within {days} days after their complaint was resolved ({percent:.1} %).",
                all.came_back, all.judged
            ),
            format!(
                "投诉解决后 {days} 天内，{} 位客户中有 {} 位再次购买（{percent:.1}%）。",
                all.judged, all.came_back
            ),
        ),
        None => localized(
            format!(
                "No complaint of a customer who had bought before was resolved {days} days ago or earlier."
            ),
            format!("尚无老客户的投诉在 {days} 天以前得到解决，暂无法统计挽回情况。"),
        ),
    };
    let metrics = metrics(&all, complaints);
    let whole = metrics.into_iter().fold(report(summary), Report::metric);
    whole
        .panel(groups_panel("causes", ("By root cause", "按根本原因"), causes, cause_words))
        .panel(groups_panel("severities", ("By severity", "按严重程度"), severities, |option| {
            Severity::parse(option).map_or(("Not judged", "未判定"), Severity::words)
        }))
        .panel(groups_panel("forms", ("By form of dissatisfaction", "按不满的表现"), forms, form_words))
        .panel(wants_panel(complaints))
}

fn metrics(all: &Sum, complaints: &[Complaint]) -> Vec<trellis_sdk::Metric> {
    let effective = |option: &str| {
        complaints.iter().filter(|complaint| complaint.effective.as_deref() == Some(option)).count() as u64
    };
    let (worked, failed) = (effective("yes"), effective("no"));
    let figures = [
        ("complaints", ("Complaints", "投诉数"), Some(all.complaints as f64)),
        ("resolved", ("Resolved", "已解决"), Some(all.resolved as f64)),
        ("recovery_rate", ("Customers who came back (%)", "挽回率（%）"), all.recovery()),
        ("judged", ("Customers of whom that can be said", "可统计挽回的投诉数"), Some(all.judged as f64)),
        (
            "orders_before",
            ("Orders before the complaint", "投诉前订单数（人均）"),
            share(all.orders_before as f64, all.judged),
        ),
        (
            "orders_after",
            ("Orders after the solution", "解决后订单数（人均）"),
            share(all.orders_after as f64, all.judged),
        ),
        (
            "days_to_resolve",
            ("Mean days to a solution", "平均解决天数"),
            share(all.days_to_resolve as f64, all.with_days),
        ),
        (
            "satisfaction",
            ("Mean satisfaction (1 to 5)", "平均满意度（1–5）"),
            share(all.satisfaction, all.rated),
        ),
        (
            "effective",
            ("Corrective actions that worked (%)", "整改有效率（%）"),
            share(worked as f64 * 100.0, worked + failed),
        ),
    ];
    let known = figures
        .into_iter()
        .filter_map(|(name, (en, zh), value)| Some(metric(name, localized(en, zh), value?)));
    known.collect()
}

fn cause_words(option: Option<&str>) -> (&'static str, &'static str) {
    match option {
        Some("product") => ("Product", "产品质量"),
        Some("service") => ("Service", "服务态度"),
        Some("delivery") => ("Delivery", "物流配送"),
        Some("price") => ("Price and bill", "价格与账单"),
        Some("promise") => ("Promise not kept", "承诺未兑现"),
        Some("information") => ("Wrong information", "信息有误"),
        Some("process") => ("Process", "流程问题"),
        Some("other") => ("Other", "其他"),
        _ => ("Not known", "未查明"),
    }
}

/// The most frequent first, with the share of all complaints up to each: a Pareto.
fn groups_panel(
    name: &str,
    (en, zh): (&str, &str),
    groups: BTreeMap<Option<String>, Sum>,
    words: fn(Option<&str>) -> (&'static str, &'static str),
) -> Panel {
    let mut groups: Vec<(Option<String>, Sum)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.complaints));
    let all: u64 = groups.iter().map(|(_, sum)| sum.complaints).sum();
    let mut up_to = 0;
    let cumulated: Vec<Option<f64>> = groups
        .iter()
        .map(|(_, sum)| {
            up_to += sum.complaints;
            share(up_to as f64 * 100.0, all)
        })
        .collect();
    let label = |(option, _): &(Option<String>, Sum)| -> LocalizedText {
        let (en, zh) = words(option.as_deref());
        localized(en, zh)
    };
    let number = |pick: fn(&Sum) -> u64| groups.iter().map(move |(_, sum)| i64::try_from(pick(sum)).ok());
    panel(name, en, zh)
        .words("group", ("Group", "分组"), groups.iter().map(label))
        .int64("complaints", ("Complaints", "投诉数"), "", number(|sum| sum.complaints))
        .float64("cumulated", ("Cumulated", "累计占比"), "%", cumulated)
        .int64("resolved", ("Resolved", "已解决"), "", number(|sum| sum.resolved))
        .float64("recovery", ("Came back", "挽回率"), "%", groups.iter().map(|(_, sum)| sum.recovery()))
        .bar("group", ["complaints"])
}

/// Which of the five wants were met, where somebody noted it.
fn wants_panel(complaints: &[Complaint]) -> Panel {
    let noted: Vec<&Vec<String>> = complaints
        .iter()
        .filter_map(|complaint| complaint.wants.as_ref())
        .filter(|wants| !wants.is_empty())
        .collect();
    let met = Want::ALL.map(|want| {
        let count = noted.iter().filter(|met| met.iter().any(|option| option == want.option())).count();
        share(count as f64 * 100.0, noted.len() as u64)
    });
    panel("wants", "What customers wanted and got", "顾客的五项期望满足率")
        .words("want", ("Want", "期望"), Want::ALL.map(|want| localized(want.words().0, want.words().1)))
        .float64("met", ("Met", "已满足"), "%", met)
        .bar("want", ["met"])
}
