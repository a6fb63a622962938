//! A network as one machine: coordinator, index and statistics behind the operations of the protocol.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use crate::api::{IndexEntry, NetworkRules, NetworkStatistics, Registers};
use crate::base::{InfoHash, Moment, Span};
use crate::metainfo::Torrent;
use crate::network::coordinator::{BEAT, Gone, Standing};
use crate::network::{
    AskRegisters, AskScreens, AskStatistics, Code, Coordinator, Done, Fetch, Fetched, Index, Kept,
    LeaveTracker, LeaveUser, List, MemberId, Names, Note, Operation, Refusal, RegisterTracker, RegisterUser,
    Remove, Screen, ScreensNews, Sighting, Source, Statistics, TrackerBeat, TrackerNews, Upload, Uploaded,
    UserBeat, UserNews, Welcome,
};

/// Torrents that a user may tell of.
const HOLDINGS: usize = 5_000;
/// Peers handed out with a torrent.
const PEERS: usize = 50;

/// A network: its registers, its index, its statistics, and a screen for each.
pub struct Network {
    coordinator: Coordinator,
    index: Index,
    statistics: Statistics,
    screens: Screens,
    effects: VecDeque<Effect>,
    /// By which the machine this runs on is known to others; stands for loopback.
    own_ip: Option<IpAddr>,
    /// Whether other machines can come.
    is_open: bool,
}

/// What each part of a network has to say.
#[derive(Clone, Debug, Default)]
pub struct Screens {
    /// Who comes and goes, and what is assigned to whom.
    pub coordinator: Screen,
    /// What is stored, fetched and removed.
    pub index: Screen,
    /// What was asked of the statistics.
    pub statistics: Screen,
}

impl Screens {
    fn news(&self, known: &AskScreens) -> ScreensNews {
        ScreensNews {
            coordinator: self.coordinator.news(known.coordinator),
            index: self.index.news(known.index),
            statistics: self.statistics.news(known.statistics),
        }
    }

    /// Takes what has come onto the screens elsewhere; gives what to ask for next.
    pub fn take(&mut self, news: ScreensNews) -> AskScreens {
        let ScreensNews { coordinator, index, statistics } = news;
        let known =
            AskScreens { coordinator: coordinator.upto, index: index.upto, statistics: statistics.upto };
        self.coordinator.take(coordinator.lines);
        self.index.take(index.lines);
        self.statistics.take(statistics.lines);
        known
    }
}

/// Something that has to last. It must be written before the answer to the request that caused it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A torrent is in the index.
    Keep {
        /// Which.
        torrent: InfoHash,
        /// As it is now.
        now: Kept,
        /// As it was.
        before: Option<Kept>,
    },
    /// A torrent has left the index.
    Drop {
        /// Which.
        torrent: InfoHash,
        /// As it was.
        before: Kept,
    },
}

impl Network {
    /// A network with those rules, nobody in it, and an empty index.
    pub fn new(rules: NetworkRules) -> Self {
        Self {
            coordinator: Coordinator::new(rules),
            index: Index::default(),
            statistics: Statistics::default(),
            screens: Screens::default(),
            effects: VecDeque::new(),
            own_ip: None,
            is_open: true,
        }
    }

    /// Puts back what the index kept in a former run.
    ///
    /// # Errors
    /// Where the .torrent cannot be read or the index is full.
    pub fn restore(&mut self, torrent: &[u8], note: Note) -> Result<InfoHash, Refusal> {
        let torrent = Torrent::parse(torrent).map_err(malformed)?;
        let hash = torrent.info_hash;
        self.index.put(hash, Kept::new(torrent, note))?;
        Ok(hash)
    }

    /// Takes back what could not be made to last: the index is as it was before.
    pub fn undo(&mut self, effect: Effect) {
        let (torrent, before) = match effect {
            Effect::Keep { torrent, before, .. } => (torrent, before),
            Effect::Drop { torrent, before } => (torrent, Some(before)),
        };
        self.index.take(torrent);
        if let Some(kept) = before {
            // It had its place a moment ago.
            let _ = self.index.put(torrent, kept);
        }
    }

    /// Sets the address by which others know the machine that this runs on, and whether they can come here.
    pub fn set_own_ip(&mut self, ip: Option<IpAddr>, is_open: bool) {
        self.own_ip = ip;
        self.is_open = is_open;
    }

    /// Changes what applies; members learn of it with their next beat.
    pub fn set_rules(&mut self, now: Moment, rules: NetworkRules) {
        self.coordinator.set_rules(rules);
        let rules = self.coordinator.rules();
        let size = rules.piece_length.map_or("automatic".to_owned(), |length| format!("{length} bytes"));
        let text = format!("piece size {size}, at most {} connections", rules.max_connections);
        self.screens.coordinator.say(now, text);
    }

