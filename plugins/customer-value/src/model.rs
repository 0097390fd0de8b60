//! What `fit` learns and every later call reads.

use trellis_mining::ranking::Ranking;
use trellis_sdk::{
    LocalizedText, Metric, Model, ModelReader, ModelWriter, PluginError, Result, RowStream, localized, metric,
};

use crate::config::Config;
use crate::judgement::{Judgement, QUADRANTS, elsewhere};
use crate::labels;
use crate::rows::{COSTS, Customer, Rows, VALUES};
use crate::trend::Trend;

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;

/// A population's value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueModel {
    pub(crate) config: Config,
    pub(crate) currency: String,
    pub(crate) customers: u64,
    /// Of those who ordered: amounts in minor units, and numbers of orders.
    pub(crate) spent: Ranking,
    pub(crate) orders: Ranking,
    /// Of those with an estimate: what they spend a year elsewhere.
    pub(crate) elsewhere: Ranking,
    /// Medians of those with a delivered value: it, and their sales of the window in minor units.
    pub(crate) delivered_middle: f64,
    pub(crate) captured_middle: f64,
    pub(crate) figures: Figures,
}

/// Means and counts of the population.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures {
    /// Mean points and number of customers by part, and by contribution.
    pub(crate) parts: [(f64, u64); 4],
    pub(crate) contributions: [(f64, u64); 3],
    /// Mean ratings of the four values and the four costs.
    pub(crate) ratings: [(f64, u64); 8],
    pub(crate) quadrants: [u64; QUADRANTS.len()],
    /// Customers by tenths of the value.
    pub(crate) spread: [u64; 10],
    /// Low, medium, high; how many sales exceed the estimate; sales and estimates over the window, in minor units.
    pub(crate) wallets: [u64; 3],
    pub(crate) exceeding: u64,
    pub(crate) wallet_sales: f64,
    pub(crate) wallet_estimates: f64,
    /// The same sales of the window before.
    pub(crate) wallet_sales_before: f64,
    /// How many shares fell, stayed and rose by at least a percentage point.
    pub(crate) wallet_changes: [u64; 3],
    pub(crate) trend: Trend,
}

impl ValueModel {
    /// Reads the population twice: for ranks and medians, and to count. At most 40 bytes a customer.
    ///
    /// # Errors
    /// Where weights do not add up, amounts are in several currencies, or nothing is known of anybody.
    pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config) -> Result<Model> {
        config.check()?;
        let mut model = Self::new(*config);
        let mut lists: [Vec<f64>; 5] = Default::default();
        for batch in rows.by_ref() {
            let rows = Rows::read(&batch)?;
            if model.currency.is_empty() {
                rows.currency.clone_into(&mut model.currency);
            }
            model.require_currency(rows.currency)?;
            rows.customers().for_each(|customer| model.collect(&customer, &mut lists));
        }
        if model.customers == 0 {
            let message =
                ("no customer has an order, an estimate or a rating", "没有客户有订单、消费估计或评分");
            return Err(PluginError::UnsuitableData(message.into()));
        }
        let [spent, orders, elsewhere, delivered, captured] = lists;
        (model.spent, model.orders, model.elsewhere) =
            (Ranking::of(spent), Ranking::of(orders), Ranking::of(elsewhere));
        (model.delivered_middle, model.captured_middle) = (median(delivered), median(captured));
        rows.rewind();
        for batch in rows {
            for customer in Rows::read(&batch)?.customers() {
                let judgement = model.judge(&customer);
                model.figures.add(&customer, &judgement, &model.config);
            }
        }
        Ok(Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
    }

    fn new(config: Config) -> Self {
        Self {
            config,
            currency: String::new(),
            customers: 0,
            spent: Ranking::default(),
            orders: Ranking::default(),
            elsewhere: Ranking::default(),
            delivered_middle: 0.0,
            captured_middle: 0.0,
            figures: Figures::default(),
        }
    }

    fn collect(&mut self, customer: &Customer<'_>, lists: &mut [Vec<f64>; 5]) {
        let [spent, orders, unserved, delivered, captured] = lists;
        self.customers += u64::from(customer.is_known());
        if customer.orders > 0 {
            spent.push(customer.spent as f64);
            orders.push(customer.orders as f64);
        }
        unserved.extend(self.wallet(customer).0.and_then(|wallet| elsewhere(customer, wallet)));
        if let Some((value, cost)) = customer.mean(VALUES).zip(customer.mean(COSTS)) {
            delivered.push(4.0 * value - 4.0 * cost);
            captured.push(customer.spent_window as f64);
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

    pub(crate) fn summary(&self) -> LocalizedText {
        let (mut en, mut zh) =
            (format!("{} customers.", self.customers), format!("{} 位客户。", self.customers));
        for (label, count) in labels::QUADRANTS.iter().zip(self.figures.quadrants) {
            en += &format!(" {}: {count}.", label.en);
            zh += &format!("{}：{count} 位。", label.zh);
        }
        localized(en, zh)
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![metric("customers", localized("Customers", "客户数"), self.customers as f64)];
        for (label, count) in labels::QUADRANTS.iter().zip(self.figures.quadrants) {
            metrics.push(metric(label.name, localized(label.en, label.zh), count as f64));
        }
        if self.figures.wallet_estimates > 0.0 {
            let share = 100.0 * self.figures.wallet_sales / self.figures.wallet_estimates;
            let label = localized("Share of all estimated wallets, %", "占全部预计支出的份额（%）");
            metrics.push(metric("share_of_wallets", label, share));
            let before = 100.0 * self.figures.wallet_sales_before / self.figures.wallet_estimates;
            let label = localized("The same in the period before, %", "上一同长期间的份额（%）");
            metrics.push(metric("share_of_wallets_before", label, before));
        }
        metrics
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (config, figures) = (&self.config, &self.figures);
        let mut settings = vec![f64::from(config.window_days), config.wallet_high, config.wallet_medium];
        settings.extend(config.value_weights());
        settings.extend(config.composite_weights());
        settings.extend([self.delivered_middle, self.captured_middle]);
        settings.extend([figures.wallet_sales, figures.wallet_estimates, figures.wallet_sales_before]);
        let mut writer = ModelWriter::new(FORMAT)
            .f64s(&settings)
            .text(&self.currency)
            .f64s(&self.spent.figures)
            .f64s(&self.orders.figures)
            .f64s(&self.elsewhere.figures);
        for means in [&figures.parts[..], &figures.contributions, &figures.ratings] {
            let (values, counts): (Vec<f64>, Vec<u64>) = means.iter().copied().unzip();
            writer = writer.f64s(&values).u64s(&counts);
        }
        let writer = writer
            .u64s(&[self.customers, figures.exceeding])
            .u64s(&figures.quadrants)
            .u64s(&figures.spread)
            .u64s(&figures.wallets)
            .u64s(&figures.wallet_changes);
        figures.trend.write(writer).finish()
    }

    /// # Errors
    /// [`PluginError::UnreadableModel`] for bytes that [`ValueModel::to_bytes`] did not write.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let [
            window,
            wallet_high,
            wallet_medium,
            history_weight,
            potential_weight,
            satisfaction_weight,
            influence_weight,
            economic_weight,
            development_weight,
            image_weight,
            delivered_middle,
            captured_middle,
            wallet_sales,
            wallet_estimates,
            wallet_sales_before,
        ] = array(reader.f64s()?)?;
        let config = Config {
            window_days: window as u32,
            history_weight,
            potential_weight,
            satisfaction_weight,
            influence_weight,
            economic_weight,
            development_weight,
            image_weight,
            wallet_high,
            wallet_medium,
        };
        let mut model =
            Self { currency: reader.text()?, delivered_middle, captured_middle, ..Self::new(config) };
        for ranking in [&mut model.spent, &mut model.orders, &mut model.elsewhere] {
            ranking.figures = reader.f64s()?;
            if !ranking.figures.is_sorted() {
                return Err(PluginError::UnreadableModel("a ranking is not in order".into()));
            }
        }
        model.figures = Figures {
            parts: means(&mut reader)?,
            contributions: means(&mut reader)?,
            ratings: means(&mut reader)?,
            wallet_sales,
            wallet_estimates,
            wallet_sales_before,
            ..Figures::default()
        };
        [model.customers, model.figures.exceeding] = array(reader.u64s()?)?;
        model.figures.quadrants = array(reader.u64s()?)?;
        model.figures.spread = array(reader.u64s()?)?;
        model.figures.wallets = array(reader.u64s()?)?;
        model.figures.wallet_changes = array(reader.u64s()?)?;
        model.figures.trend = Trend::read(&mut reader)?;
        reader.finish()?;
        Ok(model)
    }
}

