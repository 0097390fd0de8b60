//! Random histories of a whole server beside a model that does everything the slow way: creates, updates, deletes, restores, merges,
//! undos, bulk edits and schema changes. At the end records, indexes, roll-ups, full-text search and the log must tell the same.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic in a helper fails the test that called it"
)]

mod checks;
mod model;
mod steps;

use proptest::prelude::*;

use crate::model::Model;
use crate::steps::{World, step};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_history_leaves_what_the_model_says(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            let mut model = Model::default();
            for step in &steps {
                world.make(&mut model, step).await;
            }
            checks::everything(&world, &model).await;
        });
    }
}
