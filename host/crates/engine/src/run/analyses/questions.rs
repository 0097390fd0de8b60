//! Which questions plugins have, as they said it last.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

/// Components and configurations that are known at once; with one more all are asked again.
const KNOWN_MAX: usize = 200;

/// Digests of a component and of its configuration: questions depend on nothing else.
type Of = ([u8; 32], [u8; 32]);

/// The names of the questions that plugins have.
#[derive(Debug, Default)]
pub(crate) struct Questions(Mutex<HashMap<Of, Arc<[String]>>>);

impl Questions {
    pub(super) fn get(&self, of: &Of) -> Option<Arc<[String]>> {
        self.0.lock().get(of).cloned()
    }

    pub(super) fn put(&self, of: Of, names: Arc<[String]>) -> Arc<[String]> {
        let mut known = self.0.lock();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(of, Arc::clone(&names));
        names
    }
}
