//! Published series as orders and won deals: every method continues them as R and others do.

use serde_json::{Value as Json, json};

use crate::support::{Table, World, close, column, expected, metric, rows_by, table};

const PLUGIN: &str = "sales-forecast";

/// A series with what is expected of it, and where the world holds it.
struct Series {
    name: &'static str,
    /// What the question calls it.
    measure: &'static str,
    /// The last day of the months that are learned from, and that of the year after them, which is the last.
    learned: &'static str,
    whole: &'static str,
    expected: Json,
}

fn text(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// One customer of whom everything is.
fn customer(world: &World) {
    world.import("account", &["external_id", "name"], [text(&["1", "Everybody"])].into_iter(), &[]);
}

/// Days and amounts as orders.
fn orders(world: &World, rows: &[(String, String)]) {
    let rows = rows.iter().map(|(day, amount)| text(&["1", day, amount]));
    world.import("order", &["account", "ordered_on", "amount"], rows, &[("account", "external_id")]);
}

/// Days and amounts as deals that were won then.
fn deals(world: &World, rows: &[(String, String)]) {
    let rows = rows.iter().map(|(day, amount)| text(&[day, "won", day, day, amount]));
    world.import("opportunity", &["name", "stage", "opened_on", "closed_on", "amount"], rows, &[]);
}

/// A value in the middle of each month.
fn months(series: &Table) -> Vec<(String, String)> {
    let place = |name: &str| series.header.iter().position(|column| column == name).unwrap();
    let (year, month, value) = (place("year"), place("season"), place("value"));
    let day = |row: &[String]| format!("{}-{:02}-15", row[year], row[month].parse::<u32>().unwrap());
    series.rows.iter().map(|row| (day(row), row[value].clone())).collect()
}

fn numbers(values: &[Json]) -> Vec<f64> {
    values.iter().filter_map(Json::as_f64).collect()
}

fn all_close(found: &[f64], expected: &Json, what: &str) {
    let expected = numbers(expected.as_array().unwrap());
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
        close(*found, *expected, 1e-6, 1e-6, &format!("{what}[{place}]"));
    }
}

/// The errors of a method in the year that was held back.
fn check_errors(report: &Json, method: &str, expected: &Json, mase: &str) {
    let methods = rows_by(report, "methods", "method");
    for (name, key) in [("rmse", "RMSE"), ("mae", "MAE"), ("mape", "MAPE_pct"), ("mase", mase)] {
        let expected = expected[key].as_f64().unwrap_or_else(|| panic!("{key} of {method}"));
        close(methods[method][name], expected, 1e-6, 0.0, &format!("{name} of {method}"));
    }
}

impl Series {
    /// The last year of the series is asked about, or all of it but that year.
    fn ask(&self, world: &World, as_of: &str, with: Json) -> Json {
        let mut parameters = json!({ "measure": self.measure, "horizon": 12 });
        let Json::Object(with) = with else { panic!("parameters are an object") };
        parameters.as_object_mut().unwrap().extend(with);
        world.analyse_as_of(as_of, PLUGIN, "trend", &parameters)
    }

    fn check_holt_winters(&self, world: &World, season: &str, label: &str) {
        let (method, case) = (format!("holt_winters_{season}"), &self.expected[season]);
        for (start, key) in [("decomposition", "start_by_decomposition_as_R"), ("simple", "start_simple")] {
            let (wanted, what) = (&case[key], format!("{} {season} {start}", self.name));
            let asked = json!({
                "method": method, "start": start, "alpha": case["alpha"], "beta": case["beta"], "gamma": case["gamma"],
            });
            let report = self.ask(world, self.learned, asked.clone());
            all_close(&numbers(&column(&report, "forecast", "forecast")), &wanted["forecast"], &what);
            all_close(&numbers(&column(&report, "season", "value")), &wanted["final_season"], &what);
            let learned = rows_by(&report, "parameters", "parameter");
            for (name, key) in
                [("Level at the end", "final_level"), ("Trend per period at the end", "final_trend")]
            {
                close(learned[name]["value"], wanted[key].as_f64().unwrap(), 1e-6, 0.0, &what);
            }
            let squares = wanted["sse_one_step_from_t_m_plus_1"].as_f64().unwrap();
            close(metric(&report, "squared_errors"), squares, 1e-6, 0.0, &what);
            let tested = self.ask(world, self.whole, asked);
            check_errors(&tested, label, &wanted["test"], "MASE_seasonal");
        }
        let best = self.ask(world, self.learned, json!({ "method": method }));
        let of_r = case["r_optimised"]["SSE"].as_f64().unwrap();
        let found = metric(&best, "squared_errors");
        assert!(found <= of_r * 1.000_1, "{} {season}: {found}, R has {of_r}", self.name);
    }

