//! How many calls run at once.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::{CancelFlag, LimitClass};

/// A fixed number of permits. Training takes at most all but one of them (where there are two or more), so that a long run cannot
/// keep everybody else waiting. Calls for which somebody waits (record-hook, call) go before batches, whose threads would otherwise take a
/// permit back the moment they gave it; now and then a batch has its turn all the same.
#[derive(Debug)]
pub(crate) struct Permits {
    free: Mutex<Free>,
    changed: Condvar,
    total: usize,
}

#[derive(Debug)]
struct Free {
    all: usize,
    training: usize,
    /// Calls that wait and for which somebody waits.
    urgent_waiting: usize,
    /// Batches that wait.
    batches_waiting: usize,
    /// Urgent calls that went before a waiting batch since a batch went last.
    urgent_in_a_row: u32,
}

/// The right to run one call; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    permits: &'a Permits,
    training: bool,
}

/// Why there is no permit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoPermit {
    Busy,
    Cancelled,
}

/// Urgent calls that go before a waiting batch until it has its turn.
const URGENT_IN_A_ROW_MAX: u32 = 8;
/// How often a waiting call looks at its cancel flag.
const CANCEL_CHECK: Duration = Duration::from_millis(20);

impl Free {
    fn new(all: usize, training: usize) -> Self {
        Self { all, training, urgent_waiting: 0, batches_waiting: 0, urgent_in_a_row: 0 }
    }

    /// Whether a call of a class may take a permit now.
    fn may(&self, class: LimitClass) -> bool {
        let batch_has_its_turn = self.urgent_in_a_row >= URGENT_IN_A_ROW_MAX && self.batches_waiting > 0;
        match class {
            LimitClass::RecordHook | LimitClass::Call => self.all > usize::from(batch_has_its_turn),
            LimitClass::Batch => self.all > if batch_has_its_turn { 0 } else { self.urgent_waiting },
            LimitClass::Training => self.training > 0 && self.all > self.urgent_waiting,
        }
    }

    fn take(&mut self, class: LimitClass) {
        self.all -= 1;
        match class {
            LimitClass::RecordHook | LimitClass::Call if self.batches_waiting > 0 => {
                self.urgent_in_a_row = self.urgent_in_a_row.saturating_add(1);
            }
            LimitClass::RecordHook | LimitClass::Call => {}
            LimitClass::Batch => self.urgent_in_a_row = 0,
            LimitClass::Training => self.training -= 1,
        }
    }

    /// Those that wait of the class, where it matters how many.
    fn waiting(&mut self, class: LimitClass) -> Option<&mut usize> {
        match class {
            LimitClass::RecordHook | LimitClass::Call => Some(&mut self.urgent_waiting),
            LimitClass::Batch => Some(&mut self.batches_waiting),
            LimitClass::Training => None,
        }
    }
}

impl Permits {
    pub(crate) fn new(total: usize) -> Self {
        let total = total.max(1);
        let training = total.saturating_sub(1).max(1);
        Self { free: Mutex::new(Free::new(total, training)), changed: Condvar::new(), total }
    }

