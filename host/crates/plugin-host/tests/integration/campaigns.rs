//! `campaign-rules` through the whole sandbox, well done and not.

use trellis_model::{Action, NamedRecord};
use trellis_plugin_host::{CampaignRules, CancelFlag, Error, FaultKind, PluginHost};

use crate::support::{at, built, customers, fault, hundred, impatient, invalid, load, record, sin};

fn campaign() -> NamedRecord {
    record("campaign", 1, &[("name", "Spring"), ("budget", "secret")])
}

#[test]
fn a_campaign_is_decided_row_by_row() {
    let (host, plugin) = load("hostile");
    let rules = plugin.campaign_rules().unwrap();
    let eligible = rules.eligible(&campaign(), customers(0..3), "{}", &at()).unwrap();
    assert_eq!(eligible.eligible, [true, false, true]);
    assert_eq!(eligible.causes, [None, Some("odd-ordinal".to_owned()), None]);
    let variants = rules.assign_variant(&campaign(), customers(0..3), "{}", &at()).unwrap();
    assert_eq!(variants.variants.iter().flatten().collect::<Vec<_>>(), ["a", "b", "a"]);
    let next = rules.next_action(&campaign(), customers(0..3), "{}", &at()).unwrap();
    assert_eq!(next.rows.len(), 1);
    assert!(
        matches!(next.rows[0].actions.as_slice(), [Action::CreateTask(task)] if task.subject.zh_cn == "致电")
    );
    assert_eq!(rules.explain(&campaign(), customers(0..3), "{}", &at()).unwrap().len(), 3);
    let evaluation =
        rules.evaluate(&campaign(), &mut hundred(), "{}", &at(), &CancelFlag::default()).unwrap();
    assert_eq!(evaluation.report.metrics[0].value, 100.0);
    assert_eq!(evaluation.report.summary.en, "100 members, 1 fields", "it sees the fields of its manifest");
    assert_eq!(host.stats().faults, 0);
}

type Ask = fn(&CampaignRules<'_>, &str) -> Result<(), Error>;

#[test]
fn what_is_said_of_campaigns_is_checked() {
    let host = PluginHost::new(impatient()).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    let rules = plugin.campaign_rules().unwrap();
    let eligible: Ask = |rules, config| rules.eligible(&campaign(), customers(0..9), config, &at()).map(drop);
    let variant: Ask =
        |rules, config| rules.assign_variant(&campaign(), customers(0..9), config, &at()).map(drop);
    let action: Ask =
        |rules, config| rules.next_action(&campaign(), customers(0..9), config, &at()).map(drop);
    let explain: Ask = |rules, config| rules.explain(&campaign(), customers(0..9), config, &at()).map(drop);
    let evaluate: Ask = |rules, config| {
        rules.evaluate(&campaign(), &mut hundred(), config, &at(), &CancelFlag::default()).map(drop)
    };
    let storm = FaultKind::TooManyActions {
        actions: 21,
        row: Some(0),
        actions_max: 20,
        limit: "actions_per_row_max",
    };
    let not_an_id = "row 0: action 0: `whoever is there` is not a record id (a UUID)";
    let not_a_cause = "cause `Because I say so` is not of the form [a-z][a-z0-9-]*, at most 60 characters";
    let not_a_variant = "variant `Plan B` is not of the form [a-z0-9][a-z0-9_]*, at most 40 characters";
    for (name, ask, function, expected) in [
        ("eligible-wrong-lengths", eligible, "eligible", invalid("eligibility of 8 of 9 rows")),
        ("eligible-two", eligible, "eligible", invalid("row 0 is 2, which is neither 0 nor 1")),
        ("eligible-no-cause", eligible, "eligible", invalid("row 1 does not take part and has no cause")),
        ("eligible-bad-cause", eligible, "eligible", invalid(not_a_cause)),
        ("eligible-wrong-name", eligible, "eligible", invalid("column `excuse` where `cause` belongs")),
        ("eligible-invalid-utf8", eligible, "eligible", invalid("column `cause`: text 0 is not UTF-8")),
        ("eligible-bad-failed-row", eligible, "eligible", invalid("failed row 9 of 9 rows")),
        ("eligible-loop", eligible, "eligible", FaultKind::Timeout { ms: 300 }),
        ("variant-many", variant, "assign-variant", invalid("21 variants, at most 20")),
        ("variant-bad-name", variant, "assign-variant", invalid(not_a_variant)),
        ("variant-bad-codes", variant, "assign-variant", invalid("code 9 in row 0, but there are 2 values")),
        ("variant-wrong-lengths", variant, "assign-variant", invalid("column `variant`: 8 codes for 9 rows")),
        ("action-other-row", action, "next-action", invalid("actions for row 9 of 9 rows")),
        ("action-row-twice", action, "next-action", invalid("row 0 is there twice")),
        ("action-storm", action, "next-action", storm),
        ("action-bad-id", action, "next-action", invalid(not_an_id)),
        ("campaign-many-reasons", explain, "explain", invalid("row 0: 6 reasons, at most 5")),
        ("evaluate-nan", evaluate, "evaluate", invalid("metric `members` is NaN")),
        ("evaluate-loop", evaluate, "evaluate", FaultKind::Timeout { ms: 305 }),
    ] {
        let error = ask(&rules, &sin(name)).unwrap_err();
        assert_eq!(fault(error, &format!("campaign-rules.{function}")), expected, "{name}");
        ask(&rules, "{}").expect("the next call works");
    }
}

#[test]
fn a_storm_names_the_limit() {
    let (_host, plugin) = load("hostile");
    let rules = plugin.campaign_rules().unwrap();
    let error = rules.next_action(&campaign(), customers(0..9), &sin("action-storm"), &at()).unwrap_err();
    let expected = "plugin `hostile` 1.0.0, campaign-rules.next-action: returned 21 actions for row 0, \
                    at most 20 are allowed (`actions_per_row_max`)";
    assert_eq!(error.to_string(), expected);
}
