//! Single records: reading fields, deciding, asking, and what crosses to the host.

use trellis_sdk::bindings::record_hook::exports::trellis::plugin::record_hook as raw_hook;
use trellis_sdk::bindings::service_workflow::exports::trellis::plugin::service_workflow as raw_workflow;
use trellis_sdk::lookups::{self, LookupError};
use trellis_sdk::testing::{changed, context, created, record, take_log, work_item, work_item_of};
use trellis_sdk::{
    Action, Change, Context, Decision, Fields, Level, NoConfig, Occurrence, PluginError, RecordHook, Result,
    ServiceWorkflow, Value, Verdict, WorkItem, create_record, json, localized, message, reason, requirement,
    set_fields, suggestion, task, testing,
};

#[test]
fn fields_read_by_type_and_a_wrong_type_is_told() {
    let case = record("case")
        .text("subject", "Late")
        .choice("kind", "complaint")
        .choices("channels", ["email", "phone"])
        .number("score", 0.5)
        .integer("visits", 3)
        .money("loss", "CNY", 7402)
        .boolean("urgent", true)
        .date("noticed_on", 20_000)
        .time("due_at", 1_000)
        .reference("account", "a-1")
        .set("audience", Some(Value::Json("{}".to_owned())))
        .null("resolution")
        .build();
    assert_eq!(case.text("subject"), Some("Late"));
    assert_eq!(case.choice("kind"), Some("complaint"));
    assert_eq!(case.choices("channels"), ["email", "phone"]);
    assert_eq!(
        (case.number("score"), case.number("visits"), case.integer("visits")),
        (Some(0.5), Some(3.0), Some(3))
    );
    assert_eq!(
        case.money("loss").map(|loss| (loss.currency.as_str(), loss.minor_units)),
        Some(("CNY", 7402))
    );
    assert_eq!(
        (case.boolean("urgent"), case.date("noticed_on"), case.time("due_at")),
        (Some(true), Some(20_000), Some(1_000))
    );
    assert_eq!((case.reference("account"), case.json("audience")), (Some("a-1"), Some("{}")));
    assert_eq!(
        (case.text("resolution"), case.is_blank("resolution"), case.is_blank("subject")),
        (None, true, false)
    );
    assert!(record("case").text("subject", " \n").build().is_blank("subject"));
    assert!(case.fields.is_sorted_by(|one, next| one.name < next.name) && case.fields.len() == 11);
    assert_eq!(take_log(), []);

    assert_eq!(case.text("kind"), None);
    assert_eq!(case.choices("kind"), <[String; 0]>::default());
    let line =
        |wanted: &str| (Level::Warn, format!("field `kind` of `case` is of type choice, not {wanted}"));
    assert_eq!(take_log(), [line("text"), line("choices")]);
}

#[test]
fn a_field_that_is_set_again_has_its_last_value() {
    let fields = Fields::default().text("subject", "a").null("kind").text("subject", "b");
    let names: Vec<_> = fields.as_slice().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["kind", "subject"]);
    assert_eq!(set_fields("case", "c-1").text("subject", "a").text("subject", "b").fields.len(), 1);
}

/// Reacts to everything once.
struct Desk;

impl ServiceWorkflow for Desk {
    type Config = NoConfig;

    fn triage(item: &WorkItem, _: &NoConfig, at: &Context) -> Result<Decision> {
        let why = reason("new", localized("it is new", "新工单"), 1.0);
        let account = item.account.as_ref().map(|account| account.id.clone()).unwrap_or_default();
        Ok(Decision::because(why)
            .then(item.set_fields().choice("severity", "high"))
            .then(
                task("Call", "致电")
                    .about("now", "马上")
                    .account(account)
                    .case(&item.item.id)
                    .owner("u-1")
                    .priority("high"),
            )
            .then(
                message("email").contact("p-1").subject("We are on it", "已受理").body("Soon.", "尽快处理。"),
            )
            .then(create_record("interaction").choice("channel", "phone"))
            .then_all(Some(item.start_timer("first-response", at.now_ms + 3_600_000)))
            .then(item.cancel_timer("old")))
    }

    fn on_event(_: &WorkItem, event: &Occurrence, _: &NoConfig, _: &Context) -> Result<Decision> {
        let told = match event.timer() {
            Some(timer) => format!("timer {timer}"),
            None => format!("status {} was {:?}", event.has_changed("status"), event.before("status")),
        };
        Ok(Decision::because(reason("told", localized(told, ""), 1.0)))
    }

