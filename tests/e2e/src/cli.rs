use std::ffi::OsStr;
use std::process::Command;

/// What a command line call gave.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed beside.
    pub stderr: String,
}

/// Runs `trellis` and waits for it.
pub fn trellis<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    taken(&Command::new(crate::binary()).args(arguments).output().expect("trellis starts"))
}

/// Runs `trellis` as the author of a plugin does: in a folder of his own. Cargo works offline, with what the workspace fetched, and in the
/// workspace's target folder, where the standard library of plugins is compiled already.
pub fn trellis_as_author(folder: &std::path::Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(crate::binary());
    command.args(arguments).current_dir(folder);
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", crate::target_dir());
    taken(&command.output().expect("trellis starts"))
}

fn taken(output: &std::process::Output) -> Output {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("trellis prints UTF-8");
    Output { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

impl Output {
    /// The output of a call that succeeded.
    ///
    /// # Panics
    /// When it did not.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }
}
