//! What customers are worth, where their relation stands, and what they say in surveys.

use serde_json::{Value as Json, json};

use crate::support::{World, close, column, expected, metric, number, rows_by, table};

/// The day after which the sample of purchases has none.
const AS_OF: &str = "1998-06-30";

/// A customer with an order, so that there is somebody to learn from.
fn customer(world: &World) {
    let rows = |cells: &[&str]| [cells.iter().map(|cell| (*cell).to_owned()).collect()].into_iter();
    world.import("account", &["external_id", "name"], rows(&["1", "Wang"]), &[]);
    let order = rows(&["1", "2026-01-05", "12.50"]);
    world.import("order", &["account", "ordered_on", "amount"], order, &[("account", "external_id")]);
}

#[test]
fn a_questionnaire_is_evaluated_as_the_reference_says() {
    let (Some(answers), Some(expected)) =
        (table("survey/customer_satisfaction.csv", b','), expected("survey"))
    else {
        return;
    };
    let world = World::new();
    customer(&world);
    world.enable("loyalty", "now", &json!({}));
    let header: Vec<&str> = ["respondent"]
        .into_iter()
        .chain(answers.header.iter().map(String::as_str).filter(|name| name.starts_with('q')))
        .collect();
    let places: Vec<usize> = header[1..]
        .iter()
        .map(|name| answers.header.iter().position(|column| column == name).unwrap())
        .collect();
    let rows = answers.rows.iter().enumerate().map(|(number, row)| {
        let marks = places.iter().map(|place| row[*place].trim().to_owned());
        [number.to_string()].into_iter().chain(marks).collect()
    });
    world.import("loyalty__answer", &header, rows, &[]);
    let report = world.analyse("loyalty", "questionnaire", &json!({}));
    for (place, question) in ["q1", "q2"].into_iter().enumerate() {
        for (name, key) in [
            ("answers", "n"),
            ("promoters", "promoters"),
            ("passives", "passives"),
            ("detractors", "detractors"),
            ("nps", "nps"),
            ("nps_error", "se"),
            ("mean", "mean"),
            ("deviation", "sd"),
            ("median", "median"),
            ("top2", "top2_box"),
            ("top3", "top3_box"),
        ] {
            let found = number(&column(&report, "questions", name)[place]);
            close(found, number(&expected[question][key]), 1e-6, 1e-9, &format!("{question} {key}"));
        }
        for (end, name) in ["nps_low", "nps_high"].into_iter().enumerate() {
            let found = number(&column(&report, "questions", name)[place]);
            close(found, number(&expected[question]["ci95"][end]), 1e-6, 1e-9, name);
        }
    }
    for (mark, count) in column(&report, "distribution", "answers").iter().enumerate() {
        assert_eq!(
            number(count),
            number(&expected["q1"]["distribution"][(mark + 1).to_string()]),
            "mark {}",
            mark + 1
        );
    }
    close(metric(&report, "alpha"), number(&expected["cronbach_alpha_q2_q10"]), 1e-6, 0.0, "alpha");
    let ols = &expected["drivers_ols_q1"];
    close(metric(&report, "r_squared"), number(&ols["r2"]), 1e-6, 0.0, "R²");
    for (place, name) in
        ["const", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10"].into_iter().enumerate()
    {
        close(
            number(&column(&report, "drivers", "weight")[place]),
            number(&ols["coef"][name]),
            1e-6,
            1e-9,
            name,
        );
        close(
            number(&column(&report, "drivers", "error")[place]),
            number(&ols["se"][name]),
            1e-6,
            1e-9,
            name,
        );
        if place > 0 {
            let found = number(&column(&report, "drivers", "correlation")[place]);
            close(found, number(&expected["correlation_q1"][name]), 1e-6, 1e-9, name);
        }
    }
}

/// Every pack over the purchases of 2,357 customers: whoever bought is somewhere, and the reports add up.
#[test]
fn customers_of_the_sample_have_tiers_stages_quadrants_and_types() {
    let world = World::new();
    world.server.import_cdnow();
    for plugin in ["value-pyramid", "customer-lifecycle", "customer-value", "loyalty", "relationship-types"] {
        world.enable(plugin, AS_OF, &json!({}));
    }
    let sum = |report: &Json, panel: &str| column(report, panel, "customers").iter().map(number).sum::<f64>();
    let pyramid = world.report("value-pyramid");
    assert_eq!(metric(&pyramid, "platinum_customers"), 24.0);
    assert_eq!(sum(&pyramid, "tiers"), 2357.0);
    assert_eq!(sum(&pyramid, "movement"), 2357.0);
    let lifecycle = world.report("customer-lifecycle");
    assert_eq!(sum(&lifecycle, "stages"), 2357.0);
    let value = world.report("customer-value");
    assert_eq!(sum(&value, "spread"), 2357.0);
    assert_eq!(metric(&world.report("loyalty"), "customers"), 2357.0);

    let found = world.results(&[
        "score.value_pyramid__standing",
        "score.customer_value__value",
        "segment.customer_lifecycle__stage",
        "segment.loyalty__loyalty_kind",
    ]);
    assert!(found.values().all(|row| row["segment.customer_lifecycle__stage"].is_string()));
    assert!(
        found.values().all(|row| row["segment.loyalty__loyalty_kind"] == "none"),
        "nobody gave any evidence"
    );
    // Without ratings the value is the history alone: the better half by standing has the better half of values.
    let mean = |is_better: bool| {
        let half =
            found.values().filter(|row| (number(&row["score.value_pyramid__standing"]) >= 50.0) == is_better);
        let values: Vec<f64> = half.map(|row| number(&row["score.customer_value__value"])).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    assert!(mean(true) > mean(false) + 20.0);
}

#[test]
fn leads_are_graded_and_pinned() {
    let world = World::new();
    let lead = |name: &str, industry: &str| {
        world.api.post("/api/v1/leads", &json!({ "name": name, "status": "new", "industry": industry })).ok()
    };
    let (fitting, other) = (lead("Li", "Machinery"), lead("Zhao", "Food"));
    let config = json!({ "industries": ["machinery"] });
    world.enable("lead-score", "now", &config);
    let grade = |record: &Json| {
        let path =
            format!("/api/v1/leads/{}?fields=segment.lead_score__grade", record["id"].as_str().unwrap());
        world.api.get(&path).ok()["segment.lead_score__grade"].clone()
    };
    assert_eq!((grade(&fitting), grade(&other)), (json!("a4"), json!("d4")));
    let path = format!("/api/v1/leads/{}", other["id"].as_str().unwrap());
    let pin = json!({ "lead_score__pinned_grade": "a1", "lead_score__pinned_reason": "met the board" });
    world.api.patch(&path, &pin, None).ok();
    trellis_e2e::eventually("the pin counts", || (grade(&other) == "a1").then_some(()));
}

/// R16: money, authority and need with their evidence make a score, and without them nobody converts a lead but with a reason.
#[test]
fn r16_leads_are_qualified_by_money_authority_and_need() {
    let world = World::new();
    let lead = |name: &str, grades: [&str; 3]| {
        let [money, authority, need] = grades;
        let fields = json!({
            "name": name, "status": "qualified", "money_grade": money, "authority_grade": authority,
            "need_grade": need, "qualification_evidence": "budget approved"
        });
        world.make("leads", &fields)
    };
    let (whole, partly) = (lead("Li", ["yes"; 3]), lead("Zhao", ["yes", "partly", "no"]));
    world.enable("lead-score", "now", &json!({}));
    world.enable("b2b-gate", "now", &json!({}));
    let man = |lead: &str| {
        let path = format!("/api/v1/leads/{lead}?fields=score.lead_score__man");
        number(&world.api.get(&path).ok()["score.lead_score__man"])
    };
    assert_eq!((man(&whole), man(&partly)), (100.0, 50.0));
    let why = |language| world.reasons(language, "scores", "lead_score__man", &partly);
    assert!(
        why("en").contains("money confirmed, authority partly, need no; evidence is noted"),
        "{}",
        why("en")
    );
    assert!(why("zh-CN").contains("购买能力"), "{}", why("zh-CN"));

    let convert = |lead: &str, fields: Json| {
        let mut fields = fields;
        fields["status"] = json!("converted");
        world.api.patch(&format!("/api/v1/leads/{lead}"), &fields, None)
    };
    let refused = convert(&partly, json!({}));
    assert!(refused.json.to_string().contains("authority (partly), need (no)"), "{}", refused.json);
    assert_eq!(refused.problem(422), "PLUGIN_VETO");
    convert(&partly, json!({ "qualification_override": "The board promised to sign on Monday" })).ok();
    convert(&whole, json!({})).ok();
    conversions_are_counted(&world);
}

/// Two leads were converted; two that fit better were not, and the report says so.
fn conversions_are_counted(world: &World) {
    for status in ["disqualified", "disqualified", "new"] {
        world.make("leads", &json!({ "name": "Wu", "status": status, "industry": "machinery" }));
    }
    world.make("leads", &json!({ "name": "Sun", "status": "disqualified", "industry": "food" }));
    let report = world.judge("lead-score", "now", &json!({ "industries": ["machinery"] }));
    assert_eq!((metric(&report, "decided"), metric(&report, "conversion_rate")), (5.0, 40.0));
    let industry = &rows_by(&report, "weights", "criterion")["industry"];
    assert_eq!((industry["met"], industry["not_met"]), (2.0, 1.0));
    assert_eq!((industry["met_rate"], industry["difference"]), (0.0, 0.0));
    let grades = rows_by(&report, "conversions", "grade");
    assert_eq!((grades["A4"]["decided"], grades["A4"]["rate"]), (2.0, 0.0));
    assert!(!grades["B1"].contains_key("rate"), "nobody is B1: {grades:?}");
}
