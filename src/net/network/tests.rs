//! Coordinators and members over loopback sockets: what they agree on, and what strangers cannot do.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::base::{InfoHash, Moment};
use crate::net::clock::Clock;
use crate::network::{
    AskRegisters, AskStatistics, Base64, CallError, Code, Fetch, Fingerprint, Holdings, JoinLink, List,
    MemberId, News, RegisterTracker, RegisterUser, Secret, Upload, UserBeat,
};

const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const SOON: Duration = Duration::from_secs(20);

async fn host(identity: &Identity, folder: Option<&std::path::Path>, listen: SocketAddr) -> Host {
    let config = HostConfig {
        folder: folder.map(Into::into),
        identity: identity.clone(),
        listen,
        piece_length: None,
        max_connections: Some(8),
    };
    Host::start(config).await.expect("a coordinator")
}

fn client(link: &JoinLink) -> Client {
    Client::new(link.clone(), None).expect("a client")
}

fn info(name: &str) -> Base64 {
    let pieces = "x".repeat(20);
    let length = name.len();
    Base64(
        format!("d6:lengthi9e4:name{length}:{name}12:piece lengthi16384e6:pieces20:{pieces}e").into_bytes(),
    )
}

async fn with_tracker_and_user(client: &Client) -> MemberId {
    let (tracker, user) = (MemberId([1; 16]), MemberId([2; 16]));
    let urls = vec!["http://127.0.0.1:1/announce".to_owned()];
    client.ask(&RegisterTracker { id: tracker, urls }).await.expect("registered");
    let name = "ada".to_owned();
    client.ask(&RegisterUser { id: user, name, port: 5, shares: Vec::new() }).await.expect("registered");
    user
}

/// A connection that has shaken hands and says what it likes.
async fn open(host: &Host) -> TlsStream<TcpStream> {
    let config = tls::pinned(host.link().fingerprint).expect("a client");
    let stream = TcpStream::connect(host.addr()).await.expect("connected");
    let name = rustls::pki_types::ServerName::from(host.addr().ip());
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake")
}

