//! The coordinator (thesis: `bittorrent`): the registers of trackers and users, what applies to all of them, and whose turn it
//! is to get the next upload.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use crate::api::{Announcing, Flow, NetworkRules, RegisteredTracker, RegisteredUser};
use crate::base::{Moment, Span};
use crate::network::screen::plain;
use crate::network::{Code, MemberId, Refusal, Sending, UserList};

/// Between two beats of a member.
pub const BEAT: Span = Span::from_secs(2);
/// A member that is not heard of for so long has gone.
pub const SILENCE: Span = Span::from_secs(10);

/// Trackers in the register.
const TRACKERS: usize = 64;
/// Users in the register.
const USERS: usize = 10_000;
/// Announce URLs of one tracker, and bytes of one.
const URLS: usize = 8;
const URL_BYTES: usize = 500;
/// Characters of a user's name.
const NAME_CHARS: usize = 64;
/// Arrows kept of one user, and arrows in the picture.
const SENDS: usize = 100;
const FLOWS: usize = 2_000;

/// The registers of a network.
pub struct Coordinator {
    rules: NetworkRules,
    trackers: BTreeMap<MemberId, Tracker>,
    /// The trackers, the one whose turn is next first. Holds exactly the keys of `trackers`.
    turns: VecDeque<MemberId>,
    users: BTreeMap<MemberId, User>,
    users_revision: u64,
}

/// A tracker in the register.
#[derive(Clone, Debug)]
pub struct Tracker {
    /// Its announce URLs.
    pub urls: Vec<String>,
    since: Moment,
    heard: Moment,
    assigned: u32,
}

/// A user in the register.
#[derive(Clone, Debug)]
pub struct User {
    /// What it calls itself.
    pub name: String,
    /// Where its peer listens.
    pub addr: SocketAddr,
    since: Moment,
    heard: Moment,
    seeding: u32,
    downloading: u32,
    sends: Vec<Sending>,
}

/// How a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is new.
    New,
    /// It was registered already, since then.
    Already(Moment),
}

/// Somebody who fell silent.
#[derive(Clone, Debug)]
pub enum Gone {
    /// A tracker, and when it was last heard of.
    Tracker(MemberId, Tracker, Moment),
    /// A user, and when it was last heard of.
    User(MemberId, User, Moment),
}

impl Coordinator {
    /// Empty registers with those rules.
    pub fn new(rules: NetworkRules) -> Self {
        Self {
            rules: tidy(rules),
            trackers: BTreeMap::new(),
            turns: VecDeque::new(),
            users: BTreeMap::new(),
            users_revision: 1,
        }
    }

    /// Changes what applies from now on; members learn of it with their next beat.
    pub fn set_rules(&mut self, rules: NetworkRules) {
        self.rules = tidy(rules);
    }

    /// Puts a tracker into the register. Where another one held one of its URLs, this one takes its place: two cannot answer
    /// at one address, so the other is a former run of it.
    ///
    /// # Errors
    /// Where it has no announce URL that others could use, or the register is full.
    pub fn register_tracker(
        &mut self,
        now: Moment,
        id: MemberId,
        urls: &[String],
        from: IpAddr,
    ) -> Result<Standing, Refusal> {
        let mut good: Vec<String> =
            urls.iter().take(URLS).filter_map(|url| reachable_url(url, from)).collect();
        good.dedup();
        if good.is_empty() {
            let why = "a tracker registers with announce URLs that begin with http, https or udp";
            return Err(Refusal::new(Code::Malformed, why));
        }
        let twin = |tracker: &Tracker| tracker.urls.iter().any(|url| good.contains(url));
        let known = Some(id)
            .filter(|id| self.trackers.contains_key(id))
            .or_else(|| self.trackers.iter().find(|(_, tracker)| twin(tracker)).map(|(id, _)| *id));
        if let Some(known) = known
            && let Some(mut tracker) = self.trackers.remove(&known)
        {
            let since = tracker.since;
            (tracker.urls, tracker.heard) = (good, now);
            self.trackers.insert(id, tracker);
            self.turns.iter_mut().filter(|turn| **turn == known).for_each(|turn| *turn = id);
            return Ok(Standing::Already(since));
        }
        if self.trackers.len() >= TRACKERS {
            return Err(Refusal::new(
                Code::Full,
                format!("this network has {TRACKERS} trackers, which is the most"),
            ));
        }
        self.trackers.insert(id, Tracker { urls: good, since: now, heard: now, assigned: 0 });
        self.turns.push_back(id);
        Ok(Standing::New)
    }

