//! One torrent, seeded or fetched by the command line.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::api::{AddOptions, Command, Event, RequestId, Source, State, TorrentRow};
use crate::app::bar::{Bar, rate};
use crate::app::cli::{GetArgs, SeedArgs, TransferArgs};
use crate::app::instance::is_magnet;
use crate::app::running::{News, Running, settings};
use crate::app::{clock, log, network, paths, say, torrents};
use crate::base::InfoHash;
use crate::metainfo::{Magnet, Torrent};
use crate::net::Config;
use crate::net::network::Begin;
use crate::network::JoinLink;
use crate::store::Lock;

/// A seed that fetches for so long does not have everything.
const FETCHING: Duration = Duration::from_secs(1);

/// Seeds a torrent until the program is asked to end. Prints `seeding NAME` once peers can have it.
pub(super) fn seed(args: &SeedArgs) -> Result<()> {
    let (bytes, torrent) = torrents::read_torrent(&args.file)?;
    has_its_files(&torrent, &args.transfer.dir)?;
    let (hash, name) = (torrent.info_hash, torrent.name);
    let what = What { source: Source::Bytes(bytes), hash, name, peers: Vec::new() };
    Transfer::start(what, &args.transfer, Begin::Without)?.follow(Aim::Seed)
}

/// Fetches a torrent. Prints `complete NAME SECONDS` when all of it is there.
pub(super) fn get(args: &GetArgs) -> Result<()> {
    let (what, network) = match &args.join {
        Some(link) => {
            let link: JoinLink = link.parse()?;
            (What::fetched(&link, &args.source)?, Begin::Joined(link))
        }
        None => (What::read(&args.source)?, Begin::Without),
    };
    let aim = if args.keep_seeding { Aim::GetAndSeed } else { Aim::Get };
    Transfer::start(what, &args.transfer, network)?.follow(aim)
}

/// What it is all for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    Seed,
    Get,
    GetAndSeed,
}

/// A torrent by its file or link.
struct What {
    source: Source,
    hash: InfoHash,
    /// The hash where only a link is known.
    name: String,
    /// Who is known to have it.
    peers: Vec<SocketAddr>,
}

impl What {
    /// What the index of a network has of that name.
    fn fetched(link: &JoinLink, name: &OsStr) -> Result<Self> {
        let name = name.to_str().context("a name in an index is text")?;
        let fetched = network::fetch(link, name)?;
        let bytes = fetched.torrent.0;
        let torrent = Torrent::parse(&bytes).context("the index has sent no torrent")?;
        let source = Source::Bytes(bytes);
        Ok(Self { source, hash: torrent.info_hash, name: torrent.name, peers: fetched.peers })
    }

    fn read(text: &OsStr) -> Result<Self> {
        if let Some(link) = text.to_str().filter(|text| is_magnet(text)) {
            let magnet: Magnet = link.parse()?;
            let hash = magnet.info_hash;
            let source = Source::Magnet(link.to_owned());
            return Ok(Self { source, hash, name: hash.to_hex(), peers: Vec::new() });
        }
        let (bytes, torrent) = torrents::read_torrent(Path::new(text))?;
        let source = Source::Bytes(bytes);
        Ok(Self { source, hash: torrent.info_hash, name: torrent.name, peers: Vec::new() })
    }
}

/// A torrent in a session of its own.
struct Transfer {
    running: Running,
    /// Ours until the program ends.
    _lock: Lock,
    began: Instant,
    request: RequestId,
    hash: InfoHash,
    name: String,
    options: AddOptions,
}

