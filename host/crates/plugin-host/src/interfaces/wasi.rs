//! WASI (preview 2) for guests whose toolchain cannot do without it.
//!
//! Nothing of this machine is behind it: no files, no environment, no arguments, no network. Clocks say what the call's context says,
//! random numbers come from its seed, and what is written to standard output or standard error becomes log lines; so the same inputs
//! still give the same bytes. Waiting takes no time: the monotonic clock jumps to the moment that is waited for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sync};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io;

use super::OnCall;
use super::host_log::LogBuffer;
use crate::LogLevel;
use crate::answers::CallContext;
use crate::call::CallState;

/// The interfaces that a guest may import, of any version 0.2.
const INTERFACES: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];
/// Random bytes of one call of the host.
const RANDOM_BYTES_MAX: u64 = 64 << 10;
/// Streams and pollables that a guest may hold at once.
const RESOURCES_MAX: usize = 256;
/// How far the monotonic clock moves each time it is read, in nanoseconds: it has to move, or a guest that waits for it waits for ever.
const TICK_NS: u64 = 1_000;
/// Bytes that a guest may write at once.
const WRITE_BYTES_MAX: usize = 16 << 10;

/// Whether an import is one of WASI that a plugin may have.
pub(crate) fn is_offered(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    let version = semver::Version::parse(version);
    INTERFACES.contains(&interface)
        && version.is_ok_and(|version| (version.major, version.minor) == (0, 2) && version.pre.is_empty())
}

/// Links what [`is_offered`].
pub(crate) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<_, Table>(linker, table)?;
    sync::io::poll::add_to_linker::<_, Table>(linker, table)?;
    sync::io::streams::add_to_linker::<_, Table>(linker, table)?;
    clocks::wall_clock::add_to_linker::<_, OnCall>(linker, |state| state)?;
    clocks::monotonic_clock::add_to_linker::<_, OnCall>(linker, |state| state)?;
    random::random::add_to_linker::<_, OnCall>(linker, |state| state)?;
    random::insecure::add_to_linker::<_, OnCall>(linker, |state| state)?;
    random::insecure_seed::add_to_linker::<_, OnCall>(linker, |state| state)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, WasiFilesystemView::filesystem)?;
    sync::filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, WasiFilesystemView::filesystem)
}

/// Marks that functions of `wasi:io` work on the table of streams and pollables.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

fn table(state: &mut CallState) -> &mut ResourceTable {
    state.ctx().table
}

/// What WASI knows of the call. It costs nothing until a guest uses it.
pub(crate) struct WasiState {
    now_ms: i64,
    monotonic_ns: u64,
    seed: u64,
    random: Option<blake3::OutputReader>,
    log: Arc<Mutex<LogBuffer>>,
    built: Option<Box<(WasiCtx, ResourceTable)>>,
}

impl WasiState {
    /// Calls without a context are at the beginning of 1970, with seed 0.
    pub(crate) fn new(at: Option<&CallContext>, log: &Arc<Mutex<LogBuffer>>) -> Self {
        Self {
            now_ms: at.map_or(0, |at| at.now_ms),
            monotonic_ns: 0,
            seed: at.map_or(0, |at| at.seed),
            random: None,
            log: Arc::clone(log),
            built: None,
        }
    }

    /// Ends the streams.
    pub(crate) fn close(&mut self) {
        self.built = None;
    }

    fn random_bytes(&mut self, bytes: &mut [u8]) {
        let stream = || {
            let mut hasher = blake3::Hasher::new_derive_key("trellis plugin-host wasi:random 1");
            hasher.update(&self.seed.to_le_bytes());
            hasher.finalize_xof()
        };
        self.random.get_or_insert_with(stream).fill(bytes);
    }

    fn random_list(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        if count > RANDOM_BYTES_MAX {
            let reason = format!("wanted {count} random bytes at once, at most {RANDOM_BYTES_MAX}");
            return Err(wasmtime::Error::msg(reason));
        }
        let mut bytes = vec![0; usize::try_from(count)?];
        self.random_bytes(&mut bytes);
        Ok(bytes)
    }

    fn random_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.random_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let log = &self.wasi.log;
        let build = || {
            let mut table = ResourceTable::new();
            table.set_max_capacity(RESOURCES_MAX);
            let line = |level| LoggedOutput { level, log: Arc::clone(log), line: Vec::new() };
            let ctx = WasiCtxBuilder::new()
                .stdin(MemoryInputPipe::new(Bytes::new()))
                .stdout(line(LogLevel::Info))
                .stderr(line(LogLevel::Warn))
                .allow_blocking_current_thread(true)
                .build();
            Box::new((ctx, table))
        };
        let (ctx, table) = &mut **self.wasi.built.get_or_insert_with(build);
        WasiCtxView { ctx, table }
    }
}

impl clocks::wall_clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        let ms = u64::try_from(self.wasi.now_ms).unwrap_or(0);
        let nanoseconds = u32::try_from(ms % 1_000).unwrap_or(0) * 1_000_000;
        Ok(Datetime { seconds: ms / 1_000, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        Ok(Datetime { seconds: 0, nanoseconds: 1_000_000 })
    }
}

impl clocks::monotonic_clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.wasi.monotonic_ns = self.wasi.monotonic_ns.saturating_add(TICK_NS);
        Ok(self.wasi.monotonic_ns)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(TICK_NS)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.wasi.monotonic_ns = self.wasi.monotonic_ns.max(when);
        let table = table(self);
        let over = table.push(Over)?;
        subscribe(table, over)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let when = self.wasi.monotonic_ns.saturating_add(duration);
        self.subscribe_instant(when)
    }
}

impl random::random::Host for CallState {
    fn get_random_bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        self.wasi.random_list(count)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.wasi.random_u64())
    }
}

impl random::insecure::Host for CallState {
    fn get_insecure_random_bytes(&mut self, count: u64) -> wasmtime::Result<Vec<u8>> {
        self.wasi.random_list(count)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.wasi.random_u64())
    }
}

impl random::insecure_seed::Host for CallState {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.wasi.random_u64(), self.wasi.random_u64()))
    }
}

/// A wait that is over.
struct Over;

type Ready<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Pollable for Over {
    fn ready<'a, 'b>(&'a mut self) -> Ready<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(()))
    }
}

/// A guest's standard output: each line of it becomes a line of the call's log.
struct LoggedOutput {
    level: LogLevel,
    log: Arc<Mutex<LogBuffer>>,
    line: Vec<u8>,
}

impl LoggedOutput {
    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.log.lock().push(self.level, &String::from_utf8_lossy(&self.line));
            self.line.clear();
        }
    }
}

impl IsTerminal for LoggedOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LoggedOutput {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Self { level: self.level, log: Arc::clone(&self.log), line: Vec::new() })
    }

    /// Only preview 3 would ask for it, and that is not linked.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        MemoryOutputPipe::new(0).async_stream()
    }
}

impl OutputStream for LoggedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        for &byte in &bytes {
            // A line that never ends is cut where the log would cut it.
            if byte == b'\n' || self.line.len() >= super::host_log::LINE_BYTES_MAX {
                self.end_line();
            }
            if byte != b'\n' {
                self.line.push(byte);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

impl Pollable for LoggedOutput {
    fn ready<'a, 'b>(&'a mut self) -> Ready<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(()))
    }
}

impl Drop for LoggedOutput {
    fn drop(&mut self) {
        self.end_line();
    }
}
