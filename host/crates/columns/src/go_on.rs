//! Whether what takes long is still wanted.

use std::fmt;
use std::sync::Arc;

use crate::{Error, Result};

/// Asked again and again while a dataset is opened, which may take minutes: whoever does not want it any more says so here.
#[derive(Clone, Default)]
pub struct GoOn(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl GoOn {
    /// Goes on for as long as `wanted` says so.
    pub fn as_long_as(wanted: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(wanted)))
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.0.as_ref().is_none_or(|wanted| wanted())
    }

    /// # Errors
    /// Says that it was cancelled, once it is not wanted any more.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_wanted() { Ok(()) } else { Err(Error::Records(trellis_records::Error::Cancelled)) }
    }
}

impl fmt::Debug for GoOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GoOn")
    }
}
