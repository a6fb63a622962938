//! The connections of a coordinator, with a limit and a deadline on everything: a stranger gets no further than the head of a
//! request, and a body is read only once the secret was shown.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::net::network::door::Guest;
use crate::net::network::host::Shared;
use crate::net::network::http::{self, HEAD_BYTES, Head};
use crate::net::serving::{accept_all, close_gently};
use crate::network::{Code, Refusal};

/// For the handshake, and for the head of the first request.
const HANDSHAKE: Duration = Duration::from_secs(5);
const HEAD: Duration = Duration::from_secs(10);
/// Between two requests; members beat more often.
const IDLE: Duration = Duration::from_secs(60);
/// For a body with its answer, small or large.
const SMALL: Duration = Duration::from_secs(15);
const LARGE: Duration = Duration::from_secs(120);
const SMALL_BYTES: usize = 1024 * 1024;
/// Memory for bodies of all connections, in KiB.
const BODIES_KIB: usize = 256 * 1024;

/// Accepts connections for ever; those accepted end with it.
pub(super) async fn accept(shared: Arc<Shared>, listener: TcpListener, acceptor: TlsAcceptor) {
    let bodies = Arc::new(Semaphore::new(BODIES_KIB));
    let serve = |stream, addr: SocketAddr| {
        let ip = addr.ip().to_canonical();
        let guest = shared.door.enter(ip)?;
        let (shared, acceptor, bodies) = (Arc::clone(&shared), acceptor.clone(), Arc::clone(&bodies));
        Some(async move {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // Whoever breaks off has nothing more to be told.
                let _ = Connection { shared, stream, ip, guest, bodies, input: Vec::new() }.serve().await;
            }
        })
    };
    accept_all(&listener, serve).await;
}

struct Connection {
    shared: Arc<Shared>,
    stream: TlsStream<TcpStream>,
    ip: IpAddr,
    guest: Guest,
    bodies: Arc<Semaphore>,
    /// What has come and was not used yet.
    input: Vec<u8>,
}

/// What follows an answer.
#[derive(PartialEq, Eq)]
enum Next {
    Request,
    End,
}

impl Connection {
    async fn serve(mut self) -> io::Result<()> {
        let mut patience = HEAD;
        loop {
            let head = match timeout(patience, self.head()).await {
                Ok(head) => head?,
                Err(_) => return Ok(()),
            };
            let next = match head {
                Ok(head) => {
                    let limit = if head.body <= SMALL_BYTES && !is_large(&head) { SMALL } else { LARGE };
                    match timeout(limit, self.request(head)).await {
                        Ok(next) => next?,
                        Err(_) => return Ok(()),
                    }
                }
                Err(refusal) => timeout(SMALL, self.refuse(refusal)).await??,
            };
            if next == Next::End {
                return Ok(());
            }
            patience = IDLE;
        }
    }

    /// The head of the next request.
    async fn head(&mut self) -> io::Result<Result<Head, Refusal>> {
        loop {
            match http::parse(&self.input) {
                Ok(Some(head)) => return Ok(Ok(head)),
                Ok(None) => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
            if !self.read(HEAD_BYTES).await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Answers a request of which the head is there.
    async fn request(&mut self, head: Head) -> io::Result<Next> {
        if !head.bearer.as_deref().is_some_and(|bearer| self.shared.lets_in(bearer)) {
            let few = self.guest.is_wrong(self.shared.now());
            let refusal = match (few, &head.bearer) {
                (false, _) => Refusal::new(
                    Code::Busy,
                    "too many wrong secrets from your address; try again in a minute",
                ),
                (true, None) => {
                    Refusal::new(Code::Unauthorised, "this network needs the secret of its join link")
                }
                (true, Some(_)) => Refusal::new(
                    Code::Unauthorised,
                    "the secret is not that of this network; ask for its join link",
                ),
            };
            return self.refuse(refusal).await;
        }
        self.guest.is_known();
        let Some((operation, most)) = head.operation else {
            return self.refuse(Refusal::new(Code::NotFound, "there is no such operation")).await;
        };
        if head.body > most {
            let text = format!("{operation} may have {most} bytes, this has {}", head.body);
            return self.refuse(Refusal::new(Code::TooLarge, text)).await;
        }
        let room = u32::try_from(head.body / 1024 + 1).unwrap_or(u32::MAX);
        let bodies = Arc::clone(&self.bodies);
        let _room = bodies.acquire_many(room).await.map_err(io::Error::other)?;
        if head.expects_leave {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            self.stream.flush().await?;
        }
        let end = head.len + head.body;
        while self.input.len() < end {
            if !self.read(end).await? {
                return Ok(Next::End);
            }
        }
        let rest = self.input.split_off(end);
        let request = std::mem::replace(&mut self.input, rest);
        let (shared, ip) = (Arc::clone(&self.shared), self.ip);
        let work = move || shared.answer(ip, operation, &request[head.len..]);
        let answer = tokio::task::spawn_blocking(work).await;
        let answer = answer.unwrap_or_else(|_| {
            Err(Refusal::new(Code::Internal, "the coordinator could not answer; this is a fault of Fyris"))
        });
        self.stream.write_all(&http::answer(&answer, head.keep_alive)).await?;
        self.stream.flush().await?;
        Ok(if head.keep_alive { Next::Request } else { Next::End })
    }

    /// Answers with a refusal and ends: what follows cannot be told from the rest of what was refused.
    async fn refuse(&mut self, refusal: Refusal) -> io::Result<Next> {
        self.stream.write_all(&http::answer(&Err(refusal), false)).await?;
        close_gently(&mut self.stream).await;
        Ok(Next::End)
    }

    /// Reads some more, until there are so many bytes in all; false at the end.
    async fn read(&mut self, most: usize) -> io::Result<bool> {
        // Grows with what comes, not with what was said to come.
        let mut part = [0; 16 * 1024];
        let room = most.saturating_sub(self.input.len()).min(part.len());
        let read = self.stream.read(&mut part[..room]).await?;
        self.input.extend_from_slice(&part[..read]);
        Ok(read > 0)
    }
}

/// Whether the answer may be large where the request is not.
fn is_large(head: &Head) -> bool {
    head.operation.is_some_and(|(name, _)| matches!(name, "fetch" | "list" | "statistics" | "registers"))
}
