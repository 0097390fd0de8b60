//! RFM in full over real purchases: cuts, sums of scores, named segments and who moved between them; and orders as shop systems export them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_e2e::{cdnow, root};

use crate::cdnow::{reference, world};
use crate::support::{World, close, column, expected, figures, metric, number};

const SNAPSHOT: &str = "1997-09-30";
const SEGMENT: &str = "segment.retail_rfm__segment";

/// The segments of the reference by the names that the plugin gives them.
fn name(reference: &str) -> String {
    reference.to_lowercase().replace(' ', "_")
}

/// The segment of each customer, by external id.
fn segments(world: &World) -> BTreeMap<String, String> {
    let found = world.results(&[SEGMENT]);
    found.into_iter().map(|(id, row)| (id, row[SEGMENT].as_str().unwrap_or_default().to_owned())).collect()
}

/// Days since the last purchase at the snapshot.
fn recency() -> BTreeMap<String, f64> {
    let mut rows = csv::Reader::from_path(cdnow("expected_customers.csv")).unwrap();
    rows.records().map(Result::unwrap).map(|row| (row[0].to_owned(), row[1].parse().unwrap())).collect()
}

#[test]
fn named_segments_and_their_migration_are_the_expected_ones() {
    let Some(expected) = expected("segments") else { return };
    let world = world();
    let config = json!({ "graded_by": "ntile" });
    world.enable("retail-rfm", SNAPSHOT, &config);
    let before = segments(&world);
    let (named, recency) = (&expected["rfm_named"], recency());
    let report = world.report("retail-rfm");
    let (customers, spent) =
        (figures(&report, "segments", "customers"), figures(&report, "segments", "spent"));
    let map = named["map"].as_array().unwrap();
    assert_eq!(map.len(), customers.len());
    for (row, segment) in map.iter().enumerate() {
        let wanted = &named["segments"][segment["name"].as_str().unwrap()];
        let name = name(segment["name"].as_str().unwrap());
        let members: Vec<f64> =
            before.iter().filter(|(_, of)| **of == name).map(|(id, _)| recency[id]).collect();
        assert_eq!(
            (members.len() as f64, customers[row]),
            (number(&wanted["n"]), number(&wanted["n"])),
            "{name}"
        );
        close(spent[row], number(&wanted["revenue"]), 0.0, 0.005, &name);
        if let Some(mean) = wanted["mean_recency_days"].as_f64() {
            close(members.iter().sum::<f64>() / members.len() as f64, mean, 1e-9, 0.0, &name);
        } else {
            assert!(members.is_empty(), "{name}");
        }
    }
    migration(&world, &expected["migration"], &config, &before);
}

/// Half a year later: each of the hundred cells.
fn migration(world: &World, wanted: &Json, config: &Json, before: &BTreeMap<String, String>) {
    assert_eq!(wanted["from_"], SNAPSHOT);
    world.judge("retail-rfm", wanted["to"].as_str().unwrap(), config);
    let mut moved: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (id, after) in segments(world) {
        *moved.entry((before[&id].clone(), after)).or_default() += 1;
    }
    let mut cells = 0;
    for (from, row) in wanted["matrix"].as_object().unwrap() {
        for (to, count) in row.as_object().unwrap() {
            let found = moved.get(&(name(from), name(to))).copied().unwrap_or_default();
            assert_eq!(json!(found), *count, "{from} → {to}");
            cells += 1;
        }
    }
    assert_eq!((cells, moved.values().sum::<u64>()), (100, before.len() as u64));
}

#[test]
fn cuts_sums_and_means_of_scores_are_the_expected_ones() {
    let (world, expected) = (world(), reference());
    world.enable("retail-rfm", SNAPSHOT, &json!({}));
    let report = world.report("retail-rfm");
    let cuts = figures(&report, "cuts", "quantile");
    let wanted = &expected["rfm"]["value_quantile"]["thresholds"];
    // The reference has cents, the report whole dollars.
    for (place, (dimension, unit)) in [("R", 1.0), ("F", 1.0), ("M", 100.0)].into_iter().enumerate() {
        for (cut, wanted) in wanted[dimension].as_array().unwrap().iter().enumerate() {
            close(cuts[4 * place + cut], number(wanted) / unit, 1e-12, 0.0, dimension);
        }
    }
    let means = &expected["rfm_classes"]["eight_classes"]["mean_scores"];
    for (place, name) in ["recency", "frequency", "monetary"].into_iter().enumerate() {
        let found = metric(&report, &format!("mean_{name}_score"));
        close(found, number(&means[place]), 0.0, 5e-7, name);
    }
    let matrix = &expected["rfm_classes"]["value_matrix"];
    close(metric(&report, "mean_frequency"), number(&matrix["mean_frequency"]), 0.0, 5e-7, "orders");
    let spend = number(&matrix["mean_average_spend_cents"]);
    close(metric(&report, "mean_average_spend"), spend, 0.0, 5e-7, "spend");
    sums(&world, &report, "quantile", &expected["rfm"]["value_quantile"]);
    let report = world.judge("retail-rfm", SNAPSHOT, &json!({ "graded_by": "ntile" }));
    sums(&world, &report, "ntile", &expected["rfm"]["ntile"]);
}

