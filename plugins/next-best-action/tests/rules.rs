//! The plugin on made-up customers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use next_best_action::{ActionSetting, Channel, Config, NextBestAction, ProbabilityUnit};
use proptest::prelude::*;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_campaign, assert_splitting_changes_no_score,
    assert_splitting_changes_nothing, context, record, split, stream,
};
use trellis_sdk::{
    Action, Analysis, Batch, CampaignRules, LearnedBy, ModelReport, PluginError, Scoring, Segmentation,
};

fn action(name: &str, channel: Channel, gain: f64, cost: f64) -> ActionSetting {
    ActionSetting {
        name: name.to_owned(),
        label_en: name.to_owned(),
        label_zh: name.to_owned(),
        channel,
        probability: None,
        probability_field: Some("p".to_owned()),
        probability_unit: ProbabilityUnit::Share,
        gain: Some(gain),
        gain_field: None,
        cost,
        require_field: None,
        exclude_field: None,
        subject_en: Some("An offer".to_owned()),
        subject_zh: None,
        body_en: None,
        body_zh: None,
    }
}

/// A call earns 100 and costs 10; a mail earns 40 and costs 1.
fn config() -> Config {
    Config {
        fields: vec!["p".to_owned(), "consent".to_owned()],
        actions: vec![action("call", Channel::Phone, 100.0, 10.0), action("mail", Channel::Email, 40.0, 1.0)],
        ..Config::default()
    }
}

/// Customers with these probabilities, whom nobody wrote to.
fn customers(p: &[Option<f64>]) -> Batch {
    let zeros = || p.iter().map(|_| Some(0));
    let names: Vec<String> = (0..p.len()).map(|place| format!("Customer {place}")).collect();
    let batch = BatchBuilder::new(0..p.len() as u64)
        .text("name", names.iter().map(|name| Some(name.as_str())))
        .float64("fields.p", p.iter().copied())
        .boolean("fields.consent", p.iter().map(|_| Some(true)))
        .int64("open_complaints", zeros())
        .int64("recent_messages", zeros())
        .int64("messages", zeros());
    let channels = ["email", "sms", "wechat", "phone", "post"];
    channels.into_iter().fold(batch, |batch, name| batch.int64(&format!("messages_{name}"), zeros())).build()
}

/// One customer with a probability of a half, and these counts.
fn counted(open_complaints: i64, recent: i64, messages: i64, calls: i64) -> Batch {
    let batch = BatchBuilder::new([1])
        .text("name", [Some("One")])
        .float64("fields.p", [Some(0.5)])
        .boolean("fields.consent", [Some(false)])
        .int64("open_complaints", [Some(open_complaints)])
        .int64("recent_messages", [Some(recent)])
        .int64("messages", [Some(messages)]);
    let channels = ["email", "sms", "wechat", "phone", "post"];
    channels
        .into_iter()
        .fold(batch, |batch, name| {
            batch.int64(&format!("messages_{name}"), [Some(if name == "phone" { calls } else { 0 })])
        })
        .build()
}

fn assigned(rows: &Batch, config: &Config) -> Vec<String> {
    let model =
        <NextBestAction as Segmentation>::fit(&mut stream([rows.clone()]), config, &context()).unwrap();
    let values = NextBestAction::assign(&model.bytes, rows, &context()).unwrap();
    (0..rows.rows()).map(|row| values.value("action", row).unwrap().to_owned()).collect()
}

#[test]
fn each_customer_gets_the_action_that_gains_most() {
    // At 0.5 a call gains 40 and a mail 19; at 0.1 a call gains 0 and a mail 3; at 0.01 nothing pays.
    let rows = customers(&[Some(0.5), Some(0.1), Some(0.01), None]);
    assert_eq!(assigned(&rows, &config()), ["call", "mail", "none", "none"]);
    let model = <NextBestAction as Scoring>::fit(&mut stream([rows.clone()]), &config(), &context()).unwrap();
    let scores = NextBestAction::score(&model.bytes, &rows, &context()).unwrap();
    assert_eq!(
        (0..4).map(|row| scores.value("expected_gain", row)).collect::<Vec<_>>(),
        [Some(40.0), Some(3.0), Some(0.0), Some(0.0)]
    );
    let reasons = <NextBestAction as Scoring>::explain(&model.bytes, &rows, &context()).unwrap();
    assert_eq!(reasons[0][0].text.en, "do call: 50.0 % × 100.00 − 10.00 = 40.00 USD");
    assert_eq!(reasons[0][1].code, "next-best");
    assert_eq!(reasons[3][0].code, "unknown-value");
}