    /// Answers an operation that came as JSON from `from`, with JSON.
    ///
    /// # Errors
    /// Where the operation is unknown, the body is none of it, or it is refused.
    pub fn handle(
        &mut self,
        now: Moment,
        from: IpAddr,
        operation: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        match operation {
            RegisterTracker::NAME => run(body, |request| self.register_tracker(now, from, request)),
            TrackerBeat::NAME => run(body, |request| self.tracker_beat(now, request)),
            LeaveTracker::NAME => run(body, |request| self.leave_tracker(now, request)),
            RegisterUser::NAME => run(body, |request| self.register_user(now, from, request)),
            UserBeat::NAME => run(body, |request| self.user_beat(now, request)),
            LeaveUser::NAME => run(body, |request| self.leave_user(now, request)),
            Upload::NAME => run(body, |request| self.upload(now, request)),
            List::NAME => run(body, |request: List| {
                Ok(self
                    .index
                    .list(&request.search, request.offset, |torrent| self.statistics.torrent(torrent)))
            }),
            Fetch::NAME => run(body, |request| self.fetch(now, from, request)),
            Remove::NAME => run(body, |request| self.remove(now, request)),
            AskStatistics::NAME => run(body, |_: AskStatistics| Ok(self.statistics(now))),
            AskRegisters::NAME => run(body, |_: AskRegisters| Ok(self.registers())),
            AskScreens::NAME => run(body, |request: AskScreens| Ok(self.screens.news(&request))),
            _ => Err(Refusal::new(Code::NotFound, "there is no such operation")),
        }
    }

    /// Takes out who has fallen silent, and writes the histories on. To be called every second or so.
    pub fn tick(&mut self, now: Moment) {
        for gone in self.coordinator.tick(now) {
            match gone {
                Gone::Tracker(id, tracker, heard) => {
                    self.statistics.withdraw(Source::Tracker(id), heard);
                    let text = format!("tracker {} fell silent and is off the register", tracker.name());
                    self.screens.coordinator.say(now, text);
                }
                Gone::User(id, user, heard) => {
                    self.statistics.user_left(id, user.addr, heard);
                    let text = format!("user {} fell silent and is off the register", user.name);
                    self.screens.coordinator.say(now, text);
                }
            }
        }
        self.statistics.tick(now);
    }

    /// The next thing that has to last.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The screens.
    pub fn screens(&self) -> &Screens {
        &self.screens
    }

    /// The screens, to be cleared or written on.
    pub fn screens_mut(&mut self) -> &mut Screens {
        &mut self.screens
    }

    /// What applies.
    pub fn rules(&self) -> &NetworkRules {
        self.coordinator.rules()
    }

    /// The registers and who sends to whom.
    pub fn registers(&self) -> Registers {
        Registers {
            rules: self.coordinator.rules().clone(),
            trackers: self.coordinator.tracker_rows(|id| self.statistics.tracker(id)),
            users: self.coordinator.user_rows(),
            flows: self.coordinator.flows(),
        }
    }

    /// Every figure.
    pub fn statistics(&self, now: Moment) -> NetworkStatistics {
        let users = self.coordinator.user_count();
        NetworkStatistics {
            n_users: users as u32,
            ..self.statistics.view(now, &Known(&self.coordinator, &self.index))
        }
    }

    /// What a torrent of the index is called.
    pub fn name_of(&self, torrent: InfoHash) -> Option<String> {
        self.index.name(torrent).map(str::to_owned)
    }

    /// The whole index, as far as one page goes.
    pub fn entries(&self) -> Vec<IndexEntry> {
        self.index.list("", 0, |torrent| self.statistics.torrent(torrent)).torrents
    }

    fn register_tracker(
        &mut self,
        now: Moment,
        from: IpAddr,
        request: RegisterTracker,
    ) -> Result<Welcome, Refusal> {
        // Where nobody comes from elsewhere, a tracker may well answer at loopback alone.
        let from = if self.is_open { self.seen_as(from) } else { from.to_canonical() };
        let standing = self.coordinator.register_tracker(now, request.id, &request.urls, from)?;
        let urls =
            self.coordinator.tracker(request.id).map(|tracker| tracker.urls.clone()).unwrap_or_default();
        let name = urls.first().cloned().unwrap_or_default();
        self.screens.coordinator.say(
            now,
            match standing {
                Standing::New => format!("tracker {name} registered"),
                Standing::Already(_) => format!("tracker {name} registered again; it was registered already"),
            },
        );
        Ok(self.welcome(standing, vec![urls], Vec::new()))
    }

