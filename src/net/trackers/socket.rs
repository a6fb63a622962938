//! One UDP socket and the questions that are open on it. A response counts only where its transaction, its kind and its
//! sender are those of a question.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::announce::Failure;
use crate::net::trackers::http::plain;
use crate::wire::tracker_udp::Response;

/// The kinds of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Connect,
    Announce,
    Scrape,
}

/// A socket that is read as long as it is there.
pub(super) struct Socket {
    socket: Arc<UdpSocket>,
    open: Arc<Open>,
    reader: AbortHandle,
}

/// The questions that wait for a response, by transaction.
#[derive(Default)]
struct Open {
    questions: Mutex<Questions>,
}

#[derive(Default)]
struct Questions {
    waiting: HashMap<u32, Waiting>,
    /// Makes transaction ids that nobody else can foretell.
    secret: RandomState,
    asked: u64,
}

struct Waiting {
    tracker: SocketAddr,
    action: Action,
    sender: oneshot::Sender<Vec<u8>>,
}

impl Socket {
    /// A socket at a port that the system chooses.
    pub(super) async fn new(ip: IpAddr) -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind((ip, 0)).await?);
        let open = Arc::<Open>::default();
        let reader = tokio::spawn(read(Arc::clone(&socket), Arc::clone(&open))).abort_handle();
        Ok(Self { socket, open, reader })
    }

    /// Sends a question, again after each of `tries` without a response, and gives the response's datagram. `write` appends
    /// the datagram of a given transaction, which is the same for every try, so that a late response counts too.
    pub(super) async fn ask(
        &self,
        tracker: SocketAddr,
        action: Action,
        tries: &[Duration],
        write: impl Fn(u32, &mut Vec<u8>),
    ) -> Result<Vec<u8>, Failure> {
        let (question, mut response) = Question::open(&self.open, tracker, action);
        let mut datagram = Vec::new();
        write(question.transaction, &mut datagram);
        for wait in tries {
            self.socket.send_to(&datagram, tracker).await.map_err(|error| {
                Failure::Unreachable(format!("{} cannot be reached: {}", tracker.ip(), plain(&error)))
            })?;
            if let Ok(Ok(response)) = timeout(*wait, &mut response).await {
                return Ok(response);
            }
        }
        Err(Failure::Timeout)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(socket: Arc<UdpSocket>, open: Arc<Open>) {
    let mut buffer = vec![0; 65_536];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((len, from)) => open.deliver(from, &buffer[..len]),
            // Some systems tell here that an earlier datagram did not arrive. No reason to end, nor to spin.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// An open question; closed when it is dropped.
struct Question<'a> {
    open: &'a Open,
    transaction: u32,
}

impl<'a> Question<'a> {
    fn open(open: &'a Open, tracker: SocketAddr, action: Action) -> (Self, oneshot::Receiver<Vec<u8>>) {
        let (sender, response) = oneshot::channel();
        let mut questions = open.questions();
        let transaction = questions.new_transaction();
        questions.waiting.insert(transaction, Waiting { tracker, action, sender });
        (Self { open, transaction }, response)
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.open.questions().waiting.remove(&self.transaction);
    }
}

impl Open {
    fn questions(&self) -> MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a datagram to the question it answers; whatever answers none is dropped.
    fn deliver(&self, from: SocketAddr, datagram: &[u8]) {
        let Some(response) = Response::parse(datagram) else { return };
        let transaction = response.transaction_id();
        let mut questions = self.questions();
        let Some(waiting) = questions.waiting.get(&transaction) else { return };
        let answers = match response {
            Response::Connect { .. } => waiting.action == Action::Connect,
            Response::Announce { .. } => waiting.action == Action::Announce,
            Response::Scrape { .. } => waiting.action == Action::Scrape,
            Response::Error { .. } => true,
        };
        if answers
            && same(waiting.tracker, from)
            && let Some(waiting) = questions.waiting.remove(&transaction)
        {
            _ = waiting.sender.send(datagram.to_vec());
        }
    }
}

impl Questions {
    fn new_transaction(&mut self) -> u32 {
        loop {
            self.asked += 1;
            let transaction = self.secret.hash_one(self.asked) as u32;
            if !self.waiting.contains_key(&transaction) {
                return transaction;
            }
        }
    }
}

/// Whether both are one address; the scope and flow of IPv6 do not count.
fn same(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
}
