//! One supervised version.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;
use trellis_model::Text;

use super::metrics::{Collected, Size};
use super::state::{Admitted, Standing, Struck};
use super::{
    Health, HealthChange, HealthState, LastFault, LoggedLine, PluginMetrics, PoisonRow, Quarantine, RowKey,
    Supervision, Wards,
};
use crate::call::Call;
use crate::manifest::Interface;
use crate::{CallStats, Digest, Error, Fault, LogLine, PluginVersion};

/// Runs of which it is remembered that they struck.
const RUNS_REMEMBERED_MAX: usize = 64;
/// Characters of a fault's text that are remembered.
const REASON_CHARACTERS_MAX: usize = 2_000;

/// What is known of one version.
#[derive(Debug)]
pub(crate) struct Ward {
    plugin: PluginVersion,
    digest: Digest,
    standing: Mutex<Struckable>,
    measured: Mutex<Measured>,
}

#[derive(Debug, Default)]
struct Struckable {
    standing: Standing,
    /// How functions stand that count for themselves: see [`is_apart`].
    apart: BTreeMap<(&'static str, &'static str), Standing>,
    last_fault: Option<LastFault>,
    /// Runs that struck, the oldest first: one strike a run and function.
    runs: VecDeque<(String, &'static str)>,
    poison: VecDeque<PoisonRow>,
    poison_total: u64,
    strikes_total: u64,
    refused: u64,
}

#[derive(Debug, Default)]
struct Measured {
    functions: BTreeMap<(&'static str, &'static str), Collected>,
    lines: VecDeque<LoggedLine>,
    lines_dropped: u64,
}

/// The right to make one call. Whatever comes of the call is said to it; dropped without a word, the call says nothing of the plugin.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    ward: &'a Ward,
    wards: &'a Wards,
    admitted: Admitted,
    /// Interface and function.
    function: (&'static str, &'static str),
    settled: bool,
}

/// A row that was found to be poison.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) key: RowKey,
    pub(crate) reason: Text,
}

/// Whether the faults of a function keep nobody from the plugin's others: nobody's work waits for what plugins show and answer, so that a
/// question which fails must not cost those who wait for a decision.
fn is_apart((interface, _): (&'static str, &'static str)) -> bool {
    interface == Interface::Analysis.name() || interface == Interface::ModelReport.name()
}

impl Ward {
    pub(super) fn new(plugin: PluginVersion, digest: Digest) -> Self {
        Self { plugin, digest, standing: Mutex::default(), measured: Mutex::default() }
    }

    pub(crate) fn plugin(&self) -> &PluginVersion {
        &self.plugin
    }