    fn suggest(item: &WorkItem, _: &NoConfig, _: &Context) -> Result<Vec<trellis_sdk::Suggestion>> {
        let why = reason("unhappy", localized("the customer is unhappy", "客户不满意"), 1.0);
        Ok(vec![
            suggestion("apologise", "Apologise", "致歉").because(why).then(item.set_fields().null("owner")),
        ])
    }

    fn close_check(item: &WorkItem, _: &NoConfig, _: &Context) -> Result<Vec<trellis_sdk::Requirement>> {
        let missing = item.is_blank("resolution");
        Ok(missing
            .then(|| {
                requirement("no-resolution", "say what was done", "请填写处理结果").on_field("resolution")
            })
            .into_iter()
            .collect())
    }
}

type Exported = trellis_sdk::service_workflow::Adapter<Desk>;

#[test]
fn every_action_crosses_with_what_it_was_given() {
    use raw_workflow::Guest;
    let item = work_item_of(record("account").id("a-1"), record("case").id("c-1").text("subject", "Late"));
    let Decision { actions, reasons } = Exported::triage(item, "{}".to_owned(), context()).unwrap();
    assert_eq!(reasons.len(), 1);
    let [
        Action::SetFields(changed),
        Action::CreateTask(task),
        Action::SendMessage(sent),
        Action::CreateRecord(created),
        Action::StartTimer(started),
        Action::CancelTimer(cancelled),
    ] = actions.as_slice()
    else {
        panic!("{actions:?}")
    };
    assert_eq!((changed.object.as_str(), changed.id.as_str(), changed.fields.len()), ("case", "c-1", 1));
    assert_eq!(
        (task.account.as_deref(), task.case_id.as_deref(), task.due_in_days),
        (Some("a-1"), Some("c-1"), None)
    );
    assert_eq!(
        (sent.channel.as_str(), sent.contact.as_deref(), sent.account.as_deref()),
        ("email", Some("p-1"), None)
    );
    assert_eq!((created.object.as_str(), created.fields.len()), ("interaction", 1));
    assert_eq!(
        (started.name.as_str(), started.id.as_str(), started.due_ms),
        ("first-response", "c-1", 3_600_000)
    );
    assert_eq!(cancelled.name, "old");
}

#[test]
fn events_suggestions_and_requirements_reach_the_plugin_and_come_back() {
    use raw_workflow::Guest;
    let item = || work_item(record("case").choice("status", "closed"));
    let told = |event| {
        Exported::on_event(item(), event, String::new(), context()).unwrap().reasons.remove(0).text.en
    };
    let before = record("case").choice("status", "open").build().fields;
    assert_eq!(told(Occurrence::Changed(before)), "status true was Some(Value::Choice(\"open\"))");
    assert_eq!(told(Occurrence::Changed(Vec::new())), "status false was None");
    assert_eq!(told(Occurrence::Timer("late".to_owned())), "timer late");
    assert_eq!(told(Occurrence::Other(("new".to_owned(), "{}".to_owned()))), "status false was None");

    let suggestions = Exported::suggest(item(), String::new(), context()).unwrap();
    assert_eq!(
        suggestions.iter().map(|one| (one.name.as_str(), one.actions.len())).collect::<Vec<_>>(),
        [("apologise", 1)]
    );
    let required = Exported::close_check(item(), String::new(), context()).unwrap();
    assert_eq!(required.iter().map(|one| one.field.as_deref()).collect::<Vec<_>>(), [Some("resolution")]);
    let error = Exported::close_check(item(), "{\"colour\": 1}".to_owned(), context()).unwrap_err();
    assert!(matches!(&error, PluginError::InvalidConfig(text) if text.en.contains("`colour`")), "{error}");
}

/// Refuses what has no name, trims what has one.
struct Names;

impl RecordHook for Names {
    type Config = NoConfig;

    fn before_save(change: &Change, _: &NoConfig, _: &Context) -> Result<Verdict> {
        let Some(name) = change.after.text("name") else {
            return Ok(Verdict::veto("no-name", "it needs a name", "请填写名称").on_field("name"));
        };
        Ok(if name == name.trim() {
            Verdict::Accept
        } else {
            Verdict::patch(Fields::default().text("name", name.trim()))
        })
    }
}

