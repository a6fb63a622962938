//! What machines of a network say to each other: every operation is one JSON object there and one back.
//!
//! An operation is called by its name: `POST /v1/NAME` carries it over HTTP. `docs/network.md` is written from this file.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::api::{IndexEntry, NetworkRules, NetworkStatistics, Registers, ScreenLine};
use crate::base::InfoHash;

/// An operation: a request type that knows its name, its bound, and the type of its answer.
pub trait Operation: Serialize + DeserializeOwned {
    /// The name, the last part of the path.
    const NAME: &'static str;
    /// Bytes of the largest body that is read.
    const BODY_BYTES: usize = 64 * 1024;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned;
}

/// Declares which answer belongs to which request.
macro_rules! operations {
    ($($request:ident $name:literal $bytes:literal -> $answer:ty;)*) => {
        $(impl Operation for $request {
            const NAME: &'static str = $name;
            const BODY_BYTES: usize = $bytes;
            type Answer = $answer;
        })*

        /// Every operation: its name and the bytes of its largest body.
        pub const OPERATIONS: &[(&str, usize)] = &[$(($name, $bytes)),*];
    };
}

operations! {
    RegisterTracker "register-tracker" 16_384 -> Welcome;
    TrackerBeat "tracker-beat" 8_388_608 -> TrackerNews;
    LeaveTracker "leave-tracker" 4_096 -> Done;
    RegisterUser "register-user" 262_144 -> Welcome;
    UserBeat "user-beat" 1_048_576 -> UserNews;
    LeaveUser "leave-user" 4_096 -> Done;
    Upload "upload" 50_331_648 -> Uploaded;
    List "list" 4_096 -> Listing;
    Fetch "fetch" 4_096 -> Fetched;
    Remove "remove" 4_096 -> IndexEntry;
    AskStatistics "statistics" 4_096 -> NetworkStatistics;
    AskRegisters "registers" 4_096 -> Registers;
    AskScreens "screens" 4_096 -> ScreensNews;
}

/// By what a member of a network names itself: 16 random bytes that it makes and keeps.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub [u8; 16]);

/// Bytes that stand as base64 in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

/// A tracker offers itself, or comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterTracker {
    /// Who it is.
    pub id: MemberId,
    /// Its announce URLs, at most 8; a host that is unspecified or loopback is replaced by the address it calls from.
    pub urls: Vec<String>,
}

/// A tracker is alive, and what it knows of its swarms: all of it, or nothing where the coordinator has said that it has all
/// of it, so that a lost beat loses nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackerBeat {
    /// Who it is.
    pub id: MemberId,
    /// Its swarms, at most 10,000 of them and 50,000 peers in all; absent where they are those of `revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swarms: Option<Vec<SwarmReport>>,
    /// By which number the coordinator is to know these swarms; 0 where it need not.
    #[serde(default)]
    pub revision: u64,
    /// The revision of the list of users that it has; 0 for none.
    #[serde(default)]
    pub users_revision: u64,
}

/// One swarm at a tracker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwarmReport {
    /// Which torrent.
    pub torrent: InfoHash,
    /// Who is in it.
    pub peers: Vec<PeerReport>,
}

/// One peer of a swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerReport {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Seconds since it became a seed; absent for a peer that is none.
    #[serde(default)]
    pub seed_secs: Option<u64>,
}

/// A tracker goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveTracker {
    /// Who it is.
    pub id: MemberId,
}

/// A user connects, or comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterUser {
    /// Who it is.
    pub id: MemberId,
    /// What it calls itself.
    pub name: String,
    /// The port its peer listens on; the address is the one it calls from.
    pub port: u16,
    /// What it has uploaded to this network and still seeds, at most 5,000.
    #[serde(default)]
    pub shares: Vec<InfoHash>,
}

/// A user is alive, and what it is doing: as with a tracker's beat, all of what it holds or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserBeat {
    /// Who it is.
    pub id: MemberId,
    /// The torrents it seeds or downloads, at most 5,000; absent where they are those of `revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torrents: Option<Vec<Holding>>,
    /// By which number the coordinator is to know these torrents; 0 where it need not.
    #[serde(default)]
    pub revision: u64,
    /// To whom it sends, the fastest first, at most 100.
    #[serde(default)]
    pub sends: Vec<Sending>,
}

/// A torrent that a user has or fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Which.
    pub torrent: InfoHash,
    /// Seconds since it began to seed; absent while it downloads.
    #[serde(default)]
    pub seed_secs: Option<u64>,
}

/// A transfer from a user to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// To whom.
    pub to: SocketAddr,
    /// What.
    pub torrent: InfoHash,
    /// Bytes per second.
    pub rate: u64,
}

