//! The addresses of this machine that others on its network can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses from which this machine would speak to others, IPv4 first; empty on a machine without a network.
pub fn addresses() -> Vec<IpAddr> {
    // Addresses kept for documentation: nothing is sent, the system only chooses a way. Without a default route, the usual
    // networks at home and at work may still have one.
    let far: [IpAddr; 5] = [
        Ipv4Addr::new(192, 0, 2, 1).into(),
        Ipv4Addr::new(192, 168, 255, 254).into(),
        Ipv4Addr::new(10, 255, 255, 254).into(),
        Ipv4Addr::new(172, 31, 255, 254).into(),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    ];
    let mut found: Vec<IpAddr> = Vec::new();
    for ip in far.into_iter().filter_map(towards).filter(|ip| is_reachable(*ip)) {
        if !found.iter().any(|known| known.is_ipv4() == ip.is_ipv4()) {
            found.push(ip);
        }
    }
    found
}

fn towards(far: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match far {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(far, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Whether another machine can use the address as it stands: neither loopback nor bound to one link.
fn is_reachable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_unspecified() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unspecified() && !ip.is_unicast_link_local(),
    }
}

/// Whether an address has a meaning within a network alone, or within this machine.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_of_use_to_others() {
        let found = addresses();
        assert!(found.len() <= 2 && found.iter().all(|ip| is_reachable(*ip)), "{found:?}");
        for ip in found {
            UdpSocket::bind((ip, 0)).expect("an address of this machine");
        }
        for useless in ["127.0.0.1", "0.0.0.0", "169.254.1.1", "::1", "::", "fe80::1"] {
            assert!(!is_reachable(useless.parse().expect("an address")), "{useless}");
        }
    }
}
