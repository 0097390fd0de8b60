//! Methods against reference results of R and others (`forecast/expected.json` of the reference data).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod data;

use sales_forecast::{
    HoltWinters, LinearTrend, Method, Seasonality, Settings, Smoothing, StartRule, accuracy, back_test,
    choose, moving_average, simple_smoothing,
};
use serde_json::Value;

fn near(found: f64, expected: &Value, relative: f64, what: &str) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: no number expected: {expected}"));
    let scale = expected.abs().max(1e-9);
    assert!((found - expected).abs() <= relative * scale.max(1.0), "{what}: {found} is not {expected}");
}

fn all_near(found: &[f64], expected: &Value, relative: f64, what: &str) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        near(*found, expected, relative, &format!("{what}[{place}]"));
    }
}

struct Set {
    name: &'static str,
    training: Vec<f64>,
    actual: Vec<f64>,
    expected: Value,
}

fn sets() -> Option<Vec<Set>> {
    let folder = data::folder("forecast")?;
    let expected = data::expected(&folder);
    let set = |name: &'static str| {
        let mut series: Vec<f64> = data::rows(&folder.join(format!("{name}.csv")))
            .iter()
            .map(|row| row["value"].parse().unwrap())
            .collect();
        let expected = expected["series"][name].clone();
        let actual = series.split_off(expected["train"].as_u64().unwrap() as usize);
        Set { name, training: series, actual, expected }
    };
    Some(["AirPassengers", "nottem"].map(set).into())
}

#[test]
fn holt_winters_with_given_constants_is_as_r_computes_it() {
    for set in sets().unwrap_or_default() {
        for (name, seasonality) in
            [("additive", Seasonality::Additive), ("multiplicative", Seasonality::Multiplicative)]
        {
            let expected = &set.expected[name];
            let constant = |name: &str| expected[name].as_f64().unwrap();
            let smoothing =
                Smoothing { alpha: constant("alpha"), beta: constant("beta"), gamma: constant("gamma") };
            for (key, rule) in [
                ("start_by_decomposition_as_R", StartRule::Decomposition),
                ("start_simple", StartRule::Simple),
            ] {
                let (expected, what) = (&expected[key], format!("{} {name} {key}", set.name));
                let start = rule.start(&set.training, 12, seasonality).unwrap();
                near(start.level, &expected["start_level"], 1e-6, &what);
                near(start.trend, &expected["start_trend"], 1e-6, &what);
                all_near(&start.season, &expected["start_season"], 1e-6, &what);
                let fit = HoltWinters::run(&set.training, &start, seasonality, smoothing).unwrap();
                near(fit.squared_errors, &expected["sse_one_step_from_t_m_plus_1"], 1e-6, &what);
                near(fit.level, &expected["final_level"], 1e-6, &what);
                near(fit.trend, &expected["final_trend"], 1e-6, &what);
                all_near(&fit.season, &expected["final_season"], 1e-6, &what);
                let forecast = fit.forecast(12);
                all_near(&forecast, &expected["forecast"], 1e-6, &what);
                let errors = accuracy(&set.training, 12, &forecast, &set.actual).unwrap();
                near(errors.rmse, &expected["test"]["RMSE"], 1e-6, &what);
                near(errors.mae, &expected["test"]["MAE"], 1e-6, &what);
                near(errors.mape.unwrap(), &expected["test"]["MAPE_pct"], 1e-6, &what);
                near(errors.mase.unwrap(), &expected["test"]["MASE_seasonal"], 1e-6, &what);
            }
        }
    }
}

#[test]
fn constants_that_are_searched_are_no_worse_than_those_of_r() {
    for set in sets().unwrap_or_default() {
        for (name, seasonality) in
            [("additive", Seasonality::Additive), ("multiplicative", Seasonality::Multiplicative)]
        {
            let fit = HoltWinters::fit(&set.training, seasonality, &Settings::default()).unwrap();
            let of_r = set.expected[name]["r_optimised"]["SSE"].as_f64().unwrap();
            assert!(
                fit.squared_errors <= of_r * 1.000_1,
                "{} {name}: {} against {of_r}",
                set.name,
                fit.squared_errors
            );
        }
    }
}

#[test]
fn simple_methods_are_as_the_textbook_says() {
    for set in sets().unwrap_or_default() {
        let (simple, benchmarks) = (&set.expected["simple"], &set.expected["benchmarks"]);
        let line = LinearTrend::of(&set.training).unwrap();
        near(line.intercept, &simple["linear_trend"]["intercept"], 1e-9, set.name);
        near(line.slope, &simple["linear_trend"]["slope"], 1e-9, set.name);
        all_near(&line.outlook(12).values, &simple["linear_trend"]["forecast"], 1e-9, set.name);
        near(moving_average(&set.training, 3).unwrap(), &simple["moving_average_3"], 1e-9, set.name);
        let (level, _) = simple_smoothing(&set.training, 0.3).unwrap();
        near(level, &simple["ses_alpha_0_3_start_first_value"], 1e-9, set.name);
        for (method, key) in [(Method::Naive, "naive"), (Method::SeasonalNaive, "seasonal_naive")] {
            let expected = &benchmarks[key];
            let values = method.continue_series(&set.training, 12, &Settings::default()).unwrap().values;
            if expected["forecast"].is_array() {
                all_near(&values, &expected["forecast"], 1e-9, key);
            }
            let errors = accuracy(&set.training, 12, &values, &set.actual).unwrap();
            near(errors.rmse, &expected["test"]["RMSE"], 1e-6, key);
            near(errors.mae, &expected["test"]["MAE"], 1e-6, key);
            near(errors.mape.unwrap(), &expected["test"]["MAPE_pct"], 1e-6, key);
            near(errors.mase.unwrap(), &expected["test"]["MASE"], 1e-6, key);
        }
    }
}

#[test]
fn the_back_test_chooses_a_method_with_a_season_where_there_is_one() {
    for set in sets().unwrap_or_default() {
        let series = [set.training.as_slice(), &set.actual].concat();
        let tests = back_test(&series, 12, 1, &Settings::default());
        let chosen = choose(&tests).unwrap();
        let error = |method| tests.iter().find(|test| test.method == method).unwrap().accuracy.unwrap().mae;
        assert!(error(chosen) < error(Method::Naive) / 2.0, "{}: {chosen:?}", set.name);
        assert!(error(chosen) <= error(Method::SeasonalNaive), "{}: {chosen:?}", set.name);
    }
}

#[test]
fn a_year_of_purchases_is_continued() {
    let Some(folder) = data::folder("forecast") else { return };
    let expected = &data::expected(&folder)["cdnow_monthly_revenue"];
    let months: Vec<f64> = expected["values"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(month, _)| ("1997-04".."1998-04").contains(&month.as_str()))
        .map(|(_, value)| value.as_f64().unwrap())
        .collect();
    let line = LinearTrend::of(&months).unwrap();
    near(line.intercept, &expected["linear"]["intercept"], 1e-9, "intercept");
    near(line.slope, &expected["linear"]["slope"], 1e-9, "slope");
    all_near(&line.outlook(3).values, &expected["linear"]["forecast_t13_to_15"], 1e-9, "line");
    near(simple_smoothing(&months, 0.3).unwrap().0, &expected["ses_alpha_0_3"], 1e-9, "smoothing");
    near(moving_average(&months, 3).unwrap(), &expected["moving_average_3"], 1e-9, "average");
}
