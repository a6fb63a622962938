//! Signals that ask the program to end: the first is obeyed in order, the second at once.

use std::io;
use std::thread::Builder;

use tokio::runtime;

/// What a shell takes for a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Calls `end` when the program is asked to end. Asked again, it ends where it stands.
pub(super) fn on_end(end: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    // Caught from here on: a signal that comes before the thread runs must not be lost.
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            signals.next().await;
            end();
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
    })?;
    Ok(())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: tokio::signal::windows::ctrl_c()?,
            close: tokio::signal::windows::ctrl_close()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.close.recv() => {}
        }
    }
}
