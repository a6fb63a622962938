//! The loop that drives the engine: takes what has come in, lets the engine decide, carries out what it wants, and waits.
//!
//! It never waits for anything else. Everything that waits within one turn is handled before anything goes out, so that
//! the disk, each connection and the view are woken once a turn and not once a block.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use crate::api::{Backend, Command, Event, Level, LogLine, Settings};
use crate::base::{ConnKey, InfoHash, Moment, Span};
use crate::disk::{Job, Workers};
use crate::engine::{Engine, Input, Output};
use crate::metainfo::Torrent;
use crate::net::Trackers;
use crate::net::buffers::Buffers;
use crate::net::clock::Clock;
use crate::net::hosted::Hosted;
use crate::net::jobs::Jobs;
use crate::net::listen::{Listeners, Seats};
use crate::net::memory::Memory;
use crate::net::networking::Networking;
use crate::net::post::{Inbox, Mailbox, Post};
use crate::net::publish::Publisher;
use crate::net::tcp::{self, Line};
use crate::net::watch::Watcher;
use crate::net::when_done::Places;
use crate::peer::Item;
use crate::store::Store;

/// Posts handled in one turn.
const BATCH: usize = 256;
/// Commands handled in one turn.
const COMMANDS: usize = 64;
/// How often this machine's addresses are looked at: it may have come home, or gone to work.
pub(super) const LOOK: Span = Span::from_secs(30);
/// How long after the wish to end the loop ends, whatever the engine still waits for.
const ENDING: Span = Span::from_secs(15);

/// The engine with everything around it.
pub(super) struct Driver {
    pub(super) clock: Clock,
    pub(super) engine: Engine,
    pub(super) backend: Backend,
    pub(super) posts: mpsc::Receiver<Post>,
    pub(super) inbox: Inbox,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) lines: HashMap<ConnKey, Arc<Line>>,
    pub(super) next_incoming: u64,
    pub(super) buffers: Arc<Buffers>,
    pub(super) seats: Arc<Seats>,
    pub(super) listeners: Listeners,
    pub(super) listen_fault: Option<String>,
    pub(super) disk: Workers,
    pub(super) store: Option<Store>,
    pub(super) trackers: Trackers,
    pub(super) jobs: Jobs,
    pub(super) hosted: Hosted,
    pub(super) networking: Networking,
    pub(super) watcher: Option<Watcher>,
    pub(super) places: Places,
    /// Whether it is the user's session, rather than one for a single errand.
    pub(super) is_standing: bool,
    pub(super) publisher: Publisher,
    pub(super) memory: Memory,
    pub(super) settings: Arc<Settings>,
    /// The folder that changed settings are written to, where they are.
    pub(super) settings_kept: Option<PathBuf>,
    /// When this machine's addresses are looked at again.
    pub(super) next_look: Moment,
    /// When the loop ends at the latest, once somebody wants it to.
    pub(super) ending: Moment,
    /// What a user asked of torrents that are just waking.
    pub(super) later: Vec<Command>,
    pub(super) turn: Turn,
}

/// Lists that are used again in every turn.
#[derive(Default)]
pub(super) struct Turn {
    posts: Vec<Post>,
    inputs: Vec<Input>,
    disk: Vec<Job>,
    /// The newest change that is as good as written, where nothing is ever written.
    stored: Option<u64>,
    stopped: bool,
}

impl Driver {
    /// Runs until the engine has stopped.
    pub(super) async fn run(&mut self) {
        let mut timer = Box::pin(tokio::time::sleep_until(Instant::now()));
        loop {
            let now = self.clock.now();
            if now >= self.next_look {
                self.look_around(now).await;
            }
            self.take_in(now).await;
            self.carry_out(now);
            self.publish(now);
            if self.turn.stopped || now >= self.ending {
                break;
            }
            self.wait(&mut timer).await;
        }
    }

