//! A tracker on loopback, over HTTP and UDP.

#[cfg(unix)]
mod cluster;
mod passing;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crate::base::{InfoHash, PeerId, Rng};
use crate::net::tracker::{Inherited, Server, ServerError, embedded};
use crate::tracker::Config;
use crate::wire::tracker::{Event, take_compact_v4};
use crate::wire::tracker_udp::{Announce, Options, Request, Response};

const LIMIT: Duration = Duration::from_secs(20);
const HASH: &str = "%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA";

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Runs a tracker, lets `with` use it on a thread that may block, and stops it.
fn with_server(config: Config, with: impl FnOnce(&Server) + Send) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let server = runtime.block_on(Server::start(config)).expect("loopback is free");
    std::thread::scope(|scope| {
        scope.spawn(|| with(&server));
    });
    runtime.block_on(server.stop());
}

fn open(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.http_addresses()[0]).expect("the tracker accepts");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream
}

/// Sends bytes on a connection of their own and reads until it is closed.
fn whole(server: &Server, bytes: &[u8]) -> String {
    let mut stream = open(server);
    stream.write_all(bytes).expect("the tracker reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the tracker closes");
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(server: &Server, target: &str) -> String {
    whole(server, format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
}

fn figure(server: &Server, name: &str) -> u64 {
    let view = server.view(|_| None);
    view.counters.iter().find(|counter| counter.0 == name).expect("a known counter").1
}

/// A client's socket with a connection id.
struct Client {
    socket: UdpSocket,
    id: u64,
}

impl Client {
    fn new(server: &Server) -> Self {
        Self::at(server.udp_addresses()[0])
    }

    fn at(tracker: SocketAddr) -> Self {
        let socket = UdpSocket::bind(loopback()).expect("a port");
        socket.connect(tracker).expect("loopback is reached");
        socket.set_read_timeout(Some(LIMIT)).expect("a limit");
        let mut client = Self { socket, id: 0 };
        let answer = client.ask(&Request::Connect { transaction_id: 1 });
        let Some(Response::Connect { connection_id, .. }) = Response::parse(&answer) else {
            panic!("{answer:?}")
        };
        client.id = connection_id;
        client
    }

    fn ask(&self, request: &Request<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        request.write(&mut bytes);
        self.socket.send(&bytes).expect("sent");
        let mut answer = vec![0; 4_096];
        let len = self.socket.recv(&mut answer).expect("an answer");
        answer.truncate(len);
        answer
    }

    fn announce(&self, port: u16, left: u64) -> Vec<SocketAddr> {
        self.announce_to(InfoHash([0xaa; 20]), port, left)
    }

    fn announce_to(&self, info_hash: InfoHash, port: u16, left: u64) -> Vec<SocketAddr> {
        let announce = announce(info_hash, port, left);
        let answer = self.ask(&Request::Announce { connection_id: self.id, transaction_id: 2, announce });
        let Some(Response::Announce { peers, .. }) = Response::parse(&answer) else { panic!("{answer:?}") };
        let mut found = Vec::new();
        take_compact_v4(peers, &mut found);
        found
    }
}

fn announce(info_hash: InfoHash, port: u16, left: u64) -> Announce<'static> {
    Announce {
        info_hash,
        peer_id: PeerId([port as u8; 20]),
        downloaded: 0,
        left,
        uploaded: 0,
        event: Event::Started,
        ip: Some(Ipv4Addr::new(9, 9, 9, 9)),
        key: 0,
        numwant: None,
        port,
        options: Options(&[]),
    }
}

#[test]
fn clients_meet_over_both_ways() {
    with_server(embedded(loopback()), |server| {
        assert_eq!(server.http_addresses()[0], server.udp_addresses()[0], "one port for both");
        let client = Client::new(server);
        assert_eq!(client.announce(6001, 0), []);
        let answer =
            get(server, &format!("/announce?info_hash={HASH}&peer_id=-XX0000-000000000002&port=6002&left=3"));
        assert!(answer.contains("2:ip9:127.0.0.14:porti6001e"), "{answer}");
        assert_eq!(client.announce(6001, 0), ["127.0.0.1:6002".parse().expect("an address")]);
        let view = server.view(|_| Some("a name".to_owned()));
        assert_eq!((view.swarms[0].seeders, view.swarms[0].leechers), (1, 1));
        assert_eq!(view.swarms[0].name.as_deref(), Some("a name"));
        assert_eq!(view.urls.len(), 2);
    });
}

#[test]
fn one_connection_carries_many_requests() {
    with_server(embedded(loopback()), |server| {
        let mut stream = open(server);
        // One byte at a time, then forty at once, then one that ends the connection.
        for byte in b"GET /stats?id=peers HTTP/1.1\r\nAccept: application/json\r\n\r\n" {
            stream.write_all(&[*byte]).expect("sent");
        }
        let mut answer = [0; 4096];
        let len = stream.read(&mut answer).expect("an answer");
        assert!(answer[..len].ends_with(b"{\"value\":{\"peers\":0}}\n"));
        let many = "GET /stats?id=peers HTTP/1.1\r\n\r\n".repeat(400);
        let mut sender = stream.try_clone().expect("the same connection");
        std::thread::scope(|scope| {
            scope.spawn(move || {
                sender.write_all(many.as_bytes()).expect("sent");
                sender.write_all(b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n").expect("sent");
            });
            let mut all = String::new();
            stream.read_to_string(&mut all).expect("answers until the end");
            assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 401);
        });
    });
}

#[test]
fn what_is_no_request_is_refused_and_counted() {
    with_server(embedded(loopback()), |server| {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(60_000));
        let lines = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
        for (bytes, status) in [
            ("\0\0\0\r\n\r\n", "400"),
            ("GET\r\n\r\n", "400"),
            ("BREW / HTTP/1.1\r\n\r\n", "405"),
            ("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400"),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"),
            ("POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n", "413"),
            ("POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", "413"),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "411"),
            (&long, "431"),
            (&lines, "431"),
        ] {
            let before = figure(server, "failed_queries");
            let answer = whole(server, bytes.as_bytes());
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{}: {answer}",
                &bytes[..bytes.len().min(60)]
            );
            assert_eq!(figure(server, "failed_queries") - before, 1);
        }
        // The body of what is posted belongs to its request.
        let posted = whole(
            server,
            b"POST /stats?id=peers HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
        );
        assert_eq!(posted.matches("HTTP/1.1 200 OK").count(), 2);
    });
}

