//! The session in its network: what passes between the engine's loop and the desk of the network.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::api::{
    Event, Level, NetworkCommand, NetworkRules, NetworkView, RequestId, Settings, Share, Source, State,
    TorrentRow,
};
use crate::base::{InfoHash, Moment, Span};
use crate::engine::{Addition, Input, Subject};
use crate::metainfo::Torrent;
use crate::net::driver::Driver;
use crate::net::network::{Begin, Desk, Order, Word};
use crate::network::{Holdings, Sending};

/// How often the user's facts are brought up to date.
const FACTS: Span = Span::from_secs(1);
/// Torrents and transfers that the coordinator is told of.
const HOLDINGS: usize = 5_000;
const SENDS: usize = 100;

/// What the session knows of its network.
#[derive(Debug, Default)]
pub(super) struct Networking {
    desk: Option<Desk>,
    /// What applies in the network; nothing where the session is in none.
    rules: Option<NetworkRules>,
    /// Whether the user has disconnected.
    resting: bool,
    /// Shares that are hashed and not yet in the index, with the tiers that people here reach.
    uploading: BTreeMap<RequestId, Uploading>,
    next_facts: Moment,
    /// What the user holds, and the rows that it was made from.
    holdings: Holdings,
    seen: Arc<Vec<Arc<TorrentRow>>>,
    /// What the window shows.
    pub(super) view: Option<Arc<NetworkView>>,
    /// Whether there is more in it than time that has passed since it was last published.
    pub(super) is_news: bool,
}

#[derive(Debug)]
struct Uploading {
    addition: Box<Addition>,
    own: Vec<Vec<String>>,
}

impl Networking {
    /// Whether there is a network.
    pub(super) fn is_there(&self) -> bool {
        self.desk.is_some()
    }

    /// What applies.
    pub(super) fn rules(&self) -> Option<&NetworkRules> {
        self.rules.as_ref()
    }

    /// Forgets a share that was cancelled; false where none of that number is on its way.
    pub(super) fn cancel(&mut self, request: RequestId) -> bool {
        self.uploading.remove(&request).is_some()
    }

    /// Begins to leave the register, while other things end as well.
    pub(super) fn begin_to_leave(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.close();
        }
    }

    /// The desk, which leaves the register and waits for that where it is dropped.
    pub(super) fn close(&mut self) -> Option<Desk> {
        self.desk.take()
    }

    /// Notes what the rows say that the user holds; true where that is not what it was. Rows that are those of before are not
    /// looked at.
    fn take_rows(&mut self, now: Moment, rows: &Arc<Vec<Arc<TorrentRow>>>) -> bool {
        let seen = std::mem::replace(&mut self.seen, Arc::clone(rows));
        let is_as_before = |(one, other): (&Arc<TorrentRow>, &Arc<TorrentRow>)| {
            Arc::ptr_eq(one, other) || held(one) == held(other)
        };
        let is_known = self.holdings.revision() > 0 && seen.len() == rows.len();
        if is_known && (Arc::ptr_eq(&seen, rows) || seen.iter().zip(rows.iter()).all(is_as_before)) {
            return false;
        }
        let all: Vec<_> = rows.iter().filter_map(|row| held(row)).take(HOLDINGS).collect();
        self.holdings.set(now, &all)
    }

    fn order(&self, order: Order) -> bool {
        self.desk.as_ref().is_some_and(|desk| desk.order(order))
    }
}

impl Driver {
    /// Opens the network that the session is in.
    pub(super) fn open_network(&mut self, begin: Begin, state: Option<&Path>) {
        if begin == Begin::Without {
            return;
        }
        match Desk::open(begin, state, &self.settings, self.inbox.clone(), self.clock) {
            Ok(desk) => {
                let (name, port) = (user_name(&self.settings), self.listening_port());
                desk.note(|facts| (facts.name, facts.port) = (name, port));
                self.networking.desk = Some(desk);
                self.offer_tracker();
            }
            Err(error) => self.log(Level::Error, "network", format!("There is no network: {error}.")),
        }
    }

    /// Tells the network which trackers run here.
    pub(super) fn offer_tracker(&self) {
        self.networking.order(Order::Trackers(self.hosted.observers()));
    }

