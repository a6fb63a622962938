//! HTTP/1.1 for pages: what answers is a router; here are the socket and the limits on connections, heads and time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::net::serving::{accept_all, close_gently};

/// Connections in all, and of one address. A browser opens six.
const OPEN: usize = 256;
const OPEN_OF_ONE: usize = 64;
/// Bytes of a request's head, and its lines.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;
/// For a head, from the connection or the last answer on.
const HEAD: Duration = Duration::from_secs(30);
/// For a body, and whatever the router does until it answers.
const REQUEST: Duration = Duration::from_secs(120);
/// A connection lives so long, and its last request may take that much more.
const LIFE: Duration = Duration::from_secs(600);
/// Ports tried after the chosen one, before any is taken.
const NEXT_PORTS: u16 = 20;

/// A router that answers at an address for as long as this lives.
#[derive(Debug)]
pub struct Pages {
    addr: SocketAddr,
    tasks: JoinSet<()>,
}

impl Pages {
    /// Listens at that address, or at the next port that is free, and begins to answer. The router finds the address of who
    /// asks among a request's extensions, as a [`SocketAddr`].
    ///
    /// # Errors
    /// Where the address cannot be listened at.
    pub async fn start(listen: SocketAddr, router: Router) -> io::Result<Self> {
        let listener = bind(listen).await?;
        let addr = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, router));
        Ok(Self { addr, tasks })
    }

    /// Closes every connection and waits until nothing runs any more.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }

    /// Where it answers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let mut bound = TcpListener::bind(listen).await;
    let next = (1..=NEXT_PORTS).filter_map(|further| listen.port().checked_add(further));
    for port in next.chain([0]) {
        match bound {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound,
        }
        bound = TcpListener::bind(SocketAddr::new(listen.ip(), port)).await;
    }
    bound
}

async fn accept(listener: TcpListener, router: Router) {
    let seats = Seats::default();
    let serve = |stream: TcpStream, from: SocketAddr| {
        let seat = seats.take(from.ip().to_canonical())?;
        let router = router.clone();
        Some(async move {
            serve(stream, from, router).await;
            drop(seat);
        })
    };
    accept_all(&listener, serve).await;
}

async fn serve(stream: TcpStream, from: SocketAddr, router: Router) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(from);
        let answer = router.call(request);
        Box::pin(async move {
            Ok::<_, Infallible>(match timeout(REQUEST, answer).await {
                Ok(Ok(answer)) => answer,
                Err(_) => late(),
            })
        })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut ended = timeout(LIFE, poll_fn(|cx| connection.poll_without_shutdown(cx))).await;
    if ended.is_err() {
        Pin::new(&mut connection).graceful_shutdown();
        ended = timeout(REQUEST, poll_fn(|cx| connection.poll_without_shutdown(cx))).await;
    }
    // Also after what was no request; one that hangs has nothing more to be told.
    if ended.is_ok() {
        close_gently(&mut connection.into_parts().io.into_inner()).await;
    }
}

fn late() -> Response<Body> {
    let mut answer = Response::new(Body::from(r#"{"error":"the request took too long"}"#));
    *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
    answer
}

/// Places for connections.
#[derive(Clone, Debug, Default)]
struct Seats(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by: HashMap<IpAddr, usize>,
}

/// One that is taken until this is dropped.
#[derive(Debug)]
struct Seat(Seats, IpAddr);

impl Seats {
    fn take(&self, by: IpAddr) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by.get(&by).copied().unwrap_or_default();
        if taken.all >= OPEN || own >= OPEN_OF_ONE {
            return None;
        }
        taken.all += 1;
        taken.by.insert(by, own + 1);
        Some(Seat(self.clone(), by))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Self(seats, by) = self;
        let mut taken = seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        let own = taken.by.get(by).copied().unwrap_or_default();
        if own > 1 {
            taken.by.insert(*by, own - 1);
        } else {
            taken.by.remove(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::Extension;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn pages() -> Pages {
        let whence = |Extension(from): Extension<SocketAddr>| async move { from.ip().to_string() };
        let router =
            Router::new().route("/", get(whence)).route("/refused", post(|| async { StatusCode::FORBIDDEN }));
        Pages::start((Ipv4Addr::LOCALHOST, 0).into(), router).await.expect("loopback")
    }

    /// All that comes back for some bytes.
    async fn told(pages: &Pages, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(pages.addr()).await.expect("loopback");
        stream.write_all(bytes).await.expect("loopback");
        let mut told = Vec::new();
        stream.read_to_end(&mut told).await.expect("an orderly end");
        String::from_utf8_lossy(&told).into_owned()
    }

    #[tokio::test]
    async fn a_router_answers_and_sees_who_asks() {
        let pages = pages().await;
        let told = told(&pages, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(told.starts_with("HTTP/1.1 200 OK\r\n") && told.ends_with("\r\n\r\n127.0.0.1"), "{told}");
        // The next one finds the port taken, and another.
        let other = Pages::start(pages.addr(), Router::new()).await.expect("a free port");
        assert_ne!(other.addr().port(), pages.addr().port());
        let addr = pages.addr();
        pages.stop().await;
        assert!(TcpStream::connect(addr).await.is_err(), "nobody answers any more");
    }

    #[tokio::test]
    async fn nonsense_and_heads_without_end_are_refused() {
        let pages = pages().await;
        for (bytes, status) in [
            (b"hello, is anybody there?\r\n\r\n".to_vec(), "400"),
            (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(HEAD_BYTES)).into_bytes(), "4"),
            (format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1)).into_bytes(), "431"),
            (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_vec(), "400"),
        ] {
            let told = told(&pages, &bytes).await;
            assert!(told.starts_with(&format!("HTTP/1.1 {status}")), "{told}");
        }
    }

    #[tokio::test]
    async fn who_is_refused_before_his_body_hears_why() {
        let pages = pages().await;
        let head =
            b"POST /refused HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n";
        let told = told(&pages, &[head.as_slice(), &[b'x'; 200_000]].concat()).await;
        assert!(told.starts_with("HTTP/1.1 403 "), "{told}");
    }

    #[test]
    fn one_address_does_not_take_every_seat() {
        let seats = Seats::default();
        let ip = |last: u8| IpAddr::from([192, 0, 2, last]);
        let mut taken: Vec<Seat> = std::iter::from_fn(|| seats.take(ip(1))).collect();
        assert_eq!(taken.len(), OPEN_OF_ONE);
        taken.extend(
            (2..=4)
                .flat_map(|last| (0..OPEN_OF_ONE).map_while(move |_| Some(last)))
                .map_while(|last| seats.take(ip(last))),
        );
        assert!(taken.len() == OPEN && seats.take(ip(9)).is_none());
        taken.clear();
        assert!(seats.0.lock().expect("sound").by.is_empty() && seats.take(ip(1)).is_some());
    }
}
