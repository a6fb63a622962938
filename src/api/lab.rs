//! The thesis's experiments as they are asked for and answered: plain values, which name neither simulator nor sockets.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One of the four experiments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Experiment {
    /// 1: a user who disconnects after each file, beside one who stays.
    Reconnect,
    /// 2: a download from a seed, and from peers who have a part each.
    Sources,
    /// 3: the time against the connections that a machine may have.
    #[default]
    Connections,
    /// 4: what a swarm gains when those who have finished stay.
    Stay,
}

impl Experiment {
    /// All of them, in the thesis's order.
    pub const ALL: [Self; 4] = [Self::Reconnect, Self::Sources, Self::Connections, Self::Stay];

    /// Its number in the thesis, from 1.
    pub const fn number(self) -> u8 {
        match self {
            Self::Reconnect => 1,
            Self::Sources => 2,
            Self::Connections => 3,
            Self::Stay => 4,
        }
    }

    /// The one with that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|experiment| experiment.number() == number)
    }

    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Reconnect => "Disconnecting after each file",
            Self::Sources => "A seed or several peers",
            Self::Connections => "Connections (Max_N)",
            Self::Stay => "Seeds that stay",
        }
    }

    /// What is tried.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Reconnect => {
                "Two peers fetch the same five files. One stays connected, the other disconnects after each file and \
                 connects again at once."
            }
            Self::Sources => {
                "Somebody downloads from one seed, and then from peers of whom each has another part of the file."
            }
            Self::Connections => {
                "One seed, several peers, and so many connections for each machine: when does the last peer have the file?"
            }
            Self::Stay => {
                "Peers arrive one after the other, and stay for a while when they have the file. How long does a download \
                 take?"
            }
        }
    }

    /// What the thesis says of it.
    pub const fn claim(self) -> &'static str {
        match self {
            Self::Reconnect => {
                "Disconnecting and connecting again is not efficient: who disconnects needs much more time for the next file."
            }
            Self::Sources => {
                "Seeds are very much faster than peers: from a seed a file takes one connection, from peers more than one."
            }
            Self::Connections => {
                "Max_N = 1 takes 2·Tf + 2·tc and Max_N = 2 takes Tf + tc; more connections are faster until the bandwidth is \
                 reached."
            }
            Self::Stay => {
                "Something to read after the download keeps seeds connected and makes the network faster; this could not be \
                 proved then."
            }
        }
    }

    /// What a point's `x` is: a title for people, and a key for programs.
    pub const fn axis(self) -> (&'static str, &'static str) {
        match self {
            Self::Reconnect => ("File", "file"),
            Self::Sources => ("Sources", "sources"),
            Self::Connections => ("Max_N", "max_n"),
            Self::Stay => ("Mean stay in seconds", "mean_stay_secs"),
        }
    }
}

/// What to run, and with what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabPlan {
    /// Which experiment.
    pub experiment: Experiment,
    /// Bytes of a file.
    pub file_size: u64,
    /// Bytes per second that the line of one peer carries.
    pub bandwidth: u64,
    /// How many peers take part besides the first seed.
    pub peers: u32,
    /// The least Max_N tried in experiment 3.
    pub max_n_from: u32,
    /// The greatest Max_N tried in experiment 3.
    pub max_n_to: u32,
    /// The mean stay of a seed in the middle of experiment 4, in seconds.
    pub mean_stay_secs: u32,
    /// What everything random follows from; of no effect on sockets.
    pub seed: u64,
    /// Whether real sessions on this computer are used in place of simulated time.
    pub sockets: bool,
}

impl LabPlan {
    /// The usual values: the thesis's setting in simulated time, or one that takes a minute on sockets.
    pub fn new(experiment: Experiment, sockets: bool) -> Self {
        use Experiment::{Connections, Reconnect, Sources, Stay};
        const KIB: u64 = 1024;
        let (file_size, bandwidth, peers, max_n_to, mean_stay_secs) = match (experiment, sockets) {
            (Reconnect, false) => (2_048 * KIB, 128 * KIB, 2, 1, 1),
            (Sources, false) => (16_384 * KIB, 128 * KIB, 6, 1, 1),
            (Connections, false) => (16_384 * KIB, 128 * KIB, 8, 8, 1),
            (Stay, false) => (8_192 * KIB, 128 * KIB, 32, 1, 64),
            (Reconnect, true) => (512 * KIB, 256 * KIB, 2, 1, 1),
            (Sources, true) => (1_024 * KIB, 256 * KIB, 3, 1, 1),
            (Connections, true) => (4_096 * KIB, 256 * KIB, 2, 2, 1),
            (Stay, true) => (1_024 * KIB, 256 * KIB, 6, 1, 4),
        };
        let seed = 1;
        Self {
            experiment,
            file_size,
            bandwidth,
            peers,
            max_n_from: 1,
            max_n_to,
            mean_stay_secs,
            seed,
            sockets,
        }
    }

