//! `fyris tracker`: a tracker without a window, for a machine of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::app::{log, say};
use crate::net::tracker::{Inherited, Server};
use crate::tracker::Config;

/// Runs a tracker: HTTP and UDP, announce, scrape and statistics.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TrackerArgs {
    /// The configuration, a TOML file with etracker's names; read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to answer over HTTP, such as `0.0.0.0:6969` or `[::]:6969`; may stand several times
    #[arg(long, value_name = "ADDR")]
    pub http: Vec<SocketAddr>,
    /// Where to answer over UDP; the addresses of HTTP unless it is given
    #[arg(long, value_name = "ADDR")]
    pub udp: Vec<SocketAddr>,
    /// Checks the configuration and ends
    #[arg(long)]
    pub check: bool,
}

/// Runs the tracker until the system asks it to end.
///
/// # Errors
/// Where the configuration cannot be used or an address cannot be had.
pub(super) fn run(args: TrackerArgs) -> anyhow::Result<()> {
    let config = configuration(&args)?;
    if args.check {
        say::out("The configuration is good.");
        return Ok(());
    }
    log::start("info");
    // Every connection is a file; the system's own limit is meant for programs with a dozen.
    _ = rlimit::increase_nofile_limit(u64::from(config.http_max_connections) + 256);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&args, config))
}

async fn serve(args: &TrackerArgs, config: Config) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let server = Server::start_with(config, Inherited::take()).await?;
    for url in server.urls() {
        say::out(format_args!("Answering at {url}"));
    }
    while let Signal::Reload = signals.next().await {
        match configuration(args).and_then(|config| Ok(server.reload(config)?)) {
            Ok(needs_start) => {
                tracing::info!("the configuration was read again");
                if needs_start {
                    tracing::warn!("other addresses or numbers of tasks need a new start");
                }
            }
            Err(error) => tracing::error!("{error:#}; the former configuration stays"),
        }
    }
    server.stop().await;
    Ok(())
}

/// What the file says, and what the command line says instead.
fn configuration(args: &TrackerArgs) -> anyhow::Result<Config> {
    let mut config = match &args.config {
        Some(path) => read(path)?,
        None => Config::default(),
    };
    if !args.http.is_empty() {
        config.http.clone_from(&args.http);
        // A file that names no addresses for UDP means those of HTTP.
        if args.config.is_none() {
            config.udp.clone_from(&args.http);
        }
    }
    if !args.udp.is_empty() {
        config.udp.clone_from(&args.udp);
    }
    Ok(config)
}

fn read(path: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Config::from_toml(&text).with_context(|| format!("{} cannot be used", path.display()))
}

/// What the system asks for.
enum Signal {
    Reload,
    End,
}

#[cfg(unix)]
struct Signals {
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.terminate.recv() => Signal::End,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        // Where it cannot be waited for, the tracker runs until it is ended from outside.
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::End,
            Err(_) => std::future::pending().await,
        }
    }
}
