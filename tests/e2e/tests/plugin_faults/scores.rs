//! Scores and what is told about them.

use crate::{OUT_OF_TIME, assert_refused, id, runs, server, works_again};

const SCORE: [(&str, &str); 13] = [
    ("score-describe-bands", "band `top` begins at 5, not above `high` at 5"),
    ("score-describe-range", "its range is 101 to 100"),
    ("score-describe-bad-name", "score `Not a name!` is not of the form"),
    ("score-nan", "column `points`: row 49 is NaN"),
    ("score-infinite", "column `points`: row 49 is -inf"),
    ("score-out-of-range", "row 49 is 100.5, outside 0 to 100"),
    ("score-wrong-lengths", "51 values for 50 rows"),
    ("score-missing-column", "0 columns for 1 scores"),
    ("score-wrong-name", "column `marks` where `points` was described"),
    ("score-bad-failed-row", "failed row 50 of 50 rows"),
    ("score-short-validity", "8 validity bytes for 50 rows"),
    ("score-invalid-utf8", "invalid utf-8"),
    ("score-loop", OUT_OF_TIME),
];

#[test]
fn a_bad_score_fails_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    runs::sins_fail_their_run(&api, &SCORE);
    let points = api.get("/api/v1/scores/hostile__points").ok();
    assert_eq!(points["count"], 50, "the scores of the last good run stand: {points}");
}

#[test]
fn bad_words_about_scores_are_refused_when_somebody_asks_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let account = api.get("/api/v1/accounts?limit=1").ok()["data"][0].clone();
    let why = format!("/api/v1/scores/hostile__points/explanations/{}", id(&account));
    let rules = "/api/v1/scores/hostile__points/rules".to_owned();
    for (sin, path, words) in [
        ("score-nan-weight", &why, "row 0: reason `ordinal` weighs NaN"),
        ("score-missing-reasons", &why, "reasons for 0 of 1 rows"),
        ("score-huge-rules", &rules, "rules of 260000 bytes, at most 65536"),
    ] {
        runs::run_well(&api, sin);
        assert_refused(&api, sin, path, words);
        runs::run_well(&api, "none");
        works_again(sin, || api.get(path));
    }
}
