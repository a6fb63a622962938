//! Experiment 4: what a swarm gains when those who have finished stay for a while, because there is something to read.

use crate::api::{LabError, LabPoint, LabResult};
use crate::base::{Moment, Span};
use crate::lab::bench::Bench;
use crate::lab::files::Files;
use crate::lab::ground::{Ground, Has, Kind, Machine, Setting};
use crate::lab::words;

/// Enough for everybody.
const MAX_N: u32 = 50;
/// A peer's line carries so many times as much in as out, as at home.
const DOWN_PER_UP: u64 = 4;
/// So many peers arrive while one file goes over one line.
const ARRIVALS_PER_FILE: f64 = 4.0;
/// Mean stays that are tried, in parts of the plan's.
const STAYS: [f64; 6] = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0];

/// The curves.
pub(super) const MEAN: &str = "a download, on an average";
pub(super) const LAST: &str = "until everybody had it";

pub(super) fn run(mut bench: Bench<'_>) -> Result<LabResult, LabError> {
    let mean = f64::from(bench.plan.mean_stay_secs);
    let stays: Vec<f64> =
        if mean == 0.0 { vec![0.0] } else { STAYS.iter().map(|part| part * mean).collect() };
    bench.expect(stays.len());
    let mut result = bench.result();
    let mut last = Vec::new();
    for stay in &stays {
        let outcome = play(&mut bench, *stay)?;
        let point = |series: &str, secs: Option<f64>| LabPoint {
            series: series.to_owned(),
            x: *stay,
            secs,
            connections: None,
            completed: outcome.completed,
            of: bench.plan.peers,
        };
        result.points.push(point(MEAN, outcome.mean));
        last.push(point(LAST, outcome.last));
    }
    result.points.extend(last);
    let at = |stay: f64| result.of(MEAN).find(|point| point.x == stay).and_then(|point| point.secs);
    (result.result, result.figures) = match (at(0.0), at(mean), stays.last().and_then(|stay| at(*stay))) {
        (Some(none), Some(some), Some(most)) if mean > 0.0 => (
            format!(
                "Where peers leave as soon as they have the file a download takes {}; where they stay {} on an average, {} \
                 ({} less), and with four times that stay {} ({} less).",
                words::secs(none),
                words::secs(mean),
                words::secs(some),
                words::percent(1.0 - some / none),
                words::secs(most),
                words::percent(1.0 - most / none)
            ),
            vec![
                ("no_stay_secs".into(), none),
                ("mean_stay_secs".into(), some),
                ("longest_stay_secs".into(), most),
            ],
        ),
        (Some(none), ..) if mean == 0.0 => (
            format!(
                "Where peers leave as soon as they have the file a download takes {}. A mean stay above 0 shows what a longer \
                 one gains.",
                words::secs(none)
            ),
            vec![("no_stay_secs".into(), none)],
        ),
        _ => ("Not every download was complete in time.".to_owned(), Vec::new()),
    };
    Ok(result)
}

struct Outcome {
    /// The mean time of a download, where all were completed.
    mean: Option<f64>,
    /// From the first arrival to the last completion.
    last: Option<f64>,
    completed: u32,
}

/// A peer that comes, fetches, stays and goes.
struct Visitor {
    machine: Machine,
    arrives: Moment,
    /// How long it stays when it has the file.
    stay: Span,
    state: State,
    completed: Option<Moment>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Expected,
    Fetching,
    Staying(Moment),
    Gone,
}

impl Visitor {
    /// Does what is due; returns when it has something to do next by itself.
    fn go_on(&mut self, ground: &mut dyn Ground) -> Result<Moment, LabError> {
        let now = ground.now();
        if self.state == State::Expected && self.arrives <= now {
            ground.start(self.machine)?;
            ground.add(self.machine, 0, Has::Nothing, &[])?;
            self.state = State::Fetching;
        }
        if self.state == State::Fetching
            && let Some(at) = ground.completed(self.machine, 0)
        {
            self.completed = Some(at);
            self.state = State::Staying(at + self.stay);
        }
        if let State::Staying(until) = self.state
            && until <= now
        {
            ground.stop(self.machine);
            self.state = State::Gone;
        }
        Ok(match self.state {
            State::Expected => self.arrives,
            State::Staying(until) => until,
            State::Fetching | State::Gone => Moment::NEVER,
        })
    }
}

fn play(bench: &mut Bench<'_>, mean_stay: f64) -> Result<Outcome, LabError> {
    bench.begin(format!("a mean stay of {}", words::secs(mean_stay)));
    let (mut rng, size, line) = (bench.rng(), bench.plan.file_size, bench.plan.bandwidth);
    let files = vec![Files::single("File1", size, &mut rng)];
    let mut ground = bench.ground(Setting { files, tracker: true, seed: bench.plan.seed })?;
    let ground = ground.as_mut();
    let seed = ground.machine(Kind { up: line, down: line, max_n: MAX_N });
    ground.start(seed)?;
    ground.add(seed, 0, Has::Everything, &[])?;
    bench.ready(ground, seed, 0)?;
    let begun = ground.now();
    // Who comes when, and who is patient, is the same for every mean stay.
    let mut exponential = || -(1.0 - rng.fraction()).ln();
    let mut arrives = begun;
    let mut visitors = Vec::new();
    for _ in 0..bench.plan.peers {
        let kind = Kind { up: (line / DOWN_PER_UP).max(1), down: line, max_n: MAX_N };
        let stay = Span::from_secs_f64(exponential() * mean_stay);
        let machine = ground.machine(kind);
        visitors.push(Visitor { machine, arrives, stay, state: State::Expected, completed: None });
        arrives += Span::from_secs_f64(exponential() * bench.plan.line_secs() / ARRIVALS_PER_FILE);
    }
    let limit = bench.limit(begun, visitors.len() as u64);
    let mut completed = 0;
    while completed < visitors.len() && ground.now() < limit {
        let mut next = limit;
        for visitor in &mut visitors {
            next = next.min(visitor.go_on(ground)?);
        }
        bench.pass(ground, next)?;
        completed = visitors.iter().filter(|visitor| visitor.completed.is_some()).count();
        bench.part(completed as f64 / visitors.len() as f64);
    }
    bench.end();
    let took =
        visitors.iter().filter_map(|visitor| Some(visitor.completed?.since(visitor.arrives).secs_f64()));
    let all = completed == visitors.len();
    let last = visitors.iter().filter_map(|visitor| visitor.completed).max();
    Ok(Outcome {
        mean: all.then(|| took.sum::<f64>() / completed as f64),
        last: last.map(|at| at.since(begun).secs_f64()).filter(|_| all),
        completed: completed as u32,
    })
}
