//! Many datagrams a system call (`recvmmsg`, `sendmmsg`), and answers that leave from the address that was asked, also where

use std::cmp::Reverse;
use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr::{null_mut, read_unaligned};

use crate::net::tracker::udp::control::{self, Incoming, Outgoing};
use crate::net::tracker::udp::{DATAGRAM_BYTES, Worker};
use crate::tracker::Counter;

/// Datagrams taken at once.
const BATCH: usize = 64;
/// The longest answer of which several go as one message: more would not pass the usual network whole.
const SPLIT_BYTES: usize = 1_400;
/// Bytes of one message, before it is split.
const MESSAGE_BYTES: usize = 60_000;

/// Answers until it is told to stop.
pub(super) fn run(worker: Worker, waker: &UnixStream) {
    let mut worker = worker;
    let result = Batch::new(&worker).and_then(|mut batch| {
        while !worker.is_stopped() {
            match batch.receive()? {
                0 => wait(worker.socket.as_raw_fd(), waker.as_raw_fd())?,
                received => {
                    batch.answer(&mut worker, received);
                    batch.send(&worker);
                }
            }
        }
        Ok(())
    });
    match result {
        Ok(()) => {}
        // Some sandboxes know only the older calls.
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => super::portable::run(worker),
        Err(error) => tracing::error!(%error, "the tracker no longer answers over UDP"),
    }
}

