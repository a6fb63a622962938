//! One experiment under way: its plan, who looks on, and the runs it is made of.

use crate::api::{LabError, LabPlan, LabProgress, LabResult, LabWatch};
use crate::base::{Moment, Rng, Span};
use crate::lab::ground::{Ground, Machine, Setting};
use crate::lab::simulated::Simulated;

/// A download that takes so many times as long as its line allows is given up.
const PATIENCE: u64 = 20;
/// The wait before that besides.
const LEAST_PATIENCE: Span = Span::from_secs(1_800);
/// What a machine needs to be ready, at the most.
const READY_WITHIN: Span = Span::from_secs(30);

/// An experiment under way.
pub(super) struct Bench<'a> {
    pub(super) plan: &'a LabPlan,
    watch: LabWatch<'a>,
    done: u32,
    of: u32,
    doing: String,
    /// What was told last, in thousandths, so that no more is told than can be seen.
    told: u32,
}

impl<'a> Bench<'a> {
    pub(super) fn new(plan: &'a LabPlan, watch: LabWatch<'a>) -> Self {
        Self { plan, watch, done: 0, of: 1, doing: String::new(), told: 0 }
    }

    /// How many runs there will be.
    pub(super) fn expect(&mut self, runs: usize) {
        self.of = runs as u32;
    }

    /// A run begins, on fresh ground.
    pub(super) fn begin(&mut self, doing: impl Into<String>) {
        self.doing = doing.into();
        self.told = 0;
        self.tell(0.0);
    }

    /// A run has ended.
    pub(super) fn end(&mut self) {
        self.done += 1;
        self.tell(0.0);
    }

    /// So much of the present run is done, 0 to 1.
    pub(super) fn part(&mut self, part: f64) {
        let part = part.clamp(0.0, 1.0);
        let thousandths = (part * 1_000.0) as u32;
        if thousandths > self.told {
            self.told = thousandths;
            self.tell(part as f32);
        }
    }

    fn tell(&self, part: f32) {
        let (done, of, doing) = (self.done, self.of, self.doing.clone());
        (self.watch.progress)(LabProgress { done, of, part, doing });
    }

    /// Randomness of this experiment, the same in each of its runs.
    pub(super) fn rng(&self) -> Rng {
        Rng::new(self.plan.seed)
    }

    /// Fresh ground to stand on.
    pub(super) fn ground(&self, setting: Setting) -> Result<Box<dyn Ground>, LabError> {
        if !self.plan.sockets {
            return Ok(Box::new(Simulated::new(&setting)));
        }
        #[cfg(feature = "host")]
        return Ok(Box::new(crate::lab::loopback::Loopback::new(setting)?));
        #[cfg(not(feature = "host"))]
        Err(LabError::Missing("sockets"))
    }

    /// Lets a little time pass, unless the user wants no more.
    pub(super) fn pass(&self, ground: &mut dyn Ground, until: Moment) -> Result<(), LabError> {
        if self.watch.is_cancelled() {
            return Err(LabError::Cancelled);
        }
        ground.pass(until)
    }

    /// Waits until a machine gives what it has.
    pub(super) fn ready(
        &self,
        ground: &mut dyn Ground,
        machine: Machine,
        torrent: usize,
    ) -> Result<(), LabError> {
        let limit = ground.now() + READY_WITHIN;
        while !ground.is_ready(machine, torrent) {
            if ground.now() >= limit {
                return Err(LabError::System("a machine did not become ready".into()));
            }
            self.pass(ground, limit)?;
        }
        Ok(())
    }

    /// When a run is given up in which so many downloads may have to wait for each other.
    pub(super) fn limit(&self, from: Moment, downloads: u64) -> Moment {
        let line = Span::from_secs_f64(self.plan.line_secs());
        from + LEAST_PATIENCE + line.times(PATIENCE * downloads)
    }

    /// What came out, with nothing measured yet.
    pub(super) fn result(&self) -> LabResult {
        LabResult { plan: self.plan.clone(), points: Vec::new(), figures: Vec::new(), result: String::new() }
    }
}
