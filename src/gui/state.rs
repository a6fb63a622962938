//! What the window remembers of itself between two runs: tables, panels, size. The file has a version of its own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::gui::panels::Panel;
use crate::gui::widgets::table::Layout;

/// The version of the file; another one is left alone and its content not used.
const VERSION: u32 = 1;
const FILE: &str = "window.json";

/// How the window stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WindowState {
    version: u32,
    /// The panel in the main window.
    pub panel: Panel,
    /// Panels with a window of their own.
    pub own_windows: Vec<Panel>,
    /// Columns and sorting of each table, by its name.
    pub tables: BTreeMap<String, Layout>,
    /// Whether a torrent's details are shown below the list.
    pub details: bool,
    /// Whether the controls of the network are shown below the list.
    pub controls: bool,
    /// Points of the inside of each panel's own window.
    pub own_sizes: BTreeMap<Panel, (f32, f32)>,
    /// The chosen tab of the details, by its number.
    pub tab: usize,
    /// Points of the window's inside.
    pub size: Option<(f32, f32)>,
    /// Whether it filled the screen.
    pub maximized: bool,
    /// Folders saved into lately, newest first.
    pub folders: Vec<PathBuf>,
}

impl Default for WindowState {
    fn default() -> Self {
        Self {
            version: VERSION,
            panel: Panel::default(),
            own_windows: Vec::new(),
            tables: BTreeMap::new(),
            details: true,
            controls: false,
            own_sizes: BTreeMap::new(),
            tab: 0,
            size: None,
            maximized: false,
            folders: Vec::new(),
        }
    }
}

impl WindowState {
    /// Reads the file of a folder; a first run, a damaged file and another version begin anew.
    pub(crate) fn read(folder: Option<&Path>) -> Self {
        folder
            .and_then(|folder| std::fs::read(folder.join(FILE)).ok())
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .filter(|state| state.version == VERSION)
            .unwrap_or_default()
    }

    /// Writes the file so that it is always either the old or the new one.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.as_file().sync_all()?;
        file.persist(folder.join(FILE))?;
        Ok(())
    }

    /// Notes a folder that was saved into.
    pub(crate) fn saved_into(&mut self, folder: &Path) {
        const KEPT: usize = 8;
        self.folders.retain(|known| known != folder);
        self.folders.insert(0, folder.to_path_buf());
        self.folders.truncate(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut state =
            WindowState { details: false, controls: true, panel: Panel::Log, ..WindowState::default() };
        state.own_windows = vec![Panel::Peer, Panel::Index];
        state.own_sizes = BTreeMap::from([(Panel::Peer, (640.0, 480.0))]);
        state.saved_into(Path::new("/a"));
        state.saved_into(Path::new("/b"));
        state.saved_into(Path::new("/a"));
        state.write(folder.path()).expect("a writable folder");
        let read = WindowState::read(Some(folder.path()));
        assert_eq!(read, state);
        assert_eq!(read.folders, [PathBuf::from("/a"), PathBuf::from("/b")]);
    }

    #[test]
    fn a_damaged_or_foreign_file_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        for text in ["", "{", "{\"version\": 99}", "[1]"] {
            std::fs::write(folder.path().join(FILE), text).expect("a writable folder");
            assert_eq!(WindowState::read(Some(folder.path())), WindowState::default());
        }
        assert_eq!(WindowState::read(None), WindowState::default());
    }
}
