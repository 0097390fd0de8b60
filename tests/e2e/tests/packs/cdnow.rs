//! Purchases of compact discs: lifetime value, key customers, cohorts, next purchase and clusters of real customers, each figure as
//! independent programs computed it (`examples/cdnow/expected.json`).

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_e2e::cdnow;

use crate::support::{World, close, column, day, figures, metric, number};

/// The end of the time from which models learn.
const CALIBRATION_END: &str = "1997-09-30";
/// The last day of the sample.
const END: &str = "1998-06-30";
const CUSTOMERS: usize = 2357;

const ALIVE: &str = "score.customer_lifetime__alive";
const PURCHASES: &str = "score.customer_lifetime__expected_purchases";
const SPEND: &str = "score.customer_lifetime__expected_spend";
const VALUE: &str = "score.customer_lifetime__clv";

pub(crate) fn reference() -> Json {
    serde_json::from_slice(&std::fs::read(cdnow("expected.json")).unwrap()).unwrap()
}

/// A server with the purchases of 2,357 customers.
pub(crate) fn world() -> World {
    let world = World::new();
    world.server.import_cdnow();
    assert_eq!(world.api.total("accounts"), CUSTOMERS as u64);
    world
}

/// The discount of the reference, 1 % every four weeks, a year.
fn settings(horizon_weeks: u32) -> Json {
    json!({
        "horizon_weeks": horizon_weeks,
        "discount_percent_yearly": 100.0 * (1.01_f64.powf(365.25 / 28.0) - 1.0),
    })
}

#[test]
fn every_lifetime_is_the_expected_one() {
    let (world, expected) = (world(), reference());
    world.enable("customer-lifetime", CALIBRATION_END, &settings(39));
    parameters(&world.report("customer-lifetime"), &expected);
    everybody(&world);
    named(&world, &expected, "expected_purchases_39w");
    for (weeks, purchases) in expected["bgnbd"]["expected_purchases_new_customer"].as_object().unwrap() {
        let report = world.judge("customer-lifetime", CALIBRATION_END, &settings(weeks.parse().unwrap()));
        close(metric(&report, "new_customer_purchases"), number(purchases), 1e-5, 0.0, weeks);
        if weeks == "52" {
            named(&world, &expected, "expected_purchases_52w");
            for (id, score) in scores(&world, &expected, VALUE) {
                let wanted = number(&expected["customers"][&id]["clv_13x4w_1pct"]);
                close(score, wanted, 2e-4, 0.0, &format!("value of {id}"));
            }
        }
    }
    pareto_nbd(&world, &expected);
    hold_out(&world, &expected);
}

/// Parameters within 0.5 %, and likelihoods as high as the highest that is known.
fn parameters(report: &Json, expected: &Json) {
    let (bg, gamma) = (&expected["bgnbd"], &expected["gamma_gamma"]);
    for (name, wanted) in [("customers", &bg["n"]), ("repeats", &bg["sum_x"]), ("repeaters", &gamma["n"])] {
        assert_eq!(metric(report, name), number(wanted), "{name}");
    }
    assert_eq!(figures(report, "repeat_purchases", "actual")[0], number(&bg["n_zero_repeat"]));
    for fit in ["mle_own", "mle_lifetimes"] {
        for name in ["r", "alpha", "a", "b"] {
            close(metric(report, name), number(&bg[fit][name]), 0.005, 0.0, name);
        }
        for (name, key) in [("spend_p", "p"), ("spend_q", "q"), ("spend_v", "v")] {
            close(metric(report, name), number(&gamma[fit][key]), 0.005, 0.0, name);
        }
    }
    close(metric(report, "log_likelihood"), number(&bg["mle_own"]["loglik"]), 0.0, 1e-3, "BG/NBD");
    let likelihood = number(&gamma["mle_own"]["loglik"]);
    close(metric(report, "spend_log_likelihood"), likelihood, 0.0, 1e-3, "Gamma-Gamma");
    close(metric(report, "mean_spend"), number(&gamma["population_mean_spend"]), 1e-4, 0.0, "mean spend");
}

/// The probability of being active and the purchases of 39 weeks of all customers; the table has eight decimals.
fn everybody(world: &World) {
    let found = world.results(&[ALIVE, PURCHASES]);
    let mut rows = 0;
    for wanted in csv::Reader::from_path(cdnow("expected_customers.csv")).unwrap().records() {
        let wanted = wanted.unwrap();
        for (score, column) in [(ALIVE, 14), (PURCHASES, 15)] {
            let what = format!("{score} of {}", &wanted[0]);
            close(number(&found[&wanted[0]][score]), wanted[column].parse().unwrap(), 1e-4, 1e-8, &what);
        }
        rows += 1;
    }
    assert_eq!((rows, found.len()), (CUSTOMERS, CUSTOMERS));
}

/// The score of the customers whom the reference names.
fn scores(world: &World, expected: &Json, score: &str) -> Vec<(String, f64)> {
    let found = world.results(&[score]);
    let ids = expected["customers"].as_object().unwrap().keys();
    let scores: Vec<_> = ids.map(|id| (id.clone(), number(&found[id][score]))).collect();
    assert_eq!(scores.len(), 10);
    scores
}

