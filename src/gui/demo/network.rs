//! The network of a played session: two trackers, six users, who come to the torrents that are shared from here, and
//! what was asked of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::api::{
    Flow, IndexEntry, NetworkCommand, NetworkRules, NetworkStatistics, NetworkView, Part, PartStatistics,
    Question, RegisteredTracker, RegisteredUser, Registers, ScreenLine, ScreenView, SeedTime,
    StatisticsPoint, TorrentRow, TrackerSwarm, UserStatistics,
};
use crate::base::InfoHash;

const USERS: [&str; 6] = ["anna", "bert", "cleo", "dora", "emil", "fritz"];
const MINUTE: u64 = 60_000;
/// The address that this machine seems to have.
const HERE: [u8; 4] = [192, 168, 1, 20];

/// A network that is played.
#[derive(Clone, Debug)]
pub struct Network {
    /// Whether the coordinator runs here.
    pub hosted: bool,
    /// Where others reach it.
    pub listen: Option<SocketAddr>,
    /// Whether the user has disconnected.
    pub disconnected: bool,
    /// Why the user cannot connect.
    pub fault: Option<String>,
    /// Whether the tracker is offered.
    pub tracker_connected: bool,
    /// Why the tracker cannot be.
    pub tracker_fault: Option<String>,
    /// Whether a download has completed.
    pub completed: bool,
    /// What applies.
    pub rules: NetworkRules,
    /// Torrents taken out of the index.
    unlisted: BTreeSet<InfoHash>,
    screens: [ScreenView; 5],
    /// Milliseconds since 1970 when it began.
    begun: u64,
    /// Rises with each step, so that rates move.
    steps: u64,
}

fn user(number: usize) -> SocketAddr {
    ([HERE[0], HERE[1], HERE[2], HERE[3] + number as u8], 6_881).into()
}

fn urls(number: u8) -> Vec<String> {
    vec![
        format!("http://192.168.1.{}:6969/announce", 20 + number),
        format!("udp://192.168.1.{}:6969", 20 + number),
    ]
}

fn screen(now: u64, lines: &[(u64, &str)]) -> ScreenView {
    let line = |&(ago, text): &(u64, &str)| ScreenLine {
        unix_millis: now.saturating_sub(ago * MINUTE),
        text: text.to_owned(),
        note: text.starts_with("anna:"),
    };
    ScreenView { lines: lines.iter().map(line).collect(), notes: false }
}

impl Network {
    /// One that has run for three quarters of an hour.
    pub(super) fn new(now: u64) -> Self {
        let coordinator = [
            (42, "The tracker at 192.168.1.20:6969 has registered."),
            (41, "anna has connected."),
            (30, "The tracker at 192.168.1.21:6969 has registered."),
            (22, "bert has connected."),
            (21, "Holiday photos 2026 was assigned to the tracker at 192.168.1.20:6969."),
            (9, "anna: please keep the photos open until Friday"),
        ];
        let tracker =
            [(42, "Registered with the coordinator."), (20, "bert became a peer of Holiday photos 2026.")];
        let peer = [(41, "Connected to the network."), (21, "Holiday photos 2026 is in the index.")];
        let index =
            [(21, "Holiday photos 2026 was stored for anna."), (19, "bert fetched Holiday photos 2026.")];
        Self {
            hosted: true,
            listen: None,
            disconnected: false,
            fault: None,
            tracker_connected: true,
            tracker_fault: None,
            completed: false,
            rules: NetworkRules::default(),
            unlisted: BTreeSet::new(),
            screens: [
                screen(now, &coordinator),
                screen(now, &tracker),
                screen(now, &peer),
                screen(now, &index),
                screen(now, &[(42, "Counting since now.")]),
            ],
            begun: now,
            steps: 0,
        }
    }

    /// Half a second passes.
    pub(super) fn step(&mut self) {
        self.steps += 1;
    }

    /// Whether torrents move.
    pub(super) fn moves(&self) -> bool {
        !self.disconnected
    }

