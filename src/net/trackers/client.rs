//! The HTTP clients: certificates of the system, no proxies, no redirects of their own, and hosts that may not be asked.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

/// Two clients that differ in whom they ask.
pub(super) struct Clients {
    /// Asks every host.
    pub(super) anywhere: Client,
    /// Asks no host of this machine or the local network, whatever name leads there.
    pub(super) abroad: Client,
}

impl Clients {
    /// Reads the system's certificates where they are to speak HTTPS, which takes a while; without them they trust nobody.
    pub(super) fn new(bind: Option<IpAddr>, secure: bool) -> Result<Self, String> {
        let tls = tls(secure).map_err(|error| error.to_string())?;
        let client = |abroad| {
            builder(bind)
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(Resolver { abroad })
                .build()
                .map_err(|error| error.to_string())
        };
        Ok(Self { anywhere: client(false)?, abroad: client(true)? })
    }
}

fn builder(bind: Option<IpAddr>) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("Fyris/", env!("CARGO_PKG_VERSION")))
        .local_address(bind)
        .no_proxy()
        .redirect(Policy::none())
        .gzip(true)
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(10))
        // Many torrents at one tracker go over few connections.
        .pool_max_idle_per_host(4)
        .pool_idle_timeout(Duration::from_secs(15))
}

fn tls(secure: bool) -> Result<rustls::ClientConfig, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    if secure {
        // On a machine without certificates the user is told that the issuer is unknown.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whether an address is one of this machine or of the network around it.
pub(super) fn is_close(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            a == 0 || shared || ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_broadcast()
        }
        IpAddr::V6(ip) => {
            ip.is_unspecified() || ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
    }
}

/// Asks the system for the addresses of a host.
struct Resolver {
    abroad: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let abroad = self.abroad;
        Box::pin(async move {
            let mut found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if abroad {
                found.retain(|addr| !is_close(addr.ip()));
                if found.is_empty() {
                    return Err("it lies in the local network, where only announce pages are asked".into());
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_addresses_are_close() {
        for close in [
            "0.0.0.0",
            "127.9.9.9",
            "10.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "fd00::1",
        ] {
            assert!(is_close(close.parse().expect("an address")), "{close}");
        }
        for far in ["8.8.8.8", "100.128.0.1", "2001:db8::1"] {
            assert!(!is_close(far.parse().expect("an address")), "{far}");
        }
    }
}
