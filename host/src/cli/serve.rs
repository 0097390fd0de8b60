use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use trellis_access::FirstStart;

use super::{Failure, Result, output};
use crate::{boot, config::Config};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The data folder; made where it is missing.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The configuration file (host/docs/configuration.md).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(&self) -> Result {
        let config = Config::read(self.config.as_deref()).map_err(Failure::Message)?;
        start_log(&config.server.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Failure::Message(format!("cannot start the runtime: {error}")))?;
        let served =
            runtime.block_on(boot::serve(&self.data, self.listen.as_deref(), &config, stop_signal()));
        served.map_err(|error| match error.is_about_data() {
            true => Failure::Data(format!("{error}\n{}", advice(&self.data))),
            false => Failure::Message(error.to_string()),
        })
    }
}

/// What to do about a damaged data folder.
pub(super) fn advice(data: &std::path::Path) -> String {
    format!(
        "nothing was changed. `trellis verify --data {0}` names what is wrong; restore {0} from a backup, or keep a copy and ask for help",
        data.display()
    )
}

/// Prints the sign-in of a new data folder, once.
pub(crate) fn first_start(url: &str, first_start: &FirstStart) {
    output::line(&format!(
        "first start: user `admin` was made. Its token, shown this once and kept in {}:",
        first_start.path.display()
    ));
    output::line(&first_start.admin_token);
    output::line(&format!("serving at {url}"));
}

fn start_log(filter: &str) -> Result {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|error| Failure::Message(format!("server.log `{filter}`: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    Ok(())
}

/// Ends at the first SIGTERM or Ctrl-C; a second one ends the process at once, which the store survives.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("a process may listen to SIGTERM");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a process may listen to SIGINT");
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    tracing::info!("stopping; a second signal ends at once");
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    });
}
