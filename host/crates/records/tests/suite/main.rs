//! Tests of the records crate through its public face, over a store in memory.

mod saving;
mod support;
