//! The compiler in a child process, and the cache.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use trellis_plugin_host::{Compiler, Config, Error, HostStats, PluginHost};

use crate::support::{MANIFEST, built, made};

/// The program in `examples/compile_child.rs`, which every build of the tests builds too.
fn compile_child() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(Path::parent).unwrap();
    folder.join("examples/compile_child").with_extension(std::env::consts::EXE_EXTENSION)
}

fn child(command: impl Into<PathBuf>, args: &[&str]) -> Config {
    let args = args.iter().map(|&arg| arg.to_owned()).collect();
    Config { compiler: Compiler::Child { command: command.into(), args }, ..Config::default() }
}

fn load_error(config: Config) -> Error {
    PluginHost::new(config).unwrap().load(&built("hostile")).unwrap_err()
}

#[test]
fn a_child_compiles() {
    let plugin = PluginHost::new(child(compile_child(), &[])).unwrap().load(&built("hostile")).unwrap();
    assert_eq!(plugin.segmentation().unwrap().describe("{}").unwrap().len(), 1);
}

#[test]
fn a_component_that_does_not_compile_says_why() {
    let check = |config: Config, module: &str, expected: &str| {
        let text = format!(
            r#"(component (core module {module})
            (instance $i) (export "trellis:plugin/segmentation@1.0.0" (instance $i)))"#
        );
        let error = PluginHost::new(config).unwrap().load(&made(&text, MANIFEST)).unwrap_err();
        assert!(
            matches!(&error, Error::CompileFailed { reason, .. } if reason.contains(expected)),
            "{error}"
        );
        assert!(error.to_string().starts_with("plugin `made-up` 0.3.0 cannot be compiled: "), "{error}");
    };
    check(Config::default(), "(func (result i32) i64.const 1)", "type mismatch");
    check(child(compile_child(), &[]), "(func (result i32) i64.const 1)", "type mismatch");
    check(Config::default(), "(memory i64 1)", "memory64");
    check(Config::default(), "(memory 1 1 shared)", "threads");
    check(Config::default(), "(func (param externref))", "gc");
}

#[cfg(unix)]
#[test]
fn a_child_that_fails_or_hangs_is_contained() {
    let missing = load_error(child("/no/such/program", &[]));
    assert!(missing.to_string().contains("cannot start the compiler `/no/such/program`"), "{missing}");
    let silent = load_error(child("false", &[]));
    assert!(matches!(silent, Error::CompileFailed { .. }), "{silent}");
    let echo = load_error(child("cat", &[]));
    assert!(echo.to_string().contains("code cannot be loaded"), "{echo}");
    let hanging =
        load_error(Config { compile_timeout_ms: 100, compile_wall_factor: 2, ..child("sleep", &["60"]) });
    assert!(matches!(hanging, Error::CompileTimeout { timeout_ms: 100, .. }), "{hanging}");
    let slow = load_error(child("sh", &["-c", "kill -XCPU $$"]));
    assert!(matches!(slow, Error::CompileTimeout { timeout_ms: 60_000, .. }), "{slow}");
    let rude = load_error(child("sh", &["-c", "printf 'no\\033[2J\\n' >&2; exit 1"]));
    assert!(rude.to_string().ends_with("cannot be compiled: no [2J"), "{rude}");
    let starved = load_error(Config { compile_memory_bytes_max: 8 << 20, ..child(compile_child(), &[]) });
    assert!(matches!(starved, Error::CompileFailed { .. }), "{starved}");
}

/// Its processor time ends it with a signal that says so, and without an image of its memory.
#[cfg(target_os = "linux")]
#[test]
fn a_child_limits_itself_before_it_reads_a_component() {
    let mut command = std::process::Command::new(compile_child());
    let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"trellis-compile 1 1073741824 7\n").unwrap();
    let of = |name: &str| {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    // The last one that it sets.
    while of("Max cpu time") == ["unlimited", "unlimited"] {
        std::thread::yield_now();
    }
    assert_eq!(of("Max cpu time"), ["7", "8"]);
    assert_eq!(of("Max address space"), ["1073741824", "1073741824"]);
    assert_eq!(of("Max core file size"), ["0", "0"]);
    drop(stdin);
    assert!(!child.wait().unwrap().success(), "no component came");
}

/// Loads once with this cache and returns what happened.
fn load_with_cache(dir: &Path) -> HostStats {
    let host = PluginHost::new(Config { cache_dir: Some(dir.to_owned()), ..Config::default() }).unwrap();
    host.load(&built("hostile")).unwrap().segmentation().unwrap().describe("{}").unwrap();
    host.stats()
}

#[test]
fn a_second_start_does_not_compile() {
    let dir = tempfile::tempdir().unwrap();
    let first = load_with_cache(dir.path());
    assert_eq!((first.compiled, first.cache_hits), (1, 0));
    let second = load_with_cache(dir.path());
    assert_eq!((second.compiled, second.cache_hits), (0, 1));
}

#[test]
fn what_is_forgotten_is_not_known_any_more() {
    let host = PluginHost::new(Config::default()).unwrap();
    let digest = host.load(&built("hostile")).unwrap().digest();
    assert!(host.health(&digest).is_some());
    host.forget(&digest);
    assert_eq!((host.health(&digest), host.all_metrics().len()), (None, 0));
}

#[test]
fn a_changed_file_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    load_with_cache(dir.path());
    let is_code = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "cwasm");
    let path =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).find(is_code).unwrap();
    let mut code = std::fs::read(&path).unwrap();
    let middle = code.len() / 2;
    code[middle] ^= 0x40;
    std::fs::write(&path, code).unwrap();
    let changed = load_with_cache(dir.path());
    assert_eq!((changed.compiled, changed.cache_hits, changed.cache_rejected), (1, 0, 1));
    assert_eq!(load_with_cache(dir.path()).cache_hits, 1);
}
