//! How well boosted trees do.

use trellis_mining::boosting::{self, Boosting};
use trellis_mining::logistic::probability;
use trellis_mining::measures::{auc, log_loss};

use crate::data::{Problem, bank, campaign, telco};

fn reached(problem: &Problem, boosting: &Boosting) -> (f64, f64) {
    let (train, positive) = &problem.train;
    let boosted = boosting::fit(train, positive, boosting, 1);
    let (test, positive) = &problem.test;
    let scores: Vec<f64> = boosted.margins(test).into_iter().map(probability).collect();
    (auc(&scores, positive), log_loss(&scores, positive))
}

#[test]
fn boosting_reaches_what_is_asked_of_it() {
    for (set, least) in [(telco(), 0.837), (bank(), 0.759), (campaign(), 0.895)] {
        let Some((_, problem)) = set else { return };
        let (area, _) = reached(&problem, &Boosting::default());
        assert!(area >= least, "{area} is below {least}");
    }
}