    /// Gives the engine what waits for it.
    async fn take_in(&mut self, now: Moment) {
        while self.turn.posts.len() < BATCH {
            let Ok(post) = self.posts.try_recv() else { break };
            self.turn.posts.push(post);
        }
        let mut inputs = std::mem::take(&mut self.turn.inputs);
        self.mailbox.collect(&mut inputs);
        if !inputs.is_empty() || !self.turn.posts.is_empty() {
            self.publisher.stir();
        }
        for input in inputs.drain(..) {
            self.note_stored(&input);
            self.engine.handle(now, input);
        }
        self.turn.inputs = inputs;
        let mut posts = std::mem::take(&mut self.turn.posts);
        posts.drain(..).for_each(|post| self.open(now, post));
        self.turn.posts = posts;
        if let Some(seq) = self.turn.stored.take() {
            let input = Input::Stored { seq, result: Ok(()) };
            self.note_stored(&input);
            self.engine.handle(now, input);
        }
        self.take_commands(now).await;
        self.obey_later();
    }

    async fn take_commands(&mut self, now: Moment) {
        for _ in 0..COMMANDS {
            if self.jobs.is_full() {
                break;
            }
            match self.backend.commands.try_recv() {
                Ok(command) => self.obey(now, command).await,
                Err(crossbeam_channel::TryRecvError::Empty) => return,
                Err(crossbeam_channel::TryRecvError::Disconnected) => {
                    // Nobody can ask for anything any more, not even for the end.
                    self.shut_down(now);
                    return;
                }
            }
        }
        if !self.backend.commands.is_empty() && !self.jobs.is_full() {
            self.mailbox.ring();
        }
    }

    fn open(&mut self, now: Moment, post: Post) {
        match post {
            Post::Input(input) => {
                if let Input::Received { items, .. } = &input {
                    self.buffers.taken(items.iter().map(Item::block_bytes).sum());
                }
                let known = match &input {
                    Input::Received { conn, .. } | Input::Sent { conn, .. } | Input::Connected { conn } => {
                        self.lines.contains_key(conn)
                    }
                    Input::ConnectFailed { conn } | Input::Closed { conn, .. } => {
                        self.lines.remove(conn).is_some()
                    }
                    _ => true,
                };
                // What a connection said after the engine had closed it concerns nobody.
                if known {
                    self.engine.handle(now, input);
                }
            }
            Post::Incoming { stream, addr, seat } => {
                let conn = ConnKey::incoming(self.next_incoming);
                self.next_incoming += 1;
                let line = self.keep_line(conn, Line::to_us(&stream, addr));
                let talk = tcp::talk(conn, stream, line, self.inbox.clone(), Arc::clone(&self.buffers));
                tokio::spawn(async move {
                    talk.await;
                    drop(seat);
                });
                self.engine.handle(now, Input::Accepted { conn, addr });
            }
            Post::Job(outcome) => self.conclude(now, outcome),
            Post::Network(word) => self.hear_network(now, word),
            Post::Said(level, room, text) => self.log(level, room, text),
            Post::Watched(found) => self.take_watched(now, found),
        }
    }

    /// Does everything the engine wants.
    fn carry_out(&mut self, now: Moment) {
        let mut completed = Vec::new();
        while let Some(output) = self.engine.poll(now) {
            match output {
                Output::Send { conn, items } => {
                    if let Some(line) = self.lines.get(&conn) {
                        line.say(items);
                    }
                }
                Output::Disk(job) => self.turn.disk.push(job),
                Output::Connect { conn, addr } => {
                    let line = self.keep_line(conn, Line::default());
                    let (inbox, buffers) = (self.inbox.clone(), Arc::clone(&self.buffers));
                    tokio::spawn(tcp::connect(conn, addr, self.settings.bind, line, inbox, buffers));
                }
                Output::Close { conn } => {
                    if let Some(line) = self.lines.remove(&conn) {
                        line.close();
                    }
                }
                Output::OpenDoors { conn, count } => {
                    let line = self.lines.get(&conn);
                    let opened = line.map(|line| line.open_doors(count, &self.seats, &self.inbox));
                    // Without them all goes on as it was.
                    if let Some(Ok(addrs)) = opened {
                        let addrs = addrs.to_vec();
                        self.engine.handle(now, Input::DoorsOpened { conn, addrs });
                    }
                }
                Output::Announce { torrent, facts, request } => {
                    let (trackers, inbox) = (self.trackers.clone(), self.inbox.clone());
                    tokio::spawn(async move {
                        let answer = trackers.ask(&request, facts).await;
                        let announced = Input::Announced { torrent, id: request.id, answer };
                        let _ = inbox.send(Post::Input(announced)).await;
                    });
                }
                Output::Store { seq, change } => {
                    self.note_change(seq);
                    match &self.store {
                        Some(store) => store.apply(seq, change),
                        None => self.turn.stored = Some(seq),
                    }
                }
                Output::Load(torrent) => self.load(torrent),
                // Said when everything is written.
                Output::Event(Event::Stopped) => self.turn.stopped = true,
                Output::Event(event) => {
                    let Some(event) = self.answered_watcher(event) else { continue };
                    self.run_when_done(&event);
                    if let Event::Completed { name, .. } = &event {
                        completed.push(name.clone());
                    }
                    self.backend.emit(event);
                }
            }
        }
        self.buffers.set_unwritten(self.engine.backlog());
        if !completed.is_empty() {
            self.tell_completed(completed);
        }
        if !self.turn.disk.is_empty() {
            self.disk.submit(std::mem::take(&mut self.turn.disk));
        }
    }

