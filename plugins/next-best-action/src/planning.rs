//! The question `plan`: who gets what within the budget.

use serde::Deserialize;
use serde_json::Value as Json;
use trellis_sdk::{Panel, Report, Result, RowStream, json, localized, metric, panel, report};

use crate::allocation::{Candidate, Candidates, Plan, frontier, plan};
use crate::config::{CHANNELS, Config, PerChannel};
use crate::customers::{Choice, Customers};
use crate::prices::{Prices, Totals, candidates, limits};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    budget: Option<f64>,
    capacity: Option<PerChannel<Option<u64>>>,
    #[serde(default = "limit")]
    limit: usize,
}

fn limit() -> usize {
    1_000
}

pub(crate) fn parameters() -> Json {
    let places: serde_json::Map<String, Json> = CHANNELS
        .iter()
        .map(|(_, name, en, zh)| {
            (
                (*name).to_owned(),
                json!({ "type": "integer", "minimum": 0, "title": { "en": en, "zh-CN": zh } }),
            )
        })
        .collect();
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "budget": { "type": "number", "minimum": 0, "title": { "en": "Budget", "zh-CN": "预算" },
                "description": { "en": "In major units of the base currency; without it that of the settings.", "zh-CN": "以本位币主币单位计；不填时用设置中的预算。" } },
            "capacity": { "type": "object", "additionalProperties": false, "properties": places,
                "title": { "en": "Actions per channel at most", "zh-CN": "各渠道行动数上限" },
                "description": { "en": "Without it those of the settings.", "zh-CN": "不填时用设置中的上限。" } },
            "limit": { "type": "integer", "minimum": 1, "maximum": 10000, "default": 1000,
                "title": { "en": "Customers in the table", "zh-CN": "表中客户数" } },
        },
    })
}

/// A customer of the table.
struct Line {
    customer: String,
    choice: Choice,
}

pub(crate) fn answer(
    rows: &mut RowStream<'_>,
    asked: &Parameters,
    config: &Config,
    currency: &str,
) -> Result<Report> {
    let mut config = config.clone();
    config.budget = asked.budget.or(config.budget);
    config.capacity = asked.capacity.unwrap_or(config.capacity);
    let (_, candidates) = candidates(rows, &config)?;
    let plan = plan(&candidates, &limits(&config));
    let totals = Totals::of(&plan, &candidates, &config);
    let lines = lines(rows, &config, &plan, &candidates, asked.limit)?;

    let (n, gain, cost) = (totals.customers, totals.gain, totals.cost);
    let gap = (plan.upper_bound - plan.gain).max(0.0);
    let (sure_en, sure_zh) = if plan.is_optimal {
        ("No plan is better.".to_owned(), "这是最优方案。".to_owned())
    } else {
        (format!("No plan gains more than {gap:.2} beyond that."), format!("任何方案最多再多得 {gap:.2}。"))
    };
    let text = localized(
        format!(
            "{n} of {} customers get an action: expected gain {gain:.2} {currency} at a cost of {cost:.2}. {sure_en}",
            candidates.len()
        ),
        format!(
            "{} 位客户中 {n} 位有建议行动：期望收益 {gain:.2} {currency}，成本 {cost:.2}。{sure_zh}",
            candidates.len()
        ),
    );
    let answer = totals.metrics(plan.shadow_price).into_iter().fold(report(text), Report::metric);
    let optimal =
        localized("The plan is the best for certain (1) or not (0)", "方案是否确为最优（1 是，0 否）");
    Ok(answer
        .metric(metric("optimal", optimal, f64::from(u8::from(plan.is_optimal))))
        .panel(by_action(&config, &plan, &candidates, currency))
        .panel(by_channel(&config, &plan, &candidates, currency))
        .panel(curve(&candidates, currency))
        .panel(who(&config, &lines, currency)))
}

/// The customers with the largest gains, read again for their names.
fn lines(
    rows: &mut RowStream<'_>,
    config: &Config,
    plan: &Plan,
    candidates: &Candidates,
    limit: usize,
) -> Result<Vec<Line>> {
    let taken = |place: &usize| candidates.of(*place).get((*plan.chosen.get(*place)?)?);
    let mut places: Vec<usize> = (0..candidates.len()).filter(|place| taken(place).is_some()).collect();
    let gain = |place: &usize| taken(place).map_or(0.0, |candidate| candidate.gain);
    places.sort_by(|one, other| gain(other).total_cmp(&gain(one)).then(one.cmp(other)));
    places.truncate(limit);
    let mut shown: Vec<Option<Line>> = places.iter().map(|_| None).collect();
    let mut by_place: Vec<(usize, usize)> =
        places.iter().copied().enumerate().map(|(rank, place)| (place, rank)).collect();
    by_place.sort_unstable();
    let mut wanted = by_place.into_iter().peekable();
    let mut before = 0;
    rows.rewind();
    for batch in rows {
        let customers = Customers::read(&batch, config)?;
        let names = batch.text("name")?;
        while let Some((place, rank)) = wanted.next_if(|(place, _)| *place < before + batch.rows()) {
            let row = place - before;
            let action = taken(&place).map(|candidate| candidate.action);
            let choice = customers.gainful(row).find(|choice| Some(choice.action) == action);
            if let (Some(line), Some(choice)) = (shown.get_mut(rank), choice) {
                *line = Some(Line { customer: names.get(row).unwrap_or_default().to_owned(), choice });
            }
        }
        before += batch.rows();
    }
    Ok(shown.into_iter().flatten().collect())
}

fn label(config: &Config, action: usize) -> trellis_sdk::LocalizedText {
    config
        .actions
        .get(action)
        .map_or_else(|| localized("", ""), |action| localized(&action.label_en, &action.label_zh))
}

