//! HTTP/1.1 by hand: connections that stay open, requests sent before the last answer has come, and a limit on everything that
//! a stranger may make us keep: 8 KiB a request, one deadline for a request and its answer together, so many connections.
//! A connection that waits holds no buffer.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::base::Rng;
use crate::net::serving::{accept_all, close_gently};
use crate::net::tracker::admin;
use crate::net::tracker::shared::{Shared, secret};
use crate::net::tracker::tls::Certificate;
use crate::tracker::{Counter, Method, Request};

/// Bytes of one request, with its body.
const REQUEST_BYTES: usize = 8 * 1024;
/// Header lines of one request.
const HEADERS: usize = 64;
/// Bytes of answers that are kept before further requests are read.
const ANSWER_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

/// What a thread needs while it answers, whichever connection it is for.
struct Scratch {
    input: Box<[u8]>,
    output: Vec<u8>,
    rng: Rng,
}

impl Scratch {
    fn new() -> Self {
        let seed = secret().map_or(0, u64::from_ne_bytes);
        Self { input: vec![0; 2 * REQUEST_BYTES].into(), output: Vec::new(), rng: Rng::new(seed) }
    }
}

/// Accepts connections for ever; those accepted end with it.
pub(super) async fn accept(
    shared: Arc<Shared>,
    listener: Arc<TcpListener>,
    secure: Option<Arc<Certificate>>,
) {
    let serve = |stream: TcpStream, addr: SocketAddr| {
        shared.tracker.stats.count(Counter::HttpConnections);
        let open = shared.connections.fetch_add(1, Ordering::Relaxed);
        let guard = Open(Arc::clone(&shared));
        if open >= shared.config().http_max_connections as usize {
            shared.tracker.stats.count(Counter::HttpDropped);
            return None;
        }
        let local = stream.local_addr().ok().map(|addr| addr.ip());
        let secure = secure.clone();
        Some(async move {
            let Some(certificate) = secure else { return serve(guard, stream, local, addr.ip()).await };
            // The time for a handshake is that for a request.
            let limit = Duration::from_secs(guard.0.config().http_timeout.into());
            match timeout(limit, certificate.accept(stream)).await {
                Ok(Ok(stream)) => serve(guard, stream, local, addr.ip()).await,
                _ => guard.0.tracker.stats.count(Counter::HttpDropped),
            }
        })
    };
    accept_all(&listener, serve).await;
}

/// Counts a connection as open while it lives.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What stays of a connection while it waits.
struct Connection<S> {
    stream: S,
    ip: IpAddr,
    local: Option<IpAddr>,
    /// The beginning of a request.
    input: Vec<u8>,
    /// The rest of an answer.
    output: Vec<u8>,
    /// What comes behind it, and how much of that has been sent.
    long: Option<(Arc<[u8]>, usize)>,
    /// Nothing more is read; it closes when the rest is sent.
    closing: bool,
    /// It closes because of what came, of which more may be on its way.
    refused: bool,
    /// When the request began that is being read or answered, or else the last one ended.
    since: Instant,
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(open: Open, stream: S, local: Option<IpAddr>, ip: IpAddr) {
    let shared = &open.0;
    let mut connection = Connection {
        local,
        stream,
        ip,
        input: Vec::new(),
        output: Vec::new(),
        long: None,
        closing: false,
        refused: false,
        since: Instant::now(),
    };
    let limit = || Duration::from_secs(shared.config().http_timeout.into());
    // Set again only where it fires too early.
    let timer = sleep(limit());
    tokio::pin!(timer);
    loop {
        tokio::select! {
            biased;
            () = poll_fn(|cx| connection.poll(cx, shared)) => break,
            () = &mut timer => {
                let deadline = connection.since + limit();
                if Instant::now() >= deadline {
                    if connection.is_busy() {
                        shared.tracker.stats.count(Counter::HttpDropped);
                    }
                    return;
                }
                timer.as_mut().reset(deadline);
            }
        }
    }
    if connection.refused {
        close_gently(&mut connection.stream).await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Reads, answers and sends until there is nothing more to do; ready where the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>, shared: &Shared) -> Poll<()> {
        loop {
            while !self.output.is_empty() {
                match Pin::new(&mut self.stream).poll_write(cx, &self.output) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(sent)) if sent > 0 => _ = self.output.drain(..sent),
                    Poll::Ready(_) => return Poll::Ready(()),
                }
                if self.output.is_empty() {
                    self.output = Vec::new();
                    self.since = Instant::now();
                }
            }
            while let Some((long, from)) = &mut self.long {
                match Pin::new(&mut self.stream).poll_write(cx, &long[*from..]) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(sent)) if sent > 0 => *from += sent,
                    Poll::Ready(_) => return Poll::Ready(()),
                }
                if *from == long.len() {
                    self.long = None;
                    self.since = Instant::now();
                }
            }
            // Encrypted bytes may still wait for room.
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Pending if self.closing => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                _ => {}
            }
            if self.closing {
                return Poll::Ready(());
            }
            if !SCRATCH.with_borrow_mut(|scratch| self.read_and_answer(cx, shared, scratch)) {
                return Poll::Pending;
            }
        }
    }

    fn is_busy(&self) -> bool {
        !(self.input.is_empty() && self.output.is_empty() && self.long.is_none())
    }

    /// Reads once and answers every request that is whole. Whether there is more to do before anything else comes.
    fn read_and_answer(&mut self, cx: &mut Context<'_>, shared: &Shared, scratch: &mut Scratch) -> bool {
        let Scratch { input, output, rng } = scratch;
        output.clear();
        let kept = self.input.len();
        input[..kept].copy_from_slice(&self.input);
        let mut buffer = ReadBuf::new(&mut input[kept..]);
        let mut waits = false;
        let room = buffer.remaining() > 0;
        if room {
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                // Requests that came whole may be waiting here for the answers before them to be sent.
                Poll::Pending => waits = true,
                Poll::Ready(Ok(())) => self.closing = buffer.filled().is_empty(),
                Poll::Ready(Err(_)) => {
                    self.closing = true;
                    return true;
                }
            }
        }
        let read = buffer.filled().len();
        if kept == 0 && read > 0 {
            self.since = Instant::now();
        }
        shared.tracker.stats.add(Counter::BytesIn, read as u64);
        let config = shared.config();
        let asker = shared.asker(self.ip, self.local, &config);
        let mut rest = &input[..kept + read];
        let mut ends = false;
        while !rest.is_empty() && !ends && output.len() < ANSWER_BYTES && self.long.is_none() {
            match parse(rest) {
                Parsed::Whole { request, len } => {
                    ends = !request.keep_alive;
                    if !admin::respond(shared, &asker, &request, output) {
                        let long = shared.tracker.respond(&asker, &request, rng, output);
                        self.long = long.filter(|long| !long.is_empty()).map(|long| (long, 0));
                    }
                    rest = &rest[len..];
                }
                Parsed::Partial => break,
                Parsed::Bad(status) => {
                    (ends, self.refused) = (true, true);
                    shared.tracker.respond_bad(status, output);
                }
            }
        }
        if let Some((long, _)) = &self.long {
            shared.tracker.stats.add(Counter::BytesOut, long.len() as u64);
        }
        self.closing |= ends;
        self.input.clear();
        if rest.is_empty() || self.closing {
            self.input = Vec::new();
        } else {
            self.input.extend_from_slice(rest);
        }
        shared.tracker.stats.add(Counter::BytesOut, output.len() as u64);
        // What does not go at once is sent from this connection's own memory.
        let sent = match Pin::new(&mut self.stream).poll_write(cx, output) {
            Poll::Ready(Ok(sent)) => sent,
            Poll::Pending => 0,
            Poll::Ready(Err(_)) => {
                self.closing = true;
                return true;
            }
        };
        self.output.extend_from_slice(&output[sent..]);
        let answered = !output.is_empty();
        // One long answer should not stay in the memory of every thread.
        if output.capacity() > 4 * ANSWER_BYTES {
            *output = Vec::new();
        }
        !waits || answered || self.closing
    }
}

