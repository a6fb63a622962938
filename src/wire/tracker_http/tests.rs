//! Requests and answers from one side to the other and back.

use std::net::SocketAddr;

use super::*;
use crate::base::{InfoHash, PeerId, Rng};
use crate::bencode;
use crate::wire::tracker::{Announce, Answer, AnswerError, Counts, Event, RetryIn, put_compact};

fn announce(rng: &mut Rng) -> Announce {
    let mut announce = Announce {
        info_hash: InfoHash::default(),
        peer_id: PeerId::default(),
        port: 1 + rng.below(65_535) as u16,
        uploaded: rng.bits(),
        downloaded: rng.bits() >> rng.below(64),
        left: rng.bits() >> rng.below(64),
        event: [Event::None, Event::Completed, Event::Started, Event::Stopped, Event::Paused][rng.below(5)],
        numwant: rng.below(300) as u32,
        key: rng.bits32(),
        tracker_id: None,
    };
    rng.fill(&mut announce.info_hash.0);
    rng.fill(&mut announce.peer_id.0);
    if rng.below(2) == 0 {
        announce.tracker_id = Some(announce.info_hash.0[..7].to_vec());
    }
    announce
}

#[test]
fn an_announce_survives_the_url() {
    for seed in 0..2_000 {
        let sent = announce(&mut Rng::new(seed));
        let url = announce_url("http://t.example/announce", &sent);
        let (_, query) = url.split_once('?').expect("a query");
        let got = AnnounceQuery::parse(query.as_bytes()).expect("what was built");
        assert_eq!((got.info_hash, got.peer_id, got.port), (sent.info_hash, sent.peer_id, sent.port));
        assert_eq!(
            (got.uploaded, got.downloaded, got.left),
            (sent.uploaded, sent.downloaded, Some(sent.left))
        );
        assert_eq!(
            (got.event, got.numwant, got.compact, got.no_peer_id),
            (sent.event, Some(sent.numwant), Some(true), true)
        );
        assert_eq!(got.key, Some(format!("{:08X}", sent.key).as_bytes()));
        assert_eq!(got.tracker_id.map(|id| decode_component(id).into_owned()), sent.tracker_id);
        assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

#[test]
fn our_parameters_go_behind_those_of_the_tracker() {
    let sent = announce(&mut Rng::new(1));
    for (tracker, front) in [
        ("http://t/announce", "http://t/announce?info_hash="),
        ("http://t/a?key=x", "http://t/a?key=x&info_hash="),
        ("http://t/a?", "http://t/a?info_hash="),
        ("http://t/a?k=1&#part", "http://t/a?k=1&info_hash="),
    ] {
        assert!(announce_url(tracker, &sent).starts_with(front), "{tracker}");
    }
}

#[test]
fn a_scrape_url_follows_from_an_announce_url() {
    let hash = [InfoHash(*b"aaaaaaaaaaaaaaaaaaaa")];
    for (tracker, front) in [
        ("http://t/announce", Some("http://t/scrape?info_hash=aaaa")),
        ("http://t/x/announce.php?key=a/b", Some("http://t/x/scrape.php?key=a/b&info_hash=aaaa")),
        ("http://t/a", None),
        ("http://t/x%064announce", None),
        ("http://t/announce/x", None),
    ] {
        let url = scrape_url(tracker, &hash);
        assert_eq!(
            url.as_ref().map(|url| url.starts_with(front.unwrap_or("-"))),
            front.map(|_| true),
            "{tracker} {url:?}"
        );
    }
    let two = [hash[0], InfoHash([0xff; 20])];
    let url = scrape_url("http://t/announce", &two).expect("a scrape");
    let (_, query) = url.split_once('?').expect("a query");
    assert_eq!(scrape_hashes(query.as_bytes(), 10), Ok(two.to_vec()));
    assert_eq!(scrape_hashes(query.as_bytes(), 1), Ok(two[..1].to_vec()));
    assert_eq!(scrape_hashes(b"", 10), Ok(Vec::new()));
    assert_eq!(scrape_hashes(b"info_hash=short", 10), Err(QueryError::Invalid("info_hash")));
}

#[test]
fn a_bad_announce_is_refused_in_known_words() {
    const IDS: &str = "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb";
    for (query, words) in [
        (String::new(), "info_hash required"),
        ("info_hash=&peer_id=x".to_owned(), "info_hash invalid value"),
        ("info_hash=aaaaaaaaaaaaaaaaaaaaa".to_owned(), "info_hash invalid value"),
        ("info_hash=aaaaaaaaaaaaaaaaaaaa".to_owned(), "peer_id required"),
        (IDS.to_owned(), "port required"),
        (format!("{IDS}&port=65536"), "port invalid value"),
        (format!("{IDS}&port=-1"), "port must be positive"),
        (format!("{IDS}&port=8o"), "port is not a number"),
        (format!("{IDS}&port=1&left=-5"), "left must be positive"),
        (format!("{IDS}&port=1&uploaded=99999999999999999999"), "uploaded invalid value"),
    ] {
        let error = AnnounceQuery::parse(query.as_bytes()).expect_err("a bad announce");
        assert_eq!(error.to_string(), words, "{query}");
    }
    let lenient = format!(
        "&&{IDS}&port=1&event=dance&numwant=-1&left=&compact=0&no_peer_id&ip=%31.2.3.4&port=2&supportcrypto=1"
    );
    let got = AnnounceQuery::parse(lenient.as_bytes()).expect("an announce");
    assert_eq!((got.port, got.event, got.numwant, got.left), (1, Event::None, None, None));
    assert_eq!((got.compact, got.no_peer_id, got.ip.as_deref()), (Some(false), true, Some(&b"1.2.3.4"[..])));
}

fn peers() -> [SocketAddr; 2] {
    ["10.0.0.1:6881", "[2001:db8::7]:51413"].map(|text| text.parse().expect("an address"))
}

#[test]
fn an_answer_survives_in_both_forms() {
    let [four, six] = peers();
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    put_compact(four, &mut v4);
    put_compact(six, &mut v6);
    let dicts = [DictPeer { addr: four, id: Some(PeerId([b'p'; 20])) }, DictPeer { addr: six, id: None }];
    let head = AnswerHead {
        interval_secs: 1_800,
        min_interval_secs: Some(900),
        complete: 3,
        incomplete: 4_000_000_000,
        downloaded: Some(0),
        external_ip: Some([192, 0, 2, 1].into()),
        warning: Some("be kind"),
        tracker_id: Some(b"\0id"),
    };
    let wanted = Answer {
        peers: vec![four, six],
        interval_secs: Some(1_800),
        min_interval_secs: Some(900),
        complete: Some(3),
        incomplete: Some(4_000_000_000),
        downloaded: Some(0),
        external_ip: Some([192, 0, 2, 1].into()),
        warning: Some("be kind".to_owned()),
        tracker_id: Some(b"\0id".to_vec()),
    };
    for form in [Peers::Compact { v4: &v4, v6: &v6 }, Peers::Dicts(&dicts)] {
        let mut body = Vec::new();
        write_answer(&head, form, &mut body);
        assert_eq!(parse_answer(&body), Ok(wanted.clone()));
        // Canonical: keys in order, nothing twice.
        assert_eq!(bencode::decode(&body).expect("bencoding").root().to_value().encode(), body);
    }
}

#[test]
fn a_refusal_says_when_to_come_back() {
    for retry_in in [None, Some(RetryIn::Minutes(5)), Some(RetryIn::Never)] {
        let mut body = Vec::new();
        write_failure("go away", retry_in, &mut body);
        assert_eq!(parse_answer(&body), Err(AnswerError::Refused { reason: "go away".to_owned(), retry_in }));
    }
    let long = [&b"d14:failure reason5000:"[..], &[b'<'; 5_000], b"8:retry in2:10e"].concat();
    match parse_answer(&long) {
        Err(AnswerError::Refused { reason, retry_in: Some(RetryIn::Minutes(10)) }) => {
            assert_eq!(reason.len(), 256)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn junk_in_an_answer_is_left_out() {
    let body = b"d8:completei-1e10:incompletei9999999999e8:intervali-5e5:peers13:\x01\x02\x03\x04\x00\x00\x01\x02\x03\x04\x00\x09x\
        6:peers65:abcde10:tracker idi5e15:warning messagelee";
    let wanted = Answer {
        peers: vec!["1.2.3.4:9".parse().expect("an address")],
        incomplete: Some(u32::MAX),
        ..Answer::default()
    };
    assert_eq!(parse_answer(body), Ok(wanted));
    let dicts =
        b"d5:peersld2:ip7:1.2.3.44:porti9eed2:ip9:localhost4:porti9eed2:ip7:1.2.3.44:porti70000eei7e0:ee";
    assert_eq!(parse_answer(dicts).map(|answer| answer.peers.len()), Ok(1));
    for bad in [&b""[..], b"<html>", b"le", b"d8:interval", b"d8:intervali1eextra"] {
        assert!(matches!(parse_answer(bad), Err(AnswerError::Malformed(_))));
    }
}

#[test]
fn a_scrape_survives() {
    let files = [
        (InfoHash([1; 20]), Counts { complete: 1, downloaded: 2, downloaders: Some(1), incomplete: 3 }),
        (InfoHash([2; 20]), Counts { complete: 0, downloaded: 0, downloaders: None, incomplete: u32::MAX }),
    ];
    let mut body = Vec::new();
    write_scrape_start(&mut body);
    for (hash, counts) in &files {
        write_scrape_file(hash, *counts, Some("a name"), &mut body);
    }
    write_scrape_end(Some(1_800), &mut body);
    assert_eq!(parse_scrape(&body, 10), Ok(files.to_vec()));
    assert_eq!(parse_scrape(&body, 1), Ok(files[..1].to_vec()));
    assert!(body.ends_with(b"5:flagsd20:min_request_intervali1800eee"));
    assert_eq!(parse_scrape(b"d5:filesdee", 10), Ok(Vec::new()));
    assert!(parse_scrape(b"de", 10).is_err() && parse_scrape(b"d14:failure reason2:noe", 10).is_err());
}

#[test]
fn no_input_panics() {
    let mut whole = Vec::new();
    write_answer(
        &AnswerHead { external_ip: Some([1, 2, 3, 4].into()), ..AnswerHead::default() },
        Peers::Dicts(&[]),
        &mut whole,
    );
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let mut body = whole.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(body.len());
            body[at] = rng.bits32() as u8;
        }
        body.truncate(rng.below(body.len() + 1));
        _ = parse_answer(&body);
        _ = parse_scrape(&body, 5);
        let mut query = announce_url("http://t/", &announce(&mut rng)).into_bytes();
        let at = rng.below(query.len());
        query[at] = b"%&=-+\0\xff9"[rng.below(8)];
        _ = AnnounceQuery::parse(&query[9..]);
        _ = scrape_hashes(&query, 5);
    }
}
