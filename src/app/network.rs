//! A network from the command line: a coordinator of its own, and what its index and statistics say.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use serde::Serialize;

use crate::api::{COORDINATOR_PORT, Command, Event, IndexEntry, NetworkStatistics, Share, State};
use crate::app::bar::Bar;
use crate::app::cli::{CoordinatorArgs, NetworkArgs, ShareArgs};
use crate::app::running::{News, Running, settings};
use crate::app::tracker::{Signal, Signals};
use crate::app::{clock, log, paths, say};
use crate::base::InfoHash;
use crate::hash;
use crate::net::Config;
use crate::net::network::{Begin, Client, Host, HostConfig, Identity, folder_in};
use crate::network::{AskStatistics, Fetch, Fetched, JoinLink, List, Operation};
use crate::store::Lock;

/// Where a coordinator answers unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), COORDINATOR_PORT);
/// How long a session may take to be connected.
const CONNECTING: Duration = Duration::from_secs(10);

/// Runs a coordinator until the system asks it to end. Prints `coordinating LINK`.
pub(super) fn coordinator(args: &CoordinatorArgs) -> Result<()> {
    log::start("info");
    let listen = args.listen.unwrap_or(LISTEN);
    let state = match &args.state {
        Some(state) => state.clone(),
        // By its address, so that it has the same link when it comes again.
        None => paths::state()?.join("coordinators").join(listen.to_string().replace([':', '[', ']'], "-")),
    };
    let _lock = Lock::take(&state)?;
    _ = rlimit::increase_nofile_limit(8_192);
    let folder = folder_in(&state);
    let identity = Identity::of(Some(&folder))?;
    let config = HostConfig {
        folder: Some(folder),
        identity,
        listen,
        piece_length: args.piece_length,
        max_connections: args.max_connections,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        let host = Host::start(config).await?;
        say::out(format_args!("coordinating {}", host.link()));
        while let Signal::Reload = signals.next().await {}
        host.stop().await;
        Ok(())
    })
}

/// Prints what the index of a network keeps.
pub(super) fn index(args: &NetworkArgs) -> Result<()> {
    #[derive(Serialize)]
    struct Shown {
        total: usize,
        torrents: Vec<IndexEntry>,
    }
    let client = client(&args.join.parse()?)?;
    let torrents = wait(async {
        let mut torrents: Vec<IndexEntry> = Vec::new();
        loop {
            let offset = u32::try_from(torrents.len()).unwrap_or(u32::MAX);
            let page = client.ask(&List { search: String::new(), offset }).await?;
            let ends = page.torrents.is_empty();
            torrents.extend(page.torrents);
            if ends || torrents.len() >= page.total as usize {
                return anyhow::Ok(torrents);
            }
        }
    })?;
    if args.json {
        say::out(serde_json::to_string_pretty(&Shown { total: torrents.len(), torrents })?);
    } else if torrents.is_empty() {
        say::out("The index is empty.");
    } else {
        for entry in torrents {
            let IndexEntry { name, info_hash, size, seeds, peers, uploader, .. } = entry;
            say::out(format_args!(
                "{name}  {info_hash}  {size} bytes, {seeds} seeds, {peers} peers, from {uploader}"
            ));
        }
    }
    Ok(())
}

/// Prints the figures of a network.
pub(super) fn statistics(args: &NetworkArgs) -> Result<()> {
    let statistics = ask(&args.join.parse()?, &AskStatistics {})?;
    if args.json {
        say::out(serde_json::to_string_pretty(&statistics)?);
        return Ok(());
    }
    let NetworkStatistics { n_peers, n_seeds, time, n_users, trackers, torrents, .. } = statistics;
    say::out(format_args!("nPeers {n_peers}"));
    say::out(format_args!("nSeeds {n_seeds}"));
    match time.time_seed_secs {
        Some(secs) => say::out(format_args!("timeSeed {secs:.1} s")),
        None => say::out("timeSeed - (there was no seed yet)"),
    }
    say::out(format_args!("{n_users} users"));
    for part in trackers.iter().chain(&torrents) {
        say::out(format_args!("{}: {} peers, {} seeds", part.name, part.n_peers, part.n_seeds));
    }
    Ok(())
}

