//! Experiment 3: the time against Max_N, with whole files from seeds as in the thesis, and with pieces shared among the peers.

use crate::api::{LabError, LabPoint, LabResult};
use crate::base::Moment;
use crate::lab::bench::Bench;
use crate::lab::files::Files;
use crate::lab::ground::{Ground, Has, Kind, Machine, Setting};
use crate::lab::words;

/// The seed's line carries so many times what a peer's does: from that many connections on it binds.
pub(super) const SEED_LINES: u64 = 4;
/// Peers in the thesis's setting.
const THESIS_PEERS: u32 = 2;
/// A block as it travels.
const BLOCK: u64 = 16 * 1024;

/// The curve of the thesis's own setting.
pub(super) const THESIS: &str = "the thesis: one seed, 2 peers";

/// The name of the curve of whole files.
pub(super) fn whole(peers: u32) -> String {
    format!("{peers} peers, whole files from seeds")
}

/// The name of the curve of shared pieces.
pub(super) fn shared(peers: u32) -> String {
    format!("{peers} peers, pieces shared")
}

/// How one run went.
struct Outcome {
    /// When the last one had the file.
    secs: Option<f64>,
    completed: u32,
    /// Until the first block was on its way (tc), and from there until the first file was complete (Tf).
    first: Option<(f64, f64)>,
}

pub(super) fn run(mut bench: Bench<'_>) -> Result<LabResult, LabError> {
    let (from, to, peers) = (bench.plan.max_n_from, bench.plan.max_n_to, bench.plan.peers);
    // The thesis compares 1 and 2, whatever else is asked for.
    let mut runs: Vec<(String, u32, u32, bool)> =
        (1..=2).map(|max_n| (THESIS.to_owned(), THESIS_PEERS, max_n, false)).collect();
    runs.extend((from..=to).map(|max_n| (whole(peers), peers, max_n, false)));
    runs.extend((from..=to).map(|max_n| (shared(peers), peers, max_n, true)));
    bench.expect(runs.len());
    let mut result = bench.result();
    let mut thesis = Vec::new();
    for (series, count, max_n, sharing) in runs {
        let outcome = play(&mut bench, format!("{series}, Max_N = {max_n}"), count, max_n, sharing)?;
        result.points.push(LabPoint {
            series: series.clone(),
            x: f64::from(max_n),
            secs: outcome.secs,
            connections: None,
            completed: outcome.completed,
            of: count,
        });
        if series == THESIS {
            thesis.push(outcome);
        }
    }
    let words = [compare(&mut result, &thesis), binds(&result, &whole(peers)), gains(&result, peers)];
    result.result = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(result)
}

/// The thesis's two cases beside its formulas.
fn compare(result: &mut LabResult, thesis: &[Outcome]) -> Option<String> {
    let [one, two] = thesis else { return None };
    let (one, two, (connect, transfer)) = (one.secs?, two.secs?, two.first?);
    let figures = [
        ("max_n_1_secs", one),
        ("max_n_2_secs", two),
        ("ratio", one / two),
        ("transfer_secs", transfer),
        ("connect_secs", connect),
    ];
    result.figures.extend(figures.map(|(name, value)| (name.to_owned(), value)));
    Some(format!(
        "With one seed and two peers Max_N = 1 took {} and Max_N = 2 took {}: the ratio is {:.2}. With the Tf = {} and tc = {} \
         that were measured, 2·Tf + 2·tc is {} and Tf + tc is {}.",
        words::secs(one),
        words::secs(two),
        one / two,
        words::secs(transfer),
        words::secs(connect),
        words::secs(2.0 * (transfer + connect)),
        words::secs(transfer + connect)
    ))
}

/// Up to where more connections help, and what comes of more than that.
fn binds(result: &LabResult, series: &str) -> Option<String> {
    let points: Vec<(f64, f64)> =
        result.of(series).filter_map(|point| Some((point.x, point.secs?))).collect();
    let first = points.first()?;
    let turn = points.windows(2).position(|pair| pair[1].1 >= pair[0].1).unwrap_or(points.len() - 1);
    let (best, beyond) = (points[turn], &points[turn + 1..]);
    let begins = format!("With whole files from seeds Max_N = {} took {}", first.0, words::secs(first.1));
    if turn == 0 {
        return Some(format!("{begins}."));
    }
    let falls = format!("{begins}, and with Max_N = {} it was {}", best.0, words::secs(best.1));
    let longest = beyond.iter().map(|(_, secs)| *secs).reduce(f64::max);
    Some(match longest {
        Some(longest) => format!(
            "{falls}; there the seed's line binds, and more connections, of which each gets less of it, took up to {}.",
            words::secs(longest)
        ),
        None => format!("{falls}."),
    })
}

