//! Everything a session can be asked to do.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::{RequestId, Settings};
use crate::base::InfoHash;

/// How much a file is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilePriority {
    /// Not at all; it is never created unless a piece shared with a wanted file needs a byte of it.
    Skip,
    /// After everything else.
    Low,
    /// As everything else.
    #[default]
    Normal,
    /// Before everything else.
    High,
}

/// Where a torrent comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A .torrent file on this machine.
    File(PathBuf),
    /// The content of a .torrent file; base64 in text forms.
    Bytes(#[serde(with = "base64")] Vec<u8>),
    /// A magnet link (BEP 9).
    Magnet(String),
}

/// How a torrent is to be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddOptions {
    /// The folder to save into; the settings' download folder where it is absent.
    pub folder: Option<PathBuf>,
    /// Whether it waits for a resume before it does anything.
    pub paused: bool,
    /// Priorities in file order; files beyond the end are normal, and an empty list wants everything.
    pub priorities: Vec<FilePriority>,
    /// Whether pieces are fetched in order.
    pub sequential: bool,
    /// Its label; none where it is empty.
    pub label: String,
    /// Whether the data is known to be there and right, so that it need not be checked.
    pub seed_mode: bool,
    /// Peers to try at once.
    pub peers: Vec<SocketAddr>,
}

/// A file or folder to be shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The file or folder.
    pub path: PathBuf,
    /// Who may have it.
    pub reach: super::Reachable,
    /// Bytes of one piece, a power of two; chosen by size where absent.
    pub piece_length: Option<u32>,
    /// Whether peers come from the trackers only (BEP 27).
    pub private: bool,
    /// A comment for those who open the .torrent.
    pub comment: Option<String>,
    /// Trackers besides the one in this program, in tiers (BEP 12).
    pub trackers: Vec<Vec<String>>,
    /// Places where the files lie on the web (BEP 19).
    pub web_seeds: Vec<String>,
}

impl Share {
    /// What lies at `path`, shared as it is with everyone on the local network.
    pub fn of(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            reach: super::Reachable::default(),
            piece_length: None,
            private: false,
            comment: None,
            trackers: Vec::new(),
            web_seeds: Vec::new(),
        }
    }
}

/// One request to a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Reads a torrent and answers with [`Event::Inspected`](super::Event::Inspected) or `Refused`; adds nothing.
    Inspect {
        /// Comes back with the answer.
        request: RequestId,
        /// What to read.
        source: Source,
    },
    /// Adds a torrent; answers with `Added` or `Refused`.
    Add {
        /// Comes back with the answer.
        request: RequestId,
        /// What to add.
        source: Source,
        /// How to add it.
        options: AddOptions,
    },
    /// Hashes a file or folder, adds it and seeds it; answers with `Shared` or `Refused`.
    Share {
        /// Comes back with the answer, and names the job while it hashes.
        request: RequestId,
        /// What to share, and with whom.
        share: Box<Share>,
    },
    /// Ends a running job (hashing for a share, moving) and leaves no trace of it.
    Cancel(RequestId),
    /// Moves a torrent's files to another folder, in the background; answers with `Moved` or `Refused`. Where it cannot be
    /// done, or is cancelled, everything stays where it was.
    Move {
        /// Comes back with the answer, and names the job while it works.
        request: RequestId,
        /// Which torrent.
        torrent: InfoHash,
        /// Where to; made where it is not there.
        folder: PathBuf,
    },
    /// Stops all transfer of a torrent and says so to its trackers.
    Pause(InfoHash),
    /// Takes transfer up again.
    Resume(InfoHash),
    /// Pauses every torrent.
    PauseAll,
    /// Resumes every torrent.
    ResumeAll,
    /// Pauses a torrent, or all of them, and answers with `Serialized` when peers are left, trackers have been told or had a few
    /// seconds to listen, and everything that is known of them is safely written. One that stands still already is only
    /// written. The session goes on; [`Command::Shutdown`] does the same and ends it.
    StopAndSerialize {
        /// Comes back with the answer.
        request: RequestId,
        /// Which; all of them where it is absent.
        torrent: Option<InfoHash>,
    },
    /// Hashes everything on the disk again.
    Recheck(InfoHash),
    /// Takes a torrent off the list.
    Remove {
        /// Which.
        torrent: InfoHash,
        /// Whether its files go too: only the torrent's own, and folders that are empty after that.
        delete_data: bool,
    },
    /// Sets the priority of some files.
    Prioritise {
        /// Which torrent.
        torrent: InfoHash,
        /// File numbers and their new priority.
        files: Vec<(u32, FilePriority)>,
    },
    /// Fetches pieces in order, or not.
    Sequential {
        /// Which torrent.
        torrent: InfoHash,
        /// In order, or not.
        on: bool,
    },
    /// Sets a torrent's own limits.
    Limit {
        /// Which torrent.
        torrent: InfoHash,
        /// The limits.
        limits: super::Limits,
    },
    /// Sets when a torrent has given enough; what is absent follows the settings.
    Goals {
        /// Which torrent.
        torrent: InfoHash,
        /// Its goals.
        goals: super::Goals,
    },
    /// Gives a torrent a label, by which it is found and limited; an empty one takes it away.
    Label {
        /// Which torrent.
        torrent: InfoHash,
        /// The label.
        label: String,
    },
    /// Calls a torrent something else in the list; its files keep their names. An empty name takes that back.
    Rename {
        /// Which torrent.
        torrent: InfoHash,
        /// What it is called.
        name: String,
    },
    /// Moves a torrent in the queue.
    Queue {
        /// Which torrent.
        torrent: InfoHash,
        /// Where to.
        turn: super::Turn,
    },
    /// Tries peers given by hand.
    AddPeers {
        /// Which torrent.
        torrent: InfoHash,
        /// Where they listen.
        peers: Vec<SocketAddr>,
    },
    /// Asks the trackers for peers now.
    Announce(InfoHash),
    /// Writes a torrent's .torrent file.
    SaveTorrent {
        /// Comes back in `TorrentSaved` or `Refused`.
        request: RequestId,
        /// Which torrent.
        torrent: InfoHash,
        /// Where to.
        path: PathBuf,
    },
    /// Chooses the torrent whose details the view carries.
    Watch(Option<InfoHash>),
    /// Tells a torrent in full, once; answers with `Described` or `Refused`.
    Describe {
        /// Comes back with the answer.
        request: RequestId,
        /// Which torrent.
        torrent: InfoHash,
    },
    /// Answers with `Settled` once all that was asked of these torrents before is done and safely written, or with `Refused`
    /// where it could not be. What is off the list by then is done with, too.
    Settle {
        /// Comes back with the answer.
        request: RequestId,
        /// Which torrents.
        torrents: Vec<InfoHash>,
    },
    /// Asks something of the network that is hosted here or was joined.
    Network(super::NetworkCommand),
    /// Replaces the settings, writes them, and lets them take effect.
    Settings(Box<Settings>),
    /// Ends the session: leaves peers and trackers properly, writes its state, answers with `Stopped`.
    Shutdown,
}

