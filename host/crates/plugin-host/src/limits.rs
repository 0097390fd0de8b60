//! What a call may use. One struct holds every limit; each has its unit in its name.

use std::time::Duration;

use serde::Deserialize;

/// Which row of the limits table a call falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitClass {
    /// A check of changes while somebody waits for a save.
    RecordHook,
    /// A single question with a short answer.
    Call,
    /// A batch of rows of a run.
    Batch,
    /// Learning from a whole population; has an engine of its own, whose memory is not pooled.
    Training,
}

macro_rules! class_limits {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// The limits of one class.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct ClassLimits {
            $($(#[$doc])* pub $field: $type,)*
        }

        /// What a config file may say about a class; what it leaves out keeps the default of that class.
        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct ClassOverrides {
            $($field: Option<$type>,)*
        }

        impl ClassOverrides {
            fn over(self, limits: ClassLimits) -> ClassLimits {
                ClassLimits { $($field: self.$field.unwrap_or(limits.$field),)* }
            }
        }
    };
}

class_limits! {
    /// Linear memory of the guest, in bytes.
    memory_bytes_max: u64,
    /// Processor time of a call, in milliseconds; look-ups count as long as they take, waiting for rows does not count.
    cpu_ms_max: u64,
    /// Processor time that each row adds, in microseconds.
    cpu_us_per_row: u64,
    /// How many times its processor time a call may take by the clock on a busy machine; then it ends without being at fault.
    wall_factor: u32,
    /// Rows of one batch.
    rows_max: u32,
    /// Bytes of one batch's columns.
    columns_bytes_max: u64,
    /// Bytes that the guest may return from, or pass to the host in, one call. For training it is the size of a model.
    output_bytes_max: u64,
    /// Log lines that are kept of one call; the others are counted.
    log_lines_max: u32,
    /// Actions that one call may return, whatever its rows.
    actions_per_call_max: u32,
    /// Actions that one row may have.
    actions_per_row_max: u32,
    /// Look-ups that one call may make.
    lookups_max: u32,
    /// Linear memory of a guest that brings the runtime of its language along (JavaScript, Python), in bytes.
    runtime_memory_bytes_max: u64,
    /// How often a call may begin to read a dataset again, all of its datasets together. Making them anew is work of the host, which the guest's time does not count.
    passes_max: u32,
    /// Datasets that one call may hold open at once, the one that it was called with included.
    streams_max: u32,
}

/// The limits of every class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "LimitsOverrides")]
pub struct Limits {
    /// See [`LimitClass::RecordHook`].
    pub record_hook: ClassLimits,
    /// See [`LimitClass::Call`].
    pub call: ClassLimits,
    /// See [`LimitClass::Batch`].
    pub batch: ClassLimits,
    /// See [`LimitClass::Training`].
    pub training: ClassLimits,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LimitsOverrides {
    record_hook: ClassOverrides,
    call: ClassOverrides,
    batch: ClassOverrides,
    training: ClassOverrides,
}

const MIB: u64 = 1 << 20;
/// Rows of the largest batch of any class.
const BATCH_ROWS_MAX: u32 = 65_536;

impl Default for Limits {
    fn default() -> Self {
        let call = ClassLimits {
            memory_bytes_max: 64 * MIB,
            cpu_ms_max: 200,
            cpu_us_per_row: 0,
            wall_factor: 20,
            rows_max: 1,
            columns_bytes_max: MIB,
            output_bytes_max: MIB,
            log_lines_max: 200,
            actions_per_call_max: 100,
            actions_per_row_max: 0,
            lookups_max: 100,
            runtime_memory_bytes_max: 256 * MIB,
            passes_max: 0,
            streams_max: 1,
        };
        let batch = ClassLimits {
            cpu_ms_max: 1_000,
            cpu_us_per_row: 2,
            rows_max: BATCH_ROWS_MAX,
            columns_bytes_max: 8 * MIB,
            output_bytes_max: 32 * MIB,
            log_lines_max: 1_000,
            actions_per_call_max: 0,
            actions_per_row_max: 20,
            lookups_max: 0,
            ..call
        };
        let record_hook = ClassLimits {
            cpu_ms_max: 50,
            rows_max: 200,
            log_lines_max: 50,
            actions_per_call_max: 0,
            actions_per_row_max: 20,
            lookups_max: 50,
            ..call
        };
        let training = ClassLimits {
            memory_bytes_max: 1 << 30,
            runtime_memory_bytes_max: 1 << 30,
            cpu_ms_max: 60_000,
            cpu_us_per_row: 50,
            output_bytes_max: 16 * MIB,
            passes_max: 1_000,
            streams_max: 16,
            ..batch
        };
        Self { record_hook, call, batch, training }
    }
}

impl From<LimitsOverrides> for Limits {
    fn from(overrides: LimitsOverrides) -> Self {
        let limits = Self::default();
        Self {
            record_hook: overrides.record_hook.over(limits.record_hook),
            call: overrides.call.over(limits.call),
            batch: overrides.batch.over(limits.batch),
            training: overrides.training.over(limits.training),
        }
    }
}

impl Limits {
    /// The limits of a class.
    pub fn of(&self, class: LimitClass) -> &ClassLimits {
        match class {
            LimitClass::RecordHook => &self.record_hook,
            LimitClass::Call => &self.call,
            LimitClass::Batch => &self.batch,
            LimitClass::Training => &self.training,
        }
    }

