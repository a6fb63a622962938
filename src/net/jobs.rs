//! Work on files that a user asked for, away from the engine's loop: reading torrents, hashing what is to be shared,
//! writing .torrent files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::api::{AddOptions, JobKind, JobRow, RequestId, Share, Source};
use crate::base::{Moment, RateMeter, limits};
use crate::disk::create::{CreateError, CreateOptions, create};
use crate::engine::{Addition, Subject};
use crate::metainfo::create::Details;
use crate::metainfo::{Magnet, Torrent};
use crate::net::post::{Inbox, Post};

/// Jobs that may be known at once, most of them waiting.
const JOBS: usize = 512;
/// Torrents read or written at once.
const READING: usize = 4;
/// Shares hashed at once; each uses every core.
const HASHING: usize = 2;

/// What became of a job.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The request that began it.
    pub(super) request: RequestId,
    /// What it brought, or why not in a sentence.
    pub(super) result: Result<Brought, String>,
}

/// What a job brings.
#[derive(Debug)]
pub(super) enum Brought {
    /// A torrent that was read to be looked at.
    Inspected {
        /// What it is.
        subject: Box<Subject>,
        /// Where it would be saved.
        folder: PathBuf,
        /// Bytes free there.
        free_bytes: Option<u64>,
    },
    /// A torrent for the engine.
    Added(Box<Addition>),
    /// A share for the network: with the trackers that the user chose, and apart from them those of the tracker here.
    Shared {
        /// The torrent.
        addition: Box<Addition>,
        /// The tiers of the tracker in this program.
        own: Vec<Vec<String>>,
    },
    /// A .torrent file.
    Saved(PathBuf),
}

/// The jobs of one session.
#[derive(Debug)]
pub(super) struct Jobs {
    inbox: Inbox,
    reading: Arc<Semaphore>,
    hashing: Arc<Semaphore>,
    running: BTreeMap<RequestId, Running>,
}

#[derive(Debug)]
struct Running {
    order: Arc<Order>,
    share: Option<Hashing>,
}

#[derive(Debug)]
struct Hashing {
    name: String,
    meter: RateMeter,
    /// Bytes that the meter knows of.
    metered: u64,
}

