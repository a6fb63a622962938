//! What is told: the torrents field by field, all of them, some, or those that changed; one in full; the settings.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::api::{
    Command, Detail, Event, Field, JobRow, RequestId, Settings, Stats, TorrentRow, Totals, View,
};
use crate::base::InfoHash;
use crate::web::changes::News;
use crate::web::fault::Fault;
use crate::web::reach;
use crate::web::site::Site;

/// The longest wait for something new, in seconds; browsers and what lies between give up after a minute.
const LONGEST_WAIT: u64 = 55;
/// How often something new is looked for while somebody waits.
const LOOK: Duration = Duration::from_millis(250);
/// How long a torrent may take to tell itself in full: it may have to be read from the disk first.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    /// Names of fields, with commas between; all where there are none.
    fields: Option<String>,
    /// Only what changed since that revision.
    since: Option<u64>,
    /// Seconds in which something new is waited for, where there is nothing yet.
    wait: u64,
    /// Of the whole list, from this one on.
    offset: usize,
    /// And so many.
    limit: Option<usize>,
}

/// What is asked of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AskedOfOne {
    fields: Option<String>,
}

/// What is asked of one in full.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AskedInFull {
    /// So many of its files, and of its peers, at most.
    most: Option<usize>,
}

/// The list, or what of it is new.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// To be named as `since` the next time.
    revision: u64,
    /// Whether `torrents` replaces all that was told before.
    whole: bool,
    /// Torrents in all.
    total: usize,
    /// The fields that were asked for, and always the info-hash; in the order in which they were added.
    torrents: Vec<Stats>,
    /// Torrents that are no longer on the list.
    gone: Vec<InfoHash>,
    session: Session,
}

/// What is told of the session itself.
#[derive(Debug, Serialize)]
struct Session {
    version: &'static str,
    unix_millis: u64,
    totals: Totals,
    jobs: Vec<JobRow>,
    /// Where peers reach it.
    listening: Vec<std::net::SocketAddr>,
    listen_fault: Option<String>,
    /// Whether the other limits hold by hand.
    other_limits: bool,
}

impl Session {
    fn of(view: &View) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            unix_millis: view.unix_millis,
            totals: view.totals.clone(),
            jobs: view.jobs.clone(),
            listening: view.listening.clone(),
            listen_fault: view.listen_fault.clone(),
            other_limits: view.settings.alternative.on,
        }
    }
}

