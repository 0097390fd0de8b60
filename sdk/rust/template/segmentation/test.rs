use trellis_sdk::Segmentation;
use trellis_sdk::testing::{BatchBuilder, context};

#[test]
fn who_spent_a_thousand_is_big() {
    let rows = BatchBuilder::new([1, 2]).money("spent", "USD", [Some(100_000), None]).build();
    let assignments = Plugin::assign(b"", &rows, &context()).unwrap();
    assert_eq!(assignments.value("tier", 0), Some("big"));
    assert_eq!(assignments.value("tier", 1), None);
}