/// What a job and its list have in common.
#[derive(Debug, Default)]
struct Order {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Jobs {
    pub(super) fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            reading: Arc::new(Semaphore::new(READING)),
            hashing: Arc::new(Semaphore::new(HASHING)),
            running: BTreeMap::new(),
        }
    }

    /// Whether a job of this name runs or waits.
    pub(super) fn is_running(&self, request: RequestId) -> bool {
        self.running.contains_key(&request)
    }

    /// Whether no more can be taken on now.
    pub(super) fn is_full(&self) -> bool {
        self.running.len() >= JOBS
    }

    /// Reads a torrent to be looked at.
    pub(super) fn inspect(&mut self, request: RequestId, source: Source, folder: PathBuf) {
        self.begin(request, None, move |_| {
            let subject = Box::new(read(source)?);
            let free_bytes = free_bytes(&folder);
            Ok(Brought::Inspected { subject, folder, free_bytes })
        });
    }

    /// Reads a torrent to be added.
    pub(super) fn add(
        &mut self,
        request: RequestId,
        source: Source,
        options: AddOptions,
        incomplete: Option<PathBuf>,
    ) {
        self.begin(request, None, move |_| {
            let addition = addition(read(source)?, options, incomplete)?;
            Ok(Brought::Added(Box::new(addition)))
        });
    }

    /// Hashes what is to be shared, to be found by these trackers.
    pub(super) fn share(
        &mut self,
        request: RequestId,
        share: Share,
        trackers: Vec<Vec<String>>,
        unix_secs: u64,
    ) {
        let name = share.path.file_name().map_or_else(|| share.path.display().to_string(), lossy);
        self.begin(request, Some(name), move |order| hash(share, trackers, unix_secs, order));
    }

    /// The same for a share whose trackers the network chooses; `own` are the tiers of the tracker here.
    pub(super) fn share_in_network(
        &mut self,
        request: RequestId,
        share: Share,
        own: Vec<Vec<String>>,
        unix_secs: u64,
    ) {
        let name = share.path.file_name().map_or_else(|| share.path.display().to_string(), lossy);
        self.begin(request, Some(name), move |order| match hash(share, Vec::new(), unix_secs, order)? {
            Brought::Added(addition) => Ok(Brought::Shared { addition, own }),
            other => Ok(other),
        });
    }

    /// Writes a .torrent file.
    pub(super) fn save(&mut self, request: RequestId, path: PathBuf, torrent: Vec<u8>) {
        self.begin(request, None, move |_| {
            let written = crate::store::write_atomically(&path, &torrent);
            written.map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
            Ok(Brought::Saved(path))
        });
    }

    /// Ends a job; nothing more is heard of it.
    pub(super) fn cancel(&mut self, request: RequestId) {
        if let Some(running) = self.running.remove(&request) {
            running.order.cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Ends all of them.
    pub(super) fn cancel_all(&mut self) {
        for running in std::mem::take(&mut self.running).into_values() {
            running.order.cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Takes a job that has ended off the list; false for one that was cancelled.
    pub(super) fn ended(&mut self, request: RequestId) -> bool {
        self.running.remove(&request).is_some()
    }

    /// The shares that are being hashed.
    pub(super) fn rows(&mut self, now: Moment) -> Vec<JobRow> {
        let rows = self.running.iter_mut().filter_map(|(request, running)| {
            let hashing = running.share.as_mut()?;
            let done = running.order.done.load(Ordering::Relaxed);
            hashing.meter.add(now, done.saturating_sub(hashing.metered));
            hashing.metered = hashing.metered.max(done);
            Some(JobRow {
                request: *request,
                kind: JobKind::Share,
                name: hashing.name.clone(),
                done,
                total: running.order.total.load(Ordering::Relaxed),
                rate: hashing.meter.rate(now),
            })
        });
        rows.collect()
    }

    fn begin<W>(&mut self, request: RequestId, share: Option<String>, work: W)
    where
        W: FnOnce(&Order) -> Result<Brought, String> + Send + 'static,
    {
        let order = Arc::new(Order::default());
        let gate = Arc::clone(if share.is_some() { &self.hashing } else { &self.reading });
        let share = share.map(|name| Hashing { name, meter: RateMeter::default(), metered: 0 });
        self.running.insert(request, Running { order: Arc::clone(&order), share });
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let _place = gate.acquire().await;
            if order.cancelled.load(Ordering::Relaxed) {
                return;
            }
            let done = tokio::task::spawn_blocking(move || work(&order)).await;
            let result = done.unwrap_or_else(|_| Err("the work broke off; this is a fault of Fyris".into()));
            let _ = inbox.send(Post::Job(Outcome { request, result })).await;
        });
    }
}

fn read(source: Source) -> Result<Subject, String> {
    let torrent = match source {
        Source::Magnet(link) => {
            let magnet: Magnet =
                link.parse().map_err(|error| format!("This link cannot be used: {error}."))?;
            return Ok(Subject::Magnet(Box::new(magnet)));
        }
        Source::File(path) => {
            let name = path.display();
            let bytes = read_file(&path).map_err(|why| format!("{name} cannot be read: {why}."))?;
            Torrent::parse(&bytes).map_err(|error| format!("{name} cannot be used: {error}."))?
        }
        Source::Bytes(bytes) => {
            Torrent::parse(&bytes).map_err(|error| format!("This torrent cannot be used: {error}."))?
        }
    };
    Ok(Subject::Torrent(Box::new(torrent)))
}

/// What is to be added, with the folders made that it is saved into; `incomplete` is where downloads lie until they
/// are complete.
///
/// # Errors
/// Where a folder cannot be made.
pub(super) fn addition(
    subject: Subject,
    options: AddOptions,
    incomplete: Option<PathBuf>,
) -> Result<Addition, String> {
    let incomplete = incomplete.filter(|_| !options.seed_mode && !is_begun(&subject, &options));
    // Whoever names a folder now means it to be there; one that is missing later is a drive that is away.
    for folder in options.folder.iter().filter(|_| !options.seed_mode).chain(&incomplete) {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| format!("{} cannot be made: {error}.", folder.display()))?;
    }
    Ok(Addition { subject, options, shared_here: false, incomplete })
}

/// Whether something of a torrent is in its folder already, so that it goes on there.
fn is_begun(subject: &Subject, options: &AddOptions) -> bool {
    let (Subject::Torrent(torrent), Some(folder)) = (subject, &options.folder) else { return false };
    let files = torrent.layout.files().iter().filter(|file| !file.pad && file.length > 0);
    files
        .map(|file| file.path.iter().fold(folder.clone(), |path, part| path.join(part)))
        .any(|path| path.exists())
}

/// A file of the size that a torrent may have.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    // Asked before it is opened: opening a pipe waits for a writer.
    let found = std::fs::metadata(path).map_err(text)?;
    if !found.is_file() {
        return Err("it is no file".into());
    }
    if found.len() > limits::TORRENT_FILE_BYTES {
        return Err("it is too large for a torrent".into());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(text)?;
    file.take(limits::TORRENT_FILE_BYTES).read_to_end(&mut bytes).map_err(text)?;
    Ok(bytes)
}

/// Bytes free in a folder, be it still to be made.
fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.is_dir())?;
    fs4::available_space(existing).ok()
}

