//! The command line. What it says of itself is what `--help` prints.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use url::Url;

use crate::api::{Settings, WebPage};
use crate::app::control::{ControlArgs, ListArgs};
#[cfg(feature = "sim")]
use crate::app::lab::LabArgs;
use crate::app::tracker::TrackerArgs;

/// Share a file with a click: BitTorrent with a tracker, an index and a network of its own.
#[derive(Debug, Parser)]
#[command(name = "fyris", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) desktop: DesktopArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a .torrent file of a file or a folder
    Create(CreateArgs),
    /// Show what a .torrent file says
    Show(ShowArgs),
    /// Check whether a folder holds what a .torrent file says
    Verify(VerifyArgs),
    /// Share what is on the disk until ended; prints `seeding NAME` once peers can have it
    Seed(SeedArgs),
    /// Fetch a torrent; prints `complete NAME SECONDS` when all of it is there
    Get(GetArgs),
    /// Run a tracker: HTTP and UDP, announce, scrape and statistics
    Tracker(TrackerArgs),
    /// Run one of the thesis's four experiments and print what came out
    #[cfg(feature = "sim")]
    Lab(LabArgs),
    /// Coordinate a network; prints `coordinating LINK`, which others join with
    Coordinator(CoordinatorArgs),
    /// Share a file or folder in a network; prints `sharing NAME` once it is assigned to a tracker, indexed and seeded
    Share(ShareArgs),
    /// List what the index of a network keeps
    Index(NetworkArgs),
    /// Show how many peers and seeds a network has, and how long seeds stay
    Statistics(NetworkArgs),
    /// Run the app's session unattended, without a window
    Daemon(DaemonArgs),
    /// List the torrents of the session that runs, with or without a window
    List(ListArgs),
    /// Have the session that runs do something with its torrents
    Control(Box<ControlArgs>),
}

/// The app.
#[derive(Args, Debug)]
pub(super) struct DesktopArgs {
    /// Torrents to open, .torrent files or magnet links
    #[arg(value_name = "FILE.torrent|MAGNET")]
    pub(super) open: Vec<OsString>,
    #[command(flatten)]
    pub(super) web: WebArgs,
    #[command(flatten)]
    pub(super) session: SessionArgs,
}

/// The app without a window.
#[derive(Args, Debug)]
pub(super) struct DaemonArgs {
    #[command(flatten)]
    pub(super) web: WebArgs,
    #[command(flatten)]
    pub(super) session: SessionArgs,
}

/// The web page.
#[derive(Args, Debug)]
pub(super) struct WebArgs {
    /// Have the web page, at that address [default: without a window, at 127.0.0.1:7380]
    #[arg(long = "web", value_name = "ADDR", conflicts_with = "no_web")]
    listen: Option<SocketAddr>,
    /// Have no web page
    #[arg(long)]
    no_web: bool,
}