impl Command {
    /// The number by which it is answered; nothing where it is not, or names one that was begun before.
    pub fn request(&mut self) -> Option<&mut RequestId> {
        use super::NetworkCommand as Network;
        match self {
            Self::Inspect { request, .. }
            | Self::Add { request, .. }
            | Self::Share { request, .. }
            | Self::Move { request, .. }
            | Self::StopAndSerialize { request, .. }
            | Self::SaveTorrent { request, .. }
            | Self::Describe { request, .. }
            | Self::Settle { request, .. }
            | Self::Network(
                Network::Join { request, .. }
                | Network::Fetch { request, .. }
                | Network::Save { request, .. }
                | Network::Unlist { request, .. },
            ) => Some(request),
            Self::Cancel(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::PauseAll
            | Self::ResumeAll
            | Self::Recheck(_)
            | Self::Remove { .. }
            | Self::Prioritise { .. }
            | Self::Sequential { .. }
            | Self::Limit { .. }
            | Self::Goals { .. }
            | Self::Label { .. }
            | Self::Rename { .. }
            | Self::Queue { .. }
            | Self::AddPeers { .. }
            | Self::Announce(_)
            | Self::Watch(_)
            | Self::Settings(_)
            | Self::Shutdown
            | Self::Network(
                Network::Host { .. }
                | Network::QuitCoordinator
                | Network::Connect
                | Network::Disconnect
                | Network::ConnectTracker
                | Network::DisconnectTracker
                | Network::SetRules(_)
                | Network::Clear(_)
                | Network::AllowNotes { .. }
                | Network::Note { .. }
                | Network::Ask(_),
            ) => None,
        }
    }
}

/// Bytes as text of a third more, rather than a number for each.
mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64
            .decode(text.as_bytes())
            .map_err(|error| D::Error::custom(format!("this is no base64: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NetworkCommand;

    fn read(text: &str) -> Result<Command, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn commands_read_as_they_are_written_and_nothing_unknown_is_let_pass() {
        let options =
            AddOptions { paused: true, priorities: vec![FilePriority::Skip], ..AddOptions::default() };
        let source = Source::Bytes(vec![0, 1, 255]);
        let add = Command::Add { request: RequestId(1), source, options };
        let text = serde_json::to_string(&add).expect("plain data");
        assert!(text.contains(r#""bytes":"AAH/""#), "{text}");
        assert_eq!(read(&text), Ok(add));
        assert_eq!(read(r#""pause_all""#), Ok(Command::PauseAll));
        for (wrong, named) in [
            (r#""explode""#, "explode"),
            (r#"{"limit":{"torrent":"00"}}"#, "40 hexadecimal"),
            (&text.replace("paused", "pausd"), "pausd"),
            (&text.replace("\"request\"", "\"requset\""), "requset"),
            (&text.replace("AAH/", "AAH"), "base64"),
            (r#"{"network":{"unlist":{"request":1,"name":"a","force":true}}}"#, "force"),
        ] {
            let error = read(wrong).expect_err(wrong);
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_number_is_given_to_what_is_answered() {
        let mut unlist = Command::Network(NetworkCommand::Unlist { request: RequestId(0), name: "a".into() });
        *unlist.request().expect("it is answered") = RequestId(7);
        assert_eq!(
            unlist,
            Command::Network(NetworkCommand::Unlist { request: RequestId(7), name: "a".into() })
        );
        assert_eq!(Command::Cancel(RequestId(3)).request(), None);
    }
}