    fn check_simple(&self, world: &World) {
        let (simple, benchmarks) = (&self.expected["simple"], &self.expected["benchmarks"]);
        let line = self.ask(world, self.learned, json!({ "method": "linear_trend" }));
        let learned = rows_by(&line, "parameters", "parameter");
        for (name, key) in [("Intercept", "intercept"), ("Slope per period", "slope")] {
            let wanted = simple["linear_trend"][key].as_f64().unwrap();
            close(learned[name]["value"], wanted, 1e-8, 0.0, key);
        }
        let forecast = |report: &Json| numbers(&column(report, "forecast", "forecast"));
        all_close(&forecast(&line), &simple["linear_trend"]["forecast"], "line");
        for (asked, wanted) in [
            (json!({ "method": "moving_average", "window": 3 }), &simple["moving_average_3"]),
            (
                json!({ "method": "simple_smoothing", "alpha": 0.3 }),
                &simple["ses_alpha_0_3_start_first_value"],
            ),
        ] {
            let found = forecast(&self.ask(world, self.learned, asked.clone()));
            assert_eq!(found.len(), 12);
            found
                .iter()
                .for_each(|value| close(*value, wanted.as_f64().unwrap(), 1e-8, 0.0, &asked.to_string()));
        }
        let again = self.ask(world, self.learned, json!({ "method": "seasonal_naive" }));
        all_close(&forecast(&again), &benchmarks["seasonal_naive"]["forecast"], "a season ago");
        let tested = self.ask(world, self.whole, json!({}));
        check_errors(&tested, "Last value", &benchmarks["naive"]["test"], "MASE");
        check_errors(&tested, "Value a season ago", &benchmarks["seasonal_naive"]["test"], "MASE");
        let mean = |method: &str| rows_by(&tested, "methods", "method")[method]["mae"];
        assert!(metric(&tested, "mae") <= mean("Value a season ago"), "the best of them is used");
    }
}

#[test]
fn published_series_are_continued_as_r_continues_them() {
    let (Some(passengers), Some(degrees), Some(expected)) =
        (table("forecast/AirPassengers.csv", b','), table("forecast/nottem.csv", b','), expected("forecast"))
    else {
        return;
    };
    let world = World::new();
    customer(&world);
    orders(&world, &months(&passengers));
    deals(&world, &months(&degrees));
    world.enable(PLUGIN, "1960-12-31", &json!({}));
    let of = |name: &str| expected["series"][name].clone();
    for series in [
        Series {
            name: "AirPassengers",
            measure: "order_amount",
            learned: "1959-12-31",
            whole: "1960-12-31",
            expected: of("AirPassengers"),
        },
        Series {
            name: "nottem",
            measure: "won_amount",
            learned: "1938-12-31",
            whole: "1939-12-31",
            expected: of("nottem"),
        },
    ] {
        series.check_holt_winters(&world, "additive", "Holt–Winters, additive");
        series.check_holt_winters(&world, "multiplicative", "Holt–Winters, multiplicative");
        series.check_simple(&world);
    }
    // What the manual of R prints for all 144 values.
    let published = expected["published"].as_object().unwrap().values().next().unwrap();
    let constant = |name: &str| published[name].clone();
    let asked = json!({
        "method": "holt_winters_multiplicative", "alpha": constant("alpha"), "beta": constant("beta"), "gamma": constant("gamma"),
    });
    let report = world.analyse(PLUGIN, "trend", &asked);
    close(metric(&report, "squared_errors"), published["SSE"].as_f64().unwrap(), 1e-6, 0.0, "published");
    assert_eq!(metric(&report, "periods"), 144.0);
}

