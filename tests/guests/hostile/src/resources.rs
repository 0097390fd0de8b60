//! Using more than a plugin is given.

use std::hint::black_box;

/// Uses up the time.
pub(crate) fn endless_loop() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Uses up the memory: the allocation that is refused aborts. What it gets it does not touch, so that this takes no time.
pub(crate) fn grow_memory() -> ! {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(black_box(Vec::with_capacity(16 << 20)));
    }
}

/// Uses up the stack.
pub(crate) fn use_up_stack() {
    black_box(descend(0));
}

fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    let below = if depth < u64::MAX { descend(depth + 1) } else { 0 };
    frame.iter().fold(below, |sum, word| sum.wrapping_add(*word))
}

/// Writes far more lines than a call may, each longer than a line may be.
pub(crate) fn flood_log() {
    let line = "all work and no play\u{7}\n".repeat(400);
    for _ in 0..5_000 {
        trellis_sdk::log::warn(&line);
    }
}
