//! Learning from made-up customers: what holds whatever the data.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use trellis_mining::encoding::{Encoding, Preparation};
use trellis_mining::frame::Frame;
use trellis_mining::learner::{self, Choice, Learned, Settings, effect_reason, effects};
use trellis_mining::logistic::{self, Penalty};
use trellis_mining::measures::{auc, deciles};
use trellis_mining::tree::{Growth, grow_exact};
use trellis_sdk::testing::{BatchBuilder, context, split};
use trellis_sdk::{ModelReader, ModelWriter, PluginError, Rng};

fn customers(rows: usize) -> (Frame, Vec<Option<bool>>, Vec<u64>) {
    let mut rng = Rng::from_seed(3);
    let bills: Vec<f64> = (0..rows).map(|_| rng.unit() * 100.0).collect();
    let plans: Vec<&str> =
        (0..rows).map(|_| ["month", "year", "never seen again"][rng.below(2) as usize]).collect();
    let left = bills.iter().zip(&plans).map(|(bill, plan)| {
        let odds = if *plan == "month" { 0.1 + bill / 200.0 } else { 0.05 };
        Some(rng.unit() < odds)
    });
    let left: Vec<Option<bool>> = left.collect();
    let mut frame = Frame::of(&[]);
    frame.add_numbers(
        "bill",
        bills.iter().enumerate().map(|(row, bill)| if row % 11 == 5 { f64::NAN } else { *bill }).collect(),
    );
    frame.add_texts("plan", plans.into_iter().map(Some));
    frame.add_numbers("constant", vec![7.0; rows]);
    (frame, left, (0..rows as u64).collect())
}

fn learned(choice: Choice) -> (Frame, Learned) {
    let (frame, left, ordinals) = customers(600);
    let settings = Settings { model: choice, min_leaf: 10, ..Settings::default() };
    let learned = learner::learn(&frame, &left, &ordinals, &settings, 1).unwrap();
    (frame, learned)
}

#[test]
fn every_model_reads_back_and_says_the_same() {
    for choice in [Choice::Logistic, Choice::Tree, Choice::Boosting, Choice::Best] {
        let (frame, learned) = learned(choice);
        assert!(learned.evaluation.is_held_out);
        assert!(learned.evaluation.quality.auc > 0.65, "{choice:?}: {}", learned.evaluation.quality.auc);
        let bytes = learned.write(ModelWriter::new(1)).finish();
        let mut reader = ModelReader::new(&bytes, 1).unwrap();
        let again = Learned::read(&mut reader).unwrap();
        reader.finish().unwrap();
        assert_eq!(again, learned);
        assert!(learned.probabilities(&frame).iter().all(|score| (0.0..=1.0).contains(score)));
        for cut in (0..bytes.len()).step_by(97) {
            let read = ModelReader::new(&bytes[..cut], 1).and_then(|mut reader| Learned::read(&mut reader));
            assert!(matches!(read, Err(PluginError::UnreadableModel(_))), "cut to {cut} bytes");
        }
    }
}

#[test]
fn effects_name_what_matters_and_constants_do_nothing() {
    for choice in [Choice::Logistic, Choice::Tree, Choice::Boosting] {
        let (frame, learned) = learned(choice);
        let effects = effects(&learned, &frame);
        assert_eq!(effects.len(), 600);
        for found in &effects {
            assert!(found.is_sorted_by(|one, next| one.change.abs() >= next.change.abs()));
            assert!(found.iter().all(|effect| learned.encoding.features[effect.feature].name != "constant"));
        }
        let first = &learned.encoding.features[effects[0][0].feature].name;
        assert!(["bill", "plan"].contains(&first.as_str()));
    }
}

#[test]
fn values_that_training_did_not_meet_have_a_probability_and_a_word() {
    let (_, learned) = learned(Choice::Logistic);
    let mut other = Frame::of(&[]);
    other.add_numbers("bill", vec![f64::NAN, 1e12]);
    other.add_texts("plan", [Some("decade"), None]);
    other.add_numbers("constant", vec![f64::NAN, -3.0]);
    let scores = learned.probabilities(&other);
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    let words: Vec<_> = effects(&learned, &other).remove(0).into_iter().map(|one| one.finding.en).collect();
    assert!(words.iter().any(|word| word.contains("a value that training did not meet")), "{words:?}");
}

