//! Announce URLs of the addresses that a tracker listens at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// One URL an address and way. Where every address of the machine is listened at, the one that the network knows it by comes
/// first, and loopback after it.
pub(super) fn announce_urls(ways: &[(&str, &[SocketAddr])]) -> Vec<String> {
    let mut urls = Vec::new();
    for (scheme, addresses) in ways {
        for addr in *addresses {
            for ip in shown(addr.ip()) {
                urls.push(format!("{scheme}://{}/announce", SocketAddr::new(ip, addr.port())));
            }
        }
    }
    urls.dedup();
    urls
}

fn shown(ip: IpAddr) -> Vec<IpAddr> {
    match ip {
        ip if !ip.is_unspecified() => vec![ip],
        IpAddr::V4(_) => {
            let outside = local_for(SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 9)));
            outside.into_iter().chain([Ipv4Addr::LOCALHOST.into()]).collect()
        }
        IpAddr::V6(_) => {
            let outside = local_for(SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9)));
            outside.into_iter().chain([Ipv6Addr::LOCALHOST.into()]).collect()
        }
    }
}

/// The address of this machine from which `remote` is reached; nothing is sent for it.
pub(super) fn local_for(remote: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(remote).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_every_way_in() {
        let addr: SocketAddr = "127.0.0.1:6969".parse().expect("an address");
        let six: SocketAddr = "[::1]:6969".parse().expect("an address");
        assert_eq!(
            announce_urls(&[("http", &[addr, six]), ("udp", &[addr])]),
            ["http://127.0.0.1:6969/announce", "http://[::1]:6969/announce", "udp://127.0.0.1:6969/announce"]
        );
        let any = announce_urls(&[("http", &["0.0.0.0:80".parse().expect("an address")])]);
        assert!(any.last().is_some_and(|url| url == "http://127.0.0.1:80/announce"), "{any:?}");
    }
}
