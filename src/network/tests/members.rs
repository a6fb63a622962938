//! Members in virtual time: they find a coordinator that restarts, and hear of what changes.

use super::*;
use crate::network::*;

/// A user or a tracker with its machine.
struct Node {
    member: Member,
    n: u8,
    tracker: bool,
    news: Vec<News>,
}

impl Node {
    fn new(n: u8, tracker: bool) -> Self {
        Self { member: Member::new(), n, tracker, news: Vec::new() }
    }

    /// Does everything that is due; nobody answers where there is no network.
    fn run(&mut self, now: Moment, network: Option<&mut Network>) {
        let Some(network) = network else {
            while let Some(call) = self.member.poll(now) {
                let news = self.member.handle(now, call, Err(unreachable()));
                self.news.extend(news);
            }
            return;
        };
        while let Some(call) = self.member.poll(now) {
            let (own, port) = (id(self.n), 7_300 + u16::from(self.n));
            let answer = match (call, self.tracker) {
                (Call::Register, true) => {
                    let urls = vec![format!("http://0.0.0.0:{port}/announce")];
                    ask(network, now, &RegisterTracker { id: own, urls }).map(Reply::to_tracker)
                }
                (Call::Register, false) => {
                    let name = format!("user{}", self.n);
                    let request = RegisterUser { id: own, name, port, shares: Vec::new() };
                    ask(network, now, &request).map(Reply::to_user)
                }
                (Call::Beat, true) => {
                    let users_revision = self.member.users_revision();
                    ask(network, now, &tracker_beat(own, Vec::new(), users_revision)).map(Reply::from)
                }
                (Call::Beat, false) => {
                    ask(network, now, &user_beat(own, Vec::new(), Vec::new())).map(Reply::from)
                }
                (Call::Leave, true) => ask(network, now, &LeaveTracker { id: own }).map(|_| Reply::default()),
                (Call::Leave, false) => ask(network, now, &LeaveUser { id: own }).map(|_| Reply::default()),
            };
            let news = self.member.handle(now, call, answer.map_err(CallError::from));
            self.news.extend(news);
        }
    }

    fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }
}

fn url(n: u8) -> Vec<String> {
    vec![format!("http://10.77.0.9:{}/announce", 7_300 + u16::from(n))]
}

/// Every node and the coordinator, second by second.
fn pass(secs: std::ops::Range<u64>, nodes: &mut [&mut Node], mut network: Option<&mut Network>) {
    for sec in secs {
        for node in nodes.iter_mut() {
            node.run(at(sec), network.as_deref_mut());
        }
        if let Some(network) = network.as_deref_mut() {
            network.tick(at(sec));
        }
    }
}

#[test]
fn connecting_and_disconnecting_a_user_reaches_every_tracker() {
    let (mut network, mut a, mut b, mut eva) =
        (network(), Node::new(1, true), Node::new(2, true), Node::new(3, false));
    pass(0..3, &mut [&mut a, &mut b], Some(&mut network));
    a.take_news();
    b.take_news();
    pass(3..6, &mut [&mut eva, &mut a, &mut b], Some(&mut network));
    let users = |news: Vec<News>| {
        news.into_iter().filter_map(|news| match news {
            News::Users(list) => Some(list.users.into_iter().map(|user| user.0).collect::<Vec<_>>()),
            _ => None,
        })
    };
    for tracker in [&mut a, &mut b] {
        assert_eq!(users(tracker.take_news()).collect::<Vec<_>>(), [["user3"]]);
    }
    eva.member.want(at(6), false);
    pass(6..9, &mut [&mut eva, &mut a, &mut b], Some(&mut network));
    for tracker in [&mut a, &mut b] {
        assert_eq!(users(tracker.take_news()).next_back(), Some(Vec::new()));
    }
    assert!(eva.take_news().contains(&News::Left) && !eva.member.connected());
    eva.member.want(at(9), true);
    pass(9..10, &mut [&mut eva], Some(&mut network));
    assert_eq!(eva.take_news()[0], News::Connected { already: false });
}