#[test]
fn data_that_teaches_nothing_is_named() {
    let (frame, mut left, ordinals) = customers(40);
    let learn = |left: &[Option<bool>]| {
        learner::learn(&frame, left, &ordinals, &Settings::default(), 1).unwrap_err().to_string()
    };
    assert!(learn(&[None; 40]).contains("known of no customer"));
    assert!(learn(&[Some(true); 40]).contains("of every customer is positive"));
    assert!(learn(&[Some(false); 40]).contains("of no customer is positive"));
    left.truncate(40);
    let none = learner::learn(&Frame::of(&[]), &left, &ordinals, &Settings::default(), 1);
    assert!(matches!(none, Err(PluginError::InvalidConfig(_))));
}

#[test]
fn sixty_customers_are_enough_to_boost() {
    let mut frame = Frame::of(&[]);
    frame.add_numbers("bill", (0..60).map(f64::from).collect());
    let left: Vec<Option<bool>> = (0..60).map(|row| Some(row >= 30)).collect();
    let ordinals: Vec<u64> = (0..60).collect();
    let settings = Settings { model: Choice::Boosting, holdout_percent: 0.0, ..Settings::default() };
    let learned = learner::learn(&frame, &left, &ordinals, &settings, 1).unwrap();
    let scores = learned.probabilities(&frame);
    assert!(scores[55] > scores[5] + 0.2, "{} and {}", scores[55], scores[5]);
}

#[test]
fn rules_and_reasons_read_as_people_say_it() {
    let batch = BatchBuilder::new(0..60)
        .boolean("features.uses", (0..60).map(|row| Some(row % 3 == 0)))
        .date("features.since", (0..60).map(|row| Some(context().as_of - 10 * row)))
        .lists("features.tags", (0..60).map(|row| Some(if row % 2 == 0 { vec!["vip"] } else { vec![] })))
        .build();
    let names: Vec<String> = batch.column_names().map(ToOwned::to_owned).collect();
    let frame = Frame::read(&names, &batch, &context()).unwrap();
    let ordinals: Vec<u64> = (0..60).collect();
    let rules = |left: &dyn Fn(i32) -> bool| {
        let left: Vec<Option<bool>> = (0..60).map(|row| Some(left(row))).collect();
        let settings =
            Settings { model: Choice::Tree, min_leaf: 5, holdout_percent: 0.0, ..Settings::default() };
        let learned = learner::learn(&frame, &left, &ordinals, &settings, 1).unwrap();
        let trellis_mining::learner::Predictor::Tree(tree) = &learned.predictor else { panic!("a tree") };
        let rules: Vec<_> = tree.rules(&learned.encoding).iter().map(|rule| rule.text()).collect();
        let effect = effects(&learned, &frame).remove(3).remove(0);
        (rules, effect_reason(&effect, ("risk", "风险")))
    };
    let (uses, why) = rules(&|row| row % 3 == 0);
    assert_eq!((uses[0].en.as_str(), uses[0].zh_cn.as_str()), ("uses: no", "uses：否"));
    assert_eq!(uses[1].en, "uses: yes");
    assert_eq!(
        (why.code.as_str(), why.text.en.as_str()),
        ("raises-uses", "uses: yes: raises the risk by 66.7 points")
    );
    let (since, why) = rules(&|row| row >= 30);
    assert_eq!(
        (since[0].en.as_str(), since[1].en.as_str()),
        ("since at most 295 days ago", "since more than 295 days ago")
    );
    assert_eq!(since[1].zh_cn, "since距今超过 295 天");
    assert_eq!(why.text.en, "since was 30 days ago: lowers the risk by 50 points");
    let (tags, why) = rules(&|row| row % 2 == 0);
    assert_eq!(
        (tags[0].en.as_str(), tags[1].en.as_str()),
        ("tags does not contain vip", "tags contains vip")
    );
    assert_eq!(why.code, "lowers-tags");
}

#[test]
fn three_customers_are_learned_from_and_the_report_says_so() {
    let (frame, _, ordinals) = customers(3);
    let left = [Some(true), Some(false), Some(false)];
    for model in [Choice::Logistic, Choice::Tree, Choice::Boosting, Choice::Best] {
        let settings = Settings { model, ..Settings::default() };
        let learned = learner::learn(&frame, &left, &ordinals, &settings, 1).unwrap();
        assert!(!learned.evaluation.is_held_out);
        let scores = learned.probabilities(&frame);
        assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
    }
}