#[test]
fn no_bytes_on_a_connection_do_harm() {
    with_server(embedded(loopback()), |server| {
        let mut rng = Rng::new(4);
        let parts: [&[u8]; 9] = [
            b"GET ",
            b"/announce?",
            b" HTTP/1.1",
            b"\r\n",
            b"\r\n\r\n",
            b"Content-Length: 5",
            b"\0",
            b"\xff\xfe",
            b"/scrape",
        ];
        for _ in 0..200 {
            let mut bytes = Vec::new();
            for _ in 0..rng.below(20) {
                bytes.extend_from_slice(parts[rng.below(parts.len())]);
            }
            let mut stream = open(server);
            stream.write_all(&bytes).expect("sent");
            // Closed from here, whatever the tracker makes of it.
            stream.shutdown(std::net::Shutdown::Write).expect("open");
            _ = stream.read_to_end(&mut Vec::new());
        }
        assert!(get(server, "/stats").starts_with("HTTP/1.1 200 OK"));
    });
}

#[test]
fn slow_and_idle_connections_end_and_hinder_nobody() {
    with_server(Config { http_timeout: 1, ..embedded(loopback()) }, |server| {
        let mut slow: Vec<TcpStream> = (0..40).map(|_| open(server)).collect();
        for stream in &mut slow[..20] {
            stream.write_all(b"GET /stats HTTP/1.1\r\n").expect("sent");
        }
        assert!(get(server, "/stats").starts_with("HTTP/1.1 200 OK"));
        for stream in &mut slow {
            assert_eq!(stream.read(&mut [0]).expect("closed properly"), 0);
        }
        assert_eq!(figure(server, "http_dropped"), 20);
    });
}

