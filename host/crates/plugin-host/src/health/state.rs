//! The states of a supervised version, as a function of the time that it is told.
//!
//! healthy → (second strike of a function in a row) backing off → (its time is up) trying → healthy, or backing off for twice as long
//! any → (so many strikes within the window) quarantined → (released, or its time is up and one call went well) healthy

use std::collections::{BTreeMap, VecDeque};

use super::Supervision;

/// How a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthState {
    /// It is called.
    Healthy,
    /// It is not called until then.
    BackingOff {
        /// In milliseconds since 1970-01-01T00:00:00Z.
        until_ms: i64,
    },
    /// One call tries whether it works again; others are not made meanwhile.
    Trying,
    /// It is not called.
    Quarantined {
        /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
        since_ms: i64,
        /// When it is tried again; `None` until somebody releases it.
        until_ms: Option<i64>,
    },
}

impl HealthState {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::BackingOff { .. } => "backing-off",
            Self::Trying => "trying",
            Self::Quarantined { .. } => "quarantined",
        }
    }

    /// When it changes by itself, if it does.
    pub fn until_ms(self) -> Option<i64> {
        match self {
            Self::BackingOff { until_ms } => Some(until_ms),
            Self::Quarantined { until_ms, .. } => until_ms,
            Self::Healthy | Self::Trying => None,
        }
    }
}

/// A call that may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    Normally,
    /// What comes of it decides whether others are made.
    OnTrial,
}

/// What a strike did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Struck {
    Counted,
    Quarantined,
}

/// What is known of the faults of a version.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) state: HealthState,
    /// When the strikes were that still count, the oldest first.
    strikes: VecDeque<i64>,
    /// For each function of an interface its strikes without a success of the same function between them: a plugin that learns well and fails whenever
    /// it is asked about customers does not work.
    in_a_row: BTreeMap<(&'static str, &'static str), u32>,
    /// Whether the call on trial comes after a quarantine: a strike leads back there.
    after_quarantine: bool,
}

impl Default for Standing {
    fn default() -> Self {
        let state = HealthState::Healthy;
        Self { state, strikes: VecDeque::new(), in_a_row: BTreeMap::new(), after_quarantine: false }
    }
}

fn milliseconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

impl Standing {
    pub(super) fn quarantined(since_ms: i64, until_ms: Option<i64>) -> Self {
        Self { state: HealthState::Quarantined { since_ms, until_ms }, ..Self::default() }
    }

    pub(super) fn strikes(&self) -> u32 {
        u32::try_from(self.strikes.len()).unwrap_or(u32::MAX)
    }

    /// Whether a call may be made now, beside the one that decides whether others are made.
    pub(super) fn calls(&self, now_ms: i64, limits: &Supervision) -> bool {
        match self.state {
            HealthState::Healthy => true,
            HealthState::Trying => false,
            HealthState::BackingOff { until_ms } => is_over(now_ms, until_ms, limits.backoff_ms_max),
            HealthState::Quarantined { until_ms, .. } => {
                until_ms.is_some_and(|until_ms| is_over(now_ms, until_ms, limits.quarantine_ms))
            }
        }
    }

    /// Whether a call may be made now. Nobody is left alone for longer than the limits say, also where the clock was set back.
    pub(super) fn admit(&mut self, now_ms: i64, limits: &Supervision) -> Option<Admitted> {
        match self.state {
            HealthState::Healthy => Some(Admitted::Normally),
            _ if !self.calls(now_ms, limits) => None,
            HealthState::Quarantined { .. } => self.try_again(true),
            HealthState::BackingOff { .. } | HealthState::Trying => self.try_again(false),
        }
    }

    fn try_again(&mut self, after_quarantine: bool) -> Option<Admitted> {
        self.state = HealthState::Trying;
        self.after_quarantine = after_quarantine;
        Some(Admitted::OnTrial)
    }

    /// A call of a function ended well, or with rows of which only some were poison.
    pub(super) fn succeeded(
        &mut self,
        admitted: Admitted,
        function: (&'static str, &'static str),
        now_ms: i64,
        limits: &Supervision,
    ) {
        if admitted == Admitted::OnTrial && self.state == HealthState::Trying {
            self.state = HealthState::Healthy;
            if std::mem::take(&mut self.after_quarantine) {
                self.strikes.clear();
            }
        }
        if self.state == HealthState::Healthy {
            self.in_a_row.remove(&function);
        }
        let quiet = |last: &i64| now_ms.saturating_sub(*last) >= milliseconds(limits.healthy_ms);
        if self.strikes.back().is_some_and(quiet) {
            self.strikes.clear();
        }
    }

    /// A call on trial came to nothing that says anything of the plugin: the next one tries.
    pub(super) fn undecided(&mut self, admitted: Admitted, now_ms: i64) {
        if admitted == Admitted::OnTrial && self.state == HealthState::Trying {
            self.state = if self.after_quarantine {
                HealthState::Quarantined { since_ms: now_ms, until_ms: Some(now_ms) }
            } else {
                HealthState::BackingOff { until_ms: now_ms }
            };
        }
    }

