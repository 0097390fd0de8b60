//! What reference results say of a learned model, against the report and the scores that the server shows.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::support::{World, close, column, metric};

/// A set of the reference data as customers of a server, and a plugin that learns from them.
pub(crate) struct Learning<'a> {
    pub(crate) world: &'a World,
    pub(crate) plugin: &'a str,
    pub(crate) score: &'a str,
    pub(crate) config: Json,
    /// The model's part of the reference.
    pub(crate) wanted: &'a Json,
    pub(crate) rows: usize,
}

pub(crate) fn number(value: &Json) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A column of words as texts.
#[track_caller]
pub(crate) fn words(report: &Json, panel: &str, name: &str) -> Vec<String> {
    column(report, panel, name).iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect()
}

impl Learning<'_> {
    /// Learns once more with some settings changed, and returns the report.
    #[track_caller]
    pub(crate) fn learn(&self, changes: &Json) -> Json {
        let mut config = self.config.clone();
        for (name, value) in changes.as_object().unwrap() {
            config[name] = value.clone();
        }
        let path = format!("/api/v1/plugins/{}/run", self.plugin);
        let job = self.world.api.wait_for_job(self.world.api.post(&path, &json!({ "config": config })));
        assert_eq!(job["state"], "succeeded", "{job}");
        self.world.report(self.plugin)
    }

    /// Maximum likelihood: every figure, the lift table, and the scores of the first customers held out.
    pub(crate) fn check_logistic(&self) {
        let report = self.learn(&json!({ "model": "logistic" }));
        let wanted = &self.wanted["logistic_unpenalised"];
        let figures = [
            ("train_log_likelihood", "train_loglik"),
            ("null_log_likelihood", "null_loglik"),
            ("rank", "rank_with_intercept"),
        ];
        for (name, key) in figures {
            close(metric(&report, name), number(&wanted[key]), 1e-6, 0.0, name);
        }
        for (name, key) in
            [("train_rows", "n_train"), ("test_rows", "n_test"), ("train_positives", "positives_train")]
        {
            assert_eq!(metric(&report, name), number(&self.wanted[key]), "{name}");
        }
        self.check_quality(&report, &wanted["test"], 1e-6);
        close(
            metric(&report, "top_decile_lift"),
            number(&wanted["test"]["top_decile_lift"]),
            1e-6,
            0.0,
            "lift",
        );
        let tenths = wanted["test"]["deciles"].as_array().unwrap();
        assert_eq!(tenths.len(), 10);
        for (place, tenth) in tenths.iter().enumerate() {
            for (name, key, scale) in [
                ("customers", "n", 1.0),
                ("positives", "positives", 1.0),
                ("rate", "rate", 100.0),
                ("lift", "lift", 1.0),
                ("cumulative_lift", "cum_lift", 1.0),
            ] {
                let found = number(&column(&report, "lift", name)[place]);
                close(found, scale * number(&tenth[key]), 1e-6, 1e-9, &format!("{name} of tenth {place}"));
            }
            let found = number(&column(&report, "gains", "found")[place + 1]);
            close(found, 100.0 * number(&tenth["cum_gain"]), 1e-6, 1e-9, "gains");
        }
        let scores = self.world.numbers(self.score, self.rows);
        let held: Vec<f64> = scores
            .into_iter()
            .enumerate()
            .filter(|(row, _)| row % 10 >= 7)
            .map(|(_, score)| score / 100.0)
            .collect();
        assert_eq!(held.len() as f64, number(&self.wanted["n_test"]));
        let first = wanted["scores_first10_test"].as_array().unwrap();
        assert_eq!(first.len(), 10);
        for (score, wanted) in held.iter().zip(first) {
            close(*score, number(wanted), 1e-6, 1e-9, "score");
        }
        let mean = held.iter().sum::<f64>() / held.len() as f64;
        close(mean, number(&wanted["test"]["mean_score"]), 1e-6, 0.0, "mean score");
    }

    /// The ridge regression: its unique coefficients by name.
    pub(crate) fn check_ridge(&self) {
        let wanted = &self.wanted["logistic_l2"];
        let report =
            self.learn(&json!({ "model": "logistic", "penalty": "ridge", "penalty_c": wanted["C"] }));
        let names = words(&report, "weights", "column");
        let coefficients = column(&report, "weights", "standardised");
        let found: BTreeMap<&str, f64> =
            names.iter().map(String::as_str).zip(coefficients.iter().map(number)).collect();
        let all = wanted["coefficients"].as_object().unwrap();
        assert_eq!(found.len(), all.len(), "{names:?}");
        for (name, coefficient) in all {
            let found = found.get(name.as_str()).unwrap_or_else(|| panic!("no `{name}` in {names:?}"));
            close(*found, number(coefficient), 1e-3, 1e-5, name);
        }
        self.check_quality(&report, &wanted["test"], 1e-4);
    }

    /// The tree: the same leaves, the same first question and nearly the same area.
    pub(crate) fn check_tree(&self) {
        let wanted = &self.wanted["tree"];
        let (depth, leaf) = (&wanted["max_depth"], &wanted["min_samples_leaf"]);
        let report = self.learn(&json!({ "model": "tree", "max_depth": depth, "min_leaf": leaf }));
        let (customers, values) =
            (column(&report, "leaves", "customers"), column(&report, "leaves", "value"));
        let mut found: Vec<(u64, u64)> = customers
            .iter()
            .zip(&values)
            .map(|(rows, value)| (number(rows) as u64, (number(rows) * number(value) / 100.0).round() as u64))
            .collect();
        found.sort_unstable();
        let leaves = wanted["leaves"].as_array().unwrap();
        let counts = leaves.iter().map(|leaf| (number(&leaf["n"]) as u64, number(&leaf["positives"]) as u64));
        let mut counts: Vec<(u64, u64)> = counts.collect();
        counts.sort_unstable();
        assert_eq!(found, counts);
        assert_eq!(found.len() as f64, number(&wanted["n_leaves"]));
        self.check_first_question(&report);
        // Two columns that divide the training rows alike divide those held out a little differently.
        close(metric(&report, "auc"), number(&wanted["test"]["auc"]), 0.0, 2e-4, "area of the tree");
        close(metric(&report, "accuracy"), number(&wanted["test"]["accuracy"]), 1e-6, 0.0, "accuracy");
        close(metric(&report, "brier"), number(&wanted["test"]["brier"]), 1e-3, 0.0, "brier");
        self.check_importance(&report);
    }

    /// The root divides the customers as the reference says, by the field that it says.
    fn check_first_question(&self, report: &Json) {
        let split = &self.wanted["tree"]["top_split"];
        let parents = column(report, "tree", "parent");
        let below: Vec<usize> =
            (0..parents.len()).filter(|node| parents[*node] == column(report, "tree", "node")[0]).collect();
        assert_eq!(below.len(), 2);
        let (rows, values) = (column(report, "tree", "customers"), column(report, "tree", "value"));
        for (node, side) in below.iter().zip(["left", "right"]) {
            assert_eq!(number(&rows[*node]), number(&split[format!("{side}_n")]), "{side}");
            let rate = 100.0 * number(&split[format!("{side}_positive_rate")]);
            close(number(&values[*node]), rate, 1e-6, 0.0, side);
        }
        let feature = split["feature"].as_str().unwrap();
        let asked = feature.split('=').next().unwrap();
        let condition = &words(report, "tree", "condition")[below[1]];
        assert!(condition.starts_with(asked), "`{condition}` does not ask {asked}");
        if let Some((_, level)) = feature.split_once('=') {
            assert!(condition.contains(level), "`{condition}` does not name {level}");
        }
    }

    /// The importance of a field is that of all its 0/1 columns. Where two fields divide the customers of a node alike, either may have the gain: what
    /// fields are called is compared for the first one only.
    fn check_importance(&self, report: &Json) {
        let mut by_field: BTreeMap<&str, f64> = BTreeMap::new();
        for (column, share) in self.wanted["tree"]["feature_importance_gini"].as_object().unwrap() {
            *by_field.entry(column.split('=').next().unwrap()).or_default() += 100.0 * number(share);
        }
        let mut wanted: Vec<(&str, f64)> = by_field.into_iter().collect();
        wanted.sort_by(|one, other| other.1.total_cmp(&one.1));
        let found: Vec<f64> =
            column(report, "importance", "share").iter().map(number).filter(|share| *share > 0.0).collect();
        assert_eq!(words(report, "importance", "feature")[0], wanted[0].0);
        assert_eq!(found.len(), wanted.len(), "{found:?} {wanted:?}");
        for (found, (name, share)) in found.iter().zip(wanted) {
            close(*found, share, 1e-4, 0.01, name);
        }
    }

    fn check_quality(&self, report: &Json, wanted: &Json, tolerance: f64) {
        for (name, key) in [
            ("auc", "auc"),
            ("gini", "gini"),
            ("ks", "ks"),
            ("brier", "brier"),
            ("log_loss", "logloss"),
            ("accuracy", "accuracy"),
            ("precision", "precision"),
            ("recall", "recall"),
        ] {
            close(metric(report, name), number(&wanted[key]), tolerance, 0.0, name);
        }
    }

    /// The best model that the plugin finds: at least this area, with calibration and reasons for every score.
    pub(crate) fn check_best(&self, area: f64) {
        let report = self.learn(&json!({}));
        assert!(metric(&report, "auc") >= area, "{}", metric(&report, "auc"));
        assert_eq!(metric(&report, "held_out"), 1.0);
        let groups = column(&report, "calibration", "customers");
        assert_eq!(groups.iter().map(number).sum::<f64>(), metric(&report, "test_rows"));
        let observed = column(&report, "calibration", "observed");
        assert!(number(&observed[observed.len() - 1]) > number(&observed[0]) + 20.0, "{observed:?}");
        let name = self.score.strip_prefix("score.").unwrap();
        let accounts = self.world.api.get("/api/v1/accounts?limit=5&fields=external_id").ok();
        for account in accounts["data"].as_array().unwrap() {
            let path = format!("/api/v1/scores/{name}/explanations/{}", account["id"].as_str().unwrap());
            let why = self.world.api.get(&path).ok();
            let reasons = why["reasons"].as_array().unwrap();
            assert!((1..=5).contains(&reasons.len()), "{why}");
            let chinese = self.world.api.in_language("zh-CN").get(&path).ok();
            assert!(chinese["reasons"][0]["text"].as_str().unwrap().contains("个百分点"), "{chinese}");
            assert!(reasons[0]["code"].as_str().unwrap().contains('-'), "the code names the field: {why}");
        }
    }
}

