//! One program a state folder: a second start hands what it was given to the first, over loopback. Where to, and the
//! secret that shows it to be the same user, stand in the text of the folder's lock, which only that user can read.

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::hash::BuildHasher as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread::{Builder, sleep};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::api::{Command, Handle, Settings, Source, TorrentRow};
use crate::metainfo::Magnet;

/// Time that either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of what is handed over.
const LARGEST: u64 = 4 * 1024 * 1024;
/// Bytes of an answer.
const LONGEST: u64 = 512 * 1024 * 1024;
/// The answer.
const TAKEN: &str = "taken";

/// What one start asks of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asked {
    /// Torrents and links to be opened; with none it only shows itself.
    Open(Vec<Source>),
    /// Commands for its session.
    Do(Vec<Command>),
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

/// Takes what other starts hand over, for as long as the program runs: torrents go to `open`, everything else to the session.
/// Gives the text by which they find it.
pub(super) fn listen(handle: Handle, open: impl Fn(Vec<Source>) + Send + 'static) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let secret = secret();
    let text = format!("{addr}\n{secret}\n");
    Builder::new().name("instance".into()).spawn(move || {
        let take = |asked| match asked {
            Asked::Open(sources) => {
                open(sources);
                TAKEN.to_owned()
            }
            Asked::Do(commands) => obey(&handle, commands),
            Asked::List => list(&handle),
        };
        loop {
            match listener.accept() {
                // Whoever breaks it off only harms itself.
                Ok((stream, _)) => _ = receive(stream, &secret, take),
                Err(_) => sleep(Duration::from_millis(100)),
            }
        }
    })?;
    Ok(text)
}

fn obey(handle: &Handle, commands: Vec<Command>) -> String {
    for mut command in commands {
        if let Command::Add { request, .. }
        | Command::Move { request, .. }
        | Command::StopAndSerialize { request, .. } = &mut command
        {
            *request = handle.next_request();
        }
        if let Err(gone) = handle.send_patiently(command) {
            return gone.to_string();
        }
    }
    TAKEN.to_owned()
}

fn list(handle: &Handle) -> String {
    let view = handle.view();
    let listed = Listed {
        unix_secs: view.unix_millis / 1_000,
        torrents: view.torrents.iter().map(|row| TorrentRow::clone(row)).collect(),
        settings: Settings::clone(&view.settings),
    };
    serde_json::to_string(&listed).unwrap_or_default()
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
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{secret}\n{}\n", serde_json::to_string(asked)?).as_bytes())?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    if *asked != Asked::List && answer.trim() != TAKEN {
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
    use crate::api::{RequestId, View, pair};
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
        ask(&text, &Asked::Do(vec![Command::Pause(torrent), stop.clone(), stop])).expect("taken");
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
