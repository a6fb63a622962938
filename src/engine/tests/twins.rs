//! A second connection to a peer that gives faster than a gigabit.

use std::cell::Cell;
use std::path::Path;

use super::wire::Pair;
use super::{options, prepared, sample, whole};
use crate::api::{AddOptions, Command, Limits};
use crate::peer::Item;

/// Enough to become fast in a quarter of a second and to be under way for some time after.
const LENGTH: usize = 80 << 20;
const PIECE: u32 = 1 << 20;
const BLOCKS: usize = LENGTH / 16_384;

/// Says another id on each connection of the download, as if its seed did not mind two of them.
fn hide_id(side: usize, item: &mut Item) {
    thread_local!(static SAID: Cell<u8> = const { Cell::new(0) });
    if let (1, Item::Handshake(handshake)) = (side, item) {
        SAID.set(SAID.get() + 1);
        handshake.peer_id.0[19] = SAID.get();
    }
}

/// A download of a seed that minds no second connection and gives 300 MiB a second, so that time passes.
fn fast() -> (Pair, crate::metainfo::Torrent, bytes::Bytes) {
    let (mut pair, torrent, bytes) = prepared(LENGTH, PIECE);
    pair.meddle = hide_id;
    let limits = Limits { down: None, up: Some(300 << 20) };
    pair.command(0, Command::Limit { torrent: torrent.info_hash, limits });
    pair.command(1, Command::Resume(torrent.info_hash));
    (pair, torrent, bytes)
}

#[test]
fn a_peer_that_gives_very_fast_is_asked_on_two_connections_and_is_one_peer_to_the_user() {
    let (mut pair, torrent, bytes) = fast();
    assert!(pair.run(|pair| pair.connections() == 2));
    assert!(pair.run(|pair| pair.sides[0].blocks() >= BLOCKS * 3 / 4));
    assert!(!pair.sides[1].has_completed());
    let row = pair.sides[1].engine.rows(pair.now)[0].clone();
    assert_eq!((row.peers, row.seeds), (1, 1));
    pair.command(1, Command::Watch(Some(torrent.info_hash)));
    let now = pair.now;
    let detail = pair.sides[1].engine.detail(now).expect("watched");
    assert_eq!(detail.peers.len(), 1);
    assert_eq!(detail.peers[0].downloaded, row.downloaded);
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.dialled(), 2);
    assert!(pair.sides[0].blocks() <= BLOCKS + 32, "only the last ones are asked of both");
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
}

#[test]
fn who_wants_no_second_connection_is_asked_once() {
    let (mut pair, torrent, bytes) = prepared(LENGTH, PIECE);
    pair.command(1, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!((pair.dialled(), pair.sides[0].blocks()), (2, BLOCKS));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
}

#[test]
fn when_the_first_one_ends_the_second_goes_on_alone() {
    let (mut pair, _, bytes) = fast();
    assert!(pair.run(|pair| pair.connections() == 2));
    assert!(!pair.sides[1].has_completed());
    let before = pair.now;
    pair.cut_oldest();
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert!(pair.now.since(before).secs_f64() < 1.0, "nothing is waited for");
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
}

#[test]
fn none_is_made_to_a_slow_peer_nor_within_a_limit() {
    let (mut pair, torrent, _) = prepared(LENGTH, PIECE);
    pair.meddle = hide_id;
    let limits = Limits { down: Some(400 << 20), up: None };
    pair.command(1, Command::Limit { torrent: torrent.info_hash, limits });
    pair.command(1, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.dialled(), 1);

    let (small, bytes) = sample(4 << 20, PIECE);
    pair.sides[0].disk.put_file("/seed/sample", bytes);
    pair.add(0, whole(&small), options(true, None));
    let seed = pair.addr(0);
    pair.add(1, whole(&small), AddOptions { folder: Some("/small".into()), ..options(false, Some(seed)) });
    let done = |pair: &Pair| pair.sides[1].engine.have(small.info_hash).is_some_and(|have| have.all());
    assert!(pair.run(done));
    assert_eq!(pair.dialled(), 2);
}
