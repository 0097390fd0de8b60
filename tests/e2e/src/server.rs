use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Api, Output, trellis};

/// How long a start may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running server. Dropping it kills it, as a power cut would.
#[derive(Debug)]
pub struct Server {
    process: Child,
    data: PathBuf,
}

impl Server {
    /// Starts a server on a data folder and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready; the message has what it logged.
    pub fn start(data: &Path) -> Self {
        let mut server = Self::start_without_waiting(data);
        if let Err(why) = server.wait_until_ready() {
            panic!("the server did not become ready: {why}\n{}", server.log());
        }
        server
    }

    /// Starts a server and does not wait for it. A file beside the data folder that is named like it and ends in `.toml` is its
    /// configuration.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start_without_waiting(data: &Path) -> Self {
        std::fs::create_dir_all(data).expect("the test's folder can be written");
        let _ = std::fs::remove_file(data.join("server-url"));
        let log =
            std::fs::File::create(data.with_extension("log")).expect("the test's folder can be written");
        let config = data.with_extension("toml");
        let config = config.is_file().then_some(["--config".into(), config.into_os_string()]);
        let process = Command::new(crate::binary())
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(config.into_iter().flatten())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("trellis starts");
        Self { process, data: data.to_path_buf() }
    }

    /// Waits until the server answers.
    ///
    /// # Errors
    /// Says how it ended, or that time is up.
    pub fn wait_until_ready(&mut self) -> Result<(), String> {
        let started = Instant::now();
        while started.elapsed() < READY_WITHIN {
            if let Ok(Some(status)) = self.process.try_wait() {
                return Err(format!("it ended with {status}"));
            }
            let ready = self.url().is_some_and(|url| Api::new(&url, "").get("/api/v1/ready").status == 200);
            if ready {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("60 s passed".into())
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its API, as the admin.
    ///
    /// # Panics
    /// When it is not ready.
    pub fn api(&self) -> Api {
        let token =
            std::fs::read_to_string(self.data.join("admin-token")).expect("the first start wrote a token");
        Api::new(&self.url().expect("the server is ready"), token.trim())
    }

    /// Its API for somebody without a token.
    ///
    /// # Panics
    /// When it is not ready.
    pub fn anonymous(&self) -> Api {
        Api::new(&self.url().expect("the server is ready"), "")
    }

    /// Runs a command of the command line against it.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let data = self.data.to_string_lossy();
        trellis(arguments.iter().copied().chain(["--data", &*data]))
    }

    /// Imports the sample purchases.
    ///
    /// # Panics
    /// When the import fails.
    pub fn import_cdnow(&self) -> String {
        let (csv, map) = (crate::cdnow("cdnow_sample_transactions.csv"), crate::cdnow("orders.toml"));
        self.cli(&["import", "order", &csv.to_string_lossy(), "--map", &map.to_string_lossy()]).ok()
    }

    /// Installs a plugin and switches it on.
    ///
    /// # Panics
    /// When that fails.
    pub fn install(&self, name: &str, as_of: &str, config: &str) {
        let path = crate::plugin(name);
        self.cli(&[
            "plugin",
            "install",
            &path.to_string_lossy(),
            "--enable",
            "--as-of",
            as_of,
            "--config",
            config,
        ])
        .ok();
    }

    /// Ends the server at once, as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Asks the server to end and waits for it.
    ///
    /// # Panics
    /// When it does not end by itself.
    pub fn stop(mut self) {
        let id = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("kill is there");
        let status = self.process.wait().expect("the server is a child");
        assert!(status.success(), "the server ended with {status}\n{}", self.log());
    }

    /// Waits for the server to end by itself and returns its exit code.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.process.wait().expect("the server is a child").code()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.with_extension("log")).unwrap_or_default()
    }

    fn url(&self) -> Option<String> {
        let url = std::fs::read_to_string(self.data.join("server-url")).ok()?;
        let url = url.trim();
        (!url.is_empty()).then(|| url.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
