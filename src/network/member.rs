//! A member's side: when to register, when to beat, and what to make of the answers. A coordinator that restarts or is gone
//! for a while is found again without anybody's doing.

use crate::api::NetworkRules;
use crate::base::{InfoHash, Moment, Span};
use crate::network::{Code, Refusal, TrackerNews, UserList, UserNews, Welcome};

/// What to ask the coordinator now. What goes into the request is the caller's: its address, its swarms or torrents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Register.
    Register,
    /// Beat.
    Beat,
    /// Leave.
    Leave,
}

/// Why a call was not answered as hoped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The coordinator answered, and refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It did not answer, or another one did.
    #[error("the coordinator cannot be reached: {0}")]
    Unreachable(String),
}

/// What an answer says, whichever call it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// What applies.
    pub rules: NetworkRules,
    /// The trackers of the network, for a user.
    pub trackers: Option<Vec<Vec<String>>>,
    /// The users of the network, for a tracker, where they have changed.
    pub users: Option<UserList>,
    /// What is to be uploaded again.
    pub missing: Vec<InfoHash>,
    /// The revision of what the member tells that the coordinator has; 0 for none.
    pub told: u64,
    /// Between two beats, where it says.
    pub beat: Option<Span>,
    /// Whether it was registered already.
    pub already: bool,
}

/// Something that has changed for the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It is in the register.
    Connected {
        /// Whether it was before.
        already: bool,
    },
    /// It is not, for this reason, and goes on trying.
    Lost(String),
    /// It has left.
    Left,
    /// Other rules apply.
    Rules(NetworkRules),
    /// There are other trackers; true where one has gone.
    Trackers(Vec<Vec<String>>, bool),
    /// There are other users.
    Users(UserList),
    /// These shares have to be uploaded again.
    Missing(Vec<InfoHash>),
}

/// The state of one membership.
#[derive(Clone, Debug)]
pub struct Member {
    wanted: bool,
    state: State,
    next: Moment,
    beat: Span,
    failures: u32,
    told_lost: bool,
    rules: Option<NetworkRules>,
    trackers: Vec<Vec<String>>,
    users_revision: u64,
    told: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not in the register, as far as is known.
    Out,
    /// In the register.
    In,
    /// A call is under way, from that state.
    Asking { was_in: bool },
}

/// The longest time between two attempts.
const PATIENCE: Span = Span::from_secs(15);
/// A beat may not be asked for more often or more seldom than this.
const BEATS: (Span, Span) = (Span::from_millis(200), Span::from_secs(60));

impl Member {
    /// A member that wants in.
    pub fn new() -> Self {
        Self {
            wanted: true,
            state: State::Out,
            next: Moment::ZERO,
            beat: Span::from_secs(2),
            failures: 0,
            told_lost: false,
            rules: None,
            trackers: Vec::new(),
            users_revision: 0,
            told: 0,
        }
    }

    /// Connects, or disconnects, as soon as possible.
    pub fn want(&mut self, now: Moment, connected: bool) {
        if self.wanted != connected {
            self.wanted = connected;
            self.next = now;
            self.failures = 0;
        }
    }

    /// Beats at once, because there is something to tell.
    pub fn hurry(&mut self, now: Moment) {
        if self.state == State::In {
            self.next = self.next.min(now);
        }
    }

    /// What to ask now. One call at a time: the next comes after [`handle`](Self::handle).
    pub fn poll(&mut self, now: Moment) -> Option<Call> {
        let was_in = match self.state {
            State::Asking { .. } => return None,
            state => state == State::In,
        };
        let call = match (self.wanted, was_in) {
            (false, false) => return None,
            (false, true) => Call::Leave,
            (true, false) => Call::Register,
            (true, true) => Call::Beat,
        };
        if now < self.next {
            return None;
        }
        self.state = State::Asking { was_in };
        Some(call)
    }

    /// When [`poll`](Self::poll) has something to ask; never while a call is under way or nothing is wanted.
    pub fn next_deadline(&self) -> Moment {
        match self.state {
            State::Asking { .. } => Moment::NEVER,
            State::Out if !self.wanted => Moment::NEVER,
            _ => self.next,
        }
    }