    /// Notes that a tracker is alive.
    ///
    /// # Errors
    /// Where it is not in the register.
    pub fn hear_tracker(&mut self, now: Moment, id: MemberId) -> Result<(), Refusal> {
        let tracker = self.trackers.get_mut(&id).ok_or_else(unregistered)?;
        tracker.heard = tracker.heard.max(now);
        Ok(())
    }

    /// Takes a tracker out of the register.
    pub fn remove_tracker(&mut self, id: MemberId) -> Option<Tracker> {
        self.turns.retain(|turn| *turn != id);
        self.trackers.remove(&id)
    }

    /// Puts a user into the register.
    ///
    /// # Errors
    /// Where the register is full.
    pub fn register_user(
        &mut self,
        now: Moment,
        id: MemberId,
        name: &str,
        addr: SocketAddr,
    ) -> Result<Standing, Refusal> {
        let name: String = plain(name).trim().chars().take(NAME_CHARS).collect();
        let name = if name.is_empty() { addr.to_string() } else { name };
        self.users_revision += 1;
        if let Some(user) = self.users.get_mut(&id) {
            (user.name, user.addr, user.heard) = (name, addr, now);
            return Ok(Standing::Already(user.since));
        }
        if self.users.len() >= USERS {
            return Err(Refusal::new(
                Code::Full,
                format!("this network has {USERS} users, which is the most"),
            ));
        }
        let user = User { name, addr, since: now, heard: now, seeding: 0, downloading: 0, sends: Vec::new() };
        self.users.insert(id, user);
        Ok(Standing::New)
    }

    /// Notes that a user is alive, how many torrents it seeds and downloads where that is told anew, and to whom it sends.
    ///
    /// # Errors
    /// Where it is not in the register.
    pub fn hear_user(
        &mut self,
        now: Moment,
        id: MemberId,
        counts: Option<(u32, u32)>,
        sends: Vec<Sending>,
    ) -> Result<&User, Refusal> {
        let user = self.users.get_mut(&id).ok_or_else(unregistered)?;
        user.heard = user.heard.max(now);
        (user.seeding, user.downloading) = counts.unwrap_or((user.seeding, user.downloading));
        user.sends = sends;
        user.sends.truncate(SENDS);
        Ok(user)
    }

    /// Takes a user out of the register.
    pub fn remove_user(&mut self, id: MemberId) -> Option<User> {
        let user = self.users.remove(&id)?;
        self.users_revision += 1;
        Some(user)
    }

    /// Takes out everyone who has fallen silent.
    pub fn tick(&mut self, now: Moment) -> Vec<Gone> {
        let silent = |heard: Moment| now.since(heard) >= SILENCE;
        let trackers: Vec<_> =
            self.trackers.iter().filter(|(_, t)| silent(t.heard)).map(|(id, t)| (*id, t.heard)).collect();
        let users: Vec<_> =
            self.users.iter().filter(|(_, u)| silent(u.heard)).map(|(id, u)| (*id, u.heard)).collect();
        let mut gone = Vec::new();
        for (id, heard) in trackers {
            gone.extend(self.remove_tracker(id).map(|tracker| Gone::Tracker(id, tracker, heard)));
        }
        for (id, heard) in users {
            gone.extend(self.remove_user(id).map(|user| Gone::User(id, user, heard)));
        }
        gone
    }

    /// The tiers of an upload: the URLs of the tracker whose turn it is, then those of the others in their order. The next
    /// upload begins with the next one.
    ///
    /// # Errors
    /// Where there is no tracker.
    pub fn assign(&mut self) -> Result<Vec<Vec<String>>, Refusal> {
        let Some(first) = self.turns.front().copied() else {
            return Err(Refusal::new(
                Code::NoTrackers,
                "no trackers available: connect a tracker to this network, then upload again",
            ));
        };
        let tiers = self.tiers();
        if let Some(tracker) = self.trackers.get_mut(&first) {
            tracker.assigned += 1;
        }
        self.turns.rotate_left(1);
        Ok(tiers)
    }

