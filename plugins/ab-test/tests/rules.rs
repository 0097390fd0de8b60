//! The plugin's rules on made-up campaigns and counts.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use ab_test::bayes::beliefs;
use ab_test::multiple::{benjamini_hochberg, bonferroni, holm};
use ab_test::proportions::{Group, compare};
use ab_test::{AbTest, Config, Method, Variant, Winner};
use proptest::prelude::*;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_campaign, context, record, stream};
use trellis_sdk::{Analysis, Batch, CampaignRules, Context, ObjectRecord, PluginError, Report};

fn campaign() -> ObjectRecord {
    record("campaign").text("name", "Spring").choice("channel", "sms").date("starts_on", -30).build()
}

fn rows(count: u64) -> Batch {
    BatchBuilder::new(0..count)
        .int64("orders", (0..count).map(|row| Some((row % 4) as i64)))
        .int64("open_complaints", (0..count).map(|row| Some(i64::from(row % 10 == 9))))
        .boolean("require", (0..count).map(|row| (row % 7 != 0).then_some(row % 5 != 0)))
        .dictionary("variant", (0..count).map(|row| ["a", "b"].get((row % 3) as usize).copied()))
        .dictionary("status", (0..count).map(|row| Some(if row % 2 == 0 { "planned" } else { "contacted" })))
        .build()
}

fn config() -> Config {
    let variant = |name: &str, subject: &str| Variant {
        name: name.to_owned(),
        weight: 45,
        subject_en: subject.to_owned(),
        subject_zh: String::new(),
        body_en: "…".to_owned(),
        body_zh: String::new(),
    };
    Config {
        variants: vec![variant("a", "Hello"), variant("b", "")],
        require: Some("consent".to_owned()),
        min_orders: 1,
        ..Config::default()
    }
}

#[test]
fn who_may_not_take_part_has_a_cause() {
    let who = AbTest::eligible(&campaign(), &rows(100), &config(), &context()).unwrap();
    assert_eq!((who.takes_part(1), who.cause(1)), (true, None));
    assert_eq!(who.cause(0), Some("required-field-not-yes"), "unknown consent is none");
    assert_eq!(who.cause(5), Some("required-field-not-yes"));
    assert_eq!(who.cause(19), Some("open-complaint"));
    assert_eq!(who.cause(4), Some("too-few-orders"));
    assert_splitting_changes_no_campaign::<AbTest>(&campaign(), &rows(100), &config(), &context());
    let text = BatchBuilder::new([1])
        .int64("orders", [Some(1)])
        .int64("open_complaints", [Some(0)])
        .dictionary("require", [Some("yes")])
        .build();
    let error = AbTest::eligible(&campaign(), &text, &config(), &context()).unwrap_err();
    assert!(
        matches!(&error, PluginError::InvalidConfig(message) if message.en.contains("`consent`")),
        "{error}"
    );
}

#[test]
fn customers_stay_in_their_variant_and_only_variants_with_a_subject_write() {
    let variants = AbTest::assign_variant(&campaign(), &rows(10_000), &config(), &context()).unwrap();
    let held_out = (0..10_000).filter(|row| variants.variant(*row).is_none()).count();
    assert!((900..1_100).contains(&held_out), "{held_out}");
    assert_eq!(
        variants,
        AbTest::assign_variant(&campaign(), &rows(10_000), &config(), &Context { seed: 9, ..context() })
            .unwrap()
    );
    let next = AbTest::next_action(&campaign(), &rows(100), &config(), &context()).unwrap();
    assert!(!next.is_empty() && next.iter().all(|actions| actions.row % 3 == 0 && actions.row % 2 == 0));
}

