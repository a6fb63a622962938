//! The two channels between a session and whoever uses it, and the current view between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, unbounded};

use crate::api::{Command, Event, RequestId, View};

/// Commands that may wait; a user cannot outrun this, and a script is told to slow down.
const COMMANDS: usize = 4_096;
/// Events that may wait for somebody who takes none; log lines only half as many.
const EVENTS: usize = 65_536;

/// Called when something new can be seen; must not block.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The session has ended, or takes no more commands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session has ended")]
pub struct SessionGone;

/// A user's side of a session: cheap to clone, never blocks.
#[derive(Clone)]
pub struct Handle {
    commands: Sender<Command>,
    events: Receiver<Event>,
    shared: Arc<Shared>,
}

/// The session's side.
pub struct Backend {
    /// What users ask for.
    pub commands: Receiver<Command>,
    events: Sender<Event>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    view: Mutex<Arc<View>>,
    /// Wakes the user's side: something new can be seen.
    seen: Mutex<Option<Waker>>,
    /// Wakes the session's side: a command waits.
    asked: Mutex<Option<Waker>>,
    next_request: std::sync::atomic::AtomicU64,
    /// Who waits for the answer to a request of his own.
    awaited: Mutex<BTreeMap<RequestId, Sender<Event>>>,
}

/// The answer to one request, which goes to whoever holds this and to nobody else. Where this is dropped first, it goes where
/// all events go.
pub struct Answer {
    request: RequestId,
    events: Receiver<Event>,
    shared: Arc<Shared>,
}

/// A handle and the session's end of it.
#[expect(
    clippy::disallowed_methods,
    reason = "room for as many events as may wait would be megabytes from the start; `emit` keeps to the limit"
)]
pub fn pair() -> (Handle, Backend) {
    let (commands_in, commands) = bounded(COMMANDS);
    let (events_in, events) = unbounded();
    let shared = Arc::new(Shared::default());
    (
        Handle { commands: commands_in, events, shared: Arc::clone(&shared) },
        Backend { commands, events: events_in, shared },
    )
}

impl Handle {
    /// Asks for something; the answer comes as an event or shows in the view.
    ///
    /// # Errors
    /// Where the session has ended or thousands of commands wait already.
    pub fn send(&self, command: Command) -> Result<(), SessionGone> {
        self.commands.try_send(command).map_err(|_| SessionGone)?;
        self.shared.wake(&self.shared.asked);
        Ok(())
    }

    /// The same for threads that may wait: where thousands of commands wait already, it waits for room.
    ///
    /// # Errors
    /// Where the session has ended.
    pub fn send_patiently(&self, command: Command) -> Result<(), SessionGone> {
        match self.commands.try_send(command) {
            Err(TrySendError::Full(command)) => self.commands.send(command).map_err(|_| SessionGone)?,
            sent => sent.map_err(|_| SessionGone)?,
        }
        self.shared.wake(&self.shared.asked);
        Ok(())
    }

    /// Asks for something under a number of its own and gives the answer to be waited for; nothing where there will be none,
    /// because such a command shows in the view alone. For threads that may wait, as [`Handle::send_patiently`] is.
    ///
    /// # Errors
    /// Where the session has ended.
    pub fn ask(&self, mut command: Command) -> Result<Option<Answer>, SessionGone> {
        let answer = command.request().map(|number| {
            let request = self.next_request();
            *number = request;
            // One is all there is.
            let (answers, events) = bounded(1);
            self.shared.awaited().insert(request, answers);
            Answer { request, events, shared: Arc::clone(&self.shared) }
        });
        self.send_patiently(command)?;
        Ok(answer)
    }

    /// The next event, where one waits.
    pub fn try_event(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// The next event, as soon as there is one; nothing once the session has ended. For threads that may wait.
    pub fn wait_event(&self) -> Option<Event> {
        self.events.recv().ok()
    }

    /// The newest view.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.shared.view.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request number that nobody else of this session uses.
    pub fn next_request(&self) -> RequestId {
        RequestId(self.shared.next_request.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1)
    }

    /// Sets what is called when there is a new view or event.
    pub fn on_news(&self, waker: Waker) {
        *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }
}

impl Answer {
    /// The number of the request, by which a long job is known and cancelled.
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// The answer, where it comes in that time and before the session ends. To be asked until it has come.
    pub fn wait(&self, at_most: Duration) -> Option<Event> {
        self.events.recv_timeout(at_most).ok()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.shared.awaited().remove(&self.request);
    }
}

impl Backend {
    /// Tells the user's side that something happened. Log lines are dropped when nobody reads them.
    pub fn emit(&self, event: Event) {
        let asked = event.answers().and_then(|request| self.shared.awaited().remove(&request));
        let event = match asked {
            Some(asked) => match asked.try_send(event) {
                Ok(()) => return,
                // Whoever asked has gone this moment.
                Err(unheard) => unheard.into_inner(),
            },
            None => event,
        };
        let room = if matches!(event, Event::Log(_)) { EVENTS / 2 } else { EVENTS };
        if self.events.len() >= room {
            return;
        }
        // Where nobody takes events there is still the view.
        let _ = self.events.send(event);
        self.shared.wake(&self.shared.seen);
    }

