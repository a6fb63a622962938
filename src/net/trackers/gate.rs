//! How many questions are asked at once: ten thousand torrents must not open ten thousand sockets.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::announce::Failure;

/// Questions at once in all; farewells have as many again of their own, so that they need not wait for the others.
const IN_ALL: usize = 64;
/// Questions at once to one tracker, so that a slow one leaves room for the others.
const OF_ONE: usize = 16;

/// Lets questions through in order.
pub(super) struct Gate {
    all: Semaphore,
    farewells: Semaphore,
    /// Trackers that are being asked or waited for.
    hosts: Mutex<HashMap<Box<str>, Arc<Host>>>,
}

struct Host {
    turns: Semaphore,
    fate: Mutex<Fate>,
}

/// What came of questions to one tracker.
#[derive(Default)]
struct Fate {
    answered: Option<Instant>,
    failed: Option<(Instant, Failure)>,
}

impl Default for Gate {
    fn default() -> Self {
        let (all, farewells) = (Semaphore::new(IN_ALL), Semaphore::new(IN_ALL));
        Self { all, farewells, hosts: Mutex::default() }
    }
}

impl Gate {
    /// Asks when it is this question's turn. Whoever waited while the tracker turned out to be dead is told the same at
    /// once: otherwise the thousandth torrent would learn it after half an hour.
    pub(super) async fn pass<T>(
        &self,
        host: &str,
        question: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let visit = self.visit(host);
        let came = Instant::now();
        let _turn = visit.host.turns.acquire().await;
        let _one_of_all = self.all.acquire().await;
        let began = Instant::now();
        if let Some((at, failure)) = &lock(&visit.host.fate).failed
            && *at >= came
        {
            return Err(failure.clone());
        }
        let outcome = question.await;
        let mut fate = lock(&visit.host.fate);
        match &outcome {
            Err(failure @ (Failure::Timeout | Failure::Unreachable(_))) => {
                // One lost question among others that were answered says nothing of the rest.
                if fate.answered.is_none_or(|answered| answered < began) {
                    fate.failed = Some((Instant::now(), failure.clone()));
                }
            }
            _ => *fate = Fate { answered: Some(Instant::now()), failed: None },
        }
        drop(fate);
        outcome
    }

    /// Says a farewell, whatever else is being asked.
    pub(super) async fn farewell<T>(
        &self,
        question: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let _turn = self.farewells.acquire().await;
        question.await
    }

    fn visit(&self, host: &str) -> Visit<'_> {
        let mut hosts = lock(&self.hosts);
        let known = hosts.get(host).cloned();
        let known = known.unwrap_or_else(|| {
            let new = Arc::new(Host { turns: Semaphore::new(OF_ONE), fate: Mutex::default() });
            hosts.insert(host.into(), Arc::clone(&new));
            new
        });
        Visit { gate: self, name: host.into(), host: known }
    }
}

/// Keeps a tracker known while somebody asks it.
struct Visit<'a> {
    gate: &'a Gate,
    name: Box<str>,
    host: Arc<Host>,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut hosts = lock(&self.gate.hosts);
        // The map's own and this one.
        if Arc::strong_count(&self.host) <= 2 {
            hosts.remove(&self.name);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    #[test]
    fn a_dead_tracker_is_tried_by_few_and_the_others_are_told() {
        block_on(async {
            let (gate, tried) = (Arc::new(Gate::default()), Arc::new(AtomicUsize::new(0)));
            let ask = |host: &'static str| {
                let (gate, tried) = (Arc::clone(&gate), Arc::clone(&tried));
                tokio::spawn(async move {
                    gate.pass(host, async {
                        tried.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                        Err::<(), _>(Failure::Timeout)
                    })
                    .await
                })
            };
            let asked: Vec<_> = (0..1_000).map(|_| ask("http://dead")).collect();
            for question in asked {
                assert_eq!(question.await.expect("no panic"), Err(Failure::Timeout));
            }
            assert_eq!(tried.load(Ordering::Relaxed), OF_ONE);
            // Who comes later tries anew.
            assert!(ask("http://dead").await.expect("no panic").is_err());
            assert_eq!(tried.load(Ordering::Relaxed), OF_ONE + 1);
            assert!(lock(&gate.hosts).is_empty());
        });
    }

    #[test]
    fn no_more_than_allowed_are_asked_at_once() {
        block_on(async {
            let gate = Arc::new(Gate::default());
            let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let asked: Vec<_> = (0..500)
                .map(|at| {
                    let (gate, now, most) = (Arc::clone(&gate), Arc::clone(&now), Arc::clone(&most));
                    tokio::spawn(async move {
                        gate.pass(&format!("http://{}", at % 20), async {
                            most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                            tokio::task::yield_now().await;
                            now.fetch_sub(1, Ordering::Relaxed);
                            Ok(())
                        })
                        .await
                    })
                })
                .collect();
            for question in asked {
                question.await.expect("no panic").expect("an answer");
            }
            assert_eq!(most.load(Ordering::Relaxed), IN_ALL);
        });
    }
}
