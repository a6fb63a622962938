//! UDP trackers that answer well, badly, or not at all.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;

use super::*;
use crate::wire::tracker::Counts;
use crate::wire::tracker_udp::{Request, Response};

/// Hands in datagrams and takes those that are to be sent back.
type Manner = Box<dyn FnMut(&[u8]) -> Vec<Vec<u8>> + Send>;

/// A tracker that answers in this manner.
async fn tracker_at(ip: &str, mut manner: Manner) -> SocketAddr {
    let socket = UdpSocket::bind((ip, 0)).await.expect("loopback");
    let addr = socket.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
            for datagram in manner(&buffer[..len]) {
                socket.send_to(&datagram, from).await.expect("loopback");
            }
        }
    });
    addr
}

async fn tracker(manner: Manner) -> SocketAddr {
    tracker_at("127.0.0.1", manner).await
}

fn datagram(response: Response<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    response.write(&mut out);
    out
}

/// What a good tracker answers; connection ids other than `id` are refused.
fn good(id: u64, datagram_in: &[u8]) -> Vec<u8> {
    let counts = [Counts { complete: 5, downloaded: 6, downloaders: None, incomplete: 7 }.to_udp()];
    datagram(match Request::parse(datagram_in).expect("a request") {
        Request::Connect { transaction_id } => Response::Connect { transaction_id, connection_id: id },
        Request::Announce { connection_id, transaction_id, .. }
        | Request::Scrape { connection_id, transaction_id, .. }
            if connection_id != id =>
        {
            Response::Error { transaction_id, message: b"Connection ID missmatch.\0" }
        }
        Request::Announce { transaction_id, announce, .. } => {
            assert_eq!((announce.info_hash, announce.peer_id), (FACTS.info_hash, FACTS.peer_id));
            assert_eq!((announce.downloaded, announce.left, announce.uploaded), (2, 3, 1));
            assert_eq!((announce.port, announce.numwant, announce.key), (6881, Some(50), 7));
            Response::Announce {
                transaction_id,
                interval_secs: 900,
                leechers: 4,
                seeders: 3,
                peers: &[1, 2, 3, 4, 0x1a, 0xe1],
            }
        }
        Request::Scrape { transaction_id, hashes, .. } => {
            assert_eq!(hashes, [FACTS.info_hash.0]);
            Response::Scrape { transaction_id, counts: &counts }
        }
    })
}

fn transaction(datagram_in: &[u8]) -> u32 {
    match Request::parse(datagram_in).expect("a request") {
        Request::Connect { transaction_id }
        | Request::Announce { transaction_id, .. }
        | Request::Scrape { transaction_id, .. } => transaction_id,
    }
}

fn is_good(outcome: Result<Answer, Failure>) {
    let answer = outcome.expect("an answer");
    assert_eq!(answer.peers, [([1, 2, 3, 4], 6881).into()]);
    assert_eq!((answer.interval_secs, answer.complete, answer.incomplete), (Some(900), Some(3), Some(4)));
}

#[test]
fn announces_and_scrapes_share_a_connection_and_carry_the_url() {
    block_on(async {
        let connects = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connects);
        let addr = tracker(Box::new(move |datagram| {
            match Request::parse(datagram).expect("a request") {
                Request::Connect { .. } => _ = counted.fetch_add(1, Ordering::Relaxed),
                Request::Announce { announce, .. } => {
                    assert_eq!(announce.options.url_data().as_deref(), Some(&b"/announce?key=1"[..]));
                }
                Request::Scrape { .. } => {}
            }
            vec![good(9, datagram)]
        }))
        .await;
        let (trackers, url) = (Trackers::new(None), format!("udp://{addr}/announce?key=1"));
        is_good(announce(&trackers, &url).await);
        is_good(announce(&trackers.clone(), &url).await);
        let counts = scrape(&trackers, &url).await.expect("counts");
        assert_eq!((counts.complete, counts.downloaded, counts.incomplete), (Some(5), Some(6), Some(7)));
        assert_eq!(connects.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_tracker_that_was_started_anew_is_connected_to_again() {
    block_on(async {
        let mut id = 0;
        let addr = tracker(Box::new(move |datagram| {
            // It forgets every connection with the next announce.
            if matches!(Request::parse(datagram), Ok(Request::Connect { .. })) {
                id += 1;
                return vec![good(id, datagram)];
            }
            let answer = good(id, datagram);
            id += 100;
            vec![answer]
        }))
        .await;
        let trackers = Trackers::new(None);
        for _ in 0..3 {
            is_good(announce(&trackers, &format!("udp://{addr}")).await);
        }
    });
}

#[test]
fn what_answers_no_question_is_ignored() {
    block_on(async {
        let stranger = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("loopback"));
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
        let addr = socket.local_addr().expect("bound");
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
                let right = good(9, &buffer[..len]);
                let foreign = datagram(Response::Error {
                    transaction_id: transaction(&buffer[..len]),
                    message: b"spoofed",
                });
                stranger.send_to(&foreign, from).await.expect("loopback");
                let mut other = right.clone();
                other[7] ^= 1;
                let mut kind = right.clone();
                kind[3] ^= 1;
                for wrong in [&other[..], &kind, &right[..7], b"", &[0xff; 40]] {
                    socket.send_to(wrong, from).await.expect("loopback");
                }
                // Twice: the second answers nothing any more.
                socket.send_to(&right, from).await.expect("loopback");
                socket.send_to(&right, from).await.expect("loopback");
            }
        });
        let trackers = Trackers::new(None);
        for _ in 0..3 {
            is_good(announce(&trackers, &format!("udp://{addr}")).await);
        }
    });
}

