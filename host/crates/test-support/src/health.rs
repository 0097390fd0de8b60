use futures_util::future::{self, BoxFuture, FutureExt};
use parking_lot::Mutex;
use trellis_http::{Health, HealthCheck};

/// A health that says what a test wants.
#[derive(Debug, Default)]
pub struct FakeHealth(Mutex<Option<String>>);

impl FakeHealth {
    /// From now on the storage has this problem.
    pub fn break_storage(&self, problem: &str) {
        *self.0.lock() = Some(problem.to_owned());
    }
}

impl Health for FakeHealth {
    fn checks(&self) -> BoxFuture<'_, Vec<HealthCheck>> {
        future::ready(vec![HealthCheck { name: "storage".into(), problem: self.0.lock().clone() }]).boxed()
    }
}
