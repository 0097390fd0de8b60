//! Cross-selling: association rules between products, the product that each customer lacks, how likely one product is bought, and the way to sell
//! that pays best (R122–R126, R169).
//!
//! `fit` mines all baskets once and keeps the strongest rules (`Model`); every other call on customers looks at one row at a time.
//! The README beside this crate states the definitions and their sources.

mod analyses;
mod baskets;
mod config;
mod fpgrowth;
mod itemsets;
mod model;
mod model_report;
mod offers;
mod products;
mod propensity;
mod reasons;
mod rules;
mod similarity;
mod tables;

use trellis_sdk::{
    Analysis, AnalysisDescription, Assignments, Batch, Context, LearnedBy, LocalizedText, ModelReport,
    NO_VALUE, Reason, Report, Result, RowStream, ScoreDescription, Scores, Scoring, Segmentation,
    SegmentationDescription, described, export_analysis, export_model_report, export_scoring,
    export_segmentation, localized, scored,
};

pub use config::{BasketKind, Config, ItemKind, Mode};

use config::{ANY_OFFER, NO_MODE};
use model::Model;
use offers::Matcher;

/// The plugin.
#[derive(Debug)]
pub struct CrossSell;

fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<trellis_sdk::Model> {
    let model = Model::fit(rows, config.checked()?, at.as_of)?;
    Ok(trellis_sdk::Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
}

fn explain(model: &[u8], rows: &Batch) -> Result<Vec<Vec<Reason>>> {
    let model = Model::of_bytes(model)?;
    let matcher = Matcher::new(&model);
    let mut reasons = Vec::with_capacity(rows.rows());
    matcher.each_row(rows, |_, owned| reasons.push(reasons::of_row(&matcher, owned)))?;
    Ok(reasons)
}

impl Scoring for CrossSell {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        let mut all = vec![
            scored("expected_gain", "Expected gain of the best offer", "最佳推荐的期望收益").about(
                "Confidence × margin of the best missing item, in major units of the base currency; with ways to sell, response × confidence × \
                 margin − cost of the one that pays best.",
                "最佳遗漏商品的“置信度 × 毛利”（本位币主币单位）；设有销售方式时，为最划算方式的“响应率 × 置信度 × 毛利 − 成本”。",
            ),
            scored("confidence", "Confidence of the best offer", "最佳推荐的置信度").range(0.0, 1.0).about(
                "The share of baskets with the left side of its rule that hold the product.",
                "含规则左侧商品的购物篮中，含该商品的占比。",
            ),
            scored("lift", "Lift of the best offer", "最佳推荐的提升度").about(
                "How many times as often as in general the product is bought.",
                "相对总体水平，该商品的购买倍数。",
            ),
            scored("rules", "Applicable rules", "适用规则数").about(
                "How many rules lead from what the customer bought to something it lacks.",
                "从已购商品推出遗漏商品的规则数。",
            ),
        ];
        if let Some(product) = &config.checked()?.product {
            let (en, zh) = (format!("Propensity to buy {product}"), format!("购买{product}的倾向"));
            all.push(scored("propensity", &en, &zh).range(0.0, 1.0).about(
                "How likely a customer who does not have the product is to be one who buys it, by the other products bought.",
                "根据已购的其他商品，估计尚未购买者购买该商品的概率。",
            ));
        }
        Ok(all)
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<trellis_sdk::Model> {
        fit(rows, config, at)
    }

    fn score(model: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let model = Model::of_bytes(model)?;
        let matcher = Matcher::new(&model);
        let mut columns: [Vec<Option<f64>>; 5] = std::array::from_fn(|_| Vec::with_capacity(rows.rows()));
        let [gain, confidence, lift, rules, propensity] = &mut columns;
        matcher.each_row(rows, |_, owned| {
            let offer = matcher.best(owned);
            gain.push(offer.and_then(|offer| offer.gain));
            confidence.push(offer.map(|offer| offer.rule.confidence()));
            lift.push(offer.map(|offer| matcher.lift(offer.rule)));
            rules.push((!owned.is_empty()).then(|| matcher.applicable(owned).count() as f64));
            let asked =
                model.propensity.as_ref().filter(|asked| !owned.is_empty() && !owned.has(asked.product));
            propensity.push(asked.map(|asked| asked.probability(|item| owned.has(item))));
        })?;
        let mut scores = Scores::default();
        let [gain, confidence, lift, rules, propensity] = columns;
        scores.push("expected_gain", gain);
        scores.push("confidence", confidence);
        scores.push("lift", lift);
        scores.push("rules", rules);
        if model.propensity.is_some() || model.propensity_problem.is_some() {
            scores.push("propensity", propensity);
        }
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, _: &Context) -> Result<Vec<Vec<Reason>>> {
        explain(model, rows)
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        /// How many rules are written out: some 30 KB.
        const RULES_WRITTEN: usize = 150;
        /// Somewhat below what the host takes in each language.
        const BYTES_MAX: usize = 60_000;
        let model = Model::of_bytes(model)?;
        let (mut en, mut zh) = (String::new(), String::new());
        for rule in model.rules.iter().take(RULES_WRITTEN) {
            let text = reasons::rule_text(&model, rule);
            if (en.len() + text.en.len()).max(zh.len() + text.zh_cn.len()) > BYTES_MAX {
                break;
            }
            en.push_str(&format!("- {}\n", text.en));
            zh.push_str(&format!("- {}\n", text.zh_cn));
        }
        Ok(localized(en, zh))
    }
}

impl Segmentation for CrossSell {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        let config = config.checked()?;
        let mut offer = described("offer", "Best missing item", "最佳遗漏商品").about(
            "The product that the customer lacks and that gains most by confidence × margin. Without products in the settings it only says that \
             there is one; the reasons name it.",
            "客户尚未购买、按“置信度 × 毛利”收益最高的商品。设置中未列出商品时，只表示存在推荐，具体商品见理由。",
        );
        if config.offers.is_empty() {
            offer = offer.value(ANY_OFFER, "Something to offer", "有可推荐商品");
        } else {
            for (name, product) in config.offer_values().iter().zip(&config.offers) {
                offer = offer.value(name, product, product);
            }
        }
        let mut all = vec![offer];
        if !config.modes.is_empty() {
            let modes = described("mode", "Best way to sell", "最佳销售方式").about(
                "The way to sell with the highest response × confidence × margin − cost.",
                "“响应率 × 置信度 × 毛利 − 成本”最高的销售方式。",
            );
            let modes = config
                .modes
                .iter()
                .fold(modes, |all, mode| all.value(&mode.name, &mode.label_en, &mode.label_zh));
            all.push(modes.value(NO_MODE, "None pays", "均不划算"));
        }
        Ok(all)
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<trellis_sdk::Model> {
        fit(rows, config, at)
    }

    fn assign(model: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let model = Model::of_bytes(model)?;
        let matcher = Matcher::new(&model);
        // The value of each item that may be offered.
        let value = |name: &str| match model.offers.is_empty() {
            true => 0,
            false => {
                let place = model.offers.iter().position(|(product, _)| product == name);
                place.and_then(|place| u32::try_from(place).ok()).unwrap_or(NO_VALUE)
            }
        };
        let values: Vec<u32> = model.items.iter().map(|item| value(&item.name)).collect();
        let none = u32::try_from(model.modes.len()).unwrap_or(NO_VALUE);
        let (mut offers, mut modes) = (Vec::with_capacity(rows.rows()), Vec::with_capacity(rows.rows()));
        matcher.each_row(rows, |_, owned| {
            let best = matcher.best(owned);
            let code = best.and_then(|offer| values.get(offer.rule.rhs as usize).copied());
            offers.push(code.unwrap_or(NO_VALUE));
            let mode = |offer: offers::Offer<'_>| {
                offer.gain.map(|_| offer.mode.and_then(|mode| u32::try_from(mode).ok()).unwrap_or(none))
            };
            modes.push(best.and_then(mode).unwrap_or(NO_VALUE));
        })?;
        let mut assignments = Assignments::default();
        if model.offers.is_empty() {
            assignments.push("offer", [ANY_OFFER], offers);
        } else {
            assignments.push("offer", model.offers.iter().map(|(_, value)| value), offers);
        }
        if !model.modes.is_empty() {
            let names = model.modes.iter().map(|mode| mode.name.as_str()).chain([NO_MODE]);
            assignments.push("mode", names, modes);
        }
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, _: &Context) -> Result<Vec<Vec<Reason>>> {
        explain(model, rows)
    }
}

impl ModelReport for CrossSell {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        Ok(model_report::of_model(&Model::of_bytes(model)?))
    }
}

impl Analysis for CrossSell {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<AnalysisDescription>> {
        Ok(analyses::describe())
    }

    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        parameters: &str,
        config: &Config,
        at: &Context,
    ) -> Result<Report> {
        analyses::answer(name, rows, parameters, config.checked()?, at)
    }
}

export_scoring!(CrossSell);
export_segmentation!(CrossSell);
export_model_report!(CrossSell);
export_analysis!(CrossSell);
