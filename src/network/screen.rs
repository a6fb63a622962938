//! A screen of the thesis: the last things that happened, in sentences, and what a user wrote between them.

use std::collections::VecDeque;

use crate::api::ScreenLine;
use crate::base::Moment;
use crate::network::ScreenNews;

/// The last lines, the oldest dropped first.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    lines: VecDeque<(u64, ScreenLine)>,
    /// The number of the last line. Numbers grow, also from one run of the program to the next: they are times where a line
    /// has a millisecond to itself.
    last: u64,
    notes: bool,
}

impl Screen {
    /// Lines kept.
    const LINES: usize = 500;
    /// Characters of one line; a longer one is cut.
    const CHARS: usize = 500;

    /// Writes what happened.
    pub fn say(&mut self, now: Moment, text: impl Into<String>) {
        self.push(now, text.into(), false);
    }

    /// Writes what a user wants to have written; false where notes are not enabled or there is nothing to write.
    pub fn note(&mut self, now: Moment, text: &str) -> bool {
        let text = text.trim();
        let may = self.notes && !text.is_empty();
        if may {
            self.push(now, text.to_owned(), true);
        }
        may
    }

    /// Lets users write notes, or stops letting them.
    pub fn enable_notes(&mut self, on: bool) {
        self.notes = on;
    }

    /// Whether users may write notes.
    pub fn notes_enabled(&self) -> bool {
        self.notes
    }

    /// Forgets every line.
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// The lines, the oldest first.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &ScreenLine> {
        self.lines.iter().map(|(_, line)| line)
    }

    /// The lines that came after the one of that number, 0 for all.
    pub fn news(&self, since: u64) -> ScreenNews {
        let lines = self.lines.iter().filter(|(number, _)| *number > since).map(|(_, line)| line.clone());
        ScreenNews { upto: self.last, lines: lines.collect() }
    }

    /// Takes lines from the same screen elsewhere.
    pub fn take(&mut self, lines: Vec<ScreenLine>) {
        for line in lines {
            self.put(ScreenLine { text: plain(&line.text), ..line });
        }
    }

    fn push(&mut self, now: Moment, text: String, note: bool) {
        self.put(ScreenLine { unix_millis: now.micros() / 1_000, text: plain(&text), note });
    }

    fn put(&mut self, line: ScreenLine) {
        if self.lines.len() == Self::LINES {
            self.lines.pop_front();
        }
        self.last = line.unix_millis.max(self.last.saturating_add(1));
        self.lines.push_back((self.last, line));
    }
}

/// The text on one line, without control characters, and not too long.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(Screen::CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_go_and_notes_need_leave() {
        let mut screen = Screen::default();
        let at = Moment::from_micros(1_700_000_000_123_456);
        assert!(!screen.note(at, "hello"));
        for n in 0..Screen::LINES + 3 {
            screen.say(at, format!("line {n}"));
        }
        assert_eq!(screen.lines().len(), Screen::LINES);
        assert_eq!(screen.lines().next().expect("a line").text, "line 3");
        screen.clear();
        screen.enable_notes(true);
        assert!(screen.note(at, " two\nlines ") && !screen.note(at, "  "));
        let line = screen.lines().next().expect("the note");
        assert_eq!((line.text.as_str(), line.note, line.unix_millis), ("two lines", true, 1_700_000_000_123));
    }

    #[test]
    fn each_line_is_told_once_to_who_asks_again_and_again() {
        let (mut screen, mut copy) = (Screen::default(), Screen::default());
        let at = Moment::from_micros(1_700_000_000_000_000);
        let mut known = 0;
        for round in 0..3 {
            screen.say(at, format!("{round} one"));
            screen.say(at, format!("{round} two"));
            let news = screen.news(known);
            assert_eq!(news.lines.len(), 2);
            known = news.upto;
            copy.take(news.lines);
            assert!(screen.news(known).lines.is_empty());
        }
        assert!(copy.lines().eq(screen.lines()));
        // The program starts anew later, and what it says has larger numbers.
        let mut screen = Screen::default();
        screen.say(Moment::from_micros(1_700_000_001_000_000), "again");
        assert_eq!(screen.news(known).lines.len(), 1);
        screen.clear();
        assert!(screen.news(0).lines.is_empty());
    }

    #[test]
    fn a_line_is_bounded() {
        let mut screen = Screen::default();
        screen.say(Moment::ZERO, "é".repeat(10_000));
        assert_eq!(screen.lines().next().expect("a line").text.chars().count(), Screen::CHARS);
    }
}