    /// Whether every value is in its range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn check(&self) -> Result<(), LabError> {
        const MIB: u64 = 1024 * 1024;
        let range = |what, why| Err(LabError::Range { what, why });
        if !(64 * 1024..=256 * MIB).contains(&self.file_size) {
            return range("the file size", "must lie between 64 KiB and 256 MiB");
        }
        if !(1024..=1024 * MIB).contains(&self.bandwidth) {
            return range("the bandwidth", "must lie between 1 KiB/s and 1 GiB/s");
        }
        if !(2..=200).contains(&self.peers) {
            return range("the number of peers", "must lie between 2 and 200");
        }
        if self.max_n_from == 0 || self.max_n_from > self.max_n_to || self.max_n_to > 64 {
            return range("Max_N", "must lie between 1 and 64, the least before the greatest");
        }
        if self.mean_stay_secs > 1_000_000 {
            return range("the mean stay", "must be at most 1000000 seconds");
        }
        if self.sockets && self.peers > 16 {
            return range("the number of peers", "must be at most 16 on sockets");
        }
        if self.sockets && self.file_size > 32 * MIB {
            return range("the file size", "must be at most 32 MiB on sockets");
        }
        // Five files for three machines, or one for each, all in memory.
        let machines = if self.experiment == Experiment::Reconnect { 15 } else { u64::from(self.peers) };
        if self.file_size * machines > 4_096 * MIB {
            return range("the file size", "must be smaller for so many peers");
        }
        Ok(())
    }

    /// The time that the file takes on the line of one peer at the least, in seconds.
    pub fn line_secs(&self) -> f64 {
        self.file_size as f64 / self.bandwidth as f64
    }
}

/// How far an experiment has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabProgress {
    /// Runs that are done.
    pub done: u32,
    /// Runs in all.
    pub of: u32,
    /// How far the present run has come, 0 to 1.
    pub part: f32,
    /// What is run now.
    pub doing: String,
}

impl LabProgress {
    /// How far all of it has come, 0 to 1.
    pub fn fraction(&self) -> f32 {
        ((self.done as f32 + self.part) / self.of.max(1) as f32).clamp(0.0, 1.0)
    }
}

/// One result of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabPoint {
    /// The curve that it belongs to.
    pub series: String,
    /// Where on that curve, as [`Experiment::axis`] says.
    pub x: f64,
    /// Seconds; nothing where it did not come to an end.
    pub secs: Option<f64>,
    /// Connections from which data came, where they were counted.
    pub connections: Option<u32>,
    /// Downloads that were completed.
    pub completed: u32,
    /// Downloads that were begun.
    pub of: u32,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabResult {
    /// What was run.
    pub plan: LabPlan,
    /// Everything that was measured, curve after curve.
    pub points: Vec<LabPoint>,
    /// Single figures by name, such as the ratio of two times.
    pub figures: Vec<(String, f64)>,
    /// What it means, in a sentence or two.
    pub result: String,
}

impl LabResult {
    /// The curves by name, in the order in which they were measured.
    pub fn series(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for point in &self.points {
            if !names.contains(&point.series.as_str()) {
                names.push(&point.series);
            }
        }
        names
    }

    /// The points of one curve.
    pub fn of(&self, series: &str) -> impl Iterator<Item = &LabPoint> {
        self.points.iter().filter(move |point| point.series == series)
    }

    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The points as comma-separated values (RFC 4180), a line each, below a line of names.
    pub fn csv(&self) -> String {
        let (_, axis) = self.plan.experiment.axis();
        let mut out = format!("series,{axis},secs,connections,completed,of\r\n");
        for point in &self.points {
            let (series, x) = (quoted(&point.series), point.x);
            let secs = point.secs.map_or_else(String::new, |secs| format!("{secs:.3}"));
            let connections = point.connections.map_or_else(String::new, |count| count.to_string());
            let _ = write!(out, "{series},{x},{secs},{connections},{},{}\r\n", point.completed, point.of);
        }
        out
    }

