//! Scores against a naive model: runs, single results, flips, roll backs and restarts in any order.

use proptest::prelude::*;
use trellis_model::Scope;

use super::company::{Company, definition, flip_request, run_id, score_definition, segmentation_name};
use crate::generation::GenerationId;
use crate::{Config, DeltaOutcome, Origin, ScoreDelta};

const RISK: &str = "churn_lite__risk";
/// Three blocks.
const ACCOUNTS: usize = 1_100;
const BANDS: [f64; 3] = [0.0, 10.0, 20.0];

#[derive(Debug, Clone)]
enum Step {
    /// Stores a generation, which may replace one that nobody flipped to.
    Store(u64),
    /// A single result of the stored generation, or else of the current one.
    Delta {
        ordinal: usize,
        seed: u64,
        pending: bool,
    },
    /// Many at once, so that they are folded.
    Deltas(u64),
    Flip,
    RollBack,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<u64>().prop_map(Step::Store),
        4 => (0..ACCOUNTS, any::<u64>(), any::<bool>())
            .prop_map(|(ordinal, seed, pending)| Step::Delta { ordinal, seed, pending }),
        1 => any::<u64>().prop_map(Step::Deltas),
        4 => Just(Step::Flip),
        2 => Just(Step::RollBack),
        2 => Just(Step::Restart),
    ]
}

/// Some number: now and then null, a band's edge or nearly it, zero of either sign, whole blocks of one number.
fn number(seed: u64, ordinal: usize) -> Option<f64> {
    let block = (ordinal / 496) as u64;
    let mixed = (seed ^ block.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xd134_2543_de82_ef95);
    let row = (mixed ^ ordinal as u64).wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
    match mixed % 5 {
        0 => Some(15.25),
        1 => None,
        _ => match row % 7 {
            0 => None,
            1 => Some(10.0),
            2 => Some(10.0_f64.next_down()),
            3 => Some(-0.0),
            4 => Some(0.0),
            _ => Some(row as f64 / 3_000.0 - 4.0),
        },
    }
}

fn band(number: Option<f64>) -> i64 {
    number.map_or(0, |number| BANDS.iter().filter(|lowest| **lowest <= number).count().max(1) as i64)
}

/// What should be, kept by hand.
struct Naive {
    generations: Vec<(GenerationId, Vec<Option<f64>>)>,
    current: Option<GenerationId>,
    pending: Option<GenerationId>,
    /// As the log tells, change by change.
    told: Vec<i64>,
    log_number: u64,
}

impl Naive {
    fn numbers(&mut self, generation: GenerationId) -> &mut Vec<Option<f64>> {
        &mut self.generations.iter_mut().find(|(of, _)| *of == generation).unwrap().1
    }

    /// Keeps the current generation, the two newest others, and the one that nobody flipped to yet.
    fn prune(&mut self) {
        let (current, pending) = (self.current, self.pending);
        let is_other = |of: &GenerationId| Some(*of) != current && Some(*of) != pending;
        let mut dropped = self.generations.iter().filter(|(of, _)| is_other(of)).count().saturating_sub(2);
        self.generations.retain(|(of, _)| {
            let drop = dropped > 0 && is_other(of);
            dropped -= usize::from(drop);
            !drop
        });
    }

