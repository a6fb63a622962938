//! What a user may choose of limits, queue and goals, for one torrent, for a label or for all.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Limits;

/// When a torrent has given enough and is paused; whichever comes first. What is absent is no goal.
///
/// One that is resumed after that goes on until it is given another goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Goals {
    /// Bytes sent per bytes received, or per size for what was shared from here.
    pub ratio: Option<f32>,
    /// Seconds of seeding.
    pub seed_secs: Option<u64>,
    /// Seconds of seeding in which nobody took anything.
    pub idle_secs: Option<u64>,
}

impl Goals {
    /// These goals, and where one is absent, that of `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            ratio: self.ratio.or(other.ratio),
            seed_secs: self.seed_secs.or(other.seed_secs),
            idle_secs: self.idle_secs.or(other.idle_secs),
        }
    }
}

/// How many torrents are active at once; the others wait for their turn, in the order of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// Downloads; nothing means no limit.
    pub downloads: Option<u32>,
    /// Seeds; nothing means no limit.
    pub seeds: Option<u32>,
}

/// Where a torrent goes in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// Before all others.
    First,
    /// Before the one in front of it.
    Sooner,
    /// After the one behind it.
    Later,
    /// After all others.
    Last,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    /// All of them, from Monday on.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The day that it was so many seconds after 1970 began.
    pub fn at(unix_secs: i64) -> Self {
        // That was a Thursday.
        let number = (unix_secs.div_euclid(24 * 60 * 60) + 3).rem_euclid(7);
        Self::ALL[number as usize]
    }

    /// The day before.
    #[must_use]
    pub fn before(self) -> Self {
        Self::ALL[(self as usize + 6) % 7]
    }
}

/// Other limits over all torrents, by hand or at some hours of some days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alternative {
    /// Whether they hold now, whatever the hour.
    pub on: bool,
    /// Bytes per second received.
    pub down: Option<u64>,
    /// Bytes per second sent.
    pub up: Option<u64>,
    /// The minute of the day, local time, from which they hold; after `until` where they hold over midnight.
    pub from: Option<u16>,
    /// The minute of the day at which they end.
    pub until: Option<u16>,
    /// The days on which they begin; every day where there is none.
    pub days: Vec<Day>,
}

/// A folder whose .torrent and .magnet files are added by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// The folder.
    pub folder: PathBuf,
    /// Where what is added is saved; the settings' download folder where it is absent.
    pub target: Option<PathBuf>,
    /// The label of what is added; none where it is empty.
    pub label: String,
    /// Whether what is added waits for a resume.
    pub paused: bool,
    /// The folder that files go to once they are added; where it is absent they get the ending `.added`.
    pub move_to: Option<PathBuf>,
    /// Whether files stay as they are instead, and a torrent is taken off the list, with its data left alone, when its file is
    /// removed while the session runs.
    pub removal_stops: bool,
}

/// When the web page is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebPage {
    /// Never.
    Off,
    /// Where the session runs without a window.
    #[default]
    Unattended,
    /// Beside the window, too.
    Always,
}

/// The web page of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// When it is there.
    pub page: WebPage,
    /// Where it answers; this computer alone, at [`Web::PORT`], where it is absent. The next free port is taken where that is in use.
    pub listen: Option<SocketAddr>,
    /// Names by which a browser may ask for it besides `localhost` and addresses. Others are refused: whoever owns a name may
    /// have it lead here.
    pub names: Vec<String>,
    /// Folders that may be saved into by it, with all below them, besides those of the other settings, where other computers
    /// reach it.
    pub folders: Vec<PathBuf>,
}

impl Web {
    /// The usual port.
    pub const PORT: u16 = 7380;

    /// Whether it is there, beside a window or without one.
    pub fn is_there(&self, unattended: bool) -> bool {
        match self.page {
            WebPage::Off => false,
            WebPage::Unattended => unattended,
            WebPage::Always => true,
        }
    }

    /// Whether other computers may reach it.
    pub fn is_open(&self) -> bool {
        self.listen.is_some_and(|listen| !listen.ip().to_canonical().is_loopback())
    }
}

/// Minutes of a day.
pub(super) const DAY: u16 = 24 * 60;

impl Alternative {
    /// Whether the hours of the day decide.
    pub fn is_scheduled(&self) -> bool {
        self.from.is_some() && self.until.is_some()
    }

    /// Whether they hold on this day at this minute of it.
    pub fn holds(&self, day: Day, minute: u16) -> bool {
        let begins = |day: Day| self.days.is_empty() || self.days.contains(&day);
        let within = match (self.from, self.until) {
            (Some(from), Some(until)) if from <= until => (from..until).contains(&minute) && begins(day),
            (Some(from), Some(until)) => {
                (minute >= from && begins(day)) || (minute < until && begins(day.before()))
            }
            _ => false,
        };
        self.on || within
    }

    /// The limits themselves.
    pub fn limits(&self) -> Limits {
        Limits { down: self.down, up: self.up }
    }
}

/// What holds for the torrents with a label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Label {
    /// The label.
    pub name: String,
    /// Bytes per second received by all of them together.
    pub down: Option<u64>,
    /// Bytes per second sent by all of them together.
    pub up: Option<u64>,
    /// When each of them has given enough, where it has no goals of its own.
    pub goals: Goals,
    /// Where their files move when they are complete; as the settings say where it is absent.
    pub done_folder: Option<PathBuf>,
}

impl Label {
    /// Its limits.
    pub fn limits(&self) -> Limits {
        Limits { down: self.down, up: self.up }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_reach_over_midnight() {
        let night = Alternative { from: Some(22 * 60), until: Some(6 * 60), ..Alternative::default() };
        let holds: Vec<bool> =
            [0, 359, 360, 1_319, 1_320].map(|minute| night.holds(Day::Monday, minute)).into();
        assert_eq!(holds, [true, true, false, false, true]);
        let day = Alternative { from: Some(60), until: Some(120), ..Alternative::default() };
        let holds = |of: &Alternative, minute| of.holds(Day::Monday, minute);
        assert!(holds(&day, 60) && !holds(&day, 120) && !holds(&day, 59));
        assert!(holds(&Alternative { on: true, ..Alternative::default() }, 5));
        assert!(!holds(&Alternative { from: Some(5), ..Alternative::default() }, 6));
    }

    #[test]
    fn days_are_those_on_which_they_begin() {
        let days = vec![Day::Friday, Day::Saturday];
        let nights = Alternative { from: Some(22 * 60), until: Some(6 * 60), days, ..Alternative::default() };
        let holds = |minute| Day::ALL.map(|day| nights.holds(day, minute));
        assert_eq!(holds(23 * 60), [false, false, false, false, true, true, false]);
        assert_eq!(holds(60), [false, false, false, false, false, true, true]);
        assert_eq!(holds(12 * 60), [false; 7]);
        // The first day of 1970, the one before it, and one of which the day is known.
        assert_eq!([0, -1, 1_795_280_000].map(Day::at), [Day::Thursday, Day::Wednesday, Day::Saturday]);
    }

    #[test]
    fn a_torrents_own_goals_come_first() {
        let all = Goals { ratio: Some(2.0), seed_secs: Some(60), idle_secs: None };
        let own = Goals { ratio: Some(1.0), ..Goals::default() };
        assert_eq!(own.or(all), Goals { ratio: Some(1.0), seed_secs: Some(60), idle_secs: None });
    }
}