/// Shares a file or folder in a network until ended. Prints `sharing NAME` once it is assigned, in the index, and seeded.
pub(super) fn share(args: &ShareArgs) -> Result<()> {
    log::start("error");
    let link: JoinLink = args.join.parse()?;
    let path = args.path.canonicalize().with_context(|| args.path.display().to_string())?;
    let state = match &args.session.state {
        Some(state) => state.clone(),
        None => paths::state()?.join("transfers").join(folder_for(&path, &link)),
    };
    let _lock = Lock::take(&state)?;
    let mut settings = settings(args.session.state.as_deref(), &args.session)?;
    // The trackers are those of the network.
    settings.tracker = false;
    let network = Begin::Joined(link);
    let config = Config { state: Some(state), settings, keep_settings: false, restore: true, network };
    let running = Running::start(config)?;
    let outcome = running.listen().and_then(|()| share_until_ended(&running, path));
    let orderly = running.end();
    outcome?;
    if !orderly {
        bail!("the session did not end in time");
    }
    Ok(())
}

fn share_until_ended(running: &Running, path: PathBuf) -> Result<()> {
    let handle = &running.handle;
    // The size of pieces is the network's to say, so it has to be known first.
    let began = clock::now();
    loop {
        let view = handle.view();
        let network = view.network.as_deref();
        if network.is_some_and(|network| network.connected) {
            break;
        }
        if began.elapsed() >= CONNECTING {
            let fault = network.and_then(|network| network.fault.clone());
            bail!(fault.unwrap_or_else(|| "The network cannot be reached.".to_owned()));
        }
        match running.next() {
            News::Signal => return Ok(()),
            News::Ended => bail!("the session has ended"),
            News::Event(_) | News::Nothing => {}
        }
    }
    let request = handle.next_request();
    handle.send(Command::Share { request, share: Box::new(Share::of(path)) })?;
    let (mut bar, mut shared, mut told) = (Some(Bar::new()), None::<InfoHash>, false);
    loop {
        match running.next() {
            News::Signal => return Ok(()),
            News::Ended => bail!("the session has ended"),
            News::Event(Event::Refused { request: refused, reason }) if refused == request => bail!(reason),
            News::Event(Event::Shared { request: answered, torrent, .. }) if answered == request => {
                shared = Some(torrent);
            }
            News::Event(Event::Failed { torrent, name, reason }) if shared == Some(torrent) => {
                bail!("{name}: {reason}");
            }
            News::Event(_) | News::Nothing => {}
        }
        let view = handle.view();
        if let (Some(bar), Some(job)) = (&bar, view.jobs.first()) {
            bar.show(job.done, job.total, || crate::app::bar::rate(job.rate));
        }
        let row = view.torrents.iter().find(|row| Some(row.info_hash) == shared);
        if let Some(row) = row.filter(|row| row.state == State::Seeding && !told) {
            bar = None;
            told = true;
            say::out(format_args!("sharing {}", row.name));
        }
    }
}

/// Fetches a torrent of a network's index.
pub(super) fn fetch(link: &JoinLink, name: &str) -> Result<Fetched> {
    ask(link, &Fetch { name: name.to_owned() })
}

fn ask<R: Operation>(link: &JoinLink, request: &R) -> Result<R::Answer> {
    let client = client(link)?;
    wait(async { Ok(client.ask(request).await?) })
}

fn client(link: &JoinLink) -> Result<Client> {
    Client::new(link.clone(), None).map_err(|why| anyhow!(why))
}

fn wait<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// A name for the state of one share in one network.
fn folder_for(path: &Path, link: &JoinLink) -> String {
    let what = [path.as_os_str().as_encoded_bytes(), &link.fingerprint.0[..]].concat();
    format!("share-{}", &InfoHash(hash::sha1(&what)).to_hex()[..16])
}
