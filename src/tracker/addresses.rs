//! Groups of addresses: networks as an operator writes them, and those that only a local network knows.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// A network: an address and how many of its bits all members share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    ip: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is an IP address, with /BITS behind it where it is more than one machine")]
pub struct ParseNetworkError;

impl Network {
    /// Whether an address belongs to it.
    pub fn holds(&self, ip: IpAddr) -> bool {
        let shift = |width: u32| width - u32::from(self.bits);
        match (self.ip, ip) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => {
                (own.to_bits() ^ ip.to_bits()).checked_shr(shift(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(ip)) => {
                (own.to_bits() ^ ip.to_bits()).checked_shr(shift(128)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let ip: IpAddr = ip.parse().map_err(|_| ParseNetworkError)?;
        let width = if ip.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= width).ok_or(ParseNetworkError)?,
        };
        Ok(Self { ip, bits })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether an address means something within a local network only.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || a == 100 && b & 0xc0 == 64
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Whether a peer can have an address.
pub(crate) fn is_peer(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast(),
    }
}

/// Who asked, out of the list that proxies write: the last address that is no proxy of ours. Everything before it may be made
/// up by the client.
pub(crate) fn forwarded(list: &[u8], trusted: &[Network]) -> Option<IpAddr> {
    let list = std::str::from_utf8(list).ok()?;
    let mut last = None;
    for entry in list.rsplit(',').take(16) {
        let entry = entry.trim();
        // Some write a port, and then brackets around an IPv6 address.
        let ip: IpAddr = match (entry.parse(), entry.parse::<std::net::SocketAddr>()) {
            (Ok(ip), _) => ip,
            (_, Ok(addr)) => addr.ip(),
            _ => return last,
        };
        let ip = ip.to_canonical();
        last = Some(ip);
        if !trusted.iter().any(|network| network.holds(ip)) {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn network(text: &str) -> Network {
        text.parse().expect("a network")
    }

    #[test]
    fn networks_hold_their_members() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.168.1.7", "192.168.1.7", "192.168.1.6"),
            ("0.0.0.0/0", "9.9.9.9", "::1"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::/0", "2001:db8::1", "1.2.3.4"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
        ] {
            assert!(network(text).holds(ip(inside)) && !network(text).holds(ip(outside)), "{text}");
        }
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/x"] {
            assert_eq!(bad.parse::<Network>(), Err(ParseNetworkError), "{bad}");
        }
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let ours = [network("10.0.0.0/8"), network("127.0.0.1")];
        for (list, who) in [
            ("81.2.3.4", Some("81.2.3.4")),
            ("6.6.6.6, 81.2.3.4", Some("81.2.3.4")),
            ("6.6.6.6, 81.2.3.4 ,10.0.0.2", Some("81.2.3.4")),
            ("10.0.0.9,10.0.0.2", Some("10.0.0.9")),
            ("81.2.3.4:555", Some("81.2.3.4")),
            ("[2001:db8::1]:5", Some("2001:db8::1")),
            ("81.2.3.4, unknown", None),
            ("unknown, 10.0.0.2", Some("10.0.0.2")),
            ("", None),
        ] {
            assert_eq!(forwarded(list.as_bytes(), &ours), who.map(ip), "{list}");
        }
        assert_eq!(forwarded(b"\xff", &ours), None);
    }
}
