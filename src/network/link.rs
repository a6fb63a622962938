//! The join link: where a coordinator is, the secret that lets in, and the certificate it must show.
//!
//! `fyris://HOST:PORT[,HOST:PORT…]/TOKEN`, where the token is base64url of one byte of version, 16 bytes of secret, the
//! SHA-256 of the certificate, and 4 bytes of check over all of it and the addresses, so that a link that was cut short or
//! mistyped is told from a wrong one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// What lets into a network: 16 random bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret(pub [u8; 16]);

/// The SHA-256 of a certificate in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Where a coordinator listens: a host, as an address or a name, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// An IP address without brackets, or a name.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

/// A join link. It lets whoever has it into the network: shown to users, never written to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinLink {
    /// Where the coordinator is, at least one place and at most four, to be tried in this order.
    pub places: Vec<Place>,
    /// What lets in.
    pub secret: Secret,
    /// The certificate it must show.
    pub fingerprint: Fingerprint,
}

/// A text that is no join link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It does not begin as one.
    #[error("a join link begins with {SCHEME}")]
    Scheme,
    /// It is longer than any.
    #[error("this is too long for a join link")]
    TooLong,
    /// No address, too many, or one that cannot be read.
    #[error("the address in this join link cannot be read; it should be HOST:PORT")]
    Place,
    /// The token is not one, or its check does not fit: a part is missing or was changed.
    #[error("this join link is damaged: a part of it is missing or was changed; copy all of it again")]
    Damaged,
    /// It was made by a later version of the program.
    #[error("this join link needs a newer version of Fyris")]
    Newer,
}

const SCHEME: &str = "fyris://";
const VERSION: u8 = 1;
const PLACES: usize = 4;
const LINK_BYTES: usize = 1_500;
const HOST_BYTES: usize = 253;
const CHECK_BYTES: usize = 4;

impl Secret {
    /// As HTTP carries it after `Authorization: Bearer`.
    pub fn to_bearer(self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// The secret that HTTP carries so.
    pub fn from_bearer(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// Whether `text` is this secret, in a time that does not depend on where it differs.
    pub fn matches(&self, text: &[u8]) -> bool {
        let own = self.to_bearer();
        let differences = own.bytes().zip(text.iter().chain(std::iter::repeat(&0)));
        let sum = differences.fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(sum) == 0 && own.len() == text.len()
    }
}

impl Fingerprint {
    /// That of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl JoinLink {
    fn token(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.secret.0);
        bytes.extend(self.fingerprint.0);
        bytes.extend(check(&places_text(&self.places), &bytes));
        BASE64URL_NOPAD.encode(&bytes)
    }
}

impl FromStr for Place {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or(LinkError::Place)?;
        let port: u16 = port.parse().map_err(|_| LinkError::Place)?;
        let named = |host: &str| {
            let word = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'.';
            !host.is_empty() && host.len() <= HOST_BYTES && host.bytes().all(word)
        };
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) if matches!(host.parse(), Ok(IpAddr::V6(_))) => host,
            None if named(host) => host,
            _ => return Err(LinkError::Place),
        };
        if port == 0 {
            return Err(LinkError::Place);
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for JoinLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > LINK_BYTES {
            return Err(LinkError::TooLong);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(LinkError::Scheme)?;
        let (places, token) = rest.split_once('/').ok_or(LinkError::Damaged)?;
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| LinkError::Damaged)?;
        if bytes.first().is_some_and(|version| *version > VERSION) {
            return Err(LinkError::Newer);
        }
        let places = places.split(',').map(str::parse).collect::<Result<Vec<Place>, _>>()?;
        if places.len() > PLACES {
            return Err(LinkError::Place);
        }
        let Some((body, given)) = bytes.split_last_chunk::<CHECK_BYTES>() else {
            return Err(LinkError::Damaged);
        };
        let (Some(secret), Some(fingerprint)) = (body.get(1..17), body.get(17..)) else {
            return Err(LinkError::Damaged);
        };
        let secret = secret.try_into().map_err(|_| LinkError::Damaged)?;
        let fingerprint = fingerprint.try_into().map_err(|_| LinkError::Damaged)?;
        if body[0] != VERSION || check(&places_text(&places), body) != *given {
            return Err(LinkError::Damaged);
        }
        Ok(Self { places, secret: Secret(secret), fingerprint: Fingerprint(fingerprint) })
    }
}

