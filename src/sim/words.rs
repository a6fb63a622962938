//! Inputs and outputs in short words, for the log.

use std::fmt;

use crate::base::BlockRef;
use crate::disk::{Done, Job, Relocation};
use crate::engine::{Change, Input, Output};
use crate::peer::Item;
use crate::wire::peer::Message;

/// Writes one of these in a few words, the same on every machine and in every run.
pub(super) struct Words<T>(pub(super) T);

impl fmt::Display for Words<&Input> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Input::Connected { conn } => write!(f, "connected {:x}", conn.0),
            Input::ConnectFailed { conn } => write!(f, "not connected {:x}", conn.0),
            Input::Accepted { conn, addr } => write!(f, "accepted {:x} from {addr}", conn.0),
            Input::DoorsOpened { conn, addrs } => write!(f, "doors opened {:x} {addrs:?}", conn.0),
            Input::Received { conn, items } => write!(f, "received {:x}{}", conn.0, Words(&items[..])),
            Input::Sent { conn, bytes } => write!(f, "sent {:x} {bytes}", conn.0),
            Input::Closed { conn, end } => write!(f, "closed {:x} {end:?}", conn.0),
            Input::Disk(done) => write!(f, "{}", Words(done)),
            Input::Announced { torrent, id, answer } => match answer {
                Ok(answer) => write!(f, "announced {} {id} {:?}", torrent.0, answer.peers),
                Err(failure) => write!(f, "not announced {} {id} {failure}", torrent.0),
            },
            Input::Stored { seq, result } => write!(f, "stored {seq} {result:?}"),
            Input::Add { request, addition } => {
                write!(f, "add {} {:?}", request.0, addition.options)
            }
            Input::Loaded { torrent, loaded } => write!(f, "loaded {torrent} {:?}", loaded.as_ref().err()),
            Input::Restore(record) => {
                let have = record.progress.have.as_ref().map(|have| have.count());
                write!(f, "restore {} {have:?}", record.info_hash)
            }
            Input::Command(command) => write!(f, "command {command:?}"),
            Input::Settings(settings) => write!(f, "settings {:?}", settings.limits),
            Input::Listening(addrs) => write!(f, "listening {addrs:?}"),
            Input::Rest(on) => write!(f, "rest {on}"),
        }
    }
}

impl fmt::Display for Words<&Output> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Output::Connect { conn, addr } => write!(f, "connect {:x} {addr}", conn.0),
            Output::Send { conn, items } => write!(f, "send {:x}{}", conn.0, Words(&items[..])),
            Output::Close { conn } => write!(f, "close {:x}", conn.0),
            Output::OpenDoors { conn, count } => write!(f, "open {count} doors {:x}", conn.0),
            Output::Disk(job) => write!(f, "{}", Words(job)),
            Output::Announce { torrent, request, .. } => {
                let stats = request.stats;
                write!(
                    f,
                    "announce {} {} {:?} {:?} {stats:?}",
                    torrent.0, request.id, request.kind, request.event
                )
            }
            Output::Store { seq, change } => write!(f, "store {seq} {}", Words(change)),
            Output::Load(torrent) => write!(f, "load {torrent}"),
            Output::Event(event) => write!(f, "event {event:?}"),
        }
    }
}

impl fmt::Display for Words<&[Item]> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|item| match item {
            Item::Handshake(handshake) => write!(f, " handshake {:?}", handshake.peer_id),
            Item::Message(Message::Bitfield(bits)) => {
                write!(f, " bitfield {}", bits.iter().map(|byte| byte.count_ones()).sum::<u32>())
            }
            Item::Message(Message::Have(piece)) => write!(f, " have {}", piece.0),
            Item::Message(Message::Suggest(piece)) => write!(f, " suggest {}", piece.0),
            Item::Message(Message::AllowedFast(piece)) => write!(f, " fast {}", piece.0),
            Item::Message(Message::Request(block)) => write!(f, " request {}", Words(block)),
            Item::Message(Message::Cancel(block)) => write!(f, " cancel {}", Words(block)),
            Item::Message(Message::Reject(block)) => write!(f, " reject {}", Words(block)),
            Item::Message(Message::Piece { piece, begin, data }) => {
                write!(f, " block {}/{begin}+{}", piece.0, data.len())
            }
            Item::Message(Message::Extended { id, payload }) => write!(f, " extended {id} {}", payload.len()),
            Item::Message(other) => write!(f, " {other:?}"),
        })
    }
}