    fn tracker_beat(&mut self, now: Moment, beat: TrackerBeat) -> Result<TrackerNews, Refusal> {
        self.coordinator.hear_tracker(now, beat.id)?;
        let (own_ip, source) = (self.own_ip, Source::Tracker(beat.id));
        if let Some(swarms) = beat.swarms {
            let sightings = swarms.into_iter().flat_map(|swarm| {
                swarm.peers.into_iter().map(move |peer| Sighting {
                    torrent: swarm.torrent,
                    addr: outward(own_ip, peer.addr),
                    seed_for: peer.seed_secs.map(Span::from_secs),
                })
            });
            let all_count = self.statistics.report(now, source, sightings);
            self.statistics.set_revision(source, if all_count { beat.revision } else { 0 });
        }
        let users = self.coordinator.users_since(beat.users_revision);
        let revision = self.statistics.revision(source);
        Ok(TrackerNews { rules: self.coordinator.rules().clone(), users, revision })
    }

    fn leave_tracker(&mut self, now: Moment, request: LeaveTracker) -> Result<Done, Refusal> {
        if let Some(tracker) = self.coordinator.remove_tracker(request.id) {
            self.statistics.withdraw(Source::Tracker(request.id), now);
            self.screens.coordinator.say(now, format!("tracker {} disconnected", tracker.name()));
        }
        Ok(Done {})
    }

    fn register_user(
        &mut self,
        now: Moment,
        from: IpAddr,
        request: RegisterUser,
    ) -> Result<Welcome, Refusal> {
        let addr = SocketAddr::new(self.seen_as(from), request.port);
        let standing = self.coordinator.register_user(now, request.id, &request.name, addr)?;
        // It may hold the same at another address now.
        self.statistics.set_revision(Source::User(request.id), 0);
        self.statistics.user_came(addr, now);
        let name = self.user_name(request.id);
        self.screens.coordinator.say(
            now,
            match standing {
                Standing::New => format!("user {name} connected"),
                Standing::Already(_) => format!("user {name} connected again; it was connected already"),
            },
        );
        let shares = request.shares.into_iter().take(HOLDINGS);
        let missing = shares.filter(|torrent| self.index.get(*torrent).is_none()).collect();
        Ok(self.welcome(standing, self.coordinator.tiers(), missing))
    }

    fn user_beat(&mut self, now: Moment, mut beat: UserBeat) -> Result<UserNews, Refusal> {
        let source = Source::User(beat.id);
        let counts = beat.torrents.as_mut().map(|torrents| {
            torrents.truncate(HOLDINGS);
            let seeding = torrents.iter().filter(|holding| holding.seed_secs.is_some()).count();
            (seeding as u32, (torrents.len() - seeding) as u32)
        });
        let addr = self.coordinator.hear_user(now, beat.id, counts, beat.sends)?.addr;
        if let Some(torrents) = beat.torrents {
            let sightings = torrents.into_iter().map(|holding| Sighting {
                torrent: holding.torrent,
                addr,
                seed_for: holding.seed_secs.map(Span::from_secs),
            });
            let all_count = self.statistics.report(now, source, sightings);
            self.statistics.set_revision(source, if all_count { beat.revision } else { 0 });
        }
        let (rules, trackers) = (self.coordinator.rules().clone(), self.coordinator.tiers());
        Ok(UserNews { rules, trackers, revision: self.statistics.revision(source) })
    }

    fn leave_user(&mut self, now: Moment, request: LeaveUser) -> Result<Done, Refusal> {
        if let Some(user) = self.coordinator.remove_user(request.id) {
            self.statistics.user_left(request.id, user.addr, now);
            self.screens.coordinator.say(now, format!("user {} disconnected", user.name));
        }
        Ok(Done {})
    }

    fn upload(&mut self, now: Moment, request: Upload) -> Result<Uploaded, Refusal> {
        if self.coordinator.user(request.id).is_none() {
            return Err(Refusal::new(Code::Unregistered, "connect to the network first, then upload"));
        }
        let uploader = self.user_name(request.id);
        let torrent = Torrent::from_info(request.info.0.into(), Vec::new(), Vec::new()).map_err(malformed)?;
        let (hash, name) = (torrent.info_hash, torrent.name.clone());
        let before = self.index.get(hash).cloned();
        let known = before.as_ref().map(|kept| &kept.note);
        // An upload that comes again stays with its tracker while that is here, and is assigned anew otherwise.
        let stays = known.and_then(|note| self.coordinator.tiers_from(note.tiers.first()?));
        let tiers = match stays {
            Some(tiers) => tiers,
            None => self.coordinator.assign()?,
        };
        let first = tiers.first().and_then(|urls| urls.first()).cloned().unwrap_or_default();
        let note = match known {
            Some(note) => Note { tiers, ..note.clone() },
            None => Note { added_unix: now.micros() / 1_000_000, uploader: uploader.clone(), tiers },
        };
        let again = if known.is_some() { " again" } else { "" };
        let kept = Kept::new(torrent, note);
        self.index.put(hash, kept.clone())?;
        self.screens.coordinator.say(now, format!("{uploader} uploaded {name}: assigned to {first}"));
        let entry = self.row(hash)?;
        let others = match entry.namesakes {
            0 => String::new(),
            count => format!("; {count} more of that name, kept apart by info-hash"),
        };
        self.screens.index.say(now, format!("stored {name}{again} ({hash}){others}"));
        let (known, torrent) = (known.is_some(), super::Base64(kept.torrent.to_vec()));
        self.effects.push_back(Effect::Keep { torrent: hash, now: kept, before });
        Ok(Uploaded { entry, torrent, known })
    }

