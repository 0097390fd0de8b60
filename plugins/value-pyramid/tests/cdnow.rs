//! The plugin over real purchases (`examples/cdnow`), against a plain sort of the same file.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;

use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_score, context, split, stream};
use trellis_sdk::{Batch, Context, Model, Scores, Scoring};
use value_pyramid::{By, Config, ValuePyramid};

/// First and last purchase, number of purchases and cents of one customer.
type Customer = (i32, i32, i64, i64);

fn day(text: &str) -> i32 {
    let date: jiff::civil::Date = text.parse().unwrap();
    date.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days()
}

fn customers() -> BTreeMap<u64, Customer> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cdnow/cdnow_sample_transactions.csv");
    let mut customers = BTreeMap::<u64, Customer>::new();
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let date = day(&row[2]);
        let customer = customers.entry(row[0].parse().unwrap()).or_insert((date, date, 0, 0));
        *customer = (
            customer.0.min(date),
            customer.1.max(date),
            customer.2 + 1,
            customer.3 + (row[4].parse::<f64>().unwrap() * 100.0).round() as i64,
        );
    }
    customers
}

fn batch(customers: &BTreeMap<u64, Customer>) -> Batch {
    BatchBuilder::new(customers.keys().copied())
        .money("spent", "USD", customers.values().map(|customer| Some(customer.3)))
        .int64("orders", customers.values().map(|customer| Some(customer.2)))
        .date("first_order", customers.values().map(|customer| Some(customer.0)))
        .date("last_order", customers.values().map(|customer| Some(customer.1)))
        .build()
}

fn at() -> Context {
    Context { as_of: day("1998-06-30"), ..context() }
}

fn by(by: By) -> Config {
    Config { by, ..Config::default() }
}

fn fitted(config: &Config) -> Model {
    ValuePyramid::fit(&mut stream(split(&batch(&customers()), 500)), config, &at()).unwrap()
}

fn scored(model: &Model) -> Scores {
    ValuePyramid::score(&model.bytes, &batch(&customers()), &at()).unwrap()
}

fn metric(model: &Model, name: &str) -> f64 {
    model.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}")).value
}

/// Rows of the batch from the lowest to the highest, with their cents.
fn sorted() -> Vec<(i64, usize)> {
    let mut sorted: Vec<_> =
        customers().values().enumerate().map(|(row, customer)| (customer.3, row)).collect();
    sorted.sort_unstable();
    sorted
}

/// The band that the host reads off `describe`.
fn band(config: &Config, standing: f64) -> String {
    let standing_score = ValuePyramid::describe(config).unwrap().remove(1);
    let band = standing_score.bands.iter().rfind(|band| standing >= band.lowest);
    band.unwrap_or(&standing_score.bands[0]).name.clone()
}

/// Places a sorted list by hand: the highest so many percent of the others.
#[test]
fn tiers_hold_the_customers_that_a_plain_sort_puts_there() {
    let config = by(By::Customers);
    let (model, sorted) = (fitted(&config), sorted());
    let scores = scored(&model);
    let others = sorted.len() - 1;
    let mut counts = BTreeMap::<String, (u64, i64)>::new();
    for (rank, (cents, row)) in sorted.iter().enumerate() {
        // 99, 95 and 80 % of the others rank lower: in whole numbers.
        let expected = match rank * 100 {
            below if below >= others * 99 => "platinum",
            below if below >= others * 95 => "gold",
            below if below >= others * 80 => "iron",
            _ => "lead",
        };
        let standing = scores.value("standing", *row).unwrap();
        assert_eq!(band(&config, standing), expected, "rank {rank}, standing {standing}");
        assert_eq!(scores.value("value", *row), Some(*cents as f64 / 100.0));
        let count = counts.entry(expected.to_owned()).or_default();
        *count = (count.0 + 1, count.1 + cents);
    }
    let total: i64 = sorted.iter().map(|(cents, _)| cents).sum();
    for (tier, (count, cents)) in counts {
        assert_eq!(metric(&model, &format!("{tier}_customers")), count as f64);
        assert_eq!(metric(&model, &format!("{tier}_revenue")), cents as f64 / 100.0);
        let percent = metric(&model, &format!("{tier}_revenue_percent"));
        assert!((percent - 100.0 * cents as f64 / total as f64).abs() < 1e-9);
    }
    // 1, 4 and 15 % of 2,356 others, and the best one.
    let tier_counts =
        ["platinum", "gold", "iron", "lead"].map(|tier| metric(&model, &format!("{tier}_customers")));
    assert_eq!(tier_counts, [24.0, 94.0, 354.0, 1885.0]);
    assert_eq!(metric(&model, "revenue"), total as f64 / 100.0);
}

