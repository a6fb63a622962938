//! The trackers of one torrent, in their tiers (BEP 12).

use std::net::SocketAddr;

use crate::announce::request::{AnnounceRequest, Failure, Kind, Stats};
use crate::announce::tracker::Tracker;
use crate::announce::url::is_local;
use crate::api::TrackerRow;
use crate::base::{Moment, Rng, limits};
use crate::wire::tracker::{Answer, Event};

/// Decides when which tracker of a torrent is told what.
///
/// Every tier is announced to, each through its first tracker that works: peers may have chosen differently among tiers, and
/// a torrent made by joining lists would otherwise be split. Within a tier the order is random at first, the next one is
/// tried at once when one fails, and the one that works moves to the front (BEP 12).
///
/// A tracker on this machine or in the local network is always announced to, whatever else works in its tier. Its address
/// may mean another tracker on each machine, so that an answer from it says nothing about the rest; and a peer that is heard
/// over every address it can be reached at is found by everybody who shares one of them.
#[derive(Debug)]
pub struct Announcer {
    trackers: Vec<Tracker>,
    groups: Vec<Group>,
    running: bool,
    key: u32,
    next_id: u64,
    tiers: u32,
    rng: Rng,
}

/// Trackers of which one is announced to.
#[derive(Debug)]
struct Group {
    /// The tier they stand in; nothing for a local tracker, which is announced to for itself.
    tier: Option<u32>,
    /// The preferred first.
    members: Vec<usize>,
}

impl Announcer {
    /// The trackers of a torrent that is not started yet. A tracker named twice counts once, where it stands first.
    pub fn new(tiers: Vec<Vec<String>>, mut rng: Rng) -> Self {
        let key = rng.bits32();
        let mut announcer =
            Self { trackers: Vec::new(), groups: Vec::new(), running: false, key, next_id: 0, tiers: 0, rng };
        announcer.add_tiers(&tiers);
        announcer
    }

    /// Adds tiers behind those that are there; trackers that are there already stay where they are.
    pub fn add_tiers(&mut self, tiers: &[Vec<String>]) {
        for urls in tiers {
            let known = self.trackers.len();
            urls.iter().for_each(|url| self.add(url.trim()));
            if let Some(group) = self.groups.iter_mut().find(|group| group.tier == Some(self.tiers)) {
                self.rng.shuffle(&mut group.members);
            }
            self.tiers += u32::from(self.trackers.len() > known);
        }
    }

    /// The torrent runs: every tracker is told `started` once.
    pub fn start(&mut self, now: Moment) {
        if !self.running {
            self.running = true;
            self.trackers.iter_mut().for_each(|tracker| tracker.start(now));
        }
    }

    /// The torrent ends: every tracker that knows of it is told `stopped` once, tried once.
    pub fn stop(&mut self, _now: Moment) {
        if self.running {
            self.running = false;
            self.trackers.iter_mut().for_each(Tracker::stop);
        }
    }

    /// The download is complete: every tracker that knew of it as a download is told so once.
    pub fn completed(&mut self, _now: Moment) {
        if self.running {
            self.trackers.iter_mut().for_each(Tracker::complete);
        }
    }

    /// Asks for peers as soon as each tracker allows.
    pub fn ask_now(&mut self, now: Moment) {
        if self.running {
            self.trackers.iter_mut().for_each(|tracker| tracker.hurry(now));
        }
    }

    /// The next question that is due; to be called until there is none.
    pub fn poll(&mut self, now: Moment, stats: Stats) -> Option<AnnounceRequest> {
        let (at, kind) = self.due(now)?;
        self.next_id += 1;
        let id = self.next_id;
        let tracker = &mut self.trackers[at];
        let event = match kind {
            Kind::Scrape => Event::None,
            Kind::Announce => tracker.next_event(),
        };
        match kind {
            Kind::Scrape => tracker.scrape(id),
            Kind::Announce => tracker.ask(id, event),
        }
        Some(AnnounceRequest {
            id,
            url: tracker.url.clone(),
            kind,
            // A partial seed says so whenever it has nothing else to say (BEP 21).
            event: if event == Event::None && stats.partial_seed { Event::Paused } else { event },
            numwant: match (event, stats.want_peers) {
                (Event::Stopped, _) => 0,
                (_, false) => NUMWANT_CONTENT,
                (_, true) => NUMWANT,
            },
            key: self.key,
            tracker_id: tracker.tracker_id.clone(),
            stats,
        })
    }

    /// Takes the answer to a question and hands out the peers in it. An answer to a question that is no longer of interest
    /// changes nothing.
    pub fn handle(&mut self, now: Moment, id: u64, answer: Result<Answer, Failure>) -> Vec<SocketAddr> {
        let Self { trackers, running, rng, .. } = self;
        if let Some(tracker) =
            trackers.iter_mut().find_map(|tracker| tracker.end_scrape(id).then_some(tracker))
        {
            match answer {
                Ok(answer) => tracker.scraped(&answer),
                Err(_) => tracker.scrape_failed(now),
            }
            return Vec::new();
        }
        let ended =
            trackers.iter_mut().enumerate().find_map(|(at, tracker)| Some((at, tracker.end_announce(id)?)));
        let Some((at, event)) = ended else { return Vec::new() };
        match answer {
            Ok(mut answer) => {
                trackers[at].answered(now, event, &mut answer, *running, rng);
                self.prefer(at);
                if self.running { answer.peers } else { Vec::new() }
            }
            Err(failure) => {
                trackers[at].failed(now, event, failure, rng);
                self.replace(now, at);
                Vec::new()
            }
        }
    }

