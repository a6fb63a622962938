//! What every task and thread of a tracker sees: the tracker itself, the rules in force, the clock.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::{Moment, Rng, Span};
use crate::net::tracker::admin::{Added, List};
use crate::tracker::{Access, Asker, Config, ConnectionIds, Shard, Shards, Tracker, new_shards};

/// A tracker with its rules and its clock.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) tracker: Tracker<Locked>,
    rules: RwLock<Arc<Config>>,
    lists: Mutex<Lists>,
    clock: Clock,
    /// Connections open now.
    pub(super) connections: AtomicUsize,
}

/// Who may announce what: by files, and by what was added while running.
#[derive(Debug, Default)]
struct Lists {
    files: Access,
    added: Added,
}

/// Shards, each behind its lock.
#[derive(Debug)]
pub(super) struct Locked(Box<[Mutex<Shard>]>);

impl Shards for Locked {
    fn shards(&self) -> usize {
        self.0.len()
    }

    fn with<R>(&self, at: usize, with: impl FnOnce(&mut Shard) -> R) -> R {
        with(&mut self.0[at].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    pub(super) fn new(config: Config) -> io::Result<Self> {
        let clock = Clock::start();
        let mut rng = Rng::new(u64::from_ne_bytes(secret()?));
        // Peers that were heard before this start have their place in time, too.
        let began = clock.now() - Span::from_secs(30 * 86_400);
        let shards = new_shards(&config, began, &mut rng).into_iter().map(Mutex::new).collect();
        Ok(Self {
            tracker: Tracker::new(Locked(shards), ConnectionIds::new(secret()?), &mut rng),
            lists: Mutex::new(Lists { files: config.access.clone(), added: Added::default() }),
            rules: RwLock::new(Arc::new(config)),
            clock,
            connections: AtomicUsize::new(0),
        })
    }

    /// The rules in force.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other rules in force; gives whether some of them need a new start.
    pub(super) fn reload(&self, mut config: Config) -> bool {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.files = config.access;
        config.access = lists.added.with(&lists.files);
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let starts = |config: &Config| {
            let sockets = (config.http.clone(), config.https.clone(), config.udp.clone());
            let stores = (config.state_file.clone(), config.shared_store.clone());
            (sockets, config.http_num_acceptors, config.udp_workers, stores)
        };
        let other = starts(&rules) != starts(&config);
        self.tracker.reload(&config);
        *rules = Arc::new(config);
        other
    }

    /// Tells of not more than so many peers in one answer, until other rules are put in force.
    pub(super) fn set_answer_peers(&self, most: u32) {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        if rules.answer_max_peers != most {
            *rules = Arc::new(Config { answer_max_peers: most, ..(**rules).clone() });
        }
    }

    /// Adds or removes an entry of a list; whether that changed anything.
    pub(super) fn change(&self, list: List, value: &str, add: bool) -> Result<bool, String> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = lists.added.change(list, value, add)?;
        if changed {
            self.put_in_force(&lists);
        }
        Ok(changed)
    }

    /// Puts other lists of files in force, and leaves every other rule.
    pub(super) fn put_lists(&self, files: Access) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.files = files;
        self.put_in_force(&lists);
    }

    fn put_in_force(&self, lists: &Lists) {
        let access = lists.added.with(&lists.files);
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        *rules = Arc::new(Config { access, ..(**rules).clone() });
        self.tracker.reload(&rules);
    }

    /// Lets `with` see what was added.
    pub(super) fn added<R>(&self, with: impl FnOnce(&Added) -> R) -> R {
        with(&self.lists.lock().unwrap_or_else(PoisonError::into_inner).added)
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Who asks now, from `ip` at `local`.
    pub(super) fn asker<'a>(&self, ip: IpAddr, local: Option<IpAddr>, config: &'a Config) -> Asker<'a> {
        Asker { ip: ip.to_canonical(), local: local.map(|ip| ip.to_canonical()), now: self.now(), config }
    }
}

/// Seconds since 1970 when the tracker started, and what a clock that never goes back says since.
#[derive(Clone, Copy, Debug)]
struct Clock {
    started: Instant,
    at: Moment,
}

impl Clock {
    // The clock of this shell.
    #[expect(clippy::disallowed_methods)]
    fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { started: Instant::now(), at: Moment::ZERO + Span::from(since) }
    }

    fn now(&self) -> Moment {
        self.at + Span::from(self.started.elapsed())
    }
}

/// Random bytes from the system.
pub(super) fn secret<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(bytes)
}
