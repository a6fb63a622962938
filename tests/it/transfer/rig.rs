//! A session in a folder of its own, and what a test asks of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use fyris::api::{Command, Event, Handle, Settings, View};
use fyris::base::Rng;
use fyris::net::network::Begin;
use fyris::net::{Config, Session};
use tempfile::TempDir;

/// One user with a session.
pub(crate) struct Peer {
    pub(crate) handle: Handle,
    pub(crate) folder: PathBuf,
    session: Session,
    news: Receiver<()>,
    home: TempDir,
    network: Begin,
}

impl Peer {
    pub(crate) fn new() -> Self {
        Self::begin(Begin::Without)
    }

    /// One that hosts a network of its own, as the app does.
    pub(crate) fn in_network() -> Self {
        Self::begin(Begin::Settings)
    }

    fn begin(network: Begin) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join("files")).expect("a folder");
        Self::start(home, network)
    }

    fn start(home: TempDir, network: Begin) -> Self {
        let folder = home.path().join("files");
        let settings = Settings {
            download_folder: folder.clone(),
            port: 0,
            bind: Some(std::net::Ipv4Addr::LOCALHOST.into()),
            tracker_port: 0,
            tracker_on_network: false,
            ..Settings::default()
        };
        let state = Some(home.path().join("state"));
        let config = Config { state, settings, keep_settings: true, restore: true, network: network.clone() };
        let (session, handle) = Session::start(config).expect("a session");
        let (ring, news) = bounded(1);
        handle.on_news(Arc::new(move || _ = ring.try_send(())));
        Self { handle, folder, session, news, home, network }
    }

    pub(crate) fn ask(&self, command: Command) {
        self.handle.send(command).expect("a session");
    }

    /// Waits for what `pick` takes out of an event.
    #[expect(clippy::disallowed_methods, reason = "a test may not wait for ever")]
    pub(crate) fn until<T>(&mut self, at_most: Duration, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let end = Instant::now() + at_most;
        let mut seen = Vec::new();
        loop {
            while let Some(event) = self.handle.try_event() {
                if let Some(picked) = pick(&event) {
                    return picked;
                }
                seen.push(event);
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not in time; {seen:#?} {:#?}", self.handle.view().torrents);
            let _ = self.news.recv_timeout(left.min(Duration::from_secs(1)));
        }
    }

    /// Waits for a view in which this is so.
    #[expect(clippy::disallowed_methods, reason = "a test may not wait for ever")]
    pub(crate) fn see(&mut self, at_most: Duration, is_so: impl Fn(&View) -> bool) {
        let end = Instant::now() + at_most;
        loop {
            let view = self.handle.view();
            if is_so(&view) {
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not in time; {view:#?}");
            let _ = self.news.recv_timeout(left.min(Duration::from_secs(1)));
        }
    }

    /// Ends the session and starts another one on the same state.
    pub(crate) fn again(self) -> Self {
        let network = self.network.clone();
        Self::start(self.stop(), network)
    }

    pub(crate) fn end(self) {
        self.stop();
    }

    fn stop(mut self) -> TempDir {
        self.ask(Command::Shutdown);
        self.until(Duration::from_secs(30), |event| (*event == Event::Stopped).then_some(()));
        assert!(self.session.join(Duration::from_secs(30)), "the session ends");
        self.home
    }
}

/// Bytes that look like nothing else.
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Rng::new(seed).fill(&mut bytes);
    bytes
}
