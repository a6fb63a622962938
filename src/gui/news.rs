//! What was heard from the session: the log, and rates over time.

use std::collections::VecDeque;

use crate::api::{Level, LogLine, View};
use crate::base::InfoHash;
use crate::gui::widgets::graph::Samples;

/// Lines kept of the log.
const LINES: usize = 5_000;
/// Torrents whose rates are kept.
const FOLLOWED: usize = 8;

/// The last lines of the log.
#[derive(Default)]
pub(crate) struct LogBook {
    lines: VecDeque<LogLine>,
    /// Rises with each change, so that what is computed from the lines is computed once.
    generation: u64,
}

impl LogBook {
    /// Adds a line.
    pub(crate) fn push(&mut self, line: LogLine) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
        self.generation += 1;
    }

    /// Notes what the window itself told the user.
    pub(crate) fn note(&mut self, unix_millis: u64, level: Level, text: &str) {
        self.push(LogLine { unix_millis, level, room: "window".to_owned(), text: text.to_owned() });
    }

    /// Forgets every line.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.generation += 1;
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> &VecDeque<LogLine> {
        &self.lines
    }

    /// Changes with the lines.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

/// Rates of the session and of torrents looked at lately.
#[derive(Default)]
pub(crate) struct Rates {
    /// Of all torrents together.
    pub total: Samples,
    followed: Vec<(InfoHash, Samples)>,
}

impl Rates {
    /// Keeps the rates of a torrent from now on, in place of one looked at longest ago.
    pub(crate) fn follow(&mut self, torrent: InfoHash) {
        match self.followed.iter().position(|(known, _)| *known == torrent) {
            Some(at) => {
                let entry = self.followed.remove(at);
                self.followed.push(entry);
            }
            None => self.followed.push((torrent, Samples::default())),
        }
        if self.followed.len() > FOLLOWED {
            self.followed.remove(0);
        }
    }

    /// The rates of a torrent that is followed.
    pub(crate) fn of(&self, torrent: InfoHash) -> Option<&Samples> {
        self.followed.iter().find(|(known, _)| *known == torrent).map(|(_, samples)| samples)
    }

    /// Takes the rates of a new view.
    pub(crate) fn sample(&mut self, view: &View) {
        self.total.push(view.unix_millis, view.totals.down_rate, view.totals.up_rate);
        for (torrent, samples) in &mut self.followed {
            if let Some(row) = view.torrents.iter().find(|row| row.info_hash == *torrent) {
                samples.push(view.unix_millis, row.down_rate, row.up_rate);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_and_the_followed_are_bounded() {
        let mut log = LogBook::default();
        for number in 0..LINES as u64 + 10 {
            log.note(number, Level::Info, "x");
        }
        assert_eq!((log.lines().len(), log.lines()[0].unix_millis), (LINES, 10));
        let mut rates = Rates::default();
        for number in 0..20 {
            rates.follow(InfoHash([number; 20]));
        }
        assert_eq!(rates.followed.len(), FOLLOWED);
        assert!(rates.of(InfoHash([19; 20])).is_some() && rates.of(InfoHash([0; 20])).is_none());
    }
}
