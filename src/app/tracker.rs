//! `fyris tracker`: a tracker without a window, for a machine of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::app::{log, say};
use crate::net::network::{Client, Identity, LEAVING, TrackerRole, Wish, attend};
use crate::net::tracker::{Inherited, Server};
use crate::network::{JoinLink, News};
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
    /// The join link of a network to be a tracker of; prints `tracking URL` once it is registered there
    #[arg(long, value_name = "LINK")]
    pub join: Option<String>,
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
        let most = config.memory_bytes().div_ceil(1 << 20);
        say::out(format_args!("The configuration is good. Swarms take at most {most} MiB of memory."));
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
    let member = match &args.join {
        Some(link) => Some(join(link.parse()?, &server).map_err(|why| anyhow::anyhow!(why))?),
        None => None,
    };
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
    if let Some((wish, member)) = member {
        drop(wish);
        // A coordinator that cannot be told finds out by the silence.
        _ = tokio::time::timeout(LEAVING, member).await;
    }
    server.stop().await;
    Ok(())
}

/// Has the tracker become a member of a network, and stay one until the wish is dropped.
fn join(link: JoinLink, server: &Server) -> Result<(watch::Sender<Wish>, JoinHandle<()>), String> {
    let observer = server.observer();
    let url = observer.urls().first().cloned().unwrap_or_default();
    let place = link.places.first().map(ToString::to_string).unwrap_or_default();
    let id = Identity::new().map_err(|error| error.to_string())?.tracker;
    let role = TrackerRole::new(Client::new(link, None)?, id, observer);
    let (wish, wished) = watch::channel(Wish::default());
    let (sender, mut news) = mpsc::channel(64);
    let member = tokio::spawn(async move {
        let telling = async move {
            while let Some(news) = news.recv().await {
                match news {
                    News::Connected { already } => {
                        let again = if already { "; it was registered already" } else { "" };
                        tracing::info!("registered with the coordinator at {place}{again}");
                        say::out(format_args!("tracking {url}"));
                    }
                    News::Lost(why) => tracing::warn!("not registered: {why}"),
                    News::Left => tracing::info!("off the register of the coordinator at {place}"),
                    News::Rules(rules) => tracing::info!(rules.max_connections, "other rules apply"),
                    News::Users(list) => tracing::info!("{} users are connected", list.users.len()),
                    News::Trackers(..) | News::Missing(_) => {}
                }
            }
        };
        tokio::join!(attend(role, wished, sender), telling);
    });
    Ok((wish, member))
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
pub(super) enum Signal {
    Reload,
    End,
}

#[cfg(unix)]
pub(super) struct Signals {
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.terminate.recv() => Signal::End,
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Signal {
        // Where it cannot be waited for, the tracker runs until it is ended from outside.
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::End,
            Err(_) => std::future::pending().await,
        }
    }
}
