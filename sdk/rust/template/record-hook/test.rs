use trellis_sdk::testing::{changed, context, record};
use trellis_sdk::{NoConfig, RecordHook, Verdict};

#[test]
fn a_lead_without_a_phone_number_is_not_converted() {
    let change = changed(record("lead").choice("status", "new"), record("lead").choice("status", "converted"));
    let verdict = Plugin::before_save(&change, &NoConfig {}, &context()).unwrap();
    assert!(matches!(verdict, Verdict::Veto(refusal) if refusal.code == "phone-missing"));
}
