//! What an announce URL tells before anybody is asked.

use std::net::IpAddr;

use ::url::{Host, Url};

/// Why a tracker cannot be asked at all; nothing where it can.
pub(super) fn unsupported(url: &str) -> Option<&'static str> {
    match Url::parse(url) {
        Err(_) => Some("the address does not read"),
        Ok(url) if !matches!(url.scheme(), "http" | "https" | "udp") => {
            Some("this kind of tracker is not supported")
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => Some("the address names no host"),
        Ok(url) if url.scheme() == "udp" && url.port().is_none() => Some("the address names no port"),
        Ok(_) => None,
    }
}

/// Whether the tracker's address is one of this machine or of the local network.
pub fn is_local(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    // Hosts of schemes that the URL standard does not know are not told apart by it.
    let host = match url.host() {
        Some(Host::Ipv4(ip)) => return is_local_ip(ip.into()),
        Some(Host::Ipv6(ip)) => return is_local_ip(ip.into()),
        Some(Host::Domain(name)) => name.trim_end_matches('.').to_ascii_lowercase(),
        None => return false,
    };
    match host.parse() {
        Ok(ip) => is_local_ip(ip),
        Err(_) => host == "localhost" || host.ends_with(".localhost") || host.ends_with(".local"),
    }
}

fn is_local_ip(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_trackers_are_close_by() {
        for local in [
            "http://127.0.0.1:6969/announce",
            "udp://192.168.1.9:6969/announce",
            "http://[::1]:6969/announce",
            "udp://[fe80::1]:6969",
            "udp://[fd00::1]:6969/announce",
            "http://printer.local/announce",
            "http://localhost:1/announce",
            "http://[::ffff:10.0.0.1]/announce",
        ] {
            assert!(is_local(local), "{local}");
        }
        for far in [
            "http://8.8.8.8/announce",
            "udp://tracker.example:80",
            "http://[2001:db8::1]/a",
            "nonsense",
            "http://",
        ] {
            assert!(!is_local(far), "{far}");
        }
    }

    #[test]
    fn which_trackers_cannot_be_asked() {
        for fine in [
            "http://t.example/announce",
            "https://t.example:8443/x?y=z",
            "udp://1.2.3.4:80",
            "udp://[::1]:80/a",
        ] {
            assert_eq!(unsupported(fine), None, "{fine}");
        }
        for bad in [
            "",
            "announce",
            "wss://t.example/",
            "udp://t.example/announce",
            "http://",
            "file:///etc/passwd",
            "udp:///x",
        ] {
            assert!(unsupported(bad).is_some(), "{bad}");
        }
    }
}