    /// Waits for a permit: until `wait_max`, if there is one, or until `cancel` is set.
    pub(crate) fn take(
        &self,
        class: LimitClass,
        wait_max: Option<Duration>,
        cancel: &CancelFlag,
    ) -> Result<Permit<'_>, NoPermit> {
        let give_up = wait_max.map(|wait| Instant::now() + wait);
        let mut free = self.free.lock();
        if !free.may(class) {
            free.waiting(class).into_iter().for_each(|waiting| *waiting += 1);
            let waited = self.wait(&mut free, class, give_up, cancel);
            free.waiting(class).into_iter().for_each(|waiting| *waiting -= 1);
            // Somebody of another class may have waited for this one to go first.
            self.changed.notify_all();
            waited?;
        }
        free.take(class);
        Ok(Permit { permits: self, training: class == LimitClass::Training })
    }

    fn wait(
        &self,
        free: &mut MutexGuard<'_, Free>,
        class: LimitClass,
        give_up: Option<Instant>,
        cancel: &CancelFlag,
    ) -> Result<(), NoPermit> {
        while !free.may(class) {
            if cancel.is_cancelled() {
                return Err(NoPermit::Cancelled);
            }
            let now = Instant::now();
            if give_up.is_some_and(|at| at <= now) {
                return Err(NoPermit::Busy);
            }
            let check_at = now + CANCEL_CHECK;
            self.changed.wait_until(free, give_up.map_or(check_at, |at| at.min(check_at)));
        }
        Ok(())
    }

    /// Waits until no call runs, at most so long; says whether that came true.
    pub(crate) fn wait_until_quiet(&self, wait_max: Duration) -> bool {
        let give_up = Instant::now() + wait_max;
        let mut free = self.free.lock();
        while free.all < self.total {
            if self.changed.wait_until(&mut free, give_up).timed_out() {
                return free.all == self.total;
            }
        }
        true
    }

    pub(crate) fn in_use(&self) -> usize {
        self.total - self.free.lock().all
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut free = self.permits.free.lock();
        free.all += 1;
        free.training += usize::from(self.training);
        drop(free);
        self.permits.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_leaves_one_permit_to_the_others() {
        let (permits, cancel, no_wait) = (Permits::new(2), CancelFlag::default(), Some(Duration::ZERO));
        let training = permits.take(LimitClass::Training, no_wait, &cancel).unwrap();
        assert_eq!(permits.take(LimitClass::Training, no_wait, &cancel).unwrap_err(), NoPermit::Busy);
        let call = permits.take(LimitClass::Call, no_wait, &cancel).unwrap();
        assert_eq!(permits.take(LimitClass::Call, no_wait, &cancel).unwrap_err(), NoPermit::Busy);
        drop((training, call));
        assert_eq!(permits.in_use(), 0);
        permits.take(LimitClass::Training, no_wait, &cancel).unwrap();
    }

    #[test]
    fn those_for_whom_somebody_waits_go_first_and_batches_have_their_turn() {
        let mut free = Free { urgent_waiting: 1, batches_waiting: 1, ..Free::new(1, 1) };
        for _ in 0..URGENT_IN_A_ROW_MAX {
            assert!(free.may(LimitClass::RecordHook) && free.may(LimitClass::Call));
            assert!(!free.may(LimitClass::Batch) && !free.may(LimitClass::Training));
            free.take(LimitClass::Call);
            assert!(!free.may(LimitClass::Call), "there was one");
            free.all += 1;
        }
        assert!(free.may(LimitClass::Batch) && !free.may(LimitClass::Call), "a batch has its turn");
        free.take(LimitClass::Batch);
        free.all += 1;
        assert!(!free.may(LimitClass::Batch) && free.may(LimitClass::Call));
        let two = Free { urgent_waiting: 1, ..Free::new(2, 1) };
        assert!(two.may(LimitClass::Batch), "there is one for each of them");
    }

    #[test]
    fn nobody_is_counted_as_waiting_who_gave_up() {
        let (permits, cancel) = (Permits::new(1), CancelFlag::default());
        let held = permits.take(LimitClass::Batch, None, &cancel).unwrap();
        for class in [LimitClass::RecordHook, LimitClass::Call, LimitClass::Batch] {
            assert_eq!(permits.take(class, Some(Duration::ZERO), &cancel).unwrap_err(), NoPermit::Busy);
        }
        drop(held);
        let free = permits.free.lock();
        assert_eq!((free.all, free.urgent_waiting, free.batches_waiting), (1, 0, 0));
    }

    #[test]
    fn it_is_quiet_when_no_call_runs() {
        let (permits, cancel) = (Permits::new(2), CancelFlag::default());
        assert!(permits.wait_until_quiet(Duration::ZERO));
        let held = permits.take(LimitClass::Call, None, &cancel).unwrap();
        assert!(!permits.wait_until_quiet(Duration::ZERO));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| permits.wait_until_quiet(Duration::from_secs(3_600)));
            drop(held);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn a_cancelled_call_stops_waiting() {
        let (permits, cancel) = (Permits::new(1), CancelFlag::default());
        let _held = permits.take(LimitClass::Training, None, &cancel).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| permits.take(LimitClass::Batch, None, &cancel).err());
            cancel.cancel();
            assert_eq!(waiting.join().unwrap(), Some(NoPermit::Cancelled));
        });
    }
}