fn named(world: &World, expected: &Json, purchases: &str) {
    for (score, key) in [(ALIVE, "p_alive"), (PURCHASES, purchases), (SPEND, "expected_mean_spend")] {
        for (id, found) in scores(world, expected, score) {
            close(found, number(&expected["customers"][&id][key]), 1e-4, 0.0, &format!("{key} of {id}"));
        }
    }
}

fn pareto_nbd(world: &World, expected: &Json) {
    let report = world.judge("customer-lifetime", CALIBRATION_END, &json!({ "model": "pareto_nbd" }));
    let pareto = &expected["pareto_nbd"];
    for name in ["r", "alpha", "s", "beta"] {
        close(metric(&report, name), number(&pareto[name]), 0.005, 0.0, name);
    }
    close(metric(&report, "log_likelihood"), number(&pareto["loglik"]), 0.0, 1e-3, "Pareto/NBD");
}

/// The model of September predicts the purchases up to June.
fn hold_out(world: &World, expected: &Json) {
    let report = world.judge("customer-lifetime", END, &json!({ "holdout_days": 273 }));
    let wanted = &expected["bgnbd"]["holdout"];
    assert_eq!(metric(&report, "holdout_actual"), number(&wanted["actual_total"]));
    for (name, key) in [
        ("holdout_predicted", "predicted_total"),
        ("holdout_mae", "mae"),
        ("holdout_rmse", "rmse"),
        ("holdout_correlation", "correlation"),
    ] {
        close(metric(&report, name), number(&wanted[key]), 1e-4, 0.0, name);
    }
    let names = column(&report, "holdout", "repeats");
    assert_eq!(names.len(), wanted["by_x"].as_object().unwrap().len());
    for (row, name) in names.iter().enumerate() {
        let (name, figure) = (name.as_str().unwrap(), |name| figures(&report, "holdout", name)[row]);
        let wanted = &wanted["by_x"][name];
        assert_eq!(figure("customers"), number(&wanted["n"]), "{name}");
        close(figure("actual"), number(&wanted["actual_mean"]), 1e-8, 0.0, name);
        close(figure("predicted"), number(&wanted["predicted_mean"]), 1e-4, 0.0, name);
    }
}

#[test]
fn the_few_who_bring_most_and_the_cohorts_are_the_expected_ones() {
    let (world, expected) = (world(), reference());
    world.enable("key-customers", END, &json!({}));
    let (report, pareto) = (world.report("key-customers"), &expected["pareto"]);
    for (name, key) in [
        ("customers", "customers"),
        ("revenue", "revenue"),
        ("share_top_10", "share_top_10pct"),
        ("share_top_20", "share_top_20pct"),
        ("gini", "gini"),
        ("customers_for_share", "customers_for_80pct_revenue"),
    ] {
        close(metric(&report, name), number(&pareto[key]), 1e-9, 0.0, name);
    }
    let standing = "segment.key_customers__standing";
    let key = world.results(&[standing]).values().filter(|row| row[standing] == "key").count();
    assert_eq!(key as f64, number(&pareto["customers_for_80pct_revenue"]));
    cohorts(&world, &expected["cohorts"]);
}

/// Every month after the first of every cohort: who bought, and for how much.
fn cohorts(world: &World, expected: &Json) {
    let report = world.analyse("key-customers", "cohorts", &json!({}));
    let (names, periods) = (column(&report, "retention", "cohort"), figures(&report, "retention", "periods"));
    let found = figures(&report, "retention", "customers").into_iter();
    let found = found.zip(figures(&report, "retention", "revenue")).zip(names.iter().zip(periods));
    let mut cells = BTreeMap::new();
    for ((customers, revenue), (cohort, period)) in found {
        cells.insert((cohort.as_str().unwrap().to_owned(), period as usize), (customers, revenue));
    }
    let mut wanted = 0;
    for (cohort, customers) in expected["active_customers"].as_object().unwrap() {
        for (period, customers) in customers.as_array().unwrap().iter().enumerate() {
            // Months after the last of the data are 0 in the reference and missing here.
            let Some(found) = cells.get(&(cohort.clone(), period)) else {
                assert_eq!(number(customers), 0.0, "{cohort} + {period}");
                continue;
            };
            assert_eq!(found.0, number(customers), "{cohort} + {period}");
            close(found.1, number(&expected["revenue"][cohort][period]), 0.0, 0.005, cohort);
            wanted += 1;
        }
    }
    assert_eq!(wanted, cells.len());
}