impl Figures {
    fn add(&mut self, customer: &Customer<'_>, judgement: &Judgement, config: &Config) {
        average(&mut self.parts, judgement.parts);
        average(&mut self.contributions, judgement.contributions);
        let [a, b, c, d] = VALUES.map(|item| customer.rating(item));
        let [e, f, g, h] = COSTS.map(|item| customer.rating(item));
        average(&mut self.ratings, [a, b, c, d, e, f, g, h]);
        if let Some(count) = judgement.quadrant.and_then(|quadrant| self.quadrants.get_mut(quadrant)) {
            *count += 1;
        }
        let tenth = judgement.value.map(|value| ((value / 10.0) as usize).min(9));
        if let Some(count) = tenth.and_then(|tenth| self.spread.get_mut(tenth)) {
            *count += 1;
        }
        self.trend.add(customer, judgement);
        self.exceeding += u64::from(judgement.exceeds_estimate);
        let Some((wallet, estimated)) = judgement.wallet.zip(customer.estimated_spend) else { return };
        let band = usize::from(wallet >= config.wallet_medium) + usize::from(wallet >= config.wallet_high);
        if let Some(count) = self.wallets.get_mut(band) {
            *count += 1;
        }
        let over_window = estimated as f64 * f64::from(config.window_days) / 365.0;
        self.wallet_estimates += over_window;
        self.wallet_sales += over_window * wallet / 100.0;
        let change = judgement.wallet_change.unwrap_or_default();
        self.wallet_sales_before += over_window * (wallet - change) / 100.0;
        let direction = if change <= -1.0 { 0 } else { 1 + usize::from(change >= 1.0) };
        if let Some(count) = self.wallet_changes.get_mut(direction) {
            *count += 1;
        }
    }
}

/// Updates running means.
fn average<const N: usize>(means: &mut [(f64, u64); N], values: [Option<f64>; N]) {
    for ((mean, count), value) in means.iter_mut().zip(values) {
        if let Some(value) = value {
            *count += 1;
            *mean += (value - *mean) / *count as f64;
        }
    }
}

/// The middle figure; of an even number the lower of the two; 0 of none.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn means<const N: usize>(reader: &mut ModelReader<'_>) -> Result<[(f64, u64); N]> {
    let (values, counts) = (reader.f64s()?, reader.u64s()?);
    array(values.into_iter().zip(counts).collect())
}

fn array<T, const N: usize>(values: Vec<T>) -> Result<[T; N]> {
    values.try_into().map_err(|_| PluginError::UnreadableModel("its lists do not fit".into()))
}