    fn fetch(&mut self, now: Moment, from: IpAddr, request: Fetch) -> Result<Fetched, Refusal> {
        // Of several with one name, the only one that somebody has can be meant; which of two that are there, cannot be told.
        let mut alive =
            self.index.named(&request.name).iter().filter(|hash| self.statistics.torrent(**hash) != (0, 0));
        let only = alive.next().copied().filter(|_| alive.next().is_none());
        let found = self.index.find(&request.name);
        let found = found.or_else(|refusal| only.filter(|_| refusal.code == Code::Ambiguous).ok_or(refusal));
        let hash = found.inspect_err(|refusal| {
            self.screens.index.say(now, format!("{from} asked for {}: {refusal}", request.name));
        })?;
        let entry = self.row(hash)?;
        let torrent = self.index.get(hash).map(|kept| kept.torrent.to_vec()).unwrap_or_default();
        let peers = self.statistics.users_of(hash).take(PEERS).collect();
        self.screens.index.say(now, format!("handed {} to {from}", entry.name));
        Ok(Fetched { entry, torrent: super::Base64(torrent), peers })
    }

    fn remove(&mut self, now: Moment, request: Remove) -> Result<IndexEntry, Refusal> {
        let hash = self.index.find(&request.name)?;
        let entry = self.row(hash)?;
        if let Some(before) = self.index.take(hash) {
            self.effects.push_back(Effect::Drop { torrent: hash, before });
        }
        self.screens.index.say(now, format!("removed {} ({hash})", entry.name));
        Ok(entry)
    }

    fn welcome(&self, standing: Standing, trackers: Vec<Vec<String>>, missing: Vec<InfoHash>) -> Welcome {
        let already_unix_millis = match standing {
            Standing::New => None,
            Standing::Already(since) => Some(since.micros() / 1_000),
        };
        let rules = self.coordinator.rules().clone();
        Welcome { rules, beat_secs: BEAT.secs(), already_unix_millis, trackers, missing }
    }

    fn row(&self, hash: InfoHash) -> Result<IndexEntry, Refusal> {
        let row = self.index.row(hash, |torrent| self.statistics.torrent(torrent));
        row.ok_or_else(|| Refusal::new(Code::NotFound, "this torrent is no longer in the index"))
    }

    fn user_name(&self, id: MemberId) -> String {
        self.coordinator.user(id).map(|user| user.name.clone()).unwrap_or_default()
    }

    fn seen_as(&self, from: IpAddr) -> IpAddr {
        outward(self.own_ip, SocketAddr::new(from, 0)).ip()
    }
}

/// Names for the statistics.
struct Known<'a>(&'a Coordinator, &'a Index);

impl Names for Known<'_> {
    fn user(&self, addr: SocketAddr) -> Option<String> {
        self.0.user_at(addr).map(|user| user.name.clone())
    }

    fn torrent(&self, torrent: InfoHash) -> Option<String> {
        self.1.name(torrent).map(str::to_owned)
    }

    fn tracker(&self, tracker: MemberId) -> Option<String> {
        self.0.tracker(tracker).map(|tracker| tracker.name().to_owned())
    }
}

/// The address others know: an IPv4 address is never written as an IPv6 one, and what is loopback here is this machine.
fn outward(own_ip: Option<IpAddr>, addr: SocketAddr) -> SocketAddr {
    let ip = addr.ip().to_canonical();
    let ip = own_ip.filter(|_| ip.is_loopback()).unwrap_or(ip);
    SocketAddr::new(ip, addr.port())
}

fn run<R: Operation>(
    body: &[u8],
    handler: impl FnOnce(R) -> Result<R::Answer, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let request = serde_json::from_slice(body)
        .map_err(|error| Refusal::new(Code::Malformed, format!("this is no {} request: {error}", R::NAME)))?;
    to_json(&handler(request)?)
}

fn to_json(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(answer).map_err(|error| Refusal::new(Code::Internal, error.to_string()))
}

fn malformed(error: crate::metainfo::TorrentError) -> Refusal {
    Refusal::new(Code::Malformed, format!("this is no torrent: {error}"))
}
