//! Loads and calls real components: the first-party plugin and guests that misbehave on purpose.

mod compiling;
mod faults;
mod loading;
mod retail_rfm;
mod support;
