//! What is being asked of the coordinator besides the members' beats, and what the answers mean.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::api::{AddOptions, Event, IndexEntry, NetworkStatistics, Registers, RequestId};
use crate::base::InfoHash;
use crate::net::network::Client;
use crate::net::network::desk::{Room, Word, sentence};
use crate::network::{
    AskRegisters, AskScreens, AskStatistics, Base64, CallError, Code, Fetch, Fetched, Fingerprint, JoinLink,
    List, Listing, MemberId, Remove, ScreensNews, Upload, Uploaded,
};

/// How long an upload waits for the user to be connected, and for a tracker to be there.
const CONNECTING: Duration = Duration::from_secs(10);
const NO_TRACKERS: Duration = Duration::from_secs(3);
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(200);

/// The questions that are open.
#[derive(Debug, Default)]
pub(super) struct Asked {
    calls: JoinSet<Answer>,
    /// Whether one of them is what the window shows.
    pub(super) is_looking: bool,
}

/// An answer, with what it is about.
#[derive(Debug)]
pub(super) enum Answer {
    Uploaded {
        request: Option<RequestId>,
        torrent: InfoHash,
        name: String,
        result: Result<Uploaded, CallError>,
    },
    Fetched {
        request: RequestId,
        options: AddOptions,
        result: Result<Fetched, CallError>,
    },
    ToSave {
        request: RequestId,
        path: PathBuf,
        result: Result<Fetched, CallError>,
    },
    Removed {
        request: RequestId,
        result: Result<IndexEntry, CallError>,
    },
    Joined {
        request: RequestId,
        link: Box<JoinLink>,
        result: Result<Registers, CallError>,
    },
    Looked(Fingerprint, Result<Box<Looked>, CallError>),
    /// The work broke off.
    Nothing,
}

/// A network that is elsewhere, as it looks now.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) registers: Registers,
    pub(super) index: Listing,
    pub(super) statistics: NetworkStatistics,
    /// New lines of its screens; nothing from a coordinator that does not tell them.
    screens: Option<ScreensNews>,
}

impl Asked {
    /// The next answer; never where nothing was asked.
    pub(super) async fn next(&mut self) -> Answer {
        match self.calls.join_next().await {
            Some(answer) => answer.unwrap_or(Answer::Nothing),
            None => std::future::pending().await,
        }
    }

    /// Uploads once the user is connected and a tracker is there.
    pub(super) fn upload(
        &mut self,
        client: Client,
        id: MemberId,
        request: Option<RequestId>,
        (torrent, name, info): (InfoHash, String, Vec<u8>),
    ) {
        self.calls.spawn(async move {
            let began = Instant::now();
            let upload = Upload { id, info: Base64(info) };
            loop {
                let result = client.ask(&upload).await;
                let patience = match &result {
                    Err(CallError::Refused(refusal)) if refusal.code == Code::NoTrackers => NO_TRACKERS,
                    Err(CallError::Refused(refusal)) if refusal.code != Code::Unregistered => Duration::ZERO,
                    Err(_) => CONNECTING,
                    Ok(_) => Duration::ZERO,
                };
                if began.elapsed() >= patience {
                    return Answer::Uploaded { request, torrent, name, result };
                }
                sleep(AGAIN).await;
            }
        });
    }

    /// Fetches a torrent to be added.
    pub(super) fn fetch(&mut self, client: Client, request: RequestId, name: String, options: AddOptions) {
        self.calls.spawn(async move {
            Answer::Fetched { request, options, result: client.ask(&Fetch { name }).await }
        });
    }

    /// Fetches a torrent to be written to a file.
    pub(super) fn save(&mut self, client: Client, request: RequestId, name: String, path: PathBuf) {
        self.calls.spawn(async move {
            Answer::ToSave { request, path, result: client.ask(&Fetch { name }).await }
        });
    }

    /// Takes a torrent out of the index.
    pub(super) fn remove(&mut self, client: Client, request: RequestId, name: String) {
        self.calls
            .spawn(async move { Answer::Removed { request, result: client.ask(&Remove { name }).await } });
    }

