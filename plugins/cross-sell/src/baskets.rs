//! What was bought together: items by number, and the baskets that hold them.

use std::collections::HashMap;

use trellis_sdk::{Batch, PluginError, Result, RowStream};

use crate::config::{BasketKind, Config, ItemKind};

/// The names of items, each with a number from 0 in the order in which it was first seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Items {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Items {
    /// The number of `name`, a new one where it was not seen before.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).expect("there are fewer than 2^32 products");
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub(crate) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

/// Baskets of items, one after the other: each has its items ascending by number, each once. Baskets without an item do not count.
#[derive(Debug, Clone)]
pub(crate) struct Baskets {
    pub(crate) items: Items,
    offsets: Vec<u32>,
    codes: Vec<u32>,
}

impl Default for Baskets {
    fn default() -> Self {
        Self { items: Items::default(), offsets: vec![0], codes: Vec::new() }
    }
}

impl Baskets {
    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many items all baskets hold together.
    pub(crate) fn ones(&self) -> usize {
        self.codes.len()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> + Clone {
        self.offsets.windows(2).map(|ends| match ends {
            [from, to] => self.codes.get(*from as usize..*to as usize).unwrap_or_default(),
            _ => &[],
        })
    }

    /// In how many baskets each item is.
    pub(crate) fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0_u32; self.items.len()];
        for code in &self.codes {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Adds a basket; `codes` is sorted and rid of repetitions.
    pub(crate) fn push(&mut self, codes: &mut Vec<u32>) -> Result<()> {
        codes.sort_unstable();
        codes.dedup();
        if codes.is_empty() {
            return Ok(());
        }
        self.codes.extend_from_slice(codes);
        let end = u32::try_from(self.codes.len()).map_err(|_| {
            PluginError::UnsuitableData(
                ("the baskets hold more than 4,294,967,295 items", "购物篮中的商品总数超过 4,294,967,295")
                    .into(),
            )
        })?;
        self.offsets.push(end);
        Ok(())
    }

    /// The baskets whose place from 0 `keeps`, with the same items.
    pub(crate) fn part(&self, keeps: impl Fn(usize) -> bool) -> Self {
        let mut part = Self { items: self.items.clone(), ..Self::default() };
        for (_, basket) in self.iter().enumerate().filter(|(place, _)| keeps(*place)) {
            part.codes.extend_from_slice(basket);
            part.offsets.push(u32::try_from(part.codes.len()).expect("a part is no larger than the whole"));
        }
        part
    }

    /// Reads the baskets that `config` asks for: of `lines`, or of the customers that `rows` gives.
    pub(crate) fn read(rows: &mut RowStream<'_>, config: &Config, as_of: i32) -> Result<Self> {
        let baskets = match config.basket {
            BasketKind::Order => of_lines(rows.dataset("lines")?, config, as_of)?,
            BasketKind::Customer => of_customers(rows, config)?,
        };
        if baskets.len() == 0 {
            return Err(PluginError::UnsuitableData(
                (
                    "there is no order line with a product up to the day as of which it runs",
                    "截至运行日期，没有带商品的订单明细",
                )
                    .into(),
            ));
        }
        Ok(baskets.by_name())
    }

    /// The same baskets with items numbered by name, so that nothing depends on the order in which rows came or how they were cut.
    fn by_name(self) -> Self {
        let mut order: Vec<u32> = (0..).take(self.items.len()).collect();
        order.sort_by_key(|number| self.items.name(*number));
        let mut sorted = Self {
            codes: Vec::with_capacity(self.codes.len()),
            offsets: self.offsets.clone(),
            ..Self::default()
        };
        let mut new_number = vec![0_u32; order.len()];
        for old in order {
            let number = sorted.items.number(self.items.name(old));
            if let Some(place) = new_number.get_mut(old as usize) {
                *place = number;
            }
        }
        for basket in self.iter() {
            let from = sorted.codes.len();
            sorted.codes.extend(basket.iter().filter_map(|code| new_number.get(*code as usize)));
            if let Some(added) = sorted.codes.get_mut(from..) {
                added.sort_unstable();
            }
        }
        sorted
    }
}

/// One basket an order; lines without an order make one for each customer and day. Lines may come in any order.
fn of_lines(lines: RowStream<'_>, config: &Config, as_of: i32) -> Result<Baskets> {
    let mut items = Items::default();
    let mut places: HashMap<String, u32> = HashMap::new();
    let mut loose: HashMap<(u64, i32), u32> = HashMap::new();
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut baskets = 0_u32;
    let first_day = config.first_day(as_of);
    for batch in lines {
        let lines = Lines::read(&batch, config.item)?;
        let codes = lines.item_numbers(&mut items);
        let mut place_of_order: Vec<Option<u32>> = vec![None; lines.order.texts().len()];
        for (row, code) in codes.into_iter().enumerate() {
            let Some(code) = code else { continue };
            if first_day.is_some_and(|first| lines.day.get(row).is_some_and(|day| day < first)) {
                continue;
            }
            let mut fresh = || {
                baskets += 1;
                baskets - 1
            };
            let place = match lines.order.codes().get(row) {
                Some(order) => {
                    let known = place_of_order.get_mut(order as usize);
                    let known = known.expect("a code is that of a text of the batch");
                    *known.get_or_insert_with(|| {
                        let id = lines.order.texts().get(order as usize).unwrap_or_default();
                        *places.entry(id.to_owned()).or_insert_with(fresh)
                    })
                }
                None => match (lines.account.get(row), lines.day.get(row)) {
                    (Some(account), Some(day)) => *loose.entry((account, day)).or_insert_with(fresh),
                    _ => fresh(),
                },
            };
            pairs.push((place, code));
        }
    }
    pairs.sort_unstable();
    grouped(items, &pairs)
}

fn grouped(items: Items, pairs: &[(u32, u32)]) -> Result<Baskets> {
    let mut baskets = Baskets { items, ..Baskets::default() };
    let mut codes = Vec::new();
    for basket in pairs.chunk_by(|one, next| one.0 == next.0) {
        codes.clear();
        codes.extend(basket.iter().map(|(_, code)| *code));
        baskets.push(&mut codes)?;
    }
    Ok(baskets)
}

/// The columns of a batch of order lines.
struct Lines<'a> {
    order: trellis_sdk::values::Dictionary<'a>,
    account: trellis_sdk::values::Values<'a, u64>,
    day: trellis_sdk::values::Values<'a, i32>,
    item: trellis_sdk::values::Dictionary<'a>,
}

