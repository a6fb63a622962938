//! HTTP trackers that answer well, badly, or not at all.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::base::limits;
use crate::wire::tracker::RetryIn;

const GOOD: &[u8] = b"d8:completei3e10:incompletei4e8:intervali900e5:peers6:\x01\x02\x03\x04\x1a\xe1e";

/// A tracker that answers every connection with what `answer` makes of the request's path and query.
async fn tracker(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let addr = listener.local_addr().expect("bound");
    let (seen, requests) = mpsc::channel(100);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                if stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
                    continue;
                }
                break;
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            // The client may have heard enough before the end.
            _ = stream.write_all(&answer(&path)).await;
            _ = stream.shutdown().await;
            _ = seen.send(head).await;
        }
    });
    (format!("http://{addr}"), requests)
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// What comes of an announce to a tracker that answers so; it has all the time that a busy machine may need.
fn outcome(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Result<Answer, Failure> {
    block_on(async {
        let (url, _requests) = tracker(answer).await;
        announce(&Trackers::new(None), &format!("{url}/announce")).await
    })
}

fn refused(reason: &str, retry_in: Option<RetryIn>) -> Result<Answer, Failure> {
    Err(Failure::Refused { reason: reason.to_owned(), retry_in })
}

fn is_unreadable(outcome: Result<Answer, Failure>, word: &str) {
    assert!(matches!(&outcome, Err(Failure::Unreadable(why)) if why.contains(word)), "{outcome:?}");
}

#[test]
fn an_announce_tells_all_and_brings_peers() {
    block_on(async {
        let (url, mut requests) = tracker(|_| response("200 OK", "", GOOD)).await;
        let answer =
            announce(&Trackers::new(None), &format!("{url}/announce?passkey=1")).await.expect("an answer");
        assert_eq!(answer.peers, [([1, 2, 3, 4], 6881).into()]);
        assert_eq!((answer.interval_secs, answer.complete, answer.incomplete), (Some(900), Some(3), Some(4)));
        let head = requests.recv().await.expect("a request");
        let told = format!(
            "GET /announce?passkey=1&info_hash={}&peer_id=-FY0100-abcdefghijkl&port=6881&uploaded=1&downloaded=2&left=3&compact=1&no_peer_id=1&numwant=50&key=00000007&event=started HTTP/1.1\r\n",
            "%AB".repeat(20)
        );
        assert!(head.starts_with(&told), "{head}");
        assert!(head.to_lowercase().contains("\r\nuser-agent: fyris/"), "{head}");
    });
}

#[test]
fn a_scrape_brings_the_counts_of_this_torrent() {
    block_on(async {
        let (url, mut requests) = tracker(|path| {
            let files = |hash: u8| {
                [b"d5:filesd20:", &[hash; 20][..], b"d8:completei1e10:downloadedi2e10:incompletei3eeee"]
                    .concat()
            };
            response("200 OK", "", &files(if path.contains("other") { 0xcd } else { 0xab }))
        })
        .await;
        let trackers = Trackers::new(None);
        let answer = scrape(&trackers, &format!("{url}/announce")).await.expect("counts");
        assert_eq!((answer.complete, answer.downloaded, answer.incomplete), (Some(1), Some(2), Some(3)));
        assert!(requests.recv().await.expect("a request").starts_with("GET /scrape?info_hash=%AB"));
        is_unreadable(scrape(&trackers, &format!("{url}/announce?other")).await, "nothing of this torrent");
        is_unreadable(scrape(&trackers, &format!("{url}/a")).await, "cannot be asked for counts");
    });
}

#[test]
fn refusals_are_told_in_the_trackers_words() {
    let no = b"d14:failure reason12:not welcome!8:retry ini9ee";
    assert_eq!(outcome(|_| response("200 OK", "", no)), refused("not welcome!", Some(RetryIn::Minutes(9))));
    assert_eq!(
        outcome(|_| response("403 Forbidden", "", no)),
        refused("not welcome!", Some(RetryIn::Minutes(9)))
    );
    assert_eq!(
        outcome(|_| response("404 Not Found", "", b"<html>")),
        refused("the tracker answered with HTTP status 404 Not Found", None)
    );
    assert_eq!(
        outcome(|_| response("503 Service Unavailable", "Retry-After: 61\r\n", b"")),
        refused("the tracker answered with HTTP status 503 Service Unavailable", Some(RetryIn::Minutes(2)))
    );
    is_unreadable(outcome(|_| response("502 Bad Gateway", "", GOOD)), "502");
    is_unreadable(outcome(|_| response("200 OK", "", b"<html>")), "not bencoded");
}

#[test]
fn broken_answers_are_refused() {
    is_unreadable(
        outcome(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nd8:comp".to_vec()),
        "broke off",
    );
    is_unreadable(outcome(|_| response("200 OK", "Content-Encoding: gzip\r\n", GOOD)), "damaged");
    for nothing in [&b""[..], b"SSH-2.0-OpenSSH\r\n"] {
        let outcome = outcome(|_| nothing.to_vec());
        assert!(
            matches!(&outcome, Err(Failure::Unreachable(why)) if why.contains("127.0.0.1")),
            "{outcome:?}"
        );
    }
}

#[test]
fn large_answers_are_refused_packed_or_not() {
    is_unreadable(outcome(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n".to_vec()), "too large");
    is_unreadable(
        outcome(|_| {
            [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &vec![b'x'; limits::TRACKER_ANSWER_BYTES + 1]].concat()
        }),
        "too large",
    );
    let bomb = gzip_of_zeros();
    assert!(bomb.len() < 100_000);
    is_unreadable(outcome(move |_| response("200 OK", "Content-Encoding: gzip\r\n", &bomb)), "too large");
}

#[test]
fn packed_answers_are_unpacked() {
    let answer = outcome(|_| response("200 OK", "Content-Encoding: gzip\r\n", &gzip_stored(GOOD)));
    assert_eq!(answer.expect("an answer").complete, Some(3));
}

#[test]
fn redirections_are_followed_within_reason() {
    let to = |place: &str| response("302 Found", &format!("Location: {place}\r\n"), b"");
    let answer = outcome(move |path| match path {
        path if path.starts_with("/new/announce") => response("200 OK", "", GOOD),
        path => to(&format!("/new{path}")),
    });
    assert_eq!(answer.expect("an answer").complete, Some(3));
    is_unreadable(outcome(move |path| to(path)), "without end");
    is_unreadable(outcome(move |_| to("file:///etc/passwd")), "not of the web");
    is_unreadable(outcome(move |_| to("http://")), "does not read");
    // A tracker does not make us ask other services of this machine.
    is_unreadable(outcome(move |_| to("/admin?do=harm")), "local network");
    is_unreadable(outcome(move |_| to("http://[::ffff:127.0.0.1]:1/")), "local network");
}

#[test]
fn pages_of_the_local_network_that_are_no_trackers_are_not_asked() {
    block_on(async {
        let (url, mut requests) = tracker(|_| response("200 OK", "", GOOD)).await;
        let named = url.replace("127.0.0.1", "localhost");
        for url in [format!("{url}/rpc"), format!("{named}/rpc"), format!("{url}/announce/rpc")] {
            is_unreadable(announce(&Trackers::new(None), &url).await, "local network");
        }
        assert!(requests.try_recv().is_err());
        assert!(announce(&Trackers::new(None), &format!("{named}/announce.php")).await.is_ok());
    });
}

#[test]
fn silence_and_closed_ports_end_soon() {
    block_on(async {
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let addr = silent.local_addr().expect("bound");
        let url = format!("http://{addr}/announce");
        assert_eq!(announce(&hasty(), &url).await, Err(Failure::Timeout));
        let farewell = request(&url, Kind::Announce, Event::Stopped);
        assert_eq!(hasty().ask(&farewell, FACTS).await, Err(Failure::Timeout));
        drop(silent);
        let failure = announce(&Trackers::new(None), &url).await.expect_err("nobody is there");
        assert_eq!(failure, Failure::Unreachable("127.0.0.1 cannot be reached: connection refused".into()));
    });
}

#[test]
fn an_unknown_certificate_is_refused() {
    let outcome = block_on(async {
        // Whoever answers is no TLS server at all; what matters is that nothing is told in the open.
        let (url, mut requests) = tracker(|_| response("200 OK", "", GOOD)).await;
        let url = url.replace("http:", "https:");
        let outcome = announce(&hasty(), &format!("{url}/announce")).await;
        assert!(requests.try_recv().is_ok_and(|head| !head.contains("info_hash")) || outcome.is_err());
        outcome
    });
    assert!(matches!(outcome, Err(Failure::Unreachable(_) | Failure::Timeout)), "{outcome:?}");
}

const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/// The bytes in a gzip that does not compress.
fn gzip_stored(bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u16;
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    let mut out = GZIP_HEAD.to_vec();
    out.push(1);
    out.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
    out.extend_from_slice(bytes);
    out.extend([crc.to_le_bytes(), u32::from(len).to_le_bytes()].concat());
    out
}

/// A gzip of 8 MiB of zeros without its end: a zero, then the longest repetitions of it in fixed codes.
fn gzip_of_zeros() -> Vec<u8> {
    let mut bits = vec![true, true, false];
    let mut code = |text: &str| bits.extend(text.bytes().map(|bit| bit == b'1'));
    code("00110000");
    (0..8 * 1024 * 1024 / 258).for_each(|_| code("1100010100000"));
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    GZIP_HEAD.into_iter().chain(bits.chunks(8).map(byte)).collect()
}