/// A user disconnects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveUser {
    /// Who it is.
    pub id: MemberId,
}

/// A user uploads: it has hashed the data and seeds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Who it is.
    pub id: MemberId,
    /// The bencoded `info` dictionary.
    pub info: Base64,
}

/// Asks for the index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Only names that hold this text, in upper or lower case.
    #[serde(default)]
    pub search: String,
    /// How many to pass over.
    #[serde(default)]
    pub offset: u32,
}

/// Asks for a torrent by its name or its info-hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// A name, or 40 hexadecimal digits.
    pub name: String,
}

/// Takes a torrent out of the index, by its name or its info-hash; who seeds it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// A name, or 40 hexadecimal digits.
    pub name: String,
}

/// Asks for the statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskStatistics {}

/// Asks for the registers of trackers and users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRegisters {}

/// Asks what has come onto the screens of coordinator, index and statistics since the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AskScreens {
    /// Up to where the coordinator's is known, 0 for nothing of it.
    pub coordinator: u64,
    /// Up to where the index's is.
    pub index: u64,
    /// Up to where that of the statistics is.
    pub statistics: u64,
}

/// The answer to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreensNews {
    /// From the coordinator's.
    pub coordinator: ScreenNews,
    /// From the index's.
    pub index: ScreenNews,
    /// From that of the statistics.
    pub statistics: ScreenNews,
}

/// New lines of one screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenNews {
    /// Up to where they go, for the next question.
    pub upto: u64,
    /// The lines, the oldest first.
    pub lines: Vec<ScreenLine>,
}

/// The answer to registering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// What applies.
    pub rules: NetworkRules,
    /// Seconds between beats.
    pub beat_secs: u64,
    /// Set where it was registered already: milliseconds since 1970 when that was.
    #[serde(default)]
    pub already_unix_millis: Option<u64>,
    /// A tracker's announce URLs as others are told them; the trackers of the network for a user.
    pub trackers: Vec<Vec<String>>,
    /// What a user shares and the index has not: to be uploaded again.
    #[serde(default)]
    pub missing: Vec<InfoHash>,
}

/// The answer to a tracker's beat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackerNews {
    /// What applies.
    pub rules: NetworkRules,
    /// The users, where the list has changed since the revision the tracker has.
    #[serde(default)]
    pub users: Option<UserList>,
    /// The revision of its swarms that the coordinator has; 0 where it wants all of them.
    #[serde(default)]
    pub revision: u64,
}

/// The list of users as a tracker keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserList {
    /// Rises with each change; never 0.
    pub revision: u64,
    /// Name and address of each.
    pub users: Vec<(String, SocketAddr)>,
}

/// The answer to a user's beat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserNews {
    /// What applies.
    pub rules: NetworkRules,
    /// The trackers of the network, as their announce URLs.
    pub trackers: Vec<Vec<String>>,
    /// The revision of its torrents that the coordinator has; 0 where it wants all of them.
    #[serde(default)]
    pub revision: u64,
}

/// The answer to an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// As the index keeps it.
    pub entry: IndexEntry,
    /// The .torrent, with the trackers in it.
    pub torrent: Base64,
    /// Whether the index had it already.
    pub known: bool,
}

/// A page of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The torrents by name, at most 1,000 a page.
    pub torrents: Vec<IndexEntry>,
    /// How many there are in all.
    pub total: u32,
}

/// A torrent of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// As the index keeps it.
    pub entry: IndexEntry,
    /// The .torrent.
    pub torrent: Base64,
    /// Users who have it or parts of it, seeds first, at most 50.
    pub peers: Vec<SocketAddr>,
}

/// The answer where there is nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// Why a request was not met; nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal it is.
    pub code: Code,
    /// Why, and what to do, in a sentence.
    pub message: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is no request of this protocol.
    Malformed,
    /// No secret, or not the right one.
    Unauthorised,
    /// The operation or the torrent does not exist.
    NotFound,
    /// The name belongs to several torrents.
    Ambiguous,
    /// The member has to register first, or again.
    Unregistered,
    /// There is no tracker to assign an upload to.
    NoTrackers,
    /// A register or the index is full.
    Full,
    /// The body is too large.
    TooLarge,
    /// Too many requests or wrong secrets from there; later.
    Busy,
    /// The coordinator's own disk or memory failed.
    Internal,
}

impl Refusal {
    /// A refusal of that kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A text that is no member id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a member id has 32 hexadecimal digits")]
pub struct ParseMemberIdError;

impl FromStr for MemberId {
    type Err = ParseMemberIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(ParseMemberIdError)
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for MemberId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MemberId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}