impl<'a> Lines<'a> {
    fn read(batch: &'a Batch, kind: ItemKind) -> Result<Self> {
        let item = match kind {
            ItemKind::Product => "product",
            ItemKind::Category => "category",
        };
        Ok(Self {
            order: batch.dictionary("order")?,
            account: batch.reference("account")?,
            day: batch.date("ordered_on")?,
            item: batch.dictionary(item)?,
        })
    }

    /// The item of each line; a text is looked up once a batch.
    fn item_numbers(&self, items: &mut Items) -> Vec<Option<u32>> {
        let texts = self.item.texts();
        let mut numbers: Vec<Option<u32>> = vec![None; texts.len()];
        let number = |code: Option<u32>| {
            let code = code? as usize;
            let known = numbers.get_mut(code)?;
            if known.is_none() {
                *known = texts.get(code).map(|text| items.number(text));
            }
            *known
        };
        self.item.codes().iter().map(number).collect()
    }
}

/// One basket a customer: everything that was ever bought.
fn of_customers(rows: &mut RowStream<'_>, config: &Config) -> Result<Baskets> {
    let categories = match config.item {
        ItemKind::Product => None,
        ItemKind::Category => Some(crate::products::categories(rows.dataset("products")?)?),
    };
    let mut baskets = Baskets::default();
    let mut codes = Vec::new();
    for batch in &mut *rows {
        let bought = batch.lists("products")?;
        let mut numbers: Vec<Option<u32>> = Vec::with_capacity(bought.texts().len());
        for text in bought.texts().iter().flatten() {
            let name = match &categories {
                None => Some(text),
                Some(categories) => categories.get(text).map(String::as_str),
            };
            numbers.push(name.map(|name| baskets.items.number(name)));
        }
        for row in 0..bought.rows() {
            codes.clear();
            let of_row = bought.codes(row).unwrap_or_default().iter();
            codes.extend(of_row.filter_map(|code| numbers.get(*code as usize).copied().flatten()));
            baskets.push(&mut codes)?;
        }
    }
    Ok(baskets)
}