#[test]
fn users_hear_of_rules_and_of_trackers_that_go() {
    let (mut network, mut a, mut b, mut eva) =
        (network(), Node::new(1, true), Node::new(2, true), Node::new(3, false));
    pass(0..3, &mut [&mut a, &mut b, &mut eva], Some(&mut network));
    let news = eva.take_news();
    assert_eq!(news[0], News::Connected { already: false });
    assert!(matches!(&news[1], News::Rules(rules) if rules.max_connections == 8));
    assert_eq!(news[2], News::Trackers(vec![url(1), url(2)], false));
    let rules = crate::api::NetworkRules { max_connections: 3, ..network.rules().clone() };
    network.set_rules(at(3), rules.clone());
    // The second tracker dies without a word.
    pass(3..16, &mut [&mut a, &mut eva], Some(&mut network));
    assert_eq!(eva.take_news(), [News::Rules(rules.clone()), News::Trackers(vec![url(1)], true)]);
    assert_eq!(a.take_news().last(), Some(&News::Rules(rules)));
}

#[test]
fn a_coordinator_that_restarts_is_found_again_and_its_absence_is_told_once() {
    let (mut first, mut a, mut eva) = (network(), Node::new(1, true), Node::new(3, false));
    pass(0..3, &mut [&mut a, &mut eva], Some(&mut first));
    a.take_news();
    eva.take_news();
    pass(3..103, &mut [&mut a, &mut eva], None);
    for node in [&mut a, &mut eva] {
        assert_eq!(node.take_news(), [News::Lost(unreachable().to_string())]);
        assert!(!node.member.connected());
    }
    let mut second = network();
    pass(103..120, &mut [&mut a, &mut eva], Some(&mut second));
    let registers = second.registers();
    assert_eq!((registers.trackers.len(), registers.users.len()), (1, 1));
    for node in [&mut a, &mut eva] {
        assert_eq!(node.take_news()[0], News::Connected { already: false });
        assert!(node.member.connected());
    }
}

#[test]
fn a_quick_restart_costs_one_beat() {
    let (mut first, mut a) = (network(), Node::new(1, true));
    pass(0..3, &mut [&mut a], Some(&mut first));
    a.take_news();
    let mut second = network();
    pass(3..6, &mut [&mut a], Some(&mut second));
    assert_eq!(second.registers().trackers.len(), 1);
    assert_eq!(a.take_news()[0], News::Connected { already: false });
}

#[test]
fn a_short_fault_does_not_cost_the_register() {
    let (mut network, mut a) = (network(), Node::new(1, true));
    pass(0..3, &mut [&mut a], Some(&mut network));
    a.take_news();
    pass(3..5, &mut [&mut a], None);
    pass(5..8, &mut [&mut a], Some(&mut network));
    assert_eq!(a.take_news(), [News::Lost(unreachable().to_string()), News::Connected { already: true }]);
    let lines: Vec<_> = network.screens().coordinator.lines().map(|line| line.text.clone()).collect();
    assert_eq!(lines, ["tracker http://10.77.0.9:7301/announce registered"]);
}

#[test]
fn a_member_never_asks_twice_at_once_and_waits_longer_and_longer() {
    let mut member = Member::new();
    let mut asked = Vec::new();
    for sec in 0..100 {
        if let Some(call) = member.poll(at(sec)) {
            assert_eq!((member.poll(at(sec)), member.next_deadline()), (None, Moment::NEVER));
            asked.push(sec);
            member.handle(at(sec), call, Err(unreachable()));
        }
    }
    assert_eq!(asked, [0, 1, 3, 7, 15, 30, 45, 60, 75, 90]);
    member.want(at(100), false);
    assert_eq!((member.poll(at(200)), member.next_deadline()), (None, Moment::NEVER));
}
