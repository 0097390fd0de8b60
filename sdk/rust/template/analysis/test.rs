use trellis_sdk::testing::{BatchBuilder, context, day, stream};
use trellis_sdk::{Analysis, Context, NoConfig};

#[test]
fn customers_are_counted_by_their_last_purchase() {
    let last_order = [Some(day("2026-06-29")), Some(day("2026-01-05")), None];
    let mut rows = stream([BatchBuilder::new([1, 2, 3]).date("last_order", last_order).build()]);
    let at = Context { as_of: day("2026-06-30"), ..context() };
    let report = Plugin::analyse("recency", &mut rows, "{}", &NoConfig {}, &at).unwrap();
    assert_eq!(report.summary.en, "1 bought lately");
}