fn chosen<'a>(plan: &'a Plan, candidates: &'a Candidates) -> impl Iterator<Item = &'a Candidate> {
    plan.chosen.iter().zip(candidates.iter()).filter_map(|(chosen, of)| of.get((*chosen)?))
}

/// Customers, gain and cost of what `is` takes.
fn sums(plan: &Plan, candidates: &Candidates, is: impl Fn(&Candidate) -> bool) -> (i64, f64, f64) {
    let all = chosen(plan, candidates).filter(|candidate| is(candidate));
    all.fold((0, 0.0, 0.0), |sum, candidate| (sum.0 + 1, sum.1 + candidate.gain, sum.2 + candidate.cost))
}

fn by_action(config: &Config, plan: &Plan, candidates: &Candidates, currency: &str) -> Panel {
    let lines: Vec<_> = (0..config.actions.len())
        .map(|place| (place, sums(plan, candidates, |one| one.action == place)))
        .collect();
    panel("actions", "By action", "按行动汇总")
        .words("action", ("Action", "行动"), lines.iter().map(|(place, _)| label(config, *place)))
        .int64("customers", ("Customers", "客户数"), "", lines.iter().map(|(_, sums)| Some(sums.0)))
        .float64("gain", ("Expected gain", "期望收益"), currency, lines.iter().map(|(_, sums)| Some(sums.1)))
        .float64("cost", ("Cost", "成本"), currency, lines.iter().map(|(_, sums)| Some(sums.2)))
        .bar("action", ["customers"])
}

fn by_channel(config: &Config, plan: &Plan, candidates: &Candidates, currency: &str) -> Panel {
    let capacity = config.capacity.all();
    let lines: Vec<_> = (0..CHANNELS.len())
        .map(|place| (place, sums(plan, candidates, |one| one.channel == place)))
        .collect();
    let price = |place: usize| plan.channel_prices.get(place).copied().or(Some(0.0));
    panel("channels", "By channel", "按渠道汇总")
        .about(
            "The price of a channel is what one more place in it would gain; 0 where there are places left.",
            "渠道的影子价格是多一个名额可多得的收益；有余量时为 0。",
        )
        .words("channel", ("Channel", "渠道"), CHANNELS.iter().map(|(_, _, en, zh)| localized(*en, *zh)))
        .int64("customers", ("Customers", "客户数"), "", lines.iter().map(|(_, sums)| Some(sums.0)))
        .int64(
            "capacity",
            ("At most", "上限"),
            "",
            capacity.iter().map(|most| most.and_then(|most| i64::try_from(most).ok())),
        )
        .float64(
            "price",
            ("Shadow price", "影子价格"),
            currency,
            lines.iter().map(|(place, _)| price(*place)),
        )
        .bar("channel", ["customers"])
}

fn curve(candidates: &Candidates, currency: &str) -> Panel {
    let points = frontier(candidates, 50);
    panel("budget", "What money brings", "预算与收益")
        .about(
            "The expected gain by the budget, without limits of channels.",
            "不考虑渠道上限时，不同预算下的期望收益。",
        )
        .float64("budget", ("Budget", "预算"), currency, points.iter().map(|(cost, _)| Some(*cost)))
        .float64("gain", ("Expected gain", "期望收益"), currency, points.iter().map(|(_, gain)| Some(*gain)))
        .line("budget", ["gain"])
}

fn who(config: &Config, lines: &[Line], currency: &str) -> Panel {
    let number = |value: fn(&Choice) -> f64| lines.iter().map(move |line| Some(value(&line.choice)));
    panel("customers", "Who gets what", "客户行动清单")
        .about("The customers with the largest expected gains.", "期望收益最高的客户。")
        .names("customer", ("Customer", "客户"), lines.iter().map(|line| Some(line.customer.as_str())))
        .words("action", ("Action", "行动"), lines.iter().map(|line| label(config, line.choice.action)))
        .float64("probability", ("Probability", "成功概率"), "", number(|choice| choice.probability))
        .float64("gain", ("Gain of a success", "成功收益"), currency, number(|choice| choice.gain))
        .float64("cost", ("Cost", "成本"), currency, number(|choice| choice.cost))
        .float64("expected", ("Expected gain", "期望收益"), currency, number(Choice::expected))
}

/// What a fit came to.
pub(crate) fn of_model(prices: &Prices) -> Report {
    let counts = &prices.totals.by_action;
    let answer = prices.metrics().into_iter().fold(report(prices.summary()), Report::metric);
    let price = |place: usize| prices.channels.get(place).copied().or(Some(0.0));
    answer
        .panel(
            panel("actions", "Customers by action", "各行动的客户数")
                .words(
                    "action",
                    ("Action", "行动"),
                    (0..counts.len()).map(|place| label(&prices.config, place)),
                )
                .int64(
                    "customers",
                    ("Customers", "客户数"),
                    "",
                    counts.iter().map(|count| i64::try_from(*count).ok()),
                )
                .bar("action", ["customers"]),
        )
        .panel(
            panel("channels", "Prices of channels", "渠道影子价格")
                .about("What one more place in the channel would gain.", "渠道多一个名额可多得的收益。")
                .words(
                    "channel",
                    ("Channel", "渠道"),
                    CHANNELS.iter().map(|(_, _, en, zh)| localized(*en, *zh)),
                )
                .float64(
                    "price",
                    ("Shadow price", "影子价格"),
                    &prices.currency,
                    (0..CHANNELS.len()).map(price),
                )
                .bar("channel", ["price"]),
        )
}
