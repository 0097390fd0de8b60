//! Reading reference sets.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use trellis_mining::encoding::{Encoded, Encoding, Preparation};
use trellis_mining::frame::Frame;

/// A reference set: a table and what other programs found in it.
pub(crate) struct Set {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) expected: Json,
}

fn folder() -> PathBuf {
    let named = std::env::var_os("TRELLIS_REFERENCE_DATA").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"))
}

/// Reads a set; none, with a word, where the data is not there.
pub(crate) fn set(name: &str, file: &str) -> Option<Set> {
    let folder = folder().join(name);
    let Ok(expected) = std::fs::read(folder.join("expected.json")) else {
        eprintln!("skipped: there is no {}", folder.display());
        return None;
    };
    let mut reader = csv::Reader::from_path(folder.join(file)).unwrap();
    Some(Set {
        header: reader.headers().unwrap().iter().map(ToOwned::to_owned).collect(),
        rows: reader.records().map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect()).collect(),
        expected: serde_json::from_slice(&expected).unwrap(),
    })
}

impl Set {
    pub(crate) fn texts(&self, column: &str) -> Vec<&str> {
        let place = self.header.iter().position(|name| name == column).unwrap();
        self.rows.iter().map(|row| row[place].as_str()).collect()
    }

    pub(crate) fn numbers(&self, column: &str) -> Vec<f64> {
        self.texts(column).iter().map(|text| text.trim().parse().unwrap_or(f64::NAN)).collect()
    }

    pub(crate) fn positive(&self, column: &str, value: &str) -> Vec<bool> {
        self.texts(column).iter().map(|text| *text == value).collect()
    }
}

/// A design, its target, and the split of the reference: the last three rows of every ten are held out.
pub(crate) struct Problem {
    pub(crate) encoding: Encoding,
    pub(crate) train: (Encoded, Vec<bool>),
    pub(crate) test: (Encoded, Vec<bool>),
    pub(crate) expected: Json,
}

impl Problem {
    pub(crate) fn new(frame: &Frame, positive: &[bool], expected: &Json) -> Self {
        let encoding = Encoding::learn(frame, &Preparation::default());
        let all = encoding.encode(frame);
        let part = |held: bool| {
            let places: Vec<u32> = (0..frame.rows() as u32).filter(|row| (row % 10 >= 7) == held).collect();
            let of_part = places.iter().map(|place| positive[*place as usize]).collect();
            (all.take(&places), of_part)
        };
        Self { train: part(false), test: part(true), encoding, expected: expected.clone() }
    }
}

pub(crate) fn names(list: &Json) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

pub(crate) fn telco() -> Option<(Set, Problem)> {
    let set = set("telco", "telco_churn.csv")?;
    let model = &set.expected["model"];
    let mut frame = Frame::of(&[]);
    for name in names(&model["numeric"]) {
        // A blank total is that of a customer who came this month.
        let filled = set.numbers(name).into_iter().map(|value| if value.is_nan() { 0.0 } else { value });
        frame.add_numbers(name, filled.collect());
    }
    for name in names(&model["categorical"]) {
        frame.add_texts(name, set.texts(name).into_iter().map(Some));
    }
    let problem = Problem::new(&frame, &set.positive("Churn", "Yes"), model);
    Some((set, problem))
}

pub(crate) fn bank() -> Option<(Set, Problem)> {
    let set = set("bank_marketing", "bank.csv")?;
    let model = &set.expected["without_duration"];
    let mut frame = Frame::of(&[]);
    for name in names(&model["numeric"]) {
        frame.add_numbers(name, set.numbers(name));
    }
    for name in names(&model["categorical"]) {
        frame.add_texts(name, set.texts(name).into_iter().map(Some));
    }
    let problem = Problem::new(&frame, &set.positive("y", "yes"), model);
    Some((set, problem))
}

/// Days since 1970-01-01.
fn day(text: &str) -> f64 {
    f64::from(trellis_sdk::testing::day(text))
}

pub(crate) fn campaign() -> Option<(Set, Problem)> {
    let set = set("marketing_campaign", "marketing_campaign.csv")?;
    let model = &set.expected["model"];
    let mut frame = Frame::of(&[]);
    for name in names(&model["numeric"]) {
        let values = match name {
            "age_2014" => set.numbers("Year_Birth").into_iter().map(|year| 2014.0 - year).collect(),
            "tenure_days" => {
                set.texts("Dt_Customer").into_iter().map(|text| day("2014-12-31") - day(text)).collect()
            }
            "Income" => {
                let median = set.expected["data"]["median_income_used"].as_f64().unwrap();
                let filled = |value: f64| if value.is_nan() { median } else { value };
                set.numbers(name).into_iter().map(filled).collect()
            }
            name => set.numbers(name),
        };
        frame.add_numbers(name, values);
    }
    for name in names(&model["categorical"]) {
        let texts = set.texts(name);
        let common = |text: &&str| texts.iter().filter(|other| *other == text).count() >= 30;
        frame.add_texts(name, texts.iter().map(|text| Some(if common(text) { *text } else { "(other)" })));
    }
    let problem = Problem::new(&frame, &set.positive("Response", "1"), model);
    Some((set, problem))
}

#[track_caller]
pub(crate) fn close(what: &str, found: f64, expected: &Json, tolerance: f64) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what} is expected to be {expected}"));
    let distance = (found - expected).abs();
    assert!(distance <= tolerance * expected.abs().max(1e-9), "{what} is {found}, not {expected}");
}