impl Transfer {
    fn start(what: What, args: &TransferArgs, network: Begin) -> Result<Self> {
        let began = clock::now();
        log::start("error");
        let What { source, hash, name, mut peers } = what;
        let folder = std::path::absolute(&args.dir).with_context(|| args.dir.display().to_string())?;
        let state = match &args.session.state {
            Some(state) => state.clone(),
            None => paths::transfer(hash, &folder)?,
        };
        if !folder.exists() {
            // A drive that is not there is no empty folder.
            if args.session.state.is_none() && state.exists() {
                bail!("{} is gone; to fetch {name} anew, make that folder first", folder.display());
            }
            fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        let lock = Lock::take(&state).map_err(|held| match (&args.session.state, held.pid) {
            (None, Some(pid)) => {
                anyhow::anyhow!("process {pid} is already fetching or seeding {name} in {}", folder.display())
            }
            _ => held.into(),
        })?;
        let mut settings = settings(args.session.state.as_deref(), &args.session)?;
        settings.download_folder.clone_from(&folder);
        // One torrent from the command line needs no tracker of its own.
        settings.tracker = false;
        let config = Config { state: Some(state), settings, keep_settings: false, restore: true, network };
        let running = Running::start(config)?;
        running.listen()?;
        let request = running.handle.next_request();
        peers.extend(args.peers());
        let options = AddOptions { folder: Some(folder), peers, ..AddOptions::default() };
        running.handle.send(Command::Add { request, source, options: options.clone() })?;
        tracing::info!("{name} is fetched or seeded in {}", args.dir.display());
        Ok(Self { running, _lock: lock, began, request, hash, name, options })
    }

    fn follow(mut self, aim: Aim) -> Result<()> {
        let outcome = self.until_the_end(aim);
        let orderly = self.running.end();
        outcome?;
        if !orderly {
            bail!(
                "the session did not end in time; what is on the disk will be looked at again when it is needed"
            );
        }
        Ok(())
    }

    fn until_the_end(&mut self, aim: Aim) -> Result<()> {
        let (mut bar, mut complete, mut fetching) = (Some(Bar::new()), false, None::<Instant>);
        loop {
            let reached = match self.running.next() {
                News::Event(event) => self.take(event)?,
                News::Nothing => None,
                News::Ended => bail!("the session has ended"),
                News::Signal if complete => return Ok(()),
                News::Signal => {
                    bail!("ended before {} was complete; the same command goes on from there", self.name);
                }
            };
            if let Some(secs) = reached.filter(|_| !complete) {
                complete = true;
                bar = None;
                match aim {
                    Aim::Seed => say::out(format_args!("seeding {}", self.name)),
                    _ => say::out(format_args!("complete {} {secs:.2}", self.name)),
                }
                if aim == Aim::Get {
                    return Ok(());
                }
            }
            let Some(row) = self.row() else { continue };
            if let Some(bar) = &bar {
                bar.show((row.progress.clamp(0.0, 1.0) * 1e6) as u64, 1_000_000, || remark(&row));
            }
            if aim == Aim::Seed && !complete && row.state == State::Downloading {
                let since = *fetching.get_or_insert_with(clock::now);
                if since.elapsed() >= FETCHING {
                    bail!(
                        "{} is not all there: {} of {} bytes are right; `fyris get` fetches the rest",
                        self.name,
                        row.done,
                        row.size
                    );
                }
            } else {
                fetching = None;
            }
        }
    }

    /// Takes in what happened, and how many seconds it took, once everything is there.
    fn take(&mut self, event: Event) -> Result<Option<f64>> {
        match event {
            Event::Refused { request, reason } if request == self.request => bail!(reason),
            Event::Added { request, known: true, .. } if request == self.request => self.meet_again()?,
            Event::Failed { torrent, name, reason } if torrent == self.hash => bail!("{name}: {reason}"),
            Event::Named { torrent, name } if torrent == self.hash => self.name = name,
            Event::Seeding { torrent, name } if torrent == self.hash => {
                self.name = name;
                return Ok(Some(self.began.elapsed().as_secs_f64()));
            }
            Event::Completed { torrent, name, secs } if torrent == self.hash => {
                self.name = name;
                return Ok(Some(secs));
            }
            _ => {}
        }
        Ok(None)
    }

    /// The session had it already, from an earlier run.
    fn meet_again(&mut self) -> Result<()> {
        // What is incomplete may stand in another folder until it moves to this one.
        if let (Some(row), Some(folder)) = (self.row(), &self.options.folder)
            && paths::real(row.target.as_ref().unwrap_or(&row.folder)) != paths::real(folder)
            && paths::real(&row.folder) != paths::real(folder)
        {
            bail!(
                "this state folder has {} in {}; name that with --dir, or another --state",
                row.name,
                row.folder.display()
            );
        }
        let handle = &self.running.handle;
        handle.send(Command::AddPeers { torrent: self.hash, peers: self.options.peers.clone() })?;
        handle.send(Command::Resume(self.hash))?;
        Ok(())
    }

    fn row(&self) -> Option<Arc<TorrentRow>> {
        self.running.handle.view().torrents.iter().find(|row| row.info_hash == self.hash).cloned()
    }
}

fn remark(row: &TorrentRow) -> String {
    let plural = if row.peers == 1 { "" } else { "s" };
    match row.state {
        State::Checking => "checking what is there".to_owned(),
        State::Metadata => format!("asking {} peer{plural} what it is", row.peers),
        State::Downloading => format!("{} from {} peer{plural}", rate(row.down_rate), row.peers),
        _ => row.reason.clone(),
    }
}

/// Whether every file of a torrent is there in its full length, so that nothing is made or fetched by mistake.
fn has_its_files(torrent: &Torrent, folder: &Path) -> Result<()> {
    for file in torrent.layout.files().iter().filter(|file| !file.pad) {
        let path: PathBuf = folder.iter().chain(file.path.iter().map(OsStr::new)).collect();
        let found = fs::metadata(&path).with_context(|| path.display().to_string())?;
        if !found.is_file() || found.len() != file.length {
            bail!("{} has {} bytes where {} has {}", path.display(), found.len(), torrent.name, file.length);
        }
    }
    Ok(())
}
