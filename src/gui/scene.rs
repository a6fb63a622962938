//! What every panel is given in a frame, and what it may ask for.

use std::path::PathBuf;
use std::sync::Arc;

use crate::api::{Command, Handle, Settings, Source, View};
use crate::base::InfoHash;
use crate::gui::errand::Errand;
use crate::gui::news::{LogBook, Rates};
use crate::gui::panels::Panel;
use crate::gui::pick::Wanted;
use crate::gui::state::WindowState;
use crate::gui::widgets::table::Layout;

/// Something to be done once the frame is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// A command for the session.
    Send(Command),
    /// The card for sharing, with a path where there is one, or with a file dialog over it.
    Upload(Option<PathBuf>),
    /// The card for downloading, with something to download where there is one, or with a file dialog over it.
    Download(Option<Source>),
    /// The link of a torrent, with its QR code.
    Link(InfoHash),
    /// The question whether to remove torrents.
    AskRemove(Vec<InfoHash>),
    /// The question whether to take a torrent, with its name, out of the network's index.
    AskUnlist(InfoHash, String),
    /// A file dialog.
    Pick(Wanted),
    /// Text to the clipboard, and what it is called.
    Copy(String, &'static str),
    /// A file or folder in the desktop's file manager.
    Open(PathBuf),
    /// Another panel.
    Show(Panel),
    /// A panel in a window of its own, or back in this one.
    OwnWindow(Panel, bool),
    /// A torrent chosen in the list.
    Choose(InfoHash),
    /// Changed settings.
    Settings(Box<Settings>),
    /// Something to look at on the disk.
    Errand(Errand),
}

impl Action {
    /// Whether a dialog opens for it.
    pub(crate) const fn opens_dialog(&self) -> bool {
        use Action::{AskRemove, AskUnlist, Download, Link, Upload};
        matches!(self, AskRemove(_) | AskUnlist(..) | Download(_) | Link(_) | Upload(_))
    }
}

/// What a panel sees, and where it puts what it asks for.
pub(crate) struct Scene<'a> {
    /// The way to the session, for the numbers of requests; commands go through `actions`.
    pub handle: &'a Handle,
    /// The session as it stands.
    pub view: &'a Arc<View>,
    /// How the window stands.
    pub state: &'a mut WindowState,
    /// What was said.
    pub log: &'a mut LogBook,
    /// Rates that were seen.
    pub rates: &'a Rates,
    /// Whether a file dialog is open.
    pub picking: bool,
    /// Whether files can be dropped here.
    pub drops: bool,
    /// What was asked for in this frame.
    pub actions: &'a mut Vec<Action>,
}

/// Why nothing can be uploaded or downloaded now; absent where it can.
pub(crate) fn unavailable(view: &View) -> Option<&'static str> {
    let disconnected = view.network.as_ref().is_some_and(|network| network.disconnected);
    disconnected.then_some("You are disconnected from the network. Connect to upload and download.")
}

impl Scene<'_> {
    /// Why nothing can be uploaded or downloaded now; absent where it can.
    pub(crate) fn unavailable(&self) -> Option<&'static str> {
        unavailable(self.view)
    }

    /// Asks for something.
    pub(crate) fn ask(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Asks the session for something.
    pub(crate) fn send(&mut self, command: Command) {
        self.ask(Action::Send(command));
    }

    /// Takes the layout of a table out, to be put back after drawing.
    pub(crate) fn take_layout(&mut self, name: &str) -> Layout {
        self.state.tables.remove(name).unwrap_or_default()
    }

    /// Puts the layout of a table back.
    pub(crate) fn put_layout(&mut self, name: &str, layout: Layout) {
        self.state.tables.insert(name.to_owned(), layout);
    }
}
