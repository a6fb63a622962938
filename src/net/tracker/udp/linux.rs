//! Many datagrams a system call (`recvmmsg`, `sendmmsg`), and answers that leave from the address that was asked, also where
//! one socket stands for all addresses of the machine (`IP_PKTINFO`).

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr::{null_mut, read_unaligned, write_unaligned};

use crate::net::tracker::udp::{DATAGRAM_BYTES, Worker};
use crate::tracker::Counter;

/// Datagrams taken at once.
const BATCH: usize = 64;
/// Bytes for what the system tells beside a datagram; more than `in6_pktinfo` takes.
const CONTROL: usize = 64;

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
    controls: Vec<Control>,
    /// Kept alive for `headers`, which point into it.
    _vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    output: Vec<u8>,
    answers: Vec<Answer>,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// An answer to the datagram at `at`: a part of the output.
struct Answer {
    at: usize,
    start: usize,
    end: usize,
}

impl Batch {
    fn new(worker: &Worker) -> io::Result<Self> {
        let socket = worker.socket.as_raw_fd();
        let bound = worker.socket.local_addr()?;
        if bound.ip().is_unspecified() {
            let (level, option) = if bound.is_ipv4() {
                (libc::IPPROTO_IP, libc::IP_PKTINFO)
            } else {
                (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)
            };
            let on: libc::c_int = 1;
            // SAFETY: the option's value is a whole `c_int`, and its size is told.
            let set = unsafe {
                libc::setsockopt(
                    socket,
                    level,
                    option,
                    (&raw const on).cast(),
                    size_of::<libc::c_int>() as u32,
                )
            };
            if set < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        let mut input = vec![[0; DATAGRAM_BYTES]; BATCH];
        // SAFETY: zero is a value of each of these plain C structures.
        let (name, header): (libc::sockaddr_in6, libc::mmsghdr) = unsafe { (zeroed(), zeroed()) };
        let mut names = vec![name; BATCH];
        let mut controls = vec![Control([0; CONTROL]); BATCH];
        let mut vectors: Vec<libc::iovec> = input
            .iter_mut()
            .map(|buffer| libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: DATAGRAM_BYTES })
            .collect();
        let mut headers = vec![header; BATCH];
        for (at, header) in headers.iter_mut().enumerate() {
            header.msg_hdr.msg_name = (&raw mut names[at]).cast();
            header.msg_hdr.msg_iov = &raw mut vectors[at];
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = (&raw mut controls[at]).cast();
        }
        Ok(Self {
            socket,
            bound: Some(bound.ip()).filter(|ip| !ip.is_unspecified()),
            input,
            names,
            controls,
            _vectors: vectors,
            headers,
            output: Vec::with_capacity(64 * 1024),
            answers: Vec::with_capacity(BATCH),
        })
    }

    /// Takes what has come, without waiting; gives how many datagrams it was.
    fn receive(&mut self) -> io::Result<usize> {
        for header in &mut self.headers {
            // The system has written over these.
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in6>() as u32;
            header.msg_hdr.msg_controllen = if self.bound.is_some() { 0 } else { CONTROL };
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
            asker.local = self.bound.or_else(|| self.asked_at(at));
            let start = self.output.len();
            tracker.datagram(&asker, from.port(), &self.input[at][..len], rng, &mut self.output);
            let end = self.output.len();
            if end > start {
                self.answers.push(Answer { at, start, end });
            }
        }
        tracker.stats.add(Counter::UdpReceived, received as u64);
        tracker.stats.add(Counter::BytesIn, bytes as u64);
    }

    fn send(&mut self, worker: &Worker) {
        // SAFETY: zero is a value of these plain C structures.
        let (mut headers, mut vectors): ([libc::mmsghdr; BATCH], [libc::iovec; BATCH]) =
            unsafe { (zeroed(), zeroed()) };
        let count = self.answers.len();
        for (slot, answer) in self.answers.iter().enumerate() {
            let asked = &self.headers[answer.at].msg_hdr;
            let bytes = &mut self.output[answer.start..answer.end];
            vectors[slot] = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
            let header = &mut headers[slot].msg_hdr;
            header.msg_name = asked.msg_name;
            header.msg_namelen = asked.msg_namelen;
            header.msg_iov = &raw mut vectors[slot];
            header.msg_iovlen = 1;
            if self.bound.is_none() && asked.msg_controllen > 0 {
                // What the system told of the way in says the way out, but for the source, which is put into its place.
                turn_round(&mut self.controls[answer.at]);
                header.msg_control = (&raw mut self.controls[answer.at]).cast();
                header.msg_controllen = asked.msg_controllen;
            }
        }
        let (mut at, mut sent) = (0, 0);
        while at < count {
            // SAFETY: the headers from `at` to `count` point to names, controls and output that live until after the call.
            let done =
                unsafe { libc::sendmmsg(self.socket, headers[at..].as_mut_ptr(), (count - at) as u32, 0) };
            if done > 0 {
                sent += done as usize;
                at += done as usize;
            } else if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                // The first of them cannot be sent; the others may.
                at += 1;
            }
        }
        worker.shared.tracker.stats.add(Counter::UdpSent, sent as u64);
        worker.shared.tracker.stats.add(Counter::BytesOut, self.output.len() as u64);
    }

    /// At which address the datagram at `at` came in.
    fn asked_at(&self, at: usize) -> Option<IpAddr> {
        let (data, kind) = control_data(&self.controls[at], self.headers[at].msg_hdr.msg_controllen)?;
        match kind {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                // SAFETY: the system wrote an `in_pktinfo` there, whose size was checked.
                let info = unsafe { read_unaligned(data.cast::<libc::in_pktinfo>()) };
                Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into())
            }
            _ => {
                // SAFETY: the system wrote an `in6_pktinfo` there, whose size was checked.
                let info = unsafe { read_unaligned(data.cast::<libc::in6_pktinfo>()) };
                Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into())
            }
        }
    }
}

/// The packet information in a control buffer of which `len` bytes are filled, and of which family it is.
fn control_data(control: &Control, len: usize) -> Option<(*const u8, (i32, i32))> {
    let head = size_of::<libc::cmsghdr>();
    if len < head {
        return None;
    }
    // SAFETY: the buffer is longer than a header, and any bytes make one.
    let header = unsafe { read_unaligned(control.0.as_ptr().cast::<libc::cmsghdr>()) };
    let need = match (header.cmsg_level, header.cmsg_type) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => size_of::<libc::in_pktinfo>(),
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => size_of::<libc::in6_pktinfo>(),
        _ => return None,
    };
    // The data stand behind the header, which is as long as its alignment asks.
    let whole = header.cmsg_len >= head + need && len >= head + need;
    whole.then(|| (control.0[head..].as_ptr(), (header.cmsg_level, header.cmsg_type)))
}

/// Makes the information of a datagram received that of its answer: sent from the address that it came to, by whatever way
/// the system finds. For IPv6 both are the same.
fn turn_round(control: &mut Control) {
    let head = size_of::<libc::cmsghdr>();
    if let Some((data, (libc::IPPROTO_IP, _))) = control_data(control, CONTROL) {
        // SAFETY: an `in_pktinfo` was found there.
        let mut info = unsafe { read_unaligned(data.cast::<libc::in_pktinfo>()) };
        (info.ipi_spec_dst, info.ipi_ifindex) = (info.ipi_addr, 0);
        // SAFETY: the same place, which lies within the buffer.
        unsafe { write_unaligned(control.0[head..].as_mut_ptr().cast::<libc::in_pktinfo>(), info) };
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