    fn screen(&mut self, part: Part) -> &mut ScreenView {
        let at = match part {
            Part::Coordinator => 0,
            Part::Tracker => 1,
            Part::Peer => 2,
            Part::Index => 3,
            Part::Statistics => 4,
        };
        &mut self.screens[at]
    }

    fn say(&mut self, part: Part, text: impl Into<String>) {
        let unix_millis = crate::gui::clock::unix_millis();
        self.screen(part).lines.push(ScreenLine { unix_millis, text: text.into(), note: false });
    }

    /// Does what was asked, where no answer goes back.
    pub(super) fn obey(&mut self, command: &NetworkCommand, rows: &[TorrentRow]) {
        use NetworkCommand as Asked;
        match command {
            Asked::Host { listen } => {
                (self.hosted, self.listen, self.fault) = (true, *listen, None);
                let whom = listen.map_or_else(|| "this computer".to_owned(), |addr| addr.to_string());
                self.say(Part::Coordinator, format!("Coordinating for {whom}."));
            }
            Asked::QuitCoordinator => {
                (self.hosted, self.listen) = (false, None);
                self.fault = Some("There is no coordinator. Start one, or join another network.".to_owned());
                self.say(Part::Coordinator, "The coordinator has ended.");
            }
            Asked::Connect | Asked::Disconnect => {
                self.disconnected = *command == Asked::Disconnect;
                let how = if self.disconnected { "Disconnected from" } else { "Connected to" };
                self.say(Part::Peer, format!("{how} the network."));
            }
            Asked::ConnectTracker | Asked::DisconnectTracker => {
                self.tracker_connected = *command == Asked::ConnectTracker;
                let how = if self.tracker_connected { "Registered with" } else { "Disconnected from" };
                self.say(Part::Tracker, format!("{how} the coordinator."));
            }
            Asked::SetRules(rules) => {
                self.rules = NetworkRules::clone(rules);
                self.say(Part::Coordinator, "The rules have changed.");
            }
            Asked::Clear(part) => self.screen(*part).lines.clear(),
            Asked::AllowNotes { part, on } => self.screen(*part).notes = *on,
            Asked::Note { part, text } if self.screen(*part).notes => {
                self.say(*part, format!("anna: {text}"));
                self.screen(*part).lines.last_mut().into_iter().for_each(|line| line.note = true);
            }
            Asked::Ask(question) => self.answer(*question, rows),
            _ => {}
        }
    }

    /// Takes a torrent out of the index; its name, where it was there.
    pub(super) fn unlist(&mut self, hash: &str, rows: &[TorrentRow]) -> Option<String> {
        let entry = self.view(rows, self.begun).index.into_iter().find(|entry| named(entry, hash))?;
        self.unlisted.insert(entry.info_hash);
        self.say(Part::Index, format!("{} is out of the index.", entry.name));
        Some(entry.name)
    }

    fn answer(&mut self, question: Question, rows: &[TorrentRow]) {
        let view = self.view(rows, self.begun);
        let list = |what: &str, users: &dyn Fn(&TrackerSwarm) -> Vec<SocketAddr>| -> Vec<String> {
            view.tracker_swarms
                .iter()
                .map(|swarm| {
                    let users: Vec<_> = users(swarm).iter().map(ToString::to_string).collect();
                    let name = swarm.name.as_deref().unwrap_or_default();
                    format!("{what} of {name}: {}.", users.join(", "))
                })
                .collect()
        };
        let figures = &view.statistics;
        let (part, lines) = match question {
            Question::Trackers => {
                let trackers = view.registers.trackers.iter().map(|tracker| tracker.urls[0].clone());
                (Part::Coordinator, vec![format!("Trackers: {}.", trackers.collect::<Vec<_>>().join(", "))])
            }
            Question::Peers => (Part::Tracker, list("Peers", &|swarm| swarm.peers.clone())),
            Question::Seeds => (Part::Tracker, list("Seeds", &|swarm| swarm.seeds.clone())),
            Question::NPeers => (Part::Statistics, vec![format!("nPeers is {}.", figures.n_peers)]),
            Question::NSeeds => (Part::Statistics, vec![format!("nSeeds is {}.", figures.n_seeds)]),
            Question::TimeSeed => {
                let secs = figures.time.time_seed_secs.unwrap_or_default();
                (Part::Statistics, vec![format!("timeSeed is {secs:.0} s.")])
            }
        };
        let lines = if lines.is_empty() { vec!["Nobody is there.".to_owned()] } else { lines };
        lines.into_iter().for_each(|line| self.say(part, line));
    }