/// Every value of every choice that the reference has, with its weight of evidence where it has that, against the report of the response model.
pub(crate) fn check_evidence(report: &Json, expected: &Json, rates: &str) {
    let (features, values) = (words(report, "evidence", "feature"), words(report, "evidence", "value"));
    let place = |feature: &str, value: &str| {
        let found = features.iter().zip(&values).position(|(one, other)| one == feature && other == value);
        found.unwrap_or_else(|| panic!("no {feature} = {value}"))
    };
    let at = |name: &str, place: usize| number(&column(report, "evidence", name)[place]);
    let mut compared = 0;
    for (feature, levels) in expected[rates].as_object().unwrap() {
        for (level, wanted) in levels.as_object().unwrap() {
            let place = place(feature, level);
            assert_eq!(at("customers", place), number(&wanted["n"]), "{feature} {level}");
            let hits = wanted.get("churned").or_else(|| wanted.get("positives")).unwrap();
            assert_eq!(at("responses", place), number(hits), "{feature} {level}");
            close(at("rate", place), 100.0 * number(&wanted["rate"]), 1e-6, 0.0, level);
            compared += 1;
        }
    }
    for (feature, wanted) in expected["woe_all_rows"].as_object().into_iter().flatten() {
        for (level, of_level) in wanted["levels"].as_object().unwrap() {
            let place = place(feature, level);
            close(at("weight", place), number(&of_level["woe"]), 1e-6, 0.0, level);
            close(at("information", place), number(&wanted["iv"]), 1e-6, 0.0, feature);
            compared += 1;
        }
    }
    let features = words(report, "association", "feature");
    for (feature, wanted) in expected["tests"].as_object().unwrap() {
        let place =
            features.iter().position(|found| found == feature).unwrap_or_else(|| panic!("no {feature}"));
        for (name, key, tolerance) in [
            ("chi_square", "chi2", 1e-6),
            ("freedom", "dof", 0.0),
            ("p", "p", 1e-6),
            ("cramers_v", "cramers_v", 1e-6),
        ] {
            let found = number(&column(report, "association", name)[place]);
            close(found, number(&wanted[key]), tolerance, 0.0, &format!("{key} of {feature}"));
        }
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} figures were there to compare");
}