    /// The tiers of an upload that was assigned to the tracker with one of those URLs; nothing where it is not here.
    pub fn tiers_from(&self, first: &[String]) -> Option<Vec<Vec<String>>> {
        let tiers = self.tiers();
        let at = tiers.iter().position(|urls| urls.iter().any(|url| first.contains(url)))?;
        let mut tiers = VecDeque::from(tiers);
        let own = tiers.remove(at)?;
        tiers.push_front(own);
        Some(tiers.into())
    }

    /// The announce URLs of every tracker, the one whose turn is next first.
    pub fn tiers(&self) -> Vec<Vec<String>> {
        self.turns.iter().filter_map(|id| self.trackers.get(id)).map(|tracker| tracker.urls.clone()).collect()
    }

    /// What applies.
    pub fn rules(&self) -> &NetworkRules {
        &self.rules
    }

    /// A tracker in the register.
    pub fn tracker(&self, id: MemberId) -> Option<&Tracker> {
        self.trackers.get(&id)
    }

    /// A user in the register.
    pub fn user(&self, id: MemberId) -> Option<&User> {
        self.users.get(&id)
    }

    /// A user by the address of its peer, the one last heard of where there are several.
    pub fn user_at(&self, addr: SocketAddr) -> Option<&User> {
        self.users.values().filter(|user| user.addr == addr).max_by_key(|user| user.heard)
    }

    /// How many users are connected.
    pub fn user_count(&self) -> usize {
        self.users.len()
    }

    /// The list of users for a tracker that has that revision of it; nothing where it is the present one.
    pub fn users_since(&self, revision: u64) -> Option<UserList> {
        let list = || self.users.values().map(|user| (user.name.clone(), user.addr)).collect();
        (revision != self.users_revision).then(|| UserList { revision: self.users_revision, users: list() })
    }

    /// The register of trackers, the one whose turn is next first; `facts` tells torrents, peers and seeds of each.
    pub fn tracker_rows(&self, facts: impl Fn(MemberId) -> (u32, u32, u32)) -> Vec<RegisteredTracker> {
        let row = |id: &MemberId| {
            let tracker = self.trackers.get(id)?;
            let (torrents, peers, seeds) = facts(*id);
            Some(RegisteredTracker {
                urls: tracker.urls.clone(),
                since_unix_millis: millis(tracker.since),
                heard_unix_millis: millis(tracker.heard),
                assigned: tracker.assigned,
                torrents,
                peers,
                seeds,
            })
        };
        self.turns.iter().filter_map(row).collect()
    }

    /// The register of users, in the order they connected.
    pub fn user_rows(&self) -> Vec<RegisteredUser> {
        let mut users: Vec<_> = self.users.values().collect();
        users.sort_by_key(|user| (user.since, user.addr));
        let row = |user: &User| RegisteredUser {
            name: user.name.clone(),
            addr: user.addr,
            since_unix_millis: millis(user.since),
            heard_unix_millis: millis(user.heard),
            seeding: user.seeding,
            downloading: user.downloading,
        };
        users.into_iter().map(row).collect()
    }

    /// Who sends to whom.
    pub fn flows(&self) -> Vec<Flow> {
        let arrows = self.users.values().flat_map(|user| {
            let from = user.addr;
            user.sends.iter().map(move |send| Flow {
                from,
                to: send.to,
                torrent: send.torrent,
                rate: send.rate,
            })
        });
        arrows.take(FLOWS).collect()
    }
}

impl Tracker {
    /// The URL it is spoken of by.
    pub fn name(&self) -> &str {
        self.urls.first().map_or("", String::as_str)
    }
}

fn unregistered() -> Refusal {
    Refusal::new(Code::Unregistered, "the coordinator does not know this member: register first")
}

fn millis(moment: Moment) -> u64 {
    moment.micros() / 1_000
}

fn tidy(mut rules: NetworkRules) -> NetworkRules {
    rules.max_connections = rules.max_connections.max(1);
    let Announcing { right, bottom, right_completed, bottom_completed } = &mut rules.announcing;
    for text in [right, bottom, right_completed, bottom_completed] {
        *text = plain(text);
    }
    rules
}