impl fmt::Display for Words<&BlockRef> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}+{}", self.0.piece.0, self.0.begin, self.0.len)
    }
}

impl fmt::Display for Words<&Job> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Job::Open { torrent, .. } => write!(f, "open {}", torrent.0),
            Job::Update { torrent, .. } => write!(f, "update {}", torrent.0),
            Job::Check { torrent, pieces } => write!(f, "check {} {}", torrent.0, pieces.count()),
            Job::StopCheck { torrent } => write!(f, "stop check {}", torrent.0),
            Job::Move { torrent, to, .. } => write!(f, "move {} to {}", torrent.0, to.display()),
            Job::StopMove { torrent } => write!(f, "stop move {}", torrent.0),
            Job::Store { torrent, piece, begin, blocks, last } => {
                write!(
                    f,
                    "write {} {}/{begin} {} blocks{}",
                    torrent.0,
                    piece.0,
                    blocks.len(),
                    if *last { ", the last" } else { "" }
                )
            }
            Job::Read { torrent, run, tag } => write!(f, "read {} {} {tag}", torrent.0, Words(run)),
            Job::Sync { torrent, tag } => write!(f, "sync {} {tag}", torrent.0),
            Job::Finish { torrent } => write!(f, "finish {}", torrent.0),
            Job::Close { torrent, delete } => write!(f, "close {} {delete}", torrent.0),
        }
    }
}

impl fmt::Display for Words<&Done> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Done::Opened { torrent, files } => {
                write!(f, "opened {} {:?}", torrent.0, files.as_ref().map(Vec::len))
            }
            Done::Checking { torrent, done } => write!(f, "checking {} {done}", torrent.0),
            Done::Checked { torrent, looked, good, error } => {
                write!(f, "checked {} {} of {} {error:?}", torrent.0, good.count(), looked.count())
            }
            Done::Stored { torrent, piece, outcome, released } => {
                let outcome = match outcome {
                    Ok(crate::disk::Verdict::Good) => "good".into(),
                    Ok(crate::disk::Verdict::Bad { .. }) => "bad".into(),
                    Err(error) => error.to_string(),
                };
                write!(f, "written {} {} {outcome} {released}", torrent.0, piece.0)
            }
            Done::Released { torrent, piece, released } => {
                write!(f, "released {} {} {released}", torrent.0, piece.0)
            }
            Done::Read { torrent, run, tag, outcome } => {
                let error = outcome.as_ref().err();
                write!(f, "read {} {} {tag} {error:?}", torrent.0, Words(run))
            }
            Done::Synced { torrent, tag, outcome } => {
                write!(f, "synced {} {tag} {:?}", torrent.0, outcome.as_ref().err())
            }
            Done::Moving { torrent, done, total } => write!(f, "moving {} {done} of {total}", torrent.0),
            Done::Moved { torrent, outcome } => {
                let outcome = match outcome {
                    Relocation::Moved(_) => "there".into(),
                    Relocation::Undone(error) => format!("undone {error:?}"),
                    Relocation::Stuck(error) => format!("stuck {error}"),
                };
                write!(f, "moved {} {outcome}", torrent.0)
            }
            Done::Finished { torrent, outcome } => write!(f, "finished {} {outcome:?}", torrent.0),
            Done::Closed { torrent, outcome } => write!(f, "closed {} {outcome:?}", torrent.0),
        }
    }
}

impl fmt::Display for Words<&Change> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |have: &Option<crate::base::Bitfield>| have.as_ref().map(crate::base::Bitfield::count);
        match self.0 {
            Change::Put(record) => write!(f, "put {} {:?}", record.info_hash, count(&record.progress.have)),
            Change::Counters(torrent, counters) => write!(f, "{counters:?} {torrent}"),
            Change::Progress(torrent, progress) => {
                write!(f, "progress {torrent} {:?} {:?}", count(&progress.have), progress.suspect)
            }
            Change::Suspect(torrent, pieces) => write!(f, "suspect {torrent} {pieces:?}"),
            Change::Remove(torrent) => write!(f, "remove {torrent}"),
        }
    }
}
