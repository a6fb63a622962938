//! The lab panel: choosing, running, watching, cancelling and saving.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui;

use super::rig::Rig;
use crate::api::{Experiment, LabError, LabPlan, LabPoint, LabProgress, LabResult, LabRunner};
use crate::gui::panels::Panel;
use crate::gui::pick::Wanted;

/// A size at which everything can be seen at once.
const ROOM: egui::Vec2 = egui::vec2(1100.0, 1400.0);

/// Stands in for the lab: hands out the plans that were run, and goes on when told what to answer.
struct Stage {
    plans: Receiver<LabPlan>,
    answers: Sender<Result<(), LabError>>,
}

fn stage() -> (Stage, LabRunner) {
    let (asked, plans) = bounded(8);
    let (answers, answer) = bounded::<Result<(), LabError>>(8);
    let runner: LabRunner = Arc::new(move |plan, watch| {
        let doing = "one seed, Max_N = 1".to_owned();
        (watch.progress)(LabProgress { done: 1, of: 4, part: 0.5, doing });
        asked.send(plan.clone()).expect("the test looks on");
        loop {
            if watch.is_cancelled() {
                return Err(LabError::Cancelled);
            }
            if let Ok(answer) = answer.try_recv() {
                return answer.map(|()| measured(plan));
            }
            std::thread::yield_now();
        }
    });
    (Stage { plans, answers }, runner)
}

fn measured(plan: &LabPlan) -> LabResult {
    let point = |series: &str, x, secs| LabPoint {
        series: series.to_owned(),
        x,
        secs,
        connections: None,
        completed: 2,
        of: 2,
    };
    LabResult {
        plan: plan.clone(),
        points: vec![
            point("thesis", 1.0, Some(260.5)),
            point("thesis", 2.0, Some(128.5)),
            point("more", 2.0, None),
        ],
        figures: Vec::new(),
        result: "Twice as long.".to_owned(),
    }
}

fn rig(runner: Option<LabRunner>) -> Rig {
    let mut rig = Rig::with(0, ROOM, |parts| parts.lab = runner);
    rig.go(Panel::Lab);
    rig
}

#[test]
fn an_experiment_runs_and_its_result_is_shown_beside_the_claim() {
    let (stage, runner) = stage();
    let mut rig = rig(Some(runner));
    rig.expect("Nothing yet. Press Run; in simulated time it takes a few seconds.");
    rig.expect("Max_N = 1 takes 2·Tf + 2·tc");
    assert!(!rig.enabled("Cancel") && !rig.has("Save table…"));
    rig.click("Run");
    assert_eq!(stage.plans.recv(), Ok(LabPlan::new(Experiment::Connections, false)));
    rig.until("progress", |rig| rig.says("Experiment 3: one seed, Max_N = 1"));
    rig.expect("It is being tried.");
    assert!(!rig.enabled("Run") && rig.enabled("Cancel"));
    stage.answers.send(Ok(())).expect("it waits");
    rig.until("a result", |rig| rig.says("Twice as long."));
    rig.expect("Graph of seconds against Max_N: thesis; more");
    assert_eq!(
        rig.rows("What was measured"),
        ["thesis, Max_N 1: 260.50 seconds", "thesis, Max_N 2: 128.50 seconds", "more, Max_N 2: not complete"]
    );
    rig.click("4 · Seeds that stay");
    rig.expect("Nothing yet.");
    rig.click("3 · Connections (Max_N)");
    rig.expect("Twice as long.");
    assert!(rig.enabled("Run"));
}

#[test]
fn an_experiment_is_cancelled_and_a_failed_one_says_why() {
    let (stage, runner) = stage();
    let mut rig = rig(Some(runner));
    rig.click("2 · A seed or several peers");
    rig.click("On sockets of this computer instead of simulated time");
    rig.click("Run");
    assert_eq!(stage.plans.recv(), Ok(LabPlan::new(Experiment::Sources, true)));
    rig.click("Cancel");
    rig.until("the end", |rig| rig.enabled("Run"));
    rig.expect("Nothing yet.");
    rig.click("Run");
    stage.answers.send(Err(LabError::System("no port is free".into()))).expect("it waits");
    rig.until("the reason", |rig| {
        rig.says("Experiment 2 has no result: the experiment cannot go on: no port is free.")
    });
    assert!(rig.enabled("Run"));
}

#[test]
fn the_table_is_saved_by_a_dialog_or_by_a_path() {
    let (stage, runner) = stage();
    let mut rig = rig(Some(runner));
    stage.answers.send(Ok(())).expect("room");
    rig.click("Run");
    rig.until("a result", |rig| rig.has("Save table…"));
    let folder = tempfile::tempdir().expect("a folder");
    rig.dialogs.choose(folder.path().join("chosen"));
    rig.click("Save table…");
    let csv = measured(&LabPlan::new(Experiment::Connections, false)).csv();
    assert_eq!(rig.dialogs.take(), [Wanted::SaveTable("fyris-lab-3.csv".into(), csv.clone())]);
    let written = |path: &PathBuf| std::fs::read_to_string(path).is_ok_and(|text| text == csv);
    let path = folder.path().join("chosen.csv");
    rig.until("the file", |rig| rig.says("Saved ") && written(&path));
    let app = rig.harness.state_mut();
    app.picked(crate::gui::pick::Picked::NoDialogs(Wanted::SaveTable(String::new(), String::new())));
    rig.turn();
    let path = folder.path().join("typed.csv");
    rig.write("File to save the table into", &path.to_string_lossy());
    rig.click("Save here");
    rig.until("the file", |_| written(&path));
    rig.write("File to save the table into", &folder.path().join("none/x.csv").to_string_lossy());
    rig.click("Save here");
    rig.until("the reason", |rig| rig.says("cannot be written"));
}

#[test]
fn values_are_kept_and_the_usual_ones_come_back() {
    let (stage, runner) = stage();
    let mut rig = rig(Some(runner));
    rig.click("4 · Seeds that stay");
    for name in ["File size", "Bandwidth", "Peers", "Mean stay", "Seed"] {
        assert!(rig.has(name), "{name}");
    }
    assert!(!rig.has("Max_N from"));
    rig.write("Peers", "12");
    rig.press(egui::Modifiers::NONE, egui::Key::Enter);
    rig.click("Run");
    let usual = LabPlan::new(Experiment::Stay, false);
    assert_eq!(stage.plans.recv(), Ok(LabPlan { peers: 12, ..usual.clone() }));
    stage.answers.send(Ok(())).expect("it waits");
    rig.until("a result", |rig| rig.says("Twice as long."));
    rig.click("Usual values");
    rig.click("Run");
    assert_eq!(stage.plans.recv(), Ok(usual));
}

#[test]
fn without_the_lab_nothing_can_be_run() {
    let rig = rig(None);
    rig.expect("This program was built without the lab.");
    assert!(!rig.enabled("Run"));
}
