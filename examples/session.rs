//! A session used as a library: fetches a torrent or shares a file, with the same handle that the window and the command line
//! have. `cargo run --no-default-features --features host --example session -- STATE_FOLDER FILE.torrent|MAGNET [PEER]...`.
//!
//! It labels what it adds, limits it, tells how it goes, and stops it in order: no more requests, peers left, trackers told,
//! everything written. Started again on the same state folder it goes on where it was.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fyris::api::{AddOptions, Command, Event, Field, Handle, Label, Settings, Source, Stats, Value};
use fyris::base::InfoHash;
use fyris::net::network::Begin;
use fyris::net::{Config, Session};

/// What is told of a torrent.
const TOLD: [Field; 8] = [
    Field::Name,
    Field::State,
    Field::Size,
    Field::Left,
    Field::Downloaded,
    Field::Uploaded,
    Field::Ratio,
    Field::Label,
];

#[expect(clippy::print_stdout, reason = "printing is what it does")]
fn main() -> Result<(), Box<dyn Error>> {
    let stats = fetch(std::env::args().skip(1))?;
    println!("{}", serde_json::to_string(&stats)?);
    Ok(())
}

/// Does what the words of the command line say, and gives how the torrent stood in the end.
pub(crate) fn fetch(mut words: impl Iterator<Item = String>) -> Result<Stats, Box<dyn Error>> {
    let (Some(state), Some(what)) = (words.next().map(PathBuf::from), words.next()) else {
        return Err("tell a state folder, and a .torrent file or a magnet link".into());
    };
    let peers = words.map(|word| word.parse()).collect::<Result<Vec<_>, _>>()?;
    let source = match what.starts_with("magnet:") {
        true => Source::Magnet(what),
        false => Source::File(what.into()),
    };

    // A session keeps to the settings it is given; this one is in no network and hosts no tracker.
    let (session, handle) = Session::start(Config {
        settings: settings(&state)?,
        state: Some(state),
        keep_settings: true,
        restore: true,
        network: Begin::Without,
    })?;

    // Each request has a number, and the answer has the same one.
    let request = handle.next_request();
    let options = AddOptions { label: "example".into(), peers, ..AddOptions::default() };
    handle.send(Command::Add { request, source, options })?;
    let torrent = answer(&handle, |event| match event {
        Event::Added { request: of, torrent, .. } if *of == request => Some(Ok(*torrent)),
        Event::Refused { request: of, reason } if *of == request => Some(Err(reason.clone())),
        _ => None,
    })??;
    handle.send(Command::Resume(torrent))?;

    // What happens comes as events, and how everything stands is in the view.
    answer(&handle, |event| match event {
        Event::Completed { torrent: of, .. } | Event::Seeding { torrent: of, .. } if *of == torrent => {
            Some(Ok(()))
        }
        Event::Failed { torrent: of, reason, .. } if *of == torrent => Some(Err(reason.clone())),
        _ => None,
    })??;
    let stats = stats(&handle, torrent)?;

    // In order, and within seconds.
    let request = handle.next_request();
    handle.send(Command::StopAndSerialize { request, torrent: None })?;
    answer(&handle, |event| {
        matches!(event, Event::Serialized { request: of, .. } if *of == request).then_some(())
    })?;
    handle.send(Command::Shutdown)?;
    drop(handle);
    if session.join(Duration::from_secs(10)) { Ok(stats) } else { Err("the session did not end".into()) }
}

/// Everything that a user may choose: here, where downloads go, and that those with the label share a limit.
fn settings(state: &Path) -> Result<Settings, Box<dyn Error>> {
    let downloads = std::path::absolute(state.join("downloads"))?;
    std::fs::create_dir_all(&downloads)?;
    Ok(Settings {
        download_folder: downloads,
        port: 0,
        tracker: false,
        labels: vec![Label { name: "example".into(), up: Some(1_000_000), ..Label::default() }],
        ..Settings::default()
    })
}

/// Waits for what `pick` takes out of an event.
fn answer<T>(handle: &Handle, mut pick: impl FnMut(&Event) -> Option<T>) -> Result<T, &'static str> {
    while let Some(event) = handle.wait_event() {
        if let Some(picked) = pick(&event) {
            return Ok(picked);
        }
    }
    Err("the session has ended")
}

/// How a torrent stands when it is complete; the view is a moment behind the events.
fn stats(handle: &Handle, torrent: InfoHash) -> Result<Stats, Box<dyn Error>> {
    let (ring, news) = crossbeam_channel::bounded(1);
    handle.on_news(std::sync::Arc::new(move || _ = ring.try_send(())));
    for _ in 0..100 {
        if let Some(stats) = handle.view().stats(torrent, &TOLD)
            && stats.get(Field::Left) == Some(&Value::Number(0))
            && stats.get(Field::State) == Some(&Value::Text("seeding".into()))
        {
            return Ok(stats);
        }
        // A new view, or time for another look.
        let _ = news.recv_timeout(Duration::from_millis(100));
    }
    Err("the view does not show that it is complete".into())
}
