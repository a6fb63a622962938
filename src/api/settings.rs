//! What a user may choose, kept in one TOML file: every key has a default, and an unknown key is refused by name.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::choices::DAY;
use crate::api::{Alternative, Goals, Label, Queue, Watch, Web};

/// Labels with limits of their own.
const LABELS: usize = 1_000;
/// Watched folders.
const WATCHED: usize = 100;
/// Names of this computer, and bytes of one.
const NAMES: usize = 100;
const NAME_BYTES: usize = 253;

/// Rate limits in bytes per second; nothing means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes per second received.
    pub down: Option<u64>,
    /// Bytes per second sent.
    pub up: Option<u64>,
}

/// The colours of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the desktop has it.
    #[default]
    System,
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

/// Everything a user may choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where downloads are saved unless told otherwise.
    pub download_folder: PathBuf,
    /// Where downloads stand until they are complete (the thesis's temporal folder); nothing where they are made in place.
    pub incomplete_folder: Option<PathBuf>,
    /// The port that peers connect to, TCP; 0 lets the system choose. The next free one is taken where it is in use.
    pub port: u16,
    /// The address to listen on and to connect from; every address where it is absent.
    pub bind: Option<IpAddr>,
    /// Rate limits over all torrents.
    pub limits: Limits,
    /// Other rate limits, by hand or at some hours.
    pub alternative: Alternative,
    /// Limits and goals of labels.
    pub labels: Vec<Label>,
    /// Where a download's files move when it is complete; nothing where they stay.
    pub done_folder: Option<PathBuf>,
    /// A program to be run when a download is complete, and its arguments; nothing where it is empty. `{name}`, `{path}`,
    /// `{folder}`, `{label}` and `{hash}`, each an argument of its own, stand for those of the torrent.
    pub run_when_done: Vec<String>,
    /// Whether the desktop says when a download is complete.
    pub notify: bool,
    /// Folders whose .torrent and .magnet files are added by themselves.
    pub watch: Vec<Watch>,
    /// How many torrents are active at once.
    pub queue: Queue,
    /// When torrents have given enough.
    pub goals: Goals,
    /// Connections in all (the thesis's Max_N for the machine).
    pub max_connections: u32,
    /// Connections of one torrent (the thesis's Max_N).
    pub max_connections_per_torrent: u32,
    /// Whether the tracker in this program runs.
    pub tracker: bool,
    /// The port of the tracker in this program, HTTP on TCP and UDP; 0 lets the system choose.
    pub tracker_port: u16,
    /// How many trackers run in this program, each after the first at the next free port, 1 to
    /// [`MOST_TRACKERS`](Self::MOST_TRACKERS).
    pub trackers: u32,
    /// Whether the tracker answers other machines of the local network; loopback alone otherwise.
    pub tracker_on_network: bool,
    /// What this computer's user is called in a network; the name of the computer's user where it is empty.
    pub user_name: String,
    /// Whether this program hosts a network of its own where it has joined no other.
    pub coordinator: bool,
    /// Where the coordinator in this program listens; loopback alone, at any port, where it is absent.
    pub coordinator_listen: Option<SocketAddr>,
    /// The link to the network that was joined; the secret in it lets everyone in who has it.
    pub join_link: Option<String>,
    /// The web page.
    pub web: Web,
    /// The colours of the window.
    pub theme: Theme,
    /// The size of everything in the window, 1 for normal.
    pub zoom: f32,
    /// Whether quitting while others download from here is confirmed first.
    pub confirm_quit: bool,
}

impl Settings {
    /// The folder beside finished downloads in which the app keeps what is not complete yet (the thesis's Temporal).
    pub const TEMPORAL: &str = "Temporal";
    /// Trackers that run in one program.
    pub const MOST_TRACKERS: u32 = 8;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            download_folder: PathBuf::new(),
            incomplete_folder: None,
            port: 6881,
            bind: None,
            limits: Limits::default(),
            alternative: Alternative::default(),
            labels: Vec::new(),
            done_folder: None,
            run_when_done: Vec::new(),
            notify: true,
            watch: Vec::new(),
            queue: Queue::default(),
            goals: Goals::default(),
            max_connections: 500,
            max_connections_per_torrent: 100,
            tracker: true,
            tracker_port: 6969,
            trackers: 1,
            tracker_on_network: true,
            user_name: String::new(),
            coordinator: true,
            coordinator_listen: None,
            join_link: None,
            web: Web::default(),
            theme: Theme::System,
            zoom: 1.0,
            confirm_quit: true,
        }
    }
}

/// A settings file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is not TOML, has a value of the wrong kind, or an unknown key.
    #[error("the settings cannot be read: {0}")]
    Syntax(String),
    /// A value is out of its range.
    #[error("{key} {why}")]
    Range {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        why: &'static str,
    },
}

