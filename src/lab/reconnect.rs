//! Experiment 1: a peer that disconnects after each of five files and connects again at once, beside one that stays.

use crate::api::{LabError, LabPoint, LabResult};
use crate::base::Moment;
use crate::lab::bench::Bench;
use crate::lab::files::Files;
use crate::lab::ground::{Ground, Has, Kind, Machine, Setting};
use crate::lab::words;

/// Files that both fetch, one after the other.
const FILES: usize = 5;
/// The seed's line carries so many times what a peer's does: nobody waits for the other there.
const SEED_LINES: u64 = 4;
/// Enough for everybody.
const MAX_N: u32 = 50;

/// Runs of which the mean is told. In every other one the two have changed places: who comes second is served second.
const RUNS: u64 = 10;

/// The curves.
pub(super) const STAYS: &str = "stays connected";
pub(super) const LEAVES: &str = "disconnects after each file";
pub(super) const HAD_STAYED: &str = "the same peer, had it stayed";

pub(super) fn run(mut bench: Bench<'_>) -> Result<LabResult, LabError> {
    let runs = if bench.plan.sockets { 1 } else { RUNS };
    bench.expect(2 * runs as usize);
    let mut times = [const { Vec::new() }; 3];
    let mut away = Vec::new();
    for run in 0..runs {
        let place = (run % 2) as usize;
        let mut left = play(&mut bench, run, Some(place))?;
        let mut stayed = play(&mut bench, run, None)?;
        away.append(&mut left[place].away);
        times[0].push(std::mem::take(&mut left[1 - place].times));
        times[1].push(std::mem::take(&mut left[place].times));
        times[2].push(std::mem::take(&mut stayed[place].times));
    }
    let mut result = bench.result();
    for (series, times) in [STAYS, LEAVES, HAD_STAYED].into_iter().zip(&times) {
        for file in 0..FILES {
            let done: Vec<f64> = times.iter().filter_map(|times| times.get(file).copied()).collect();
            let mean = done.iter().sum::<f64>() / done.len() as f64;
            result.points.push(LabPoint {
                series: series.to_owned(),
                x: (file + 1) as f64,
                secs: Some(mean).filter(|_| done.len() == runs as usize),
                connections: None,
                completed: done.len() as u32,
                of: runs as u32,
            });
        }
    }
    let last = |series: &str| result.of(series).last().and_then(|point| point.secs);
    (result.result, result.figures) = match (last(STAYS), last(LEAVES), last(HAD_STAYED)) {
        (Some(stays), Some(leaves), Some(had_stayed)) => {
            let each = (leaves - had_stayed) / (FILES - 1) as f64;
            let away = away.iter().sum::<f64>() / away.len().max(1) as f64;
            let figures = [
                ("stays_secs", stays),
                ("leaves_secs", leaves),
                ("had_stayed_secs", had_stayed),
                ("each_time_secs", each),
                ("away_secs", away),
            ];
            (
                told(&figures.map(|(_, value)| value)),
                figures.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            )
        }
        _ => ("Not every file was complete in time.".to_owned(), Vec::new()),
    };
    Ok(result)
}

fn told([stays, leaves, had_stayed, each, away]: &[f64; 5]) -> String {
    let cost = if *each > 0.0 {
        format!(
            "each time cost it {}, {} in all",
            words::secs(*each),
            words::percent(leaves / had_stayed - 1.0)
        )
    } else {
        "it lost nothing by that".to_owned()
    };
    format!(
        "After five files the peer that stayed had needed {} and the one that disconnected after each {}; had it stayed, it \
         would have needed {}. It was away for {} each time: {cost}.",
        words::secs(*stays),
        words::secs(*leaves),
        words::secs(*had_stayed),
        words::secs(*away)
    )
}

/// A peer that fetches one file after the other.
struct Peer {
    machine: Machine,
    leaves: bool,
    /// The file that it fetches, or will when it is back.
    file: usize,
    /// Since when it is away.
    left: Option<Moment>,
    log: Log,
}

/// What a peer went through.
#[derive(Default)]
struct Log {
    /// When each file was complete, in seconds from the beginning.
    times: Vec<f64>,
    /// Seconds from each end of a connection to the beginning of the next one.
    away: Vec<f64>,
}

impl Peer {
    /// Does what follows from what has happened.
    fn go_on(&mut self, ground: &mut dyn Ground, begun: Moment) -> Result<(), LabError> {
        if let Some(left) = self.left
            && !ground.is_on(self.machine)
        {
            ground.start(self.machine)?;
            ground.add(self.machine, self.file, Has::Nothing, &[])?;
            self.log.away.push(ground.now().since(left).secs_f64());
            self.left = None;
        }
        if self.left.is_some() || self.file == FILES {
            return Ok(());
        }
        let Some(at) = ground.completed(self.machine, self.file) else { return Ok(()) };
        self.log.times.push(at.since(begun).secs_f64());
        self.file += 1;
        if self.file == FILES {
            return Ok(());
        }
        if self.leaves {
            self.left = Some(ground.now());
            ground.stop(self.machine);
            Ok(())
        } else {
            ground.add(self.machine, self.file, Has::Nothing, &[])
        }
    }
}

/// What the two went through; the one in that place disconnects after each file.
fn play(bench: &mut Bench<'_>, run: u64, leaver: Option<usize>) -> Result<[Log; 2], LabError> {
    bench.begin(if leaver.is_some() { "one disconnects after each file" } else { "both stay connected" });
    let (mut rng, size, line) = (bench.rng(), bench.plan.file_size, bench.plan.bandwidth);
    let files = (1..=FILES).map(|number| Files::single(&format!("File{number}"), size, &mut rng)).collect();
    let mut ground =
        bench.ground(Setting { files, tracker: true, seed: bench.plan.seed.wrapping_add(run) })?;
    let ground = ground.as_mut();
    let seed = ground.machine(Kind { up: line * SEED_LINES, down: line, max_n: MAX_N });
    ground.start(seed)?;
    for file in 0..FILES {
        ground.add(seed, file, Has::Everything, &[])?;
    }
    for file in 0..FILES {
        bench.ready(ground, seed, file)?;
    }
    let mut peers = Vec::new();
    for place in 0..2 {
        let machine = ground.machine(Kind { up: line, down: line, max_n: MAX_N });
        ground.start(machine)?;
        let leaves = leaver == Some(place);
        peers.push(Peer { machine, leaves, file: 0, left: None, log: Log::default() });
    }
    let begun = ground.now();
    for peer in &peers {
        ground.add(peer.machine, 0, Has::Nothing, &[])?;
    }
    let limit = bench.limit(begun, FILES as u64);
    while peers.iter().any(|peer| peer.log.times.len() < FILES) && ground.now() < limit {
        bench.pass(ground, limit)?;
        for peer in &mut peers {
            peer.go_on(ground, begun)?;
        }
        let done: usize = peers.iter().map(|peer| peer.log.times.len()).sum();
        bench.part(done as f64 / (2 * FILES) as f64);
    }
    bench.end();
    let mut logs = peers.into_iter().map(|peer| peer.log);
    Ok([logs.next().unwrap_or_default(), logs.next().unwrap_or_default()])
}
