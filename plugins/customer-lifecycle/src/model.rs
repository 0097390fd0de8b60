//! What `fit` counts and every later call reads.

use trellis_sdk::{
    Context, LocalizedText, Metric, Model, ModelReader, ModelWriter, PluginError, Result, RowStream,
    decimal_places, localized, metric,
};

use crate::config::Config;
use crate::labels;
use crate::rows::{CAUSES, Customer, Rows, major_units};
use crate::stages::{Judgement, PATTERNS, STAGES, Stage};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;

/// The settings, and what they make of the population.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lifecycle {
    pub(crate) config: Config,
    /// Empty without customers who ordered.
    pub(crate) currency: String,
    pub(crate) customers: u64,
    pub(crate) stages: [Group; STAGES.len()],
    /// Of ended relations, and in the last of relations that still hold.
    pub(crate) patterns: [Group; PATTERNS.len()],
    /// Relations that still hold among those of the last pattern.
    pub(crate) holding: u64,
    /// Causes of exit by pattern; the last row: of relations that have not ended.
    pub(crate) causes: [[u64; CAUSES.len()]; PATTERNS.len() + 1],
    /// Of relations in decline or ended: those worth an attempt, and those that are not.
    pub(crate) recover: Group,
    pub(crate) let_go: Group,
}

/// Figures of some customers. Amounts are minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Group {
    pub(crate) customers: u64,
    pub(crate) revenue: i64,
    /// Of those whose cost is known: how many, and what they cost.
    pub(crate) costed: u64,
    pub(crate) cost: i64,
    /// Revenue lost a year.
    pub(crate) lost: i64,
    /// Expected benefit of attempts to recover.
    pub(crate) benefit: i64,
}

impl Group {
    fn add(&mut self, customer: &Customer, judgement: &Judgement) {
        self.customers += 1;
        self.revenue = self.revenue.saturating_add(customer.spent);
        if let Some(cost) = customer.cost {
            self.costed += 1;
            self.cost = self.cost.saturating_add(cost);
        }
        let whole = |amount: Option<f64>| amount.unwrap_or_default().round() as i64;
        self.lost = self.lost.saturating_add(whole(judgement.lost_a_year));
        self.benefit = self.benefit.saturating_add(whole(judgement.benefit));
    }
}