#[test]
fn lost_datagrams_are_sent_again_and_silence_ends() {
    block_on(async {
        let mut seen = 0;
        let addr = tracker(Box::new(move |datagram| {
            seen += 1;
            if seen % 3 == 0 { vec![good(9, datagram)] } else { vec![] }
        }))
        .await;
        let patience = Patience {
            tries: [Duration::from_millis(50), Duration::from_millis(50), Duration::from_secs(20)],
            ..Patience::default()
        };
        is_good(announce(&Trackers::with_patience(None, patience), &format!("udp://{addr}")).await);
        let silent = tracker(Box::new(|_| vec![])).await;
        assert_eq!(announce(&hasty(), &format!("udp://{silent}")).await, Err(Failure::Timeout));
    });
}

#[test]
fn refusals_and_short_answers_are_told() {
    block_on(async {
        let addr = tracker(Box::new(|request| {
            let transaction_id = transaction(request);
            vec![match Request::parse(request).expect("a request") {
                Request::Connect { .. } => good(9, request),
                Request::Announce { .. } => {
                    datagram(Response::Error { transaction_id, message: b"unregistered\n" })
                }
                Request::Scrape { .. } => datagram(Response::Scrape { transaction_id, counts: &[] }),
            }]
        }))
        .await;
        let (trackers, url) = (Trackers::new(None), format!("udp://{addr}/announce"));
        let refused = Failure::Refused { reason: "unregistered".into(), retry_in: None };
        assert_eq!(announce(&trackers, &url).await, Err(refused));
        assert!(
            matches!(scrape(&trackers, &url).await, Err(Failure::Unreadable(why)) if why.contains("short"))
        );
    });
}

#[test]
fn a_name_with_two_addresses_works_where_one_of_them_does() {
    block_on(async {
        let addr = tracker(Box::new(|datagram| vec![good(9, datagram)])).await;
        is_good(announce(&Trackers::new(None), &format!("udp://localhost:{}", addr.port())).await);
    });
}

#[test]
fn ipv6_peers_come_from_ipv6_trackers() {
    // Not every machine has IPv6.
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return;
    }
    block_on(async {
        let addr = tracker_at(
            "::1",
            Box::new(|request| {
                let transaction_id = transaction(request);
                let peer = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x1a, 0xe1];
                vec![match Request::parse(request).expect("a request") {
                    Request::Connect { .. } => good(9, request),
                    _ => datagram(Response::Announce {
                        transaction_id,
                        interval_secs: 1,
                        leechers: 2,
                        seeders: 3,
                        peers: &peer,
                    }),
                }]
            }),
        )
        .await;
        let answer =
            announce(&Trackers::new(None), &format!("udp://{addr}/announce")).await.expect("an answer");
        assert_eq!(answer.peers, ["[2001:db8::1]:6881".parse().expect("an address")]);
        // One that is bound to IPv4 cannot ask there.
        let bound = Trackers::new(Some([127, 0, 0, 1].into()));
        assert!(matches!(
            announce(&bound, &format!("udp://{addr}/announce")).await,
            Err(Failure::Unreachable(_))
        ));
    });
}
