//! 8,800 opportunities of a sales team: win rates and the weighted pipeline of the plugin are what independent programs computed.

use serde_json::{Value as Json, json};
use trellis_e2e::{reference, root};

use crate::support::{World, close, expected, metric, rows_by};

const PLUGIN: &str = "sales-forecast";

/// The tables in the order in which they refer to each other, each with its mapping.
const TABLES: [(&str, &str, &str); 4] = [
    ("account", "crm_pipeline/accounts.csv", "accounts.toml"),
    ("product", "crm_pipeline/products.csv", "products.toml"),
    ("user", "crm_pipeline/sales_teams.csv", "sales_teams.toml"),
    ("opportunity", "crm_pipeline/opportunities.csv", "opportunities.toml"),
];

/// A server with all of them; `None` where the reference data is missing.
fn world() -> Option<World> {
    let files = TABLES.map(|(_, file, _)| reference(file));
    let world = World::new();
    // Fields of a sales team and a product line that the standard objects do not have.
    let schema = root().join("examples/custom-objects/schema.json");
    world.server.cli(&["schema", "apply", &schema.to_string_lossy()]).ok();
    for ((object, _, mapping), file) in TABLES.into_iter().zip(files) {
        world.import_mapped(object, &file?, &root().join("examples/crm-pipeline").join(mapping));
    }
    Some(world)
}

/// Equal to the ten digits of the reference.
#[track_caller]
fn same(found: f64, expected: &Json, what: &str) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: nothing is expected"));
    close(found, expected, 1e-9, 1e-9, what);
}

/// Equal to the cent.
#[track_caller]
fn same_cents(found: f64, expected: &Json, what: &str) {
    close(found, expected.as_f64().unwrap(), 1e-9, 0.005, what);
}

fn check_overall(world: &World, expected: &Json) {
    let report = world.analyse(PLUGIN, "win_rates", &json!({}));
    let overall = &expected["overall"];
    for (name, wanted) in [
        ("opportunities", &overall["opportunities"]),
        ("won", &overall["won"]),
        ("lost", &overall["lost"]),
        ("open", &overall["open"]),
        ("revenue", &overall["revenue"]),
        ("mean_won_value", &overall["avg_won_value"]),
        ("mean_won_days", &overall["mean_cycle_days_won"]),
        ("mean_lost_days", &expected["mean_cycle_days_lost"]),
        ("median_won_days", &expected["median_cycle_days_won"]),
        ("median_won_value", &expected["median_won_value"]),
        ("velocity_per_day", &expected["velocity_per_day"]["value"]),
    ] {
        same(metric(&report, name), wanted, name);
    }
    same(metric(&report, "win_rate") / 100.0, &overall["win_rate"], "win rate");
    let realised = &expected["discount"]["sum_close_value_over_sum_list_price_of_won"];
    same(metric(&report, "price_realisation") / 100.0, realised, "price realisation");
    let stages = rows_by(&report, "stages", "stage");
    assert_eq!(stages.len(), 4);
    for (name, stage) in
        [("Engaging", "qualification"), ("Prospecting", "prospecting"), ("Won", "won"), ("Lost", "lost")]
    {
        same(stages[stage]["deals"], &expected["stage_counts"][name], name);
    }
    let months = rows_by(&report, "months", "period");
    for (month, wanted) in expected["won_by_month"].as_object().unwrap() {
        same(months[month]["won"], &wanted["deals"], month);
        same_cents(months[month]["revenue"], &wanted["revenue"], month);
    }
    let quarters = rows_by(&report, "quarters", "period");
    for (quarter, wanted) in expected["won_by_quarter"].as_object().unwrap() {
        same_cents(quarters[&quarter.replace('Q', "-Q")]["revenue"], wanted, quarter);
    }
}

fn check_groups(world: &World, expected: &Json) {
    for (by, part) in
        [("product", "by_product_clean"), ("office", "by_regional_office"), ("manager", "by_manager")]
    {
        let groups = rows_by(&world.analyse(PLUGIN, "win_rates", &json!({ "by": by })), "groups", "name");
        let wanted = expected[part].as_object().unwrap();
        assert!(groups.keys().eq(wanted.keys()), "{by}: {:?}", groups.keys());
        for (name, wanted) in wanted {
            let group = &groups[name];
            for figure in ["opportunities", "won", "lost", "open"] {
                same(group[figure], &wanted[figure], &format!("{figure} of {name}"));
            }
            same(group["win_rate"] / 100.0, &wanted["win_rate"], name);
            same(group["mean_won_days"], &wanted["mean_cycle_days_won"], name);
            same_cents(group["revenue"], &wanted["revenue"], name);
            same_cents(group["mean_won_value"], &wanted["avg_won_value"], name);
        }
    }
    let report = world.analyse(PLUGIN, "win_rates", &json!({ "by": "account" }));
    let (groups, accounts) = (rows_by(&report, "groups", "name"), &expected["accounts"]);
    for (name, revenue) in accounts["top10"].as_object().unwrap() {
        same_cents(groups[name]["revenue"], revenue, name);
    }
    same(metric(&report, "share_of_top_10") / 100.0, &accounts["share_top_10"], "share of ten");
    same(metric(&report, "groups_with_revenue"), &accounts["with_revenue"], "with revenue");
    same(metric(&report, "open_without_group"), &accounts["open_without_account"], "open without account");
    let without = &expected["data_quality"]["opportunities_without_account"];
    same(metric(&report, "deals_without_group"), without, "without account");
    let agents = rows_by(&world.analyse(PLUGIN, "win_rates", &json!({ "by": "owner" })), "groups", "name");
    for (name, revenue) in expected["agents_top5"].as_object().unwrap() {
        same_cents(agents[name]["revenue"], revenue, name);
    }
    for idle in expected["data_quality"]["agents_without_opportunity"].as_array().unwrap() {
        assert!(!agents.contains_key(idle.as_str().unwrap()), "{idle}");
    }
}

