//! Each operation: what it answers, what it changes, and what it refuses.

use proptest::prelude::*;

use super::*;
use crate::base::InfoHash;
use crate::metainfo::Torrent;
use crate::network::*;

fn tracker(network: &mut Network, now: Moment, n: u8) -> Welcome {
    let urls = vec![format!("http://10.77.0.9:731{n}/announce"), format!("udp://0.0.0.0:731{n}/announce")];
    ask(network, now, &RegisterTracker { id: id(n), urls }).expect("a tracker")
}

fn user(network: &mut Network, now: Moment, n: u8, shares: Vec<InfoHash>) -> Welcome {
    let request = RegisterUser { id: id(n), name: format!("user{n}"), port: 7300 + u16::from(n), shares };
    ask(network, now, &request).expect("a user")
}

fn upload(network: &mut Network, now: Moment, n: u8, name: &str, seed: u8) -> Result<Uploaded, Refusal> {
    ask(network, now, &Upload { id: id(n), info: Base64(info(name, seed)) })
}

fn last(screen: &Screen) -> String {
    screen.lines().last().expect("a line").text.clone()
}

#[test]
fn uploads_are_assigned_in_turn_stored_and_handed_out() {
    let mut network = network();
    assert_eq!(code(upload(&mut network, at(0), 9, "one.bin", 1)), Code::Unregistered);
    assert_eq!(user(&mut network, at(0), 9, Vec::new()).rules.max_connections, 8);
    let refusal = upload(&mut network, at(0), 9, "one.bin", 1).expect_err("no tracker");
    assert_eq!(refusal.code, Code::NoTrackers);
    assert!(refusal.message.contains("no trackers available"));
    let welcome = tracker(&mut network, at(0), 1);
    assert_eq!(welcome.trackers[0][1], "udp://10.77.0.9:7311/announce");
    tracker(&mut network, at(0), 2);
    let one = upload(&mut network, at(1), 9, "one.bin", 1).expect("assigned");
    let two = upload(&mut network, at(1), 9, "two.bin", 2).expect("assigned");
    assert_eq!(one.entry.tiers[0][0], "http://10.77.0.9:7311/announce");
    assert_eq!(two.entry.tiers[0][0], "http://10.77.0.9:7312/announce");
    assert_eq!((one.entry.tiers.len(), one.known, one.entry.uploader.as_str()), (2, false, "user9"));
    let listing = ask(&mut network, at(1), &List::default()).expect("a listing");
    assert_eq!(listing.torrents, [one.entry.clone(), two.entry.clone()]);
    let fetched = ask(&mut network, at(1), &Fetch { name: "two.bin".into() }).expect("there");
    let torrent = Torrent::parse(&fetched.torrent.0).expect("a torrent");
    assert_eq!((torrent.info_hash, &torrent.trackers), (two.entry.info_hash, &two.entry.tiers));
    assert_eq!(last(&network.screens().index), "handed two.bin to 10.77.0.9");
    let refusal = ask(&mut network, at(1), &Fetch { name: "three.bin".into() }).expect_err("absent");
    assert_eq!(refusal.to_string(), "the index has no torrent named three.bin");
    assert_eq!(
        last(&network.screens().index),
        "10.77.0.9 asked for three.bin: the index has no torrent named three.bin"
    );
    let rows = network.registers();
    assert_eq!(rows.trackers.iter().map(|row| row.assigned).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn an_upload_that_comes_again_stays_with_its_tracker() {
    let mut network = network();
    tracker(&mut network, at(0), 1);
    tracker(&mut network, at(0), 2);
    user(&mut network, at(0), 9, Vec::new());
    let first = upload(&mut network, at(0), 9, "a", 1).expect("assigned");
    let again = upload(&mut network, at(5), 9, "a", 1).expect("assigned");
    assert_eq!((again.known, &again.entry.tiers), (true, &first.entry.tiers));
    assert_eq!(again.entry.added_unix, first.entry.added_unix);
    ask(&mut network, at(6), &LeaveTracker { id: id(1) }).expect("known");
    let moved = upload(&mut network, at(6), 9, "a", 1).expect("assigned");
    assert_eq!(moved.entry.tiers, [["http://10.77.0.9:7312/announce", "udp://10.77.0.9:7312/announce"]]);
    let other = upload(&mut network, at(7), 9, "a", 2).expect("assigned");
    assert_eq!(other.entry.namesakes, 1);
    assert!(last(&network.screens().index).ends_with("1 more of that name, kept apart by info-hash"));
    assert_eq!(code(ask(&mut network, at(7), &Fetch { name: "a".into() })), Code::Ambiguous);
    // Only one of the two is to be had.
    let torrents = vec![Holding { torrent: other.entry.info_hash, seed_secs: Some(1) }];
    ask(&mut network, at(8), &user_beat(id(9), torrents, Vec::new())).expect("known");
    let fetched = ask(&mut network, at(8), &Fetch { name: "a".into() }).expect("one of them");
    assert_eq!(fetched.entry.info_hash, other.entry.info_hash);
}

#[test]
fn a_restarted_coordinator_keeps_the_index_and_asks_for_what_it_lacks() {
    let mut network = network();
    tracker(&mut network, at(0), 1);
    user(&mut network, at(0), 9, Vec::new());
    let kept = upload(&mut network, at(0), 9, "kept", 1).expect("assigned").entry;
    let removed = upload(&mut network, at(0), 9, "removed", 2).expect("assigned").entry;
    let lost = upload(&mut network, at(0), 9, "lost", 3).expect("assigned").entry.info_hash;
    ask(&mut network, at(0), &Remove { name: "removed".into() }).expect("there");
    let effects: Vec<_> = std::iter::from_fn(|| network.poll_effect()).collect();
    assert!(
        matches!(&effects[3], Effect::Drop { torrent, .. } if *torrent == removed.info_hash),
        "{effects:?}"
    );
    let Effect::Keep { torrent: hash, now, before: None } = &effects[0] else { panic!("{effects:?}") };
    let mut again = super::network();
    assert_eq!(again.restore(&now.torrent, now.note.clone()), Ok(*hash));
    assert_eq!(again.entries(), [kept]);
    assert!(again.restore(b"nothing", Note::default()).is_err());
    assert_eq!(user(&mut again, at(9), 9, vec![*hash, lost]).missing, [lost]);
}

#[test]
fn what_cannot_be_written_is_as_if_it_had_not_been_asked_for() {
    let mut network = network();
    tracker(&mut network, at(0), 1);
    tracker(&mut network, at(0), 2);
    user(&mut network, at(0), 9, Vec::new());
    upload(&mut network, at(0), 9, "kept", 1).expect("assigned");
    network.poll_effect().expect("kept");
    let before = network.entries();
    ask(&mut network, at(6), &LeaveTracker { id: id(1) }).expect("known");
    upload(&mut network, at(6), 9, "kept", 1).expect("assigned to the other tracker");
    assert_ne!(network.entries(), before);
    let effect = network.poll_effect().expect("kept anew");
    network.undo(effect);
    assert_eq!(network.entries(), before, "the former upload is still there");
    upload(&mut network, at(7), 9, "new", 2).expect("assigned");
    let effect = network.poll_effect().expect("kept");
    network.undo(effect);
    ask(&mut network, at(8), &Remove { name: "kept".into() }).expect("there");
    let effect = network.poll_effect().expect("dropped");
    network.undo(effect);
    assert_eq!(network.entries(), before);
    assert!(network.poll_effect().is_none());
}

#[test]
fn statistics_join_what_trackers_and_users_tell() {
    let mut network = network();
    network.set_own_ip(Some(HERE), true);
    tracker(&mut network, at(0), 1);
    let home: IpAddr = [127, 0, 0, 1].into();
    let request = RegisterUser { id: id(9), name: "eva".into(), port: 7309, shares: Vec::new() };
    ask_from(&mut network, at(0), home, &request).expect("a user");
    let torrent = InfoHash([4; 20]);
    let holding = Holding { torrent, seed_secs: Some(0) };
    let to = "10.77.0.8:5".parse().expect("an address");
    let sends = vec![Sending { to, torrent, rate: 5 }];
    ask(&mut network, at(0), &user_beat(id(9), vec![holding], sends)).expect("known");
    let peers = vec![
        PeerReport { addr: "10.77.0.9:7309".parse().expect("an address"), seed_secs: Some(0) },
        PeerReport { addr: to, seed_secs: None },
    ];
    let beat = tracker_beat(id(1), vec![SwarmReport { torrent, peers }], 0);
    let news = ask(&mut network, at(0), &beat).expect("known");
    let list = news.users.expect("the first list");
    assert_eq!(list.users, [("eva".to_owned(), "10.77.0.9:7309".parse().expect("an address"))]);
    let beat = TrackerBeat { users_revision: list.revision, ..beat };
    assert_eq!(ask(&mut network, at(1), &beat).expect("known").users, None);
    let figures = ask(&mut network, at(8), &AskStatistics {}).expect("figures");
    assert_eq!((figures.n_users, figures.n_peers, figures.n_seeds), (1, 1, 1));
    assert_eq!(figures.time.time_seed_secs, Some(8.0));
    assert_eq!(figures.users[1].name.as_deref(), Some("eva"));
    assert_eq!(figures.trackers[0].key, "http://10.77.0.9:7311/announce");
    let registers = ask(&mut network, at(8), &AskRegisters {}).expect("registers");
    assert_eq!(
        (registers.users[0].seeding, registers.trackers[0].peers, registers.trackers[0].seeds),
        (1, 1, 1)
    );
    assert_eq!(registers.flows[0].rate, 5);
    ask(&mut network, at(9), &LeaveUser { id: id(9) }).expect("known");
    assert_eq!(network.statistics(at(9)).n_seeds, 0, "whatever the tracker still has");
    assert_eq!(
        network.statistics(at(9)).n_peers,
        1,
        "who is no user of the network is the tracker's to tell"
    );
    network.tick(at(12));
    assert_eq!(network.statistics(at(12)).n_peers, 0, "the tracker fell silent at 11");
    assert_eq!(network.statistics(at(12)).time.time_seed_secs, Some(9.0));
}

#[test]
fn members_have_to_register_and_leaving_twice_is_fine() {
    let mut network = network();
    let beat = tracker_beat(id(1), Vec::new(), 0);
    assert_eq!(code(ask(&mut network, at(0), &beat)), Code::Unregistered);
    let beat = user_beat(id(1), Vec::new(), Vec::new());
    assert_eq!(code(ask(&mut network, at(0), &beat)), Code::Unregistered);
    for _ in 0..2 {
        ask(&mut network, at(0), &LeaveTracker { id: id(1) }).expect("no matter");
        ask(&mut network, at(0), &LeaveUser { id: id(1) }).expect("no matter");
    }
    assert_eq!(network.screens().coordinator.lines().len(), 0);
    assert_eq!(code(upload(&mut network, at(0), 1, "", 1)), Code::Unregistered);
    user(&mut network, at(0), 1, Vec::new());
    tracker(&mut network, at(0), 2);
    assert_eq!(
        code(ask(&mut network, at(0), &Upload { id: id(1), info: Base64(b"de".to_vec()) })),
        Code::Malformed
    );
    assert_eq!(network.entries(), []);
}

#[test]
fn garbage_is_refused_and_changes_nothing() {
    let mut network = network();
    let deep = "[".repeat(100_000);
    for (name, _) in OPERATIONS {
        for body in
            ["", "{", "null", "[]", "{\"id\":5}", "{\"id\":\"zz\"}", "\u{0}", &deep, "{\"name\":1e999}"]
        {
            let answer = network.handle(at(0), HERE, name, body.as_bytes());
            if let Err(refusal) = answer {
                assert_eq!(refusal.code, Code::Malformed, "{name} {body:.20}: {refusal}");
                assert!(refusal.message.len() < 1_000);
            }
        }
    }
    assert_eq!(code(network.handle(at(0), HERE, "no-such", b"{}")), Code::NotFound);
    assert_eq!(network.poll_effect(), None);
    assert_eq!(network.registers(), Registers { rules: network.rules().clone(), ..Registers::default() });
}

use crate::api::Registers;

proptest! {
    #[test]
    fn no_body_makes_an_operation_fall(which in 0..OPERATIONS.len(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = network().handle(at(0), HERE, OPERATIONS[which].0, &body);
    }

    #[test]
    fn every_prefix_of_a_request_is_refused(cut in 0..600usize) {
        let mut network = network();
        user(&mut network, at(0), 1, Vec::new());
        tracker(&mut network, at(0), 2);
        let body = serde_json::to_vec(&Upload { id: id(1), info: Base64(info("n", 1)) }).expect("a request");
        prop_assume!(cut < body.len());
        prop_assert_eq!(code(network.handle(at(0), HERE, Upload::NAME, &body[..cut])), Code::Malformed);
        prop_assert_eq!(network.poll_effect(), None);
    }
}