    /// A strike. One that counts in a row of its function backs off; another only brings quarantine nearer.
    pub(super) fn strike(
        &mut self,
        admitted: Admitted,
        function_in_a_row: Option<(&'static str, &'static str)>,
        now_ms: i64,
        limits: &Supervision,
    ) -> Struck {
        if limits.strikes_max == 0 || matches!(self.state, HealthState::Quarantined { .. }) {
            return Struck::Counted;
        }
        let oldest = now_ms.saturating_sub(milliseconds(limits.strike_window_ms));
        self.strikes.retain(|at| *at > oldest);
        self.strikes.push_back(now_ms);
        let on_trial = admitted == Admitted::OnTrial && self.state == HealthState::Trying;
        if self.strikes() >= limits.strikes_max
            || (on_trial && self.after_quarantine && function_in_a_row.is_some())
        {
            let until_ms =
                (limits.quarantine_ms > 0).then(|| now_ms.saturating_add(milliseconds(limits.quarantine_ms)));
            self.state = HealthState::Quarantined { since_ms: now_ms, until_ms };
            self.after_quarantine = false;
            return Struck::Quarantined;
        }
        let in_a_row = function_in_a_row.map_or(0, |function| {
            let count = self.in_a_row.entry(function).or_default();
            *count = count.saturating_add(1);
            *count
        });
        if in_a_row > 1 {
            self.state = HealthState::BackingOff { until_ms: backs_off_until(in_a_row, now_ms, limits) };
        } else if on_trial {
            self.state = HealthState::Healthy;
        }
        Struck::Counted
    }
}

/// Whether a time is up; one that lies further ahead than `longest_ms` comes from a clock that was set back since.
fn is_over(now_ms: i64, until_ms: i64, longest_ms: u64) -> bool {
    now_ms >= until_ms || until_ms.saturating_sub(now_ms) > milliseconds(longest_ms)
}

