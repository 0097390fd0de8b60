//! Reading the tables of a report.

use std::collections::BTreeMap;

use trellis_sdk::bindings::shared::trellis::plugin::columns as wire;
use trellis_sdk::{Batch, Panel, decimal_places};

/// The table of a panel as a batch.
pub(crate) fn batch(panel: &Panel) -> Batch {
    let rows = u32::try_from(panel.rows()).unwrap();
    let columns = panel.columns.iter().map(|column| column.values.clone()).collect();
    wire::Batch { rows, ordinals: (0..u64::from(rows)).collect(), columns }.into()
}

/// The numbers of each row by column, under the text of the first column. Amounts are whole units; nulls are left out.
pub(crate) fn read(panel: &Panel, batch: &Batch) -> BTreeMap<String, BTreeMap<String, f64>> {
    let names: Vec<&str> = batch.column_names().collect();
    let keys = batch.text(names[0]).unwrap();
    let mut table = BTreeMap::new();
    for row in 0..panel.rows() {
        let mut numbers = BTreeMap::new();
        for name in &names[1..] {
            if let Some(number) = number(batch, name, row) {
                numbers.insert((*name).to_owned(), number);
            }
        }
        table.insert(keys.get(row).unwrap().to_owned(), numbers);
    }
    table
}

fn number(batch: &Batch, name: &str, row: usize) -> Option<f64> {
    match batch.type_of(name)? {
        "float64" => batch.float64(name).unwrap().get(row),
        "int64" => batch.int64(name).unwrap().get(row).map(|number| number as f64),
        "money" => {
            let money = batch.money(name).unwrap();
            let units = 10_f64.powi(decimal_places(money.currency()) as i32);
            money.minor_units().get(row).map(|minor| minor as f64 / units)
        }
        _ => None,
    }
}
