//! What `fit` learns and every later call reads.

use std::collections::BTreeMap;

use trellis_sdk::{
    LocalizedText, Metric, Model, ModelReader, ModelWriter, PluginError, Result, RowStream, decimal_places,
    localized, metric,
};

use crate::config::Config;
use crate::rows::{Customer, Rows};
use crate::types::{self, ONE_TO_ONE, RELATIONSHIPS};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;
/// Groups that are counted one by one; customers of further ones count as of one group.
const GROUPS_MAX: usize = 5_000;
/// Texts as long as this name a group at most.
const GROUP_CHARACTERS_MAX: usize = 200;

/// A population's thresholds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Relationships {
    pub(crate) margin_percent: f64,
    pub(crate) many: u64,
    pub(crate) few: u64,
    pub(crate) participation_high: f64,
    pub(crate) complexity_high: f64,
    pub(crate) currency: String,
    /// Minor units: below the first margins are low, from the second on high.
    pub(crate) margins: [f64; 2],
    /// Medians, which count where there is no rating.
    pub(crate) contacts: f64,
    pub(crate) products: f64,
    pub(crate) customers: u64,
    /// Customers by group; those without one are under the empty name.
    pub(crate) groups: BTreeMap<String, u64>,
    /// Customers by crowd and margin.
    pub(crate) cells: [[u64; 3]; 3],
    pub(crate) one_to_one: [u64; ONE_TO_ONE.len()],
    /// Customers by the relationship that is kept now (the last: none) and the one that is recommended.
    pub(crate) moves: [[u64; RELATIONSHIPS.len()]; RELATIONSHIPS.len() + 1],
}

/// What is said of one customer: places in the lists of types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judgement {
    /// With `margin` and `in_group` nothing of a customer without a margin.
    pub(crate) crowd: usize,
    pub(crate) margin: usize,
    pub(crate) in_group: u64,
    pub(crate) relationship: Option<usize>,
    pub(crate) participates: bool,
    pub(crate) is_complex: bool,
    pub(crate) one_to_one: usize,
}

