//! Learning from every customer.

use trellis_mining::ranking::Ranking;
use trellis_sdk::{Model, PluginError, Result, RowStream};

use crate::config::Config;
use crate::determinants::Determinants;
use crate::model::{LoyaltyModel, Mix};
use crate::rows::{METRICS, Rows};

/// Reads the customers twice: once for ranks, regressions and curves, once to count what they make of everybody. 24 bytes a customer.
pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config) -> Result<Model> {
    let mut figures = Figures::default();
    for batch in rows.by_ref() {
        Rows::read(&batch)?.customers().for_each(|customer| figures.add(&customer));
    }
    if figures.customers == 0 {
        let message = (
            "no customer has an order or answered a question up to the day as of which it runs",
            "截至运行日期，没有客户有订单或回答过问卷",
        );
        return Err(PluginError::UnsuitableData(message.into()));
    }
    let mut model = figures.model(config);
    rows.rewind();
    for batch in rows {
        for customer in Rows::read(&batch)?.customers() {
            let judgement = model.judge(&customer);
            model.mix.add(&judgement);
        }
    }
    Ok(Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
}

#[derive(Debug, Default)]
struct Figures {
    customers: u64,
    orders: Vec<f64>,
    products: Vec<f64>,
    referrals: Vec<f64>,
    attitude: (f64, u64),
    determinants: Determinants,
}

impl Figures {
    fn add(&mut self, customer: &crate::rows::Customer) {
        let attitude = customer.mean_points(&METRICS);
        self.customers += u64::from(customer.orders > 0 || attitude.is_some());
        if customer.orders > 0 {
            self.orders.push(customer.orders_window as f64);
        }
        self.products.extend(customer.products.map(|count| count as f64));
        self.referrals.extend(customer.referrals.map(|count| count as f64));
        if let Some(attitude) = attitude {
            self.attitude = (self.attitude.0 + attitude, self.attitude.1 + 1);
        }
        self.determinants.add(customer);
    }

    fn model(self, config: &Config) -> LoyaltyModel {
        let (sum, count) = self.attitude;
        LoyaltyModel {
            config: *config,
            customers: self.customers,
            orders: Ranking::of(self.orders),
            products: Ranking::of(self.products),
            referrals: Ranking::of(self.referrals),
            mean_attitude: if count > 0 { sum / count as f64 } else { 0.0 },
            found: self.determinants.found(),
            mix: Mix::default(),
        }
    }
}

impl Mix {
    fn add(&mut self, judgement: &crate::judgement::Judgement) {
        count(&mut self.types, judgement.loyalty);
        count(&mut self.kinds, judgement.kind);
        count(&mut self.traps, judgement.trap);
        count(&mut self.stages, judgement.stage);
        average(&mut self.metrics, &judgement.metrics);
        average(&mut self.behaviours, &judgement.behaviours);
    }
}

fn count(counts: &mut [u64], place: Option<usize>) {
    if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
        *count += 1;
    }
}

/// Updates running means.
fn average(means: &mut [(f64, u64); 4], values: &[Option<f64>; 4]) {
    for ((mean, count), value) in means.iter_mut().zip(values) {
        if let Some(value) = value {
            *count += 1;
            *mean += (value - *mean) / *count as f64;
        }
    }
}