/// How many customers have each sum of the three scores, and what those of each recency score spent on the mean.
fn sums(world: &World, report: &Json, method: &str, wanted: &Json) {
    let cell = format!("segment.retail_rfm__{method}_cell");
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let found = world.results(&[&cell]);
    for row in found.values() {
        let sum: u32 = row[&cell].as_str().unwrap().chars().map(|score| score.to_digit(10).unwrap()).sum();
        *counts.entry(sum.to_string()).or_default() += 1;
    }
    assert_eq!(json!(counts), wanted["sum_score_counts"], "{method}");
    for (id, cells) in wanted["customers"].as_object().unwrap() {
        assert_eq!(found[id][&cell], *cells, "{method} of {id}");
    }
    let mut spent: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    let rows =
        figures(report, "heat_map", "recency").into_iter().zip(figures(report, "heat_map", "customers"));
    for ((recency, customers), mean) in rows.zip(column(report, "heat_map", "mean_spent")) {
        if customers > 0.0 {
            let sums = spent.entry(recency as u32).or_default();
            *sums = (sums.0 + customers * number(&mean), sums.1 + customers);
        }
    }
    for (recency, (sum, customers)) in spent {
        // Each mean that is added up is rounded to a cent.
        let wanted = number(&wanted["mean_monetary_by_R"][recency.to_string()]);
        close(sum / customers, wanted, 0.0, 0.005, &format!("{method} recency {recency}"));
    }
}

/// R153, R154: the seven columns of a shop system in either language become orders of members; gifts, refunds and incomplete rows are left out,
/// with the reason.
#[test]
fn r153_r154_orders_of_a_shop_system_are_imported_and_unfit_rows_left_out_with_the_reason() {
    for (map, header) in [
        ("orders.toml", "店铺名称,订单编号,VIP卡号,VIP姓名,VIP种类,付款时间,实际付款金额"),
        ("orders.en.toml", "Shop,Order number,VIP card,VIP name,VIP type,Paid at,Amount paid"),
    ] {
        let world = World::new();
        let rows = [
            "上海店,A1,V1,王芳,金卡,2026-03-01,120.50",
            "上海店,A2,V1,王芳,金卡,2026-04-01,80.00",
            "北京店,A3,V2,李雷,银卡,2026-04-02,19.90",
            "北京店,A4,V2,李雷,银卡,2026-04-03,0.00",
            "北京店,A5,V2,李雷,银卡,2026-04-04,-19.90",
            "北京店,A6,,,,2026-04-05,33.00",
        ];
        let folder = tempfile::tempdir().unwrap();
        let csv = folder.path().join("orders.csv");
        std::fs::write(&csv, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        // A server that is not told otherwise reckons in dollars.
        let mapping = std::fs::read_to_string(root().join("examples/retail-orders").join(map)).unwrap();
        let map = folder.path().join(map);
        std::fs::write(&map, mapping.replace("\"CNY\"", "\"USD\"")).unwrap();
        let said = world
            .server
            .cli(&["import", "order", &csv.to_string_lossy(), "--map", &map.to_string_lossy()])
            .ok();
        assert!(said.contains("3 rows: 3 created"), "{said}");
        assert!(said.contains("2 rows left out: gift or refund: nothing was paid"), "{said}");
        assert!(said.contains("1 rows left out: no order, member or time of payment"), "{said}");
        assert_eq!((world.api.total("orders"), world.api.total("accounts")), (3, 2));
        world.enable("retail-rfm", "2026-06-30", &json!({ "groups": 2 }));
        let found = world.results(&["name", "segment.retail_rfm__ntile_cell"]);
        assert_eq!(found["V1"]["name"], "王芳");
        assert_eq!(found["V1"]["segment.retail_rfm__ntile_cell"], "122");
        assert_eq!(found["V2"]["segment.retail_rfm__ntile_cell"], "211");
    }
}
