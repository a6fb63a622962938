//! The experiments: the same numbers from the same seed, what must hold of each, and being cancelled.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::api::LabProgress;

/// The usual plan of an experiment in simulated time.
fn usual(experiment: Experiment) -> LabPlan {
    LabPlan::new(experiment, false)
}

/// A smaller one, for what needs no numbers that people read.
fn small(experiment: Experiment) -> LabPlan {
    LabPlan { file_size: 1 << 20, peers: 4, max_n_to: 3, ..usual(experiment) }
}

fn result(plan: &LabPlan) -> LabResult {
    let watch = LabWatch { progress: &|_| {}, cancel: &AtomicBool::new(false) };
    run(plan, watch).expect("a result")
}

fn secs(result: &LabResult, series: &str) -> Vec<f64> {
    let secs: Vec<f64> = result.of(series).map(|point| point.secs.expect("it ended")).collect();
    assert!(!secs.is_empty(), "no curve {series:?} among {:?}", result.series());
    secs
}

fn assert_all_complete(result: &LabResult) {
    for point in &result.points {
        assert_eq!((point.completed, point.secs.is_some()), (point.of, true), "{point:?}");
    }
}

#[test]
fn one_seed_gives_one_result_and_another_seed_another() {
    for experiment in Experiment::ALL {
        let plan = small(experiment);
        let first = result(&plan);
        assert_eq!(first, result(&plan), "{experiment:?}");
        let other = result(&LabPlan { seed: 2, ..plan });
        assert_ne!(first.points, other.points, "{experiment:?}");
    }
}

#[test]
fn disconnecting_after_each_file_never_gains_time() {
    let result = result(&usual(Experiment::Reconnect));
    assert_all_complete(&result);
    let (leaves, had_stayed) = (secs(&result, reconnect::LEAVES), secs(&result, reconnect::HAD_STAYED));
    for (file, (leaves, had_stayed)) in leaves.iter().zip(&had_stayed).enumerate() {
        // Who gets which piece from whom differs between two runs, and that much is chance.
        assert!(*leaves > had_stayed * 0.995, "file {}: {leaves} and {had_stayed}", file + 1);
    }
    assert_eq!(leaves.len(), 5);
    assert!(leaves.windows(2).all(|pair| pair[0] < pair[1]), "times add up: {leaves:?}");
    assert!(result.figure("away_secs").is_some_and(|away| away > 0.0), "{:?}", result.figures);
}

#[test]
fn a_seed_takes_one_connection_and_peers_with_a_part_each_one_for_each_part() {
    let result = result(&usual(Experiment::Sources));
    assert_all_complete(&result);
    for point in &result.points {
        assert_eq!(point.connections, Some(point.x as u32), "{point:?}");
    }
    let line = result.plan.line_secs();
    let seeds = secs(&result, sources::SEEDS);
    assert!(seeds[0] >= line && seeds[0] < line * 1.02, "{seeds:?}");
    assert!(seeds.windows(2).all(|pair| pair[1] < pair[0]), "more seeds are faster: {seeds:?}");
    let parts = secs(&result, sources::PARTS);
    assert!(parts.windows(2).all(|pair| pair[1] < pair[0]), "more lines are faster: {parts:?}");
    let narrow = secs(&result, sources::NARROW);
    assert!(narrow.iter().all(|secs| *secs >= line && *secs < line * 1.05), "{narrow:?}");
}

#[test]
fn one_connection_takes_twice_as_long_as_two() {
    for seed in 1..=4 {
        let plan = LabPlan { seed, peers: 4, max_n_to: 2, ..usual(Experiment::Connections) };
        let result = result(&plan);
        assert_all_complete(&result);
        let thesis = secs(&result, connections::THESIS);
        let ratio = thesis[0] / thesis[1];
        assert!((1.8..=2.2).contains(&ratio), "{ratio}");
        assert_eq!(result.figure("ratio"), Some(ratio));
        let (transfer, connect) = (result.figure("transfer_secs"), result.figure("connect_secs"));
        let (transfer, connect) = (transfer.expect("measured"), connect.expect("measured"));
        assert!(transfer > plan.line_secs() * 0.99 && transfer < plan.line_secs() * 1.02, "{transfer}");
        assert!(connect > 0.04 && connect < 2.0, "two ways there and back at the least: {connect}");
        assert!(thesis[1] < (transfer + connect) * 1.02);
    }
}

