//! What passes through the sockets: many datagrams at once, long answers, and the counting of both.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};

use super::{Client, announce, embedded, figure, get, loopback, open, with_server};
use crate::base::InfoHash;
use crate::wire::tracker_udp::{Request, Response};

#[test]
fn answers_to_many_datagrams_at_once_are_as_many_datagrams() {
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    for at in [loopback(), any] {
        with_server(embedded(at), |server| {
            let port = server.udp_addresses()[0].port();
            let clients: Vec<Client> =
                (0..3).map(|_| Client::at((Ipv4Addr::LOCALHOST, port).into())).collect();
            // Answers of many lengths: some torrents have more peers than others.
            for number in 0..60_u16 {
                for torrent in 0..=number % 5 {
                    clients[0].announce_to(InfoHash([torrent as u8; 20]), 6_000 + number, 0);
                }
            }
            for client in &clients {
                for transaction_id in 0..200_u32 {
                    let announce = announce(InfoHash([(transaction_id % 6) as u8; 20]), 9, 5);
                    let mut bytes = Vec::new();
                    Request::Announce { connection_id: client.id, transaction_id, announce }
                        .write(&mut bytes);
                    client.socket.send(&bytes).expect("sent");
                }
            }
            for client in &clients {
                let mut missing: std::collections::BTreeSet<u32> = (0..200).collect();
                while !missing.is_empty() {
                    let mut answer = vec![0; 4_096];
                    let len = client.socket.recv(&mut answer).expect("an answer");
                    let Some(Response::Announce { transaction_id, seeders, peers, .. }) =
                        Response::parse(&answer[..len])
                    else {
                        panic!("{answer:?}")
                    };
                    assert!(missing.remove(&transaction_id), "each once");
                    let there = seeders.min(50) as usize;
                    assert!((there..=there + 1).contains(&(peers.len() / 6)), "{seeders} {}", peers.len());
                    assert_eq!(peers.len() % 6, 0);
                }
            }
        });
    }
}

#[test]
fn a_long_answer_is_whole_and_others_follow_it() {
    with_server(embedded(loopback()), |server| {
        let client = Client::new(server);
        for number in 0..5_000_u32 {
            let mut info_hash = InfoHash([7; 20]);
            info_hash.0[..4].copy_from_slice(&number.to_be_bytes());
            client.announce_to(info_hash, 6001, 0);
        }
        let mut stream = open(server);
        stream
            .write_all("GET /scrape HTTP/1.1\r\n\r\n".repeat(3).as_bytes())
            .and_then(|()| stream.write_all(b"GET /stats?id=peers HTTP/1.1\r\nConnection: close\r\n\r\n"))
            .expect("sent");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("answers until the end");
        let text = String::from_utf8_lossy(&all);
        assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 4);
        assert_eq!(text.matches("8:completei1e").count(), 3 * 5_000);
        assert!(text.ends_with("</html>\n"));
        assert_eq!(figure(server, "full_scrapes"), 3);
    });
}

#[test]
fn sockets_count_what_passes_through_them() {
    with_server(embedded(loopback()), |server| {
        // All counters and gauges, before and after: those that moved are these and no others. What a socket has sent is
        // counted a moment after it has arrived.
        let moves = |expected: &str, what: &dyn Fn()| {
            let figures = || server.view(|_| None).counters;
            let before = figures();
            what();
            let mut tries = 0;
            loop {
                let now = figures();
                let moved = now.iter().zip(&before).filter(|(now, before)| now.1 > before.1);
                let moved: Vec<String> =
                    moved.map(|(now, before)| format!("{} {}", now.0, now.1 - before.1)).collect();
                if moved.join(" ") == expected {
                    return;
                }
                tries += 1;
                assert!(tries < 10_000, "{moved:?} instead of {expected}");
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        };
        let client = std::cell::OnceCell::new();
        let meet = || client.set(Client::new(server)).unwrap_or_else(|_| panic!("there is one already"));
        moves("udp_connections 1 udp_received 1 udp_sent 1 bytes_in 16 bytes_out 16", &meet);
        let client = client.into_inner().expect("it was answered");
        let announce = || {
            client.announce(6001, 0);
        };
        moves(
            "torrents 1 seeders 1 peers 1 announces 1 udp_received 1 udp_sent 1 bytes_in 98 bytes_out 20",
            &announce,
        );
        let scrape = || {
            let hashes = [[0xaa; 20]; 2];
            client.ask(&Request::Scrape { connection_id: client.id, transaction_id: 8, hashes: &hashes });
        };
        moves("scrapes 1 udp_received 1 udp_sent 1 bytes_in 56 bytes_out 32", &scrape);
        // Of what is not answered a later answer says that it has been seen.
        let strangers = || {
            let mut bytes = Vec::new();
            Request::Scrape { connection_id: 1, transaction_id: 8, hashes: &[[0; 20]] }.write(&mut bytes);
            client.socket.send(&bytes).expect("sent");
            client.socket.send(b"short").expect("sent");
            client.ask(&Request::Connect { transaction_id: 1 });
        };
        moves(
            "invalid_queries 1 failed_queries 1 udp_connections 1 udp_received 3 udp_sent 1 bytes_in 57 bytes_out 16",
            &strangers,
        );
        let page = get(server, "/x");
        let unknown = || assert_eq!(get(server, "/x"), page);
        moves(
            &format!("unknown_queries 1 http_connections 1 bytes_in 47 bytes_out {}", page.len()),
            &unknown,
        );
        assert_eq!(server.view(|_| None).last_minute, [1, 1, 4], "announces, scrapes, refused");
    });
}
