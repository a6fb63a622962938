//! Beats tell what is new: all of it until the coordinator has it, and again whenever it has lost any of it.

use std::net::SocketAddr;

use super::*;
use crate::base::InfoHash;
use crate::network::*;

/// A user or a tracker with what it has to tell, over a wire that counts what is told.
struct Teller {
    member: Member,
    own: MemberId,
    tracker: bool,
    port: u16,
    holdings: Holdings,
    swarms: Swarms,
    /// Torrents or swarms told of in all beats so far.
    told: usize,
}

impl Teller {
    fn new(n: u8, tracker: bool) -> Self {
        let (holdings, swarms) = (Holdings::default(), Swarms::default());
        let port = 7_000 + u16::from(n);
        Self { member: Member::new(), own: id(n), tracker, port, holdings, swarms, told: 0 }
    }

    fn hold(&mut self, secs: u64, torrents: std::ops::Range<u8>) {
        let held: Vec<_> = torrents.map(|n| (InfoHash([n; 20]), true)).collect();
        self.holdings.set(at(secs), &held);
    }

    fn see(&mut self, secs: u64, torrents: std::ops::Range<u8>, peer: SocketAddr) {
        let swarm = |n| (InfoHash([n; 20]), vec![(peer, true)]);
        self.swarms.set(at(secs), torrents.map(swarm).collect());
    }

    /// Asks until nothing is due.
    fn run(&mut self, now: Moment, network: &mut Network) {
        let (own, port) = (self.own, self.port);
        while let Some(call) = self.member.poll(now) {
            let told = self.member.told();
            let answer = match (call, self.tracker) {
                (Call::Register, true) => {
                    let urls = vec![format!("http://10.77.0.9:{port}/announce")];
                    ask(network, now, &RegisterTracker { id: own, urls }).map(Reply::to_tracker)
                }
                (Call::Register, false) => {
                    let request = RegisterUser { id: own, name: "user".into(), port, shares: Vec::new() };
                    ask(network, now, &request).map(Reply::to_user)
                }
                (Call::Beat, true) => {
                    let (swarms, revision) = (self.swarms.tell(now, told), self.swarms.revision());
                    self.told += swarms.as_ref().map_or(0, Vec::len);
                    let users_revision = self.member.users_revision();
                    ask(network, now, &TrackerBeat { id: own, swarms, revision, users_revision })
                        .map(Reply::from)
                }
                (Call::Beat, false) => {
                    let (torrents, revision) = (self.holdings.tell(now, told), self.holdings.revision());
                    self.told += torrents.as_ref().map_or(0, Vec::len);
                    let sends = Vec::new();
                    ask(network, now, &UserBeat { id: own, torrents, revision, sends }).map(Reply::from)
                }
                (Call::Leave, true) => ask(network, now, &LeaveTracker { id: own }).map(|_| Reply::default()),
                (Call::Leave, false) => ask(network, now, &LeaveUser { id: own }).map(|_| Reply::default()),
            };
            self.member.handle(now, call, answer.map_err(CallError::from));
        }
    }

    /// Runs for some seconds; answers with how much was told.
    fn pass(&mut self, secs: std::ops::Range<u64>, network: &mut Network) -> usize {
        let before = self.told;
        for sec in secs {
            self.run(at(sec), network);
            network.tick(at(sec));
        }
        self.told - before
    }
}

#[test]
fn what_has_not_changed_is_told_once() {
    let (mut network, mut eva) = (network(), Teller::new(1, false));
    eva.hold(0, 0..100);
    assert_eq!(eva.pass(0..60, &mut network), 100, "thirty beats, one list");
    let seen = network.registers().users[0].clone();
    assert_eq!((seen.seeding, network.statistics(at(60)).torrents.len()), (100, 100));
    assert_eq!(network.statistics(at(60)).time.time_seed_secs, Some(60.0), "seeds age without being told of");
    eva.hold(60, 0..99);
    assert_eq!(eva.pass(60..80, &mut network), 99, "and once after a change");
    assert_eq!(network.registers().users[0].seeding, 99);
    eva.hold(80, 0..0);
    eva.pass(80..84, &mut network);
    assert_eq!((network.registers().users[0].seeding, network.statistics(at(84)).n_seeds), (0, 0));
}

#[test]
fn a_new_register_is_told_all_of_it() {
    let (mut first, mut eva) = (network(), Teller::new(1, false));
    eva.hold(0, 0..10);
    assert_eq!(eva.pass(0..20, &mut first), 10);
    let mut second = network();
    assert_eq!(eva.pass(20..40, &mut second), 10, "once, after registering there");
    assert_eq!(second.registers().users[0].seeding, 10);
    eva.member.want(at(40), false);
    eva.pass(40..42, &mut second);
    assert_eq!(second.statistics(at(42)).n_seeds, 0);
    eva.member.want(at(42), true);
    assert_eq!(eva.pass(42..60, &mut second), 10, "who comes back tells it anew");
    assert_eq!(second.statistics(at(60)).n_seeds, 1);
}

#[test]
fn what_a_coordinator_had_to_leave_out_is_told_until_it_counts() {
    let (mut network, mut tracker, mut eva) = (network(), Teller::new(1, true), Teller::new(2, false));
    eva.pass(0..2, &mut network);
    tracker.see(0, 0..5, SocketAddr::new(HERE, eva.port));
    assert_eq!(tracker.pass(0..8, &mut network), 5);
    assert_eq!(network.statistics(at(8)).n_seeds, 1);
    // Eva leaves; the tracker takes her for present until she misses an announce.
    eva.member.want(at(8), false);
    eva.pass(8..10, &mut network);
    assert_eq!(network.statistics(at(10)).n_seeds, 0);
    assert!(tracker.pass(10..20, &mut network) >= 15, "it is told again and again, as none of it counts");
    assert_eq!(network.statistics(at(20)).n_seeds, 0);
    eva.member.want(at(20), true);
    eva.pass(20..22, &mut network);
    assert_eq!(tracker.pass(20..29, &mut network), 5, "and once when it does");
    assert_eq!(network.statistics(at(29)).n_seeds, 1);
}

#[test]
fn a_coordinator_that_knows_of_no_revisions_is_told_all_of_it_each_time() {
    let mut member = Member::new();
    let mut holdings = Holdings::default();
    holdings.set(at(0), &[(InfoHash([1; 20]), false)]);
    for sec in 0..10 {
        let Some(call) = member.poll(at(sec)) else { continue };
        if call == Call::Beat {
            assert!(holdings.tell(at(sec), member.told()).is_some());
        }
        // As an older one answers: without a revision.
        let answer = serde_json::json!({ "rules": NetworkRules::default(), "trackers": [] });
        let news: UserNews = serde_json::from_value(answer).expect("an answer");
        member.handle(at(sec), call, Ok(Reply::from(news)));
    }
}