fn backs_off_until(in_a_row: u32, now_ms: i64, limits: &Supervision) -> i64 {
    let doublings = in_a_row.saturating_sub(2).min(32);
    let delay = limits.backoff_ms.saturating_mul(1 << doublings).min(limits.backoff_ms_max);
    now_ms.saturating_add(milliseconds(delay))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Supervision = Supervision {
        strikes_max: 5,
        strike_window_ms: 10_000,
        backoff_ms: 100,
        backoff_ms_max: 300,
        healthy_ms: 2_000,
        quarantine_ms: 0,
        bisect_calls_max: 0,
        quiet_wait_ms_max: 0,
        poison_rows_max: 0,
        log_lines_max: 0,
    };

    const ASSIGN: (&str, &str) = ("segmentation", "assign");
    const FIT: (&str, &str) = ("segmentation", "fit");

    /// A call at a time that ends in a strike, and how the version stands then.
    fn strike(standing: &mut Standing, now_ms: i64) -> HealthState {
        let admitted = standing.admit(now_ms, &LIMITS).expect("it may be called");
        standing.strike(admitted, Some(ASSIGN), now_ms, &LIMITS);
        standing.state
    }

    fn success(standing: &mut Standing, now_ms: i64) -> HealthState {
        let admitted = standing.admit(now_ms, &LIMITS).expect("it may be called");
        standing.succeeded(admitted, ASSIGN, now_ms, &LIMITS);
        standing.state
    }

    #[test]
    fn strikes_in_a_row_back_off_for_longer_and_longer() {
        let mut standing = Standing::default();
        assert_eq!(strike(&mut standing, 0), HealthState::Healthy, "one fault is no pattern");
        assert_eq!(strike(&mut standing, 10), HealthState::BackingOff { until_ms: 110 });
        assert_eq!(standing.admit(109, &LIMITS), None);
        assert_eq!(strike(&mut standing, 110), HealthState::BackingOff { until_ms: 310 });
        assert_eq!(strike(&mut standing, 310), HealthState::BackingOff { until_ms: 610 }, "at most 300 ms");
    }

    #[test]
    fn a_function_that_works_does_not_excuse_another() {
        let mut standing = Standing::default();
        strike(&mut standing, 0);
        standing.succeeded(Admitted::Normally, FIT, 5, &LIMITS);
        assert_eq!(strike(&mut standing, 10), HealthState::BackingOff { until_ms: 110 });
        let admitted = standing.admit(110, &LIMITS).unwrap();
        standing.succeeded(admitted, FIT, 111, &LIMITS);
        assert_eq!(standing.state, HealthState::Healthy);
        assert_eq!(
            strike(&mut standing, 120),
            HealthState::BackingOff { until_ms: 320 },
            "the third in a row"
        );
    }

    #[test]
    fn functions_of_one_name_in_two_interfaces_are_two() {
        let mut standing = Standing::default();
        let scoring = ("scoring", "fit");
        standing.strike(Admitted::Normally, Some(scoring), 0, &LIMITS);
        standing.succeeded(Admitted::Normally, FIT, 5, &LIMITS);
        standing.strike(Admitted::Normally, Some(scoring), 10, &LIMITS);
        assert_eq!(standing.state, HealthState::BackingOff { until_ms: 110 });
    }

    #[test]
    fn a_clock_that_is_set_back_leaves_nobody_alone_for_longer() {
        let mut standing = Standing::default();
        strike(&mut standing, 1_000_000);
        assert_eq!(strike(&mut standing, 1_000_000), HealthState::BackingOff { until_ms: 1_000_100 });
        assert_eq!(standing.admit(999_800, &LIMITS), None, "300 ms are possible");
        assert_eq!(standing.admit(5, &LIMITS), Some(Admitted::OnTrial));
        let limits = Supervision { quarantine_ms: 500, ..LIMITS };
        let mut quarantined = Standing::quarantined(1_000_000, Some(1_000_500));
        assert_eq!(quarantined.admit(1_000_000, &limits), None);
        assert_eq!(quarantined.admit(5, &limits), Some(Admitted::OnTrial));
    }

    #[test]
    fn one_call_tries_and_the_others_wait_for_it() {
        let mut standing = Standing::default();
        strike(&mut standing, 0);
        strike(&mut standing, 0);
        assert_eq!(standing.admit(100, &LIMITS), Some(Admitted::OnTrial));
        assert_eq!((standing.state, standing.admit(100, &LIMITS)), (HealthState::Trying, None));
        standing.undecided(Admitted::OnTrial, 101);
        assert_eq!(standing.admit(101, &LIMITS), Some(Admitted::OnTrial), "the next one tries");
        standing.succeeded(Admitted::OnTrial, ASSIGN, 102, &LIMITS);
        assert_eq!((standing.state, standing.strikes()), (HealthState::Healthy, 2));
        assert_eq!(strike(&mut standing, 103), HealthState::Healthy, "the row of strikes was broken");
    }

    #[test]
    fn strikes_within_the_window_quarantine_whatever_goes_well_between() {
        let mut standing = Standing::default();
        for time in [0, 1_000, 2_000, 3_000] {
            assert_eq!(strike(&mut standing, time), HealthState::Healthy);
            assert_eq!(success(&mut standing, time + 1), HealthState::Healthy);
        }
        let quarantined = HealthState::Quarantined { since_ms: 4_000, until_ms: None };
        assert_eq!(strike(&mut standing, 4_000), quarantined);
        assert_eq!(standing.admit(i64::MAX, &LIMITS), None, "until somebody releases it");
    }

    #[test]
    fn a_healthy_time_clears_strikes_and_so_does_the_window() {
        let mut standing = Standing::default();
        strike(&mut standing, 0);
        assert_eq!(success(&mut standing, 1_999), HealthState::Healthy);
        assert_eq!(standing.strikes(), 1);
        success(&mut standing, 2_000);
        assert_eq!(standing.strikes(), 0);
        strike(&mut standing, 3_000);
        strike(&mut standing, 13_000);
        assert_eq!(standing.strikes(), 1, "the first one is out of the window");
    }

    #[test]
    fn a_quarantine_that_ends_by_itself_is_on_probation() {
        let limits = Supervision { quarantine_ms: 500, strikes_max: 2, ..LIMITS };
        let mut standing = Standing::default();
        standing.strike(Admitted::Normally, Some(ASSIGN), 0, &limits);
        assert_eq!(standing.strike(Admitted::Normally, Some(ASSIGN), 0, &limits), Struck::Quarantined);
        assert_eq!(standing.state, HealthState::Quarantined { since_ms: 0, until_ms: Some(500) });
        assert_eq!(standing.admit(499, &limits), None);
        let admitted = standing.admit(500, &limits).unwrap();
        assert_eq!(
            standing.strike(admitted, Some(ASSIGN), 20_000, &limits),
            Struck::Quarantined,
            "one is enough"
        );
        let admitted = standing.admit(20_500, &limits).unwrap();
        standing.succeeded(admitted, ASSIGN, 20_501, &limits);
        assert_eq!((standing.state, standing.strikes()), (HealthState::Healthy, 0));
    }

    #[test]
    fn rows_that_are_poison_do_not_back_off_and_quarantine_only_when_there_are_many() {
        let mut standing = Standing::default();
        for time in 0..4 {
            standing.strike(Admitted::Normally, None, time, &LIMITS);
            assert_eq!(standing.state, HealthState::Healthy);
        }
        assert_eq!(standing.strike(Admitted::Normally, None, 4, &LIMITS), Struck::Quarantined);
    }

    #[test]
    fn without_supervision_nothing_happens() {
        let (mut standing, off) = (Standing::default(), Supervision::off());
        (0..100).for_each(|time| {
            standing.strike(Admitted::Normally, Some(ASSIGN), time, &off);
        });
        assert_eq!((standing.state, standing.strikes()), (HealthState::Healthy, 0));
    }
}
