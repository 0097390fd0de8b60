//! Complaints, bank matters and insurance claims, entered through the API and led to their end; each is refused its closing before.

use serde_json::{Value as Json, json};
use trellis_e2e::eventually;

use crate::support::{World, money};

impl World {
    /// Waits until the desk has set a field of a case to a value, and returns the case.
    #[track_caller]
    fn case_has(&self, case: &str, field: &str, value: &str) -> Json {
        let path = format!("/api/v1/cases/{case}");
        eventually(&format!("`{field}` of the case is `{value}`"), || {
            let case = self.api.get(&path).ok();
            (case[field] == value).then_some(case)
        })
    }

    /// Waits for a task about the case whose subject begins so.
    #[track_caller]
    fn has_task(&self, case: &str, beginning: &str) {
        let of_case = json!({ "filter": { "field": "case", "op": "eq", "value": case }, "limit": 200 });
        eventually(&format!("a task `{beginning}…`"), || {
            let tasks = self.api.post("/api/v1/tasks/search", &of_case).ok();
            let subjects = tasks["data"].as_array().unwrap().iter().map(|task| task["subject"].to_string());
            subjects.into_iter().any(|subject| subject.contains(beginning)).then_some(())
        });
    }

    fn save(&self, case: &str, fields: &Json) -> Json {
        self.api.patch(&format!("/api/v1/cases/{case}"), fields, None).ok()
    }

    /// Closing is refused with these words among others, in either language, and nothing was changed.
    #[track_caller]
    fn stays_open(&self, case: &str, words: &[&str]) {
        let path = format!("/api/v1/cases/{case}");
        let before = self.api.get(&path).ok();
        let is_han = |character: char| ('\u{4e00}'..='\u{9fff}').contains(&character);
        for (language, in_chinese) in [("en", false), ("zh-CN", true)] {
            let refused = self.api.in_language(language).patch(&path, &json!({ "status": "closed" }), None);
            let text = refused.json["detail"].to_string();
            assert_eq!(refused.problem(422), "PLUGIN_VETO", "{text}");
            assert_eq!(text.contains(is_han), in_chinese, "{text}");
            for words in words.iter().filter(|_| !in_chinese) {
                assert!(text.contains(words), "{words}: {text}");
            }
        }
        assert_eq!(self.api.get(&path).ok()["status"], before["status"], "a veto leaves nothing behind");
    }

    #[track_caller]
    fn closes(&self, case: &str) {
        assert_eq!(self.save(case, &json!({ "status": "closed" }))["status"], "closed");
    }

    fn user(&self, name: &str) -> String {
        self.make("users", &json!({ "username": name, "name": name, "kind": "person" }))
    }
}

#[test]
fn a_complaint_is_judged_completed_answered_and_learned_from() {
    let world = World::new();
    world.enable("complaint-desk", "now", &json!({}));
    let account = world.make("accounts", &json!({ "name": "Wang" }));
    let order = json!({ "account": account, "ordered_on": "2026-01-05", "amount": money(10.00) });
    world.make("orders", &order);
    let complaint = json!({
        "subject": "The box was broken", "account": account, "status": "new", "kind": "complaint",
        "dissatisfaction": "complained_to_company",
    });
    let case = world.make("cases", &complaint);
    let judged = world.case_has(&case, "severity", "medium");
    assert_eq!(judged["customer_kind"], "existing", "the eighth item is filled in from the orders");
    world.has_task(&case, "Complete the complaint record");
    // What was medium becomes grave, in the same save in which somebody takes it up.
    world.save(&case, &json!({ "status": "open", "dissatisfaction": "complained_to_authority" }));
    let judged = world.case_has(&case, "severity", "high");
    assert_eq!(judged["priority"], "high");
    world.has_task(&case, "Severe complaint of your customer");
    world.stays_open(&case, &["what happened", "how the complaint was resolved", "root cause"]);
    let record = json!({
        "what_happened": "It broke", "how_it_happened": "On the way", "dissatisfaction_reason": "Too thin a box",
        "customer_reasonable": "yes", "desired_resolution": "Another one", "resolution": "Sent another one",
    });
    world.save(&case, &record);
    world.save(
        &case,
        &json!({ "complaint_desk__root_cause": "Thin boxes", "complaint_desk__root_cause_kind": "delivery" }),
    );
    world.has_task(&case, "Decide a corrective action");
    world.save(&case, &json!({ "complaint_desk__corrective_action": "Other boxes" }));
    world.has_task(&case, "Carry out the corrective action");
    world.save(&case, &json!({ "status": "resolved" }));
    world.has_task(&case, "Follow-up call");
    world.stays_open(&case, &["Tick which of the five"]);
    // The customer is not satisfied: it begins anew, its clock too.
    let first_due = world.api.get(&format!("/api/v1/cases/{case}")).ok()["due_at"].clone();
    world.save(&case, &json!({ "status": "new" }));
    let reopened = eventually("the reopened complaint has another time", || {
        let case = world.api.get(&format!("/api/v1/cases/{case}")).ok();
        (case["complaint_desk__reopened_at"].is_string()).then_some(case)
    });
    assert_ne!(reopened["due_at"], first_due);
    world.save(
        &case,
        &json!({ "status": "resolved", "complaint_desk__wants_met": ["serious", "heard", "action"] }),
    );
    world.closes(&case);
}

