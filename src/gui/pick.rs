//! File dialogs of the desktop: opened beside the frame, one at a time, and never waited for.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui;

use crate::base::InfoHash;
use crate::gui::clock;

/// A dialog that ends sooner than anyone can choose was never shown.
const NEVER_SHOWN: Duration = Duration::from_millis(400);

/// What a dialog is to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A file to be shared.
    ShareFile,
    /// A folder to be shared.
    ShareFolder,
    /// A .torrent file to be opened.
    Torrent,
    /// A folder for one download.
    SaveFolder(PathBuf),
    /// The folder for downloads.
    DownloadFolder(PathBuf),
    /// A folder to be watched.
    WatchFolder,
    /// Where to write a torrent's .torrent file; its name goes before.
    SaveTorrent(InfoHash, String),
    /// Where to write a table: a name for its file, and its text.
    SaveTable(String, String),
    /// Where to write the .torrent file of a torrent in the network's index; its name goes before.
    SaveEntry(InfoHash, String),
}

/// What became of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    /// These were chosen.
    Paths(Wanted, Vec<PathBuf>),
    /// The user chose nothing.
    Nothing,
    /// The desktop shows no dialogs; this is what was wanted.
    NoDialogs(Wanted),
}

type Chosen = Option<Vec<PathBuf>>;
/// Chooses in place of a user.
pub(crate) type Script = Box<dyn FnMut(&Wanted) -> Chosen>;

/// Opens dialogs and hands out what was chosen.
pub(crate) struct Picker {
    open: Option<(Wanted, Instant)>,
    answers: Receiver<Chosen>,
    answer: Sender<Chosen>,
    script: Option<Script>,
}

impl Picker {
    /// The desktop's dialogs, or a script in their place.
    pub(crate) fn new(script: Option<Script>) -> Self {
        let (answer, answers) = bounded(4);
        Self { open: None, answers, answer, script }
    }

    /// Whether a dialog is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Opens a dialog over the window, unless one is open.
    pub(crate) fn pick(&mut self, wanted: Wanted, frame: &eframe::Frame, ctx: &egui::Context) {
        if self.open.is_some() {
            return;
        }
        // A script chooses at once and is not taken for a missing dialog.
        let since = clock::now() - if self.script.is_some() { NEVER_SHOWN } else { Duration::ZERO };
        if let Some(script) = &mut self.script {
            let _ = self.answer.try_send(script(&wanted));
            ctx.request_repaint();
        } else {
            let dialog = dialog(&wanted, frame);
            let (answer, ctx) = (self.answer.clone(), ctx.clone());
            let wait = move || {
                let _ = answer.try_send(block_on(dialog));
                ctx.request_repaint();
            };
            if std::thread::Builder::new().name("gui-dialog".to_owned()).spawn(wait).is_err() {
                let _ = self.answer.try_send(None);
            }
        }
        self.open = Some((wanted, since));
    }

    /// What became of the dialog, where it has ended.
    pub(crate) fn next(&mut self) -> Option<Picked> {
        let chosen = self.answers.try_recv().ok()?;
        let (wanted, since) = self.open.take()?;
        Some(match chosen {
            Some(paths) if !paths.is_empty() => Picked::Paths(wanted, paths),
            None if since.elapsed() < NEVER_SHOWN => Picked::NoDialogs(wanted),
            _ => Picked::Nothing,
        })
    }
}

type Dialog = Pin<Box<dyn Future<Output = Chosen> + Send>>;

/// The dialog, made on the thread of the window, as macOS demands.
fn dialog(wanted: &Wanted, frame: &eframe::Frame) -> Dialog {
    let base = |title: &str| rfd::AsyncFileDialog::new().set_title(title).set_parent(frame);
    let within = |dialog: rfd::AsyncFileDialog, folder: &Path| match folder.is_absolute() {
        true => dialog.set_directory(folder),
        false => dialog,
    };
    match wanted {
        Wanted::ShareFile => {
            let picked = base("Choose a file to share").pick_file();
            Box::pin(async move { picked.await.map(|file| vec![file.path().to_path_buf()]) })
        }
        Wanted::ShareFolder => {
            let picked = base("Choose a folder to share").pick_folder();
            Box::pin(async move { picked.await.map(|file| vec![file.path().to_path_buf()]) })
        }
        Wanted::WatchFolder => {
            let picked = base("Choose a folder to watch").pick_folder();
            Box::pin(async move { picked.await.map(|file| vec![file.path().to_path_buf()]) })
        }
        Wanted::Torrent => {
            let dialog = base("Open .torrent files").add_filter("Torrents", &["torrent"]);
            let picked = dialog.add_filter("All files", &["*"]).pick_files();
            Box::pin(async move {
                picked.await.map(|files| files.iter().map(|file| file.path().to_path_buf()).collect())
            })
        }
        Wanted::SaveFolder(folder) | Wanted::DownloadFolder(folder) => {
            let picked = within(base("Choose a folder to save into"), folder).pick_folder();
            Box::pin(async move { picked.await.map(|file| vec![file.path().to_path_buf()]) })
        }
        Wanted::SaveTorrent(_, name) | Wanted::SaveEntry(_, name) => {
            let dialog = base("Save the .torrent file").add_filter("Torrents", &["torrent"]);
            let picked = dialog.set_file_name(format!("{name}.torrent")).save_file();
            Box::pin(async move { picked.await.map(|file| vec![file.path().to_path_buf()]) })
        }
        Wanted::SaveTable(name, _) => {
            let dialog = base("Save the table").add_filter("Comma-separated values", &["csv"]);
            let picked = dialog.set_file_name(name).save_file();
            Box::pin(async move { picked.await.map(|file| vec![file.path().to_path_buf()]) })
        }
    }
}

/// Waits for a future on a thread that has nothing else to do.
fn block_on(mut future: Dialog) -> Chosen {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(chosen) => return chosen,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_that_wakes_from_another_thread_is_waited_for() {
        let (sent, got) = bounded::<()>(1);
        let mut begun = false;
        let future = std::future::poll_fn(move |context| {
            if got.try_recv().is_ok() {
                return Poll::Ready(Some(vec![PathBuf::from("x")]));
            }
            if !std::mem::replace(&mut begun, true) {
                let (waker, sent) = (context.waker().clone(), sent.clone());
                let wake = move || {
                    let _ = sent.send(());
                    waker.wake();
                };
                std::thread::Builder::new().name("waker".to_owned()).spawn(wake).expect("a thread");
            }
            Poll::Pending
        });
        assert_eq!(block_on(Box::pin(future)), Some(vec![PathBuf::from("x")]));
    }
}