    /// Takes the answer to the call under way.
    pub fn handle(&mut self, now: Moment, call: Call, answer: Result<Reply, CallError>) -> Vec<News> {
        let was_in = self.state == State::Asking { was_in: true };
        if call == Call::Leave {
            // A coordinator that cannot be told finds out by the silence.
            self.state = State::Out;
            self.next = now;
            return vec![News::Left];
        }
        match answer {
            Ok(reply) => self.accept(now, call, reply),
            Err(CallError::Refused(refusal)) if refusal.code == Code::Unregistered && was_in => {
                self.state = State::Out;
                self.next = now;
                Vec::new()
            }
            Err(error) => {
                self.state = State::Out;
                // The first retry is a beat's: a short fault need not cost the register.
                if was_in && self.failures == 0 && matches!(error, CallError::Unreachable(_)) {
                    self.state = State::In;
                }
                let wait = Span::from_secs(1 << self.failures.min(4));
                self.next = now + wait.min(PATIENCE);
                self.failures = self.failures.saturating_add(1);
                if std::mem::replace(&mut self.told_lost, true) {
                    Vec::new()
                } else {
                    vec![News::Lost(error.to_string())]
                }
            }
        }
    }

    /// Whether it is in the register, as far as is known.
    pub fn connected(&self) -> bool {
        !self.told_lost && matches!(self.state, State::In | State::Asking { was_in: true })
    }

    /// The revision of the list of users that it has.
    pub fn users_revision(&self) -> u64 {
        self.users_revision
    }

    /// The revision of what it tells that the coordinator has, by its last answer; 0 for none.
    pub fn told(&self) -> u64 {
        self.told
    }

    /// What applies, once it is known.
    pub fn rules(&self) -> Option<&NetworkRules> {
        self.rules.as_ref()
    }

    /// The trackers of the network, for a user.
    pub fn trackers(&self) -> &[Vec<String>] {
        &self.trackers
    }

    fn accept(&mut self, now: Moment, call: Call, reply: Reply) -> Vec<News> {
        let mut news = Vec::new();
        self.state = State::In;
        self.failures = 0;
        self.told = reply.told;
        if let Some(beat) = reply.beat {
            self.beat = beat.clamp(BEATS.0, BEATS.1);
        }
        self.next = now + self.beat;
        if call == Call::Register || self.told_lost {
            news.push(News::Connected { already: reply.already || call == Call::Beat });
            self.told_lost = false;
        }
        if call == Call::Register {
            // What the new register holds is not known; the first beat goes at once and asks for all of it.
            self.users_revision = 0;
            self.next = now;
        }
        if self.rules.as_ref() != Some(&reply.rules) {
            self.rules = Some(reply.rules.clone());
            news.push(News::Rules(reply.rules));
        }
        if let Some(trackers) = reply.trackers {
            let mut sorted = trackers.clone();
            sorted.sort();
            // Whose turn it is moves with every upload and is no news.
            if sorted != self.trackers {
                let gone = self.trackers.iter().any(|urls| !sorted.contains(urls));
                self.trackers = sorted;
                news.push(News::Trackers(trackers, gone));
            }
        }
        if let Some(users) = reply.users {
            self.users_revision = users.revision;
            news.push(News::Users(users));
        }
        if !reply.missing.is_empty() {
            news.push(News::Missing(reply.missing));
        }
        news
    }
}

impl Default for Member {
    fn default() -> Self {
        Self::new()
    }
}

impl Reply {
    /// What a welcome says to a tracker: the announce URLs in it are its own.
    pub fn to_tracker(welcome: Welcome) -> Self {
        Self { trackers: None, ..Self::to_user(welcome) }
    }

    /// What a welcome says to a user.
    pub fn to_user(welcome: Welcome) -> Self {
        Self {
            rules: welcome.rules,
            trackers: Some(welcome.trackers),
            users: None,
            missing: welcome.missing,
            told: 0,
            beat: Some(Span::from_secs(welcome.beat_secs)),
            already: welcome.already_unix_millis.is_some(),
        }
    }
}

impl From<TrackerNews> for Reply {
    fn from(news: TrackerNews) -> Self {
        Self { rules: news.rules, users: news.users, told: news.revision, ..Self::default() }
    }
}

impl From<UserNews> for Reply {
    fn from(news: UserNews) -> Self {
        Self { rules: news.rules, trackers: Some(news.trackers), told: news.revision, ..Self::default() }
    }
}
