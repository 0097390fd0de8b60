//! Tests of rules through the crate's public face: what a script says, what comes out.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod acting;
mod compiling;
mod formulas;
mod hostile;
mod looking_up;
mod reading;
mod refusing;
mod support;
mod values;