#[test]
fn classes_that_can_be_separated_are_noticed() {
    let mut frame = Frame::of(&[]);
    frame.add_numbers("bill", (0..50).map(f64::from).collect());
    let encoding = Encoding::learn(&frame, &Preparation::default());
    let left: Vec<bool> = (0..50).map(|row| row >= 30).collect();
    let fitted = logistic::fit(&encoding.encode(&frame), &left, Penalty::None).unwrap();
    assert!(fitted.is_separated && fitted.iterations < 20, "{} steps towards nothing", fitted.iterations);
    let fitted = logistic::fit(&encoding.encode(&frame), &left, Penalty::Ridge { c: 1.0 }).unwrap();
    assert!(!fitted.is_separated);
    let known: Vec<Option<bool>> = left.into_iter().map(Some).collect();
    let settings = Settings { model: Choice::Logistic, ..Settings::default() };
    let learned = learner::learn(&frame, &known, &(0..50).collect::<Vec<_>>(), &settings, 1).unwrap();
    assert!(learned.evaluation.logistic.unwrap().is_separated);
    assert!(learned.probabilities(&frame).is_sorted());
}

#[test]
fn batches_of_any_size_make_the_same_frame() {
    let batch = BatchBuilder::new(0..5)
        .dictionary("features.plan", [Some("b"), None, Some("a"), Some("b"), Some("c")])
        .date("features.since", [Some(10), Some(0), None, Some(3), Some(4)])
        .money("features.bill", "CNY", [Some(100), None, Some(250), Some(0), Some(-5)])
        .boolean("features.uses", [Some(true), Some(false), None, Some(true), Some(true)])
        .lists("features.tags", [Some(vec!["x", "y"]), None, Some(vec!["y"]), Some(vec![]), Some(vec!["z"])])
        .build();
    let names: Vec<String> = batch.column_names().map(ToOwned::to_owned).collect();
    let encoded = |size: usize| {
        let mut frame = Frame::of(&names);
        for piece in split(&batch, size) {
            frame.push(&piece, &context()).unwrap();
        }
        let encoding = Encoding::learn(&frame, &Preparation::default());
        (encoding.encode(&frame), encoding)
    };
    let whole = encoded(5);
    for size in 1..5 {
        assert_eq!(encoded(size), whole);
    }
    let titles: Vec<_> = whole.1.features.iter().map(|feature| feature.title().en).collect();
    assert_eq!(
        titles,
        [
            "plan",
            "since",
            "since is missing",
            "bill",
            "bill is missing",
            "uses",
            "uses is missing",
            "tags contains x",
            "tags contains y",
            "tags contains z"
        ]
    );
}

proptest! {
    /// Every row is in exactly one leaf, leaves are as large as asked, and their values are the means of their rows.
    #[test]
    fn leaves_divide_the_rows(values in prop::collection::vec((-3_i8..3, 0_u8..4, 0_u8..2), 2..80), min_leaf in 1_usize..6) {
        let mut frame = Frame::of(&[]);
        frame.add_numbers("x", values.iter().map(|row| f64::from(row.0)).collect());
        let texts = ["a", "b", "c", "d"];
        frame.add_texts("t", values.iter().map(|row| Some(texts[usize::from(row.1)])));
        let encoding = Encoding::learn(&frame, &Preparation::default());
        let rows = encoding.encode(&frame);
        let target: Vec<f64> = values.iter().map(|row| f64::from(row.2)).collect();
        let tree = grow_exact(&rows, &target, &Growth { min_leaf, ..Growth::default() });
        let leaves = tree.leaves_of(&rows);
        for rule in tree.rules(&encoding) {
            let members: Vec<f64> = leaves.iter().zip(&target).filter(|(leaf, _)| **leaf == rule.node).map(|(_, value)| *value).collect();
            prop_assert_eq!(members.len() as u64, rule.rows);
            prop_assert!(members.len() >= min_leaf.min(values.len()));
            prop_assert!((members.iter().sum::<f64>() / members.len() as f64 - rule.value).abs() < 1e-12);
        }
        prop_assert_eq!(tree.leaves().iter().map(|leaf| tree.nodes[*leaf].rows).sum::<u64>(), values.len() as u64);
    }

    /// The area is the share of pairs that are in order, and tenths hold every row once.
    #[test]
    fn measures_agree_with_their_definitions(rows in prop::collection::vec((0_u8..6, any::<bool>()), 1..60)) {
        let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 7.0).collect();
        let positive: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let (mut pairs, mut won) = (0.0, 0.0);
        for (one, hit) in rows.iter().filter(|row| row.1).map(|row| (row.0, row.1)) {
            for other in rows.iter().filter(|row| !row.1) {
                pairs += 1.0;
                won += if one > other.0 { 1.0 } else if one == other.0 { 0.5 } else { 0.0 };
            }
            prop_assert!(hit);
        }
        let expected = if pairs == 0.0 { 0.5 } else { won / pairs };
        prop_assert!((auc(&scores, &positive) - expected).abs() < 1e-12);
        let tenths = deciles(&scores, &positive);
        prop_assert_eq!(tenths.iter().map(|tenth| tenth.rows).sum::<u64>(), rows.len() as u64);
    }
}
