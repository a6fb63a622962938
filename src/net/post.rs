//! What reaches the engine's loop, and the two ways in: one that waits, for connections, and one that never does, for
//! those who answer what the loop itself has asked.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

use crate::api::Level;
use crate::engine::Input;
use crate::net::jobs::Outcome;
use crate::net::listen::Seat;
use crate::net::network::Word;
use crate::net::watch::Found;

/// One thing for the loop.
#[derive(Debug)]
pub(super) enum Post {
    /// For the engine.
    Input(Input),
    /// Somebody has connected.
    Incoming {
        /// The connection.
        stream: TcpStream,
        /// Where from.
        addr: SocketAddr,
        /// Its place among those that may be open.
        seat: Seat,
    },
    /// A job has ended.
    Job(Outcome),
    /// The network has something to say.
    Network(Word),
    /// A line for the log, with the room it comes from.
    Said(Level, &'static str, String),
    /// Something was found in a watched folder.
    Watched(Found),
}

/// The way in for connections and tasks: whoever is faster than the engine waits here.
pub(super) type Inbox = mpsc::Sender<Post>;

/// Posts that wait at most; each is a batch of what one read brought.
pub(super) const INBOX: usize = 256;

/// The way in for threads that must not wait. It has no limit of its own: it holds at most one answer for each thing the
/// loop has asked for.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    inputs: Mutex<Vec<Input>>,
    bell: Notify,
}

impl Mailbox {
    /// Leaves inputs and wakes the loop.
    pub(super) fn leave(&self, inputs: impl IntoIterator<Item = Input>) {
        let mut waiting = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = waiting.is_empty();
        waiting.extend(inputs);
        drop(waiting);
        if is_first {
            self.bell.notify_one();
        }
    }

    /// Wakes the loop to look elsewhere.
    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Everything that was left, in order, in place of an empty list.
    pub(super) fn collect(&self, into: &mut Vec<Input>) {
        let mut waiting = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        if into.is_empty() {
            std::mem::swap(&mut *waiting, into);
        } else {
            into.append(&mut waiting);
        }
    }

    /// Until something was left, or somebody rang.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }
}