#[test]
fn each_change_has_a_verdict_in_its_place() {
    use raw_hook::Guest;
    let changes = vec![
        created(record("lead").text("name", "Li")),
        created(record("lead").null("name")),
        changed(record("lead").text("name", "Li"), record("lead").text("name", " Li ")),
    ];
    let verdicts =
        trellis_sdk::record_hook::Adapter::<Names>::before_save(changes, String::new(), context()).unwrap();
    let [Verdict::Accept, Verdict::Veto(refusal), Verdict::Patch(patch)] = verdicts.as_slice() else {
        panic!("{verdicts:?}")
    };
    assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("no-name", Some("name")));
    assert_eq!(patch.first().map(|field| field.name.as_str()), Some("name"));
    assert_eq!(Verdict::Accept.on_field("name"), Verdict::Accept);
}

#[test]
fn a_change_tells_what_becomes_of_a_field() {
    let new = created(record("lead").choice("status", "new").null("phone"));
    assert!(new.is_new() && new.changes("status") && !new.changes("phone") && new.becomes("status", "new"));
    let same = changed(record("lead").choice("status", "new"), record("lead").choice("status", "new"));
    assert!(!same.is_new() && !same.changes("status") && !same.becomes("status", "new"));
    let other = changed(record("lead").choice("status", "new"), record("lead").null("status"));
    assert!(other.changes("status") && !other.becomes("status", "new"));
    assert_eq!(other.before("status"), Some(&Value::Choice("new".to_owned())));
}

#[test]
fn look_ups_answer_from_the_records_of_the_test() {
    assert!(matches!(lookups::get("case", "c-1"), Err(LookupError::Denied(_))));
    {
        let _answers = testing::lookups([
            record("case").id("c-2").choice("status", "open").integer("visits", 3),
            record("case").id("c-1").choice("status", "open").integer("visits", 1),
            record("case").id("c-3").choice("status", "closed"),
            record("account").id("a-1").text("name", "Li"),
        ]);
        assert_eq!(lookups::get("account", "a-1").unwrap().unwrap().text("name"), Some("Li"));
        assert_eq!(lookups::get("account", "c-1").unwrap(), None);
        let ids = |filter, max| {
            let found = lookups::find("case", filter, max).unwrap();
            found.into_iter().map(|record| record.id).collect::<Vec<_>>()
        };
        let open = json!({"field": "status", "op": "eq", "value": "open"});
        assert_eq!(ids(open.clone(), 200), ["c-1", "c-2"]);
        assert_eq!(ids(open.clone(), 1), ["c-1"]);
        let many = json!({"field": "visits", "op": "gte", "value": 2});
        assert_eq!(ids(json!({"and": [open, many]}), 200), ["c-2"]);
        // A comparison with null is neither true nor false.
        assert_eq!(ids(json!({"not": {"field": "visits", "op": "eq", "value": 1}}), 200), ["c-2"]);
        assert_eq!(ids(json!({"field": "visits", "op": "null", "value": true}), 200), ["c-3"]);
        assert_eq!(
            ids(
                json!({"or": [{"field": "status", "op": "in", "value": ["closed"]}, {"field": "visits", "op": "between", "value": [1, 2]}]}),
                200
            ),
            ["c-1", "c-3"]
        );
        assert_eq!(lookups::count("case", "{\"and\": []}").unwrap(), 3);
        let unknown =
            lookups::count("case", json!({"field": "status", "op": "sounds-like", "value": "open"}));
        assert!(matches!(unknown, Err(LookupError::Invalid(text)) if text.contains("sounds-like")));
    }
    assert!(matches!(lookups::count("case", "{}"), Err(LookupError::Denied(_))));
}

#[test]
fn a_look_up_without_an_answer_becomes_an_error_of_the_call() {
    let error = |error: LookupError| PluginError::from(error).to_string();
    assert!(error(LookupError::Denied("read case".to_owned())).contains("read case"));
    assert!(error(LookupError::TooMany(50)).contains("50"));
    assert!(matches!(PluginError::from(LookupError::Failed("busy".to_owned())), PluginError::Transient(_)));
    assert!(error(LookupError::Invalid("no such field".to_owned())).contains("no such field"));
}