#[test]
fn more_connections_help_until_the_line_binds_and_sharing_pieces_helps_more() {
    let result = result(&usual(Experiment::Connections));
    assert_all_complete(&result);
    let (whole, shared) = (secs(&result, &connections::whole(8)), secs(&result, &connections::shared(8)));
    assert_eq!((whole.len(), shared.len()), (8, 8));
    let binds = connections::SEED_LINES as usize;
    assert!(whole[..binds].windows(2).all(|pair| pair[1] < pair[0]), "{whole:?}");
    assert!(whole[binds..7].iter().all(|secs| *secs > whole[binds - 1]), "{whole:?}");
    assert!(whole[1..].iter().zip(&shared[1..]).all(|(whole, shared)| shared < whole), "{shared:?}");
    // Nobody can have it before his own line has carried it, nor can all of them before the seed's has carried it once.
    let line = result.plan.line_secs();
    assert!(whole.iter().chain(&shared).all(|secs| *secs > line), "{whole:?} {shared:?}");
    assert!(shared[7] < line * 1.1, "{shared:?}");
}

#[test]
fn longer_stays_make_downloads_faster() {
    let result = result(&usual(Experiment::Stay));
    assert_all_complete(&result);
    let mean = secs(&result, stay::MEAN);
    assert!(mean.windows(2).all(|pair| pair[1] < pair[0] * 1.01), "{mean:?}");
    assert!(mean[mean.len() - 1] < mean[0] * 0.9, "{mean:?}");
    assert!(mean.iter().all(|secs| *secs > result.plan.line_secs()), "{mean:?}");
    assert_eq!(secs(&result, stay::LAST).len(), mean.len());
}

#[test]
fn a_cancelled_experiment_ends_at_once() {
    for experiment in Experiment::ALL {
        let cancel = AtomicBool::new(false);
        let told: RefCell<Vec<LabProgress>> = RefCell::default();
        let progress = |progress: LabProgress| {
            cancel.store(progress.done == 1, Ordering::Relaxed);
            told.borrow_mut().push(progress);
        };
        let watch = LabWatch { progress: &progress, cancel: &cancel };
        assert_eq!(run(&small(experiment), watch), Err(LabError::Cancelled), "{experiment:?}");
        let told = told.into_inner();
        assert!(told.last().is_some_and(|last| last.done == 1), "{experiment:?}: {told:?}");
    }
}

#[test]
fn progress_grows_to_the_end() {
    for experiment in Experiment::ALL {
        let told: RefCell<Vec<LabProgress>> = RefCell::default();
        let progress = |progress| told.borrow_mut().push(progress);
        run(&small(experiment), LabWatch { progress: &progress, cancel: &AtomicBool::new(false) })
            .expect("a result");
        let told = told.into_inner();
        let fractions: Vec<f32> = told.iter().map(LabProgress::fraction).collect();
        assert!(fractions.windows(2).all(|pair| pair[0] <= pair[1]), "{experiment:?}: {fractions:?}");
        assert_eq!(fractions.last(), Some(&1.0), "{experiment:?}");
        assert!(told.len() > 20 && told.iter().all(|told| !told.doing.is_empty()), "{experiment:?}");
    }
}

#[test]
fn wild_plans_are_refused_before_anything_runs() {
    let plan = LabPlan { bandwidth: 0, ..usual(Experiment::Stay) };
    let watch = LabWatch { progress: &|_| panic!("something ran"), cancel: &AtomicBool::new(false) };
    assert!(matches!(run(&plan, watch), Err(LabError::Range { what: "the bandwidth", .. })));
}

#[test]
fn the_smallest_and_oddest_plans_end() {
    for experiment in Experiment::ALL {
        let odd = LabPlan {
            file_size: 65_537,
            bandwidth: 10_001,
            peers: 3,
            max_n_from: 2,
            max_n_to: 2,
            mean_stay_secs: 0,
            ..usual(experiment)
        };
        assert_all_complete(&result(&odd));
    }
}

#[cfg(feature = "host")]
mod sockets {
    use super::*;

    /// What ends within seconds on sockets.
    fn quick(experiment: Experiment) -> LabPlan {
        let plan = LabPlan::new(experiment, true);
        LabPlan { file_size: 256 * 1024, bandwidth: 256 * 1024, peers: 2, mean_stay_secs: 1, ..plan }
    }

    fn left(point: &crate::api::LabPoint) -> u32 {
        point.of - point.completed
    }

    #[test]
    fn real_sessions_do_the_same() {
        for experiment in [Experiment::Sources, Experiment::Reconnect] {
            let result = result(&quick(experiment));
            assert!(result.points.iter().all(|point| left(point) == 0), "{result:?}");
        }
    }

    #[test]
    fn real_sessions_can_be_cancelled() {
        let cancel = AtomicBool::new(false);
        let progress = |progress: LabProgress| cancel.store(progress.part > 0.0, Ordering::Relaxed);
        let watch = LabWatch { progress: &progress, cancel: &cancel };
        assert_eq!(run(&quick(Experiment::Connections), watch), Err(LabError::Cancelled));
    }
}
