//! Datagrams: a thread a core, each with a socket of its own at the same address, so that no queue and no lock stands between
//! the network and the store.
//!
//! - `linux`: many datagrams a system call, answered from the address that was asked
//! - `control`: what goes in and out beside a datagram there
//! - `portable`: one at a time, everywhere else

#[cfg(target_os = "linux")]
mod control;
#[cfg(target_os = "linux")]
mod linux;
mod portable;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use socket2::{Domain, Protocol, Socket, Type};

use crate::base::Rng;
use crate::net::tracker::shared::{Shared, secret};

/// Bytes of the longest datagram that is read whole: 74 info-hashes, or an announce with a long URL.
const DATAGRAM_BYTES: usize = 2_560;
/// What the system is asked to keep of datagrams that came while nobody read.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// The threads that answer datagrams.
#[derive(Debug)]
pub(super) struct Workers {
    threads: Vec<(JoinHandle<()>, Waker)>,
    stop: Arc<AtomicBool>,
}

/// Wakes a thread that waits for datagrams.
#[derive(Debug)]
struct Waker {
    #[cfg(target_os = "linux")]
    pipe: std::os::unix::net::UnixStream,
}

/// What a thread answers with.
struct Worker {
    shared: Arc<Shared>,
    socket: UdpSocket,
    stop: Arc<AtomicBool>,
    rng: Rng,
}

/// The sockets for one address: one a thread where several may share it.
pub(super) fn bind(addr: SocketAddr, workers: u32) -> io::Result<Vec<UdpSocket>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = if workers == 0 { cores } else { workers as usize };
    let workers = if cfg!(target_os = "linux") { workers } else { 1 };
    // The first one alone proves that nobody else has the address.
    let first = bind_one(addr, false)?;
    let bound = first.local_addr()?;
    if workers == 1 {
        return Ok(vec![first]);
    }
    drop(first);
    (0..workers).map(|_| bind_one(bound, true)).collect()
}

fn bind_one(addr: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    #[cfg(target_os = "linux")]
    if shared {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = shared;
    // A smaller buffer loses datagrams under load, nothing else.
    _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

impl Workers {
    /// Starts a thread for every socket.
    pub(super) fn start(shared: &Arc<Shared>, sockets: Vec<Vec<UdpSocket>>) -> io::Result<Self> {
        let mut workers = Self { threads: Vec::new(), stop: Arc::default() };
        for socket in sockets.into_iter().flatten() {
            if let Err(error) = workers.add(shared, socket) {
                workers.stop();
                return Err(error);
            }
        }
        Ok(workers)
    }

    /// Ends the threads and waits for them.
    pub(super) fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for (thread, waker) in self.threads.drain(..) {
            waker.wake();
            if thread.join().is_err() {
                tracing::error!("a thread of the tracker had failed");
            }
        }
    }

    fn add(&mut self, shared: &Arc<Shared>, socket: UdpSocket) -> io::Result<()> {
        let worker = Worker {
            shared: Arc::clone(shared),
            socket,
            stop: Arc::clone(&self.stop),
            rng: Rng::new(u64::from_ne_bytes(secret()?)),
        };
        let builder = std::thread::Builder::new().name("tracker-udp".to_owned());
        #[cfg(target_os = "linux")]
        let (thread, waker) = {
            let (ours, pipe) = std::os::unix::net::UnixStream::pair()?;
            (builder.spawn(move || linux::run(worker, &ours))?, Waker { pipe })
        };
        #[cfg(not(target_os = "linux"))]
        let (thread, waker) = (builder.spawn(move || portable::run(worker))?, Waker {});
        self.threads.push((thread, waker));
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Waker {
    #[cfg(target_os = "linux")]
    fn wake(&self) {
        use std::io::Write as _;
        // A thread that has ended already needs no waking.
        _ = (&self.pipe).write(&[1]);
    }

    #[cfg(not(target_os = "linux"))]
    fn wake(&self) {}
}

impl Worker {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}