    /// The limits of a plugin that brings the runtime of its language along.
    pub(crate) fn of_runtime(mut self) -> Self {
        for class in [&mut self.record_hook, &mut self.call, &mut self.batch, &mut self.training] {
            class.memory_bytes_max = class.runtime_memory_bytes_max;
        }
        self
    }

    /// The largest guest memory of the classes whose memory is pooled, in bytes.
    pub(crate) fn pooled_memory_bytes_max(&self) -> u64 {
        let pooled = [&self.record_hook, &self.call, &self.batch];
        let largest = |class: &&ClassLimits| class.memory_bytes_max.max(class.runtime_memory_bytes_max);
        pooled.iter().map(largest).max().unwrap_or_default()
    }
}

impl ClassLimits {
    /// The time by the clock after which a call with so many rows ends, whatever it used.
    pub fn wall_max(&self, rows: u64) -> Duration {
        self.time_max(rows).saturating_mul(self.wall_factor.max(1))
    }

    /// The processor time that a call with so many rows may take.
    pub fn time_max(&self, rows: u64) -> Duration {
        Duration::from_millis(self.cpu_ms_max)
            + Duration::from_micros(self.cpu_us_per_row.saturating_mul(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_changes_single_limits_and_keeps_the_others() {
        let limits: Limits = toml::from_str("[training]\nmemory_bytes_max = 2147483648\n").unwrap();
        assert_eq!(limits.training.memory_bytes_max, 2 << 30);
        assert_eq!(limits.training.cpu_ms_max, 60_000);
        assert_eq!(limits.batch, Limits::default().batch);
    }

    #[test]
    fn a_runtime_has_memory_of_its_own() {
        let limits: Limits = toml::from_str("[batch]\nruntime_memory_bytes_max = 400000000\n").unwrap();
        assert_eq!(limits.pooled_memory_bytes_max(), 400_000_000);
        let limits = limits.of_runtime();
        assert_eq!((limits.batch.memory_bytes_max, limits.call.memory_bytes_max), (400_000_000, 256 * MIB));
        assert_eq!(limits.training.memory_bytes_max, 1 << 30);
    }

    #[test]
    fn an_unknown_limit_is_named() {
        let error = toml::from_str::<Limits>("[batch]\nmemory_max = 1\n").unwrap_err();
        assert!(error.to_string().contains("memory_max"), "{error}");
    }

    #[test]
    fn time_grows_with_rows() {
        let batch = Limits::default().batch;
        assert_eq!(batch.time_max(0), Duration::from_secs(1));
        assert_eq!(batch.time_max(50_000), Duration::from_millis(1_100));
    }
}