impl WebArgs {
    /// Puts into the settings what was given here.
    pub(super) fn apply(&self, settings: &mut Settings) {
        if self.no_web {
            settings.web.page = WebPage::Off;
        }
        if let Some(listen) = self.listen {
            (settings.web.page, settings.web.listen) = (WebPage::Always, Some(listen));
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct SeedArgs {
    /// The .torrent file
    #[arg(value_name = "FILE.torrent")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) transfer: TransferArgs,
}

#[derive(Args, Debug)]
pub(super) struct GetArgs {
    /// The .torrent file or magnet link; with --join, a name or info-hash in the network's index
    #[arg(value_name = "FILE.torrent|MAGNET|NAME")]
    pub(super) source: OsString,
    /// The join link of the network to fetch it from
    #[arg(long, value_name = "LINK")]
    pub(super) join: Option<String>,
    /// Go on seeding when it is complete, until ended
    #[arg(long)]
    pub(super) keep_seeding: bool,
    #[command(flatten)]
    pub(super) transfer: TransferArgs,
}

#[derive(Args, Debug)]
pub(super) struct CoordinatorArgs {
    /// Bytes of a piece in everything that is uploaded, a power of two [default: as before, at first by size]
    #[arg(long, value_name = "BYTES", value_parser = piece_length)]
    pub(super) piece_length: Option<u32>,
    /// Connections of one torrent on one machine (Max_N) [default: as before, at first 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_connections: Option<u32>,
    /// Where others reach it [default: every address, port 7300]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,
    /// The folder in which it keeps certificate, secret and index [default: one for each address]
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct ShareArgs {
    /// The file or folder
    pub(super) path: PathBuf,
    /// The join link of the network
    #[arg(long, value_name = "LINK")]
    pub(super) join: String,
    #[command(flatten)]
    pub(super) session: SessionArgs,
}

#[derive(Args, Debug)]
pub(super) struct NetworkArgs {
    /// The join link of the network
    #[arg(long, value_name = "LINK")]
    pub(super) join: String,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// What `seed` and `get` have in common.
#[derive(Args, Debug)]
pub(super) struct TransferArgs {
    /// The folder that holds, or is to hold, the torrent's file or folder
    #[arg(long)]
    pub(super) dir: PathBuf,
    /// A peer to connect to, as HOST:PORT; may be given again
    #[arg(long = "peer", value_name = "ADDR", value_parser = peer)]
    peers: Vec<Peers>,
    #[command(flatten)]
    pub(super) session: SessionArgs,
}

/// What every session can be told.
#[derive(Args, Debug)]
#[command(next_help_heading = "Net options")]
pub(super) struct SessionArgs {
    /// The folder in which the session keeps its state
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// The port that peers connect to [default: 6881, or the next that is free]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// The address to listen on and to connect from [default: every address]
    #[arg(long, value_name = "ADDR")]
    bind: Option<IpAddr>,
    // The four doors below are not open yet, and may be closed all the same.
    /// Find no peers in the distributed hash table
    #[arg(long)]
    no_dht: bool,
    /// Find no peers in the local network
    #[arg(long)]
    no_lsd: bool,
    /// Ask no router for a port
    #[arg(long)]
    no_upnp: bool,
    /// Use TCP alone
    #[arg(long)]
    no_utp: bool,
    /// Send at most so much
    #[arg(long, value_name = "BYTES_PER_S", value_parser = clap::value_parser!(u64).range(1..))]
    up_limit: Option<u64>,
    /// Receive at most so much
    #[arg(long, value_name = "BYTES_PER_S", value_parser = clap::value_parser!(u64).range(1..))]
    down_limit: Option<u64>,
    /// Connections at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: Option<u32>,
}

impl SessionArgs {
    /// Puts into the settings what was given here.
    pub(super) fn apply(&self, settings: &mut Settings) {
        settings.port = self.port.unwrap_or(settings.port);
        settings.bind = self.bind.or(settings.bind);
        settings.limits.up = self.up_limit.or(settings.limits.up);
        settings.limits.down = self.down_limit.or(settings.limits.down);
        if let Some(most) = self.max_connections {
            (settings.max_connections, settings.max_connections_per_torrent) = (most, most);
        }
    }
}

impl TransferArgs {
    /// Every address of the peers given.
    pub(super) fn peers(&self) -> Vec<SocketAddr> {
        self.peers.iter().flat_map(|peers| peers.0.iter().copied()).collect()
    }
}

/// The addresses of one peer.
#[derive(Clone, Debug)]
pub(super) struct Peers(pub(super) Vec<SocketAddr>);

pub(super) fn peer(text: &str) -> Result<Peers, String> {
    let found: Vec<SocketAddr> = text.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    if found.is_empty() { Err("it has no address".to_owned()) } else { Ok(Peers(found)) }
}

#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    /// The file or folder to make it of
    pub(super) path: PathBuf,
    /// Where to write it [default: the name of PATH with .torrent, in the current folder]
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: Option<PathBuf>,
    /// A tracker's announce URL; each is a tier of its own
    #[arg(short, long = "tracker", value_name = "URL", value_parser = tracker_url)]
    pub(super) trackers: Vec<String>,
    /// Bytes of a piece, a power of two [default: by size]
    #[arg(long, value_name = "BYTES")]
    pub(super) piece_length: Option<u32>,
    /// Peers come from the trackers only (BEP 27)
    #[arg(long)]
    pub(super) private: bool,
    /// A comment for those who open it
    #[arg(long, value_name = "TEXT")]
    pub(super) comment: Option<String>,
    /// A place where the files lie on the web (BEP 19)
    #[arg(long = "web-seed", value_name = "URL", value_parser = web_url)]
    pub(super) web_seeds: Vec<String>,
}

#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// The .torrent file
    #[arg(value_name = "FILE.torrent")]
    pub(super) file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The .torrent file
    #[arg(value_name = "FILE.torrent")]
    pub(super) file: PathBuf,
    /// The folder that holds the torrent's file or folder
    #[arg(long)]
    pub(super) dir: PathBuf,
}

fn piece_length(text: &str) -> Result<u32, String> {
    let bytes: u32 = text.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
    if bytes.is_power_of_two() && (16 * 1024..=64 * 1024 * 1024).contains(&bytes) {
        Ok(bytes)
    } else {
        Err("it must be a power of two from 16384 (16 KiB) to 67108864 (64 MiB)".to_owned())
    }
}

fn tracker_url(text: &str) -> Result<String, String> {
    url(text, &["http", "https", "udp", "ws", "wss"])
}

fn web_url(text: &str) -> Result<String, String> {
    url(text, &["http", "https", "ftp"])
}

fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    let fine =
        |url: Url| schemes.contains(&url.scheme()) && url.host_str().is_some_and(|host| !host.is_empty());
    if Url::parse(text).is_ok_and(fine) {
        Ok(text.to_owned())
    } else {
        Err(format!("it must begin with one of {}:// and name a host", schemes.join("://, ")))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_become_settings() {
        let line = "fyris get x --dir d --peer 1.2.3.4:5 --peer [::1]:6 --port 7 --bind 127.0.0.2 --no-dht --no-lsd \
                    --no-upnp --no-utp --up-limit 8 --down-limit 9 --max-connections 10 --state s";
        let cli = Cli::try_parse_from(line.split_whitespace()).expect("a good line");
        let Some(Command::Get(args)) = cli.command else { panic!("no `get`") };
        let mut settings = Settings::default();
        args.transfer.session.apply(&mut settings);
        assert_eq!((settings.port, settings.bind), (7, Some([127, 0, 0, 2].into())));
        assert_eq!((settings.limits.up, settings.limits.down), (Some(8), Some(9)));
        assert_eq!((settings.max_connections, settings.max_connections_per_torrent), (10, 10));
        assert_eq!(args.transfer.peers(), [([1, 2, 3, 4], 5).into(), "[::1]:6".parse().expect("an address")]);
        for wrong in [
            "fyris get x",
            "fyris seed",
            "fyris get x --dir d --peer nowhere",
            "fyris --port 70000",
            "fyris get x --dir d --up-limit 0",
            "fyris daemon --max-connections 0",
            "fyris x verify y --dir z",
        ] {
            assert!(Cli::try_parse_from(wrong.split_whitespace()).is_err(), "{wrong}");
        }
        let app =
            Cli::try_parse_from(["fyris", "--state", "s", "a.torrent", "magnet:?x"]).expect("a good line");
        assert_eq!((app.command.is_none(), app.desktop.open.len()), (true, 2));
    }

    #[test]
    fn the_web_page_is_chosen_by_option() {
        let web = |line: &str| {
            let cli = Cli::try_parse_from(line.split_whitespace()).map_err(|error| error.kind())?;
            let mut settings = Settings::default();
            match cli.command {
                Some(Command::Daemon(args)) => args.web.apply(&mut settings),
                _ => cli.desktop.web.apply(&mut settings),
            }
            Ok(settings.web)
        };
        let at = |listen: &str| {
            Ok(crate::api::Web {
                page: WebPage::Always,
                listen: Some(listen.parse().expect("an address")),
                ..crate::api::Web::default()
            })
        };
        assert_eq!(web("fyris daemon"), Ok(crate::api::Web::default()));
        assert_eq!(web("fyris daemon --web 0.0.0.0:80"), at("0.0.0.0:80"));
        assert_eq!(web("fyris --web [::1]:0"), at("[::1]:0"));
        assert_eq!(web("fyris --no-web").map(|web| web.page), Ok(WebPage::Off));
        assert_eq!(web("fyris daemon --web 7380"), Err(clap::error::ErrorKind::ValueValidation));
        let both = web("fyris daemon --web 127.0.0.1:1 --no-web");
        assert_eq!(both, Err(clap::error::ErrorKind::ArgumentConflict));
    }

    #[test]
    fn urls_are_looked_at() {
        for (text, fine) in [
            ("http://t.example/announce", true),
            ("udp://1.2.3.4:5", true),
            ("t.example/announce", false),
            ("file:///a", false),
            ("http://", false),
        ] {
            assert_eq!(tracker_url(text).is_ok(), fine, "{text}");
        }
    }
}
