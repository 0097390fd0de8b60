//! Care for customers through the server: who is contacted, how, and who is left alone.

use serde_json::{Value as Json, json};
use trellis_e2e::eventually;

use crate::support::{World, days_before, metric, money};

/// Everything that is judged happened before, so that no day of the test counts.
const AS_OF: &str = "2026-06-30";

fn config() -> Json {
    json!({ "plan": [
        {
            "occasion": "delivery", "days": 7, "window_days": 7, "channel": "email", "asks_opinion": true,
            "subject_en": "Did everything arrive?", "body_en": "Your parcel should be there.",
        },
        { "occasion": "inactivity", "days": 90, "window_days": 14, "channel": "phone", "asks_opinion": true },
    ] })
}

impl World {
    fn delivered(&self, name: &str, days: i64) -> String {
        let account = self.make("accounts", &json!({ "name": name, "external_id": name }));
        let order = json!({
            "account": account, "amount": money(10.00),
            "ordered_on": days_before(AS_OF, days + 2), "delivered_on": days_before(AS_OF, days),
        });
        self.make("orders", &order);
        account
    }

    fn all(&self, objects: &str) -> Vec<Json> {
        let found = self.api.get(&format!("/api/v1/{objects}?limit=200")).ok();
        found["data"].as_array().unwrap().clone()
    }

    #[track_caller]
    fn run(&self, campaign: &str) {
        let started = self.api.post(&format!("/api/v1/campaigns/{campaign}/run"), &json!({}));
        let job = self.api.wait_for_job(started);
        assert_eq!(job["state"], "succeeded", "{job}");
    }

    /// Why a customer is left alone; null where it is not.
    fn cause(&self, campaign: &str, account: &str) -> Json {
        self.api.get(&format!("/api/v1/campaigns/{campaign}/eligibility/{account}")).ok()["cause"].clone()
    }
}

#[test]
fn r49_r50_customers_are_cared_for_on_their_occasion_and_channel_and_never_twice() {
    let world = World::new();
    world.enable("care-programme", AS_OF, &config());
    let mailed = world.delivered("mailed", 8);
    let called = world.customer("called", &json!({}), AS_OF, &[(95, 10.0)]);
    let complains = world.delivered("complains", 8);
    let complaint = json!({
        "subject": "Broken", "account": complains, "status": "open", "kind": "complaint", "severity": "high",
    });
    world.make("cases", &complaint);
    let silent = world.delivered("silent", 8);
    world.make("contacts", &json!({ "account": silent, "name": "Li", "do_not_contact": true }));
    let nothing = world.delivered("nothing", 30);

    let campaign =
        json!({ "name": "Care", "status": "active", "channel": "email", "rules_plugin": "care-programme" });
    let campaign = world.make("campaigns", &campaign);
    world.run(&campaign);
    let message = eventually("the message is in the outbox", || world.all("messages").pop());
    let call = eventually("the call is on the list", || world.all("tasks").pop());
    assert_eq!((world.all("messages").len(), world.all("tasks").len()), (1, 1));
    assert_eq!((&message["account"], &message["campaign"]), (&json!(mailed), &json!(campaign)));
    assert_eq!(
        (&message["channel"], &message["subject"]),
        (&json!("email"), &json!("Did everything arrive?"))
    );
    let body = message["body"].as_str().unwrap();
    assert!(body.starts_with("Your parcel should be there.") && body.contains("How satisfied"), "{body}");
    assert_eq!((&call["account"], &call["subject"]), (&json!(called), &json!("Care: How are you doing?")));
    assert!(call["description"].as_str().unwrap().contains("how satisfied"), "{call}");
    for (account, cause) in
        [(&complains, "open-severe-complaint"), (&silent, "do-not-contact"), (&nothing, "nothing-due")]
    {
        assert_eq!(world.cause(&campaign, account), cause);
    }

    // Whoever edits the message and sends it does not make the care forgotten, nor who does the call.
    let sent = json!({ "subject": "Hello", "status": "sent", "sent_at": "2026-06-29T08:00:00Z" });
    let path = |objects: &str, one: &Json| format!("/api/v1/{objects}/{}", one["id"].as_str().unwrap());
    world.api.patch(&path("messages", &message), &sent, None).ok();
    world.api.patch(&path("tasks", &call), &json!({ "status": "done" }), None).ok();
    for account in [&mailed, &called] {
        assert_eq!(world.cause(&campaign, account), "cared-for-recently");
    }
    world.run(&campaign);
    assert_eq!((world.all("messages").len(), world.all("tasks").len()), (1, 1));
    let evaluation = world.api.get(&format!("/api/v1/campaigns/{campaign}/evaluation")).ok();
    assert_eq!(metric(&evaluation, "answered"), 0.0);
}
