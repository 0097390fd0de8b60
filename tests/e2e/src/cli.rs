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
    let output = Command::new(crate::binary()).args(arguments).output().expect("trellis starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("trellis prints UTF-8");
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
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
