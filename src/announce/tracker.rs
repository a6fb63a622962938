//! One tracker of a torrent: what it has been told, when it is due, how it stands.

use std::sync::Arc;

use crate::announce::request::Failure;
use crate::announce::url;
use crate::api::{TrackerRow, TrackerState};
use crate::base::{Moment, Rng, Span};
use crate::wire::tracker::{Answer, Event, RetryIn};

/// One tracker.
#[derive(Debug)]
pub(super) struct Tracker {
    pub(super) url: Arc<str>,
    tier: u32,
    /// What it knows of us.
    told: Told,
    /// A completed download that it has yet to be told of.
    completed_due: bool,
    /// The announce it is being asked, by its name.
    asking: Option<(u64, Event)>,
    /// The scrape it is being asked.
    scraping: Option<u64>,
    /// When it is next announced to.
    next: Moment,
    /// Before this it is not asked even by hand.
    earliest: Moment,
    /// When its counts are asked for, where announces lack them.
    scrape_at: Moment,
    /// Failures since it last worked.
    failures: u32,
    /// Why it failed last.
    fault: Option<String>,
    /// It is not asked again unless by hand.
    refuses: bool,
    pub(super) tracker_id: Option<Vec<u8>>,
    peers: u32,
    pub(super) complete: Option<u32>,
    pub(super) incomplete: Option<u32>,
    warning: Option<String>,
}

/// What a tracker knows of us. Exactly one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Nothing, or nothing any more.
    Nothing,
    /// That we are here.
    Started,
    /// To be told that we leave.
    Leaving,
}

impl Tracker {
    pub(super) fn new(url: &str, tier: u32) -> Self {
        Self {
            url: url.into(),
            tier,
            told: Told::Nothing,
            completed_due: false,
            asking: None,
            scraping: None,
            next: Moment::ZERO,
            earliest: Moment::ZERO,
            scrape_at: Moment::NEVER,
            failures: 0,
            fault: url::unsupported(url).map(str::to_owned),
            refuses: false,
            tracker_id: None,
            peers: 0,
            complete: None,
            incomplete: None,
            warning: None,
        }
    }

    /// Whether it can be asked at all.
    pub(super) fn is_supported(&self) -> bool {
        // Only a fault without a failure is older than every question.
        self.fault.is_none() || self.failures > 0
    }

    /// Whether it answered last time.
    pub(super) fn is_working(&self) -> bool {
        self.told == Told::Started && self.failures == 0
    }

    /// Whether an announce is under way.
    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// When it is next announced to, while the torrent runs.
    pub(super) fn due(&self) -> Moment {
        match (self.is_supported(), self.refuses, self.completed_due) {
            (false, ..) | (_, true, _) => Moment::NEVER,
            (_, _, true) if self.is_working() => Moment::ZERO,
            _ => self.next,
        }
    }

    /// When its counts are to be asked for.
    pub(super) fn scrape_due(&self) -> Moment {
        if self.scraping.is_some() || self.told != Told::Started { Moment::NEVER } else { self.scrape_at }
    }

    /// Whether it has yet to be told that we leave, and can be now.
    pub(super) fn is_leaving(&self) -> bool {
        self.told == Told::Leaving && self.asking.is_none()
    }

    /// Whether nothing is under way and nothing is to be told.
    pub(super) fn is_quiet(&self) -> bool {
        self.asking.is_none() && self.told == Told::Nothing
    }

    /// What the next announce is about.
    pub(super) fn next_event(&self) -> Event {
        match self.told {
            Told::Nothing => Event::Started,
            Told::Leaving => Event::Stopped,
            Told::Started if self.completed_due => Event::Completed,
            Told::Started => Event::None,
        }
    }

    /// An announce went out.
    pub(super) fn ask(&mut self, id: u64, event: Event) {
        self.asking = Some((id, event));
    }

    /// A scrape went out; the next one waits for the next announce.
    pub(super) fn scrape(&mut self, id: u64) {
        self.scraping = Some(id);
        self.scrape_at = Moment::NEVER;
    }

    /// The torrent begins to run.
    pub(super) fn start(&mut self, now: Moment) {
        self.completed_due = false;
        self.refuses = false;
        if self.is_leaving() {
            // It never heard that we left.
            self.told = Told::Started;
            self.next = self.earliest.max(now);
        } else {
            // A farewell that is under way ends on its own; the tracker is greeted after it.
            self.told = Told::Nothing;
            self.next = now;
        }
    }

    /// The torrent ends: who knows of us, or may in a moment, is told so once.
    pub(super) fn stop(&mut self) {
        self.completed_due = false;
        self.scraping = None;
        if self.told == Told::Started {
            // A question that is under way changes nothing any more and is not waited for.
            self.told = Told::Leaving;
            self.asking = None;
        }
    }

    /// The last wanted piece has come. Who did not know of us before learns of a seed by `started`.
    pub(super) fn complete(&mut self) {
        let greeted = matches!(self.asking, Some((_, Event::Started)));
        self.completed_due = self.told == Told::Started || greeted;
    }

    /// Asked for by hand: as soon as it is welcome.
    pub(super) fn hurry(&mut self, now: Moment) {
        self.refuses = false;
        self.next = self.next.min(self.earliest.max(now));
    }

    /// Takes the place of a tracker that failed.
    pub(super) fn step_in(&mut self, now: Moment) {
        if self.failures == 0 {
            self.next = self.next.min(self.earliest.max(now));
        }
    }

