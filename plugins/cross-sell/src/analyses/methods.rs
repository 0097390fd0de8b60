//! Which way to recommend finds hidden items again (R126: model, evaluate, choose).

use trellis_sdk::{
    Context, PluginError, Report, Result, RowStream, localized, metric, panel, report, stable_hash,
};

use crate::baskets::Baskets;
use crate::config::{Config, min_count};
use crate::fpgrowth::{Limits, mine};
use crate::model::ITEMSETS_MAX;
use crate::rules::{Rule, Thresholds, generate};
use crate::similarity::neighbours;

/// Each basket whose place is a multiple of this is kept from learning.
const TEST_EVERY: usize = 10;
/// How many baskets are tried; more would only refine the last digit.
const TESTS_MAX: usize = 5_000;
/// Among how many recommendations the hidden item may be.
const BEST: usize = 5;

#[derive(Debug, Clone, Copy, Default)]
struct Hits {
    first: u32,
    among_best: u32,
    answered: u32,
}

pub(super) fn answer(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Report> {
    let baskets = Baskets::read(rows, config, at.as_of)?;
    let training = baskets.part(|place| place % TEST_EVERY != 0);
    let tests = baskets.part(|place| place % TEST_EVERY == 0);
    let tests: Vec<&[u32]> =
        tests.iter().filter(|basket| basket.len() > 1).take(TESTS_MAX).collect::<Vec<_>>();
    if tests.is_empty() || training.len() == 0 {
        return Err(PluginError::UnsuitableData(
            ("too few baskets hold two items or more", "含两件及以上商品的购物篮过少").into(),
        ));
    }
    let ways = Ways::learn(&training, config)?;
    let mut hits = [Hits::default(); 3];
    for (number, basket) in tests.iter().enumerate() {
        // Which item is hidden depends on the basket's number alone.
        let hidden = (stable_hash("hidden", number as u64) % basket.len() as u64) as usize;
        let seen: Vec<u32> =
            basket.iter().enumerate().filter(|(place, _)| *place != hidden).map(|(_, item)| *item).collect();
        let Some(item) = basket.get(hidden) else { continue };
        for (hits, ranked) in
            hits.iter_mut().zip([ways.by_rules(&seen), ways.by_likeness(&seen), ways.by_popularity(&seen)])
        {
            hits.answered += u32::from(!ranked.is_empty());
            hits.first += u32::from(ranked.first() == Some(item));
            hits.among_best += u32::from(ranked.iter().take(BEST).any(|found| found == item));
        }
    }
    Ok(shown(hits, tests.len()))
}

fn shown(hits: [Hits; 3], tests: usize) -> Report {
    let names = [
        ("rules", "Rules", "关联规则"),
        ("likeness", "Likeness", "相似度"),
        ("popularity", "Popularity", "热门排行"),
    ];
    let percent = |count: u32| 100.0 * f64::from(count) / tests as f64;
    let best = names.iter().zip(&hits).fold(None::<(&(&str, &str, &str), &Hits)>, |best, one| match best {
        Some(best) if (best.1.among_best, best.1.first) >= (one.1.among_best, one.1.first) => Some(best),
        _ => Some(one),
    });
    let (_, en, zh) = best.map_or(("", "", ""), |(name, _)| *name);
    let text = localized(
        format!("Of {tests} hidden items, most are found again by: {en}."),
        format!("在 {tests} 件隐藏商品中，猜中最多的方法：{zh}。"),
    );
    let table = panel("methods", "Hidden items found again", "隐藏商品的命中率")
        .words("method", ("Method", "方法"), names.iter().map(|(_, en, zh)| localized(*en, *zh)))
        .float64(
            "first",
            ("Recommended first", "首位命中"),
            "%",
            hits.iter().map(|hits| Some(percent(hits.first))),
        )
        .float64(
            "best",
            ("Among the first five", "前五命中"),
            "%",
            hits.iter().map(|hits| Some(percent(hits.among_best))),
        )
        .float64(
            "answered",
            ("Anything recommended", "有推荐结果"),
            "%",
            hits.iter().map(|hits| Some(percent(hits.answered))),
        )
        .bar("method", ["first", "best"]);
    let mut answer =
        report(text).metric(metric("baskets", localized("Baskets tried", "测试的购物篮数"), tests as f64));
    for ((name, en, zh), hits) in names.iter().zip(&hits) {
        let label =
            localized(format!("{en}: found among the first five, %"), format!("{zh}：前五命中率（%）"));
        answer = answer.metric(metric(&format!("{name}_best"), label, percent(hits.among_best)));
    }
    answer.panel(table)
}

struct Ways {
    rules: Vec<Rule>,
    /// For each item what is alike, by number.
    alike: Vec<Vec<(u32, f64)>>,
    /// Items by count.
    popular: Vec<u32>,
}

impl Ways {
    fn learn(training: &Baskets, config: &Config) -> Result<Self> {
        let limits = Limits {
            min_count: min_count(config.min_support, training.len()),
            length_max: config.max_length,
            itemsets_max: ITEMSETS_MAX,
        };
        let thresholds = Thresholds { min_confidence: config.min_confidence, min_lift: config.min_lift };
        let mut rules = generate(&mine(training, limits)?, training.len(), thresholds);
        let n = training.len();
        rules.sort_by(|one, other| {
            other
                .confidence()
                .total_cmp(&one.confidence())
                .then(other.lift(n).total_cmp(&one.lift(n)))
                .then_with(|| (one.rhs, &one.lhs).cmp(&(other.rhs, &other.lhs)))
        });
        let counts = training.counts();
        let mut popular: Vec<u32> = (0..).take(counts.len()).collect();
        popular.sort_by_key(|item| (std::cmp::Reverse(counts.get(*item as usize).copied()), *item));
        let alike = (0..).take(counts.len()).map(|item| {
            neighbours(training, &counts, item).into_iter().map(|one| (one.item, one.cosine)).collect()
        });
        Ok(Self { rules, alike: alike.collect(), popular })
    }

    fn by_rules(&self, seen: &[u32]) -> Vec<u32> {
        let mut found = Vec::new();
        for rule in &self.rules {
            let applies = rule.lhs.iter().all(|item| seen.contains(item));
            if applies && !seen.contains(&rule.rhs) && !found.contains(&rule.rhs) {
                found.push(rule.rhs);
                if found.len() == BEST {
                    break;
                }
            }
        }
        found
    }

    fn by_likeness(&self, seen: &[u32]) -> Vec<u32> {
        let mut sums = std::collections::BTreeMap::<u32, f64>::new();
        for (other, cosine) in seen.iter().filter_map(|item| self.alike.get(*item as usize)).flatten() {
            *sums.entry(*other).or_default() += cosine;
        }
        let mut ranked: Vec<(u32, f64)> = sums.into_iter().filter(|(item, _)| !seen.contains(item)).collect();
        ranked.sort_by(|(item, one), (other_item, other)| other.total_cmp(one).then(item.cmp(other_item)));
        ranked.into_iter().take(BEST).map(|(item, _)| item).collect()
    }

    fn by_popularity(&self, seen: &[u32]) -> Vec<u32> {
        self.popular.iter().filter(|item| !seen.contains(item)).take(BEST).copied().collect()
    }
}
