//! The plugin's rules on made-up leads.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use lead_score::{Config, LeadScore};
use proptest::prelude::*;
use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, split, stream,
};
use trellis_sdk::{
    Batch, Context, LearnedBy, Model, ModelReport, PluginError, Result, Scoring, Segmentation,
};

const EDGES: [i64; 7] = [7, 14, 30, 60, 90, 180, 365];

fn at() -> Context {
    Context { as_of: 1000, ..context() }
}

#[derive(Debug, Clone, Default)]
struct Lead {
    industry: Option<&'static str>,
    title: Option<&'static str>,
    employees: Option<i64>,
    man: [Option<&'static str>; 3],
    evidence: Option<&'static str>,
    pinned: Option<&'static str>,
    status: Option<&'static str>,
    /// Ages in days of contacts.
    strong: Vec<i64>,
    light: Vec<i64>,
}

fn batch(leads: &[Lead]) -> Batch {
    let words = |value: fn(&Lead) -> Option<&'static str>| leads.iter().map(value);
    let mut batch = BatchBuilder::new(1..=leads.len() as u64)
        .dictionary("industry", words(|lead| lead.industry))
        .dictionary("country", words(|_| None))
        .dictionary("title", words(|lead| lead.title))
        .dictionary("source", words(|_| Some("web")))
        .int64("employees", leads.iter().map(|lead| lead.employees))
        .dictionary("status", words(|lead| lead.status))
        .dictionary("money_grade", words(|lead| lead.man[0]))
        .dictionary("authority_grade", words(|lead| lead.man[1]))
        .dictionary("need_grade", words(|lead| lead.man[2]))
        .text("qualification_evidence", words(|lead| lead.evidence))
        .dictionary("pinned_grade", words(|lead| lead.pinned))
        .text("pinned_reason", words(|lead| lead.pinned.map(|_| "met the board")));
    for (kind, ages) in
        [("strong", (|lead| &lead.strong) as fn(&Lead) -> &Vec<i64>), ("light", |lead| &lead.light)]
    {
        for edge in EDGES {
            let within = |lead: &Lead| Some(ages(lead).iter().filter(|age| **age < edge).count() as i64);
            batch = batch.int64(&format!("{kind}_{edge}"), leads.iter().map(within));
        }
    }
    let last = |lead: &Lead| lead.strong.iter().chain(&lead.light).min().map(|age| 1000 - *age as i32);
    batch.time("last_touch", leads.iter().map(|lead| Some(i64::from(last(lead)?) * 86_400_000 + 5))).build()
}

fn config() -> Config {
    Config {
        industries: vec![" Machinery".to_owned(), "机械".to_owned()],
        titles: vec!["chief".to_owned(), "总经理".to_owned()],
        employees_min: Some(50),
        ..Config::default()
    }
}

fn fit(leads: &[Lead], config: &Config) -> Result<Model> {
    <LeadScore as Segmentation>::fit(&mut stream(split(&batch(leads), 3)), config, &at())
}

fn score(leads: &[Lead], config: &Config, name: &str) -> Vec<Option<f64>> {
    let scores = LeadScore::score(&fit(leads, config).unwrap().bytes, &batch(leads), &at()).unwrap();
    (0..leads.len()).map(|row| scores.value(name, row)).collect()
}

fn grades(leads: &[Lead], config: &Config) -> Vec<Option<String>> {
    let assigned = LeadScore::assign(&fit(leads, config).unwrap().bytes, &batch(leads), &at()).unwrap();
    (0..leads.len()).map(|row| assigned.value("grade", row).map(str::to_owned)).collect()
}

#[test]
fn fit_is_the_share_of_what_is_known() {
    let leads = [
        Lead {
            industry: Some("machinery"),
            title: Some("Chief buyer"),
            employees: Some(50),
            ..Lead::default()
        },
        Lead { industry: Some("机械"), title: Some("clerk"), employees: Some(49), ..Lead::default() },
        Lead { industry: Some("food"), title: Some("副总经理"), ..Lead::default() },
        Lead::default(),
    ];
    let found = score(&leads, &config(), "fit");
    assert_eq!(found, [Some(100.0), Some(100.0 * 30.0 / 75.0), Some(100.0 * 25.0 / 55.0), None]);
    assert_eq!(grades(&leads, &config())[3], None);
}

#[test]
fn grades_and_criteria_are_held_against_what_became_of_leads() {
    let fits = |status| Lead { industry: Some("machinery"), status: Some(status), ..Lead::default() };
    let stranger = |status| Lead { industry: Some("food"), status: Some(status), ..Lead::default() };
    let leads = [
        fits("converted"),
        fits("converted"),
        fits("disqualified"),
        fits("new"),
        stranger("converted"),
        stranger("disqualified"),
        stranger("disqualified"),
        stranger("disqualified"),
        stranger("qualified"),
        Lead { status: Some("converted"), ..Lead::default() },
    ];
    let model = fit(&leads, &config()).unwrap().bytes;
    let report = LeadScore::describe_model(LearnedBy::Segmentation, &model).unwrap();
    assert_eq!((report.value("decided"), report.value("conversion_rate")), (Some(8.0), Some(50.0)));
    let number = |panel: &str, name: &str, row: usize| {
        let panel = report.panels.iter().find(|one| one.name == panel).unwrap();
        let column = panel.columns.iter().find(|one| one.values.name == name).unwrap();
        let ColumnData::Float64(values) = &column.values.data else { panic!("`{name}` holds no numbers") };
        let bits = &column.values.valid;
        let is_valid = bits.is_empty() || bits[row / 8] >> (row % 8) & 1 == 1;
        is_valid.then_some(values[row])
    };
    // A4 and D4 are the fourth and the last.
    let rates = [3, 15].map(|row| number("conversions", "rate", row));
    assert_eq!(rates, [Some(100.0 * 2.0 / 3.0), Some(25.0)]);
    assert_eq!(number("conversions", "rate", 0), None, "nobody is A1");
    let difference = number("weights", "difference", 0).unwrap();
    assert!((difference - (100.0 * 2.0 / 3.0 - 25.0)).abs() < 1e-9);
    assert_eq!(number("weights", "difference", 2), None, "no title is known");
    let undecided = fit(&[fits("new")], &config()).unwrap();
    assert!(undecided.metrics.iter().all(|metric| metric.name != "conversion_rate"));
}

#[test]
fn a_contact_counts_half_after_a_half_life() {
    let one = |age| Lead { strong: vec![age], industry: Some("food"), ..Lead::default() };
    let points = |share: f64| 10.0 * share;
    let engagement = |points: f64| 100.0 * points / (points + 20.0);
    // The middle of the period that it falls into: 3.5, 22 and 75 days.
    let expected = [3.5_f64, 22.0, 75.0].map(|age| engagement(points((-age / 30.0).exp2())));
    for (found, expected) in
        score(&[one(2), one(20), one(70)], &config(), "engagement").into_iter().zip(expected)
    {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
    }
    let light = Lead { light: vec![2], ..Lead::default() };
    let many = Lead { strong: vec![1; 50], ..Lead::default() };
    let old = Lead { strong: vec![400], ..Lead::default() };
    let found = score(&[light, many, old], &config(), "engagement");
    assert!(found[0] < score(&[one(2)], &config(), "engagement")[0] && found[1] > Some(95.0));
    assert_eq!(found[2], Some(0.0));
}

#[test]
fn grades_are_a_matrix_and_pins_go_before() {
    let fits = Lead { industry: Some("machinery"), ..Lead::default() };
    let engaged = Lead { strong: vec![1; 20], ..fits.clone() };
    let stranger = Lead { industry: Some("food"), strong: vec![1; 20], ..Lead::default() };
    let pinned = Lead { pinned: Some("a2"), ..stranger.clone() };
    let unknown_pin = Lead { pinned: Some("z9"), ..fits.clone() };
    let leads = [fits, engaged, stranger, pinned, unknown_pin];
    let expected = ["a4", "a1", "d1", "a2", "a4"].map(|grade| Some(grade.to_owned()));
    assert_eq!(grades(&leads, &config()), expected);
    let model = fit(&leads, &config()).unwrap().bytes;
    let reasons = <LeadScore as Segmentation>::explain(&model, &batch(&leads), &at()).unwrap();
    assert_eq!(reasons[3][0].code, "pinned");
    assert_eq!(reasons[3][0].text.zh_cn, "人工指定为 A2：met the board");
    assert!(reasons[3][1].text.en.starts_with("computed grade D1"));
    assert!(
        reasons
            .iter()
            .all(|reasons| reasons.len() <= 5 && reasons.is_sorted_by(|one, next| one.weight >= next.weight))
    );
    let report = LeadScore::describe_model(LearnedBy::Segmentation, &model).unwrap();
    assert_eq!((report.value("leads"), report.value("best")), (Some(5.0), Some(2.0)));
}

#[test]
fn money_authority_and_need_are_scored_with_their_evidence() {
    let with = |man| Lead { man, evidence: Some("budget approved"), ..Lead::default() };
    let leads = [
        with([Some("yes"); 3]),
        with([Some("yes"), Some("partly"), Some("no")]),
        with([Some("yes"), None, Some("unknown")]),
        with([None; 3]),
    ];
    assert_eq!(score(&leads, &config(), "man"), [Some(100.0), Some(50.0), Some(100.0 / 3.0), None]);
    let model = fit(&leads, &config()).unwrap().bytes;
    let reasons = <LeadScore as Scoring>::explain(&model, &batch(&leads), &at()).unwrap();
    let man = reasons[1].iter().find(|reason| reason.code == "money-authority-need").unwrap();
    assert_eq!(man.text.en, "MAN 50 of 100: money confirmed, authority partly, need no; evidence is noted");
}

#[test]
fn settings_that_contradict_and_no_leads_are_refused() {
    let flat = Config { grade_b: 75.0, ..config() };
    let bounds = Config { employees_max: Some(10), ..config() };
    for (config, start) in [(flat, "`grade_a`"), (bounds, "`employees_min` is 50")] {
        let error = <LeadScore as Scoring>::describe(&config).unwrap_err();
        assert!(matches!(&error, PluginError::InvalidConfig(text) if text.en.starts_with(start)), "{error}");
    }
    let error = <LeadScore as Scoring>::fit(&mut stream([]), &config(), &at()).unwrap_err();
    assert!(matches!(error, PluginError::UnsuitableData(_)), "{error}");
    let model = fit(&[Lead::default()], &config()).unwrap().bytes;
    for damaged in [&model[..model.len() - 1], &[7; 60], &[]] {
        let error = LeadScore::score(damaged, &batch(&[Lead::default()]), &at()).unwrap_err();
        assert!(matches!(error, PluginError::UnreadableModel(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn splitting_changes_nothing_and_more_contacts_never_harm(
        leads in prop::collection::vec((prop::option::of(0_i64..200), prop::collection::vec(0_i64..400, 0..6), 0_usize..4), 1..40)
    ) {
        let leads: Vec<Lead> = leads
            .into_iter()
            .map(|(employees, strong, industry)| Lead {
                employees, strong, industry: ["machinery", "food", "机械"].get(industry).copied(), ..Lead::default()
            })
            .collect();
        let model = fit(&leads, &config()).unwrap().bytes;
        assert_splitting_changes_nothing::<LeadScore>(&model, &batch(&leads), &at());
        assert_splitting_changes_no_score::<LeadScore>(&model, &batch(&leads), &at());
        let more: Vec<Lead> = leads.iter().map(|lead| Lead { light: vec![5], ..lead.clone() }).collect();
        let before = score(&leads, &config(), "engagement");
        for (one, next) in before.into_iter().zip(score(&more, &config(), "engagement")) {
            prop_assert!(one < next && next < Some(100.0));
        }
    }
}
