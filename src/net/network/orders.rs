//! What a user asks of the network, and what is done about it.

use crate::api::{Event, Level, NetworkCommand, Part, Question, Registers, RequestId};
use crate::base::{InfoHash, Moment};
use crate::net::network::desk::{Room, Word, sentence};
use crate::net::network::{Client, Host};
use crate::network::{JoinLink, Screen};

/// Torrents that an answer on a screen names one by one.
const NAMED: usize = 20;

impl Room {
    pub(super) async fn command(&mut self, command: NetworkCommand) {
        match command {
            NetworkCommand::Host { listen } => self.host_for(listen).await,
            NetworkCommand::Join { request, link } => self.join(request, &link).await,
            NetworkCommand::QuitCoordinator => self.quit().await,
            NetworkCommand::Connect => self.set_connected(true).await,
            NetworkCommand::Disconnect => self.set_connected(false).await,
            NetworkCommand::ConnectTracker => self.set_tracker(true),
            NetworkCommand::DisconnectTracker => self.set_tracker(false),
            NetworkCommand::SetRules(rules) => {
                let done = match &self.host {
                    Some(host) => host.set_rules(*rules),
                    None => Err("only who hosts a network sets its rules".to_owned()),
                };
                match done {
                    Ok(()) => self.hurry(),
                    Err(why) => self.on_screen(Part::Coordinator, |screen, now| screen.say(now, why)),
                }
            }
            NetworkCommand::Clear(part) => self.on_screen(part, |screen, _| screen.clear()),
            NetworkCommand::AllowNotes { part, on } => {
                self.on_screen(part, |screen, _| screen.enable_notes(on));
            }
            NetworkCommand::Note { part, text } => {
                self.on_screen(part, |screen, now| _ = screen.note(now, &text));
            }
            NetworkCommand::Ask(question) => self.answer(question),
            NetworkCommand::Fetch { request, name, options } => match self.way() {
                Ok(client) => self.asked.fetch(client, request, name, options),
                Err(why) => self.refuse(request, why).await,
            },
            NetworkCommand::Save { request, name, path } => match self.way() {
                Ok(client) => self.asked.save(client, request, name, path),
                Err(why) => self.refuse(request, why).await,
            },
            NetworkCommand::Unlist { request, name } => match self.way() {
                Ok(client) => self.asked.remove(client, request, name),
                Err(why) => self.refuse(request, why).await,
            },
        }
    }

    /// Uploads what is hashed; an upload that nobody waits for is tried again later.
    pub(super) async fn upload(
        &mut self,
        request: Option<RequestId>,
        torrent: InfoHash,
        name: String,
        info: Vec<u8>,
    ) {
        let id = self.identity.as_ref().map(|identity| identity.user).map_err(|why| sentence(why));
        match (self.way(), id) {
            (Ok(client), Ok(id)) => self.asked.upload(client, id, request, (torrent, name, info)),
            (Err(why), _) | (_, Err(why)) => match request {
                Some(request) => self.tell(Word::Uploaded(request, Err(why))).await,
                None => self.again_later(torrent),
            },
        }
    }

    /// The way to the coordinator for what a connected user may do, or why there is none.
    fn way(&self) -> Result<Client, String> {
        if self.disconnected {
            return Err("You are disconnected from the network; choose Connect first.".to_owned());
        }
        match &self.client {
            Some(client) => Ok(client.clone()),
            None => Err(self
                .fault
                .clone()
                .unwrap_or_else(|| "There is no network; host one or join one first.".into())),
        }
    }

    async fn host_for(&mut self, listen: Option<std::net::SocketAddr>) {
        match self.host_at(listen).await {
            Ok(()) => {
                let listen = listen.and_then(|_| self.host.as_ref().map(Host::addr));
                let text = match (&self.host, listen) {
                    (Some(host), Some(addr)) if host.is_open() => format!("others can join at {addr}"),
                    _ => "this computer alone can join".to_owned(),
                };
                self.on_screen(Part::Coordinator, |screen, now| screen.say(now, text));
                self.tell(Word::Moved { listen, link: None }).await;
            }
            Err(why) => {
                self.on_screen(Part::Coordinator, |screen, now| screen.say(now, why.clone()));
                self.log(Level::Error, why).await;
            }
        }
    }

    async fn join(&mut self, request: RequestId, link: &str) {
        let way = link.parse::<JoinLink>().map_err(|error| error.to_string());
        match way.and_then(|link| Client::new(link, self.bind())) {
            Ok(client) => self.asked.join(client, request),
            Err(why) => self.refuse(request, sentence(&why)).await,
        }
    }

    /// A link has led to a network: it is ours from now on.
    pub(super) async fn joined(&mut self, request: RequestId, link: JoinLink, registers: Registers) {
        let own = self.host.as_ref().is_some_and(|host| host.link().fingerprint == link.fingerprint);
        if own {
            let why = "This is the link to the network on this computer; use it on another one.";
            return self.refuse(request, why.to_owned()).await;
        }
        let text = link.to_string();
        self.leave().await;
        if let Some(host) = self.host.take() {
            host.stop().await;
        }
        self.far = None;
        (self.far_screens, self.far_known) = Default::default();
        self.enter(link).await;
        self.tell(Word::Rules(Some(registers.rules))).await;
        self.tell(Word::Moved { listen: None, link: Some(text) }).await;
        self.tell(Word::Event(Event::Joined { request })).await;
    }

