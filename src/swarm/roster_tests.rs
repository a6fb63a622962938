//! The roster against its promises.

use super::*;

fn addr(number: u32) -> SocketAddr {
    SocketAddr::from(([10, (number >> 16) as u8, (number >> 8) as u8, number as u8], 6881))
}

fn at(secs: u64) -> Moment {
    Moment::ZERO + Span::from_secs(secs)
}

fn roster() -> Roster {
    Roster::new(Rng::new(3))
}

#[test]
fn what_can_be_no_peer_is_not_kept() {
    let mut roster = roster();
    roster.add_own(addr(9));
    for text in [
        "0.0.0.0:1",
        "1.2.3.4:0",
        "224.0.0.1:80",
        "255.255.255.255:9",
        "0.1.2.3:4",
        "[::]:1",
        "[ff02::1]:6881",
        "[::ffff:224.0.0.1]:5",
        "10.0.0.9:6881",
    ] {
        assert!(!roster.add(text.parse().expect("an address"), Found::Hand, at(0)), "{text}");
    }
    assert!(roster.add("[::ffff:10.0.0.1]:6881".parse().expect("an address"), Found::Tracker, at(0)));
    assert_eq!(roster.next_candidate(at(0), false), Some(addr(1)));
}

#[test]
fn each_address_is_tried_once_at_a_time_and_those_by_hand_first() {
    let mut roster = roster();
    (0..5).for_each(|number| _ = roster.add(addr(number + 1), Found::Tracker, at(0)));
    roster.add(addr(77), Found::Hand, at(0));
    assert_eq!(roster.next_candidate(at(0), false), Some(addr(77)));
    let tried: BTreeSet<_> = std::iter::from_fn(|| roster.next_candidate(at(0), false)).collect();
    assert_eq!(tried.len(), 5);
    assert!(roster.is_busy(addr(2)));
    assert_eq!((roster.next_candidate(at(9_999), false), roster.next_deadline()), (None, Moment::NEVER));
}

#[test]
fn dead_addresses_are_tried_ever_less_and_then_forgotten() {
    let mut roster = roster();
    roster.add(addr(1), Found::Tracker, at(0));
    let (mut now, mut tries) = (at(0), Vec::new());
    while !roster.is_empty() {
        match roster.next_candidate(now, false) {
            Some(addr) => {
                tries.push(now);
                roster.failed(addr, now, Why::NoAnswer);
            }
            None => now = roster.next_deadline(),
        }
    }
    assert_eq!(tries.len(), FAILURES as usize);
    for (pair, full) in tries.windows(2).zip([60, 120, 240, 480].map(Span::from_secs)) {
        let wait = pair[1].since(pair[0]);
        assert!(wait <= full && wait.times(SPREAD) >= full.times(SPREAD - 1), "{wait:?} of {full:?}");
    }
}

#[test]
fn two_who_refused_each_other_do_not_try_again_at_one_moment() {
    let waits: BTreeSet<_> = (0..20)
        .map(|seed| {
            let mut roster = Roster::new(Rng::new(seed));
            roster.add(addr(1), Found::Hand, at(0));
            roster.failed(addr(1), at(0), Why::NoAnswer);
            assert_eq!(roster.next_candidate(at(0), false), None);
            roster.next_deadline()
        })
        .collect();
    assert_eq!(waits.len(), 20);
}

#[test]
fn an_address_given_by_hand_is_tried_again_soon_and_for_ever() {
    let mut roster = roster();
    roster.add(addr(1), Found::Hand, at(0));
    let mut now = at(0);
    for tries in 0..50 {
        let addr = roster.next_candidate(now, false).expect("its time has come");
        roster.failed(addr, now, Why::NoAnswer);
        assert_eq!(roster.next_candidate(now, false), None);
        let next = roster.next_deadline();
        assert!(next.since(now) <= if tries == 0 { BACK_OFF_BY_HAND } else { LONGEST_BY_HAND });
        now = next;
    }
}

