//! What comes into the engine and what goes out of it: plain values, so that any shell can carry them.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::announce::{AnnounceRequest, Answer, Facts, Failure};
use crate::api::{AddOptions, Command, Event, RequestId, Settings};
use crate::base::{ConnKey, InfoHash, TorrentKey};
use crate::disk::{Done, Job};
use crate::engine::{Change, Record};
use crate::metainfo::{Magnet, Torrent};
use crate::peer::Item;

/// Something that happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection that [`Output::Connect`] asked for stands; nothing was said on it yet.
    Connected {
        /// Which.
        conn: ConnKey,
    },
    /// A connection that [`Output::Connect`] asked for did not come about.
    ConnectFailed {
        /// Which.
        conn: ConnKey,
    },
    /// Somebody connected to us; nothing was said yet. The shell chooses the key with [`ConnKey::incoming`].
    Accepted {
        /// Which.
        conn: ConnKey,
        /// Where from.
        addr: SocketAddr,
    },
    /// A peer said something.
    Received {
        /// Which connection.
        conn: ConnKey,
        /// What, in order.
        items: Vec<Item>,
    },
    /// Blocks that were given to [`Output::Send`] are with the system now.
    Sent {
        /// Which connection.
        conn: ConnKey,
        /// Bytes of blocks.
        bytes: u64,
    },
    /// A connection has ended by itself; not said of one that [`Output::Close`] ended.
    Closed {
        /// Which.
        conn: ConnKey,
        /// How.
        end: End,
    },
    /// What [`Output::OpenDoors`] asked for is there.
    DoorsOpened {
        /// Which connection's peer may use them.
        conn: ConnKey,
        /// Where he reaches us besides.
        addrs: Vec<SocketAddr>,
    },
    /// The disk has done something.
    Disk(Done),
    /// A tracker has answered.
    Announced {
        /// Which torrent asked.
        torrent: TorrentKey,
        /// The question's name.
        id: u64,
        /// What it said.
        answer: Result<Answer, Failure>,
    },
    /// Everything up to this change is durable, or will never be.
    Stored {
        /// The change's number.
        seq: u64,
        /// Why it could not be written.
        result: Result<(), String>,
    },
    /// A torrent is to be added; answered with `Added` or `Refused`, a share with `Shared`.
    Add {
        /// Comes back with the answer.
        request: RequestId,
        /// What to add, and how.
        addition: Box<Addition>,
    },
    /// A torrent of the last run; of one that has everything the summary is enough.
    Restore(Box<Record>),
    /// What [`Output::Load`] asked for.
    Loaded {
        /// Which torrent.
        torrent: InfoHash,
        /// What is kept of it, and what it is made of; or why it cannot be read.
        loaded: Result<Box<(Record, Torrent)>, String>,
    },
    /// A user asks for something else: every command that needs no file and no socket of its own. `Inspect`, `Add`, `Share`
    /// and `SaveTorrent` are the shell's; given here they are refused.
    Command(Command),
    /// The settings have changed.
    Settings(Arc<Settings>),
    /// Where peers reach us now.
    Listening(Vec<SocketAddr>),
    /// The user has disconnected: every torrent stays as it is and leaves its swarm, until the opposite is said.
    Rest(bool),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The other side closed it, or it broke.
    Lost,
    /// The other side broke the protocol.
    Broken,
}

/// A torrent to be added.
#[derive(Clone, Debug)]
pub struct Addition {
    /// What.
    pub subject: Subject,
    /// How. The folder is filled in by whoever makes this.
    pub options: AddOptions,
    /// Whether it was just made here: its data is known to be there and right.
    pub shared_here: bool,
    /// The folder it stands in until it is complete and moves to its own; nothing where it is made there from the start.
    pub incomplete: Option<std::path::PathBuf>,
}

/// What a torrent is made of.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A whole torrent.
    Torrent(Box<Torrent>),
    /// A link; the metadata is fetched from peers (BEP 9).
    Magnet(Box<Magnet>),
}

/// Something to be done outside.
#[derive(Clone, Debug)]
pub enum Output {
    /// Connects to a peer; answered with `Connected` or `ConnectFailed`.
    Connect {
        /// The name of the connection from now on.
        conn: ConnKey,
        /// Where to.
        addr: SocketAddr,
    },
    /// Says something to a peer. Blocks among it are acknowledged with [`Input::Sent`].
    Send {
        /// Which connection.
        conn: ConnKey,
        /// What, in order.
        items: Vec<Item>,
    },
    /// Ends a connection, be it still being made. What was said before need not arrive.
    Close {
        /// Which.
        conn: ConnKey,
    },
    /// Listens on further ports of the address at which a peer has connected to us, for him alone and for as long as that
    /// connection stands; answered with [`Input::DoorsOpened`] where that works.
    OpenDoors {
        /// Which connection.
        conn: ConnKey,
        /// How many ports.
        count: usize,
    },
    /// Gives a job to the disk.
    Disk(Job),
    /// Asks a tracker; answered with `Announced`.
    Announce {
        /// Which torrent asks.
        torrent: TorrentKey,
        /// What every tracker is told.
        facts: Facts,
        /// The question.
        request: AnnounceRequest,
    },
    /// Writes a change; answered with `Stored`, in order.
    Store {
        /// The change's number, rising.
        seq: u64,
        /// The change.
        change: Change,
    },
    /// Reads what is kept of a torrent that was at rest; answered with [`Input::Loaded`].
    Load(InfoHash),
    /// Tells whoever uses the session.
    Event(Event),
}
