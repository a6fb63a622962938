//! A thread that does something again and again behind the answers, and once more when it is told to end.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

/// Such a thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Behind {
    thread: Option<JoinHandle<()>>,
    stop: Option<Sender<()>>,
}

impl Behind {
    /// Calls `turn` for the first time after what `period` gives, which is asked anew each time.
    pub(super) fn start(
        name: &str,
        period: impl Fn() -> Duration + Send + 'static,
        mut turn: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = bounded(1);
        let run = move || {
            while stopped.recv_timeout(period()) == Err(RecvTimeoutError::Timeout) {
                turn();
            }
            turn();
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { thread: Some(thread), stop: Some(stop) })
    }

    /// Has it done a last time and waits for its end.
    pub(super) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a thread behind the tracker had failed");
        }
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.stop();
    }
}