    /// The network as it would stand.
    pub(super) fn view(&self, rows: &[TorrentRow], now: u64) -> NetworkView {
        let shared: Vec<&TorrentRow> = rows
            .iter()
            .filter(|row| row.shared_here && !self.unlisted.contains(&row.info_hash))
            .take(100)
            .collect();
        let connected = !self.disconnected && self.fault.is_none();
        let [coordinator_screen, tracker_screen, peer_screen, index_screen, statistics_screen] =
            self.screens.clone();
        let mut view = NetworkView {
            hosted: self.hosted,
            connected,
            fault: self.fault.clone(),
            disconnected: self.disconnected,
            open: self.listen.is_some(),
            tracker_connected: self.tracker_connected && self.tracker_fault.is_none(),
            tracker_fault: self.tracker_fault.clone(),
            user: USERS[0].to_owned(),
            completed: self.completed,
            tracker_swarms: shared.iter().map(|row| swarm(row)).collect(),
            link: self.listen.map(|addr| format!("fyris://{addr}/AQ3KfQ9mZr7XwV2c1Tq0nJ8sYdLhPbGeRkUoWi")),
            coordinator_screen,
            tracker_screen,
            peer_screen,
            index_screen,
            statistics_screen,
            ..NetworkView::default()
        };
        view.registers.rules = self.rules.clone();
        if self.fault.is_none() {
            view.registers = self.registers(&shared, now);
            view.index = index(&shared, now);
            view.index.retain(|entry| !self.unlisted.contains(&entry.info_hash));
            view.statistics = statistics(&shared, now);
        }
        view
    }

    fn registers(&self, shared: &[&TorrentRow], now: u64) -> Registers {
        let busy = !shared.is_empty();
        let tracker = |number: u8, assigned: u32| RegisteredTracker {
            urls: urls(number),
            since_unix_millis: now.saturating_sub((42 - u64::from(number) * 12) * MINUTE),
            heard_unix_millis: now.saturating_sub(3_000),
            assigned,
            torrents: assigned,
            peers: if assigned > 0 { 3 } else { 0 },
            seeds: assigned,
        };
        let member = |number: usize| RegisteredUser {
            name: USERS[number].to_owned(),
            addr: user(number),
            since_unix_millis: now.saturating_sub((41 - number as u64 * 6) * MINUTE),
            heard_unix_millis: now.saturating_sub(1_000 * number as u64),
            seeding: if number == 0 { shared.len() as u32 } else { u32::from(busy && number == 4) },
            downloading: u32::from(busy && (1..4).contains(&number)),
        };
        let flows = shared.first().map_or_else(Vec::new, |row| {
            let arrows =
                [(0, 1, 900), (0, 2, 640), (1, 2, 410), (2, 1, 380), (1, 3, 260), (4, 3, 700), (2, 3, 120)];
            let moved = |kib: u64, at: u64| (kib + (self.steps * 37 * (at + 1)) % (kib / 2)) << 10;
            let flow = |(at, (from, to, kib)): (usize, (usize, usize, u64))| Flow {
                from: user(from),
                to: user(to),
                torrent: row.info_hash,
                rate: moved(kib, at as u64),
            };
            let here = |flow: &Flow| self.moves() || (flow.from != user(0) && flow.to != user(0));
            arrows.into_iter().enumerate().map(flow).filter(here).collect()
        });
        let assigned = shared.len() as u32;
        let first = usize::from(self.disconnected);
        let mut trackers = vec![tracker(0, assigned.div_ceil(2)), tracker(1, assigned / 2)];
        trackers.drain(..usize::from(!self.tracker_connected || self.tracker_fault.is_some()));
        Registers {
            rules: self.rules.clone(),
            trackers,
            users: (first..if busy { USERS.len() } else { 1 }).map(member).collect(),
            flows,
        }
    }
}