fn hash(share: Share, trackers: Vec<Vec<String>>, unix_secs: u64, order: &Order) -> Result<Brought, String> {
    let path = share.path.canonicalize();
    let path = path.map_err(|error| format!("{} cannot be read: {error}.", share.path.display()))?;
    let folder = path.parent().ok_or("A whole disk cannot be shared; choose a folder on it.")?.to_path_buf();
    let options = CreateOptions {
        piece_length: share.piece_length,
        details: Details {
            trackers: trackers.into_iter().chain(share.trackers).collect(),
            web_seeds: share.web_seeds,
            private: share.private,
            comment: share.comment.filter(|comment| !comment.is_empty()),
            created_by: Some(concat!("Fyris ", env!("CARGO_PKG_VERSION")).into()),
            creation_date: i64::try_from(unix_secs).ok(),
            source: None,
        },
    };
    let progress = |done, total| {
        order.total.store(total, Ordering::Relaxed);
        // Told by several threads, which may overtake each other.
        order.done.fetch_max(done, Ordering::Relaxed);
    };
    let file = create(&path, &options, &progress, &order.cancelled).map_err(|error| match error {
        CreateError::Cancelled => String::new(),
        error => format!("This cannot be shared: {error}."),
    })?;
    let torrent =
        Torrent::parse(&Bytes::from(file)).map_err(|error| format!("This cannot be shared: {error}."))?;
    let options = AddOptions { folder: Some(folder), seed_mode: true, ..AddOptions::default() };
    let subject = Subject::Torrent(Box::new(torrent));
    Ok(Brought::Added(Box::new(Addition { subject, options, shared_here: true, incomplete: None })))
}

fn lossy(name: &std::ffi::OsStr) -> String {
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::api::Reachable;

    fn share(path: &Path) -> Share {
        Share {
            reach: Reachable::ThisComputer,
            comment: Some(String::new()),
            trackers: vec![vec!["http://b.example/announce".into()]],
            ..Share::of(path)
        }
    }

    async fn outcome(posts: &mut mpsc::Receiver<Post>) -> Outcome {
        match posts.recv().await {
            Some(Post::Job(outcome)) => outcome,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_share_is_hashed_saved_read_and_inspected() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a file");
        std::fs::write(&path, vec![5; 100_000]).expect("a file");
        let (inbox, mut posts) = mpsc::channel(4);
        let mut jobs = Jobs::new(inbox);
        let ours = vec![vec!["udp://127.0.0.1:1/announce".to_owned()]];
        jobs.share(RequestId(1), share(&path), ours, 7);
        assert_eq!(jobs.rows(Moment::ZERO)[0].name, "a file");
        let shared = outcome(&mut posts).await;
        assert!(jobs.ended(RequestId(1)) && jobs.rows(Moment::ZERO).is_empty());
        let Ok(Brought::Added(addition)) = shared.result else { panic!("{shared:?}") };
        let Subject::Torrent(torrent) = addition.subject else { panic!("a torrent") };
        assert_eq!(torrent.trackers, [["udp://127.0.0.1:1/announce"], ["http://b.example/announce"]]);
        assert_eq!(
            (torrent.layout.total_length(), torrent.comment, torrent.creation_date),
            (100_000, None, Some(7))
        );
        assert!(addition.options.seed_mode && addition.shared_here);

        let saved = folder.path().join("x.torrent");
        jobs.save(RequestId(2), saved.clone(), std::fs::read(&path).expect("a file"));
        assert!(matches!(outcome(&mut posts).await.result, Ok(Brought::Saved(path)) if path == saved));
        jobs.inspect(RequestId(3), Source::File(saved), folder.path().join("not/yet"));
        let bad = outcome(&mut posts).await.result.expect_err("no torrent");
        assert!(bad.contains("x.torrent cannot be used"), "{bad}");
        let link = Source::Magnet(format!("magnet:?xt=urn:btih:{}", torrent.info_hash));
        jobs.inspect(RequestId(4), link, folder.path().join("not/yet"));
        let looked = outcome(&mut posts).await.result.expect("a link");
        assert!(matches!(looked, Brought::Inspected { free_bytes: Some(_), .. }));
    }

    #[tokio::test]
    async fn what_is_cancelled_is_not_heard_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, vec![5; 3_000_000]).expect("a file");
        let (inbox, mut posts) = mpsc::channel(4);
        let mut jobs = Jobs::new(inbox);
        jobs.share(RequestId(1), share(&path), Vec::new(), 0);
        jobs.cancel(RequestId(1));
        jobs.share(RequestId(2), share(Path::new("/nowhere/at/all")), Vec::new(), 0);
        assert_eq!(jobs.rows(Moment::ZERO).len(), 1);
        let missing = outcome(&mut posts).await;
        assert!(missing.request == RequestId(2) && missing.result.is_err(), "{missing:?}");
        assert!(!jobs.ended(RequestId(1)) && jobs.ended(RequestId(2)));
    }
}
