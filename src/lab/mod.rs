//! The thesis's experiments, each run by the engine that ships: in simulated time, or by real sessions on this computer.
//!
//! - `ground`: `Ground`, machines that share files, whatever they run on
//! - `files`: `Files`, what they share
//! - `simulated`: machines in simulated time
//! - `loopback`: real sessions on sockets of this computer
//! - `bench`: `Bench`, one experiment's plan, who looks on, and how far it has come
//! - `reconnect`, `sources`, `connections`, `stay`: the experiments 1 to 4
//! - `words`: numbers in sentences
//!
//! What is measured is when engines said that a download is complete. The formulas of the thesis appear in sentences, to be
//! compared with that, and in nothing that is measured.

mod bench;
mod connections;
mod files;
mod ground;
#[cfg(feature = "host")]
mod loopback;
mod reconnect;
mod simulated;
mod sources;
mod stay;
#[cfg(test)]
mod tests;
mod words;

use crate::api::{Experiment, LabError, LabPlan, LabResult, LabWatch};

use bench::Bench;

/// Runs an experiment. In simulated time the same plan gives the same result, and a usual one takes seconds.
///
/// # Errors
/// Where the plan is out of range, it was cancelled, or the system gives no sockets.
pub fn run(plan: &LabPlan, watch: LabWatch<'_>) -> Result<LabResult, LabError> {
    plan.check()?;
    let bench = Bench::new(plan, watch);
    match plan.experiment {
        Experiment::Reconnect => reconnect::run(bench),
        Experiment::Sources => sources::run(bench),
        Experiment::Connections => connections::run(bench),
        Experiment::Stay => stay::run(bench),
    }
}