    /// Tries whether a link leads to a network.
    pub(super) fn join(&mut self, client: Client, request: RequestId) {
        self.calls.spawn(async move {
            let link = Box::new(client.link().clone());
            Answer::Joined { request, link, result: client.ask(&AskRegisters {}).await }
        });
    }

    /// Asks for all that the window shows.
    pub(super) fn look(&mut self, client: Client, known: AskScreens) {
        if std::mem::replace(&mut self.is_looking, true) {
            return;
        }
        self.calls.spawn(async move {
            let all = async {
                let registers = client.ask(&AskRegisters {}).await?;
                let index = client.ask(&List::default()).await?;
                let statistics = client.ask(&AskStatistics {}).await?;
                let screens = client.ask(&known).await.ok();
                Ok(Box::new(Looked { registers, index, statistics, screens }))
            };
            Answer::Looked(client.link().fingerprint, all.await)
        });
    }
}

impl Room {
    /// Takes an answer.
    pub(super) async fn conclude(&mut self, answer: Answer) {
        let now = self.clock.unix_now();
        match answer {
            Answer::Nothing => {}
            Answer::Looked(network, looked) => {
                self.asked.is_looking = false;
                // Another network may have been joined meanwhile.
                let is_ours = self.client.as_ref().is_some_and(|client| client.link().fingerprint == network);
                if let (true, Ok(mut looked)) = (is_ours, looked) {
                    if let Some(news) = looked.screens.take() {
                        self.far_known = self.far_screens.take(news);
                    }
                    self.far = Some(looked);
                }
            }
            Answer::Uploaded { request, torrent, name, result } => {
                match &result {
                    Ok(uploaded) => {
                        self.note_upload(torrent, true);
                        let first = uploaded.entry.tiers.first().and_then(|tier| tier.first());
                        let first = first.map_or("no tracker", String::as_str);
                        self.peer_screen.say(now, format!("uploaded {name}: assigned to {first}"));
                        self.hurry();
                    }
                    Err(error) => {
                        self.peer_screen.say(now, format!("{name} was not uploaded: {error}"));
                        if request.is_none() {
                            self.again_later(torrent);
                        }
                    }
                }
                if let Some(request) = request {
                    let result = result
                        .map(|uploaded| uploaded.entry.tiers)
                        .map_err(|error| sentence(&error.to_string()));
                    self.tell(Word::Uploaded(request, result)).await;
                }
            }
            Answer::Fetched { request, mut options, result } => match result {
                Ok(fetched) => {
                    self.peer_screen.say(now, format!("downloading {}", fetched.entry.name));
                    options.peers.extend(fetched.peers);
                    self.tell(Word::Fetched { request, torrent: fetched.torrent.0, options }).await;
                }
                Err(error) => self.refuse_on_peer(request, &error).await,
            },
            Answer::ToSave { request, path, result } => match result {
                Ok(fetched) => self.tell(Word::Save { request, torrent: fetched.torrent.0, path }).await,
                Err(error) => self.refuse_on_peer(request, &error).await,
            },
            Answer::Removed { request, result } => match result {
                Ok(entry) => {
                    self.note_upload(entry.info_hash, false);
                    self.tell(Word::Event(Event::Unlisted { request, name: entry.name })).await;
                }
                Err(error) => self.refuse_on_peer(request, &error).await,
            },
            Answer::Joined { request, link, result } => match result {
                Ok(registers) => self.joined(request, *link, registers).await,
                Err(error) => self.refuse_on_peer(request, &error).await,
            },
        }
    }

    async fn refuse_on_peer(&mut self, request: RequestId, error: &CallError) {
        let reason = sentence(&error.to_string());
        self.peer_screen.say(self.clock.unix_now(), reason.clone());
        self.refuse(request, reason).await;
    }

    pub(super) async fn refuse(&self, request: RequestId, reason: String) {
        self.tell(Word::Event(Event::Refused { request, reason })).await;
    }
}