/// From the same customers the same clusters; from random ones none that are worse.
#[test]
fn clusters_that_begin_at_the_same_customers_are_the_expected_ones() {
    let (world, expected) = (world(), reference());
    world.enable("customer-clusters", CALIBRATION_END, &json!({ "clusters": 4 }));
    let wanted = number(&expected["kmeans"][0]["inertia"]);
    assert!(metric(&world.report("customer-clusters"), "inertia") < wanted * 1.000_001);
    for wanted in expected["kmeans"].as_array().unwrap() {
        let starts = wanted["init_customer_ids"].as_array().unwrap().iter().map(Json::to_string);
        let config = json!({
            "logarithm": wanted["log1p"],
            "start_field": "external_id",
            "start_customers": starts.collect::<Vec<_>>(),
        });
        let report = world.judge("customer-clusters", CALIBRATION_END, &config);
        assert_eq!(metric(&report, "iterations"), number(&wanted["iterations_own"]));
        for name in ["inertia", "silhouette", "calinski_harabasz", "davies_bouldin"] {
            close(metric(&report, name), number(&wanted[name]), 1e-6, 0.0, name);
        }
        centres(&report, wanted);
        members(&world, wanted);
    }
}

fn centres(report: &Json, wanted: &Json) {
    assert_eq!(json!(column(report, "clusters", "customers")), wanted["sizes"]);
    let names = ["recency_days", "frequency", "monetary"];
    for (row, name) in names.into_iter().enumerate() {
        close(figures(report, "figures", "mean")[row], number(&wanted["mean"][name]), 1e-8, 0.0, name);
        close(figures(report, "figures", "deviation")[row], number(&wanted["sd_pop"][name]), 1e-8, 0.0, name);
    }
    let (standardised, own) =
        (figures(report, "profiles", "deviations"), figures(report, "profiles", "middle"));
    assert_eq!(standardised.len(), names.len() * wanted["sizes"].as_array().unwrap().len());
    for (place, (standardised, own)) in standardised.into_iter().zip(own).enumerate() {
        let (cluster, figure) = (place / names.len(), place % names.len());
        close(standardised, number(&wanted["centroids_z"][cluster][figure]), 1e-8, 1e-9, "centroid");
        // The reference leaves logarithms as they are.
        let own = if wanted["log1p"] == true { own.ln_1p() } else { own };
        close(own, number(&wanted["centroids_raw"][cluster][figure]), 1e-8, 1e-9, "centroid");
    }
}

fn members(world: &World, wanted: &Json) {
    let cluster = "segment.customer_clusters__cluster";
    let found = world.results(&[cluster]);
    for (id, label) in wanted["labels_sample"].as_object().unwrap() {
        let name = format!("cluster_{}", label.as_u64().unwrap() + 1);
        assert_eq!(found[id][cluster], json!(name), "customer {id}");
    }
    for (label, size) in wanted["sizes"].as_array().unwrap().iter().enumerate() {
        let name = json!(format!("cluster_{}", label + 1));
        let count = found.values().filter(|row| row[cluster] == name).count();
        assert_eq!(json!(count), *size, "{name}");
    }
}

/// What the orders of a customer say: days between the first and the last, days with one after the first, days since the last.
struct Purchases {
    days: f64,
    repeats: f64,
    since: f64,
}

fn purchases() -> BTreeMap<String, Purchases> {
    let mut days: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in csv::Reader::from_path(cdnow("cdnow_sample_transactions.csv")).unwrap().records() {
        let row = row.unwrap();
        days.entry(row[0].to_owned()).or_default().push(day(&row[2]));
    }
    let of_customer = |mut days: Vec<i64>| {
        days.sort_unstable();
        days.dedup();
        let (first, last) = (days[0], days[days.len() - 1]);
        let since = (day(END) - last) as f64;
        Purchases { days: (last - first) as f64, repeats: (days.len() - 1) as f64, since }
    };
    days.into_iter().map(|(id, days)| (id, of_customer(days))).collect()
}

/// The model states p, q and v. Of them and a customer's purchases the mean of the next interval follows in closed form; who bought once is
/// the later the longer ago that was; and the bands of the report count whom the scores put there.
#[test]
fn the_next_purchase_follows_from_the_purchases_so_far() {
    let world = world();
    world.enable("next-purchase", END, &json!({}));
    let report = world.report("next-purchase");
    let [p, q, v] = figures(&report, "parameters", "value").try_into().unwrap();
    let [cycle, late, chance] =
        ["cycle_days", "lateness", "purchase_probability"].map(|name| format!("score.next_purchase__{name}"));
    let found = world.results(&[&cycle, &late, &chance]);
    let mut once: Vec<(f64, f64)> = Vec::new();
    let mut bands = [0.0; 4];
    for (id, purchases) in &purchases() {
        let row = &found[id];
        let wanted = p * (v + purchases.days) / (q + p * purchases.repeats - 1.0);
        close(number(&row[&cycle]), wanted, 1e-6, 0.0, &format!("cycle of {id}"));
        let lateness = number(&row[&late]);
        bands[[50.0, 80.0, 95.0].into_iter().filter(|from| lateness >= *from).count()] += 1.0;
        assert!((0.0..=1.0).contains(&number(&row[&chance])), "{id}");
        if purchases.repeats == 0.0 {
            once.push((purchases.since, lateness));
        }
    }
    once.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert!(once.len() > 1000 && once.is_sorted_by(|one, other| one.1 <= other.1));
    assert!(once[0].1 < once[once.len() - 1].1);
    assert_eq!(figures(&report, "bands", "customers"), bands);
}