/// What sharing pieces gains at the greatest Max_N.
fn gains(result: &LabResult, peers: u32) -> Option<String> {
    let last = |series: &str| result.of(series).last().and_then(|point| Some((point.x, point.secs?)));
    let ((max_n, whole), (_, shared)) = (last(&whole(peers))?, last(&shared(peers))?);
    let times = whole / shared;
    Some(format!(
        "With pieces shared among the {peers} peers, Max_N = {max_n} takes {} in place of {} ({times:.1} times as fast).",
        words::secs(shared),
        words::secs(whole)
    ))
}

fn play(
    bench: &mut Bench<'_>,
    doing: String,
    count: u32,
    max_n: u32,
    sharing: bool,
) -> Result<Outcome, LabError> {
    bench.begin(doing);
    let (mut rng, size, line) = (bench.rng(), bench.plan.file_size, bench.plan.bandwidth);
    let files = vec![Files::single("File1", size, &mut rng)];
    let mut ground = bench.ground(Setting { files, tracker: false, seed: bench.plan.seed })?;
    let ground = ground.as_mut();
    let seed = ground.machine(Kind { up: line.saturating_mul(SEED_LINES), down: line, max_n });
    ground.start(seed)?;
    ground.add(seed, 0, Has::Everything, &[])?;
    bench.ready(ground, seed, 0)?;
    let peers: Vec<Machine> =
        (0..count).map(|_| ground.machine(Kind { up: line, down: line, max_n })).collect();
    for peer in &peers {
        ground.start(*peer)?;
    }
    let begun = ground.now();
    for peer in &peers {
        let mut known = vec![seed];
        if sharing {
            known.extend(peers.iter().filter(|other| *other != peer));
        }
        ground.add(*peer, 0, Has::Nothing, &known)?;
    }
    let times = follow(bench, ground, &peers, sharing, begun)?;
    bench.end();
    let secs = |at: Moment| at.since(begun).secs_f64();
    let complete: Vec<f64> = times.complete.iter().flatten().map(|at| secs(*at)).collect();
    let earliest = complete.iter().copied().reduce(f64::min);
    Ok(Outcome {
        secs: complete.iter().copied().reduce(f64::max).filter(|_| complete.len() == peers.len()),
        completed: complete.len() as u32,
        first: times.first_block.zip(earliest).map(|(block, earliest)| {
            let connect = (secs(block) - BLOCK as f64 / line as f64).max(0.0);
            (connect, earliest - connect)
        }),
    })
}

struct Times {
    complete: Vec<Option<Moment>>,
    first_block: Option<Moment>,
}

/// Lets them fetch. Where they share no pieces, those who wait are told of everybody who has become a seed.
fn follow(
    bench: &mut Bench<'_>,
    ground: &mut dyn Ground,
    peers: &[Machine],
    sharing: bool,
    begun: Moment,
) -> Result<Times, LabError> {
    let limit = bench.limit(begun, peers.len() as u64);
    let mut times = Times { complete: vec![None; peers.len()], first_block: None };
    while times.complete.iter().any(Option::is_none) && ground.now() < limit {
        bench.pass(ground, limit)?;
        if times.first_block.is_none() && peers.iter().any(|peer| ground.received(*peer) >= BLOCK) {
            times.first_block = Some(ground.now());
        }
        for (number, peer) in peers.iter().enumerate() {
            if times.complete[number].is_some() {
                continue;
            }
            let Some(at) = ground.completed(*peer, 0) else { continue };
            times.complete[number] = Some(at);
            let waiting = peers.iter().zip(&times.complete).filter(|(_, complete)| complete.is_none());
            for (other, _) in waiting.filter(|_| !sharing) {
                ground.tell(*other, 0, &[*peer]);
            }
        }
        let received: u64 = peers.iter().map(|peer| ground.received(*peer)).sum();
        bench.part(received as f64 / (bench.plan.file_size * peers.len() as u64) as f64);
    }
    Ok(times)
}
