//! One program a state folder: a second start hands what it was given to the first, over loopback. Where to, and the
//! secret that shows it to be the same user, stand in the text of the folder's lock, which only that user can read.

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::hash::BuildHasher as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, sleep};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::api::{Answer, Command, Event, Handle, RequestId, Settings, Source, TorrentRow, View};
use crate::app::clock;
use crate::base::InfoHash;
use crate::metainfo::Magnet;

/// Time that either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of what is handed over.
const LARGEST: u64 = 4 * 1024 * 1024;
/// Bytes of an answer.
const LONGEST: u64 = 512 * 1024 * 1024;
/// The answer to what is only taken.
const TAKEN: &str = "taken";
/// How long a list waits for what is new.
const LAG: Duration = Duration::from_secs(1);
/// Starts that are answered at once; each has a thread while it is.
const STARTS: usize = 32;

/// What one start asks of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asked {
    /// Torrents and links to be opened; with none it only shows itself.
    Open(Vec<Source>),
    /// Commands for its session; answered with [`Outcome`] once they are done.
    Do {
        /// The commands, in order.
        commands: Vec<Command>,
        /// How long that is waited for; with 0 it is not.
        wait_secs: u64,
    },
    /// What its session has; answered with [`Listed`].
    List,
}

/// What a session has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    /// The time of it, in seconds since 1970.
    pub(super) unix_secs: u64,
    /// Its torrents, in the order in which they were added.
    pub(super) torrents: Vec<TorrentRow>,
    /// What its user chose.
    pub(super) settings: Settings,
}

/// What became of commands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// What there is to say of what was done, a line each.
    pub(super) said: Vec<String>,
    /// Why something was not done; nothing where all of it was.
    pub(super) fault: Option<String>,
}

/// Takes what other starts hand over, for as long as the program runs: torrents go to `open`, everything else to the session.
/// Gives the text by which they find it.
pub(super) fn listen(
    handle: Handle,
    open: impl Fn(Vec<Source>) + Send + Sync + 'static,
) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let secret = secret();
    let text = format!("{addr}\n{secret}\n");
    let take = Arc::new(move |asked| match asked {
        Asked::Open(sources) => {
            open(sources);
            TAKEN.to_owned()
        }
        Asked::Do { commands, wait_secs } => {
            let outcome = obey(&handle, commands, Duration::from_secs(wait_secs));
            serde_json::to_string(&outcome).unwrap_or_default()
        }
        Asked::List => list(&handle),
    });
    let (secret, starts) = (Arc::new(secret), Arc::new(AtomicUsize::new(0)));
    Builder::new().name("instance".into()).spawn(move || {
        loop {
            let Ok((stream, _)) = listener.accept() else {
                sleep(Duration::from_millis(100));
                continue;
            };
            // One that waits for its commands keeps no other from being heard.
            let place = Place::take(&starts);
            let (take, secret) = (Arc::clone(&take), Arc::clone(&secret));
            let Some(place) = place else { continue };
            // Whoever breaks it off only harms itself.
            _ = Builder::new().name("start".into()).spawn(move || {
                let _ = receive(stream, &secret, |asked| take(asked));
                drop(place);
            });
        }
    })?;
    Ok(text)
}

