//! What a session can be asked to do in the network that it hosts or has joined.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::{AddOptions, NetworkRules, RequestId};

/// A part of the network that has a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Registers and rules.
    Coordinator,
    /// The tracker on this machine.
    Tracker,
    /// This machine's user.
    Peer,
    /// The torrents to be had.
    Index,
    /// The three figures.
    Statistics,
}

/// A question whose answer is written, in a sentence, on the screen of the part that knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// To the coordinator: which trackers are registered?
    Trackers,
    /// To the tracker: who downloads, torrent by torrent?
    Peers,
    /// To the tracker: who seeds, torrent by torrent?
    Seeds,
    /// To the statistics: how many users download?
    NPeers,
    /// To the statistics: how many users seed?
    NSeeds,
    /// To the statistics: how long do seeds stay?
    TimeSeed,
}

/// One request about the network. Refusals come back as `Refused` where there is a request number; otherwise they are
/// written on the screen of the part that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NetworkCommand {
    /// Hosts a network, on `listen` for others or on loopback alone, and leaves the one that was joined; with the
    /// coordinator at work already, moves it there.
    Host {
        /// Where others reach the coordinator; loopback alone where it is absent.
        listen: Option<SocketAddr>,
    },
    /// Joins the network that a link leads to; the own coordinator ends once that has worked. Answers with `Joined` or
    /// `Refused`.
    Join {
        /// Comes back with the answer.
        request: RequestId,
        /// The join link.
        link: String,
    },
    /// Ends the coordinator on this machine (the thesis's Quit). Transfers go on.
    QuitCoordinator,
    /// Registers this machine's user, and takes transfers up again.
    Connect,
    /// Takes this machine's user off the register; transfers and announces stop.
    Disconnect,
    /// Offers this machine's tracker to the coordinator.
    ConnectTracker,
    /// Takes this machine's tracker off the register; torrents that have it keep it.
    DisconnectTracker,
    /// Sets what applies in the network; for who hosts it.
    SetRules(Box<NetworkRules>),
    /// Empties a screen.
    Clear(Part),
    /// Allows notes on a screen, or not (the thesis's Enable).
    AllowNotes {
        /// Whose screen.
        part: Part,
        /// Allowed, or not.
        on: bool,
    },
    /// Writes a note on a screen.
    Note {
        /// Whose screen.
        part: Part,
        /// What to write; one line.
        text: String,
    },
    /// Asks something, to be answered on a screen.
    Ask(Question),
    /// Adds a torrent of the index by its name or info-hash; answers with `Added` or `Refused`.
    Fetch {
        /// Comes back with the answer.
        request: RequestId,
        /// The name, or 40 hexadecimal digits.
        name: String,
        /// How to add it.
        options: AddOptions,
    },
    /// Writes a .torrent of the index to a file; answers with `TorrentSaved` or `Refused`.
    Save {
        /// Comes back with the answer.
        request: RequestId,
        /// The name, or 40 hexadecimal digits.
        name: String,
        /// Where to.
        path: PathBuf,
    },
    /// Takes a torrent out of the index; who seeds it goes on. Answers with `Unlisted` or `Refused`.
    Unlist {
        /// Comes back with the answer.
        request: RequestId,
        /// The name, or 40 hexadecimal digits.
        name: String,
    },
}
