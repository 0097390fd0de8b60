//! How many calls run at once.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::{CancelFlag, LimitClass};

/// A fixed number of permits. Training takes at most all but one of them (where there are two or more), so that a long run cannot
/// keep everybody else waiting.
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

/// How often a waiting call looks at its cancel flag.
const CANCEL_CHECK: Duration = Duration::from_millis(20);

impl Permits {
    pub(crate) fn new(total: usize) -> Self {
        let total = total.max(1);
        let training = total.saturating_sub(1).max(1);
        Self { free: Mutex::new(Free { all: total, training }), changed: Condvar::new(), total }
    }

    /// Waits for a permit: until `wait_max`, if there is one, or until `cancel` is set.
    pub(crate) fn take(
        &self,
        class: LimitClass,
        wait_max: Option<Duration>,
        cancel: &CancelFlag,
    ) -> Result<Permit<'_>, NoPermit> {
        let training = class == LimitClass::Training;
        let give_up = wait_max.map(|wait| Instant::now() + wait);
        let mut free = self.free.lock();
        while free.all == 0 || (training && free.training == 0) {
            if cancel.is_cancelled() {
                return Err(NoPermit::Cancelled);
            }
            let now = Instant::now();
            if give_up.is_some_and(|at| at <= now) {
                return Err(NoPermit::Busy);
            }
            let check_at = now + CANCEL_CHECK;
            self.changed.wait_until(&mut free, give_up.map_or(check_at, |at| at.min(check_at)));
        }
        free.all -= 1;
        free.training -= usize::from(training);
        Ok(Permit { permits: self, training })
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
