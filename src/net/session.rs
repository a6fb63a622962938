//! A session: the engine on a thread of its own, with disk, store, trackers and sockets, and the handle to it.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::api::{self, Backend, Event, Handle, Level, Settings};
use crate::base::{Moment, Rng};
use crate::disk::{self, Workers};
use crate::engine::{Engine, Input};
use crate::net::Trackers;
use crate::net::clock::Clock;
use crate::net::driver::{Driver, LOOK, Turn};
use crate::net::hosted::Hosted;
use crate::net::jobs::Jobs;
use crate::net::listen::Listeners;
use crate::net::memory::Memory;
use crate::net::network::Begin;
use crate::net::networking::Networking;
use crate::net::post::{INBOX, Mailbox};
use crate::net::publish::Publisher;
use crate::net::when_done::Places;
use crate::store::{self, Opened, Store, StoreError};

/// Threads for work that blocks: jobs on files, and looking up names. Those that are idle end.
const BLOCKING_THREADS: usize = 64;
/// How long running jobs may take to notice that the session has ended.
const LEFTOVERS: Duration = Duration::from_secs(2);

/// How a session is to be run.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The folder that it keeps its state in; nothing is kept where it is absent.
    pub state: Option<PathBuf>,
    /// The settings to begin with.
    pub settings: Settings,
    /// Whether settings that are changed are written to the state folder.
    pub keep_settings: bool,
    /// Whether the torrents of the last run are taken up again.
    pub restore: bool,
    /// The network that it is in.
    pub network: Begin,
}

/// A session could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Its state or settings cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings make no sense.
    #[error("the settings cannot be used: {0}")]
    Settings(#[from] api::SettingsError),
    /// The system gives it no threads or no sockets.
    #[error("the session cannot start: {0}")]
    System(#[from] io::Error),
}

/// A running session. It ends by [`Command::Shutdown`](api::Command::Shutdown), or when the last handle is dropped.
#[derive(Debug)]
pub struct Session {
    ended: Receiver<()>,
}

impl Session {
    /// Opens the state, listens, and runs from then on.
    ///
    /// # Errors
    /// Where the state cannot be used or the system has no threads left. A port that cannot be had is no error but shows in
    /// the view.
    pub fn start(config: Config) -> Result<(Self, Handle), SessionError> {
        config.settings.check()?;
        let (handle, backend) = api::pair();
        let (started, start) = bounded(1);
        let (end, ended) = bounded::<()>(1);
        Builder::new().name("engine".into()).spawn(move || run(config, backend, &started, &end))?;
        match start.recv() {
            Ok(Ok(())) => Ok((Self { ended }, handle)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::other("its thread broke off").into()),
        }
    }

    /// Waits until it has ended; false where it has not after that time.
    pub fn join(self, at_most: Duration) -> bool {
        // Nothing is ever sent: the other end goes with the thread.
        !matches!(self.ended.recv_timeout(at_most), Err(crossbeam_channel::RecvTimeoutError::Timeout))
    }
}

/// The settings in a state folder; those of a new one where it has none.
///
/// # Errors
/// Where they cannot be read or understood.
pub fn load_settings(state: &Path) -> Result<Settings, SessionError> {
    Ok(store::read_settings(&store::settings_path(state))?)
}

/// The life of the thread.
fn run(config: Config, backend: Backend, started: &Sender<Result<(), SessionError>>, _end: &Sender<()>) {
    let (runtime, mut driver, opened) = match prepare(&config, backend) {
        Ok(ready) => ready,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let _ = started.send(Ok(()));
    runtime.block_on(async {
        driver.begin(opened, &config).await;
        driver.run().await;
        driver.end().await;
    });
    let Driver { disk, store, backend, .. } = driver;
    runtime.shutdown_timeout(LEFTOVERS);
    // The disk first: what it still does is done, and nothing is claimed of it after that.
    drop(disk);
    if let Some(store) = store {
        store.close();
    }
    backend.emit(Event::Stopped);
}

fn prepare(config: &Config, backend: Backend) -> Result<(Runtime, Driver, Opened), SessionError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("work")
        .build()?;
    let mailbox = Arc::new(Mailbox::default());
    let (store, opened) = match &config.state {
        None => (None, Opened::default()),
        Some(state) => {
            let mailbox = Arc::clone(&mailbox);
            let stored = move |seq, result| mailbox.leave([Input::Stored { seq, result }]);
            let (store, opened) = Store::open(state, Arc::new(stored))?;
            (Some(store), opened)
        }
    };
    let answers = {
        let mailbox = Arc::clone(&mailbox);
        Arc::new(move |done: Vec<disk::Done>| mailbox.leave(done.into_iter().map(Input::Disk)))
    };
    let disk = Workers::start(disk::Config::default(), answers)?;
    let asked = Arc::clone(&mailbox);
    backend.on_command(Arc::new(move || asked.ring()));
    let clock = Clock::start();
    let settings = Arc::new(config.settings.clone());
    let (inbox, posts) = mpsc::channel(INBOX);
    let driver = Driver {
        clock,
        engine: Engine::new(clock.now(), clock.unix_start(), Arc::clone(&settings), Rng::new(seed())),
        backend,
        posts,
        mailbox,
        lines: HashMap::new(),
        next_incoming: 0,
        buffers: Arc::default(),
        seats: Arc::default(),
        listeners: Listeners::default(),
        listen_fault: None,
        disk,
        store,
        trackers: Trackers::new(settings.bind),
        jobs: Jobs::new(inbox.clone()),
        inbox,
        hosted: Hosted::default(),
        networking: Networking::default(),
        publisher: Publisher::default(),
        memory: Memory::default(),
        settings_kept: config.state.clone().filter(|_| config.keep_settings),
        settings,
        next_look: Moment::ZERO,
        ending: Moment::NEVER,
        watcher: None,
        places: Places::default(),
        is_standing: config.restore,
        later: Vec::new(),
        turn: Turn::default(),
    };
    let records = if config.restore { opened.records } else { Vec::new() };
    Ok((runtime, driver, Opened { records, ..opened }))
}

/// A seed that no other run has.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id())
}