impl Settings {
    /// Reads the TOML form.
    ///
    /// # Errors
    /// Where it is not TOML, a key is unknown, or a value is out of range.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        let settings: Self =
            toml::from_str(text).map_err(|error| SettingsError::Syntax(error.to_string()))?;
        settings.check()?;
        Ok(settings)
    }

    /// The TOML form.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Whether every value is in its range.
    ///
    /// # Errors
    /// Names the first key that is not.
    pub fn check(&self) -> Result<(), SettingsError> {
        let range = |key, why| Err(SettingsError::Range { key, why });
        if self.max_connections == 0 {
            return range("max_connections", "must be at least 1");
        }
        if self.max_connections_per_torrent == 0 {
            return range("max_connections_per_torrent", "must be at least 1");
        }
        if !(1..=Self::MOST_TRACKERS).contains(&self.trackers) {
            return range("trackers", "must lie between 1 and 8");
        }
        if !(0.5..=3.0).contains(&self.zoom) {
            return range("zoom", "must lie between 0.5 and 3");
        }
        if self.limits.down == Some(0) || self.limits.up == Some(0) {
            return range("limits", "must be more than 0; leave a limit out to have none");
        }
        if self.alternative.down == Some(0) || self.alternative.up == Some(0) {
            return range("alternative", "must be more than 0; leave a limit out to have none");
        }
        let late = |minute: Option<u16>| minute.is_some_and(|minute| minute >= DAY);
        if late(self.alternative.from) || late(self.alternative.until) {
            return range("alternative", "counts minutes from midnight, below 1440");
        }
        self.check_watched()?;
        self.check_web()?;
        let relative = |path: &Option<PathBuf>| path.as_ref().is_some_and(|path| !path.is_absolute());
        if relative(&self.incomplete_folder) {
            return range("incomplete_folder", "must be a whole path, such as /home/me/Temporal");
        }
        if relative(&self.done_folder) || self.labels.iter().any(|label| relative(&label.done_folder)) {
            return range("done_folder", "must be a whole path, such as /home/me/Done");
        }
        if self.run_when_done.first().is_some_and(String::is_empty) {
            return range("run_when_done", "must begin with a program");
        }
        let wild = |goals: &Goals| goals.ratio.is_some_and(|ratio| !ratio.is_finite() || ratio < 0.0);
        if wild(&self.goals) || self.labels.iter().any(|label| wild(&label.goals)) {
            return range("goals", "must have a ratio that is not below 0");
        }
        if self.labels.len() > LABELS {
            return range("labels", "must be at most 1000");
        }
        let mut names = BTreeSet::new();
        if !self.labels.iter().all(|label| !label.name.is_empty() && names.insert(&label.name)) {
            return range("labels", "must each have a name of its own");
        }
        if self.labels.iter().any(|label| label.down == Some(0) || label.up == Some(0)) {
            return range("labels", "must have limits of more than 0; leave a limit out to have none");
        }
        Ok(())
    }

    fn check_watched(&self) -> Result<(), SettingsError> {
        let range = |why| Err(SettingsError::Range { key: "watch", why });
        let relative = |path: &Option<PathBuf>| path.as_ref().is_some_and(|path| !path.is_absolute());
        let mut folders = BTreeSet::new();
        for watch in &self.watch {
            if !watch.folder.is_absolute() || relative(&watch.target) || relative(&watch.move_to) {
                return range("must have whole paths, such as /home/me/new");
            }
            if !folders.insert(&watch.folder) {
                return range("must have each folder once");
            }
            if watch.move_to.as_ref() == Some(&watch.folder) {
                return range("must have another folder in move_to than the one that is watched");
            }
            if watch.move_to.is_some() && watch.removal_stops {
                return range("can have only one of move_to and removal_stops");
            }
        }
        if self.watch.len() > WATCHED { range("must be at most 100 folders") } else { Ok(()) }
    }

    fn check_web(&self) -> Result<(), SettingsError> {
        let range = |why| Err(SettingsError::Range { key: "web", why });
        let is_name = |name: &String| {
            (1..=NAME_BYTES).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        if self.web.names.len() > NAMES || !self.web.names.iter().all(is_name) {
            return range("must have names of computers, such as nas.local, at most 100");
        }
        if self.web.folders.len() > WATCHED || !self.web.folders.iter().all(|folder| folder.is_absolute()) {
            return range("must have whole paths, such as /home/me/Films, at most 100");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_their_file() {
        let settings = Settings { limits: Limits { down: None, up: Some(5) }, ..Settings::default() };
        assert_eq!(Settings::from_toml(&settings.to_toml()), Ok(settings));
        assert_eq!(Settings::from_toml(""), Ok(Settings::default()));
    }

    #[test]
    fn unknown_keys_and_wild_values_are_refused_by_name() {
        let error = Settings::from_toml("portt = 5").expect_err("unknown key").to_string();
        assert!(error.contains("portt"), "{error}");
        let error = Settings::from_toml("max_connections = 0").expect_err("out of range").to_string();
        assert_eq!(error, "max_connections must be at least 1");
        assert!(Settings::from_toml("zoom = nan").is_err());
        for (web, fine) in [
            ("page = \"always\"\nlisten = \"192.0.2.10:7380\"\nnames = [\"nas.local\"]", true),
            ("page = \"sometimes\"", false),
            ("names = [\"nas.local:80\"]", false),
            ("names = [\"\"]", false),
            ("folders = [\"here\"]", false),
        ] {
            assert_eq!(Settings::from_toml(&format!("[web]\n{web}")).is_ok(), fine, "{web}");
        }
    }
}