    /// Lets a call of a function of an interface through, or says until when there is none.
    pub(crate) fn admit<'a>(
        &'a self,
        wards: &'a Wards,
        function: (&'static str, &'static str),
    ) -> Result<Pass<'a>, Error> {
        let mut known = self.standing.lock();
        match known.admit(function, wards) {
            Ok(admitted) => Ok(Pass { ward: self, wards, admitted, function, settled: false }),
            Err(state) => {
                known.refused += 1;
                Err(Error::Unavailable {
                    plugin: self.plugin.clone(),
                    state: state.as_str(),
                    until_ms: state.until_ms(),
                    reason: known.last_fault.as_ref().map(|last| last.reason.clone()).unwrap_or_default(),
                })
            }
        }
    }

    /// Has a run strike anew: whoever tries something again begins another attempt.
    pub(crate) fn begin_attempt(&self, run: &str) {
        self.standing.lock().runs.retain(|(known, _)| known != run);
    }

    /// Writes down what a call was like.
    pub(crate) fn measure(
        &self,
        wards: &Wards,
        interface: &'static str,
        call: &Call<'_>,
        (logs, stats): (&[LogLine], &CallStats),
        fault: Option<&Fault>,
    ) {
        let at_ms = if logs.is_empty() { 0 } else { wards.now_ms() };
        let mut measured = self.measured.lock();
        let size = Size { rows: call.rows, bytes: call.bytes };
        measured.functions.entry((interface, call.function)).or_default().add(size, stats, fault);
        let lines_max = wards.limits().log_lines_max;
        let kept = logs.len().min(lines_max);
        let skipped = logs.len() - kept;
        let room = lines_max - kept;
        let over = measured.lines.len().saturating_sub(room);
        measured.lines.drain(..over);
        measured.lines_dropped += (over + skipped) as u64;
        let logged = |line: &LogLine| LoggedLine { at_ms, function: call.function, line: line.clone() };
        measured.lines.extend(logs.iter().skip(skipped).map(logged));
    }

    pub(crate) fn health(&self) -> Health {
        let known = self.standing.lock();
        Health {
            plugin: self.plugin.clone(),
            digest: self.digest,
            state: known.standing.state,
            strikes: known.standing.strikes(),
            last_fault: known.last_fault.clone(),
        }
    }

    pub(crate) fn metrics(&self) -> PluginMetrics {
        let health = self.health();
        let (strikes_total, refused, poison_rows) = {
            let known = self.standing.lock();
            (known.strikes_total, known.refused, known.poison_total)
        };
        let measured = self.measured.lock();
        let named = |((interface, function), collected): (&(&str, &str), &Collected)| {
            (format!("{interface}.{function}"), collected.shown())
        };
        PluginMetrics {
            functions: measured.functions.iter().map(named).collect(),
            health,
            strikes_total,
            refused,
            poison_rows,
            log_lines_dropped: measured.lines_dropped,
        }
    }

    /// What it wrote last, the oldest line first.
    pub(crate) fn lines(&self) -> Vec<LoggedLine> {
        self.measured.lock().lines.iter().cloned().collect()
    }

    /// The poison rows that were found last, the oldest first.
    pub(crate) fn poison_rows(&self) -> Vec<PoisonRow> {
        self.standing.lock().poison.iter().cloned().collect()
    }

    /// Puts it into quarantine again, as an earlier server left it.
    pub(crate) fn restore(&self, quarantine: &Quarantine) {
        let mut known = self.standing.lock();
        known.standing = Standing::quarantined(quarantine.since_ms, quarantine.until_ms);
        known.last_fault = Some(LastFault {
            at_ms: quarantine.since_ms,
            function: quarantine.function.clone(),
            reason: quarantine.reason.clone(),
        });
    }

    /// Has it called again, with no strikes. Says whether it was not called before.
    pub(crate) fn release(&self) -> bool {
        let mut known = self.standing.lock();
        let was = std::mem::take(&mut known.standing);
        known.apart.clear();
        known.runs.clear();
        was.state != HealthState::Healthy
    }
}