    /// One object with everything; what a point's `x` is gives it its key.
    pub fn json(&self) -> Value {
        let (_, axis) = self.plan.experiment.axis();
        let point = |point: &LabPoint| {
            json!({
                "series": point.series,
                axis: if point.x.fract() == 0.0 { json!(point.x as i64) } else { json!(point.x) },
                "secs": point.secs,
                "connections": point.connections,
                "completed": point.completed,
                "of": point.of,
            })
        };
        let figures: Map<String, Value> =
            self.figures.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "experiment": self.plan.experiment.number(),
            "title": self.plan.experiment.title(),
            "plan": self.plan,
            "points": self.points.iter().map(point).collect::<Vec<_>>(),
            "figures": figures,
            "result": self.result,
            "claim": self.plan.experiment.claim(),
        })
    }
}

/// A field of a table, in quotes where it needs them.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabError {
    /// A value of the plan is out of its range.
    #[error("{what} {why}")]
    Range {
        /// Which.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The user has stopped it.
    #[error("the experiment was cancelled")]
    Cancelled,
    /// This program was built without what it needs.
    #[error("this program was built without {0}")]
    Missing(&'static str),
    /// The system did not give what it needs.
    #[error("the experiment cannot go on: {0}")]
    System(String),
}

/// Who looks on while an experiment runs.
#[derive(Clone, Copy)]
pub struct LabWatch<'a> {
    /// Told now and then how far it has come; must not block.
    pub progress: &'a dyn Fn(LabProgress),
    /// Set by whoever wants it to end.
    pub cancel: &'a AtomicBool,
}

impl LabWatch<'_> {
    /// Whether it is to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// Runs experiments, on a thread of the caller's.
pub type LabRunner = Arc<dyn Fn(&LabPlan, LabWatch<'_>) -> Result<LabResult, LabError> + Send + Sync>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_plans_are_in_range_and_wild_ones_are_refused() {
        for experiment in Experiment::ALL {
            assert_eq!(Experiment::from_number(experiment.number()), Some(experiment));
            for sockets in [false, true] {
                assert_eq!(LabPlan::new(experiment, sockets).check(), Ok(()));
            }
        }
        assert_eq!(Experiment::from_number(5), None);
        let plan = LabPlan::new(Experiment::Connections, false);
        for (wild, says) in [
            (LabPlan { file_size: 0, ..plan.clone() }, "the file size must lie"),
            (LabPlan { file_size: u64::MAX, ..plan.clone() }, "the file size must lie"),
            (LabPlan { bandwidth: 0, ..plan.clone() }, "the bandwidth must lie"),
            (LabPlan { peers: 1, ..plan.clone() }, "the number of peers must lie"),
            (LabPlan { max_n_from: 3, max_n_to: 2, ..plan.clone() }, "Max_N must lie"),
            (LabPlan { max_n_from: 0, ..plan.clone() }, "Max_N must lie"),
            (LabPlan { mean_stay_secs: u32::MAX, ..plan.clone() }, "the mean stay must be"),
            (LabPlan { sockets: true, peers: 17, ..plan.clone() }, "must be at most 16 on sockets"),
            (LabPlan { peers: 200, file_size: 256 << 20, ..plan.clone() }, "must be smaller"),
        ] {
            let error = wild.check().expect_err("out of range").to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn points_become_a_table_and_an_object() {
        let point = |series: &str, x: f64, secs| LabPoint {
            series: series.into(),
            x,
            secs,
            connections: secs.map(|_: f64| 3),
            completed: 1,
            of: 2,
        };
        let result = LabResult {
            plan: LabPlan::new(Experiment::Connections, false),
            points: vec![point("a, \"b\"", 1.0, Some(2.5)), point("c", 1.5, None), point("c", 2.0, None)],
            figures: vec![("ratio".into(), 2.0)],
            result: "So it is.".into(),
        };
        assert_eq!(
            result.csv(),
            "series,max_n,secs,connections,completed,of\r\n\"a, \"\"b\"\"\",1,2.500,3,1,2\r\nc,1.5,,,1,2\r\nc,2,,,1,2\r\n"
        );
        let json = result.json();
        assert_eq!((&json["points"][0]["max_n"], &json["points"][0]["secs"]), (&json!(1), &json!(2.5)));
        assert_eq!((&json["points"][1]["secs"], &json["figures"]["ratio"]), (&Value::Null, &json!(2.0)));
        assert_eq!((&json["experiment"], &json["result"]), (&json!(3), &json!("So it is.")));
        assert_eq!((result.series(), result.of("c").count()), (vec!["a, \"b\"", "c"], 2));
        assert_eq!((result.figure("ratio"), result.figure("none")), (Some(2.0), None));
    }
}