/// Waits until a datagram comes or the thread is to end.
fn wait(socket: RawFd, waker: RawFd) -> io::Result<()> {
    let mut fds = [socket, waker].map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: `fds` is an array of as many entries as are named.
    if unsafe { libc::poll(fds.as_mut_ptr(), 2, -1) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(())
}

/// Buffers for a batch. None of them grows or is replaced, so that the headers may point into them for ever.
struct Batch {
    socket: RawFd,
    /// Where the socket is bound; nothing where it stands for all addresses.
    bound: Option<IpAddr>,
    input: Vec<[u8; DATAGRAM_BYTES]>,
    names: Vec<libc::sockaddr_in6>,
    incoming: Vec<Incoming>,
    /// Kept alive for `headers`, which point into it.
    _vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    output: Vec<u8>,
    answers: Vec<Answer>,
    /// Answers that go as one message.
    groups: Vec<Range<usize>>,
    outgoing: Vec<Outgoing>,
    /// Where in the output the answers stand.
    parts: Vec<libc::iovec>,
    /// Whether the system splits one message into many datagrams.
    splits: bool,
}

/// An answer to the datagram at `at`: a part of the output.
struct Answer {
    at: usize,
    to: SocketAddr,
    /// The address that was asked.
    local: Option<IpAddr>,
    start: usize,
    end: usize,
}

impl Batch {
    fn new(worker: &Worker) -> io::Result<Self> {
        let socket = worker.socket.as_raw_fd();
        let bound = worker.socket.local_addr()?;
        if bound.ip().is_unspecified() {
            control::ask_where(socket, bound.is_ipv6())?;
        }
        let mut input = vec![[0; DATAGRAM_BYTES]; BATCH];
        // SAFETY: zero is a value of each of these plain C structures.
        let (name, header): (libc::sockaddr_in6, libc::mmsghdr) = unsafe { (zeroed(), zeroed()) };
        let mut names = vec![name; BATCH];
        let mut incoming = vec![Incoming::EMPTY; BATCH];
        let mut vectors: Vec<libc::iovec> = input
            .iter_mut()
            .map(|buffer| libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: DATAGRAM_BYTES })
            .collect();
        let mut headers = vec![header; BATCH];
        for (at, header) in headers.iter_mut().enumerate() {
            header.msg_hdr.msg_name = (&raw mut names[at]).cast();
            header.msg_hdr.msg_iov = &raw mut vectors[at];
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = incoming[at].as_mut_ptr();
        }
        Ok(Self {
            socket,
            bound: Some(bound.ip()).filter(|ip| !ip.is_unspecified()),
            input,
            names,
            incoming,
            _vectors: vectors,
            headers,
            output: Vec::with_capacity(64 * 1024),
            answers: Vec::with_capacity(BATCH),
            groups: Vec::with_capacity(BATCH),
            outgoing: vec![Outgoing::EMPTY; BATCH],
            parts: vec![libc::iovec { iov_base: null_mut(), iov_len: 0 }; BATCH],
            splits: true,
        })
    }

    /// Takes what has come, without waiting; gives how many datagrams it was.
    fn receive(&mut self) -> io::Result<usize> {
        for header in &mut self.headers {
            // The system has written over these.
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in6>() as u32;
            header.msg_hdr.msg_controllen = if self.bound.is_some() { 0 } else { Incoming::BYTES };
            header.msg_hdr.msg_flags = 0;
        }
        // SAFETY: every header points to buffers of `self` that are as long as it says, and there are `BATCH` of them.
        let received = unsafe {
            libc::recvmmsg(
                self.socket,
                self.headers.as_mut_ptr(),
                BATCH as u32,
                libc::MSG_DONTWAIT as _,
                null_mut(),
            )
        };
        if received >= 0 {
            return Ok(received as usize);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::ENOSYS | libc::EBADF | libc::ENOTSOCK) => Err(error),
            // Nothing has come, or an earlier answer came back.
            _ => Ok(0),
        }
    }

    fn answer(&mut self, worker: &mut Worker, received: usize) {
        let Worker { shared, rng, .. } = worker;
        let config = shared.config();
        let (mut bytes, tracker) = (0, &shared.tracker);
        // One look at the clock is enough for a batch.
        let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let mut asker = shared.asker(unspecified, None, &config);
        self.output.clear();
        self.answers.clear();
        for at in 0..received {
            let header = &self.headers[at];
            let len = (header.msg_len as usize).min(DATAGRAM_BYTES);
            bytes += len;
            let Some(from) = sender(&self.names[at]) else { continue };
            asker.ip = from.ip().to_canonical();
            asker.local = self.bound.or_else(|| self.incoming[at].asked_at(header.msg_hdr.msg_controllen));
            let start = self.output.len();
            tracker.datagram(&asker, from.port(), &self.input[at][..len], rng, &mut self.output);
            let end = self.output.len();
            if end > start {
                self.answers.push(Answer { at, to: from, local: asker.local, start, end });
            }
        }
        tracker.stats.add(Counter::UdpReceived, received as u64);
        tracker.stats.add(Counter::BytesIn, bytes as u64);
        tracker.stats.add(Counter::BytesOut, self.output.len() as u64);
    }

    fn send(&mut self, worker: &Worker) {
        self.group();
        // SAFETY: zero is a value of this plain C structure.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { zeroed() };
        let start = self.output.as_mut_ptr();
        for (slot, answer) in self.answers.iter().enumerate() {
            // SAFETY: every answer is a part of the output, which does not move before the call is over.
            let base = unsafe { start.add(answer.start) };
            self.parts[slot] = libc::iovec { iov_base: base.cast(), iov_len: answer.len() };
        }
        for (slot, group) in self.groups.iter().enumerate() {
            let first = &self.answers[group.start];
            let control = &mut self.outgoing[slot];
            control.clear();
            if let (None, Some(local)) = (self.bound, first.local) {
                control.leave_from(local);
            }
            if group.len() > 1 {
                control.split(first.len() as u16);
            }
            let header = &mut headers[slot].msg_hdr;
            (header.msg_control, header.msg_controllen) = control.parts();
            header.msg_name = self.headers[first.at].msg_hdr.msg_name;
            header.msg_namelen = self.headers[first.at].msg_hdr.msg_namelen;
            header.msg_iov = &raw mut self.parts[group.start];
            header.msg_iovlen = group.len();
        }
        let (count, mut at, mut sent) = (self.groups.len(), 0, 0);
        while at < count {
            // SAFETY: the headers from `at` to `count` point to names, controls and output that live until after the call.
            let done =
                unsafe { libc::sendmmsg(self.socket, headers[at..].as_mut_ptr(), (count - at) as u32, 0) };
            if done > 0 {
                let groups = &self.groups[at..at + done as usize];
                sent += groups.iter().map(Range::len).sum::<usize>();
                at += groups.len();
                continue;
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EINTR) => {}
                // This system, or what lies on the way, does not split messages: one by one, then, and from now on.
                Some(libc::EINVAL | libc::EIO | libc::EMSGSIZE | libc::ENOPROTOOPT)
                    if self.groups[at].len() > 1 =>
                {
                    self.splits = false;
                    self.answers.drain(..self.groups[at].start);
                    self.send(worker);
                    break;
                }
                // The first of them cannot be sent; the others may.
                _ => at += 1,
            }
        }
        let stats = &worker.shared.tracker.stats;
        stats.add(Counter::UdpSent, sent as u64);
    }

    /// Puts answers to the same client together, as far as the system can send them as one message. A client with many
    /// torrents announces all of them at once, and a message costs more than what is in it.
    fn group(&mut self) {
        self.groups.clear();
        if self.splits {
            self.answers.sort_unstable_by_key(|answer| (answer.to, answer.local, Reverse(answer.len())));
        }
        for (at, answer) in self.answers.iter().enumerate() {
            let joins = |group: &Range<usize>| {
                let (first, last) = (&self.answers[group.start], &self.answers[group.end - 1]);
                // All but the last are of one length.
                (first.to, first.local, first.len()) == (answer.to, answer.local, last.len())
                    && first.len() <= SPLIT_BYTES
                    && (group.len() + 1) * first.len() <= MESSAGE_BYTES
            };
            match self.groups.last_mut() {
                Some(group) if self.splits && joins(group) => group.end += 1,
                _ => self.groups.push(at..at + 1),
            }
        }
    }
}

impl Answer {
    fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Who sent a datagram; nothing for an address family that is none of ours.
fn sender(name: &libc::sockaddr_in6) -> Option<SocketAddr> {
    match i32::from(name.sin6_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the system wrote a `sockaddr_in`, which is shorter than what it was given.
            let name = unsafe { read_unaligned((&raw const *name).cast::<libc::sockaddr_in>()) };
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            Some(SocketAddr::from((ip, u16::from_be(name.sin_port))))
        }
        libc::AF_INET6 => Some(SocketAddr::V6(SocketAddrV6::new(
            Ipv6Addr::from(name.sin6_addr.s6_addr),
            u16::from_be(name.sin6_port),
            0,
            name.sin6_scope_id,
        ))),
        _ => None,
    }
}
