//! Experiment 2: a download from one seed, and from peers of whom each has another part of the file.

use crate::api::{LabError, LabPoint, LabResult};
use crate::lab::bench::Bench;
use crate::lab::files::Files;
use crate::lab::ground::{Has, Kind, Machine, Setting};
use crate::lab::words;

/// Enough for everybody.
const MAX_N: u32 = 300;

/// The curves.
pub(super) const SEEDS: &str = "seeds";
pub(super) const PARTS: &str = "peers with a part each";
pub(super) const NARROW: &str = "peers with a part each, to a line like theirs";

pub(super) fn run(mut bench: Bench<'_>) -> Result<LabResult, LabError> {
    let most = u64::from(bench.plan.peers);
    // Ten numbers of sources at the most, the greatest among them.
    let step = (most - 1).div_ceil(9).max(1);
    let counts: Vec<u64> = (2..most).step_by(step as usize).chain([most]).collect();
    bench.expect(1 + 3 * counts.len());
    let line = bench.plan.bandwidth;
    let wide = line.saturating_mul(most);
    let mut result = bench.result();
    let mut runs = vec![(SEEDS, 1, false, wide)];
    runs.extend(counts.iter().map(|count| (SEEDS, *count, false, wide)));
    runs.extend(counts.iter().map(|count| (PARTS, *count, true, wide)));
    runs.extend(counts.iter().map(|count| (NARROW, *count, true, line)));
    for (series, sources, parts, down) in runs {
        let (secs, connections) = play(&mut bench, series, sources, parts, down)?;
        result.points.push(LabPoint {
            series: series.to_owned(),
            x: sources as f64,
            secs,
            connections: Some(connections),
            completed: u32::from(secs.is_some()),
            of: 1,
        });
    }
    let at = |series: &str, x: u64| {
        let point = result.of(series).find(|point| point.x == x as f64)?;
        Some((point.secs?, point.connections.unwrap_or(0)))
    };
    (result.result, result.figures) = match (at(SEEDS, 1), at(PARTS, most), at(NARROW, most)) {
        (Some((one, one_conn)), Some((many, many_conns)), Some((narrow, _))) => (
            format!(
                "From one seed the file took {one_conn} connection and {}; from {most} peers with a part each {many_conns} \
                 connections and {}. More connections are no loss: each source gives at the rate of its own line, and only \
                 where the downloader's line is no wider than theirs does it take as long as from one seed ({}).",
                words::secs(one),
                words::secs(many),
                words::secs(narrow)
            ),
            vec![
                ("seed_secs".into(), one),
                ("seed_connections".into(), f64::from(one_conn)),
                ("peers_secs".into(), many),
                ("peers_connections".into(), f64::from(many_conns)),
                ("peers_narrow_secs".into(), narrow),
            ],
        ),
        _ => ("Not every download was complete in time.".to_owned(), Vec::new()),
    };
    Ok(result)
}

/// The time of one download, and from how many connections data came.
fn play(
    bench: &mut Bench<'_>,
    doing: &str,
    sources: u64,
    parts: bool,
    down: u64,
) -> Result<(Option<f64>, u32), LabError> {
    bench.begin(format!("{doing}: {sources}"));
    let (mut rng, size, line) = (bench.rng(), bench.plan.file_size, bench.plan.bandwidth);
    let files = Files::split("File1", size, if parts { sources } else { 1 }, &mut rng);
    // A small file has fewer pieces than there could be parts.
    let sources = if parts { files.parts.len() } else { sources as usize };
    let setting = Setting { files: vec![files], tracker: false, seed: bench.plan.seed };
    let mut ground = bench.ground(setting)?;
    let ground = ground.as_mut();
    let mut givers: Vec<Machine> = Vec::new();
    for source in 0..sources {
        let machine = ground.machine(Kind { up: line, down: line, max_n: MAX_N });
        ground.start(machine)?;
        ground.add(machine, 0, if parts { Has::Part(source) } else { Has::Everything }, &[])?;
        givers.push(machine);
    }
    for machine in &givers {
        bench.ready(ground, *machine, 0)?;
    }
    let machine = ground.machine(Kind { up: line, down, max_n: MAX_N });
    ground.start(machine)?;
    let begun = ground.now();
    ground.add(machine, 0, Has::Nothing, &givers)?;
    let limit = bench.limit(begun, 1);
    while ground.completed(machine, 0).is_none() && ground.now() < limit {
        bench.pass(ground, limit)?;
        bench.part(ground.received(machine) as f64 / size as f64);
    }
    bench.end();
    let gave = givers.iter().filter(|machine| ground.sent(**machine) > 0).count();
    Ok((ground.completed(machine, 0).map(|at| at.since(begun).secs_f64()), gave as u32))
}
