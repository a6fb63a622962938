//! What goes in and out beside a datagram: at which address it came in, from which one its answer leaves (`IP_PKTINFO`), and
//! how long each of several answers in one message is (`UDP_SEGMENT`).

use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::RawFd;
use std::ptr::{read_unaligned, write_unaligned};

/// Bytes for what the system tells beside a datagram; more than `in6_pktinfo` takes.
const INCOMING: usize = 64;
/// Bytes for what is told to the system: one `in6_pktinfo` and one length.
const OUTGOING: usize = 64;

/// What came beside a datagram.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Incoming([u8; INCOMING]);

/// What goes beside a message.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Outgoing {
    bytes: [u8; OUTGOING],
    used: usize,
}

/// Asks the system to tell of every datagram at which address it came in.
pub(super) fn ask_where(socket: RawFd, six: bool) -> io::Result<()> {
    let (level, option) = match six {
        false => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        true => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    let on: libc::c_int = 1;
    // SAFETY: the option's value is a whole `c_int`, and its size is told.
    let set = unsafe {
        libc::setsockopt(socket, level, option, (&raw const on).cast(), size_of::<libc::c_int>() as u32)
    };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

impl Incoming {
    pub(super) const BYTES: usize = INCOMING;
    pub(super) const EMPTY: Self = Self([0; INCOMING]);

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::c_void {
        self.0.as_mut_ptr().cast()
    }

    /// At which address the datagram came in, where the `len` bytes that are filled say so.
    pub(super) fn asked_at(&self, len: usize) -> Option<IpAddr> {
        let head = size_of::<libc::cmsghdr>();
        if len < head {
            return None;
        }
        // SAFETY: the buffer is longer than a header, and any bytes make one.
        let header = unsafe { read_unaligned(self.0.as_ptr().cast::<libc::cmsghdr>()) };
        let holds = |need: usize| header.cmsg_len >= head + need && len.min(INCOMING) >= head + need;
        // The data stand behind the header, which is as long as its alignment asks.
        let data = self.0[head..].as_ptr();
        match (header.cmsg_level, header.cmsg_type) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) if holds(size_of::<libc::in_pktinfo>()) => {
                // SAFETY: the system wrote an `in_pktinfo` there, whose size was checked.
                let info = unsafe { read_unaligned(data.cast::<libc::in_pktinfo>()) };
                Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into())
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if holds(size_of::<libc::in6_pktinfo>()) => {
                // SAFETY: the system wrote an `in6_pktinfo` there, whose size was checked.
                let info = unsafe { read_unaligned(data.cast::<libc::in6_pktinfo>()) };
                Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into())
            }
            _ => None,
        }
    }
}

impl Outgoing {
    pub(super) const EMPTY: Self = Self { bytes: [0; OUTGOING], used: 0 };

    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    /// The bytes and how many they are; none where nothing is to be told.
    pub(super) fn parts(&mut self) -> (*mut libc::c_void, usize) {
        match self.used {
            0 => (std::ptr::null_mut(), 0),
            used => (self.bytes.as_mut_ptr().cast(), used),
        }
    }

    /// The message leaves from this address, by whatever way the system finds.
    pub(super) fn leave_from(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => {
                let addr = libc::in_addr { s_addr: u32::from(ip).to_be() };
                let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: addr, ipi_addr: addr };
                self.push(libc::IPPROTO_IP, libc::IP_PKTINFO, info);
            }
            IpAddr::V6(ip) => {
                let addr = libc::in6_addr { s6_addr: ip.octets() };
                let info = libc::in6_pktinfo { ipi6_addr: addr, ipi6_ifindex: 0 };
                self.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
            }
        }
    }

    /// The message is many datagrams of so many bytes, of which the last may be shorter.
    pub(super) fn split(&mut self, bytes: u16) {
        self.push(libc::SOL_UDP, libc::UDP_SEGMENT, bytes);
    }

    fn push<T: Copy>(&mut self, level: i32, kind: i32, data: T) {
        const HEAD: usize = size_of::<libc::cmsghdr>();
        let room = HEAD + size_of::<T>().next_multiple_of(8);
        if self.used + room > OUTGOING {
            return;
        }
        // SAFETY: zero is a value of this plain C structure, and on some systems it has padding.
        let mut header: libc::cmsghdr = unsafe { std::mem::zeroed() };
        (header.cmsg_level, header.cmsg_type) = (level, kind);
        header.cmsg_len = (HEAD + size_of::<T>()) as _;
        let at = self.bytes[self.used..].as_mut_ptr();
        // SAFETY: both lie within the buffer, as was checked above.
        unsafe {
            write_unaligned(at.cast::<libc::cmsghdr>(), header);
            write_unaligned(at.add(HEAD).cast::<T>(), data);
        }
        self.used += room;
    }
}
