//! Whether what a comparison found lets a version be promoted.

use serde_json::{Value as Json, json};
use trellis_model::{Text, bilingual};

use super::CompareLimits;
use crate::run::report::text;

/// What a comparison found, in the numbers that limits are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) rows: u64,
    pub(crate) rows_changed: u64,
    pub(crate) decisions: u64,
    pub(crate) decisions_changed: u64,
    /// Calls of the new version that failed, and customers and decisions about which it could say nothing.
    pub(crate) faults: u64,
    pub(crate) fuel_before: u64,
    pub(crate) fuel_after: u64,
}

/// Every reason against a promotion; none is none.
pub(crate) fn reasons(figures: &Figures, limits: &CompareLimits) -> Vec<Text> {
    let mut reasons = Vec::new();
    let compared = figures.rows + figures.decisions;
    let least = limits.promote_compared_min;
    if compared < least {
        reasons.push(bilingual!(
            "only {compared} rows and decisions were compared, at least {least} have to be (`engine.compare.promote_compared_min`)",
            "仅比较了 {compared} 行与决策，至少需要 {least}（`engine.compare.promote_compared_min`）"
        ));
    }
    let (changed, rows, max) =
        (figures.rows_changed, figures.rows, limits.promote_rows_changed_per_mille_max);
    if over(changed, rows, max) {
        reasons.push(bilingual!(
            "{changed} of {rows} rows differ, at most {max} in a thousand may (`engine.compare.promote_rows_changed_per_mille_max`)",
            "{rows} 行中有 {changed} 行不同，最多允许千分之 {max}（`engine.compare.promote_rows_changed_per_mille_max`）"
        ));
    }
    let (changed, decisions, max) =
        (figures.decisions_changed, figures.decisions, limits.promote_decisions_changed_per_mille_max);
    if over(changed, decisions, max) {
        reasons.push(bilingual!(
            "{changed} of {decisions} decisions differ, at most {max} in a thousand may (`engine.compare.promote_decisions_changed_per_mille_max`)",
            "{decisions} 项决策中有 {changed} 项不同，最多允许千分之 {max}（`engine.compare.promote_decisions_changed_per_mille_max`）"
        ));
    }
    let (faults, max) = (figures.faults, limits.promote_faults_max);
    if faults > max {
        reasons.push(bilingual!(
            "the new version failed {faults} times, at most {max} times may it (`engine.compare.promote_faults_max`)",
            "新版本失败 {faults} 次，最多允许 {max} 次（`engine.compare.promote_faults_max`）"
        ));
    }
    let (before, after, max) = (figures.fuel_before, figures.fuel_after, limits.promote_fuel_percent_max);
    if before > 0 && u128::from(after) * 100 > u128::from(before) * u128::from(max) {
        let percent = u128::from(after) * 100 / u128::from(before);
        reasons.push(bilingual!(
            "the new version uses {percent} % of the fuel, at most {max} % may it (`engine.compare.promote_fuel_percent_max`)",
            "新版本的 fuel 用量为原来的 {percent}%，最多允许 {max}%（`engine.compare.promote_fuel_percent_max`）"
        ));
    }
    reasons
}

fn over(changed: u64, of: u64, per_mille_max: u64) -> bool {
    u128::from(changed) * 1_000 > u128::from(of) * u128::from(per_mille_max)
}

/// The figures with what they mean for a promotion.
pub(crate) fn verdict(figures: &Figures, limits: &CompareLimits) -> (Json, Vec<Text>) {
    let against = reasons(figures, limits);
    let shown = json!({
        "may_be_promoted": against.is_empty(),
        "against": against.iter().map(text).collect::<Vec<_>>(),
        "rows": figures.rows,
        "rows_changed": figures.rows_changed,
        "decisions": figures.decisions,
        "decisions_changed": figures.decisions_changed,
        "faults": figures.faults,
    });
    (shown, against)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_reached_and_named() {
        let limits = CompareLimits::default();
        let good = Figures {
            rows: 1_000,
            rows_changed: 5,
            decisions: 1_000,
            decisions_changed: 5,
            faults: 0,
            fuel_before: 100,
            fuel_after: 200,
        };
        assert_eq!(reasons(&good, &limits), []);
        let check = |figures: Figures, key: &str| {
            let [reason] = reasons(&figures, &limits).try_into().unwrap();
            assert!(reason.en.contains(key) && reason.zh_cn.contains(key), "{reason:?}");
        };
        check(Figures { rows_changed: 6, ..good }, "promote_rows_changed_per_mille_max");
        check(Figures { decisions_changed: 6, ..good }, "promote_decisions_changed_per_mille_max");
        check(Figures { faults: 1, ..good }, "promote_faults_max");
        check(Figures { fuel_after: 201, ..good }, "promote_fuel_percent_max");
        check(Figures { rows: 99, ..Figures::default() }, "promote_compared_min");
    }
}