#[test]
fn connections_beyond_the_limit_are_closed() {
    with_server(Config { http_max_connections: 60, http_timeout: 60, ..embedded(loopback()) }, |server| {
        let full: Vec<TcpStream> = (0..70).map(|_| open(server)).collect();
        let refused = full.iter().filter(|stream| {
            let mut stream = *stream;
            stream.write_all(b"HEAD / HTTP/1.1\r\n\r\n").is_err() || !matches!(stream.read(&mut [0]), Ok(1))
        });
        assert_eq!(refused.count(), 10);
    });
}

#[test]
fn datagrams_of_every_length_do_no_harm() {
    with_server(Config { udp_workers: 2, ..embedded(loopback()) }, |server| {
        let client = Client::new(server);
        let mut rng = Rng::new(4);
        for len in (0..300).chain([1_500, 2_559, 2_560, 2_561, 9_000, 65_507]) {
            let mut bytes = vec![0; len];
            rng.fill(&mut bytes);
            client.socket.send(&bytes).expect("sent");
        }
        assert_eq!(client.announce(6001, 0), [], "and none of it was answered");
        assert_eq!(figure(server, "udp_connections"), 1);
    });
}

#[test]
fn an_answer_comes_from_the_address_that_was_asked() {
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    with_server(embedded(any), |server| {
        let port = server.udp_addresses()[0].port();
        let socket = UdpSocket::bind(loopback()).expect("a port");
        socket.set_read_timeout(Some(LIMIT)).expect("a limit");
        let mut connect = Vec::new();
        Request::Connect { transaction_id: 1 }.write(&mut connect);
        // Every address of this network is the machine itself; on other systems only the first one is.
        for last in 1..if cfg!(target_os = "linux") { 4 } else { 2 } {
            let asked = SocketAddr::from(([127, 0, 0, last], port));
            socket.send_to(&connect, asked).expect("sent");
            let (_, from) = socket.recv_from(&mut [0; 64]).expect("an answer");
            assert_eq!(from, asked);
        }
    });
}

#[test]
fn what_cannot_be_had_is_named() {
    let taken = std::net::TcpListener::bind(loopback()).expect("a port");
    let addr = taken.local_addr().expect("bound");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let error = runtime.block_on(Server::start(embedded(addr))).expect_err("taken");
    assert!(matches!(error, ServerError::Listen { over: "HTTP", .. }));
    assert!(
        error.to_string().starts_with(&format!("the tracker cannot listen at {addr} over HTTP: ")),
        "{error}"
    );
    let udp = UdpSocket::bind(loopback()).expect("a port");
    let busy = Config { udp: vec![udp.local_addr().expect("bound")], udp_workers: 2, ..embedded(loopback()) };
    let error = runtime.block_on(Server::start(busy)).expect_err("taken");
    assert!(matches!(error, ServerError::Listen { over: "UDP", .. }), "{error}");
}

#[test]
fn other_rules_leave_the_swarms() {
    with_server(embedded(loopback()), |server| {
        let announce = format!("/announce?info_hash={HASH}&peer_id=-XX0000-000000000002&port=6002&left=3");
        assert!(get(server, &announce).contains("8:intervali1800e"));
        let at = server.http_addresses()[0];
        let reload = |config| server.reload(config).expect("no lists");
        assert!(
            !reload(Config { answer_interval: 60, http: vec![loopback()], ..embedded(loopback()) }),
            "{at}"
        );
        let answer = get(server, &announce.replace("6002", "6003"));
        assert!(answer.contains("8:intervali60e") && answer.contains("10:incompletei2e"), "{answer}");
        assert!(reload(embedded((Ipv4Addr::LOCALHOST, 1).into())), "another address needs a new start");
    });
}