impl fmt::Display for JoinLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", places_text(&self.places), self.token())
    }
}

impl fmt::Debug for JoinLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/…", places_text(&self.places))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn places_text(places: &[Place]) -> String {
    places.iter().map(Place::to_string).collect::<Vec<_>>().join(",")
}

fn check(places: &str, body: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hash = Sha256::new();
    hash.update(b"fyris join link");
    hash.update([0]);
    hash.update(places);
    hash.update([0]);
    hash.update(body);
    let digest = hash.finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn link(places: &[&str]) -> JoinLink {
        JoinLink {
            places: places.iter().map(|place| place.parse().expect("a place")).collect(),
            secret: Secret([7; 16]),
            fingerprint: Fingerprint::of(b"certificate"),
        }
    }

    #[test]
    fn a_link_survives_its_text() {
        for places in [&["10.77.0.9:7300"][..], &["[fe80::1]:1", "host.example:65535", "127.0.0.1:2", "a:3"]]
        {
            let link = link(places);
            let text = link.to_string();
            assert!(text.starts_with("fyris://") && !text.contains(char::is_whitespace), "{text}");
            assert_eq!(text.parse(), Ok(link.clone()));
            assert_eq!(format!(" {text}\n").parse(), Ok(link));
        }
    }

    #[test]
    fn no_part_of_a_link_may_change() {
        let text = link(&["10.77.0.9:7300"]).to_string();
        for at in 0..text.len() {
            for with in ["A", "z", "_", ""] {
                let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
                assert!(changed == text || changed.parse::<JoinLink>().is_err(), "{changed}");
            }
        }
        let tail = &text[..text.len() - 4];
        assert_eq!(format!("{tail}AAAA").parse::<JoinLink>(), Err(LinkError::Damaged));
        assert_eq!(format!("{text}AAAA").parse::<JoinLink>(), Err(LinkError::Damaged));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let token = link(&["a:1"]).token();
        for (text, error) in [
            ("magnet:?xt=urn:btih:0", LinkError::Scheme),
            ("", LinkError::Scheme),
            ("fyris://", LinkError::Damaged),
            ("fyris://a:1/", LinkError::Damaged),
            (&format!("fyris:///{token}"), LinkError::Place),
            (&format!("fyris://a:0/{token}"), LinkError::Place),
            (&format!("fyris://[1.2.3.4]:5/{token}"), LinkError::Place),
            (&format!("fyris://u@h:5/{token}"), LinkError::Place),
            (&format!("fyris://{}/{token}", "a:1,".repeat(5) + "a:1"), LinkError::Place),
            (&format!("fyris://a:1/{}", "A".repeat(2_000)), LinkError::TooLong),
            ("fyris://a:1/_w", LinkError::Newer),
        ] {
            assert_eq!(text.parse::<JoinLink>(), Err(error), "{text}");
        }
    }

    #[test]
    fn the_secret_is_compared_whole() {
        let secret = Secret([9; 16]);
        let bearer = secret.to_bearer();
        assert_eq!((Secret::from_bearer(&bearer), Secret::from_bearer(&bearer[1..])), (Some(secret), None));
        assert!(secret.matches(bearer.as_bytes()));
        for wrong in ["", &bearer[1..], &bearer[..10], &format!("{bearer}\0"), &Secret([8; 16]).to_bearer()] {
            assert!(!secret.matches(wrong.as_bytes()), "{wrong}");
        }
        assert_eq!(format!("{secret:?} {:?}", link(&["a:1"])), "Secret(…) fyris://a:1/…");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_fall(text in ".{0,200}") {
            let _ = text.parse::<JoinLink>();
            let _ = format!("fyris://{text}").parse::<JoinLink>();
        }
    }
}