    async fn quit(&mut self) {
        let Some(host) = self.host.take() else { return };
        self.leave().await;
        self.last_screens(&host);
        host.stop().await;
        let text = "the coordinator has ended; transfers go on";
        self.on_screen(Part::Coordinator, |screen, now| screen.say(now, text));
        self.fault = Some("The coordinator on this computer was ended; host a network or join one.".into());
        self.tell(Word::Rules(None)).await;
    }

    async fn set_connected(&mut self, connected: bool) {
        self.disconnected = !connected;
        if let Some(seat) = &self.user {
            seat.wish.send_modify(|wish| wish.connected = connected);
        }
        if connected {
            self.completed = false;
        }
        self.tell(Word::Rest(!connected)).await;
    }

    fn set_tracker(&mut self, connected: bool) {
        self.tracker_off = !connected;
        for seat in &self.seats {
            seat.wish.send_modify(|wish| wish.connected = connected);
        }
        if self.seats.is_empty() {
            let why = match self.observers.is_empty() {
                true => "the tracker in this program does not run; see the settings",
                false => "there is no network to connect to; host one or join one",
            };
            self.tracker_screen.say(self.clock.unix_now(), why);
        }
    }

    /// Does something to a screen.
    pub(super) fn on_screen(&mut self, part: Part, with: impl FnOnce(&mut Screen, Moment)) {
        let now = self.clock.unix_now();
        let screens = &mut self.far_screens;
        match (part, &self.host) {
            (Part::Peer, _) => with(&mut self.peer_screen, now),
            (Part::Tracker, _) => with(&mut self.tracker_screen, now),
            (Part::Coordinator, Some(host)) => {
                host.with(|network, now| with(&mut network.screens_mut().coordinator, now));
            }
            (Part::Index, Some(host)) => {
                host.with(|network, now| with(&mut network.screens_mut().index, now))
            }
            (Part::Statistics, Some(host)) => {
                host.with(|network, now| with(&mut network.screens_mut().statistics, now));
            }
            (Part::Coordinator, None) => with(&mut screens.coordinator, now),
            (Part::Index, None) => with(&mut screens.index, now),
            (Part::Statistics, None) => with(&mut screens.statistics, now),
        }
    }

    /// Answers a question on the screen of the part that knows.
    fn answer(&mut self, question: Question) {
        let (part, lines) = match question {
            Question::Trackers => (Part::Coordinator, self.trackers_in_words()),
            Question::Peers => (Part::Tracker, self.swarms_in_words(false)),
            Question::Seeds => (Part::Tracker, self.swarms_in_words(true)),
            Question::NPeers | Question::NSeeds | Question::TimeSeed => {
                (Part::Statistics, vec![self.figure_in_words(question)])
            }
        };
        self.on_screen(part, |screen, now| lines.into_iter().for_each(|line| screen.say(now, line)));
    }

    fn trackers_in_words(&self) -> Vec<String> {
        let trackers = self.registers().trackers;
        if trackers.is_empty() {
            return vec!["no tracker is registered".to_owned()];
        }
        let line = |tracker: &crate::api::RegisteredTracker| {
            let name = tracker.urls.first().map_or("?", String::as_str);
            let crate::api::RegisteredTracker { assigned, torrents, peers, seeds, .. } = tracker;
            let counted =
                |count: &u32, one: &str| format!("{count} {one}{}", if *count == 1 { "" } else { "s" });
            format!(
                "{name}: {} assigned, {}, {}, {}",
                counted(assigned, "upload"),
                counted(torrents, "torrent"),
                counted(peers, "peer"),
                counted(seeds, "seed")
            )
        };
        trackers.iter().map(line).collect()
    }

    fn swarms_in_words(&self, seeds: bool) -> Vec<String> {
        let what = if seeds { "seeds" } else { "peers" };
        let swarms = self.tracker_swarms();
        let mut lines = Vec::new();
        for swarm in &swarms {
            let who = if seeds { &swarm.seeds } else { &swarm.peers };
            if who.is_empty() || lines.len() == NAMED {
                continue;
            }
            let name = swarm.name.clone().unwrap_or_else(|| swarm.torrent.to_hex());
            let all = who.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            lines.push(format!("{name}: {} {what}: {all}", who.len()));
        }
        if lines.is_empty() {
            lines.push(format!("no {what}"));
        }
        lines
    }

    fn figure_in_words(&self, question: Question) -> String {
        let statistics = self.statistics();
        match question {
            Question::NPeers => format!("nPeers: {} users download", statistics.n_peers),
            Question::NSeeds => format!("nSeeds: {} users seed", statistics.n_seeds),
            _ => match statistics.time.time_seed_secs {
                None => "timeSeed: there was no seed yet".to_owned(),
                Some(secs) => {
                    let crate::api::SeedTime { finished, running, .. } = statistics.time;
                    format!(
                        "timeSeed: {secs:.1} s on average, of {finished} stays that ended and {running} that go on"
                    )
                }
            },
        }
    }
}
