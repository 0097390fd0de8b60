//! What a new day reads: windowed figures of everybody, in the parts in which a day is followed.

use std::time::Instant;

use trellis_columns::{AsOf, ColumnSource, DatasetColumn, DatasetSpec, Figure, Related, Window};
use trellis_model::{FieldName, Filter, ObjectName, Op};

use crate::figures::print;
use crate::setup::Parts;

/// Customers of a part, as `engine.day_change_rows_max` is without a setting.
const PART_ROWS: usize = 4_096;

fn field(name: &str) -> FieldName {
    FieldName::new(name).expect("a name")
}

/// Purchases of the last 90 days: those in the index of events, or with a filter, which only the records can be asked.
fn spec(filter: Filter) -> DatasetSpec {
    let related = |figure| Related {
        object: ObjectName::new("order").expect("a name"),
        by: None,
        filter: filter.clone(),
        time: Some(field("ordered_on")),
        window: Window { within_days: Some(90), until_days_ago: 0 },
        repeat: false,
        figure,
    };
    let column = |name: &str, figure| DatasetColumn {
        name: name.into(),
        source: ColumnSource::Related(Box::new(related(figure))),
    };
    DatasetSpec {
        object: ObjectName::new("account").expect("a name"),
        columns: vec![column("purchases", Figure::Count), column("spent", Figure::Sum(field("amount")))],
    }
}

/// Prints what a new day reads of customers that were imported.
pub(crate) async fn measure(parts: &Parts, purchases: u64) {
    let paid = Filter::compare("status", Op::Eq, "paid").expect("a filter");
    for (from, spec) in [("the index", spec(Filter::everything())), ("the records", spec(paid))] {
        let started = Instant::now();
        let (mut rows, mut next) = (0, 0);
        loop {
            let ordinals = parts.columns.ordinals_of(&spec, next, PART_ROWS).await.expect("ordinals");
            let Some(last) = ordinals.last() else { break };
            next = last + 1;
            let mut stream = parts.columns.dataset_rows(&spec, AsOf::Now, &ordinals).await.expect("rows");
            while let Some(batch) = stream.next().expect("a batch") {
                rows += batch.rows;
            }
        }
        let elapsed = started.elapsed();
        let beside = format!("{rows} customers, {purchases} purchases, in parts of {PART_ROWS}");
        print(&format!("a new day: figures read from {from}"), elapsed.as_secs_f64(), "s", &beside);
    }
}
