//! Members at work: each asks its coordinator when its machine says so, for as long as somebody wants it to.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::base::{InfoHash, Moment};
use crate::net::clock::Clock;
use crate::net::network::Client;
use crate::net::tracker::Observer;
use crate::network::{
    Call, CallError, Holdings, LeaveTracker, LeaveUser, Member, MemberId, News, RegisterTracker,
    RegisterUser, Reply, Sending, Swarms, TrackerBeat, UserBeat,
};

/// Swarms that a tracker tells of, and peers in all of them.
const SWARMS: usize = 10_000;
const PEERS: usize = 50_000;

/// What somebody wants of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whether it is to be in the register.
    pub connected: bool,
    /// Rises whenever there is something to tell at once.
    pub hurry: u64,
}

impl Default for Wish {
    fn default() -> Self {
        Self { connected: true, hurry: 0 }
    }
}

/// What a member tells its coordinator.
pub trait Role: Send {
    /// Carries out one call of that member.
    fn ask(&mut self, call: Call, member: &Member) -> impl Future<Output = Result<Reply, CallError>> + Send;
}

/// Runs a member until nobody holds its wish any more; it leaves the register then. Everything that changes for it is sent on.
pub async fn attend<R: Role>(mut role: R, mut wish: watch::Receiver<Wish>, news: mpsc::Sender<News>) {
    let clock = Clock::start();
    let mut member = Member::new();
    let (mut hurry, mut ending) = (0, false);
    loop {
        let now = clock.now();
        let wanted = *wish.borrow_and_update();
        member.want(now, wanted.connected && !ending);
        if wanted.hurry != hurry {
            hurry = wanted.hurry;
            member.hurry(now);
        }
        if let Some(call) = member.poll(now) {
            let answer = role.ask(call, &member).await;
            for news_item in member.handle(clock.now(), call, answer) {
                // Whoever does not listen any more wants no more either.
                ending |= news.send(news_item).await.is_err();
            }
            continue;
        }
        let due = member.next_deadline();
        if ending && due == Moment::NEVER {
            return;
        }
        let sleep = async {
            match clock.instant(due) {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = wish.changed(), if !ending => ending = changed.is_err(),
            () = sleep => {}
        }
    }
}

/// A tracker.
#[derive(Debug)]
pub struct TrackerRole {
    client: Client,
    id: MemberId,
    tracker: Observer,
    clock: Clock,
    /// What stands at the tracker, as it was looked at last.
    swarms: Swarms,
}

impl TrackerRole {
    /// A tracker of that name with the coordinator that the client leads to.
    pub fn new(client: Client, id: MemberId, tracker: Observer) -> Self {
        Self { client, id, tracker, clock: Clock::start(), swarms: Swarms::default() }
    }
}

impl Role for TrackerRole {
    async fn ask(&mut self, call: Call, member: &Member) -> Result<Reply, CallError> {
        let (client, id) = (self.client.clone(), self.id);
        let reply = match call {
            Call::Register => {
                let urls = self.tracker.urls().iter().take(8).cloned().collect();
                Reply::to_tracker(client.ask(&RegisterTracker { id, urls }).await?)
            }
            Call::Beat => {
                let now = self.clock.now();
                self.swarms.set(now, self.tracker.swarms(SWARMS, PEERS));
                let (swarms, revision) = (self.swarms.tell(now, member.told()), self.swarms.revision());
                let users_revision = member.users_revision();
                client.ask(&TrackerBeat { id, swarms, revision, users_revision }).await?.into()
            }
            Call::Leave => client.ask(&LeaveTracker { id }).await.map(|_| Reply::default())?,
        };
        if call != Call::Leave {
            self.tracker.set_answer_peers(reply.rules.max_connections);
        }
        Ok(reply)
    }
}

/// What a user is and does, as its session knows it.
#[derive(Clone, Debug, Default)]
pub struct UserFacts {
    /// What it calls itself.
    pub name: String,
    /// The port its peer listens on.
    pub port: u16,
    /// What it has uploaded and still seeds.
    pub shares: Vec<InfoHash>,
    /// What it seeds and downloads, by the clock of its session.
    pub torrents: Holdings,
    /// To whom it sends.
    pub sends: Vec<Sending>,
}

/// A user.
#[derive(Debug)]
pub struct UserRole {
    client: Client,
    id: MemberId,
    facts: Arc<Mutex<UserFacts>>,
    clock: Clock,
}

impl UserRole {
    /// A user of that name with the coordinator that the client leads to.
    pub(in crate::net) fn new(
        client: Client,
        id: MemberId,
        facts: Arc<Mutex<UserFacts>>,
        clock: Clock,
    ) -> Self {
        Self { client, id, facts, clock }
    }

    fn facts(&self) -> UserFacts {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Role for UserRole {
    async fn ask(&mut self, call: Call, member: &Member) -> Result<Reply, CallError> {
        let (client, id, facts) = (self.client.clone(), self.id, self.facts());
        Ok(match call {
            Call::Register => {
                let UserFacts { name, port, shares, .. } = facts;
                Reply::to_user(client.ask(&RegisterUser { id, name, port, shares }).await?)
            }
            Call::Beat => {
                let UserFacts { torrents: held, sends, .. } = facts;
                let (torrents, revision) = (held.tell(self.clock.now(), member.told()), held.revision());
                client.ask(&UserBeat { id, torrents, revision, sends }).await?.into()
            }
            Call::Leave => client.ask(&LeaveUser { id }).await.map(|_| Reply::default())?,
        })
    }
}

/// How long members may take to leave the register when everything ends.
pub const LEAVING: Duration = Duration::from_secs(2);
