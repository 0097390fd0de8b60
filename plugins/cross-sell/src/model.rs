//! What `fit` learns and every later call reads.

use std::collections::HashMap;

use trellis_sdk::{
    LocalizedText, Metric, ModelReader, ModelWriter, PluginError, Result, RowStream, localized, log, metric,
};

use crate::baskets::Baskets;
use crate::config::{Config, ItemKind, Mode, min_count};
use crate::fpgrowth::{self, Limits};
use crate::products::{self, Margins};
use crate::propensity::Propensity;
use crate::rules::{self, Rule, Thresholds};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;
/// How many bytes the rules may take of the 16 MiB that a model has.
const RULE_BYTES_MAX: usize = 12 << 20;
/// How many itemsets are looked at; some 200 MB of memory.
pub(crate) const ITEMSETS_MAX: usize = 3_000_000;

/// Rules between products, what products earn, and how likely one of them is bought.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) baskets: u64,
    pub(crate) currency: String,
    pub(crate) items: Vec<Item>,
    /// Products that stand for another item: a category. By name, ascending; empty where items are products.
    aliases: Vec<(String, u32)>,
    /// The strongest by lift × margin first.
    pub(crate) rules: Vec<Rule>,
    /// How many rules there were before the weakest were left out.
    pub(crate) rules_found: u64,
    pub(crate) itemsets_by_length: Vec<u64>,
    pub(crate) modes: Vec<Mode>,
    /// For each product of the config the value of the segmentation; empty where all may be offered.
    pub(crate) offers: Vec<(String, String)>,
    pub(crate) propensity: Option<Propensity>,
    /// Why there is no propensity although one was asked for.
    pub(crate) propensity_problem: Option<LocalizedText>,
}

/// A product or category.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) name: String,
    /// In how many baskets it is.
    pub(crate) count: u32,
    /// What one piece earns, in major units.
    pub(crate) margin: Option<f64>,
}

impl Model {
    /// Learns from every order line and every customer.
    pub(crate) fn fit(rows: &mut RowStream<'_>, config: &Config, as_of: i32) -> Result<Self> {
        let baskets = Baskets::read(rows, config, as_of)?;
        let margins = Margins::read(rows.dataset("products")?, &baskets.items, config)?;
        let limits = Limits {
            min_count: min_count(config.min_support, baskets.len()),
            length_max: config.max_length,
            itemsets_max: ITEMSETS_MAX,
        };
        let itemsets = fpgrowth::mine(&baskets, limits)?;
        let thresholds = Thresholds { min_confidence: config.min_confidence, min_lift: config.min_lift };
        let rules = rules::generate(&itemsets, baskets.len(), thresholds);
        let aliases = match config.item {
            ItemKind::Product => Vec::new(),
            ItemKind::Category => aliases(rows, &baskets)?,
        };
        let mut model = Self {
            baskets: baskets.len() as u64,
            currency: margins.currency.clone(),
            items: items(&baskets, &margins),
            aliases,
            rules_found: rules.len() as u64,
            rules,
            itemsets_by_length: itemsets.by_length(),
            modes: config.modes.clone(),
            offers: offers(config),
            propensity: None,
            propensity_problem: None,
        };
        model.keep_strongest(config.rules_max, margins.mean());
        if let Some(product) = &config.product {
            rows.rewind();
            match Propensity::fit(rows, &model, product)? {
                Ok(propensity) => model.propensity = Some(propensity),
                Err(problem) => model.propensity_problem = Some(problem),
            }
        }
        Ok(model)
    }

    /// Puts rules in order by lift × margin and leaves out the weakest. Where no margin is known, the lift alone decides; where
    /// some are, the others count as earning their mean.
    fn keep_strongest(&mut self, rules_max: usize, mean_margin: Option<f64>) {
        let baskets = self.baskets as usize;
        let strength = |rule: &Rule| rule.lift(baskets) * self.weight(rule.rhs, mean_margin);
        let mut ranked: Vec<(f64, Rule)> =
            self.rules.iter().map(|rule| (strength(rule), rule.clone())).collect();
        ranked.sort_by(|(one, rule), (other, other_rule)| {
            other.total_cmp(one).then(other_rule.count.cmp(&rule.count)).then_with(|| {
                (rule.lhs.len(), &rule.lhs, rule.rhs).cmp(&(
                    other_rule.lhs.len(),
                    &other_rule.lhs,
                    other_rule.rhs,
                ))
            })
        });
        let mut bytes = 0;
        let fits = |(_, rule): &(f64, Rule)| {
            bytes += 8 * (rule.lhs.len() + 4);
            bytes <= RULE_BYTES_MAX
        };
        self.rules = ranked.into_iter().take(rules_max).take_while(fits).map(|(_, rule)| rule).collect();
        let left_out = self.rules_found - self.rules.len() as u64;
        if left_out > 0 {
            log::info(format!(
                "{left_out} of {} rules were left out, the weakest by lift × margin",
                self.rules_found
            ));
        }
    }

