//! Categories against a yes or no, over all rows.

use serde_json::Value as Json;
use trellis_mining::encoding::{Encoding, Preparation, Values};
use trellis_mining::frame::Frame;
use trellis_mining::measures::{chi_square, weight_of_evidence};

use crate::data::{Set, bank, campaign, close, telco};

fn levels(set: &Set, column: &str) -> (Vec<u8>, Vec<String>) {
    let mut frame = Frame::of(&[]);
    frame.add_texts(column, set.texts(column).into_iter().map(Some));
    let encoding = Encoding::learn(&frame, &Preparation::default());
    let names = encoding.columns().into_iter().map(|level| encoding.column_name(level).en);
    let names = names.map(|name| name.split_once('=').unwrap().1.to_owned()).collect();
    let Values::Levels { codes, .. } = encoding.encode(&frame).features.remove(0) else { panic!("texts") };
    (codes, names)
}

fn check(set: &Set, positive: &[bool], rates: &Json) {
    for (column, expected) in set.expected["woe_all_rows"].as_object().into_iter().flatten() {
        let (codes, names) = levels(set, column);
        let found = weight_of_evidence(&codes, names.len(), positive);
        close(column, found.information, &expected["iv"], 1e-8);
        for (level, name) in found.levels.iter().zip(&names) {
            close(name, level.weight.unwrap(), &expected["levels"][name]["woe"], 1e-8);
        }
    }
    for (column, expected) in set.expected["tests"].as_object().unwrap() {
        // The campaign's test of marital status is over merged values.
        if column == "Marital_Status" {
            continue;
        }
        let (codes, names) = levels(set, column);
        let found = weight_of_evidence(&codes, names.len(), positive);
        let table: Vec<Vec<u64>> =
            found.levels.iter().map(|level| vec![level.positives, level.rows - level.positives]).collect();
        let (statistic, freedom, p) = chi_square(&table).unwrap();
        close(column, statistic, &expected["chi2"], 1e-8);
        assert_eq!(freedom as u64, expected["dof"].as_u64().unwrap());
        close(column, p, &expected["p"], 1e-6);
    }
    for (column, expected) in rates.as_object().unwrap() {
        let (codes, names) = levels(set, column);
        let found = weight_of_evidence(&codes, names.len(), positive);
        for (level, name) in found.levels.iter().zip(&names) {
            let Some(expected) = expected.get(name) else { continue };
            assert_eq!(level.rows, expected["n"].as_u64().unwrap(), "{column} {name}");
            let hits = expected.get("churned").or_else(|| expected.get("positives")).unwrap();
            assert_eq!(level.positives, hits.as_u64().unwrap(), "{column} {name}");
        }
    }
}

#[test]
fn categories_tell_as_much_as_expected() {
    if let Some((set, _)) = telco() {
        check(&set, &set.positive("Churn", "Yes"), &set.expected["churn_by"]);
    }
    if let Some((set, _)) = bank() {
        check(&set, &set.positive("y", "yes"), &set.expected["response_by"]);
    }
    if let Some((set, _)) = campaign() {
        check(&set, &set.positive("Response", "1"), &set.expected["response_by"]);
    }
}
