//! What the outside sees of a session: commands go in, events and snapshots come out, all of it plain serialisable data.
//!
//! - `choices`: [`Goals`], [`Queue`] and other limits, for one torrent, a label or all
//! - `command`: [`Command`], everything a user or a script may ask for
//! - `event`: [`Event`], what happened, once each
//! - `view`: [`View`], an immutable picture of everything, published a few times a second
//! - `stats`: [`Stats`], what is known of a torrent, all of it or chosen fields
//! - `settings`: [`Settings`], what a user may choose; one documented TOML file
//! - `network`: the registers, index and statistics of the network this session hosts or has joined
//! - `network_command`: [`NetworkCommand`], what can be asked of that network
//! - `lab`: [`LabPlan`], an experiment to be run, and [`LabResult`], what came out
//! - `handle`: [`Handle`], the two channels and the current view; names no runtime, so that a remote one can stand in

mod choices;
mod command;
mod event;
mod handle;
mod lab;
mod network;
mod network_command;
mod settings;
mod stats;
mod view;

pub use choices::{Alternative, Day, Goals, Label, Queue, Turn, Watch, Web, WebPage};
pub use command::{AddOptions, Command, FilePriority, Share, Source};
pub use event::{Event, Level, LogLine, Preview, PreviewFile, RequestId};
pub use handle::{Answer, Backend, Handle, SessionGone, Waker, pair};
pub use lab::{Experiment, LabError, LabPlan, LabPoint, LabProgress, LabResult, LabRunner, LabWatch};
pub use network::{
    Announcing, COORDINATOR_PORT, Flow, IndexEntry, NetworkRules, NetworkStatistics, NetworkView,
    PartStatistics, RegisteredTracker, RegisteredUser, Registers, ScreenLine, ScreenView, SeedTime,
    StatisticsPoint, TrackerSwarm, UserStatistics,
};
pub use network_command::{NetworkCommand, Part, Question};
pub use settings::{Limits, Settings, SettingsError, Theme};
pub use stats::{Field, Stats, Value};
pub use view::{
    Detail, FileRow, HostedSwarm, HostedTracker, JobKind, JobRow, PeerRow, Reachable, State, TorrentRow,
    Totals, TrackerRow, TrackerState, View,
};
