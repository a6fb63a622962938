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

use crate::api::Source;
use crate::metainfo::Magnet;

/// Time that either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of what is handed over.
const LARGEST: u64 = 4 * 1024 * 1024;
/// The answer.
const TAKEN: &str = "taken";

/// Takes what other starts hand over, for as long as the program runs. Gives the text by which they find it.
pub(super) fn listen(take: impl Fn(Vec<Source>) + Send + 'static) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let secret = secret();
    let text = format!("{addr}\n{secret}\n");
    Builder::new().name("instance".into()).spawn(move || {
        loop {
            match listener.accept() {
                // Whoever breaks it off only harms itself.
                Ok((stream, _)) => _ = receive(stream, &secret, &take),
                Err(_) => sleep(Duration::from_millis(100)),
            }
        }
    })?;
    Ok(text)
}

/// Hands torrents and links to the program that left this text, which shows itself; with none it only does that.
pub(super) fn hand_over(text: &str, sources: &[Source]) -> Result<()> {
    let (addr, secret) = text.trim().split_once('\n').context("it left no address")?;
    let addr: SocketAddr = addr.parse().context("its address does not read")?;
    if !addr.ip().is_loopback() {
        bail!("its address is not of this computer");
    }
    let mut stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{secret}\n{}\n", serde_json::to_string(sources)?).as_bytes())?;
    let mut answer = String::new();
    stream.take(64).read_to_string(&mut answer)?;
    if answer.trim() != TAKEN {
        bail!("it did not take what was handed over");
    }
    Ok(())
}

fn receive(stream: TcpStream, secret: &str, take: impl Fn(Vec<Source>)) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new((&stream).take(LARGEST));
    let (mut shown, mut list) = (String::new(), String::new());
    reader.read_line(&mut shown)?;
    if shown.trim_end() != secret {
        return Ok(());
    }
    reader.read_line(&mut list)?;
    take(serde_json::from_str(&list)?);
    (&stream).write_all(TAKEN.as_bytes())
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

    #[test]
    fn what_is_handed_over_arrives_and_strangers_are_not_heard() {
        let (taken, handed) = bounded(4);
        let text = listen(move |sources| _ = taken.try_send(sources)).expect("loopback");
        let sources = vec![Source::Magnet("magnet:?x".into()), Source::File("/a b/ü.torrent".into())];
        hand_over(&text, &sources).expect("handed over");
        hand_over(&text, &[]).expect("handed over");
        assert_eq!(handed.recv_timeout(PATIENCE), Ok(sources));
        assert_eq!(handed.recv_timeout(PATIENCE), Ok(vec![]));
        let addr = text.lines().next().expect("an address");
        assert!(hand_over(&format!("{addr}\nguessed\n"), &[]).is_err());
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
