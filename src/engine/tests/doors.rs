//! Further connections of a peer that takes faster than a gigabit.

use std::path::Path;

use bytes::Bytes;

use super::waiting;
use super::wire::{Pair, sample, sample_with};
use crate::api::{Command, Limits};
use crate::metainfo::Torrent;
use crate::metainfo::create::Details;
use crate::peer::Item;
use crate::wire::peer::{Added, Message, extended};

/// Enough to become fast in a quarter of a second and to be under way for some time after.
const LENGTH: usize = 80 << 20;
const PIECE: u32 = 1 << 20;
const BLOCKS: usize = LENGTH / 16_384;
/// The download's number for peer exchange.
const PEX: u8 = 9;

/// The download takes addresses for peers: it says no port, and that it reads peer exchange.
fn go_by_addresses(side: usize, item: &mut Item) {
    if let (1, Item::Message(Message::Extended { id: extended::HANDSHAKE_ID, payload })) = (side, item) {
        let mut said = extended::Handshake::decode(payload).expect("readable");
        (said.port, said.ids.pex) = (None, Some(PEX));
        *payload = said.encode();
    }
}

/// A seed, and such a download that is about to begin.
fn pair_of(torrent: &Torrent, bytes: &Bytes) -> Pair {
    let mut pair = waiting(torrent, bytes);
    pair.meddle = go_by_addresses;
    pair
}

/// Runs it to its end; it has to be well.
fn finish(pair: &mut Pair, torrent: &Torrent, bytes: &Bytes) {
    pair.command(1, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")).as_ref(), Some(bytes));
}

/// What the seed says of other addresses.
fn exchanges(pair: &Pair) -> Vec<&Bytes> {
    let payload = |item| match item {
        &Item::Message(Message::Extended { id: PEX, ref payload }) => Some(payload),
        _ => None,
    };
    pair.sides[0].said.iter().filter_map(payload).collect()
}

#[test]
fn who_takes_very_fast_is_told_of_further_doors_and_served_on_each_connection() {
    let (torrent, bytes) = sample(LENGTH, PIECE);
    let mut pair = pair_of(&torrent, &bytes);
    // The download connects once more by itself as soon as it sees how fast it is given to.
    finish(&mut pair, &torrent, &bytes);
    assert_eq!((pair.dialled(), pair.doors.len()), (2, 1));
    assert_eq!(exchanges(&pair), [&Added(pair.doors[0].clone()).encode()]);
    let given: Vec<usize> =
        pair.carried.iter().filter(|((side, _), _)| *side == 0).map(|(_, n)| *n).collect();
    assert!(given.len() == 2 && given.iter().all(|blocks| *blocks > 100), "{given:?}");
    assert!(given.iter().sum::<usize>() <= BLOCKS + 32, "only the last ones are asked on both");
    let hidden = |item: &&Item| matches!(item, Item::Message(Message::HaveNone));
    assert_eq!(pair.sides[0].said.iter().filter(hidden).count(), 0, "nothing is hidden from him");
}

#[test]
fn who_says_where_he_listens_is_told_of_none_and_refused_a_second_time() {
    let (torrent, bytes) = sample(LENGTH, PIECE);
    let mut pair = pair_of(&torrent, &bytes);
    pair.meddle = |_, _| {};
    finish(&mut pair, &torrent, &bytes);
    assert_eq!((pair.dialled(), pair.doors.len()), (2, 0));
    let given = pair.carried.iter().filter(|((side, _), blocks)| *side == 0 && **blocks > 0);
    assert_eq!(given.count(), 1, "the second one was refused");
}

#[test]
fn no_doors_are_opened_within_a_limit_nor_for_a_private_torrent_nor_for_little() {
    let (torrent, bytes) = sample(LENGTH, PIECE);
    let mut pair = pair_of(&torrent, &bytes);
    let limits = Limits { down: None, up: Some(400 << 20) };
    pair.command(0, Command::Limit { torrent: torrent.info_hash, limits });
    finish(&mut pair, &torrent, &bytes);
    assert!(pair.doors.is_empty() && exchanges(&pair).is_empty());

    let (private, bytes) = sample_with(LENGTH, PIECE, &Details { private: true, ..Details::default() });
    let mut pair = pair_of(&private, &bytes);
    finish(&mut pair, &private, &bytes);
    assert!(pair.doors.is_empty() && exchanges(&pair).is_empty());

    let (small, bytes) = sample(16 << 20, PIECE);
    let mut pair = pair_of(&small, &bytes);
    finish(&mut pair, &small, &bytes);
    assert!(pair.doors.is_empty() && exchanges(&pair).is_empty());
}