/// The torrents.
pub(super) async fn all(
    State(site): State<Arc<Site>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Listed>, Fault> {
    let Query(asked) = asked.map_err(|error| Fault::malformed(error.body_text()))?;
    let fields = fields(asked.fields.as_deref())?;
    let is_part = asked.offset > 0 || asked.limit.is_some();
    if is_part && asked.since.is_some() {
        let why = "offset and limit are for the whole list, since is for what changed; ask for one of them";
        return Err(Fault::malformed(why));
    }
    let until = Instant::now() + Duration::from_secs(asked.wait.min(LONGEST_WAIT));
    loop {
        if let Some((news, view)) = site.news(asked.since, Instant::now() >= until) {
            let unix_secs = view.unix_millis / 1_000;
            let shown = news.torrents.iter().skip(asked.offset).take(asked.limit.unwrap_or(usize::MAX));
            return Ok(Json(Listed {
                revision: news.revision,
                whole: news.whole,
                total: view.torrents.len(),
                torrents: shown.map(|row| row.stats(&fields, unix_secs)).collect(),
                gone: news.gone,
                session: Session::of(&view),
            }));
        }
        sleep(LOOK).await;
    }
}

/// One torrent.
pub(super) async fn one(
    State(site): State<Arc<Site>>,
    torrent: Result<Path<String>, PathRejection>,
    asked: Result<Query<AskedOfOne>, QueryRejection>,
) -> Result<Json<Stats>, Fault> {
    let Query(asked) = asked.map_err(|error| Fault::malformed(error.body_text()))?;
    let fields = fields(asked.fields.as_deref())?;
    let unix_secs = site.handle.view().unix_millis / 1_000;
    Ok(Json(site.known(&named(torrent)?)?.stats(&fields, unix_secs)))
}

/// One torrent in full.
#[derive(Debug, Serialize)]
pub(super) struct Full {
    torrent: Arc<TorrentRow>,
    /// Files and peers in all.
    file_count: usize,
    peer_count: usize,
    /// Its files, peers, trackers and pieces.
    detail: Box<Detail>,
}

/// One torrent in full: with its files, peers, trackers and pieces.
pub(super) async fn detail(
    State(site): State<Arc<Site>>,
    torrent: Result<Path<String>, PathRejection>,
    asked: Result<Query<AskedInFull>, QueryRejection>,
) -> Result<Json<Full>, Fault> {
    let Query(AskedInFull { most }) = asked.map_err(|error| Fault::malformed(error.body_text()))?;
    let torrent = site.known(&named(torrent)?)?.info_hash;
    let handle = site.handle.clone();
    let ask = move || {
        let answer = handle.ask(Command::Describe { request: RequestId(0), torrent })?;
        Ok(answer.and_then(|answer| answer.wait(PATIENCE)))
    };
    let answer = tokio::task::spawn_blocking(ask).await.unwrap_or(Ok(None));
    match answer.map_err(|_: crate::api::SessionGone| Fault::gone())? {
        Some(Event::Described { mut detail, .. }) => {
            let (file_count, peer_count) = (detail.files.len(), detail.peers.len());
            detail.files.truncate(most.unwrap_or(usize::MAX));
            detail.peers.truncate(most.unwrap_or(usize::MAX));
            // What it shows has been told by now, too.
            let torrent = site.known(&torrent.to_hex())?;
            Ok(Json(Full { torrent, file_count, peer_count, detail }))
        }
        Some(Event::Refused { reason, .. }) => Err(Fault::new(StatusCode::CONFLICT, reason)),
        _ => Err(Fault::new(StatusCode::GATEWAY_TIMEOUT, "the session did not answer in time; try again")),
    }
}

/// The settings in force, without what lets into a network.
pub(super) async fn settings(State(site): State<Arc<Site>>) -> Json<Settings> {
    Json(reach::shown(&site.handle.view().settings))
}

impl Site {
    /// What is new, with the view that it stands in; nothing where nothing is and there is time to wait.
    fn news(&self, since: Option<u64>, now_or_never: bool) -> Option<(News, Arc<View>)> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = changes.look(&self.handle.view());
        if since == Some(revision) && !now_or_never {
            return None;
        }
        Some((changes.news(since), Arc::clone(changes.view())))
    }

    /// A torrent by its info-hash.
    fn known(&self, text: &str) -> Result<Arc<TorrentRow>, Fault> {
        let hash: InfoHash =
            text.parse().map_err(|error: crate::base::ParseHashError| Fault::malformed(error.to_string()))?;
        let view = self.handle.view();
        view.torrents.iter().find(|row| row.info_hash == hash).cloned().ok_or_else(unknown)
    }
}

/// The text by which a path names a torrent.
fn named(path: Result<Path<String>, PathRejection>) -> Result<String, Fault> {
    path.map(|Path(name)| name).map_err(|error| Fault::malformed(error.body_text()))
}

/// That torrent is not there.
pub(super) fn unknown() -> Fault {
    Fault::absent("that torrent is not on the list")
}

/// The fields of those names, and the info-hash.
fn fields(names: Option<&str>) -> Result<Vec<Field>, Fault> {
    let Some(names) = names.filter(|names| *names != "all") else { return Ok(Field::ALL.into()) };
    let mut fields = vec![Field::InfoHash];
    for name in names.split(',') {
        let field = Field::named(name.trim()).ok_or_else(|| {
            let all = Field::ALL.map(Field::name).join(", ");
            Fault::malformed(format!("there is no field {name}; there are {all}"))
        })?;
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Ok(fields)
}
