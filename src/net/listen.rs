//! The sockets that peers connect to, and how many of them may.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::task::JoinHandle;

use crate::net::post::{Inbox, Post};

/// Ports tried after the chosen one, before the system chooses.
const NEXT_PORTS: u16 = 20;
/// Connections that the system completes before we have taken them.
const BACKLOG: i32 = 256;
/// How long a fault of the system is waited out, such as too many open files.
const FAULT: Duration = Duration::from_millis(200);

/// Opens the sockets for a port, or for the next free one: one for each kind of address, or only for `bind`.
///
/// # Errors
/// Where no port can be had at all.
pub(super) fn open(bind: Option<IpAddr>, port: u16) -> io::Result<Vec<TcpListener>> {
    let last = port.saturating_add(NEXT_PORTS);
    let ports = if port == 0 { 0..=0 } else { port..=last };
    for port in ports.chain([0; 3]) {
        match open_at(bind, port) {
            Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {}
            result => return result,
        }
    }
    Err(ErrorKind::AddrInUse.into())
}

fn open_at(bind: Option<IpAddr>, port: u16) -> io::Result<Vec<TcpListener>> {
    if let Some(ip) = bind {
        return Ok(vec![listen(SocketAddr::new(ip, port))?]);
    }
    let v4 = match listen((Ipv4Addr::UNSPECIFIED, port).into()) {
        Ok(socket) => socket,
        Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
            return Err(error);
        }
        // A machine without IPv4.
        Err(error) => {
            return listen((Ipv6Addr::UNSPECIFIED, port).into()).map_or(Err(error), |v6| Ok(vec![v6]));
        }
    };
    let port = v4.local_addr()?.port();
    match listen((Ipv6Addr::UNSPECIFIED, port).into()) {
        Ok(v6) => Ok(vec![v4, v6]),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(error),
        // A machine without IPv6.
        Err(_) => Ok(vec![v4]),
    }
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // So that a restart need not wait for the last connections of the run before; on Windows it means something else.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Places for those who connect to us.
#[derive(Debug, Default)]
pub(super) struct Seats {
    taken: AtomicUsize,
    limit: AtomicUsize,
}

/// One place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<Seats>);

impl Seats {
    /// Sets how many there are. Those that are taken stay so.
    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Takes a place, where one is free.
    pub(super) fn take(self: &Arc<Self>) -> Option<Seat> {
        let limit = self.limit.load(Ordering::Relaxed);
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| (taken < limit).then_some(taken + 1));
        taken.ok().map(|_| Seat(Arc::clone(self)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sockets that are listened to until this is dropped.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    addrs: Vec<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl Listeners {
    /// Takes everybody who connects, or only those from one address, as long as there are seats.
    pub(super) fn serve(
        sockets: Vec<TcpListener>,
        only: Option<IpAddr>,
        seats: &Arc<Seats>,
        inbox: &Inbox,
    ) -> io::Result<Self> {
        let mut listeners = Self::default();
        for socket in sockets {
            let socket = tokio::net::TcpListener::from_std(socket)?;
            listeners.addrs.push(socket.local_addr()?);
            let accept = accept(socket, only, Arc::clone(seats), inbox.clone());
            listeners.tasks.push(tokio::spawn(accept));
        }
        Ok(listeners)
    }

    /// Where peers connect to.
    pub(super) fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(socket: tokio::net::TcpListener, only: Option<IpAddr>, seats: Arc<Seats>, inbox: Inbox) {
    loop {
        match socket.accept().await {
            Ok((_, addr)) if only.is_some_and(|only| only != addr.ip()) => {}
            Ok((stream, addr)) => {
                // Somebody who finds no seat is turned away at once; others would wait for nothing.
                let Some(seat) = seats.take() else { continue };
                if inbox.send(Post::Incoming { stream, addr, seat }).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(_) => tokio::time::sleep(FAULT).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;
    use tokio::sync::mpsc;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_taken_port_gives_the_next_one() {
        let first = open(Some(LOOPBACK), 0).expect("some port");
        let taken = first[0].local_addr().expect("an address").port();
        let second = open(Some(LOOPBACK), taken).expect("another port");
        assert_ne!(second[0].local_addr().expect("an address").port(), taken);
    }

    #[test]
    fn both_kinds_of_address_have_the_same_port() {
        let sockets = open(None, 0).expect("some port");
        let ports: Vec<u16> =
            sockets.iter().map(|socket| socket.local_addr().expect("an address").port()).collect();
        assert!(ports.len() <= 2 && ports.iter().all(|port| *port == ports[0] && *port > 0), "{ports:?}");
    }

    #[tokio::test]
    async fn no_more_connect_than_there_are_seats() {
        let (inbox, mut posts) = mpsc::channel(16);
        let seats = Arc::new(Seats::default());
        seats.set_limit(2);
        let sockets = open(Some(LOOPBACK), 0).expect("some port");
        let listeners = Listeners::serve(sockets, None, &seats, &inbox).expect("a runtime");
        let addr = listeners.addrs()[0];
        let mut inside = Vec::new();
        let mut connected = Vec::new();
        for _ in 0..2 {
            connected.push(TcpStream::connect(addr).await.expect("a listener"));
            match posts.recv().await {
                Some(Post::Incoming { seat, .. }) => inside.push(seat),
                other => panic!("{other:?}"),
            }
        }
        let mut third = TcpStream::connect(addr).await.expect("a listener");
        assert_eq!(third.read(&mut [0; 1]).await.expect("an end"), 0);
        inside.pop();
        let _fourth = TcpStream::connect(addr).await.expect("a listener");
        assert!(matches!(posts.recv().await, Some(Post::Incoming { .. })));
        drop(listeners);
    }
}
