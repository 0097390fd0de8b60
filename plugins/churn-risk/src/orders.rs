//! What a customer's orders say: how they behave, and whether they stopped.

use trellis_mining::encoding::median;
use trellis_mining::frame::Frame;
use trellis_sdk::{Batch, Result, decimal_places};

/// The orders of all customers up to some day, a row each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    count: Vec<f64>,
    /// Whole units of the base currency.
    pub(crate) spent: Vec<f64>,
    first: Vec<f64>,
    last: Vec<f64>,
    /// On how many different days there were orders.
    days: Vec<f64>,
}

/// The names of the columns of one such view in the dataset.
pub(crate) struct View {
    count: &'static str,
    spent: &'static str,
    first: &'static str,
    last: &'static str,
    days: &'static str,
}

/// Everything up to today.
pub(crate) const TODAY: View =
    View { count: "orders", spent: "spent", first: "first_order", last: "last_order", days: "order_days" };
/// Everything up to the day from which the outcome is watched.
pub(crate) const BEFORE: View = View {
    count: "orders_before",
    spent: "spent_before",
    first: "first_order_before",
    last: "last_order_before",
    days: "order_days_before",
};

impl Orders {
    pub(crate) fn push(&mut self, batch: &Batch, view: &View) -> Result<()> {
        let number = |value: Option<i64>| value.unwrap_or(0) as f64;
        self.count.extend(batch.int64(view.count)?.iter().map(number));
        self.days.extend(batch.int64(view.days)?.iter().map(number));
        let spent = batch.money(view.spent)?;
        let unit = 10_u64.pow(decimal_places(spent.currency())) as f64;
        self.spent.extend(spent.minor_units().iter().map(|cents| number(cents) / unit));
        let day = |day: Option<i32>| day.map_or(f64::NAN, f64::from);
        self.first.extend(batch.date(view.first)?.iter().map(day));
        self.last.extend(batch.date(view.last)?.iter().map(day));
        Ok(())
    }

    /// The mean number of days between two days with orders; NaN with fewer than two.
    fn intervals(&self) -> Vec<f64> {
        let spans = self.first.iter().zip(&self.last).zip(&self.days);
        spans
            .map(|((first, last), days)| if *days >= 2.0 { (last - first) / (days - 1.0) } else { f64::NAN })
            .collect()
    }

    /// Adds what is known of the behaviour on `day` as columns of numbers.
    pub(crate) fn add_features(&self, frame: &mut Frame, day: i32) {
        let today = f64::from(day);
        let since = |days: &[f64]| days.iter().map(|then| today - then).collect::<Vec<f64>>();
        let silence = since(&self.last);
        let intervals = self.intervals();
        let in_intervals: Vec<f64> = silence
            .iter()
            .zip(&intervals)
            .map(|(silence, interval)| if *interval > 0.0 { silence / interval } else { f64::NAN })
            .collect();
        let mean: Vec<f64> = self
            .spent
            .iter()
            .zip(&self.count)
            .map(|(spent, count)| if *count > 0.0 { spent / count } else { f64::NAN })
            .collect();
        for (name, en, zh, values) in [
            ("days_since_last_order", "days since the last order", "距上次下单天数", silence),
            ("days_since_first_order", "days since the first order", "距首次下单天数", since(&self.first)),
            ("order_count", "number of orders", "订单数", self.count.clone()),
            ("spent_in_all", "spent in all", "累计消费额", self.spent.clone()),
            ("mean_order", "mean order", "平均订单金额", mean),
            ("usual_interval", "usual days between orders", "平均下单间隔天数", intervals),
            ("silence_in_intervals", "silence in usual intervals", "沉默期为平均间隔的倍数", in_intervals),
        ] {
            frame.add_numbers(name, values);
            frame.entitle(name, en, zh);
        }
    }

    /// How long each has been a customer, from the first order to the last where they left, else to `day`.
    pub(crate) fn tenures(&self, day: i32, left: &[Option<bool>]) -> Vec<f64> {
        let spans = self.first.iter().zip(&self.last).zip(left);
        spans
            .map(
                |((first, last), left)| {
                    if *left == Some(true) { last - first } else { f64::from(day) - first }
                },
            )
            .collect()
    }
}

/// Of those who were active when the watched days began on `cut`, with an order in the `active_days` before, who has none within them. None for all others: who had
/// been silent for long was lost before, and would teach nothing but that.
pub(crate) fn lost_by_window(
    before: &Orders,
    today: &Orders,
    cut: i32,
    active_days: i32,
) -> Vec<Option<bool>> {
    let counts = before.count.iter().zip(&today.count).zip(&before.last);
    counts
        .map(|((count, until_today), last)| {
            let was_active = *count > 0.0 && f64::from(cut) - last <= f64::from(active_days);
            was_active.then_some(until_today <= count)
        })
        .collect()
}

/// Who was still a customer before the watched days and is silent for `cycles` of their usual intervals today. With fewer than two days with
/// orders the interval is the median one.
pub(crate) fn lost_by_cycle(
    before: &Orders,
    today: &Orders,
    cycles: f64,
    cut: i32,
    day: i32,
) -> Vec<Option<bool>> {
    let intervals = before.intervals();
    let usual =
        median(&mut intervals.iter().copied().filter(|interval| !interval.is_nan()).collect::<Vec<_>>());
    let rows = intervals.iter().zip(&before.last).zip(&today.last);
    rows.map(|((interval, last_before), last)| {
        // An interval of less than a day is that of a customer who bought several times a day.
        let patience = cycles * if interval.is_nan() { usual } else { *interval }.max(1.0);
        let was_active = f64::from(cut) - last_before <= patience;
        was_active.then(|| f64::from(day) - last > patience)
    })
    .collect()
}