impl Pass<'_> {
    /// The call ended well, or in an error of the plugin's own.
    pub(crate) fn succeeded(mut self) {
        self.settled = true;
        let now_ms = self.wards.now_ms();
        let mut known = self.ward.standing.lock();
        let standing = known.of(self.function);
        let was_trying = standing.state == HealthState::Trying && self.admitted == Admitted::OnTrial;
        standing.succeeded(self.admitted, self.function, now_ms, self.wards.limits());
        drop(known);
        if was_trying && !is_apart(self.function) {
            self.wards.tell(HealthChange::Recovered(self.ward.health()));
        }
    }

    /// The call failed. `run` names what it belongs to: a run strikes once a function.
    pub(crate) fn struck(self, fault: &Fault, run: Option<&str>) {
        self.settle(fault, run, true);
    }

    /// Some of the call's rows were poison. Rows that are known to be poison are no new strike; a batch whose parts all went well is one.
    /// Where other rows were `served`, the strike does not make the plugin back off.
    pub(crate) fn poisoned(self, fault: &Fault, run: Option<&str>, found: Vec<Found>, served: bool) {
        let news = found.is_empty() || {
            let mut known = self.ward.standing.lock();
            known.note_poison(fault.function, found, self.wards)
        };
        if news { self.settle(fault, run, !served) } else { self.succeeded() }
    }

    fn settle(mut self, fault: &Fault, run: Option<&str>, in_a_row: bool) {
        self.settled = true;
        let now_ms = self.wards.now_ms();
        let mut known = self.ward.standing.lock();
        let last = LastFault {
            at_ms: now_ms,
            function: format!("{}.{}", fault.interface, fault.function),
            reason: fault.kind.to_string().chars().take(REASON_CHARACTERS_MAX).collect(),
        };
        known.last_fault = Some(last.clone());
        let on_trial = self.admitted == Admitted::OnTrial;
        if !on_trial && run.is_some_and(|run| known.has_struck(run, fault.function)) {
            return;
        }
        known.strikes_total += 1;
        let limits = limits_of(self.function, *self.wards.limits());
        let standing = known.of(self.function);
        let struck = standing.strike(self.admitted, in_a_row.then_some(self.function), now_ms, &limits);
        let (state, strikes) = (standing.state, standing.strikes());
        drop(known);
        if let (Struck::Quarantined, HealthState::Quarantined { since_ms, until_ms }) = (struck, state) {
            self.wards.tell(HealthChange::Quarantined(Quarantine {
                plugin: self.ward.plugin.clone(),
                digest: self.ward.digest,
                since_ms,
                until_ms,
                strikes,
                function: last.function,
                reason: last.reason,
            }));
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.settled {
            let now_ms = self.wards.now_ms();
            self.ward.standing.lock().of(self.function).undecided(self.admitted, now_ms);
        }
    }
}

/// A function that counts for itself backs off and is never quarantined: that would be of no use to anybody but it.
fn limits_of(function: (&'static str, &'static str), limits: Supervision) -> Supervision {
    match is_apart(function) && limits.strikes_max > 0 {
        true => Supervision { strikes_max: u32::MAX, ..limits },
        false => limits,
    }
}

impl Struckable {
    /// Where the calls of a function count.
    fn of(&mut self, function: (&'static str, &'static str)) -> &mut Standing {
        if is_apart(function) { self.apart.entry(function).or_default() } else { &mut self.standing }
    }

    /// Lets a call through, or says how what keeps it out stands. A function that counts for itself is not called either while the others are
    /// not, and decides nothing for them.
    fn admit(
        &mut self,
        function: (&'static str, &'static str),
        wards: &Wards,
    ) -> Result<Admitted, HealthState> {
        let (now_ms, limits) = (wards.now_ms(), wards.limits());
        if is_apart(function) && !self.standing.calls(now_ms, limits) {
            return Err(self.standing.state);
        }
        let standing = self.of(function);
        standing.admit(now_ms, limits).ok_or(standing.state)
    }

    /// Whether the run has struck in this function already; notes that it has now.
    fn has_struck(&mut self, run: &str, function: &'static str) -> bool {
        if self.runs.iter().any(|(known, of)| known == run && *of == function) {
            return true;
        }
        if self.runs.len() >= RUNS_REMEMBERED_MAX {
            self.runs.pop_front();
        }
        self.runs.push_back((run.to_owned(), function));
        false
    }

    /// Adds rows to those that are known to be poison; says whether one is new.
    fn note_poison(&mut self, function: &'static str, found: Vec<Found>, wards: &Wards) -> bool {
        let (at_ms, rows_max) = (wards.now_ms(), wards.limits().poison_rows_max);
        let mut news = false;
        for Found { key, reason } in found {
            let known = self.poison.iter().position(|row| row.row == key && row.function == function);
            match known {
                Some(place) => drop(self.poison.remove(place)),
                None => {
                    news = true;
                    self.poison_total += 1;
                }
            }
            self.poison.push_back(PoisonRow { function, row: key, at_ms, reason });
            if self.poison.len() > rows_max {
                self.poison.pop_front();
            }
        }
        news
    }
}
