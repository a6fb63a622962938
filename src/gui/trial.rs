//! An experiment that runs on a thread of its own while the window goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::api::{LabError, LabPlan, LabProgress, LabResult, LabRunner, LabWatch};

/// Progress that may wait to be seen; more of it is dropped.
const WAITING: usize = 16;

/// What runs experiments, and what wakes the window when there is something to see.
#[derive(Clone)]
pub(crate) struct Bench {
    /// Runs one.
    pub runner: LabRunner,
    /// Wakes the window.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// An experiment under way. It ends with this value.
pub(crate) struct Trial {
    /// How far it has come.
    pub progress: LabProgress,
    cancel: Arc<AtomicBool>,
    news: Receiver<LabProgress>,
    outcome: Receiver<Result<LabResult, LabError>>,
}

impl Trial {
    /// Begins one; says why where it cannot.
    pub(crate) fn begin(bench: &Bench, plan: LabPlan) -> Result<Self, &'static str> {
        let cancel = Arc::new(AtomicBool::new(false));
        let (told, news) = bounded(WAITING);
        let (ended, outcome) = bounded(1);
        let (bench, flag) = (bench.clone(), Arc::clone(&cancel));
        let work = move || {
            let progress = |progress| {
                if told.try_send(progress).is_ok() {
                    (bench.wake)();
                }
            };
            let outcome = (bench.runner)(&plan, LabWatch { progress: &progress, cancel: &flag });
            // Nobody waits for it where the window has gone.
            let _ = ended.try_send(outcome);
            (bench.wake)();
        };
        if std::thread::Builder::new().name("lab".to_owned()).spawn(work).is_err() {
            return Err("The system starts no more threads. Close something and try again.");
        }
        Ok(Self { progress: LabProgress::default(), cancel, news, outcome })
    }

    /// Asks it to end soon.
    pub(crate) fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Takes in what was told since, and what came out, once it has ended.
    pub(crate) fn look(&mut self) -> Option<Result<LabResult, LabError>> {
        self.progress = self.news.try_iter().last().unwrap_or(std::mem::take(&mut self.progress));
        match self.outcome.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(LabError::System("it broke off".into()))),
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.cancel();
    }
}