    async fn assert_same(&mut self, company: &Company) {
        let all = Scope::everything();
        let expected = match self.current {
            Some(current) => self.numbers(current).clone(),
            None => vec![None; ACCOUNTS],
        };
        for (ordinal, expected) in expected.iter().enumerate() {
            let found = company.columns.score_of(&all, RISK, ordinal as u64);
            assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits), "customer {ordinal}");
        }
        let info = company.columns.score(RISK).unwrap();
        let numbers: Vec<f64> = expected.iter().flatten().copied().collect();
        assert_eq!(
            (info.count as usize, info.null_count as usize),
            (numbers.len(), ACCOUNTS - numbers.len())
        );
        assert_eq!(info.minimum, numbers.iter().copied().reduce(f64::min));
        assert_eq!(info.maximum, numbers.iter().copied().reduce(f64::max));
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        assert!(
            numbers.is_empty() == info.mean.is_none() && info.mean.is_none_or(|of| (of - mean).abs() < 1e-9)
        );
        let bands: Vec<i64> = expected.iter().map(|number| band(*number)).collect();
        let counts = info.bands.iter().map(|count| count.count as usize).collect::<Vec<_>>();
        assert_eq!(counts, [1, 2, 3].map(|band| bands.iter().filter(|of| **of == band).count()));
        self.hear(company).await;
        assert_eq!(self.told, bands, "what the log tells");
        company.assert_clean().await;
    }

    /// Follows the events, each of which must know what was before.
    async fn hear(&mut self, company: &Company) {
        loop {
            let Some(last) = company.log_from(self.log_number).await.last().map(|entry| entry.number) else {
                return;
            };
            for event in company.events(self.log_number, "score.crossed").await {
                assert_eq!(event["score"], RISK);
                for change in event["changes"].as_array().unwrap() {
                    let number = |place: usize| change[place].as_i64().unwrap();
                    let told = &mut self.told[number(0) as usize];
                    assert!(*told == number(1) && number(1) != number(2), "{change} after {told}");
                    *told = number(2);
                }
            }
            self.log_number = last;
        }
    }

    async fn apply(&mut self, company: Company, number_of_step: u8, step: Step) -> Company {
        let (columns, origin) = (&company.columns, Origin::system("test"));
        let request = flip_request(run_id(number_of_step), false);
        match step {
            Step::Store(seed) => {
                if let Some(pending) = self.pending.take() {
                    columns.discard(pending).await.unwrap();
                    self.generations.retain(|(of, _)| *of != pending);
                }
                let numbers: Vec<_> = (0..ACCOUNTS).map(|ordinal| number(seed, ordinal)).collect();
                let stored = company.score_generation(run_id(number_of_step), &[(RISK, &numbers)]).await;
                let generation = stored.unwrap();
                self.pending = Some(generation);
                self.generations.push((generation, numbers));
            }
            Step::Delta { ordinal, seed, pending } => {
                let of = if pending { self.pending } else { self.current };
                self.put(&company, of, &[(ordinal, number(seed, ordinal))]).await;
            }
            Step::Deltas(seed) => {
                let deltas: Vec<_> =
                    (0..ACCOUNTS).step_by(37).map(|ordinal| (ordinal, number(seed, ordinal))).collect();
                self.put(&company, self.current, &deltas).await;
            }
            Step::Flip => {
                let Some(generation) = self.pending.take() else { return company };
                columns.flip(generation, request).await.unwrap();
                columns.transitions(generation, &origin).await.unwrap();
                self.current = Some(generation);
                self.prune();
            }
            Step::RollBack => {
                let earlier = |of: &GenerationId| Some(*of) < self.current && Some(*of) != self.pending;
                let earlier = self.generations.iter().map(|(of, _)| *of).filter(earlier).max();
                let flipped = columns.roll_back(&[segmentation_name(RISK)], request).await;
                assert_eq!(flipped.is_ok(), earlier.is_some());
                let Ok(flipped) = flipped else { return company };
                columns.transitions(flipped[0].generation, &origin).await.unwrap();
                self.current = earlier;
            }
            Step::Restart => {
                if let Some(pending) = self.pending.take() {
                    self.generations.retain(|(of, _)| *of != pending);
                }
                return company.restart().await;
            }
        }
        company
    }

    async fn put(&mut self, company: &Company, of: Option<GenerationId>, deltas: &[(usize, Option<f64>)]) {
        let Some(generation) = of else { return };
        let numbers = self.numbers(generation);
        let mut expected = 0;
        for (ordinal, value) in deltas {
            let before = std::mem::replace(&mut numbers[*ordinal], *value);
            expected += usize::from(before.map(f64::to_bits) != value.map(f64::to_bits));
        }
        let delta =
            |(ordinal, value): &(usize, Option<f64>)| ScoreDelta { ordinal: *ordinal as u64, value: *value };
        let deltas: Vec<_> = deltas.iter().map(delta).collect();
        let origin = Origin::system("test");
        let outcome = company.columns.put_score_delta(generation, RISK, &deltas, &origin).await.unwrap();
        assert_eq!(outcome, DeltaOutcome::Written { changed: expected });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn scores_are_what_a_naive_model_says(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut company = Company::with(Config { deltas_max: 20, ..Config::default() }).await;
            company.accounts(ACCOUNTS).await;
            company.columns.define(definition("retail_rfm__class")).await.unwrap();
            company.columns.define_score(score_definition(RISK, &BANDS)).await.unwrap();
            let mut naive = Naive {
                generations: Vec::new(),
                current: None,
                pending: None,
                told: vec![0; ACCOUNTS],
                log_number: company.records.log_head(),
            };
            for (number, step) in steps.into_iter().enumerate() {
                company = naive.apply(company, number as u8, step).await;
                naive.assert_same(&company).await;
            }
            company = company.restart().await;
            naive.assert_same(&company).await;
        });
    }
}
