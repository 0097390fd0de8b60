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
    /// Bytes of compiled components that are kept (default 4 GiB), and as many of those that count what they use.
    pub compiled_bytes_max: u64,
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
    /// Core instances of one component (default 64); `componentize-py` makes 38.
    pub core_instances_max: usize,
    /// Linear memories of one component (default 8).
    pub memories_max: usize,
    /// Tables of one component (default 16).
    pub tables_max: usize,
    /// Elements of one table (default 65,536). Interpreters that are compiled to WebAssembly have some ten thousand functions in theirs.
    pub table_elements_max: usize,
    /// How many calls run at once. With two or more, one is kept free of training.
    pub permits: usize,
    /// How long a call of class record-hook or call waits for a permit, in milliseconds. Batches and training wait as long as it takes.
    pub permit_wait_ms_max: u64,
    /// Whether to reserve the memory of instances in advance. Where the address space is too short for it, the host goes on without.
    pub pooling: bool,
    /// When plugins are left alone.
    pub supervision: Supervision,
}

/// How many parts one component may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) core_instances_max: usize,
    pub(crate) memories_max: usize,
    pub(crate) tables_max: usize,
    pub(crate) table_elements_max: usize,
}

impl Config {
    pub(crate) fn parts(&self) -> Parts {
        Parts {
            core_instances_max: self.core_instances_max,
            memories_max: self.memories_max,
            tables_max: self.tables_max,
            table_elements_max: self.table_elements_max,
        }
    }
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
            compiled_bytes_max: 4 << 30,
            compiler: Compiler::InProcess,
            compile_timeout_ms: 60_000,
            compile_wall_factor: 10,
            compile_memory_bytes_max: 1 << 30,
            component_bytes_max: 32 << 20,
            core_instances_max: 64,
            memories_max: 8,
            tables_max: 16,
            table_elements_max: 65_536,
            permits: std::thread::available_parallelism().map_or(1, usize::from),
            permit_wait_ms_max: 5_000,
            pooling: true,
            supervision: Supervision::default(),
        }
    }
}