enum Parsed<'a> {
    Whole { request: Request<'a>, len: usize },
    Partial,
    Bad(&'static str),
}

/// Reads the first request of what has come.
fn parse(bytes: &[u8]) -> Parsed<'_> {
    const TOO_LONG: &str = "431 Request Header Fields Too Large";
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) if bytes.len() < REQUEST_BYTES => return Parsed::Partial,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => return Parsed::Bad(TOO_LONG),
        Err(_) => return Parsed::Bad("400 Bad Request"),
    };
    let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
        return Parsed::Bad("400 Bad Request");
    };
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        _ => return Parsed::Bad("405 Method Not Allowed"),
    };
    let mut keep_alive = parsed.version == Some(1);
    let mut wants_json = false;
    let (mut body, mut forwarded, mut token) = (None, None, None);
    for header in parsed.headers.iter() {
        match header.name.len() {
            6 | 12 if is(header.name, "accept") || is(header.name, "content-type") => {
                wants_json |= holds(header.value, b"application/json");
            }
            10 if is(header.name, "connection") => keep_alive &= !holds(header.value, b"close"),
            13 if is(header.name, "authorization") => {
                token = header.value.strip_prefix(b"Bearer ").map(<[u8]>::trim_ascii);
            }
            14 if is(header.name, "content-length") => {
                let length = std::str::from_utf8(header.value).ok().and_then(|text| text.parse().ok());
                // Two lengths, or one that does not read: nobody knows where the next request begins.
                match length {
                    Some(length) if body.is_none_or(|known| known == length) => body = Some(length),
                    _ => return Parsed::Bad("400 Bad Request"),
                }
            }
            15 if is(header.name, "x-forwarded-for") => forwarded = Some(header.value),
            17 if is(header.name, "transfer-encoding") => return Parsed::Bad("411 Length Required"),
            _ => {}
        }
    }
    let len = head.saturating_add(body.unwrap_or(0));
    if len > REQUEST_BYTES {
        return Parsed::Bad(if head > REQUEST_BYTES { TOO_LONG } else { "413 Content Too Large" });
    }
    if bytes.len() < len {
        return Parsed::Partial;
    }
    let request = Request { method, target: target.as_bytes(), wants_json, keep_alive, forwarded, token };
    Parsed::Whole { request, len }
}

fn is(name: &str, lower: &str) -> bool {
    name.eq_ignore_ascii_case(lower)
}

fn holds(value: &[u8], lower: &[u8]) -> bool {
    value.windows(lower.len()).any(|part| part.eq_ignore_ascii_case(lower))
}