/// A place among the starts that are answered at once.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(places: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(places));
        (places.fetch_add(1, Ordering::Relaxed) < STARTS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Has commands carried out, and waits until that is done or has failed.
fn obey(handle: &Handle, commands: Vec<Command>, patience: Duration) -> Outcome {
    let by = clock::now() + patience;
    let left = || by.saturating_duration_since(clock::now());
    let (mut outcome, mut answers, mut torrents) = (Outcome::default(), Vec::new(), Vec::new());
    for command in commands {
        torrents.extend(concerned(&command));
        match handle.ask(command) {
            Ok(answer) => answers.extend(answer),
            Err(gone) => return Outcome { fault: Some(format!("{gone}.")), ..outcome },
        }
    }
    if patience.is_zero() {
        return Outcome { said: vec![TAKEN.into()], ..outcome };
    }
    for answer in &answers {
        match answer.wait(left()) {
            Some(Event::Added { torrent, known, .. }) => {
                torrents.push(torrent);
                let again = if known { " again; it was on the list" } else { "" };
                outcome.said.push(format!("added {torrent}{again}"));
            }
            Some(Event::Moved { folder, .. }) => outcome.said.push(format!("moved to {}", folder.display())),
            Some(Event::Refused { reason, .. }) => outcome.fault = outcome.fault.or(Some(reason)),
            Some(_) => {}
            None => return Outcome { fault: Some(late(left(), patience)), ..outcome },
        }
    }
    // What has no answer of its own is done once the torrents have settled.
    let settled = handle.ask(Command::Settle { request: RequestId(0), torrents });
    match settled.ok().flatten().as_ref().and_then(|answer: &Answer| answer.wait(left())) {
        Some(Event::Refused { reason, .. }) => outcome.fault = outcome.fault.or(Some(reason)),
        Some(_) => {}
        None => outcome.fault = outcome.fault.or_else(|| Some(late(left(), patience))),
    }
    if outcome.fault.is_none() && outcome.said.is_empty() {
        outcome.said.push("done".into());
    }
    outcome
}

/// Why there is no answer: the session has ended, or is not done.
fn late(left: Duration, patience: Duration) -> String {
    if !left.is_zero() {
        return "the session has ended.".into();
    }
    format!("it is not done after {} s and goes on; fyris list shows how it stands", patience.as_secs())
}

/// The torrent of a command that has no answer of its own.
fn concerned(command: &Command) -> Option<InfoHash> {
    match command {
        Command::Pause(torrent)
        | Command::Resume(torrent)
        | Command::Recheck(torrent)
        | Command::Announce(torrent)
        | Command::Remove { torrent, .. }
        | Command::Label { torrent, .. }
        | Command::Rename { torrent, .. }
        | Command::Limit { torrent, .. }
        | Command::Goals { torrent, .. }
        | Command::Queue { torrent, .. } => Some(*torrent),
        _ => None,
    }
}

fn list(handle: &Handle) -> String {
    let view = present(handle);
    let listed = Listed {
        unix_secs: view.unix_millis / 1_000,
        torrents: view.torrents.iter().map(|row| TorrentRow::clone(row)).collect(),
        settings: Settings::clone(&view.settings),
    };
    serde_json::to_string(&listed).unwrap_or_default()
}

/// The view with all in it that has happened by now; views are made a few times a second. The last one where the session is
/// slow.
fn present(handle: &Handle) -> Arc<View> {
    let (before, by) = (handle.view(), clock::now() + LAG);
    let left = || by.saturating_duration_since(clock::now());
    // The next view is made in the turn of the loop in which this is asked.
    let asked = handle.ask(Command::Settle { request: RequestId(0), torrents: Vec::new() });
    let settled = asked.ok().flatten().is_some_and(|answer| answer.wait(left()).is_some());
    while settled && !left().is_zero() && Arc::ptr_eq(&before, &handle.view()) {
        sleep(Duration::from_millis(1));
    }
    handle.view()
}

/// Hands torrents and links to the program that left this text, which shows itself; with none it only does that.
pub(super) fn hand_over(text: &str, sources: &[Source]) -> Result<()> {
    ask(text, &Asked::Open(sources.to_vec())).map(|_| ())
}

/// Asks something of the program that left this text, and gives its answer.
pub(super) fn ask(text: &str, asked: &Asked) -> Result<String> {
    let (addr, secret) = text.trim().split_once('\n').context("it left no address")?;
    let addr: SocketAddr = addr.parse().context("its address does not read")?;
    if !addr.ip().is_loopback() {
        bail!("its address is not of this computer");
    }
    let mut stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
    let waits = match asked {
        Asked::Do { wait_secs, .. } => Duration::from_secs(*wait_secs),
        Asked::Open(_) | Asked::List => Duration::ZERO,
    };
    stream.set_read_timeout(Some(PATIENCE + waits))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{secret}\n{}\n", serde_json::to_string(asked)?).as_bytes())?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    if matches!(asked, Asked::Open(_)) && answer.trim() != TAKEN {
        bail!("it did not take what was handed over");
    }
    Ok(answer)
}

