use std::sync::Arc;

use crate::generation::{Loaded, check_generation, load_output};
use crate::wait::off_thread;
use crate::{Columns, Result, features};

/// What a check of columns found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Customers whose features were compared with a fresh scan.
    pub feature_rows: u64,
    /// Blocks of all kept generations that were read.
    pub blocks: u64,
    /// What does not agree, each named; the first 1,000.
    pub differences: Vec<String>,
    /// How many differences there are.
    pub differences_total: u64,
}

/// Differences that are named.
const NAMED_MAX: usize = 1_000;

impl CheckReport {
    /// Whether everything agrees.
    pub fn is_clean(&self) -> bool {
        self.differences_total == 0
    }

    fn add(&mut self, differences: Vec<String>) {
        self.differences_total += differences.len() as u64;
        self.differences.extend(differences);
        self.differences.truncate(NAMED_MAX);
    }
}

impl Columns {
    /// Compares warm features with a fresh scan of the events, the blocks of every finished generation with its header, and
    /// the values in memory with the stored ones. Others may write meanwhile.
    ///
    /// # Errors
    /// Those of the store; what does not agree is no error but in the report.
    pub async fn check(self: &Arc<Self>) -> Result<CheckReport> {
        let this = Arc::clone(self);
        off_thread(async move {
            let mut report = CheckReport::default();
            let (rows, differences) = features::compare_with_scan(&this).await?;
            report.feature_rows = rows;
            report.add(differences);
            let _changing = this.results.change.lock().await;
            let state = this.results.state();
            let store = this.records.store().as_ref();
            for (generation, found) in state.generations.iter().filter(|(_, found)| found.header.finished) {
                let (blocks, differences) = check_generation(store, &state, *generation, &found.header).await;
                report.blocks += blocks;
                report.add(differences);
            }
            for output in state.outputs.values() {
                let Some(current) = output.pointer.current else { continue };
                let (name, classes) = (output.name(), output.classes());
                let stored = match state.find_generation(current) {
                    Ok(found) => load_output(store, current, &found.header, output.id, classes, None).await,
                    Err(error) => Err(error),
                };
                let same = stored.is_ok_and(|stored| {
                    let counts = |of: &Loaded, class| of.counts.get(class).copied().unwrap_or(0);
                    let mut of = 1..=classes.count();
                    stored.column == output.loaded.column
                        && of.all(|class| counts(&stored, class) == counts(&output.loaded, class))
                });
                if !same {
                    report.add(vec![format!("`{name}` in memory is not what generation {current} holds")]);
                }
            }
            Ok(report)
        })
        .await
    }
}
