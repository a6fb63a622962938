//! Waiting for a turn, and having given enough.

use std::path::PathBuf;

use crate::api::{Goals, Label, Level};
use crate::base::{Moment, Span};
use crate::engine::record::{Change, Enough};
use crate::engine::shared::Shared;

use super::Torrent;

/// What a torrent takes a place of, where those are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Class {
    /// It stands still for another reason, and takes no place.
    Idle,
    /// It fetches, or would.
    Download,
    /// It gives, or would.
    Seed,
}

/// How long a torrent has seeded.
#[derive(Debug, Default)]
pub(super) struct Seeding {
    /// In its life before the present stretch, in microseconds.
    before: u64,
    /// Since when it seeds without a break, and up to when that is counted; nothing while it does not seed.
    run: Option<(Moment, Moment)>,
    /// When it last gave something.
    gave_at: Option<Moment>,
}

/// Where the time of seeding is a goal it is written down so often.
const WRITE_TIME: Span = Span::from_secs(3_600);

impl Seeding {
    pub(super) fn new(secs: u64) -> Self {
        Self { before: secs.saturating_mul(1_000_000), ..Self::default() }
    }

    fn count(&mut self, seeds: bool, now: Moment) {
        match (seeds, self.run) {
            (true, run) => self.run = Some((run.map_or(now, |(since, _)| since), now)),
            (false, Some((since, _))) => {
                self.before = self.before.saturating_add(now.since(since).micros());
                self.run = None;
            }
            (false, None) => {}
        }
    }

    pub(super) fn gave(&mut self, now: Moment) {
        self.gave_at = Some(now);
    }

    /// Seconds of its life up to the last count.
    pub(super) fn secs(&self) -> u64 {
        let stretch = self.run.map_or(0, |(since, until)| until.since(since).micros());
        self.before.saturating_add(stretch) / 1_000_000
    }

    /// Seconds before the present stretch, and when that began.
    pub(super) fn stretch(&self) -> (u64, Option<Moment>) {
        (self.before / 1_000_000, self.run.map(|(since, _)| since))
    }

    /// When it last had something to do as a seed.
    fn idle_since(&self) -> Option<Moment> {
        let (since, _) = self.run?;
        Some(self.gave_at.map_or(since, |gave| gave.max(since)))
    }
}

impl Torrent {
    /// What it takes a place of.
    pub(in crate::engine) fn class(&self) -> Class {
        // One whose fault may pass comes back to its place.
        let failed = self.fault.as_ref().is_some_and(|fault| fault.retry_at == Moment::NEVER);
        if self.choices.paused || self.leaving.is_some() || failed {
            return Class::Idle;
        }
        let whole = match &self.sleep {
            Some(_) => self.is_complete(),
            None => self.content.as_ref().is_some_and(|content| content.pieces.is_complete()),
        };
        if whole { Class::Seed } else { Class::Download }
    }

    /// Whether that is not what it was when this was last asked.
    pub(in crate::engine) fn class_changed(&mut self) -> bool {
        let class = self.class();
        std::mem::replace(&mut self.last_class, class) != class
    }

    /// Whether it waits for its turn.
    pub(in crate::engine) fn waits(&self) -> bool {
        self.waits
    }

    /// Lets it wait for its turn, or run; true where that changes something.
    pub(in crate::engine) fn set_waits(&mut self, waits: bool, shared: &mut Shared) -> bool {
        if std::mem::replace(&mut self.waits, waits) == waits {
            return false;
        }
        match waits {
            true => self.stop_running(shared),
            false => self.start(shared),
        }
        self.retell(shared.unix_start);
        true
    }

    /// Counts the time that it seeds.
    pub(super) fn count_seeding(&mut self, now: Moment) {
        let seeds = self.waking || (self.running && self.is_complete());
        self.seeding.count(seeds, now);
    }

    /// Pauses it where it has given enough.
    pub(super) fn pause_when_enough(&mut self, shared: &mut Shared) {
        self.count_seeding(shared.now);
        let Some(goals) = self.goals(shared) else { return };
        let Some(reached) = self.reached(goals, shared.now) else {
            if goals.seed_secs.is_some() {
                self.timers.save = self.timers.save.min(shared.now + WRITE_TIME);
            }
            return;
        };
        shared.log(Level::Info, format!("{} has reached {reached} and is paused.", self.name()));
        self.choices.enough = Enough::Paused;
        self.pause(shared);
    }

