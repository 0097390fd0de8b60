//! Next best action: who gets what within a budget, what a channel can carry out and what a customer can bear, beside every plan there is.

use serde_json::{Value as Json, json};

use crate::support::{World, column, days_before, figures, metric};

const AS_OF: &str = "2026-06-30";
const CUSTOMERS: usize = 100;
/// Costs of a mail, a call and a visit: whole numbers, so that every plan can be looked at.
const COSTS: [usize; 3] = [1, 10, 25];
const CALL: usize = 1;

/// What the actions would gain for each customer; none where an action may not be taken or gains nothing.
type Options = Vec<[Option<f64>; 3]>;

fn chance(number: usize) -> f64 {
    ((number * 37 + 11) % 100) as f64 / 200.0
}

fn worth(number: usize) -> f64 {
    (20 + (number * 53 % 97) * 3) as f64
}

fn config() -> Json {
    let action = |name: &str, zh: &str, channel: &str, cost: usize| json!({ "name": name, "label_en": name, "label_zh": zh, "channel": channel, "cost": cost });
    let with = |mut action: Json, more: Json| {
        action.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        action
    };
    json!({
        "fields": ["chance", "worth"],
        "actions": [
            with(action("mail", "邮件", "email", COSTS[0]), json!({ "probability_field": "chance", "gain": 30 })),
            with(action("call", "电话", "phone", COSTS[1]), json!({ "probability_field": "chance", "gain_field": "worth" })),
            with(action("visit", "拜访", "task", COSTS[2]), json!({ "probability": 0.3, "gain_field": "worth" })),
        ],
    })
}

/// The customers, some of whom have had messages, have a complaint, or are known too little; what may be done for each of them.
fn customers(world: &World) -> Options {
    for name in ["chance", "worth"] {
        world.add_field("account", name, "number");
    }
    let rows = (0..CUSTOMERS).map(|number| {
        let chance = if number == 4 { String::new() } else { chance(number).to_string() };
        vec![number.to_string(), number.to_string(), chance, worth(number).to_string()]
    });
    world.import("account", &["external_id", "name", "chance", "worth"], rows, &[]);
    let found = world.results(&["id"]);
    let id = |number: usize| found[&number.to_string()]["id"].clone();
    let sent = |number: usize, channel: &str, days: i64| {
        let at = format!("{}T08:00:00Z", days_before(AS_OF, days));
        let message = json!({ "account": id(number), "subject": "Hello", "channel": channel, "status": "sent", "sent_at": at });
        world.make("messages", &message);
    };
    // Enough mails; enough messages of all channels; one yesterday; enough, but longer ago than the window.
    [20, 10].iter().for_each(|days| sent(0, "email", *days));
    [("sms", 25), ("wechat", 20), ("email", 10)].iter().for_each(|(channel, days)| sent(1, channel, *days));
    sent(2, "sms", 1);
    [60, 50, 40].iter().for_each(|days| sent(5, "email", *days));
    let complaint = json!({ "account": id(3), "subject": "Broken", "status": "open", "kind": "complaint" });
    world.make("cases", &complaint);

    let gains = |number: usize| {
        let all = [chance(number) * 30.0, chance(number) * worth(number), 0.3 * worth(number)];
        let mut gains = [0, 1, 2].map(|action| Some(all[action] - COSTS[action] as f64));
        match number {
            0 => gains[0] = None,
            1 | 4 => gains[..2].fill(None),
            2 | 3 => gains.fill(None),
            _ => {}
        }
        gains.map(|gain| gain.filter(|gain| *gain > 0.0))
    };
    (0..CUSTOMERS).map(gains).collect()
}

/// The most that can be gained: every plan within the budget and the calls is looked at, by what it leaves over.
fn best_of_all(options: &Options, budget: usize, calls: usize) -> f64 {
    let mut best = vec![vec![0.0_f64; calls + 1]; budget + 1];
    for gains in options {
        for money in (0..=budget).rev() {
            for left in (0..=calls).rev() {
                let mut most = best[money][left];
                for (action, gain) in gains.iter().enumerate() {
                    let taken = usize::from(action == CALL);
                    if let Some(gain) = gain
                        && COSTS[action] <= money
                        && taken <= left
                    {
                        most = most.max(best[money - COSTS[action]][left - taken] + gain);
                    }
                }
                best[money][left] = most;
            }
        }
    }
    best[budget][calls]
}