impl Driver {
    /// Takes up where the last run ended, and opens the sockets.
    async fn begin(&mut self, opened: Opened, config: &Config) {
        for note in &opened.notes {
            self.log(Level::Warning, "store", note.clone());
        }
        if !opened.clean && !opened.records.is_empty() {
            self.log(
                Level::Warning,
                "store",
                "The last run did not end properly; what it was writing is checked.",
            );
        }
        if self.store.is_some() {
            self.engine.let_rest();
        }
        let now = self.clock.now();
        self.next_look = now + LOOK;
        self.set_seats();
        // Announces tell the port, so it must be known before the first of them.
        self.listen(now);
        self.host().await;
        self.tell_local_time(now);
        if self.is_standing {
            self.watch_folders(config.state.as_deref());
        }
        self.open_network(config.network.clone(), config.state.as_deref());
        for record in opened.records {
            self.engine.handle(now, Input::Restore(Box::new(record)));
        }
    }

    /// Leaves nothing running.
    async fn end(&mut self) {
        self.publisher.hurry();
        self.publish(self.clock.now());
        self.jobs.cancel_all();
        self.watcher = None;
        self.listeners = Listeners::default();
        for line in self.lines.values() {
            line.close();
        }
        self.lines.clear();
        // Connections write what little waits before they end.
        tokio::task::yield_now().await;
        if let Some(desk) = self.networking.close() {
            // It leaves the register meanwhile; what it still has to say is read so that it need not wait.
            let mut left = tokio::task::spawn_blocking(move || drop(desk));
            loop {
                tokio::select! {
                    _ = &mut left => break,
                    _ = self.posts.recv() => {}
                }
            }
        }
        std::mem::take(&mut self.hosted).stop().await;
    }
}
