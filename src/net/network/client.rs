//! A member's way to its coordinator: the operations over HTTPS, with the certificate of the join link and no other.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::redirect::Policy;

use crate::net::network::tls;
use crate::network::{CallError, Code, JoinLink, Operation, Refusal};

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(4);
/// For a request with its answer, small or large.
const SMALL: Duration = Duration::from_secs(8);
const LARGE: Duration = Duration::from_secs(120);
const SMALL_BYTES: usize = 1024 * 1024;
/// Bytes of the largest answer that is read: a .torrent file in base64.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Asks one coordinator; cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    link: Arc<JoinLink>,
    /// The place of the link that answered last.
    best: Arc<AtomicUsize>,
}

/// What became of one attempt.
enum Attempt {
    /// Nobody answers there.
    Nobody(String),
    Answered(Result<Vec<u8>, Refusal>),
}

impl Client {
    /// A way to the coordinator that a link leads to, from the address `bind` where there is one.
    ///
    /// # Errors
    /// Where the system gives what is needed not.
    pub fn new(link: JoinLink, bind: Option<IpAddr>) -> Result<Self, String> {
        let tls = tls::pinned(link.fingerprint).map_err(|error| error.to_string())?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("Fyris/", env!("CARGO_PKG_VERSION")))
            .local_address(bind)
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(Duration::from_secs(30))
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { http, link: Arc::new(link), best: Arc::default() })
    }

    /// The link that it goes by.
    pub fn link(&self) -> &JoinLink {
        &self.link
    }

    /// Asks, at every place of the link until one answers.
    ///
    /// # Errors
    /// Where none does, or the coordinator refuses.
    pub async fn ask<R: Operation>(&self, request: &R) -> Result<R::Answer, CallError> {
        let body = serde_json::to_vec(request).map_err(|error| CallError::Unreachable(error.to_string()))?;
        if body.len() > R::BODY_BYTES {
            let text =
                format!("this is more than {} bytes, the most that {} may have", R::BODY_BYTES, R::NAME);
            return Err(Refusal::new(Code::TooLarge, text).into());
        }
        let body = bytes::Bytes::from(body);
        let limit = if R::BODY_BYTES > SMALL_BYTES || R::NAME == "fetch" { LARGE } else { SMALL };
        let (places, first) = (&self.link.places, self.best.load(Ordering::Relaxed));
        let mut why = "the join link names no address".to_owned();
        for turn in 0..places.len() {
            let at = (first + turn) % places.len();
            let url = format!("https://{}/v1/{}", places[at], R::NAME);
            match self.attempt(&url, body.clone(), limit).await {
                Attempt::Nobody(reason) => why = format!("{}: {reason}", places[at]),
                Attempt::Answered(answer) => {
                    self.best.store(at, Ordering::Relaxed);
                    let answer = answer?;
                    return serde_json::from_slice(&answer)
                        .map_err(|_| CallError::Unreachable("its answer makes no sense".to_owned()));
                }
            }
        }
        Err(CallError::Unreachable(why))
    }

    async fn attempt(&self, url: &str, body: bytes::Bytes, limit: Duration) -> Attempt {
        let request = self
            .http
            .post(url)
            .header("Content-Type", "application/json")
            .bearer_auth(self.link.secret.to_bearer())
            .timeout(limit)
            .body(body);
        let nobody = |error: &reqwest::Error| Attempt::Nobody(reason(error));
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return nobody(&error),
        };
        let status = response.status();
        let mut answer = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(part)) if answer.len() + part.len() <= ANSWER_BYTES => {
                    answer.extend_from_slice(&part)
                }
                Ok(Some(_)) => return Attempt::Nobody("its answer is too large".to_owned()),
                Ok(None) => break,
                Err(error) => return nobody(&error),
            }
        }
        if status.is_success() {
            return Attempt::Answered(Ok(answer));
        }
        match serde_json::from_slice(&answer) {
            Ok(refusal) => Attempt::Answered(Err(refusal)),
            Err(_) => Attempt::Nobody(format!("it answered with HTTP status {status}")),
        }
    }
}

/// Why there was no answer, in words for people.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut text = "it does not answer".to_owned();
    let mut next = error.source();
    while let Some(error) = next {
        let said = error.to_string();
        if said.contains("invalid peer certificate") {
            return "another program answers there: its certificate is not that of the join link".to_owned();
        }
        text = said.split(" (os error").next().unwrap_or(&said).to_lowercase();
        next = error.source();
    }
    text
}