/// R62, R126, R173.
#[test]
fn r62_r126_r173_a_plan_keeps_to_its_limits_and_none_gains_more_than_it_says() {
    let world = World::new();
    let options = customers(&world);
    world.enable("next-best-action", AS_OF, &config());
    for (budget, calls) in [(150, None), (150, Some(4)), (600, Some(12)), (40, None)] {
        let mut asked = json!({ "budget": budget });
        if let Some(calls) = calls {
            asked["capacity"] = json!({ "phone": calls });
        }
        let plan = world.analyse("next-best-action", "plan", &asked);
        check_plan(&plan, &options, budget, calls);
    }
    let unlimited = world.analyse("next-best-action", "plan", &json!({}));
    let most: f64 = options.iter().map(|gains| gains.iter().flatten().copied().fold(0.0, f64::max)).sum();
    assert!((metric(&unlimited, "gain") - most).abs() < 1e-6, "whatever pays is done");
    check_customers(&world, &options);
    refuses_what_is_no_probability(&world);
}

#[track_caller]
fn check_plan(plan: &Json, options: &Options, budget: usize, calls: Option<usize>) {
    let best = best_of_all(options, budget, calls.unwrap_or(CUSTOMERS));
    let [gain, cost, bound] = ["gain", "cost", "upper_bound"].map(|name| metric(plan, name));
    assert!(best > 0.0 && cost <= budget as f64, "{cost} of {budget}");
    assert!(gain <= best + 1e-6 && bound >= best - 1e-6, "{gain} ≤ {best} ≤ {bound}");
    if metric(plan, "optimal") == 1.0 {
        assert!((gain - best).abs() < 1e-6, "{gain} is called the best, which is {best}");
    }
    if calls.is_none() {
        let largest = options.iter().flatten().flatten().copied().fold(0.0, f64::max);
        assert!(best - gain < largest, "less than one step from the best: {gain}, {best}");
    }
    assert!(gain > 0.9 * best, "{gain} of {best}");
    // What the table lists is what the totals say, and what may be done.
    let (names, actions) = (column(plan, "customers", "customer"), column(plan, "customers", "action"));
    let expected = figures(plan, "customers", "expected");
    assert_eq!(names.len() as f64, metric(plan, "customers"));
    assert!((expected.iter().sum::<f64>() - gain).abs() < 1e-6);
    let mut called = 0;
    for ((name, action), expected) in names.iter().zip(&actions).zip(expected) {
        let number: usize = name.as_str().unwrap_or_else(|| panic!("{name}")).parse().unwrap();
        let place = ["mail", "call", "visit"]
            .iter()
            .position(|one| action == *one)
            .unwrap_or_else(|| panic!("{action}"));
        called += usize::from(place == CALL);
        let allowed = options[number][place].unwrap_or_else(|| panic!("{action} for {number}"));
        assert!((expected - allowed).abs() < 1e-9, "{action} for {number}");
    }
    assert!(calls.is_none_or(|calls| called <= calls), "{called} calls");
}

/// What each customer is to get, with the reasons of those who are left alone.
fn check_customers(world: &World, options: &Options) {
    let action = "segment.next_best_action__action";
    let found = world.results(&["id", action, "score.next_best_action__expected_gain"]);
    for (number, gains) in options.iter().enumerate() {
        let best = gains.iter().flatten().copied().fold(0.0, f64::max);
        let row = &found[&number.to_string()];
        let gain = row["score.next_best_action__expected_gain"].as_f64().unwrap();
        assert!((gain - best).abs() < 1e-9, "{number}: {row:?}, expected {best}");
        assert_eq!(row[action] == "none", best == 0.0, "{number}: {row:?}");
    }
    for (number, en, zh) in [
        (0, "mail has reached the limit of messages", "消息频次上限"),
        (1, "call has reached the limit of messages", "消息频次上限"),
        (2, "had a message within the last 3 days", "最近 3 天内已收到过消息"),
        (3, "an open complaint comes first", "有未结投诉"),
        (4, "call lacks a value to judge it by", "缺少判断所需的数值"),
    ] {
        let id = found[&number.to_string()]["id"].as_str().unwrap();
        for (language, words) in [("en", en), ("zh-CN", zh)] {
            let reasons = world.reasons(language, "segmentations", "next_best_action__action", id);
            assert!(reasons.contains(words), "{number}: {reasons}");
        }
    }
}

/// A field of amounts is no probability; what was judged before stays.
fn refuses_what_is_no_probability(world: &World) {
    let before = world.results(&["segment.next_best_action__action"]);
    let mut wrong = config();
    wrong["actions"][0]["probability_field"] = json!("worth");
    let body = json!({ "as_of": AS_OF, "config": wrong, "model": "fit" });
    let job = world.api.wait_for_job(world.api.post("/api/v1/plugins/next-best-action/run", &body));
    let message = job["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("`worth`") && message.contains("probability_unit"), "{job}");
    assert_eq!(world.results(&["segment.next_best_action__action"]), before);
}