    /// The same of one at rest: true where it is to wake for that.
    pub(super) fn has_given_enough(&mut self, shared: &mut Shared) -> bool {
        self.count_seeding(shared.now);
        let Some(goals) = self.goals(shared) else { return false };
        if goals.seed_secs.is_some() {
            self.timers.save = self.timers.save.min(shared.now + WRITE_TIME);
        }
        self.reached(goals, shared.now).is_some()
    }

    /// Which of its goals it has reached.
    fn reached(&self, goals: Goals, now: Moment) -> Option<&'static str> {
        let idle = self.seeding.idle_since().map_or(0, |since| now.since(since).micros() / 1_000_000);
        if goals.ratio.is_some_and(|goal| self.ratio() >= f64::from(goal)) {
            Some("its ratio")
        } else if goals.seed_secs.is_some_and(|goal| self.seeding.secs() >= goal) {
            Some("its seeding time")
        } else if goals.idle_secs.is_some_and(|goal| idle >= goal) {
            Some("its time without anybody who takes")
        } else {
            None
        }
    }

    /// When a goal may be reached that only time brings near.
    pub(super) fn next_goal(&self, shared: &Shared) -> Moment {
        let Some(goals) = self.goals(shared) else { return Moment::NEVER };
        let idle = goals.idle_secs.zip(self.seeding.idle_since());
        let idle = idle.map(|(goal, since)| since + Span::from_secs(goal));
        let left = |goal: u64| Span::from_secs(goal.saturating_sub(self.seeding.secs()));
        let seeded = goals.seed_secs.map(|goal| shared.now + left(goal));
        // No sooner than in a second: what is counted is whole ones.
        let soonest = shared.now + Span::from_secs(1);
        [idle, seeded].into_iter().flatten().min().map_or(Moment::NEVER, |at| at.max(soonest))
    }

    /// The goals that it is held to now.
    fn goals(&self, shared: &Shared) -> Option<Goals> {
        if !self.running || self.choices.enough != Enough::NotYet || !self.is_complete() {
            return None;
        }
        let of_label = self.label(shared).map(|label| label.goals).unwrap_or_default();
        let goals = self.choices.goals.or(of_label).or(shared.settings.goals);
        (goals != Goals::default()).then_some(goals)
    }

    /// What the settings say about its label.
    fn label<'a>(&self, shared: &'a Shared) -> Option<&'a Label> {
        shared.settings.labels.iter().find(|label| label.name == self.choices.label)
    }

    /// Where its files move when it is complete.
    pub(super) fn done_folder(&self, shared: &Shared) -> Option<PathBuf> {
        let of_label = self.label(shared).and_then(|label| label.done_folder.clone());
        of_label.or_else(|| shared.settings.done_folder.clone())
    }

    /// Bytes sent per bytes received, or per size for what was shared from here.
    pub(super) fn ratio(&self) -> f64 {
        let size = match &self.content {
            Some(content) => content.meta.layout.total_length(),
            None => self.last_row().filter(|_| self.is_asleep()).map_or(0, |row| row.size),
        };
        let base = if self.downloaded() > 0 { self.downloaded() } else { size };
        if base == 0 { 0.0 } else { self.uploaded() as f64 / base as f64 }
    }

    /// Sets its goals; what it has given is weighed anew.
    pub(in crate::engine) fn set_goals(&mut self, goals: Goals, shared: &mut Shared) {
        // A number that is none is no goal.
        let ratio = goals.ratio.filter(|ratio| ratio.is_finite() && *ratio >= 0.0);
        self.choose(shared, |choices| {
            choices.goals = Goals { ratio, ..goals };
            choices.enough = Enough::NotYet;
        });
    }

    /// Writes down what the user chose.
    pub(in crate::engine) fn choose(
        &mut self,
        shared: &mut Shared,
        choose: impl FnOnce(&mut super::Choices),
    ) {
        choose(&mut self.choices);
        shared.store(Change::Put(Box::new(self.record())));
    }
}