#[test]
fn unfit_variants_are_refused_by_name() {
    for (change, problem) in [
        (
            Box::new(|config: &mut Config| config.variants[1].name = "a".to_owned())
                as Box<dyn Fn(&mut Config)>,
            "`a` twice",
        ),
        (Box::new(|config: &mut Config| config.variants[0].name = "A!".to_owned()), "`A!`"),
        (
            Box::new(|config: &mut Config| config.variants.iter_mut().for_each(|variant| variant.weight = 0)),
            "weight above 0",
        ),
    ] {
        let mut config = config();
        change(&mut config);
        let error = AbTest::assign_variant(&campaign(), &rows(3), &config, &context()).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
}

/// Members of a campaign: for each group its name, how many there are, how many responded.
fn evaluated(groups: &[(Option<&str>, u64, u64)], config: &Config, at: &Context) -> Report {
    let all = || {
        groups.iter().flat_map(|(name, members, responses)| {
            (0..*members).map(move |place| (*name, place < *responses))
        })
    };
    let members = BatchBuilder::new(0..all().count() as u64)
        .dictionary("variant", all().map(|(name, _)| name))
        .dictionary(
            "status",
            all().map(|(name, _)| Some(if name.is_some() { "contacted" } else { "planned" })),
        )
        .boolean("responded", all().map(|(_, did)| Some(did)))
        .build();
    AbTest::evaluate(&campaign(), &mut stream(trellis_sdk::testing::split(&members, 700)), config, at)
        .unwrap()
}

#[test]
fn a_winner_needs_a_right_split_members_days_and_a_clear_difference() {
    let (config, at) = (config(), context());
    let says = |groups: &[(Option<&str>, u64, u64)], at: &Context| evaluated(groups, &config, at).summary.en;
    let clear = [(None, 200, 10), (Some("a"), 900, 45), (Some("b"), 900, 135)];
    assert!(says(&clear, &at).ends_with("Variant b has won."), "{}", says(&clear, &at));
    let early = Context { as_of: -28, ..context() };
    assert!(says(&clear, &early).contains("has to run for 7 days"));
    assert!(
        says(&[(None, 20, 1), (Some("a"), 90, 4), (Some("b"), 90, 30)], &at)
            .contains("each group needs 100 members")
    );
    assert!(
        says(&[(None, 200, 10), (Some("a"), 900, 45), (Some("b"), 1_200, 180)], &at)
            .contains("find the fault")
    );
    assert!(
        says(&[(None, 200, 10), (Some("a"), 900, 45), (Some("b"), 900, 46)], &at)
            .contains("No variant is clearly better")
    );
    let worse = [(None, 200, 100), (Some("a"), 900, 90), (Some("b"), 900, 95)];
    assert!(says(&worse, &at).ends_with("Hold-out has won."), "{}", says(&worse, &at));
    let report = evaluated(&clear, &config, &at);
    assert_eq!((report.value("members"), report.value("decided")), (Some(2_000.0), Some(1.0)));
    let bayes = Config { winner: Winner { method: Method::Bayesian, ..Winner::default() }, ..config.clone() };
    assert!(evaluated(&clear, &bayes, &at).summary.zh_cn.ends_with("方案 b胜出。"));
}

#[test]
fn a_campaign_without_members_and_variants_of_old_settings_are_no_fault() {
    assert!(evaluated(&[], &config(), &context()).summary.en.contains("each group needs"));
    let old = evaluated(&[(Some("a"), 10, 1), (Some("c"), 10, 1)], &config(), &context());
    assert!(
        old.summary.en.contains("Variant c: 1 of 10") && old.summary.en.contains("find the fault"),
        "{}",
        old.summary.en
    );
}

#[test]
fn nonsense_is_refused_by_name() {
    for (question, parameters, problem) in [
        (
            "compare",
            r#"{"groups":[{"name":"old","n":5,"x":9},{"name":"new","n":5,"x":1}]}"#,
            "`old` has 9 responses of 5",
        ),
        ("sample_size", r#"{"baseline":0.9,"effect":0.2}"#, "second rate"),
        ("sample_size_means", r#"{"delta":0,"deviation":1}"#, "`delta`"),
        ("compare_means", r#"{"first":{"values":[1]},"second":{"n":5,"mean":1,"deviation":1}}"#, "`first`"),
        ("table", r#"{"table":[[1,2],[3]]}"#, "`table`"),
        (
            "split_check",
            r#"{"groups":[{"name":"a","n":5,"weight":0},{"name":"b","n":5,"weight":1}]}"#,
            "`groups`",
        ),
        ("experiment", "{}", "`group` and `outcomes`"),
    ] {
        let error = AbTest::analyse(question, &mut stream([]), parameters, &Config::default(), &context())
            .unwrap_err();
        assert!(error.to_string().contains(problem), "{question}: {error}");
    }
}

#[test]
fn groups_without_members_or_responses_have_no_tests_and_no_fault() {
    for groups in [[(0, 0), (10, 5)], [(10, 0), (10, 0)], [(10, 10), (10, 10)]] {
        let [first, second] = groups.map(|(members, responses)| Group { members, responses });
        assert_eq!(compare(first, second, 0.05), None);
        assert_eq!(beliefs(&[first, second]).len(), 2);
    }
}

fn group() -> impl Strategy<Value = Group> {
    (1_u64..400)
        .prop_flat_map(|members| (0..=members).prop_map(move |responses| Group { members, responses }))
}

proptest! {
    #[test]
    fn comparisons_obey_their_laws(first in group(), second in group()) {
        let (Some(one), Some(other)) = (compare(first, second, 0.05), compare(second, first, 0.05)) else { return Ok(()) };
        prop_assert!((one.z_pooled.statistic + other.z_pooled.statistic).abs() < 1e-9);
        prop_assert!((one.z_pooled.statistic.powi(2) - one.chi_square.statistic).abs() < 1e-6 * one.chi_square.statistic.max(1.0));
        prop_assert!((one.fisher.unwrap() - other.fisher.unwrap()).abs() < 1e-9);
        prop_assert!(one.newcombe.0 <= one.difference && one.difference <= one.newcombe.1);
        for p in [one.z_pooled.p, one.chi_square.p, one.chi_square_yates.p, one.g_test.p, one.fisher.unwrap()] {
            prop_assert!((0.0..=1.0).contains(&p), "{p}");
        }
        prop_assert!(one.chi_square_yates.p >= one.chi_square.p);
        let (low, high) = first.wilson(0.05).unwrap();
        prop_assert!(0.0 <= low && low <= first.rate().unwrap() && first.rate().unwrap() <= high && high <= 1.0);
    }

    /// Miller's closed form for the probability that one Beta exceeds another.
    #[test]
    fn beliefs_agree_with_the_closed_form_and_add_up(first in group(), second in group(), third in group()) {
        let all = beliefs(&[first, second, third]);
        prop_assert!((all.iter().map(|belief| belief.probability_best).sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(all.iter().all(|belief| belief.expected_loss >= 0.0));
        let ln_beta = |a: f64, b: f64| libm_lgamma(a) + libm_lgamma(b) - libm_lgamma(a + b);
        let shape = |group: Group| (group.responses as f64 + 1.0, (group.members - group.responses) as f64 + 1.0);
        let ((a, b), (c, d)) = (shape(first), shape(second));
        let closed: f64 = (0..c as u64).map(|i| {
            let i = i as f64;
            (ln_beta(a + i, b + d) - (d + i).ln() - ln_beta(1.0 + i, d) - ln_beta(a, b)).exp()
        }).sum();
        let found = ab_test::bayes::probability_second_greater(first, second);
        prop_assert!((found - closed).abs() < 1e-8, "{found} instead of {closed}");
    }

    #[test]
    fn corrections_are_in_order(p in proptest::collection::vec(0.0_f64..1.0, 1..20)) {
        let (bonferroni, holm, bh) = (bonferroni(&p), holm(&p), benjamini_hochberg(&p));
        for place in 0..p.len() {
            prop_assert!(p[place] <= bh[place] + 1e-12 && bh[place] <= holm[place] + 1e-12 && holm[place] <= bonferroni[place] + 1e-12);
        }
    }
}

fn libm_lgamma(x: f64) -> f64 {
    trellis_sdk::math::lgamma(x)
}
