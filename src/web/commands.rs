//! Commands, in the words in which the session takes them from everybody, and what becomes of each.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::api::{Answer, Command, Event, Handle, RequestId, SessionGone};
use crate::base::InfoHash;
use crate::web::fault::Fault;
use crate::web::list::unknown;
use crate::web::reach;
use crate::web::site::Site;

/// Bytes of commands sent at once: a large .torrent in base64, and some.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Commands sent at once.
const MOST: usize = 10_000;
/// How long answers are waited for; what takes longer goes on without anybody who waits.
const PATIENCE: Duration = Duration::from_secs(20);
/// A torrent that was added a moment ago takes so long to be on the list.
const ON_ITS_WAY: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(50);

/// What became of a command.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It is done, and written where that belongs to it.
    Done,
    /// The session has it, and is not done yet; what it does shows in the list.
    Taken,
    /// It goes on, as the job of that number.
    Working(RequestId),
    /// What the session answered: it is done, or refused.
    #[serde(untagged)]
    Answered(Event),
}

/// Does what one command says, or each of a list.
pub(super) async fn run(
    State(site): State<Arc<Site>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Fault> {
    let body = body.map_err(|error| match error.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            Fault::new(status, format!("this is too much at once: at most {MOST_BYTES} bytes may be sent"))
        }
        status => Fault::new(status, "the commands did not arrive whole"),
    })?;
    let is_list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let mut commands = if is_list { read(&body)? } else { vec![read(&body)?] };
    drop(body);
    if commands.len() > MOST {
        let why = format!("this is too much at once: at most {MOST} commands may be sent");
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    let settings = Arc::clone(&site.handle.view().settings);
    for command in &mut commands {
        reach::complete(command, &settings);
        reach::may_come(command, &settings)?;
    }
    await_torrents(&site.handle, &commands).await?;
    let handle = site.handle.clone();
    let work = tokio::task::spawn_blocking(move || obey(&handle, commands)).await;
    let outcomes = match work {
        Ok(done) => done.map_err(|_| Fault::gone())?,
        Err(_) => {
            let why = "the commands could not be carried out; this is a fault of Fyris";
            return Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, why));
        }
    };
    if is_list {
        return Ok(Json(outcomes).into_response());
    }
    match outcomes.into_iter().next() {
        Some(Outcome::Answered(Event::Refused { reason, .. })) => {
            Err(Fault::new(StatusCode::CONFLICT, reason))
        }
        Some(outcome) => Ok(Json(outcome).into_response()),
        None => Err(Fault::gone()),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
        Fault::new(status, format!("nothing was done, for this is no command: {error}"))
    })
}

/// Waits until the torrents that commands name are there; none of them is done where one is not.
async fn await_torrents(handle: &Handle, commands: &[Command]) -> Result<(), Fault> {
    let until = Instant::now() + ON_ITS_WAY;
    let mut missing: HashSet<InfoHash> = commands.iter().filter_map(subject).collect();
    loop {
        for row in handle.view().torrents.iter() {
            missing.remove(&row.info_hash);
        }
        if missing.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(unknown());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Gives the session all of them, and waits for what it answers to those that it answers to.
fn obey(handle: &Handle, commands: Vec<Command>) -> Result<Vec<Outcome>, SessionGone> {
    let torrents = commands.iter().filter_map(subject).collect();
    let asked: Vec<Option<Answer>> =
        commands.into_iter().map(|command| handle.ask(command)).collect::<Result<_, _>>()?;
    // What has no answer of its own is done once the torrents have settled.
    let settle = match asked.iter().any(Option::is_none) {
        true => handle.ask(Command::Settle { request: RequestId(0), torrents })?,
        false => None,
    };
    let until = Instant::now() + PATIENCE;
    let answered: Vec<Option<Outcome>> =
        asked.into_iter().map(|answer| answer.map(|answer| outcome(&answer, until))).collect();
    let settled = settle.and_then(|answer| wait(&answer, until));
    Ok(answered.into_iter().map(|outcome| outcome.unwrap_or_else(|| unanswered(settled.as_ref()))).collect())
}

fn wait(answer: &Answer, until: Instant) -> Option<Event> {
    answer.wait(until.saturating_duration_since(Instant::now()))
}

fn outcome(answer: &Answer, until: Instant) -> Outcome {
    wait(answer, until).map_or(Outcome::Working(answer.request()), Outcome::Answered)
}

/// What became of a command that has no answer of its own.
fn unanswered(settled: Option<&Event>) -> Outcome {
    match settled {
        Some(Event::Settled { .. }) => Outcome::Done,
        Some(refused) => Outcome::Answered(refused.clone()),
        None => Outcome::Taken,
    }
}

/// The torrent that a command names.
fn subject(command: &Command) -> Option<InfoHash> {
    match command {
        Command::Pause(torrent)
        | Command::Resume(torrent)
        | Command::Recheck(torrent)
        | Command::Announce(torrent)
        | Command::Watch(Some(torrent))
        | Command::StopAndSerialize { torrent: Some(torrent), .. }
        | Command::Move { torrent, .. }
        | Command::Remove { torrent, .. }
        | Command::Prioritise { torrent, .. }
        | Command::Sequential { torrent, .. }
        | Command::Limit { torrent, .. }
        | Command::Goals { torrent, .. }
        | Command::Label { torrent, .. }
        | Command::Rename { torrent, .. }
        | Command::Queue { torrent, .. }
        | Command::AddPeers { torrent, .. }
        | Command::SaveTorrent { torrent, .. }
        | Command::Describe { torrent, .. } => Some(*torrent),
        Command::Inspect { .. }
        | Command::Add { .. }
        | Command::Share { .. }
        | Command::Cancel(_)
        | Command::PauseAll
        | Command::ResumeAll
        | Command::StopAndSerialize { torrent: None, .. }
        | Command::Watch(None)
        | Command::Settle { .. }
        | Command::Network(_)
        | Command::Settings(_)
        | Command::Shutdown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::pair;

    #[test]
    fn what_takes_longer_goes_on_as_a_job() {
        let (handle, _backend) = pair();
        let torrent = InfoHash([1; 20]);
        let command = Command::Move { request: RequestId(0), torrent, folder: "/there".into() };
        let answer = handle.ask(command).expect("a session").expect("it is answered");
        let outcome = serde_json::to_string(&outcome(&answer, Instant::now())).expect("plain data");
        assert_eq!(outcome, r#"{"working":1}"#);
        let request = RequestId(2);
        let refused = Event::Refused { request, reason: "the disk is full".into() };
        for (settled, told) in [
            (None, r#""taken""#),
            (Some(Event::Settled { request }), r#""done""#),
            (Some(refused), r#"{"refused":{"request":2,"reason":"the disk is full"}}"#),
        ] {
            let outcome = serde_json::to_string(&unanswered(settled.as_ref())).expect("plain data");
            assert_eq!(outcome, told);
        }
    }
}