    /// The event of the announce named `id`, where that is the one under way.
    pub(super) fn end_announce(&mut self, id: u64) -> Option<Event> {
        let (_, event) = self.asking.filter(|(asked, _)| *asked == id)?;
        self.asking = None;
        Some(event)
    }

    /// Whether the scrape named `id` is the one under way, which ends with this.
    pub(super) fn end_scrape(&mut self, id: u64) -> bool {
        self.scraping.take_if(|asked| *asked == id).is_some()
    }

    /// An announce succeeded.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        event: Event,
        answer: &mut Answer,
        running: bool,
        rng: &mut Rng,
    ) {
        self.failures = 0;
        self.fault = None;
        match (event, running) {
            (Event::Stopped, _) => return self.left(),
            (_, true) => self.told = Told::Started,
            (_, false) => self.told = Told::Leaving,
        }
        if event == Event::Completed {
            self.completed_due = false;
        }
        let floor = answer
            .min_interval_secs
            .map_or(INTERVAL_MIN_SECS, |secs| secs.clamp(INTERVAL_FLOOR_SECS, INTERVAL_MAX_SECS));
        let interval = answer.interval_secs.unwrap_or(INTERVAL_SECS).clamp(floor, INTERVAL_MAX_SECS);
        self.earliest = now + Span::from_secs(u64::from(floor));
        // Later by up to a twentieth, so that many torrents do not keep asking in one breath.
        let jitter = Span::from_millis(rng.below(interval as usize * 50) as u64);
        self.next = now + Span::from_secs(u64::from(interval)) + jitter;
        self.peers = answer.peers.len() as u32;
        self.warning = answer.warning.take();
        if answer.tracker_id.is_some() {
            self.tracker_id = answer.tracker_id.take();
        }
        if !self.take_counts(answer) && self.scrape_at == Moment::NEVER {
            self.scrape_at = now;
        }
    }

    /// A scrape succeeded.
    pub(super) fn scraped(&mut self, answer: &Answer) {
        self.take_counts(answer);
    }

    /// A scrape failed: not tried again before a working day is over.
    pub(super) fn scrape_failed(&mut self, now: Moment) {
        self.scrape_at = now + SCRAPE_PAUSE;
    }

    /// An announce failed.
    pub(super) fn failed(&mut self, now: Moment, event: Event, failure: Failure, rng: &mut Rng) {
        // The farewell is said once, heard or not.
        if event == Event::Stopped {
            return self.left();
        }
        let (first, retry_in) = match &failure {
            Failure::Refused { retry_in, .. } => (REFUSED_STEP, *retry_in),
            _ => (0, None),
        };
        let step = self.failures as usize + first;
        let secs = match retry_in {
            Some(RetryIn::Minutes(minutes)) => {
                (u64::from(minutes) * 60).clamp(60, u64::from(INTERVAL_MAX_SECS))
            }
            Some(RetryIn::Never) => {
                self.refuses = true;
                u64::from(INTERVAL_MAX_SECS)
            }
            None => match BACK_OFF_SECS.get(step) {
                Some(secs) => *secs,
                None => (60 << (step + 1 - BACK_OFF_SECS.len()).min(6)).min(BACK_OFF_MAX_SECS),
            },
        };
        self.failures += 1;
        self.fault = Some(failure.to_string());
        self.earliest = now + Span::from_secs(BACK_OFF_SECS[0]);
        self.next = now + Span::from_secs(secs) + Span::from_millis(rng.below(secs as usize * 100) as u64);
    }

    /// The row for the window.
    pub(super) fn row(&self, now: Moment, scheduled: bool) -> TrackerRow {
        let state = match &self.fault {
            _ if self.asking.is_some() => TrackerState::Announcing,
            Some(fault) => TrackerState::Failed(fault.clone()),
            None if self.told == Told::Started => TrackerState::Working,
            None => TrackerState::Waiting,
        };
        let scheduled = scheduled && self.asking.is_none() && self.due() != Moment::NEVER;
        TrackerRow {
            url: self.url.to_string(),
            tier: self.tier,
            state,
            next_secs: scheduled.then(|| self.due().since(now).secs()),
            peers: self.peers,
            complete: self.complete,
            incomplete: self.incomplete,
            warning: self.warning.clone(),
        }
    }

    fn left(&mut self) {
        if self.told == Told::Leaving {
            self.told = Told::Nothing;
        }
    }

    /// Whether the answer told the counts.
    fn take_counts(&mut self, answer: &Answer) -> bool {
        let told = answer.complete.is_some() || answer.incomplete.is_some();
        if told {
            self.complete = answer.complete;
            self.incomplete = answer.incomplete;
        }
        told
    }
}

/// Seconds between announces where the tracker names none.
const INTERVAL_SECS: u32 = 1_800;
/// The least interval from a tracker that names no minimum itself.
const INTERVAL_MIN_SECS: u32 = 60;
/// The least minimum that a tracker may name.
const INTERVAL_FLOOR_SECS: u32 = 5;
/// No tracker is forgotten for longer than a day.
const INTERVAL_MAX_SECS: u32 = 86_400;
/// Seconds until a tracker that failed is tried again: soon at first, so that one that is just starting is found; doubled
/// from the last on, up to an hour.
const BACK_OFF_SECS: [u64; 5] = [2, 5, 15, 30, 60];
const BACK_OFF_MAX_SECS: u64 = 3_600;
/// Where in that table a tracker begins that said no itself.
const REFUSED_STEP: usize = 3;
/// After a scrape that failed.
const SCRAPE_PAUSE: Span = Span::from_secs(8 * 3_600);