#[test]
fn a_good_connection_forgives_failures_and_a_short_one_is_one() {
    let mut roster = roster();
    roster.add(addr(1), Found::Tracker, at(0));
    let tried = |roster: &mut Roster, secs| assert_eq!(roster.next_candidate(at(secs), false), Some(addr(1)));
    tried(&mut roster, 0);
    roster.failed(addr(1), at(15), Why::NoAnswer);
    tried(&mut roster, 75);
    roster.connected(addr(1), at(75));
    assert_eq!(roster.next_candidate(at(500), false), None);
    roster.disconnected(addr(1), at(500));
    tried(&mut roster, 515);
    roster.connected(addr(1), at(515));
    roster.disconnected(addr(1), at(516));
    assert_eq!(roster.next_candidate(at(560), false), None);
    tried(&mut roster, 576);
}

#[test]
fn this_program_is_recognised_and_never_tried_again() {
    let mut roster = roster();
    roster.add(addr(1), Found::Tracker, at(0));
    roster.failed(addr(1), at(0), Why::Itself);
    assert!(roster.is_empty() && !roster.add(addr(1), Found::Hand, at(1)));
}

#[test]
fn seeds_do_not_call_seeds() {
    let mut roster = roster();
    roster.add(addr(1), Found::Tracker, at(0));
    roster.set_seed(addr(1), true);
    assert_eq!(roster.next_candidate(at(0), true), None);
    assert_eq!(roster.next_candidate(at(0), true), None);
    roster.set_seed(addr(1), true);
    assert_eq!(roster.next_candidate(at(0), false), Some(addr(1)));
}

#[test]
fn a_ban_is_for_an_address_and_after_several_for_a_machine_and_ends() {
    let mut roster = roster();
    let port = |port| SocketAddr::from(([10, 0, 0, 1], port));
    roster.add(port(1), Found::Tracker, at(0));
    roster.ban(port(1), at(0));
    assert!(
        roster.is_empty()
            && !roster.add(port(1), Found::Hand, at(1))
            && roster.add(port(4), Found::Hand, at(1))
    );
    roster.ban(port(2), at(1));
    assert!(!roster.is_banned(port(4), at(2)));
    roster.ban(port(3), at(2));
    assert!(roster.is_banned(port(4), at(3)) && !roster.is_banned(addr(2), at(3)));
    roster.pardon(port(2));
    assert!(!roster.is_banned(port(4), at(3)));
    assert_eq!(roster.banned(at(3)).collect::<Vec<_>>(), [port(1), port(3)]);
    assert!(!roster.is_banned(port(1), at(3_600)));
    for number in 1..9 {
        roster.ban(SocketAddr::from(([127, 0, 0, 1], number)), at(0));
    }
    assert!(!roster.is_banned(SocketAddr::from(([127, 0, 0, 1], 99)), at(1)));
}

#[test]
fn one_source_crowds_out_no_other() {
    let mut roster = roster();
    (0..limits::KNOWN_PEERS as u32).for_each(|number| _ = roster.add(addr(number), Found::Exchange, at(0)));
    assert_eq!(roster.len(), limits::KNOWN_PEERS);
    assert!(!roster.add(addr(100_000), Found::Exchange, at(0)));
    (0..20).for_each(|number| assert!(roster.add(addr(200_000 + number), Found::Tracker, at(0))));
    assert_eq!(roster.len(), limits::KNOWN_PEERS);
    let tried: Vec<_> = (0..20).filter_map(|_| roster.next_candidate(at(0), false)).collect();
    let trackers = tried.iter().filter(|tried| **tried >= addr(200_000)).count();
    assert_eq!((tried.len(), trackers), (20, 10));
}

#[test]
fn canonical_priorities_are_those_of_the_standard() {
    let of = |ours: [u8; 4], theirs: [u8; 4]| priority(IpAddr::from(ours), SocketAddr::from((theirs, 1)));
    assert_eq!(of([123, 213, 32, 10], [98, 76, 54, 32]), Some(0xec2d_7224));
    assert_eq!(of([98, 76, 54, 32], [123, 213, 32, 10]), Some(0xec2d_7224));
    assert_eq!(of([123, 213, 32, 10], [123, 213, 32, 234]), Some(0x9956_8189));
}