    /// When [`poll`](Self::poll) has something next; [`Moment::NEVER`] where only an answer can change that.
    pub fn next_deadline(&self) -> Moment {
        if !self.running {
            let leaving = self.trackers.iter().any(Tracker::is_leaving);
            return if leaving { Moment::ZERO } else { Moment::NEVER };
        }
        let announces =
            self.groups.iter().map(|group| self.group_due(group).map_or(Moment::NEVER, |(_, due)| due));
        let scrapes = self.trackers.iter().map(Tracker::scrape_due);
        announces.chain(scrapes).min().unwrap_or(Moment::NEVER)
    }

    /// Whether the torrent has ended and a tracker has yet to be told so, or is being told.
    pub fn saying_farewell(&self) -> bool {
        !self.running && !self.trackers.iter().all(Tracker::is_quiet)
    }

    /// Whether there is no tracker.
    pub fn is_empty(&self) -> bool {
        self.trackers.is_empty()
    }

    /// Whether a tracker is being asked, or has yet to be told of an end.
    pub fn is_busy(&self) -> bool {
        self.trackers.iter().any(Tracker::is_asking) || self.saying_farewell()
    }

    /// How the trackers stand, in the order of the torrent.
    pub fn rows(&self, now: Moment) -> Vec<TrackerRow> {
        let scheduled = |at| {
            let group = self.groups.iter().find(|group| group.members.contains(&at));
            self.running && group.is_some_and(|group| self.working(group).is_none_or(|working| working == at))
        };
        self.trackers.iter().enumerate().map(|(at, tracker)| tracker.row(now, scheduled(at))).collect()
    }

    /// Downloaders and seeds, as far as a tracker told them: `(incomplete, complete)`.
    pub fn swarm(&self) -> Option<(u32, u32)> {
        let incomplete = self.trackers.iter().filter_map(|tracker| tracker.incomplete).max();
        let complete = self.trackers.iter().filter_map(|tracker| tracker.complete).max();
        (incomplete.is_some() || complete.is_some()).then(|| (incomplete.unwrap_or(0), complete.unwrap_or(0)))
    }

    fn due(&self, now: Moment) -> Option<(usize, Kind)> {
        if !self.running {
            return self.trackers.iter().position(Tracker::is_leaving).map(|at| (at, Kind::Announce));
        }
        let announce =
            self.groups.iter().filter_map(|group| self.group_due(group)).find(|(_, due)| *due <= now);
        let scrape = || self.trackers.iter().position(|tracker| tracker.scrape_due() <= now);
        announce.map(|(at, _)| (at, Kind::Announce)).or_else(|| scrape().map(|at| (at, Kind::Scrape)))
    }

    /// The tracker of a group that is announced to next, and when: the one that works, or else whichever is due first.
    fn group_due(&self, group: &Group) -> Option<(usize, Moment)> {
        if group.members.iter().any(|at| self.trackers[*at].is_asking()) {
            return None;
        }
        let soonest = || group.members.iter().copied().min_by_key(|at| self.trackers[*at].due());
        let at = self.working(group).or_else(soonest)?;
        Some((at, self.trackers[at].due())).filter(|(_, due)| *due != Moment::NEVER)
    }

    /// The first tracker of a group that works.
    fn working(&self, group: &Group) -> Option<usize> {
        group.members.iter().copied().find(|at| self.trackers[*at].is_working())
    }

    fn add(&mut self, url: &str) {
        let known = self.trackers.iter().any(|tracker| *tracker.url == *url);
        if known || url.is_empty() || url.len() > limits::URL_BYTES || self.trackers.len() >= limits::TRACKERS
        {
            return;
        }
        let (at, tier) = (self.trackers.len(), Some(self.tiers).filter(|_| !is_local(url)));
        self.trackers.push(Tracker::new(url, self.tiers));
        match self.groups.iter_mut().find(|group| tier.is_some() && group.tier == tier) {
            Some(group) => group.members.push(at),
            None => self.groups.push(Group { tier, members: vec![at] }),
        }
    }

    /// Moves a tracker that works to the front of its group.
    fn prefer(&mut self, at: usize) {
        for group in &mut self.groups {
            if let Some(place) = group.members.iter().position(|member| *member == at) {
                group.members[..=place].rotate_right(1);
            }
        }
    }

    /// Lets the others of its group step in for a tracker that failed.
    fn replace(&mut self, now: Moment, at: usize) {
        for group in self.groups.iter().filter(|group| group.members.contains(&at)) {
            for other in group.members.iter().filter(|other| **other != at) {
                self.trackers[*other].step_in(now);
            }
        }
    }
}

/// Peers asked for where more are wanted.
const NUMWANT: u32 = 200;
/// Peers asked for where there are enough: a few to stay in touch, should the others leave.
const NUMWANT_CONTENT: u32 = 50;