#[test]
fn purchases_of_music_are_summed_by_month_and_week_and_continued() {
    let Some(expected) = expected("forecast") else { return };
    let folder = trellis_e2e::root().join("examples/cdnow");
    let world = World::new();
    world.import_mapped("order", &folder.join("cdnow_sample_transactions.csv"), &folder.join("orders.toml"));
    let monthly = &expected["cdnow_monthly_revenue"];
    let values = monthly["values"].as_object().unwrap();
    let year: Vec<_> = values
        .iter()
        .filter(|(month, _)| ("1997-04".."1998-04").contains(&month.as_str()))
        .map(|(month, value)| (format!("{month}-15"), value.to_string()))
        .collect();
    assert_eq!(year.len(), 12);
    deals(&world, &year);
    world.enable(PLUGIN, "1998-06-30", &json!({}));
    let all = world.analyse(PLUGIN, "trend", &json!({}));
    let months = rows_by(&all, "forecast", "period");
    for (month, value) in values {
        close(months[month]["actual"], value.as_f64().unwrap(), 1e-9, 0.0, month);
    }
    assert_eq!(metric(&all, "periods"), values.len() as f64);
    // The weeks of the reference begin on the first day of the data, a Wednesday.
    let weekly = world.analyse(
        PLUGIN,
        "trend",
        &json!({ "grain": "week", "week_starts_on": "wednesday", "horizon": 4 }),
    );
    let weeks = numbers(&column(&weekly, "forecast", "actual"));
    all_close(&weeks[..8], &expected["cdnow_weekly_revenue_first_8"], "weeks");
    let year = |with: Json| {
        let mut asked = json!({ "measure": "won_amount", "horizon": 3 });
        asked.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        world.analyse_as_of("1998-03-31", PLUGIN, "trend", &asked)
    };
    let line = year(json!({ "method": "linear_trend" }));
    let learned = rows_by(&line, "parameters", "parameter");
    for (name, key) in [("Intercept", "intercept"), ("Slope per period", "slope")] {
        close(learned[name]["value"], monthly["linear"][key].as_f64().unwrap(), 1e-8, 0.0, key);
    }
    let forecast = |report: &Json| numbers(&column(report, "forecast", "forecast"));
    all_close(&forecast(&line), &monthly["linear"]["forecast_t13_to_15"], "line");
    for (asked, key) in [
        (json!({ "method": "simple_smoothing", "alpha": 0.3 }), "ses_alpha_0_3"),
        (json!({ "method": "moving_average", "window": 3 }), "moving_average_3"),
    ] {
        close(forecast(&year(asked))[0], monthly[key].as_f64().unwrap(), 1e-8, 0.0, key);
    }
}

#[test]
fn two_months_are_too_few_and_three_are_enough() {
    let world = World::new();
    customer(&world);
    orders(
        &world,
        &[("2026-01-05", "10"), ("2026-02-05", "20")].map(|(day, amount)| (day.into(), amount.into())),
    );
    world.enable(PLUGIN, "2026-02-28", &json!({}));
    let question = json!({ "parameters": {} });
    let path = format!("/api/v1/plugins/{PLUGIN}/analyses/trend");
    let job = world.api.wait_for_job(world.api.post(&path, &question));
    assert_eq!(job["state"], "failed");
    assert!(job.to_string().contains("at least 3 months"), "{job}");
    let three = world.analyse_as_of("2026-03-31", PLUGIN, "trend", &json!({ "method": "naive" }));
    assert_eq!(metric(&three, "next_period"), 0.0, "nothing was ordered in March");
    // Without an order or a deal there is nothing to look at, and each question says so.
    for (question, parameters) in [("pipeline", json!({})), ("win_rates", json!({})), ("plan", json!({}))] {
        let path = format!("/api/v1/plugins/{PLUGIN}/analyses/{question}");
        let job = world.api.wait_for_job(world.api.post(&path, &json!({ "parameters": parameters })));
        let ended = job["state"].as_str().unwrap();
        assert_eq!(ended, if question == "win_rates" { "failed" } else { "succeeded" }, "{question}: {job}");
    }
}
