//! The lab panel: the experiments of the thesis, run in this program, beside what the thesis claimed.

mod form;
mod graph;
mod table;

use std::path::Path;

use eframe::egui::{self, RichText, Ui};

use crate::api::{Experiment, LabError, LabPlan, LabResult};
use crate::gui::errand::Errand;
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::trial::{Bench, Trial};
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::{bar, field};

/// The lab panel.
#[derive(Default)]
pub(crate) struct Lab {
    /// What runs experiments; nothing where this program was built without it.
    pub(super) bench: Option<Bench>,
    chosen: Experiment,
    /// What each experiment is to be run with, by its place, in simulated time and on sockets.
    plans: [[Option<LabPlan>; 2]; 4],
    sockets: bool,
    trial: Option<(Experiment, Trial)>,
    results: [Option<LabResult>; 4],
    fault: Option<String>,
    /// Where a table is to be written, typed where the desktop shows no dialogs.
    path: Option<String>,
}

const fn place(experiment: Experiment) -> usize {
    experiment.number() as usize - 1
}

impl Lab {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.look();
        let look = theme::look(ui);
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                self.choice(ui);
                self.controls(ui, scene);
            });
            ui.add_space(theme::GAP);
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                self.outcome(ui, scene);
            });
        });
    }

    /// Lets the path be typed, beginning with a folder.
    pub(super) fn save_by_path(&mut self, folder: &Path) {
        let path = folder.join(self.file_name());
        self.path = Some(path.to_string_lossy().into_owned());
    }

    fn file_name(&self) -> String {
        format!("fyris-lab-{}.csv", self.chosen.number())
    }

    /// Takes in what the running experiment has told.
    fn look(&mut self) {
        let Some((experiment, trial)) = &mut self.trial else { return };
        let Some(outcome) = trial.look() else { return };
        match outcome {
            Ok(result) => self.results[place(*experiment)] = Some(result),
            Err(LabError::Cancelled) => {}
            Err(error) => {
                self.fault = Some(format!("Experiment {} has no result: {error}.", experiment.number()));
            }
        }
        self.trial = None;
    }

    fn choice(&mut self, ui: &mut Ui) {
        let look = theme::look(ui);
        ui.horizontal_wrapped(|ui| {
            for experiment in Experiment::ALL {
                let label = format!("{} · {}", experiment.number(), experiment.title());
                let chosen = self.chosen == experiment;
                if Push::new(&label).tab(chosen).show(ui).clicked() && !chosen {
                    (self.chosen, self.path) = (experiment, None);
                }
            }
        });
        ui.add_space(2.0);
        ui.add(egui::Label::new(RichText::new(self.chosen.question()).color(look.weak)).wrap());
        ui.add_space(theme::GAP);
    }

    fn controls(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        let look = theme::look(ui);
        let (chosen, sockets) = (self.chosen, self.sockets);
        let plan = self.plans[place(chosen)][usize::from(sockets)]
            .get_or_insert_with(|| LabPlan::new(chosen, sockets));
        ui.add_enabled_ui(self.trial.is_none(), |ui| form::show(ui, plan));
        let wrong = plan.check().err();
        let plan = plan.clone();
        ui.add_enabled_ui(self.trial.is_none(), |ui| {
            ui.checkbox(&mut self.sockets, "On sockets of this computer instead of simulated time");
        });
        if self.sockets {
            field::note(ui, "Real sessions with rate limits for lines; this takes a minute or more.");
        }
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            let runs = self.trial.as_ref().map(|(_, trial)| trial.is_ending());
            let able = self.bench.is_some() && runs.is_none() && wrong.is_none();
            if Push::new("Run").with(Icon::Resume).kind(Kind::Main).enabled(able).show(ui).clicked() {
                self.run(plan.clone());
            }
            let cancel = Push::new("Cancel").with(Icon::Close).enabled(runs == Some(false));
            if cancel.show(ui).clicked()
                && let Some((_, trial)) = &self.trial
            {
                trial.cancel();
            }
            if Push::new("Usual values").enabled(runs.is_none()).show(ui).clicked() {
                self.plans[place(chosen)][usize::from(sockets)] = None;
            }
        });
        if let Some((experiment, trial)) = &self.trial {
            ui.add_space(theme::GAP);
            let doing = match (trial.is_ending(), trial.progress.doing.as_str()) {
                (true, _) => "Ending…".to_owned(),
                (false, "") => format!("Experiment {} begins.", experiment.number()),
                (false, doing) => format!("Experiment {}: {doing}", experiment.number()),
            };
            bar::progress(ui, trial.progress.fraction(), &doing);
            field::note(ui, &doing);
        }
        if self.bench.is_none() {
            field::remark(ui, Icon::Info, look.weak, "This program was built without the lab.");
        }
        if let Some(error) = wrong {
            field::remark(ui, Icon::Warning, look.warn, &sentence(&error.to_string()));
        }
        if let Some(fault) = &self.fault {
            field::remark(ui, Icon::Warning, look.bad, fault);
        }
        // A dialog of the desktop stands before the window; nothing here is to be pressed meanwhile.
        if scene.picking {
            ui.disable();
        }
    }

    fn run(&mut self, plan: LabPlan) {
        let Some(bench) = &self.bench else { return };
        (self.fault, self.path) = (None, None);
        match Trial::begin(bench, plan) {
            Ok(trial) => self.trial = Some((self.chosen, trial)),
            Err(why) => self.fault = Some(why.to_owned()),
        }
    }

    fn outcome(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let look = theme::look(ui);
        field::heading(ui, "What the thesis says");
        ui.add(egui::Label::new(self.chosen.claim()).wrap());
        ui.add_space(theme::GAP);
        field::heading(ui, "What came out here");
        let Some(result) = &self.results[place(self.chosen)] else {
            let text = if self.trial.as_ref().is_some_and(|(running, _)| *running == self.chosen) {
                "It is being tried."
            } else {
                "Nothing yet. Press Run; in simulated time it takes a few seconds."
            };
            ui.add(egui::Label::new(RichText::new(text).color(look.weak)).wrap());
            return;
        };
        ui.add(egui::Label::new(&result.result).wrap().selectable(true));
        ui.add_space(theme::GAP);
        graph::show(ui, result);
        ui.add_space(theme::GAP);
        table::show(ui, scene, result);
        ui.add_space(theme::GAP);
        let name = self.file_name();
        ui.horizontal(|ui| {
            let save = Push::new("Save table…").with(Icon::Save).enabled(!scene.picking);
            if save.tip("The points as comma-separated values").show(ui).clicked() {
                scene.ask(Action::Pick(Wanted::SaveTable(name, result.csv())));
            }
            if Push::new("Copy result").show(ui).clicked() {
                scene.ask(Action::Copy(result.result.clone(), "Result"));
            }
        });
        if let Some(path) = &mut self.path {
            ui.horizontal(|ui| {
                let width = (ui.available_width() - 120.0).max(120.0);
                field::line(ui, path, "File to save the table into", "Path of the file", width);
                if Push::new("Save here").enabled(!path.trim().is_empty()).show(ui).clicked() {
                    scene.ask(Action::Errand(Errand::Write(field::path(path), result.csv())));
                }
            });
        }
    }
}

/// A text that begins in the middle of one, as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