#[test]
fn lists_are_read_and_bad_ones_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deny");
    let config = Config { deny_file: Some(path.clone()), ..embedded(loopback()) };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let error = runtime.block_on(Server::start(config.clone())).expect_err("no file");
    assert!(error.to_string().contains("deny cannot be read"), "{error}");
    std::fs::write(&path, "# nothing yet\n").expect("written");
    with_server(config.clone(), |server| {
        let announce = format!("/announce?info_hash={HASH}&peer_id=-XX0000-000000000002&port=6002&left=3");
        assert!(get(server, &announce).contains("8:interval"));
        std::fs::write(&path, "aa".repeat(20)).expect("written");
        server.reload(config.clone()).expect("a good list");
        assert!(get(server, &announce).contains("does not serve"));
        std::fs::write(&path, "nonsense").expect("written");
        assert!(server.reload(config).is_err());
        assert!(get(server, &announce).contains("does not serve"), "the former list stays");
    });
}

#[test]
fn swarms_outlive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("swarms.db");
    let config = Config { state_file: Some(path.clone()), state_interval: 1, ..embedded(loopback()) };
    let announce = |number: u16, rest: &str| {
        format!("/announce?info_hash={HASH}&peer_id=-XX0000-{number:012}&port={number}&{rest}")
    };
    with_server(config.clone(), |server| {
        get(server, &announce(6001, "left=5"));
        get(server, &announce(6001, "left=0&event=completed"));
        get(server, &announce(6002, "left=5"));
        get(server, &announce(6003, "left=5"));
        get(server, &announce(6003, "left=5&event=stopped"));
    });
    with_server(config.clone(), |server| {
        let swarms = server.view(|_| None).swarms;
        assert_eq!((swarms[0].seeders, swarms[0].leechers, swarms[0].downloaded), (1, 1, 1));
        let answer = get(server, &announce(6004, "left=5"));
        assert!(answer.contains("porti6001e") && answer.contains("porti6002e"), "{answer}");
    });
    std::fs::write(&path, "no database at all, but long enough to look like one".repeat(100))
        .expect("written");
    _ = std::fs::remove_file(folder.path().join("swarms.db-wal"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let error = runtime.block_on(Server::start(config)).expect_err("no database");
    assert!(matches!(error, ServerError::Keep { .. }) && error.to_string().contains("swarms.db"), "{error}");
}

#[test]
fn who_knows_the_token_manages_keys_and_they_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = "a token of some length";
    let config = Config {
        private: true,
        admin_token: Some(token.to_owned()),
        state_file: Some(folder.path().join("state.db")),
        ..embedded(loopback())
    };
    let ask = |server: &Server, method: &str, target: &str, token: &str| {
        let request = format!(
            "{method} /admin/{target} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        whole(server, request.as_bytes())
    };
    let announce =
        |key: &str| format!("/{key}/announce?info_hash={HASH}&peer_id=-XX0000-000000000002&port=6002&left=3");
    let mut made = String::new();
    with_server(config.clone(), |server| {
        for (method, target, shown, status) in [
            ("GET", "keys", "wrong", 401),
            ("POST", "keys/add", "", 401),
            ("GET", "nothing", token, 404),
            ("GET", "keys/add", token, 404),
            ("POST", "keys/add?value=short", token, 400),
            ("POST", "keys/remove?value=abcdefgh", token, 400),
            ("POST", "allow/add?value=x", token, 400),
            ("POST", "deny/add?value=x", token, 400),
            ("POST", "deny/add", token, 400),
            ("POST", "deny/add?value=0123456789012345678901234567890123456789", token, 200),
            ("GET", "deny", token, 200),
            ("POST", "reload", token, 200),
            ("GET", "torrents?max=5", token, 200),
        ] {
            let answer = ask(server, method, target, shown);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
        }
        assert!(get(server, &announce("abcdefgh")).contains("failure reason"));
        assert!(ask(server, "POST", "keys/add?value=abcdefgh", token).contains("\"kept\":true"));
        assert!(get(server, &announce("abcdefgh")).contains("8:interval"));
        let answer = ask(server, "POST", "keys/add", token);
        let json: serde_json::Value =
            serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
        made = json["value"]["value"].as_str().expect("a key").to_owned();
        assert!(ask(server, "POST", "keys/remove?value=abcdefgh", token).starts_with("HTTP/1.1 200"));
    });
    with_server(config, |server| {
        assert!(get(server, &announce(&made)).contains("8:interval"), "kept");
        assert!(get(server, &announce("abcdefgh")).contains("failure reason"), "removed");
    });
    with_server(embedded(loopback()), |server| {
        assert!(ask(server, "GET", "keys", token).starts_with("HTTP/1.1 404"), "nobody manages it");
    });
}

#[test]
fn sockets_that_were_opened_before_are_used() {
    let http = std::net::TcpListener::bind(loopback()).expect("a port");
    http.set_nonblocking(true).expect("a socket");
    let udp = UdpSocket::bind(loopback()).expect("a port");
    let addresses = (http.local_addr().expect("bound"), udp.local_addr().expect("bound"));
    let inherited = Inherited { http: vec![http], udp: vec![udp] };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // The port of the configuration is not asked for: it could not be had.
    let config = embedded((Ipv4Addr::new(192, 0, 2, 1), 1).into());
    let server = runtime.block_on(Server::start_with(config, inherited)).expect("nothing is to be bound");
    assert_eq!((server.http_addresses(), server.udp_addresses()), (vec![addresses.0], vec![addresses.1]));
    assert!(get(&server, "/stats").starts_with("HTTP/1.1 200 OK"));
    Client::new(&server);
    runtime.block_on(server.stop());
}

/// A certificate for `localhost` and 127.0.0.1, signed by itself, and its key; for these tests alone.
const CERTIFICATE: &str = include_str!("tests/certificate.pem");
const KEY: &str = include_str!("tests/key.pem");

#[test]
fn https_answers_as_http_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&certificate, CERTIFICATE).expect("written");
    std::fs::write(&key, KEY).expect("written");
    let config = Config {
        https: vec![loopback()],
        tls_certificate: Some(certificate.clone()),
        tls_key: Some(key),
        ..embedded(loopback())
    };
    with_server(config.clone(), |server| {
        use rustls::pki_types::{CertificateDer, pem::PemObject as _};
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("PEM")).expect("usable");
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "localhost".try_into().expect("a name");
        let session = rustls::ClientConnection::new(std::sync::Arc::new(client), name).expect("a session");
        let socket = TcpStream::connect(server.https_addresses()[0]).expect("accepted");
        let mut stream = rustls::StreamOwned::new(session, socket);
        for _ in 0..3 {
            let request = format!(
                "GET /announce?info_hash={HASH}&peer_id=-XX0000-000000000002&port=6002&left=3 HTTP/1.1\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).expect("sent");
            let mut answer = [0; 4_096];
            let len = stream.read(&mut answer).expect("an answer");
            assert!(answer[..len].starts_with(b"HTTP/1.1 200 OK"));
        }
        assert_eq!(figure(server, "leechers"), 1);
        assert!(server.urls().iter().any(|url| url.starts_with("https://127.0.0.1:")));
        // Something else than a handshake ends the connection and nothing more.
        let mut plain = TcpStream::connect(server.https_addresses()[0]).expect("accepted");
        plain.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
        _ = plain.read_to_end(&mut Vec::new());
        server.reload(config.clone()).expect("the same certificate");
    });
    std::fs::write(&certificate, "nothing").expect("written");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let error = runtime.block_on(Server::start(config)).expect_err("no certificate");
    assert!(matches!(error, ServerError::Certificate(_)), "{error}");
}