    /// Has the network know the user by what the settings say now.
    pub(super) fn introduce_user(&self, old: &Settings) {
        let Some(desk) = &self.networking.desk else { return };
        let (name, port) = (user_name(&self.settings), self.listening_port());
        desk.note(|facts| (facts.name, facts.port) = (name, port));
        if (&old.user_name, old.port, old.bind)
            != (&self.settings.user_name, self.settings.port, self.settings.bind)
        {
            desk.order(Order::Renamed);
        }
    }

    /// The settings as the engine is to have them: nobody has more connections than the network allows.
    pub(super) fn settings_in_force(&self) -> Arc<Settings> {
        let Some(rules) = &self.networking.rules else { return Arc::clone(&self.settings) };
        if rules.max_connections >= self.settings.max_connections_per_torrent {
            return Arc::clone(&self.settings);
        }
        let mut settings = Settings::clone(&self.settings);
        settings.max_connections_per_torrent = rules.max_connections.max(1);
        Arc::new(settings)
    }

    /// Gives the network what a user asks of it.
    pub(super) fn ask_network(&mut self, command: NetworkCommand) {
        let request = match &command {
            NetworkCommand::Join { request, .. }
            | NetworkCommand::Fetch { request, .. }
            | NetworkCommand::Save { request, .. }
            | NetworkCommand::Unlist { request, .. } => Some(*request),
            _ => None,
        };
        if !self.networking.order(Order::Command(command))
            && let Some(request) = request
        {
            let reason = match self.networking.is_there() {
                true => "The network has too much to do; try again in a moment.",
                false => "This session is in no network.",
            };
            self.backend.emit(Event::Refused { request, reason: reason.into() });
        }
    }

