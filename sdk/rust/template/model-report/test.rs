use trellis_sdk::{LearnedBy, ModelReport};

#[test]
fn a_model_says_how_large_it_is() {
    let report = Plugin::describe_model(LearnedBy::Scoring, b"four").unwrap();
    assert_eq!(report.value("model_bytes"), Some(4.0));
}
