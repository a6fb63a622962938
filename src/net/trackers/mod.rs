//! Asking trackers: performs what an announcer wants asked, over HTTP(S) or UDP, in bounded time, memory and number.
//!
//! - `http`: announces and scrapes over HTTP and HTTPS
//! - `client`: the two HTTP clients, their certificates and how they find hosts
//! - `udp`: announces and scrapes over UDP
//! - `socket`: one UDP socket and the questions that are open on it
//! - `gate`: how many questions are asked at once

mod client;
mod gate;
mod http;
mod socket;
#[cfg(test)]
mod tests;
mod udp;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use url::Url;

use crate::announce::{AnnounceRequest, Answer, Facts, Failure};
use crate::wire::tracker::Announce;

use gate::Gate;
use http::Http;
use udp::Udp;

/// Asks trackers; cheap to clone. No proxy of the environment is used: a tracker is to see the address that peers reach us at.
#[derive(Clone)]
pub struct Trackers {
    inner: Arc<Inner>,
}

struct Inner {
    patience: Patience,
    gate: Gate,
    http: Http,
    udp: Udp,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For an answer, once the question is on its way.
    answer: Duration,
    /// For the answer to a farewell, and its turn: a program that is asked to end has five seconds for all of it.
    farewell: Duration,
    /// For each datagram, before it is sent again.
    ///
    /// BEP 15 would have 15 s doubled up to eight times, which is over an hour. Three tries get through where one in two
    /// datagrams is lost more often than not; who is still silent then is left to the announcer, which goes on to the next
    /// tracker of the tier and has a back-off of its own.
    tries: [Duration; 3],
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            farewell: Duration::from_secs(3),
            tries: [2, 4, 8].map(Duration::from_secs),
        }
    }
}

impl Trackers {
    /// Asks from the address `bind`, or from whichever suits where it is absent.
    pub fn new(bind: Option<IpAddr>) -> Self {
        Self::with_patience(bind, Patience::default())
    }

    fn with_patience(bind: Option<IpAddr>, patience: Patience) -> Self {
        let (http, udp) = (Http::new(bind), Udp::new(bind, patience.tries));
        Self { inner: Arc::new(Inner { patience, gate: Gate::default(), http, udp }) }
    }

    /// Asks one question. It may wait for its turn where many are asked at once; from then on it takes half a minute at most,
    /// and a farewell three seconds with all.
    ///
    /// # Errors
    /// Where no answer comes, or one that brings nothing.
    pub async fn ask(&self, request: &AnnounceRequest, facts: Facts) -> Result<Answer, Failure> {
        let Inner { patience, gate, http, udp } = &*self.inner;
        let url = Url::parse(&request.url)
            .map_err(|_| Failure::Unreadable("the tracker's address does not read".into()))?;
        let over_udp = match url.scheme() {
            "http" | "https" => false,
            "udp" => true,
            _ => return Err(Failure::Unreadable("this kind of tracker is not supported".into())),
        };
        let question = async {
            if over_udp { udp.ask(&url, request, facts).await } else { http.ask(request, facts).await }
        };
        if request.is_farewell() {
            timeout(patience.farewell, gate.farewell(question)).await.unwrap_or(Err(Failure::Timeout))
        } else {
            let host = &url[..url::Position::BeforePath];
            let question =
                async { timeout(patience.answer, question).await.unwrap_or(Err(Failure::Timeout)) };
            gate.pass(host, question).await
        }
    }
}

/// What a tracker is told, whatever carries it.
fn announce(request: &AnnounceRequest, facts: Facts) -> Announce {
    let AnnounceRequest { event, numwant, key, ref tracker_id, stats, .. } = *request;
    Announce {
        info_hash: facts.info_hash,
        peer_id: facts.peer_id,
        port: facts.port,
        uploaded: stats.uploaded,
        downloaded: stats.downloaded,
        left: stats.left,
        event,
        numwant,
        key,
        tracker_id: tracker_id.clone(),
    }
}
