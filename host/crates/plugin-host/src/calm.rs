//! Runs that nobody waits for leave the processor to those that somebody waits for.

/// By how much a thread steps back: against one that did not it gets a tenth of a core that both want.
#[cfg(target_os = "linux")]
const STEP: i32 = 10;

/// Has the calling thread, and no other, step back for good. For threads of runs, which end with their run; where the system has no
/// such thing for a thread, nothing happens.
pub fn yield_to_others() {
    // On Linux the priority belongs to the thread.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(STEP) {
        tracing::debug!(%error, "a thread of a run keeps its priority");
    }
}
