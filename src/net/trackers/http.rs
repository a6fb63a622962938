//! Announces and scrapes over HTTP and HTTPS (BEP 3, 7, 23, 24, 31, 48).

use std::error::Error as _;
use std::io;
use std::net::IpAddr;

use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use tokio::sync::OnceCell;
use url::{Host, Url};

use crate::announce::{AnnounceRequest, Answer, Facts, Failure, Kind, is_local};
use crate::base::limits;
use crate::net::trackers::announce;
use crate::net::trackers::client::{Clients, is_close};
use crate::wire::tracker::RetryIn;
use crate::wire::tracker_http::{announce_url, parse_answer, parse_scrape, scrape_url};

/// Redirections that are followed.
const REDIRECTS: usize = 5;
/// Torrents read of a scrape; some trackers answer with all they have.
const SCRAPED: usize = 1_000;

/// Asks over HTTP.
pub(super) struct Http {
    bind: Option<IpAddr>,
    /// Made when the first question is asked over HTTP, and over HTTPS.
    plain: OnceCell<Result<Clients, String>>,
    secure: OnceCell<Result<Clients, String>>,
}

impl Http {
    pub(super) fn new(bind: Option<IpAddr>) -> Self {
        Self { bind, plain: OnceCell::new(), secure: OnceCell::new() }
    }

    /// Asks one question.
    pub(super) async fn ask(&self, request: &AnnounceRequest, facts: Facts) -> Result<Answer, Failure> {
        match request.kind {
            Kind::Announce => {
                let body = self.fetch(&announce_url(&request.url, &announce(request, facts))).await?;
                Ok(parse_answer(&body)?)
            }
            Kind::Scrape => {
                let url = scrape_url(&request.url, &[facts.info_hash])
                    .ok_or_else(|| unreadable("this tracker cannot be asked for counts"))?;
                let files = parse_scrape(&self.fetch(&url).await?, SCRAPED)?;
                let (_, counts) = files
                    .into_iter()
                    .find(|(hash, _)| *hash == facts.info_hash)
                    .ok_or_else(|| unreadable("the tracker tells nothing of this torrent"))?;
                Ok(Answer {
                    complete: Some(counts.complete),
                    incomplete: Some(counts.incomplete),
                    downloaded: Some(counts.downloaded),
                    ..Answer::default()
                })
            }
        }
    }

    /// Those that ask this URL.
    async fn clients(&self, url: &Url) -> Result<&Clients, Failure> {
        let (bind, secure) = (self.bind, url.scheme() == "https");
        let made = || async move {
            let make = tokio::task::spawn_blocking(move || Clients::new(bind, secure));
            make.await.unwrap_or_else(|error| Err(error.to_string()))
        };
        let clients = if secure { &self.secure } else { &self.plain }.get_or_init(made).await;
        clients.as_ref().map_err(|error| Failure::Unreachable(format!("HTTP cannot be spoken here: {error}")))
    }

    /// The body behind a URL, through a few redirections.
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, Failure> {
        let mut url = Url::parse(url).map_err(|_| unreadable("the tracker's address does not read"))?;
        let begins_close = is_local(url.as_str());
        for hop in 0..=REDIRECTS {
            let clients = self.clients(&url).await?;
            // An announce page is what a tracker in the local network has. Anything else there is not for strangers'
            // torrents and trackers to have asked.
            let client = match is_announce_page(&url) && (hop == 0 || begins_close) {
                true => &clients.anywhere,
                false if names_close_host(&url) => {
                    return Err(unreadable(
                        "the tracker's address leads into the local network, where only announce pages are asked",
                    ));
                }
                false => &clients.abroad,
            };
            let response = client.get(url.clone()).send().await.map_err(|error| failure(&error, &url))?;
            match redirection(&url, &response)? {
                Some(next) => url = next,
                None => return read(&url, response).await,
            }
        }
        Err(unreadable("the tracker sends from one address to the next without end"))
    }
}

/// Where the response sends to, if anywhere.
fn redirection(url: &Url, response: &Response) -> Result<Option<Url>, Failure> {
    let Some(location) = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())
    else {
        return Ok(None);
    };
    let next = location.to_str().ok().filter(|text| text.len() <= limits::URL_BYTES);
    let next = next
        .and_then(|text| url.join(text).ok())
        .ok_or_else(|| unreadable("the tracker sends to an address that does not read"))?;
    match (url.scheme(), next.scheme()) {
        ("https", "http") => Err(unreadable("the tracker sends from a protected address to an open one")),
        (_, "http" | "https") => Ok(Some(next)),
        _ => Err(unreadable("the tracker sends to an address that is not of the web")),
    }
}

/// The body of an answer, or what its status says where there is none.
async fn read(url: &Url, mut response: Response) -> Result<Vec<u8>, Failure> {
    const TOO_LARGE: &str = "the tracker's answer is too large";
    let status = response.status();
    let retry_in = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse::<u32>().ok())
        .map(|secs| RetryIn::Minutes(secs.div_ceil(60)));
    if response.content_length().is_some_and(|bytes| bytes > limits::TRACKER_ANSWER_BYTES as u64) {
        return Err(unreadable(TOO_LARGE));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error, url))? {
        if body.len() + chunk.len() > limits::TRACKER_ANSWER_BYTES {
            return Err(unreadable(TOO_LARGE));
        }
        body.extend_from_slice(&chunk);
    }
    // Some say why in the body, whatever the status is.
    match parse_answer(&body).map_err(Failure::from) {
        _ if status.is_success() => Ok(body),
        Err(refused @ Failure::Refused { .. }) => Err(refused),
        _ => Err(by_status(status, retry_in)),
    }
}

fn by_status(status: StatusCode, retry_in: Option<RetryIn>) -> Failure {
    let reason = format!("the tracker answered with HTTP status {status}");
    if status.is_client_error() || retry_in.is_some() {
        Failure::Refused { reason, retry_in }
    } else {
        Failure::Unreadable(reason)
    }
}

fn is_announce_page(url: &Url) -> bool {
    let page = url.path().rsplit('/').next().unwrap_or_default();
    page.starts_with("announce") || page.starts_with("scrape")
}

fn names_close_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_close(ip.into()),
        Some(Host::Ipv6(ip)) => is_close(ip.into()),
        _ => is_local(url.as_str()),
    }
}

fn failure(error: &reqwest::Error, url: &Url) -> Failure {
    let host = url.host_str().unwrap_or("the tracker");
    if error.is_timeout() {
        Failure::Timeout
    } else if error.is_connect() {
        Failure::Unreachable(format!("{host} cannot be reached: {}", cause(error)))
    } else if error.is_body() || error.is_decode() {
        unreadable("the tracker's answer broke off or is damaged")
    } else {
        Failure::Unreachable(format!("{host} closed the connection or does not speak HTTP"))
    }
}

/// The innermost reason, in the system's words where it has some.
fn cause(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(error) = next {
        text = match error.downcast_ref::<io::Error>() {
            Some(error) => plain(error),
            None => error.to_string(),
        };
        next = error.source();
    }
    text
}

/// What the system says, without its number.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

pub(super) fn unreadable(text: &str) -> Failure {
    Failure::Unreadable(text.to_owned())
}
