use trellis_sdk::testing::{BatchBuilder, context, day, record};
use trellis_sdk::{CampaignRules, Context, NoConfig};

#[test]
fn who_bought_lately_is_left_alone() {
    let rows = BatchBuilder::new([1, 2]).date("last_order", [Some(day("2026-06-01")), None]).build();
    let at = Context { as_of: day("2026-06-30"), ..context() };
    let who = Plugin::eligible(&record("campaign").build(), &rows, &NoConfig {}, &at).unwrap();
    assert_eq!((who.cause(0), who.cause(1)), (Some("too-recent"), Some("no-orders")));
}
