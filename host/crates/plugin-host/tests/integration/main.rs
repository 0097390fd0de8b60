//! Loads and calls real components: the first-party plugin and guests that misbehave on purpose.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod compiling;
mod faults;
mod loading;
mod retail_rfm;
mod support;
