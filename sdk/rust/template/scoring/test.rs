use trellis_sdk::testing::{BatchBuilder, context, day};
use trellis_sdk::{Context, Scoring};

#[test]
fn who_bought_yesterday_is_warm() {
    let rows = BatchBuilder::new([1, 2]).date("last_order", [Some(day("2026-06-29")), None]).build();
    let at = Context { as_of: day("2026-06-30"), ..context() };
    let scores = Plugin::score(b"", &rows, &at).unwrap();
    assert_eq!(scores.value("warmth", 0), Some(99.0));
    assert_eq!(scores.value("warmth", 1), None);
}
