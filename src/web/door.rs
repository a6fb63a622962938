//! Who may ask. A browser lets every page that its user looks at send requests here, so a right address is not enough:
//!
//! - the name by which we are asked is one of ours, or some other name was made to lead here (DNS rebinding)
//! - the page that asks, where the browser names one, is our own (cross-site requests)
//! - whoever asks for more than the page itself shows the token, which no browser sends of its own accord

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use tokio::time::Instant;

use crate::network::Secret;
use crate::web::fault::Fault;

/// Wrong tokens that are answered one by one, and how long they count. Whoever has the right one never waits for others.
const WRONG: u32 = 20;
const WRONG_FOR: Duration = Duration::from_secs(60);

/// The door.
#[derive(Debug)]
pub(super) struct Door {
    token: Secret,
    /// Lower-case names that lead here, besides addresses.
    names: Vec<String>,
    wrong: Mutex<(u32, Instant)>,
}

impl Door {
    pub(super) fn new(token: Secret, names: &[String]) -> Self {
        let own = ["localhost".to_owned()];
        let names = own.into_iter().chain(names.iter().map(|name| name.to_ascii_lowercase())).collect();
        Self { token, names, wrong: Mutex::new((0, Instant::now())) }
    }

    /// Whether a request may be answered at all.
    pub(super) fn is_for_us(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let host = only(headers, header::HOST).and_then(|host| host.parse::<Authority>().ok());
        let Some(host) = host.filter(|host| self.is_ours(host)) else {
            return Err(Fault::new(
                StatusCode::MISDIRECTED_REQUEST,
                "this page is not known by that name; use its address, or add the name to web.names in the settings",
            ));
        };
        if headers.contains_key(header::ORIGIN) {
            let origin = only(headers, header::ORIGIN).and_then(|origin| {
                let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
                rest.parse::<Authority>().ok()
            });
            if origin.as_ref() != Some(&host) {
                return Err(Fault::forbidden("another site may not ask here; open the page itself"));
            }
        }
        Ok(())
    }

    /// Whether what a request asks for may be told or done.
    pub(super) fn lets_in(&self, method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
        let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
        if !matches!(site, None | Some(b"same-origin" | b"none")) {
            return Err(Fault::forbidden("another site may not ask here; open the page itself"));
        }
        let bearer = only(headers, header::AUTHORIZATION).and_then(|text| text.strip_prefix("Bearer "));
        if !bearer.is_some_and(|bearer| self.token.matches(bearer.trim().as_bytes())) {
            return Err(match (self.is_one_too_many(), bearer) {
                (true, _) => Fault::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "there were too many wrong tokens; try again in a minute",
                ),
                (false, None) => Fault::new(
                    StatusCode::UNAUTHORIZED,
                    "a token is needed; it stands in the address that Fyris prints when it starts",
                ),
                (false, Some(_)) => Fault::new(
                    StatusCode::UNAUTHORIZED,
                    "that token is wrong; the right one stands in the address that Fyris prints when it starts",
                ),
            });
        }
        let is_json = only(headers, header::CONTENT_TYPE)
            .and_then(|kind| kind.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if method == Method::POST && !is_json {
            return Err(Fault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "commands are sent as JSON, with `Content-Type: application/json`",
            ));
        }
        Ok(())
    }

    /// Addresses cannot be made to lead elsewhere; names can.
    fn is_ours(&self, host: &Authority) -> bool {
        let name = host.host();
        // Nothing but a name, or that and a port.
        if host.as_str() != name
            && Some(host.as_str()) != host.port().map(|port| format!("{name}:{port}")).as_deref()
        {
            return false;
        }
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        address.parse::<IpAddr>().is_ok() || self.names.contains(&name.to_ascii_lowercase())
    }

    /// Counts a wrong token, and tells whether there were too many of late.
    fn is_one_too_many(&self) -> bool {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, since) = &mut *wrong;
        if since.elapsed() >= WRONG_FOR {
            (*count, *since) = (0, Instant::now());
        }
        *count = count.saturating_add(1);
        *count > WRONG
    }
}

/// The value of a header that stands there once, as text.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Secret = Secret([7; 16]);

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn only_our_own_names_and_pages_are_heard() {
        let door = Door::new(TOKEN, &["nas.Local".into()]);
        let status = |lines: &[(&'static str, &str)]| {
            door.is_for_us(&headers(lines)).map_err(|fault| fault.status.as_u16()).err()
        };
        for fine in
            ["127.0.0.1:7380", "localhost", "LOCALHOST:9", "[::1]:7380", "192.0.2.10:80", "NAS.local:7380"]
        {
            assert_eq!(status(&[("host", fine)]), None, "{fine}");
            assert_eq!(status(&[("host", fine), ("origin", &format!("http://{fine}"))]), None, "{fine}");
        }
        assert_eq!(status(&[("host", "nas.local"), ("origin", "https://nas.local")]), None);
        for foreign in [
            "evil.example",
            "evil.example:7380",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "user@localhost",
            "",
            "a b",
            "127.0.0.1:port",
            "local\u{1e9e}ost",
        ] {
            assert_eq!(status(&[("host", foreign)]), Some(421), "{foreign}");
        }
        assert_eq!(status(&[]), Some(421));
        assert_eq!(status(&[("host", "localhost"), ("host", "localhost")]), Some(421));
        for origin in [
            "null",
            "http://evil.example",
            "http://localhost:8080",
            "http://localhost.evil.example",
            "file://localhost",
            "",
        ] {
            assert_eq!(status(&[("host", "localhost"), ("origin", origin)]), Some(403), "{origin}");
        }
    }

    #[test]
    fn only_the_token_lets_in() {
        let door = Door::new(TOKEN, &[]);
        let right = format!("Bearer {}", TOKEN.to_bearer());
        let status = |method: Method, lines: &[(&'static str, &str)]| {
            door.lets_in(&method, &headers(lines)).map_err(|fault| fault.status.as_u16()).err()
        };
        let json = ("content-type", "application/json; charset=utf-8");
        assert_eq!(status(Method::GET, &[("authorization", &right)]), None);
        assert_eq!(status(Method::POST, &[("authorization", &right), json]), None);
        assert_eq!(status(Method::POST, &[("authorization", &right)]), Some(415));
        assert_eq!(
            status(Method::POST, &[("authorization", &right), ("content-type", "text/plain")]),
            Some(415)
        );
        for (site, refused) in
            [("same-origin", None), ("none", None), ("cross-site", Some(403)), ("same-site", Some(403))]
        {
            assert_eq!(
                status(Method::GET, &[("authorization", &right), ("sec-fetch-site", site)]),
                refused,
                "{site}"
            );
        }
        let wrong = [
            &right[..right.len() - 1],
            "Bearer ",
            "Basic abc",
            &right.to_ascii_uppercase(),
            &format!("Bearer {}", Secret([8; 16]).to_bearer()),
        ];
        assert_eq!(status(Method::GET, &[]), Some(401));
        for wrong in wrong {
            assert_eq!(status(Method::GET, &[("authorization", wrong)]), Some(401), "{wrong}");
        }
        let tried = wrong.len() as u32 + 1;
        let further: Vec<_> =
            (tried..WRONG + 5).map(|_| status(Method::GET, &[("authorization", "Bearer x")])).collect();
        assert_eq!(further.iter().filter(|status| **status == Some(401)).count() as u32, WRONG - tried);
        assert_eq!(further.last(), Some(&Some(429)));
        assert_eq!(
            status(Method::GET, &[("authorization", &right)]),
            None,
            "whoever has it is let in all the same"
        );
    }
}