async fn say(host: &Host, text: &[u8]) -> String {
    let mut stream = open(host).await;
    // A server that has heard enough may close before all is written.
    let _ = stream.write_all(text).await;
    let mut answer = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

fn code(answer: Result<impl std::fmt::Debug, CallError>) -> Code {
    match answer {
        Err(CallError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_uploaded_survives_the_coordinator() {
    let folder = tempfile::tempdir().expect("a folder");
    let identity = Identity::of(Some(folder.path())).expect("an identity");
    let first = host(&identity, Some(folder.path()), HERE).await;
    let (link, addr) = (first.link().clone(), first.addr());
    let way = client(&link);
    let id = with_tracker_and_user(&way).await;
    let uploaded = way.ask(&Upload { id, info: info("a file") }).await.expect("uploaded");
    assert_eq!(uploaded.entry.tiers, [["http://127.0.0.1:1/announce"]]);
    let rules = crate::api::NetworkRules { piece_length: Some(1 << 20), ..Default::default() };
    first.set_rules(rules).expect("kept");
    first.stop().await;
    assert!(matches!(way.ask(&List::default()).await, Err(CallError::Unreachable(_))));

    let config = HostConfig {
        folder: Some(folder.path().into()),
        identity: Identity::of(Some(folder.path())).expect("the same"),
        listen: addr,
        piece_length: None,
        max_connections: None,
    };
    let second = Host::start(config).await.expect("a coordinator");
    assert_eq!(second.link(), &link);
    let listing = way.ask(&List::default()).await.expect("the same link");
    assert_eq!(listing.torrents[0].name, "a file");
    let fetched = way.ask(&Fetch { name: "a file".into() }).await.expect("kept");
    assert_eq!(fetched.torrent, uploaded.torrent);
    assert_eq!(second.with(|network, _| network.rules().piece_length), Some(1 << 20));
    // The registers are empty: members find that out and come again.
    assert_eq!(
        code(way.ask(&UserBeat { id, torrents: None, revision: 0, sends: Vec::new() }).await),
        Code::Unregistered
    );
    second.stop().await;
}

#[tokio::test]
async fn without_the_secret_nothing_is_read_or_changed() {
    let identity = Identity::new().expect("an identity");
    let host = host(&identity, None, HERE).await;
    let right = client(host.link());
    let id = with_tracker_and_user(&right).await;
    let before = right.ask(&AskRegisters {}).await.expect("registers");
    let wrong = client(&JoinLink { secret: Secret([9; 16]), ..host.link().clone() });
    let mut codes = Vec::new();
    for _ in 0..15 {
        codes.push(code(wrong.ask(&Upload { id, info: info("theirs") }).await));
    }
    assert_eq!((codes[0], codes[14]), (Code::Unauthorised, Code::Busy));
    let none = say(&host, b"POST /v1/registers HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}").await;
    assert!(none.starts_with("HTTP/1.1 429"), "{none}");
    // Who has the secret is not kept out by who has not, at the same address.
    let after = right.ask(&AskRegisters {}).await.expect("registers");
    assert_eq!((before.trackers.len(), before.users.len()), (after.trackers.len(), after.users.len()));
    assert_eq!(right.ask(&List::default()).await.expect("an index").total, 0);
    host.stop().await;
}

#[tokio::test]
async fn another_certificate_is_not_told_the_secret() {
    let host = host(&Identity::new().expect("an identity"), None, HERE).await;
    let link = JoinLink { fingerprint: Fingerprint::of(b"another"), ..host.link().clone() };
    match client(&link).ask(&List::default()).await {
        Err(CallError::Unreachable(why)) => assert!(why.contains("its certificate"), "{why}"),
        other => panic!("{other:?}"),
    }
    host.stop().await;
}

#[tokio::test]
async fn garbage_and_what_is_too_large_is_refused() {
    let identity = Identity::new().expect("an identity");
    let host = host(&identity, None, HERE).await;
    let bearer = identity.secret.to_bearer();
    let head = |path: &str, length: usize| {
        format!("POST {path} HTTP/1.1\r\nAuthorization: Bearer {bearer}\r\nContent-Length: {length}\r\n\r\n")
    };
    for (text, status) in [
        (b"\x16\x03 this is no HTTP\r\n\r\n".to_vec(), "400"),
        ([b"POST /v1/list HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 20_000]].concat(), "400"),
        (head("/v1/list", 1 << 40).into_bytes(), "413"),
        (head("/v1/list", 5_000).into_bytes(), "413"),
        (head("/v1/shutdown", 0).into_bytes(), "404"),
        (head("/etc/passwd", 0).into_bytes(), "404"),
    ] {
        let answer = say(&host, &text).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {answer}");
    }
    // Where the connection can go on, it does.
    let mut stream = open(&host).await;
    for (body, status) in [("nonsense", "400"), ("{\"name\":\"x\"}", "404"), ("{\"id\":3}", "400")] {
        stream.write_all(head("/v1/fetch", body.len()).as_bytes()).await.expect("sent");
        stream.write_all(body.as_bytes()).await.expect("sent");
        let mut answer = vec![0; 4096];
        let read = timeout(SOON, stream.read(&mut answer)).await.expect("in time").expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {answer}");
    }
    assert_eq!(client(host.link()).ask(&List::default()).await.expect("an index").total, 0);
    host.stop().await;
}

#[tokio::test]
async fn slow_ones_keep_nobody_waiting() {
    let identity = Identity::new().expect("an identity");
    let host = host(&identity, None, HERE).await;
    let mut slow = Vec::new();
    for n in 0..30 {
        // Some never shake hands, some never end their request.
        let mut stream = TcpStream::connect(host.addr()).await.expect("connected");
        if n % 2 == 0 {
            stream.write_all(b"\x16\x03\x01").await.expect("sent");
        }
        slow.push(stream);
    }
    let mut half = open(&host).await;
    half.write_all(b"POST /v1/list HTTP/1.1\r\n").await.expect("sent");
    let began = Instant::now();
    let way = client(host.link());
    with_tracker_and_user(&way).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // More of them than one address may have: the next is not even listened to, until the deadline has freed places.
    let mut more = Vec::new();
    for _ in 0..10 {
        more.push(TcpStream::connect(host.addr()).await.expect("connected"));
    }
    way.ask(&List::default()).await.expect("the connection that is known goes on");
    let mut end = [0; 1];
    let ended = timeout(SOON, half.read(&mut end)).await.expect("the deadline of a head");
    assert!(!matches!(ended, Ok(1..)), "{ended:?}");
    host.stop().await;
}

/// A user at work, with what it hears.
fn user(link: &JoinLink, facts: UserFacts) -> (watch::Sender<Wish>, mpsc::Receiver<News>) {
    let role = UserRole::new(client(link), MemberId([7; 16]), Arc::new(Mutex::new(facts)), Clock::start());
    let (wish, wished) = watch::channel(Wish::default());
    let (sender, news) = mpsc::channel(64);
    tokio::spawn(attend(role, wished, sender));
    (wish, news)
}

async fn until(news: &mut mpsc::Receiver<News>, is: impl Fn(&News) -> bool) -> News {
    let search = async {
        loop {
            let next = news.recv().await.expect("a member at work");
            if is(&next) {
                return next;
            }
        }
    };
    timeout(SOON, search).await.expect("in time")
}

#[tokio::test]
async fn members_find_a_coordinator_that_restarts_and_leave_when_told() {
    let identity = Identity::new().expect("an identity");
    let first = host(&identity, None, HERE).await;
    let (link, addr) = (first.link().clone(), first.addr());
    let torrent = InfoHash([3; 20]);
    let mut torrents = Holdings::default();
    torrents.set(Moment::ZERO, &[(torrent, true)]);
    let facts = UserFacts { name: "ada".into(), port: 5, shares: vec![torrent], torrents, sends: Vec::new() };
    let (wish, mut news) = user(&link, facts);
    until(&mut news, |news| matches!(news, News::Connected { already: false })).await;
    assert_eq!(until(&mut news, |news| matches!(news, News::Missing(_))).await, News::Missing(vec![torrent]));
    let way = client(&link);
    let seeds = async {
        while way.ask(&AskStatistics {}).await.expect("statistics").n_seeds != 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, seeds).await.expect("it is counted as a seed");

    first.stop().await;
    until(&mut news, |news| matches!(news, News::Lost(_))).await;
    let second = host(&identity, None, addr).await;
    until(&mut news, |news| matches!(news, News::Connected { .. })).await;
    assert_eq!(way.ask(&AskRegisters {}).await.expect("registers").users[0].name, "ada");
    wish.send_modify(|wish| wish.connected = false);
    until(&mut news, |news| *news == News::Left).await;
    assert!(way.ask(&AskRegisters {}).await.expect("registers").users.is_empty());
    second.stop().await;
}