impl Relationships {
    /// Reads the population twice: for thresholds, and to count. 24 bytes a customer.
    ///
    /// # Errors
    /// Where settings contradict each other, amounts are in several currencies, or nobody has a margin or both ratings.
    pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config) -> Result<Model> {
        config.check()?;
        let mut model = Self::new(config);
        let (mut margins, mut contacts, mut products) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_nobody_known = true;
        for batch in rows.by_ref() {
            let rows = Rows::read(&batch, config.margin_percent)?;
            if model.currency.is_empty() {
                rows.currency.clone_into(&mut model.currency);
            }
            model.require_currency(rows.currency)?;
            for customer in rows.customers.iter().flatten() {
                is_nobody_known = false;
                // Who has ratings alone says nothing of what others bring or do.
                let Some(margin) = customer.margin else { continue };
                model.count_group(customer);
                margins.push(margin);
                contacts.push(customer.contacts as f64);
                products.push(customer.products as f64);
            }
        }
        if is_nobody_known {
            let message = (
                "no customer has a margin, an order in the period or both ratings",
                "没有客户有毛利、统计期内的订单或两项评分",
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        margins.sort_unstable_by(f64::total_cmp);
        let minor = 10_u64.pow(decimal_places(&model.currency)) as f64;
        let third = |part: usize| margins.get(margins.len() * part / 3).copied().unwrap_or_default();
        let low = config.low_margin.map_or_else(|| third(1), |low| low * minor);
        let high = config.high_margin.map_or_else(|| third(2), |high| high * minor);
        model.margins = [low.min(high), high];
        (model.contacts, model.products) = (median(contacts), median(products));
        rows.rewind();
        for batch in rows {
            for customer in Rows::read(&batch, config.margin_percent)?.customers.iter().flatten() {
                model.add(customer);
            }
        }
        Ok(Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
    }

    fn new(config: &Config) -> Self {
        Self {
            margin_percent: config.margin_percent,
            many: config.many_customers,
            few: config.few_customers,
            participation_high: config.participation_high,
            complexity_high: config.complexity_high,
            currency: String::new(),
            margins: [0.0; 2],
            contacts: 0.0,
            products: 0.0,
            customers: 0,
            groups: BTreeMap::new(),
            cells: [[0; 3]; 3],
            one_to_one: [0; ONE_TO_ONE.len()],
            moves: [[0; RELATIONSHIPS.len()]; RELATIONSHIPS.len() + 1],
        }
    }

    fn count_group(&mut self, customer: &Customer<'_>) {
        self.customers += 1;
        let name = group_name(customer);
        let is_known = self.groups.contains_key(name);
        let name = if is_known || self.groups.len() < GROUPS_MAX { name } else { "" };
        // Only a new group copies its name.
        match self.groups.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.groups.insert(name.to_owned(), 1);
            }
        }
    }

    fn add(&mut self, customer: &Customer<'_>) {
        let judgement = self.judge(customer);
        if let Some(count) = self.one_to_one.get_mut(judgement.one_to_one) {
            *count += 1;
        }
        if customer.margin.is_none() {
            return;
        }
        let cell = self.cells.get_mut(judgement.crowd).and_then(|row| row.get_mut(judgement.margin));
        let present = |present: &str| RELATIONSHIPS.iter().position(|one| one.name == present);
        let row = customer.present.and_then(present).unwrap_or(RELATIONSHIPS.len());
        let recommended = judgement.relationship.unwrap_or_default();
        let moved = self.moves.get_mut(row).and_then(|row| row.get_mut(recommended));
        cell.into_iter().chain(moved).for_each(|count| *count += 1);
    }

    /// Judges one customer by what was learned from all. A group that was not there then counts as a new one, of one customer.
    pub(crate) fn judge(&self, customer: &Customer<'_>) -> Judgement {
        let known = self.groups.get(group_name(customer)).copied();
        let beyond = (self.groups.len() >= GROUPS_MAX).then(|| self.groups.get("").copied()).flatten();
        let in_group = known.or(beyond).unwrap_or(1);
        let crowd = if in_group >= self.many { 0 } else { 1 + usize::from(in_group <= self.few) };
        let [low, high] = self.margins;
        let level = |margin: f64| if margin >= high { 2 } else { usize::from(margin >= low) };
        let level = customer.margin.map(level);
        let participates = customer
            .participation
            .map_or(customer.contacts as f64 > self.contacts, |rating| rating >= self.participation_high);
        let is_complex = customer
            .complexity
            .map_or(customer.products as f64 > self.products, |rating| rating >= self.complexity_high);
        Judgement {
            crowd,
            margin: level.unwrap_or_default(),
            in_group,
            relationship: level.and_then(|margin| types::relationship(crowd, margin)),
            participates,
            is_complex,
            one_to_one: types::one_to_one(participates, is_complex),
        }
    }

    /// # Errors
    /// [`PluginError::UnsuitableData`] for amounts in another currency.
    pub(crate) fn require_currency(&self, currency: &str) -> Result<()> {
        if self.currency == currency {
            return Ok(());
        }
        let message = (
            format!("the model was fitted on amounts in {}, `spent` is in {currency}", self.currency),
            format!("模型学习时的金额币种为 {}，而 `spent` 的币种为 {currency}", self.currency),
        );
        Err(PluginError::UnsuitableData(message.into()))
    }

    /// How many customers each type of relationship is recommended for.
    pub(crate) fn recommended(&self) -> [u64; RELATIONSHIPS.len()] {
        let mut counts = [0; RELATIONSHIPS.len()];
        for row in &self.moves {
            counts.iter_mut().zip(row).for_each(|(count, one)| *count += one);
        }
        counts
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let (mut en, mut zh) =
            (format!("{} customers.", self.customers), format!("{} 位客户。", self.customers));
        for (one, count) in RELATIONSHIPS.iter().zip(self.recommended()) {
            en += &format!(" {}: {count}.", one.en);
            zh += &format!("{}：{count} 位。", one.zh);
        }
        localized(en, zh)
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let customers = metric("customers", localized("Customers", "客户数"), self.customers as f64);
        let types = RELATIONSHIPS.iter().zip(self.recommended());
        let types = types.chain(ONE_TO_ONE.iter().zip(self.one_to_one));
        let types = types.map(|(one, count)| metric(one.name, localized(one.en, one.zh), count as f64));
        [customers].into_iter().chain(types).collect()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let writer = ModelWriter::new(FORMAT)
            .f64s(&[
                self.margin_percent,
                self.participation_high,
                self.complexity_high,
                self.margins[0],
                self.margins[1],
                self.contacts,
                self.products,
            ])
            .text(&self.currency)
            .u64s(&[self.many, self.few, self.customers, self.groups.len() as u64]);
        let groups = self.groups.iter();
        groups
            .fold(writer, |writer, (name, count)| writer.text(name).u64(*count))
            .u64s(self.cells.as_flattened())
            .u64s(&self.one_to_one)
            .u64s(self.moves.as_flattened())
            .finish()
    }

    /// # Errors
    /// [`PluginError::UnreadableModel`] for bytes that [`Relationships::to_bytes`] did not write.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let [margin_percent, participation_high, complexity_high, low, high, contacts, products] =
            array(reader.f64s()?)?;
        let currency = reader.text()?;
        let [many, few, customers, groups] = array(reader.u64s()?)?;
        let groups = (0..groups).map(|_| Ok((reader.text()?, reader.u64()?))).collect::<Result<_>>()?;
        let (cells, one_to_one) = (table(&reader.u64s()?)?, array(reader.u64s()?)?);
        let moves = table(&reader.u64s()?)?;
        reader.finish()?;
        Ok(Self {
            margin_percent,
            many,
            few,
            participation_high,
            complexity_high,
            currency,
            margins: [low, high],
            contacts,
            products,
            customers,
            groups,
            cells,
            one_to_one,
            moves,
        })
    }
}

fn group_name<'a>(customer: &Customer<'a>) -> &'a str {
    let name = customer.group.unwrap_or_default();
    name.char_indices().nth(GROUP_CHARACTERS_MAX).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}

/// The middle figure; of an even number the lower of the two.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn array<T, const N: usize>(values: Vec<T>) -> Result<[T; N]> {
    values.try_into().map_err(|_| PluginError::UnreadableModel("its lists do not fit".into()))
}

fn table<const N: usize, const M: usize>(counts: &[u64]) -> Result<[[u64; N]; M]> {
    let (rows, rest) = counts.as_chunks::<N>();
    if rest.is_empty() { array(rows.to_vec()) } else { array(Vec::new()) }
}