    /// What ranks an item beside its lift: its margin, the mean where it has none, 1 where nobody has one.
    pub(crate) fn weight(&self, item: u32, mean_margin: Option<f64>) -> f64 {
        self.margin(item).or(mean_margin).unwrap_or(1.0)
    }

    pub(crate) fn mean_margin(&self) -> Option<f64> {
        let known = || self.items.iter().filter_map(|item| item.margin);
        let count = known().count();
        (count > 0).then(|| known().sum::<f64>() / count as f64)
    }

    pub(crate) fn margin(&self, item: u32) -> Option<f64> {
        self.items.get(item as usize)?.margin
    }

    pub(crate) fn name(&self, item: u32) -> &str {
        self.items.get(item as usize).map_or("", |item| item.name.as_str())
    }

    /// From the name of a product to its item.
    pub(crate) fn numbers(&self) -> HashMap<&str, u32> {
        if self.aliases.is_empty() {
            return (0..).zip(&self.items).map(|(number, item)| (item.name.as_str(), number)).collect();
        }
        self.aliases.iter().map(|(name, number)| (name.as_str(), *number)).collect()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let rules = |value: fn(&Rule) -> u64| self.rules.iter().map(value).collect::<Vec<_>>();
        let left: Vec<u64> =
            self.rules.iter().flat_map(|rule| &rule.lhs).map(|item| u64::from(*item)).collect();
        let counts: Vec<u64> = self.items.iter().map(|item| u64::from(item.count)).collect();
        let margins: Vec<f64> = self.items.iter().map(|item| item.margin.unwrap_or(f64::NAN)).collect();
        let mut writer =
            ModelWriter::new(FORMAT).u64(self.baskets).text(&self.currency).u64s(&counts).f64s(&margins);
        writer = self.items.iter().fold(writer, |writer, item| writer.text(&item.name));
        writer = writer.u64(self.aliases.len() as u64);
        writer =
            self.aliases.iter().fold(writer, |writer, (name, item)| writer.text(name).u64(u64::from(*item)));
        writer = writer
            .u64s(&left)
            .u64s(&rules(|rule| rule.lhs.len() as u64))
            .u64s(&rules(|rule| u64::from(rule.rhs)))
            .u64s(&rules(|rule| u64::from(rule.count)))
            .u64s(&rules(|rule| u64::from(rule.lhs_count)))
            .u64s(&rules(|rule| u64::from(rule.rhs_count)))
            .u64(self.rules_found)
            .u64s(&self.itemsets_by_length)
            .u64(self.modes.len() as u64);
        writer = self.modes.iter().fold(writer, |writer, mode| {
            writer
                .text(&mode.name)
                .text(&mode.label_en)
                .text(&mode.label_zh)
                .f64(mode.cost)
                .f64(mode.response)
        });
        writer = writer.u64(self.offers.len() as u64);
        writer = self.offers.iter().fold(writer, |writer, (product, value)| writer.text(product).text(value));
        let problem = |said: fn(&LocalizedText) -> &str| self.propensity_problem.as_ref().map_or("", said);
        writer = writer.text(problem(|problem| &problem.en)).text(problem(|problem| &problem.zh_cn));
        match &self.propensity {
            None => writer.u64(0).finish(),
            Some(propensity) => propensity.write(writer.u64(1)).finish(),
        }
    }