impl Lifecycle {
    /// Reads the population once; memory does not depend on its size.
    ///
    /// # Errors
    /// Where settings contradict each other, amounts are in several currencies, or nobody has ordered.
    pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        config.check()?;
        let mut model = Self::new(config.clone());
        for batch in rows {
            let rows = Rows::read(&batch)?;
            if model.currency.is_empty() {
                rows.currency.clone_into(&mut model.currency);
            }
            model.require_currency(rows.currency)?;
            for customer in rows.customers.iter().flatten() {
                let judgement = model.judge(customer, at);
                model.add(customer, &judgement);
            }
        }
        if model.customers == 0 {
            let message = (
                "no customer has an order up to the day as of which it runs",
                "截至运行日期，没有客户有订单",
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        Ok(Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
    }

    fn new(config: Config) -> Self {
        Self {
            config,
            currency: String::new(),
            customers: 0,
            stages: [Group::default(); STAGES.len()],
            patterns: [Group::default(); PATTERNS.len()],
            holding: 0,
            causes: [[0; CAUSES.len()]; PATTERNS.len() + 1],
            recover: Group::default(),
            let_go: Group::default(),
        }
    }

    pub(crate) fn judge(&self, customer: &Customer, at: &Context) -> Judgement {
        self.config.judge(customer, at.as_of, 10_u64.pow(decimal_places(&self.currency)) as f64)
    }

    fn add(&mut self, customer: &Customer, judgement: &Judgement) {
        self.customers += 1;
        if let Some(stage) = self.stages.get_mut(judgement.stage as usize) {
            stage.add(customer, judgement);
        }
        let has_ended = judgement.stage == Stage::Ended;
        if let Some(pattern) = judgement.pattern.and_then(|pattern| self.patterns.get_mut(pattern)) {
            pattern.add(customer, judgement);
            self.holding += u64::from(!has_ended);
        }
        let row = judgement.pattern.filter(|_| has_ended).unwrap_or(PATTERNS.len());
        let cell = customer.cause.and_then(|cause| self.causes.get_mut(row)?.get_mut(cause));
        if let Some(count) = cell {
            *count += 1;
        }
        match judgement.benefit {
            Some(benefit) if benefit >= 0.0 => self.recover.add(customer, judgement),
            Some(_) => self.let_go.add(customer, judgement),
            None => {}
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

    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.stages.iter().chain(&self.patterns).chain([&self.recover, &self.let_go])
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let (mut en, mut zh) = (
            format!("{} customers with orders.", self.customers),
            format!("{} 位有订单的客户。", self.customers),
        );
        for (label, group) in labels::STAGES.iter().zip(&self.stages) {
            en += &format!(" {}: {}.", label.en, group.customers);
            zh += &format!("{}：{} 位。", label.zh, group.customers);
        }
        localized(en, zh)
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let money = |amount: i64| major_units(&self.currency, amount as f64);
        let mut metrics = vec![metric(
            "customers",
            localized("Customers with an order", "有订单的客户数"),
            self.customers as f64,
        )];
        for (label, group) in labels::STAGES.iter().zip(&self.stages) {
            metrics.push(metric(label.name, localized(label.en, label.zh), group.customers as f64));
        }
        for (label, group) in labels::PATTERNS.iter().zip(&self.patterns) {
            metrics.push(metric(label.name, localized(label.en, label.zh), group.customers as f64));
        }
        let lost = self.recover.lost.saturating_add(self.let_go.lost);
        let label = localized("Revenue lost a year, base currency", "每年流失收入（本位币）");
        metrics.push(metric("revenue_lost", label, money(lost)));
        metrics.push(metric(
            "recover",
            localized("Worth recovering", "值得恢复的客户数"),
            self.recover.customers as f64,
        ));
        metrics
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let config = &self.config;
        let mut writer = ModelWriter::new(FORMAT)
            .i64s(&[
                i64::from(config.window_days),
                i64::from(config.history_days),
                config.trial_orders,
                config.trial_days,
                config.early_days,
                config.late_days,
                config.exit_days,
            ])
            .f64s(&[
                config.growth_percent,
                config.drop_percent,
                config.demand_tolerance_percent,
                config.exit_cycles,
                config.margin_percent,
                config.recovery_cost,
                config.recovery_percent,
                config.recovery_years,
            ])
            .text(config.cost.as_deref().unwrap_or_default())
            .text(&self.currency)
            .u64s(&[self.customers, self.holding]);
        for group in self.groups() {
            writer = writer.u64s(&[group.customers, group.costed]).i64s(&[
                group.revenue,
                group.cost,
                group.lost,
                group.benefit,
            ]);
        }
        writer.u64s(self.causes.as_flattened()).finish()
    }

    /// # Errors
    /// [`PluginError::UnreadableModel`] for bytes that [`Lifecycle::to_bytes`] did not write.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let [window, history, trial_orders, trial_days, early_days, late_days, exit_days] =
            array(reader.i64s()?)?;
        let [
            growth_percent,
            drop_percent,
            demand_tolerance_percent,
            exit_cycles,
            margin_percent,
            recovery_cost,
            recovery_percent,
            recovery_years,
        ] = array(reader.f64s()?)?;
        let days = |days: i64| u32::try_from(days).map_err(|_| unreadable());
        let cost = Some(reader.text()?).filter(|cost| !cost.is_empty());
        let config = Config {
            window_days: days(window)?,
            history_days: days(history)?,
            trial_orders,
            trial_days,
            early_days,
            late_days,
            growth_percent,
            drop_percent,
            demand_tolerance_percent,
            exit_cycles,
            exit_days,
            margin_percent,
            recovery_cost,
            recovery_percent,
            recovery_years,
            cost,
        };
        config.check().map_err(|_| unreadable())?;
        let mut model = Self { currency: reader.text()?, ..Self::new(config) };
        [model.customers, model.holding] = array(reader.u64s()?)?;
        let groups = model.stages.iter_mut().chain(&mut model.patterns);
        for group in groups.chain([&mut model.recover, &mut model.let_go]) {
            let ([customers, costed], [revenue, cost, lost, benefit]) =
                (array(reader.u64s()?)?, array(reader.i64s()?)?);
            *group = Group { customers, revenue, costed, cost, lost, benefit };
        }
        let (causes, rest) = {
            let counts = reader.u64s()?;
            let (rows, rest) = counts.as_chunks::<{ CAUSES.len() }>();
            (rows.to_vec(), rest.len())
        };
        model.causes = if rest == 0 { array(causes)? } else { return Err(unreadable()) };
        reader.finish()?;
        Ok(model)
    }
}

fn array<T, const N: usize>(values: Vec<T>) -> Result<[T; N]> {
    values.try_into().map_err(|_| unreadable())
}

fn unreadable() -> PluginError {
    PluginError::UnreadableModel("its lists do not fit".into())
}