    /// Why nothing can be shared now, where that is so.
    pub(super) fn why_no_share(&self) -> Option<&'static str> {
        self.networking.resting.then_some("You are disconnected from the network; choose Connect first.")
    }

    /// Whether a share goes to the network's index: not where it is for this computer and others are in the network.
    pub(super) fn goes_to_network(&self, share: &Share) -> bool {
        let view = self.networking.view.as_ref();
        let is_alone = view.is_none_or(|view| view.hosted && !view.open);
        // Without a link there is neither a coordinator here nor one that was joined.
        let is_there = self.networking.is_there() && view.is_none_or(|view| view.link.is_some());
        is_there && (share.reach != crate::api::Reachable::ThisComputer || is_alone)
    }

    /// Has a hashed share put into the index; it is seeded once that is done.
    pub(super) fn upload(&mut self, request: RequestId, addition: Box<Addition>, own: Vec<Vec<String>>) {
        let Subject::Torrent(torrent) = &addition.subject else { return };
        let order = Order::Upload {
            request: Some(request),
            torrent: torrent.info_hash,
            name: torrent.name.clone(),
            info: torrent.info.to_vec(),
        };
        if self.networking.order(order) {
            self.networking.uploading.insert(request, Uploading { addition, own });
        } else {
            let reason = "The network has too much to do; try again in a moment.".into();
            self.backend.emit(Event::Refused { request, reason });
        }
    }

    /// Takes what the network has to say.
    pub(super) fn hear_network(&mut self, now: Moment, word: Word) {
        match word {
            Word::Rules(rules) => {
                self.networking.rules = rules;
                self.engine.handle(now, Input::Settings(self.settings_in_force()));
            }
            Word::Rest(on) => {
                self.networking.resting = on;
                self.engine.handle(now, Input::Rest(on));
                self.publisher.hurry();
            }
            Word::Uploaded(request, result) => self.uploaded(now, request, result),
            Word::Missing(hashes) => hashes.into_iter().for_each(|hash| self.upload_again(hash)),
            Word::Fetched { request, torrent, options } => {
                self.add(request, Source::Bytes(torrent), options);
            }
            Word::Save { request, torrent, path } => {
                if self.begins(request) {
                    self.jobs.save(request, path, torrent);
                }
            }
            Word::Event(event) => self.backend.emit(event),
            Word::Moved { listen, link } => self.moved(listen, link),
            Word::View(view, is_news) => {
                self.networking.view = Some(view);
                if is_news {
                    self.networking.is_news = true;
                    self.publisher.stir();
                }
            }
        }
    }

    fn uploaded(&mut self, now: Moment, request: RequestId, result: Result<Vec<Vec<String>>, String>) {
        // A cancelled one stays in the index until somebody removes it; there was no way back.
        let Some(Uploading { mut addition, own }) = self.networking.uploading.remove(&request) else {
            return;
        };
        match result {
            Ok(tiers) => {
                if let Subject::Torrent(torrent) = &mut addition.subject {
                    let chosen = std::mem::take(&mut torrent.trackers);
                    torrent.trackers = merged(tiers, own, chosen);
                }
                self.engine.handle(now, Input::Add { request, addition });
                self.networking.next_facts = Moment::ZERO;
            }
            Err(reason) => {
                let has_trackers =
                    matches!(&addition.subject, Subject::Torrent(torrent) if !torrent.trackers.is_empty());
                if has_trackers {
                    // The user has named trackers, which need no index.
                    self.log(Level::Warning, "network", format!("The share is not in the index: {reason}"));
                    self.engine.handle(now, Input::Add { request, addition });
                } else {
                    self.backend.emit(Event::Refused { request, reason });
                }
            }
        }
    }

    fn upload_again(&mut self, torrent: InfoHash) {
        let Some(file) = self.engine.torrent_file(torrent) else { return };
        if let Ok(parsed) = Torrent::parse(&file) {
            let (name, info) = (parsed.name, parsed.info.to_vec());
            self.networking.order(Order::Upload { request: None, torrent, name, info });
        }
    }

    /// Keeps which network it is now, for the next start.
    fn moved(&mut self, listen: Option<std::net::SocketAddr>, link: Option<String>) {
        let mut settings = Settings::clone(&self.settings);
        (settings.coordinator_listen, settings.join_link) = (listen, link);
        self.settings = Arc::new(settings);
        if let Some(state) = &self.settings_kept
            && let Err(error) =
                crate::store::write_settings(&crate::store::settings_path(state), &self.settings)
        {
            self.log(Level::Error, "session", format!("The settings could not be written: {error}."));
        }
        self.publisher.hurry();
    }

    /// Brings up to date what the coordinator is told of this user, where that is due.
    pub(super) fn note_facts(&mut self, now: Moment, rows: &Arc<Vec<Arc<TorrentRow>>>) {
        if self.networking.desk.is_none() || now < self.networking.next_facts {
            return;
        }
        self.networking.next_facts = now + FACTS;
        let has_changed = self.networking.take_rows(now, rows);
        let sends = self.engine.sends(now, SENDS).into_iter();
        let sends = sends.map(|(to, torrent, rate)| Sending { to, torrent, rate }).collect();
        let (torrents, port) = (self.networking.holdings.clone(), self.listening_port());
        if let Some(desk) = &self.networking.desk {
            desk.note(|facts| (facts.torrents, facts.sends, facts.port) = (torrents, sends, port));
            if has_changed {
                // Where too many orders wait, the next beat tells of it.
                desk.order(Order::Changed);
            }
        }
    }

    /// Downloads have completed: the coordinator learns of it with the next beat, which comes at once.
    pub(super) fn tell_completed(&mut self, names: Vec<String>) {
        self.networking.next_facts = Moment::ZERO;
        let now = self.clock.now();
        let rows = self.engine.rows(now);
        self.note_facts(now, &rows);
        for name in names {
            self.networking.order(Order::Completed(name));
        }
    }

    fn listening_port(&self) -> u16 {
        self.listeners.addrs().first().map_or(0, std::net::SocketAddr::port)
    }
}

/// What a row says that the user holds, and whether it is seeded; nothing where it stands still.
fn held(row: &TorrentRow) -> Option<(InfoHash, bool)> {
    match row.state {
        State::Seeding => Some((row.info_hash, true)),
        State::Downloading | State::Metadata => Some((row.info_hash, false)),
        State::Checking | State::Queued | State::Paused | State::Failed => None,
    }
}

/// The tiers that the network gave, with all addresses of the tracker here where it is among them, and those that the user
/// chose.
fn merged(tiers: Vec<Vec<String>>, own: Vec<Vec<String>>, chosen: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let is_own = |tier: &Vec<String>| tier.iter().any(|url| own.concat().contains(url));
    let mut all = Vec::new();
    for tier in tiers {
        if is_own(&tier) { all.extend(own.iter().cloned()) } else { all.push(tier) }
    }
    all.extend(chosen);
    all
}

/// What the user is called in a network.
fn user_name(settings: &Settings) -> String {
    if !settings.user_name.is_empty() {
        return settings.user_name.clone();
    }
    let known = ["USER", "USERNAME", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    known.filter(|name| !name.is_empty()).unwrap_or_else(|| "user".to_owned())
}