    /// Reads what [`Model::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let (baskets, currency) = (reader.u64()?, reader.text()?);
        let (counts, margins) = (reader.u64s()?, reader.f64s()?);
        let mut items = Vec::new();
        for (count, margin) in counts.into_iter().zip(margins) {
            let count = number(count)?;
            items.push(Item { name: reader.text()?, count, margin: margin.is_finite().then_some(margin) });
        }
        let mut aliases = Vec::new();
        for _ in 0..reader.u64()? {
            aliases.push((reader.text()?, number(reader.u64()?)?));
        }
        let rules = read_rules(&mut reader, items.len())?;
        let (rules_found, itemsets_by_length) = (reader.u64()?, reader.u64s()?);
        let mut modes = Vec::new();
        for _ in 0..reader.u64()? {
            let (name, label_en, label_zh) = (reader.text()?, reader.text()?, reader.text()?);
            modes.push(Mode { name, label_en, label_zh, cost: reader.f64()?, response: reader.f64()? });
        }
        let mut offers = Vec::new();
        for _ in 0..reader.u64()? {
            offers.push((reader.text()?, reader.text()?));
        }
        let problem = localized(reader.text()?, reader.text()?);
        let propensity_problem = (!problem.en.is_empty()).then_some(problem);
        let propensity = match reader.u64()? {
            0 => None,
            _ => Some(Propensity::read(&mut reader)?),
        };
        reader.finish()?;
        Ok(Self {
            baskets,
            currency,
            items,
            aliases,
            rules,
            rules_found,
            itemsets_by_length,
            modes,
            offers,
            propensity,
            propensity_problem,
        })
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let (baskets, items) = (self.baskets, self.items.len());
        let (kept, found) = (self.rules.len() as u64, self.rules_found);
        let (mut en, mut zh) = (
            format!("{baskets} baskets of {items} items; {found} rules."),
            format!("{baskets} 个购物篮，{items} 种商品；{found} 条规则。"),
        );
        if kept < found {
            en.push_str(&format!(
                " The {kept} strongest by lift × margin are kept; {} are left out.",
                found - kept
            ));
            zh.push_str(&format!("保留按“提升度 × 毛利”最强的 {kept} 条，舍去 {} 条。", found - kept));
        }
        if let Some(problem) = &self.propensity_problem {
            en.push_str(&format!(" No propensity: {}.", problem.en));
            zh.push_str(&format!("无法估计购买倾向：{}。", problem.zh_cn));
        }
        localized(en, zh)
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let itemsets: u64 = self.itemsets_by_length.iter().sum();
        vec![
            metric("baskets", localized("Baskets", "购物篮数"), self.baskets as f64),
            metric("items", localized("Different items", "商品种类数"), self.items.len() as f64),
            metric("itemsets", localized("Frequent itemsets", "频繁项集数"), itemsets as f64),
            metric("rules", localized("Rules found", "发现的规则数"), self.rules_found as f64),
            metric("rules_kept", localized("Rules kept", "保留的规则数"), self.rules.len() as f64),
        ]
    }
}

fn items(baskets: &Baskets, margins: &Margins) -> Vec<Item> {
    let counts = (0..).zip(baskets.counts()).zip(&margins.by_item);
    counts
        .map(|((number, count), margin)| Item {
            name: baskets.items.name(number).to_owned(),
            count,
            margin: *margin,
        })
        .collect()
}

/// The item of each product whose category is one.
fn aliases(rows: &RowStream<'_>, baskets: &Baskets) -> Result<Vec<(String, u32)>> {
    let categories = products::categories(rows.dataset("products")?)?;
    let item = |(name, category): (String, String)| Some((name, baskets.items.find(&category)?));
    let mut aliases: Vec<(String, u32)> = categories.into_iter().filter_map(item).collect();
    aliases.sort_unstable();
    Ok(aliases)
}

fn offers(config: &Config) -> Vec<(String, String)> {
    config.offers.iter().cloned().zip(config.offer_values()).collect()
}

fn read_rules(reader: &mut ModelReader<'_>, items: usize) -> Result<Vec<Rule>> {
    let left = reader.u64s()?.into_iter().map(number).collect::<Result<Vec<u32>>>()?;
    let lengths = reader.u64s()?;
    let [right, counts, lhs_counts, rhs_counts] =
        [reader.u64s()?, reader.u64s()?, reader.u64s()?, reader.u64s()?];
    let mut rest = left.as_slice();
    let mut rules = Vec::with_capacity(lengths.len());
    let fields = right.into_iter().zip(counts).zip(lhs_counts.into_iter().zip(rhs_counts));
    for (length, ((rhs, count), (lhs_count, rhs_count))) in lengths.iter().zip(fields) {
        let (lhs, after) = usize::try_from(*length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| unreadable("a rule ends too early"))?;
        rest = after;
        let rule = Rule {
            lhs: lhs.to_vec(),
            rhs: number(rhs)?,
            count: number(count)?,
            lhs_count: number(lhs_count)?,
            rhs_count: number(rhs_count)?,
        };
        if rule.lhs.iter().chain([&rule.rhs]).any(|item| *item as usize >= items) || rule.lhs_count == 0 {
            return Err(unreadable("a rule names an item that the model does not have"));
        }
        rules.push(rule);
    }
    if rules.len() != lengths.len() || !rest.is_empty() {
        return Err(unreadable("the parts of the rules differ in length"));
    }
    Ok(rules)
}

fn number(value: u64) -> Result<u32> {
    u32::try_from(value).map_err(|_| unreadable("a number of the model is too large"))
}

fn unreadable(message: &str) -> PluginError {
    PluginError::UnreadableModel(message.to_owned().into())
}