#[test]
fn a_bank_matter_is_decided_on_documents_by_two_people() {
    let world = World::new();
    world.enable("bank-desk", "now", &json!({}));
    let account = world.make("accounts", &json!({ "name": "Wang" }));
    let (li, zhao) = (world.user("li"), world.user("zhao"));
    let dispute = json!({
        "subject": "Charged twice", "account": account, "status": "new", "kind": "bank_desk__card_dispute",
        "bank_desk__amount": money(60000.00), "bank_desk__transaction_on": "2026-06-01", "bank_desk__reason": "duplicate",
    });
    let case = world.make("cases", &dispute);
    world.case_has(&case, "bank_desk__step", "documents");
    world.stays_open(&case, &["signed statement", "second person", "told"]);
    world.save(&case, &json!({ "bank_desk__documents": ["statement", "receipt"], "status": "open" }));
    world.case_has(&case, "bank_desk__step", "review");
    world.save(&case, &json!({ "bank_desk__decision": "granted", "bank_desk__decided_by": li }));
    world.case_has(&case, "bank_desk__step", "approval");
    world.save(&case, &json!({ "bank_desk__approved_by": li, "resolution": "Refunded" }));
    world.stays_open(&case, &["Who decided cannot approve"]);
    world.save(&case, &json!({ "bank_desk__approved_by": zhao }));
    world.case_has(&case, "bank_desk__step", "decided");
    world.closes(&case);
}

#[test]
fn an_insurance_claim_is_checked_assessed_investigated_and_paid() {
    let world = World::new();
    world.enable("insurance-desk", "now", &json!({}));
    let account = world.make("accounts", &json!({ "name": "Wang" }));
    let (li, zhao) = (world.user("li"), world.user("zhao"));
    let contract = json!({
        "name": "Motor 1", "account": account, "status": "draft", "starts_on": "2026-05-25", "ends_on": "2027-05-24",
    });
    let contract = world.make("contracts", &contract);
    let claim = json!({
        "subject": "Stolen", "account": account, "status": "new", "kind": "insurance_desk__claim",
        "insurance_desk__contract": contract, "insurance_desk__line": "motor", "insurance_desk__cause": "theft",
        "insurance_desk__loss_on": "2026-06-01", "insurance_desk__estimate": money(70000.00),
    });
    let case = world.make("cases", &claim);
    let seen = world.case_has(&case, "insurance_desk__step", "coverage");
    let signs = seen["insurance_desk__fraud_signs"].to_string();
    assert!(signs.contains("new_contract") && signs.contains("theft_unreported"), "{signs}");
    world.stays_open(&case, &["contract covers it", "pay or decline", "told"]);
    // Whoever takes it up says in the same save that it is covered.
    world.save(&case, &json!({ "status": "open", "insurance_desk__coverage": "covered" }));
    world.case_has(&case, "insurance_desk__step", "adjustment");
    world
        .save(&case, &json!({ "insurance_desk__adjuster": li, "insurance_desk__assessed": money(65000.00) }));
    world.case_has(&case, "insurance_desk__step", "investigation");
    world.save(&case, &json!({ "insurance_desk__fraud_cleared": true }));
    world.case_has(&case, "insurance_desk__step", "settlement");
    let settled = json!({ "insurance_desk__outcome": "pay", "insurance_desk__settlement": money(65000.00) });
    world.save(&case, &settled);
    world.save(&case, &json!({ "insurance_desk__authorised_by": li, "resolution": "Paid" }));
    world.stays_open(&case, &["Who assessed the loss", "on which it was paid"]);
    world.save(&case, &json!({ "insurance_desk__authorised_by": zhao }));
    world.case_has(&case, "insurance_desk__step", "payment");
    world.save(&case, &json!({ "insurance_desk__paid_on": "2026-07-01" }));
    world.case_has(&case, "insurance_desk__step", "finished");
    world.closes(&case);
}
