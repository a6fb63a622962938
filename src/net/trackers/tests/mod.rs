//! Questions to trackers made for the test, on loopback.
//!
//! - `http`: those that speak HTTP
//! - `udp`: those that speak UDP

mod http;
mod udp;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{Patience, Trackers};
use crate::announce::{AnnounceRequest, Answer, Facts, Failure, Kind, Stats};
use crate::base::{InfoHash, PeerId};
use crate::wire::tracker::Event;

const FACTS: Facts =
    Facts { info_hash: InfoHash([0xab; 20]), peer_id: PeerId(*b"-FY0100-abcdefghijkl"), port: 6881 };

fn request(url: &str, kind: Kind, event: Event) -> AnnounceRequest {
    AnnounceRequest {
        id: 1,
        url: Arc::from(url),
        kind,
        event,
        numwant: 50,
        key: 7,
        tracker_id: None,
        stats: Stats { uploaded: 1, downloaded: 2, left: 3, want_peers: true, partial_seed: false },
    }
}

/// Trackers with little patience for those who are silent, and much for a slow machine.
fn hasty() -> Trackers {
    let patience = Patience {
        answer: Duration::from_millis(400),
        farewell: Duration::from_millis(100),
        tries: [Duration::from_millis(30), Duration::from_millis(60), Duration::from_millis(120)],
    };
    Trackers::with_patience(None, patience)
}

async fn announce(trackers: &Trackers, url: &str) -> Result<Answer, Failure> {
    trackers.ask(&request(url, Kind::Announce, Event::Started), FACTS).await
}

async fn scrape(trackers: &Trackers, url: &str) -> Result<Answer, Failure> {
    trackers.ask(&request(url, Kind::Scrape, Event::None), FACTS).await
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

#[test]
fn what_is_no_tracker_is_not_asked() {
    block_on(async {
        for url in ["file:///etc/passwd", "wss://t.example/", "nonsense", "udp://t.example/announce"] {
            let failure = announce(&hasty(), url).await.expect_err(url);
            assert!(matches!(failure, Failure::Unreadable(_)), "{url}: {failure}");
        }
    });
}