#[test]
fn percent_are_no_shares_and_what_is_no_probability_stops_the_plan() {
    let rows = customers(&[Some(50.0), Some(10.0), Some(1.0), Some(0.0)]);
    let mut percent = config();
    percent.actions.iter_mut().for_each(|action| action.probability_unit = ProbabilityUnit::Percent);
    assert_eq!(assigned(&rows, &percent), ["call", "mail", "none", "none"], "as at 0.5, 0.1, 0.01 and 0");
    let fit = |config: &Config, rows: &Batch| {
        <NextBestAction as Scoring>::fit(&mut stream([rows.clone()]), config, &context())
    };
    for (config, p, said) in [
        (config(), 7.0, "`p` is 7 for a customer, but the probability of action `call` lies between 0 and 1"),
        (percent.clone(), 101.0, "lies between 0 and 100"),
        (config(), -0.5, "`p` is -0.5"),
    ] {
        match fit(&config, &customers(&[Some(0.5), Some(p)])) {
            Err(PluginError::UnsuitableData(message)) => {
                assert!(message.en.contains(said), "{}", message.en);
                assert!(message.zh_cn.contains("probability_unit"), "{}", message.zh_cn);
            }
            other => panic!("{other:?}"),
        }
    }
    // Whoever changes later is judged by the last plan, and gets nothing for such a value.
    let model = fit(&config(), &customers(&[Some(0.5)])).unwrap();
    let reasons =
        <NextBestAction as Scoring>::explain(&model.bytes, &customers(&[Some(7.0)]), &context()).unwrap();
    assert!(reasons[0].iter().all(|reason| reason.code == "no-probability"), "{reasons:?}");
}

#[test]
fn nobody_is_contacted_too_often_or_at_the_wrong_time() {
    let first_reason = |rows: &Batch| {
        let model =
            <NextBestAction as Scoring>::fit(&mut stream([rows.clone()]), &config(), &context()).unwrap();
        <NextBestAction as Scoring>::explain(&model.bytes, rows, &context()).unwrap()[0][0].code.clone()
    };
    for (rows, expected, code) in [
        (counted(0, 0, 0, 0), "call", "best-action"),
        (counted(1, 0, 0, 0), "none", "open-complaint"),
        (counted(0, 1, 1, 0), "none", "quiet-time"),
        (counted(0, 0, 2, 2), "mail", "best-action"),
        (counted(0, 0, 3, 0), "none", "frequency-cap"),
    ] {
        assert_eq!((assigned(&rows, &config())[0].as_str(), first_reason(&rows).as_str()), (expected, code));
    }
    let mut needs_consent = config();
    needs_consent.actions[0].require_field = Some("consent".to_owned());
    assert_eq!(assigned(&counted(0, 0, 0, 0), &needs_consent), ["mail"]);
}