fn receive(stream: TcpStream, secret: &str, take: impl Fn(Asked) -> String) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new((&stream).take(LARGEST));
    let (mut shown, mut asked) = (String::new(), String::new());
    reader.read_line(&mut shown)?;
    if shown.trim_end() != secret {
        return Ok(());
    }
    reader.read_line(&mut asked)?;
    let answer = take(serde_json::from_str(&asked)?);
    (&stream).write_all(answer.as_bytes())
}

/// 128 bits that nobody else can guess.
fn secret() -> String {
    let (one, other) = (RandomState::new(), RandomState::new());
    format!("{:016x}{:016x}", one.hash_one(0), other.hash_one(1))
}

/// What an argument names: a magnet link, or a .torrent file, with its whole path so that it means the same elsewhere.
pub(super) fn source(argument: &OsStr) -> Result<Source> {
    if let Some(link) = argument.to_str().filter(|text| is_magnet(text)) {
        link.parse::<Magnet>()?;
        return Ok(Source::Magnet(link.to_owned()));
    }
    let path = PathBuf::from(argument);
    let context = || path.display().to_string();
    if path.to_str().is_none() {
        bail!("{}: a name that is no valid text cannot be opened", path.display());
    }
    path.metadata().with_context(context)?;
    Ok(Source::File(std::path::absolute(&path).with_context(context)?))
}

/// Whether a text means to be a magnet link.
pub(super) fn is_magnet(text: &str) -> bool {
    text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("magnet:"))
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;
    use crate::api::{RequestId, pair};
    use crate::base::InfoHash;

    #[test]
    fn what_is_handed_over_arrives_and_strangers_are_not_heard() {
        let (taken, handed) = bounded(4);
        let (handle, backend) = pair();
        let text = listen(handle, move |sources| _ = taken.try_send(sources)).expect("loopback");
        let sources = vec![Source::Magnet("magnet:?x".into()), Source::File("/a b/ü.torrent".into())];
        hand_over(&text, &sources).expect("handed over");
        hand_over(&text, &[]).expect("handed over");
        assert_eq!(handed.recv_timeout(PATIENCE), Ok(sources));
        assert_eq!(handed.recv_timeout(PATIENCE), Ok(vec![]));
        let addr = text.lines().next().expect("an address");
        assert!(hand_over(&format!("{addr}\nguessed\n"), &[]).is_err());
        // Commands reach the session, each request under a number of its own.
        let torrent = InfoHash([1; 20]);
        let stop = Command::StopAndSerialize { request: RequestId(0), torrent: None };
        let wait_secs = 0;
        ask(&text, &Asked::Do { commands: vec![Command::Pause(torrent), stop.clone(), stop], wait_secs })
            .expect("taken");
        let commands: Vec<Command> = backend.commands.try_iter().collect();
        let stop = |number| Command::StopAndSerialize { request: RequestId(number), torrent: None };
        assert_eq!(commands, [Command::Pause(torrent), stop(1), stop(2)]);
        let row = TorrentRow { name: "a".into(), ..TorrentRow::default() };
        backend.publish(View {
            torrents: vec![row.clone().into()].into(),
            unix_millis: 7_000,
            ..View::default()
        });
        let listed: Listed =
            serde_json::from_str(&ask(&text, &Asked::List).expect("an answer")).expect("a list");
        assert_eq!((listed.unix_secs, listed.torrents), (7, vec![row]));
        for nonsense in ["", "\n", "8.8.8.8:1\nx", "nowhere\nx"] {
            assert!(hand_over(nonsense, &[]).is_err(), "{nonsense:?}");
        }
        let mut stream = TcpStream::connect(addr).expect("loopback");
        stream.write_all(&[0xff; 10]).expect("loopback");
        drop(stream);
        // It still listens.
        hand_over(&text, &[]).expect("handed over");
        assert_eq!(handed.len(), 1);
    }

    #[test]
    fn arguments_are_links_or_files_that_are_there() {
        let link = "Magnet:?xt=urn:btih:0123456789012345678901234567890123456789";
        assert_eq!(source(OsStr::new(link)).expect("a link"), Source::Magnet(link.into()));
        assert!(source(OsStr::new("magnet:?xt=urn:btih:0")).is_err());
        assert!(source(OsStr::new("nothing there.torrent")).is_err());
        let Source::File(path) = source(OsStr::new("Cargo.toml")).expect("a file") else { panic!("no file") };
        assert!(path.is_absolute());
    }
}
