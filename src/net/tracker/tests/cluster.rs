//! Trackers that share their swarms through a Redis of their own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Client, HASH, LIMIT, figure, get, loopback, with_server};
use crate::net::tracker::{Server, embedded};
use crate::tracker::Config;
use crate::wire::tracker_udp::{Request, Response};

/// A Redis that keeps nothing on the disk and listens at a path alone.
struct Redis(Child);

impl Redis {
    /// Starts one; nothing where there is none on this machine.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests should know what was left out")]
    fn start(folder: &Path) -> Option<Self> {
        let started = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(folder.join("store"))
            .arg("--dir")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(child) => {
                let redis = Self(child);
                until("Redis answers", || {
                    std::os::unix::net::UnixStream::connect(folder.join("store")).is_ok()
                });
                Some(redis)
            }
            // Everywhere but in continuous integration, a test that cannot run says so and passes.
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "redis-server cannot be started: {error}");
                eprintln!("not run: redis-server is not installed");
                None
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Waits for something that another thread does in its own time.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    const PAUSE: Duration = Duration::from_millis(20);
    for _ in 0..LIMIT.as_millis() / PAUSE.as_millis() {
        if holds() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("waited in vain until {what}");
}

fn config(folder: &Path) -> Config {
    let store = format!("unix://{}", folder.join("store").display());
    Config { shared_store: Some(store), ..embedded(loopback()) }
}

fn announce(server: &Server, port: u16, rest: &str) -> String {
    get(
        server,
        &format!("/announce?info_hash={HASH}&peer_id=-XX0000-{port:012}&port={port}&no_peer_id=1&{rest}"),
    )
}

fn counts(server: &Server) -> (u32, u32, u32) {
    let swarms = server.view(|_| None).swarms;
    swarms.first().map_or((0, 0, 0), |swarm| (swarm.seeders, swarm.leechers, swarm.downloaded))
}

#[test]
fn what_one_tracker_hears_the_other_knows() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_redis) = Redis::start(folder.path()) else { return };
    with_server(config(folder.path()), |one| {
        with_server(config(folder.path()), |other| {
            announce(one, 6001, "left=0&event=started");
            announce(one, 6002, "left=5&event=started");
            until("the other has heard of both", || counts(other) == (1, 1, 0));
            let answer = announce(other, 6003, "left=5");
            assert!(answer.contains("porti6001e") && answer.contains("porti6002e"), "{answer}");
            until("so has the first of the third", || counts(one) == (1, 2, 0));
            announce(one, 6002, "left=0&event=completed");
            until("a finished download counts on both", || {
                counts(one) == (2, 1, 1) && counts(other) == (2, 1, 1)
            });
            // A client may ask one tracker today and another tomorrow.
            announce(other, 6001, "left=0&event=stopped");
            until("who stopped is gone on both", || counts(one) == (1, 1, 1) && counts(other) == (1, 1, 1));
            assert!(figure(one, "store_told") >= 3 && figure(other, "store_heard") >= 3);
            assert_eq!(figure(one, "store_failures"), 0);
            // A connection id of one is good on the other.
            let client = Client::new(one);
            client.socket.connect(other.udp_addresses()[0]).expect("loopback is reached");
            let hashes = [[0xaa; 20]];
            let scrape = Request::Scrape { connection_id: client.id, transaction_id: 8, hashes: &hashes };
            assert!(matches!(Response::parse(&client.ask(&scrape)), Some(Response::Scrape { .. })));
        });
        // One that comes later, after the other has gone, knows everything when the first client asks it.
        with_server(config(folder.path()), |third| {
            until("the third has heard of it", || {
                announce(third, 6004, "left=5");
                counts(third).0 == 1 && counts(third).2 == 1
            });
        });
    });
}

#[test]
fn a_store_that_goes_away_is_missed_by_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(redis) = Redis::start(folder.path()) else { return };
    with_server(config(folder.path()), |one| {
        with_server(config(folder.path()), |other| {
            announce(one, 6001, "left=0");
            until("the other has heard of it", || counts(other).0 == 1);
            drop(redis);
            _ = std::fs::remove_file(folder.path().join("store"));
            until("both miss the store", || {
                [one, other].iter().all(|node| figure(node, "store_failures") > 0)
            });
            assert!(announce(one, 6002, "left=5").contains("porti6001e"));
            assert!(announce(other, 6003, "left=5").contains("porti6001e"));
            assert_eq!((counts(one), counts(other)), ((1, 1, 0), (1, 1, 0)), "each alone");
            let client = Client::new(other);
            client.socket.connect(one.udp_addresses()[0]).expect("loopback is reached");
            let hashes = [[0xaa; 20]];
            let scrape = Request::Scrape { connection_id: client.id, transaction_id: 8, hashes: &hashes };
            assert!(
                matches!(Response::parse(&client.ask(&scrape)), Some(Response::Scrape { .. })),
                "keys stay"
            );
            // It comes back empty.
            let _redis = Redis::start(folder.path()).expect("it was there before");
            until("each knows what the other heard", || {
                counts(one) == (1, 2, 0) && counts(other) == (1, 2, 0)
            });
        });
    });
}

#[test]
fn without_a_store_a_tracker_starts_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    with_server(config(folder.path()), |server| {
        assert!(announce(server, 6001, "left=0").contains("8:interval"));
        assert!(figure(server, "store_failures") > 0);
        Client::new(server);
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let wrong = Config { shared_store: Some("redis://".to_owned()), ..embedded(loopback()) };
    let started = runtime.block_on(Server::start(wrong));
    assert!(started.is_err_and(|error| error.to_string().starts_with("the tracker cannot share its swarms")));
}