#[test]
fn a_plan_keeps_to_its_budget_and_says_what_more_would_bring() {
    let p: Vec<_> = (1..=200).map(|place| Some(f64::from(place) / 200.0)).collect();
    let plan = |parameters: &str| {
        NextBestAction::analyse(
            "plan",
            &mut stream(split(&customers(&p), 64)),
            parameters,
            &config(),
            &context(),
        )
        .unwrap()
    };
    let tight = plan(r#"{"budget":100}"#);
    assert!(tight.value("cost").unwrap() <= 100.0 && tight.value("shadow_price").unwrap() > 1.0);
    assert!(tight.value("upper_bound").unwrap() - tight.value("gain").unwrap() < 60.0);
    let plenty = plan("{}");
    assert_eq!((plenty.value("shadow_price"), plenty.value("optimal")), (Some(0.0), Some(1.0)));
    assert!(plenty.value("gain").unwrap() > tight.value("gain").unwrap());
    let few_calls = plan(r#"{"capacity":{"phone":3}}"#);
    let panel = few_calls.panels.iter().find(|panel| panel.name == "customers").unwrap();
    assert_eq!(panel.rows() as f64, few_calls.value("customers").unwrap());
}

#[test]
fn customers_judged_alone_keep_to_the_plan_but_at_its_border() {
    let p: Vec<_> = (1..=200).map(|place| Some(f64::from(place) / 200.0)).collect();
    let config = Config { budget: Some(100.0), ..config() };
    let rows = customers(&p);
    let model = <NextBestAction as Scoring>::fit(&mut stream([rows.clone()]), &config, &context()).unwrap();
    let scores = NextBestAction::score(&model.bytes, &rows, &context()).unwrap();
    let cost: f64 = (0..200).filter_map(|row| scores.value("cost", row)).sum();
    assert!((90.0..=100.0).contains(&cost), "{cost}");
    // All alike: the budget decides how many, and the ordinal who.
    let alike = customers(&[Some(0.5); 50]);
    let values = assigned(&alike, &Config { budget: Some(7.0), ..config });
    assert_eq!(values.iter().filter(|value| *value == "mail").count(), 7);
    assert!(values.iter().take(7).all(|value| value == "mail"), "{values:?}");
    let report = NextBestAction::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    assert!(report.value("shadow_price").unwrap() > 1.0);
}

#[test]
fn a_campaign_carries_the_best_action_out() {
    let campaign = record("campaign").build();
    let rows = customers(&[Some(0.5), Some(0.01)]);
    let who = NextBestAction::eligible(&campaign, &rows, &config(), &context()).unwrap();
    assert_eq!((who.takes_part(0), who.cause(1)), (true, Some("no-gainful-action")));
    let dear = Config { shadow_price: 5.0, ..config() };
    let who = NextBestAction::eligible(&campaign, &rows, &dear, &context()).unwrap();
    assert!(who.takes_part(0));

    let member = {
        let batch = BatchBuilder::new([1])
            .text("name", [Some("One")])
            .float64("fields.p", [Some(0.5)])
            .boolean("fields.consent", [None])
            .int64("open_complaints", [Some(0)])
            .int64("recent_messages", [Some(0)])
            .int64("messages", [Some(0)])
            .dictionary("variant", [Some("all")])
            .dictionary("status", [Some("planned")]);
        ["email", "sms", "wechat", "phone", "post"]
            .into_iter()
            .fold(batch, |batch, name| batch.int64(&format!("messages_{name}"), [Some(0)]))
            .build()
    };
    let next = NextBestAction::next_action(&campaign, &member, &config(), &context()).unwrap();
    let Action::SendMessage(sent) = &next[0].actions[0] else { panic!("{next:?}") };
    assert_eq!(
        (sent.channel.as_str(), sent.subject.en.as_str(), sent.subject.zh_cn.as_str()),
        ("phone", "An offer", "call")
    );
    // The price of 5 makes the mail (19 for 1) better than the call (40 for 10).
    let next = NextBestAction::next_action(&campaign, &member, &dear, &context()).unwrap();
    let Action::SendMessage(sent) = &next[0].actions[0] else { panic!("{next:?}") };
    assert_eq!(sent.channel, "email");
}

#[test]
fn contradictory_settings_are_refused_by_name() {
    let refused = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        match <NextBestAction as Scoring>::describe(&config) {
            Err(PluginError::InvalidConfig(message)) => message,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused(|config| config.fields.clear()).en.contains("`p`, which `fields` does not list"));
    assert!(refused(|config| config.actions[1].name = "call".to_owned()).en.contains("`call` twice"));
    assert!(refused(|config| config.actions[0].gain = None).en.contains("neither `gain` nor `gain_field`"));
    assert!(matches!(
        NextBestAction::score(b"none", &customers(&[None]), &context()),
        Err(PluginError::UnreadableModel(_))
    ));
    assert_eq!(assigned(&customers(&[Some(0.5)]), &Config { actions: Vec::new(), ..config() }), ["none"]);
}

proptest! {
    #[test]
    fn each_customer_is_judged_alone(p in proptest::collection::vec(proptest::option::of(0.0_f64..1.0), 0..80), budget in 0.0_f64..200.0) {
        let config = Config { budget: Some(budget), ..config() };
        let rows = customers(&p);
        let model = <NextBestAction as Scoring>::fit(&mut stream([rows.clone()]), &config, &context()).unwrap();
        assert_splitting_changes_no_score::<NextBestAction>(&model.bytes, &rows, &context());
        assert_splitting_changes_nothing::<NextBestAction>(&model.bytes, &rows, &context());
        assert_splitting_changes_no_campaign::<NextBestAction>(&record("campaign").build(), &rows, &config, &context());
    }
}
