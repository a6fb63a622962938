//! The command line. What it says of itself is what `--help` prints.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use url::Url;

use crate::app::tracker::TrackerArgs;

/// Share a file with a click: BitTorrent with a tracker, an index and a network of its own.
#[derive(Debug, Parser)]
#[command(name = "fyris", version)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a .torrent file of a file or a folder
    Create(CreateArgs),
    /// Show what a .torrent file says
    Show(ShowArgs),
    /// Check whether a folder holds what a .torrent file says
    Verify(VerifyArgs),
    /// Run a tracker: HTTP and UDP, announce, scrape and statistics
    Tracker(TrackerArgs),
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

fn tracker_url(text: &str) -> Result<String, String> {
    url(text, &["http", "https", "udp", "ws", "wss"])
}

fn web_url(text: &str) -> Result<String, String> {
    url(text, &["http", "https", "ftp"])
}

fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("it must begin with one of {}:// and name a host", schemes.join("://, ")));
    }
    Ok(text.to_owned())
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
