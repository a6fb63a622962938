//! `fyris lab`: an experiment of the thesis, in simulated time or on sockets of this computer.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::api::{Experiment, LabPlan, LabResult, LabWatch};
use crate::app::bar::Bar;
use crate::app::{say, signals};
use crate::lab;

/// Runs one of the thesis's experiments and prints what came out.
#[derive(Args, Debug)]
pub(super) struct LabArgs {
    /// Which: 1 disconnecting after each file, 2 a seed or several peers, 3 time against Max_N, 4 seeds that stay
    #[arg(value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    experiment: u8,
    /// Print one JSON object with `points` and `result`
    #[arg(long)]
    json: bool,
    /// Use real sessions on this computer in place of simulated time; takes a minute or more
    #[arg(long)]
    sockets: bool,
    /// Write the points to a file as comma-separated values, too
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// The size of a file
    #[arg(long, value_name = "BYTES")]
    file_size: Option<u64>,
    /// What the line of one peer carries
    #[arg(long, value_name = "BYTES_PER_S")]
    bandwidth: Option<u64>,
    /// Peers besides the first seed (2, 3, 4)
    #[arg(long, value_name = "N")]
    peers: Option<u32>,
    /// Connections of a machine, as one number or FROM-TO (3)
    #[arg(long, value_name = "RANGE", value_parser = range)]
    max_n: Option<RangeInclusive<u32>>,
    /// How long a seed stays on an average (4)
    #[arg(long, value_name = "SECS")]
    mean_stay: Option<u32>,
    /// Where everything random begins; the same seed gives the same numbers in simulated time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl LabArgs {
    fn plan(&self) -> LabPlan {
        let experiment = Experiment::from_number(self.experiment).unwrap_or_default();
        let usual = LabPlan::new(experiment, self.sockets);
        let max_n = self.max_n.as_ref();
        LabPlan {
            file_size: self.file_size.unwrap_or(usual.file_size),
            bandwidth: self.bandwidth.unwrap_or(usual.bandwidth),
            peers: self.peers.unwrap_or(usual.peers),
            max_n_from: max_n.map_or(usual.max_n_from, |range| *range.start()),
            max_n_to: max_n.map_or(usual.max_n_to, |range| *range.end()),
            mean_stay_secs: self.mean_stay.unwrap_or(usual.mean_stay_secs),
            seed: self.seed.unwrap_or(usual.seed),
            ..usual
        }
    }
}

/// One number, or two with a dash between them.
fn range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let number = |text: &str| text.trim().parse::<u32>().map_err(|error| error.to_string());
    match text.split_once('-') {
        Some((from, to)) => Ok(number(from)?..=number(to)?),
        None => number(text).map(|number| number..=number),
    }
}

/// Runs the experiment.
pub(super) fn run(args: &LabArgs) -> Result<()> {
    let plan = args.plan();
    plan.check()?;
    let cancel = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&cancel);
    signals::on_end(move || asked.store(true, Ordering::Relaxed)).context("signals cannot be caught")?;
    let result = {
        let bar = Bar::new();
        let progress = |progress: crate::api::LabProgress| {
            bar.show((progress.fraction() * 1_000.0) as u64, 1_000, || progress.doing.clone());
        };
        lab::run(&plan, LabWatch { progress: &progress, cancel: &cancel })?
    };
    if let Some(path) = &args.csv {
        std::fs::write(path, result.csv()).with_context(|| path.display().to_string())?;
    }
    if args.json {
        say::out(serde_json::to_string_pretty(&result.json())?);
    } else {
        say::out(table(&result));
    }
    Ok(())
}

/// The result for people: what was tried, a table, what came out, and what the thesis says.
fn table(result: &LabResult) -> String {
    let experiment = result.plan.experiment;
    let (axis, _) = experiment.axis();
    let counted = result.points.iter().any(|point| point.connections.is_some());
    let width = result.points.iter().map(|point| point.series.chars().count()).max().unwrap_or(0);
    let connections = if counted { "  connections" } else { "" };
    let mut lines = vec![
        format!("Experiment {}: {}", experiment.number(), experiment.title()),
        experiment.question().to_owned(),
        String::new(),
        format!("{:width$}  {axis:>20}  {:>10}{connections}", "", "Seconds"),
    ];
    for point in &result.points {
        let secs = match point.secs {
            Some(secs) => format!("{secs:.2}"),
            None => format!("{} of {}", point.completed, point.of),
        };
        let connections = point.connections.map_or_else(String::new, |count| format!("  {count:>11}"));
        lines.push(format!("{:width$}  {:>20}  {secs:>10}{connections}", point.series, point.x));
    }
    lines.extend([
        String::new(),
        format!("Result: {}", result.result),
        format!("Thesis: {}", experiment.claim()),
    ]);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::LabPoint;

    #[test]
    fn a_range_is_one_number_or_two() {
        assert_eq!((range("4"), range("1-8"), range("2 - 3")), (Ok(4..=4), Ok(1..=8), Ok(2..=3)));
        assert!(range("a").is_err() && range("1-").is_err() && range("-3").is_err());
    }

    #[test]
    fn a_table_says_what_did_not_end() {
        let point = |secs, connections| LabPoint {
            series: "seeds".into(),
            x: 2.0,
            secs,
            connections,
            completed: 1,
            of: 3,
        };
        let result = LabResult {
            plan: LabPlan::new(Experiment::Sources, false),
            points: vec![point(Some(1.234), Some(7)), point(None, Some(1))],
            figures: Vec::new(),
            result: "It is so.".into(),
        };
        let table = table(&result);
        for words in ["1.23", "1 of 3", "Result: It is so.", "Thesis: Seeds are", "connections"] {
            assert!(table.contains(words), "{table}");
        }
    }
}
