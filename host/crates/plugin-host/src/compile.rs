//! Turns components into machine code.
//!
//! A small component can keep a compiler busy for minutes, so the server lets a child process do it, which limits itself before it reads
//! anything. Protocol: the parent writes one header line (`trellis-compile 1 MEMORY_BYTES CPU_SECONDS`, then ` metered` where the code is
//! to count what it uses) and then the component to
//! the child's standard input; the child writes the compiled component to its standard output, or a reason to its standard error.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engines::{Metering, compile_config};
use crate::{Compiler, Config, plain};

const HEADER: &str = "trellis-compile 1";
/// Ends the header where the code is to count what it uses.
const METERED: &str = " metered";
/// The largest compiled component that is taken from the child; 32 MiB of JavaScript runtime make about 100 MiB.
const CODE_BYTES_MAX: u64 = 512 << 20;
/// How much of the child's standard error goes into a message.
const REASON_BYTES_MAX: u64 = 4 << 10;

/// Why there is no code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CompileError {
    Failed(String),
    Timeout,
}

/// Compiles a component as the configuration says, for an engine that meters as `metering` says.
pub(crate) fn compile(
    engine: &Engine,
    config: &Config,
    metering: Metering,
    wasm: &[u8],
) -> Result<Vec<u8>, CompileError> {
    match &config.compiler {
        Compiler::InProcess => {
            let failed = |error| CompileError::Failed(plain::reason(&format!("{error:#}")));
            engine.precompile_component(wasm).map_err(failed)
        }
        Compiler::Child { command, args } => compile_in_child(command, args, config, metering, wasm),
    }
}

/// Loads code that [`compile`] made in this process or that the cache has verified.
#[expect(
    unsafe_code,
    reason = "wasmtime cannot verify machine code; the two callers pass only what this host compiled"
)]
pub(crate) fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes come from `compile` or, under a MAC, from a file that holds what `compile` returned earlier.
    unsafe { Component::deserialize(engine, code) }
}

/// The body of the hidden subcommand that [`Compiler::Child`] starts: reads a component from `input`, writes compiled code to `output`.
/// Limits this process for good, so it has to be all that the process does.
///
/// # Errors
/// The reason in words; the caller prints it to standard error and exits with a status other than 0.
pub fn compile_child(input: impl Read, mut output: impl Write) -> Result<(), String> {
    let mut input = BufReader::new(input);
    let mut header = String::new();
    input
        .by_ref()
        .take(128)
        .read_line(&mut header)
        .map_err(|error| format!("cannot read the header: {error}"))?;
    let (memory_bytes_max, cpu_s_max, metering) =
        parse_header(&header).ok_or_else(|| format!("bad header `{}`", header.trim()))?;
    limit_this_process(memory_bytes_max, cpu_s_max)?;
    let mut wasm = Vec::new();
    input.read_to_end(&mut wasm).map_err(|error| format!("cannot read the component: {error}"))?;
    let engine = Engine::new(&compile_config(metering)).map_err(|error| format!("{error:#}"))?;
    let code = engine.precompile_component(&wasm).map_err(|error| format!("{error:#}"))?;
    output
        .write_all(&code)
        .and_then(|()| output.flush())
        .map_err(|error| format!("cannot write the code: {error}"))
}

fn parse_header(header: &str) -> Option<(u64, u64, Metering)> {
    let header = header.trim_end();
    let metered = header.strip_suffix(METERED);
    let metering = if metered.is_some() { Metering::On } else { Metering::Off };
    let (memory, cpu) = metered.unwrap_or(header).strip_prefix(HEADER)?.trim_start().split_once(' ')?;
    Some((memory.parse().ok()?, cpu.parse().ok()?, metering))
}

#[cfg(unix)]
fn limit_this_process(memory_bytes_max: u64, cpu_s_max: u64) -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, nice, setrlimit};
    let limit = |resource, current: u64, maximum| {
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })
            .map_err(|error| format!("cannot limit the compiler's {resource:?}: {error}"))
    };
    nice(19).map_err(|error| format!("cannot lower the compiler's priority: {error}"))?;
    // Ended by a limit, it would otherwise leave an image of its memory behind.
    limit(Resource::Core, 0, 0)?;
    limit(Resource::As, memory_bytes_max, memory_bytes_max)?;
    // Where both are the same, the kernel kills without the signal that says why.
    limit(Resource::Cpu, cpu_s_max, cpu_s_max.saturating_add(1))
}

#[cfg(not(unix))]
fn limit_this_process(_memory_bytes_max: u64, _cpu_s_max: u64) -> Result<(), String> {
    Ok(())
}

fn compile_in_child(
    command: &Path,
    args: &[String],
    config: &Config,
    metering: Metering,
    wasm: &[u8],
) -> Result<Vec<u8>, CompileError> {
    let failed = |what: &str, error: std::io::Error| {
        CompileError::Failed(format!("{what} the compiler `{}`: {error}", command.display()))
    };
    let mut child = Command::new(command)
        .args(args)
        // The compiler needs none of the server's secrets.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed("cannot start", error))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let header = format!(
        "{HEADER} {} {}{}\n",
        config.compile_memory_bytes_max,
        config.compile_timeout_ms.div_ceil(1_000),
        if metering == Metering::On { METERED } else { "" }
    );
    let (done, output) = mpsc::channel();
    let (code, reason, status) = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A child that gives up early closes the pipe; its own words say why.
            let _ = stdin
                .map(|mut stdin| stdin.write_all(header.as_bytes()).and_then(|()| stdin.write_all(wasm)));
        });
        scope.spawn(move || done.send(read_capped(stdout, CODE_BYTES_MAX)));
        let reason = scope.spawn(move || read_capped(stderr, REASON_BYTES_MAX));
        // The child counts its own processor time; on a busy machine, with the lowest priority, it may wait much longer than it computes.
        let wall_ms = config.compile_timeout_ms.saturating_mul(u64::from(config.compile_wall_factor.max(1)));
        let code = output.recv_timeout(Duration::from_millis(wall_ms));
        if code.is_err() {
            let _ = child.kill();
        }
        let status = child.wait();
        (code, reason.join().unwrap_or_default(), status)
    });
    let code = code.map_err(|_| CompileError::Timeout)?;
    let status = status.map_err(|error| failed("cannot wait for", error))?;
    if status.success() && !code.is_empty() {
        return Ok(code);
    }
    // SIGXCPU: the limit on CPU time that the child set itself.
    if status_signal(status) == Some(24) {
        return Err(CompileError::Timeout);
    }
    let reason = plain::reason(String::from_utf8_lossy(&reason).trim());
    Err(CompileError::Failed(if reason.is_empty() {
        format!("compiler ended with {status}")
    } else {
        reason
    }))
}

#[cfg(unix)]
fn status_signal(status: std::process::ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn status_signal(_status: std::process::ExitStatus) -> Option<i32> {
    None
}

fn read_capped(pipe: Option<impl Read>, bytes_max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before a failure is still worth having.
        let _ = pipe.take(bytes_max).read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_are_written() {
        assert_eq!(parse_header("trellis-compile 1 1073741824 60\n"), Some((1 << 30, 60, Metering::Off)));
        assert_eq!(parse_header("trellis-compile 1 5 6 metered\n"), Some((5, 6, Metering::On)));
        for wrong in [
            "",
            "trellis-compile 1 5 6 more\n",
            "trellis-compile 2 1 1\n",
            "trellis-compile 1 many 60\n",
            "trellis-compile 1 5\n",
        ] {
            assert_eq!(parse_header(wrong), None, "{wrong}");
        }
    }
}
