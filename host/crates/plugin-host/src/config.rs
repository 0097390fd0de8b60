//! What the host is started with.

use std::path::PathBuf;

use crate::{Limits, Supervision};

/// What the host is started with. Read once from the configuration file by the binary and passed down.
#[derive(Debug, Clone)]
pub struct Config {
    /// What calls may use.
    pub limits: Limits,
    /// Where compiled components are kept, readable by this user only. `None` compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// Who compiles.
    pub compiler: Compiler,
    /// Processor time that a compilation in a child process may take, in milliseconds (default 60,000).
    pub compile_timeout_ms: u64,
    /// How many times its processor time a compilation may take by the clock (default 10): it has the lowest priority.
    pub compile_wall_factor: u32,
    /// Address space of a compilation in a child process, in bytes.
    pub compile_memory_bytes_max: u64,
    /// Size of a component file, in bytes.
    pub component_bytes_max: usize,
    /// How many calls run at once. With two or more, one is kept free of training.
    pub permits: usize,
    /// How long a call of class record-hook or call waits for a permit, in milliseconds. Batches and training wait as long as it takes.
    pub permit_wait_ms_max: u64,
    /// Whether to reserve the memory of instances in advance. Where the address space is too short for it, the host goes on without.
    pub pooling: bool,
    /// When plugins are left alone.
    pub supervision: Supervision,
}

/// Who compiles components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiler {
    /// The calling thread, without limits: for tests and for commands that end with the compilation.
    InProcess,
    /// A process of its own with the lowest priority and limits on time and memory. It has to call [`crate::compile_child`].
    Child {
        /// The program.
        command: PathBuf,
        /// Its arguments.
        args: Vec<String>,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            cache_dir: None,
            compiler: Compiler::InProcess,
            compile_timeout_ms: 60_000,
            compile_wall_factor: 10,
            compile_memory_bytes_max: 1 << 30,
            component_bytes_max: 32 << 20,
            permits: std::thread::available_parallelism().map_or(1, usize::from),
            permit_wait_ms_max: 5_000,
            pooling: true,
            supervision: Supervision::default(),
        }
    }
}