#[test]
fn revenue_tiers_split_what_the_others_spent() {
    let config = by(By::Revenue);
    let (model, sorted) = (fitted(&config), sorted());
    let scores = scored(&model);
    let total: i64 = sorted.iter().map(|(cents, _)| cents).sum();
    let mut below = 0;
    for (cents, row) in &sorted {
        let others = total - cents;
        let expected = match below * 100 {
            below if below >= others * 80 => "platinum",
            below if below >= others * 50 => "gold",
            below if below >= others * 20 => "iron",
            _ => "lead",
        };
        assert_eq!(band(&config, scores.value("standing", *row).unwrap()), expected, "{cents} cents");
        below += cents;
    }
    let percents =
        ["platinum", "gold", "iron", "lead"].map(|tier| metric(&model, &format!("{tier}_revenue_percent")));
    for (percent, share) in percents.into_iter().zip([20.0, 30.0, 30.0, 20.0]) {
        assert!((percent - share).abs() < 0.5, "{percents:?}");
    }
}

/// With 2,357 customers the ranking is thinned out; the figures between stay within a step of it.
#[test]
fn standings_between_the_kept_customers_are_close_to_the_exact_ones() {
    let (scores, sorted) = (scored(&fitted(&by(By::Customers))), sorted());
    let mut before = 0.0;
    for (rank, (_, row)) in sorted.iter().enumerate() {
        let standing = scores.value("standing", *row).unwrap();
        let exact = 100.0 * rank as f64 / (sorted.len() - 1) as f64;
        assert!((standing - exact).abs() <= 100.0 / 1024.0, "rank {rank}: {standing}, exactly {exact}");
        assert!(standing >= before, "rank {rank}");
        before = standing;
    }
    assert_eq!(before, 100.0);
}

#[test]
fn splitting_the_customers_changes_nothing() {
    for mode in [By::Customers, By::Revenue] {
        let model = fitted(&by(mode));
        assert_splitting_changes_no_score::<ValuePyramid>(&model.bytes, &batch(&customers()), &at());
        let whole = ValuePyramid::fit(&mut stream([batch(&customers())]), &by(mode), &at()).unwrap();
        assert_eq!(whole, model);
    }
}

#[test]
fn reasons_and_rules_name_the_figures_in_both_languages() {
    let model = fitted(&by(By::Customers));
    let (best, row) = *sorted().last().unwrap();
    let one = split(&batch(&customers()), 1).remove(row);
    let reasons = ValuePyramid::explain(&model.bytes, &one, &at()).unwrap().remove(0);
    let text = |code: &str| &reasons.iter().find(|reason| reason.code == code).unwrap().text;
    let highest = "ranks 1 of 2357; 100.0 % of the other customers rank lower: platinum tier";
    assert_eq!(text("standing").en, highest);
    assert_eq!(text("standing").zh_cn, "在 2357 位客户中排名第 1，高于其他客户中的 100.0%：铂金层");
    let money = format!("{}.{:02} USD", best / 100, best % 100);
    assert!(text("value").en.starts_with(&format!("lifetime value {money} from ")), "{:?}", text("value"));
    assert!(text("next-tier").zh_cn.starts_with("比最高层起点 "), "{:?}", text("next-tier"));
    assert!(reasons.is_sorted_by(|one, next| one.weight >= next.weight));

    let rules = ValuePyramid::rules(&model.bytes).unwrap();
    assert!(
        rules.en.contains("| Platinum | 1 % | ") && rules.zh_cn.contains("| 铅层 | 80 % | "),
        "{rules:?}"
    );
    assert!(
        model.summary.en.starts_with("2357 customers with orders. Platinum: 24 with "),
        "{:?}",
        model.summary
    );
}