/// An announce URL that other machines can use, where `url` is one: a host that only the tracker itself could mean is
/// replaced by the address it calls from.
fn reachable_url(url: &str, from: IpAddr) -> Option<String> {
    if url.len() > URL_BYTES {
        return None;
    }
    let mut url = url::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    if !matches!(url.scheme(), "http" | "https" | "udp") || host.is_empty() {
        return None;
    }
    let own = match host.parse::<IpAddr>() {
        Ok(ip) => ip.is_unspecified() || (ip.is_loopback() && !from.is_loopback()),
        Err(_) => host == "localhost" && !from.is_loopback(),
    };
    if own {
        // `set_ip_host` refuses schemes it does not know, such as udp.
        let host = if from.is_ipv6() { format!("[{from}]") } else { from.to_string() };
        url.set_host(Some(&host)).ok()?;
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(secs: u64) -> Moment {
        Moment::ZERO + Span::from_secs(secs)
    }

    fn id(n: u8) -> MemberId {
        MemberId([n; 16])
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));

    fn url(n: u8) -> String {
        format!("http://10.0.0.{n}:6969/announce")
    }

    fn join(coordinator: &mut Coordinator, secs: u64, n: u8) -> Standing {
        coordinator.register_tracker(at(secs), id(n), &[url(n)], HERE).expect("a good tracker")
    }

    #[test]
    fn uploads_go_to_the_trackers_in_turn() {
        let mut coordinator = Coordinator::new(NetworkRules::default());
        let refusal = coordinator.assign().expect_err("nobody there");
        assert_eq!(refusal.code, Code::NoTrackers);
        assert!(refusal.message.starts_with("no trackers available"), "{refusal}");
        (1..=3).for_each(|n| _ = join(&mut coordinator, 0, n));
        let firsts: Vec<_> = (0..4).map(|_| coordinator.assign().expect("trackers")[0][0].clone()).collect();
        assert_eq!(firsts, [url(1), url(2), url(3), url(1)]);
        assert_eq!(coordinator.assign().expect("trackers"), [[url(2)], [url(3)], [url(1)]]);
        assert_eq!(coordinator.tiers_from(&[url(1)]), Some(vec![vec![url(1)], vec![url(3)], vec![url(2)]]));
        assert_eq!(coordinator.tiers_from(&[url(9)]), None);
        let rows = coordinator.tracker_rows(|_| (4, 5, 6));
        assert_eq!(rows.iter().map(|row| row.assigned).collect::<Vec<_>>(), [1, 2, 2]);
        assert_eq!(rows[0].urls, [url(3)], "its turn is next");
    }

    #[test]
    fn a_tracker_that_registers_twice_is_told_so() {
        let mut coordinator = Coordinator::new(NetworkRules::default());
        assert_eq!(join(&mut coordinator, 0, 1), Standing::New);
        assert_eq!(join(&mut coordinator, 5, 1), Standing::Already(at(0)));
        let again = coordinator.register_tracker(at(6), id(9), &[url(1)], HERE);
        assert_eq!(again, Ok(Standing::Already(at(0))), "a new run of the same tracker");
        assert_eq!(coordinator.tiers(), [[url(1)]]);
        assert_eq!(coordinator.hear_tracker(at(7), id(1)).expect_err("replaced").code, Code::Unregistered);
        assert!(coordinator.hear_tracker(at(7), id(9)).is_ok());
    }

    #[test]
    fn silence_takes_members_out() {
        let mut coordinator = Coordinator::new(NetworkRules::default());
        join(&mut coordinator, 0, 1);
        join(&mut coordinator, 0, 2);
        coordinator.register_user(at(0), id(5), "eva", SocketAddr::new(HERE, 1)).expect("room");
        let list = coordinator.users_since(0).expect("changed");
        assert_eq!(list.users, [("eva".to_owned(), SocketAddr::new(HERE, 1))]);
        assert_eq!(coordinator.users_since(list.revision), None);
        coordinator.hear_tracker(at(9), id(2)).expect("known");
        assert!(coordinator.tick(at(9)).is_empty());
        let gone = coordinator.tick(at(10));
        assert!(
            matches!(&gone[..], [Gone::Tracker(a, _, heard), Gone::User(b, ..)]
                if (*a, *b, *heard) == (id(1), id(5), at(0))),
            "{gone:?}"
        );
        assert_eq!(coordinator.tiers(), [[url(2)]]);
        assert!(coordinator.users_since(list.revision).is_some_and(|list| list.users.is_empty()));
        assert_eq!(
            coordinator.hear_user(at(11), id(5), None, Vec::new()).expect_err("gone").code,
            Code::Unregistered
        );
    }

    #[test]
    fn urls_that_only_the_tracker_can_use_are_made_reachable() {
        let six: IpAddr = "fd00::7".parse().expect("an address");
        let home: IpAddr = [127, 0, 0, 1].into();
        for (url, from, expected) in [
            ("http://0.0.0.0:6969/announce", HERE, Some("http://10.0.0.7:6969/announce")),
            ("udp://127.0.0.1:6969/announce", HERE, Some("udp://10.0.0.7:6969/announce")),
            ("udp://[::]:6969/announce", six, Some("udp://[fd00::7]:6969/announce")),
            ("http://localhost/announce", HERE, Some("http://10.0.0.7/announce")),
            ("http://127.0.0.1:1/announce", home, Some("http://127.0.0.1:1/announce")),
            ("http://0.0.0.0:1/announce", home, Some("http://127.0.0.1:1/announce")),
            ("https://tracker.example/announce", HERE, Some("https://tracker.example/announce")),
            ("file:///etc/passwd", HERE, None),
            ("wss://a/announce", HERE, None),
            ("nothing", HERE, None),
        ] {
            assert_eq!(reachable_url(url, from).as_deref(), expected, "{url}");
        }
        assert_eq!(reachable_url(&format!("http://a/{}", "x".repeat(600)), HERE), None);
        let mut coordinator = Coordinator::new(NetworkRules::default());
        assert_eq!(
            coordinator.register_tracker(at(0), id(1), &["x".into()], HERE).expect_err("no URL").code,
            Code::Malformed
        );
    }

    #[test]
    fn names_and_announcements_are_kept_plain() {
        let announcing = Announcing { right: "a\u{1b}[31m\nb".into(), ..Announcing::default() };
        let rules = NetworkRules { max_connections: 0, announcing, ..NetworkRules::default() };
        let mut coordinator = Coordinator::new(rules);
        assert_eq!(
            (coordinator.rules().max_connections, coordinator.rules().announcing.right.as_str()),
            (1, "a [31m b")
        );
        for (n, name) in [(1, ""), (2, " \n"), (3, &"é".repeat(500))] {
            coordinator.register_user(at(0), id(n), name, SocketAddr::new(HERE, n.into())).expect("room");
        }
        let names: Vec<_> = coordinator.user_rows().into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["10.0.0.7:1", "10.0.0.7:2", &"é".repeat(NAME_CHARS)]);
    }

    proptest! {
        /// Joins (0), beats (1), leaves (2), uploads (3) and pauses against a plain list in order of turns.
        #[test]
        fn the_register_agrees_with_a_plain_list(steps in prop::collection::vec((0..4u8, 1..6u8, 0..6u64), 0..60)) {
            let mut coordinator = Coordinator::new(NetworkRules::default());
            let mut list: Vec<(u8, u64)> = Vec::new();
            let mut now = 0;
            for (what, n, pause) in steps {
                now += pause;
                coordinator.tick(at(now));
                list.retain(|(_, heard)| now - heard < SILENCE.secs());
                let place = list.iter().position(|(known, _)| *known == n);
                match what {
                    0 => {
                        let standing = join(&mut coordinator, now, n);
                        prop_assert_eq!(standing == Standing::New, place.is_none());
                        match place {
                            Some(place) => list[place].1 = now,
                            None => list.push((n, now)),
                        }
                    }
                    1 => {
                        prop_assert_eq!(coordinator.hear_tracker(at(now), id(n)).is_ok(), place.is_some());
                        place.into_iter().for_each(|place| list[place].1 = now);
                    }
                    2 => {
                        prop_assert_eq!(coordinator.remove_tracker(id(n)).is_some(), place.is_some());
                        place.into_iter().for_each(|place| _ = list.remove(place));
                    }
                    _ => {
                        let expected: Vec<_> = list.iter().map(|(known, _)| vec![url(*known)]).collect();
                        prop_assert_eq!(coordinator.assign().ok(), (!expected.is_empty()).then_some(expected));
                        if !list.is_empty() {
                            list.rotate_left(1);
                        }
                    }
                }
                let tiers: Vec<_> = list.iter().map(|(known, _)| vec![url(*known)]).collect();
                prop_assert_eq!(coordinator.tiers(), tiers);
            }
        }
    }
}
