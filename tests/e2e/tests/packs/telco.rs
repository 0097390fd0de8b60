//! Customers of a telephone company: what is imported is what the file says.

use serde_json::json;

use crate::support::{World, expected, table};

#[test]
fn reference_tables_become_accounts() {
    let (Some(customers), Some(expected)) = (table("telco/telco_churn.csv", b','), expected("telco")) else {
        return;
    };
    let world = World::new();
    let fields = world.import_accounts(&customers, "telco");
    assert_eq!(world.api.total("accounts"), customers.rows.len() as u64);
    let left = json!({ "filter": { "field": fields["Churn"], "op": "eq", "value": "Yes" }, "limit": 1, "count": "exact" });
    let left = world.api.post("/api/v1/accounts/search", &left).ok()["total"].clone();
    assert_eq!(left, expected["data"]["churned"]);
    let tenure = world.numbers(&fields["tenure"], customers.rows.len());
    let place = customers.header.iter().position(|column| column == "tenure").unwrap();
    for (row, tenure) in customers.rows.iter().zip(tenure) {
        assert_eq!(row[place].parse::<f64>().unwrap(), tenure);
    }
}