fn check_pipeline(world: &World, expected: &Json) {
    let (weighted, ages) = (&expected["weighted_pipeline"], &expected["open_age_days"]);
    let fixed = &weighted["by_fixed_stage_probability"];
    for (weights, value) in [
        ("probability", &fixed["value"]),
        ("win_rate", &weighted["by_overall_win_rate"]),
        ("product_win_rate", &weighted["by_product_win_rate"]),
        ("owner_win_rate", &weighted["by_agent_win_rate"]),
    ] {
        let asked = json!({ "weights": weights, "by": "manager" });
        let report = world.analyse(PLUGIN, "pipeline", &asked);
        same(metric(&report, "open_deals"), &weighted["open_deals"], weights);
        same(metric(&report, "open_value"), &weighted["unweighted_list_price"], weights);
        same(metric(&report, "weighted_value"), value, weights);
        match weights {
            "probability" => {
                let stages = rows_by(&report, "stages", "name");
                for (name, stage) in [("Engaging", "qualification"), ("Prospecting", "prospecting")] {
                    let wanted = &fixed["by_stage"][name];
                    same(stages[stage]["deals"], &wanted["deals"], name);
                    same_cents(stages[stage]["value"], &wanted["list"], name);
                    same_cents(stages[stage]["weighted"], &wanted["weighted"], name);
                }
            }
            "product_win_rate" => {
                let managers = rows_by(&report, "groups", "name");
                let wanted = weighted["by_manager_product_rate"].as_object().unwrap();
                assert!(managers.keys().eq(wanted.keys()), "{:?}", managers.keys());
                for (name, value) in wanted {
                    same_cents(managers[name]["weighted"], value, name);
                }
            }
            _ => {}
        }
        for (name, wanted) in [
            ("age_mean", &ages["mean"]),
            ("age_median", &ages["median"]),
            ("age_max", &ages["max"]),
            ("deals_without_start", &ages["no_engage_date"]),
        ] {
            same(metric(&report, name), wanted, name);
        }
        let classes = rows_by(&report, "ages", "days");
        assert_eq!(classes.len(), ages["buckets"].as_object().unwrap().len());
        for (class, deals) in ages["buckets"].as_object().unwrap() {
            let label = if class.ends_with('+') { class.clone() } else { class.replace('-', "–") };
            same(classes[&label]["deals"], deals, class);
        }
    }
}

#[test]
fn win_rates_and_the_weighted_pipeline_are_the_expected_ones() {
    let (Some(expected), Some(world)) = (expected("crm_pipeline"), world()) else { return };
    // The probabilities that the reference gives the two open stages.
    let percent = |stage: &str| {
        let shares = &expected["weighted_pipeline"]["by_fixed_stage_probability"]["probabilities"];
        (shares[stage].as_f64().unwrap() * 100.0).round()
    };
    let probabilities = json!([
        { "stage": "prospecting", "percent": percent("Prospecting") },
        { "stage": "qualification", "percent": percent("Engaging") },
    ]);
    world.enable(
        PLUGIN,
        expected["as_of"].as_str().unwrap(),
        &json!({ "stage_probabilities": probabilities }),
    );
    // Names of people need a grant of their own; those of products do not, though the fields are called alike.
    let names =
        |by: &str| rows_by(&world.analyse(PLUGIN, "win_rates", &json!({ "by": by })), "groups", "name");
    assert!(names("manager").keys().eq(["(none)"]), "{:?}", names("manager"));
    assert!(names("product").len() > 1);
    let about = world.api.get(&format!("/api/v1/plugins/{PLUGIN}")).ok();
    let grants = about["requests"].as_array().unwrap().iter().map(|request| &request["grant"]);
    let (settings, grants) = (&about["settings"], grants.collect::<Vec<_>>());
    let switch = json!({ "config": settings["config"], "as_of": settings["as_of"], "grants": grants });
    world.api.post(&format!("/api/v1/plugins/{PLUGIN}/enable"), &switch).ok();
    check_overall(&world, &expected);
    check_groups(&world, &expected);
    check_pipeline(&world, &expected);
}