    /// Publishes a view.
    pub fn publish(&self, view: View) {
        self.renew(view);
        self.shared.wake(&self.shared.seen);
    }

    /// Puts a view in place of the last one for whoever looks next; nobody is called, as only time has passed.
    pub fn renew(&self, view: View) {
        *self.shared.view.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    /// Sets what is called when a command waits.
    pub fn on_command(&self, waker: Waker) {
        *self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // Nobody waits for what can no longer come.
        self.shared.awaited().clear();
    }
}

impl Shared {
    fn awaited(&self) -> std::sync::MutexGuard<'_, BTreeMap<RequestId, Sender<Event>>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, which: &Mutex<Option<Waker>>) {
        // Cloned first, so that a waker may itself use the handle.
        let waker = which.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_takes_is_dropped_beyond_a_limit_and_log_lines_first() {
        let (handle, backend) = pair();
        let log = Event::Log(crate::api::LogLine {
            unix_millis: 0,
            level: crate::api::Level::Info,
            room: String::new(),
            text: String::new(),
        });
        let answer = Event::Serialized { request: RequestId(1), torrents: Vec::new() };
        for (event, most) in [(log, EVENTS / 2), (answer, EVENTS)] {
            (0..=EVENTS).for_each(|_| backend.emit(event.clone()));
            assert_eq!(handle.events.len(), most);
        }
        assert!(matches!(handle.try_event(), Some(Event::Log(_))));
        backend.emit(Event::Stopped);
        assert_eq!(handle.events.len(), EVENTS);
    }

    #[test]
    fn who_can_wait_loses_no_command() {
        let (handle, backend) = pair();
        let count = COMMANDS * 2;
        std::thread::scope(|scope| {
            let asks = scope.spawn(|| (0..count).try_for_each(|_| handle.send_patiently(Command::PauseAll)));
            assert_eq!(backend.commands.iter().take(count).count(), count);
            assert_eq!(asks.join().expect("it ends"), Ok(()));
        });
        drop(backend);
        assert_eq!(handle.send_patiently(Command::PauseAll), Err(SessionGone));
    }

    #[test]
    fn an_answer_goes_to_who_asked_and_to_nobody_else() {
        let (handle, backend) = pair();
        let stop = || Command::StopAndSerialize { request: RequestId(0), torrent: None };
        let answered = |request| Event::Serialized { request, torrents: Vec::new() };
        let answer = handle.ask(stop()).expect("a session").expect("it is answered");
        let left = handle.ask(stop()).expect("a session").expect("it is answered");
        assert_ne!(answer.request(), left.request());
        for request in [answer.request(), left.request()] {
            let asked = Command::StopAndSerialize { request, torrent: None };
            assert_eq!(backend.commands.try_recv(), Ok(asked));
        }
        assert_eq!(answer.wait(Duration::ZERO), None);
        backend.emit(answered(answer.request()));
        assert_eq!(
            (answer.wait(Duration::ZERO), handle.try_event()),
            (Some(answered(answer.request())), None)
        );
        // One that nobody waits for any more is an event like others.
        let request = left.request();
        drop(left);
        backend.emit(answered(request));
        assert_eq!(handle.try_event(), Some(answered(request)));
        assert!(handle.ask(Command::PauseAll).expect("a session").is_none());
        let never = handle.ask(stop()).expect("a session").expect("it would be answered");
        drop(backend);
        assert_eq!(never.wait(Duration::from_secs(60)), None);
        assert!(matches!(handle.ask(stop()), Err(SessionGone)));
        assert!(handle.shared.awaited().is_empty(), "{}", never.request().0);
    }

    #[test]
    fn commands_events_and_views_cross() {
        let (handle, backend) = pair();
        handle.send(Command::PauseAll).expect("a session");
        assert_eq!(backend.commands.try_recv(), Ok(Command::PauseAll));
        backend.emit(Event::Stopped);
        assert_eq!(handle.try_event(), Some(Event::Stopped));
        backend.publish(View { generation: 3, ..View::default() });
        assert_eq!(handle.view().generation, 3);
        drop(backend);
        assert_eq!(handle.send(Command::PauseAll), Err(SessionGone));
        assert_eq!(handle.wait_event(), None);
    }
}