    /// Has what is kept of a torrent read.
    fn load(&self, torrent: InfoHash) {
        let mailbox = Arc::clone(&self.mailbox);
        let Some(store) = &self.store else {
            let loaded = Err("nothing is kept of it".into());
            return mailbox.leave([Input::Loaded { torrent, loaded }]);
        };
        store.fetch(torrent, move |record| {
            let loaded = record.and_then(|record| {
                let bytes = record.torrent.as_deref().ok_or("its metadata is not kept")?;
                let parsed = Torrent::parse(bytes).map_err(|error| error.to_string())?;
                Ok(Box::new((record, parsed)))
            });
            mailbox.leave([Input::Loaded { torrent, loaded }]);
        });
    }

    /// Until something has come in, or the engine or the view is due.
    async fn wait(&mut self, timer: &mut Pin<Box<Sleep>>) {
        if self.turn.stored.is_some() || !self.posts.is_empty() {
            // Others want their turn as well.
            tokio::task::yield_now().await;
            return;
        }
        let due = self.engine.next_deadline().min(self.publisher.next()).min(self.ending);
        // The view is always due at some time.
        if let Some(due) = self.clock.instant(due).map(Instant::from_std)
            && timer.deadline() != due
        {
            timer.as_mut().reset(due);
        }
        tokio::select! {
            biased;
            _ = self.posts.recv_many(&mut self.turn.posts, BATCH) => {}
            () = self.mailbox.rung() => {}
            () = timer.as_mut() => {}
        }
    }

    /// Has the tracker answer at the addresses that this machine has now.
    async fn look_around(&mut self, now: Moment) {
        self.next_look = now + LOOK;
        self.tell_local_time(now);
        if self.hosted.is_outdated(&self.settings) {
            self.host().await;
        }
    }

    fn keep_line(&mut self, conn: ConnKey, line: Line) -> Arc<Line> {
        let line = Arc::new(line);
        self.lines.insert(conn, Arc::clone(&line));
        line
    }

    /// Tells the engine what clocks on the wall show, for limits at some hours.
    pub(super) fn tell_local_time(&mut self, now: Moment) {
        self.engine.set_local_time(now, crate::net::clock::local_secs());
    }

    /// Lets the engine end, at most once.
    pub(super) fn shut_down(&mut self, now: Moment) {
        if self.ending == Moment::NEVER {
            self.ending = now + ENDING;
            self.jobs.cancel_all();
            self.networking.begin_to_leave();
            self.engine.handle(now, Input::Command(crate::api::Command::Shutdown));
        }
    }

    /// Writes a line into the log.
    pub(super) fn log(&self, level: Level, room: &str, text: impl Into<String>) {
        let unix_millis = self.clock.unix_millis();
        let line = LogLine { unix_millis, level, room: room.into(), text: text.into() };
        self.backend.emit(Event::Log(line));
    }
}