/// Whether an entry has this name or hash.
pub(super) fn named(entry: &IndexEntry, name: &str) -> bool {
    entry.name == name || entry.info_hash.to_hex() == name
}

/// What the index keeps: what is shared from here, and where that is something, what others share.
pub(super) fn index(shared: &[&TorrentRow], now: u64) -> Vec<IndexEntry> {
    let mut index: Vec<IndexEntry> = shared.iter().map(|row| entry(row)).collect();
    if !shared.is_empty() {
        for (number, (name, size)) in
            [("Field recordings of May", 812 << 20), ("Holiday photos 2026", 96 << 20)]
                .into_iter()
                .enumerate()
        {
            index.push(IndexEntry {
                info_hash: InfoHash([0xa0 + number as u8; 20]),
                name: name.to_owned(),
                size,
                files: 31,
                piece_length: 1 << 20,
                added_unix: (now / 1_000).saturating_sub(400 * (number as u64 + 1)),
                uploader: USERS[4 + number].to_owned(),
                tiers: vec![urls(1), urls(0)],
                namesakes: 0,
                seeds: 1,
                peers: 0,
            });
        }
    }
    for at in 0..index.len() {
        let same = index.iter().filter(|entry| entry.name == index[at].name).count();
        index[at].namesakes = same as u32 - 1;
    }
    index
}

fn swarm(row: &TorrentRow) -> TrackerSwarm {
    let (peers, seeds) = (vec![user(1), user(2), user(3)], vec![user(0), user(4)]);
    TrackerSwarm { torrent: row.info_hash, name: Some(row.name.clone()), peers, seeds }
}

fn entry(row: &TorrentRow) -> IndexEntry {
    IndexEntry {
        info_hash: row.info_hash,
        name: row.name.clone(),
        size: row.size,
        files: 12,
        piece_length: 4 << 20,
        added_unix: row.added_unix,
        uploader: USERS[0].to_owned(),
        tiers: vec![urls(0), urls(1)],
        namesakes: 0,
        seeds: 1,
        peers: 3,
    }
}

fn statistics(shared: &[&TorrentRow], now: u64) -> NetworkStatistics {
    let busy = u32::from(!shared.is_empty());
    let time = SeedTime { time_seed_secs: (busy > 0).then_some(1_284.0), finished: 3, running: 2 };
    let point = |minute: u64| StatisticsPoint {
        unix_secs: (now / 1_000).saturating_sub((40 - minute) * 60),
        n_peers: busy * ((minute / 5) % 4) as u32,
        n_seeds: busy * (1 + minute / 14) as u32,
        time_seed_secs: minute as f32 * 32.0 * busy as f32,
    };
    let history: Vec<_> = (0..=40).map(point).collect();
    let part = |key: String, name: String| PartStatistics {
        key,
        name,
        n_peers: 3 * busy,
        n_seeds: busy,
        time,
        history: history.clone(),
    };
    let member = |number: usize| UserStatistics {
        addr: user(number),
        name: Some(USERS[number].to_owned()),
        downloading: busy * u32::from((1..4).contains(&number)),
        seeding: busy * u32::from(number == 0 || number == 4),
        time: SeedTime {
            time_seed_secs: number.is_multiple_of(4).then_some(900.0 + number as f64 * 200.0),
            finished: 1,
            running: 1,
        },
    };
    NetworkStatistics {
        n_peers: 3 * busy,
        n_seeds: 2 * busy,
        time,
        n_users: 1 + 5 * busy,
        users: (0..1 + 5 * busy as usize).map(member).collect(),
        trackers: (0..2)
            .map(|number| part(urls(number).remove(0), format!("Tracker {}", number + 1)))
            .collect(),
        torrents: shared.iter().map(|row| part(row.info_hash.to_hex(), row.name.clone())).collect(),
        history: history.clone(),
    }
}
