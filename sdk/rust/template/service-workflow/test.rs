use trellis_sdk::testing::{context, record, work_item};
use trellis_sdk::{NoConfig, ServiceWorkflow};

#[test]
fn a_complaint_is_urgent() {
    let item = work_item(record("case").choice("kind", "complaint"));
    let decision = Plugin::triage(&item, &NoConfig {}, &context()).unwrap();
    assert_eq!(decision.actions.len(), 2);
}
