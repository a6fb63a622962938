//! Tables of what the network tells of: an entry gives a value for each column, and is drawn and sorted by it.

use std::borrow::Cow;
use std::cmp::Ordering;

use eframe::egui::Ui;

use crate::base::InfoHash;
use crate::gui::scene::Scene;
use crate::gui::widgets::format;
use crate::gui::widgets::table::{Cell, Column, Rows, Table};

/// What stands in one cell.
pub(in crate::gui::panels) enum Value<'a> {
    /// A name.
    Text(Cow<'a, str>),
    /// Something that is read second.
    Weak(Cow<'a, str>),
    /// A hash.
    Code(String),
    /// How many.
    Count(u64),
    /// Bytes.
    Size(u64),
    /// Seconds since 1970.
    When(u64),
    /// Seconds, where they are known.
    Stay(Option<f64>),
}

impl Value<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a) | Self::Weak(a), Self::Text(b) | Self::Weak(b)) => {
                a.to_lowercase().cmp(&b.to_lowercase())
            }
            (Self::Code(a), Self::Code(b)) => a.cmp(b),
            (Self::Count(a), Self::Count(b))
            | (Self::Size(a), Self::Size(b))
            | (Self::When(a), Self::When(b)) => a.cmp(b),
            (Self::Stay(a), Self::Stay(b)) => a.unwrap_or(-1.0).total_cmp(&b.unwrap_or(-1.0)),
            // A column holds values of one kind.
            _ => Ordering::Equal,
        }
    }

    fn draw(&self, cell: &mut Cell<'_>, now: u64) {
        match self {
            Self::Text(text) => cell.text(text),
            Self::Weak(text) => cell.weak(text),
            Self::Code(text) => cell.mono(text),
            Self::Count(count) => cell.text(&format::grouped(*count)),
            Self::Size(bytes) => cell.text(&format::size(*bytes)),
            Self::When(unix) => cell.weak(&format::ago(*unix, now)),
            Self::Stay(Some(secs)) => cell.text(&format::span(secs.max(0.0).round() as u64)),
            Self::Stay(None) => cell.weak("–"),
        }
    }
}

/// One row of a listing.
pub(in crate::gui::panels) trait Entry {
    /// What stays the same about it when the order changes.
    fn key(&self) -> u64;
    /// What it says, for those who do not see it; `now` in seconds since 1970.
    fn sentence(&self, now: u64) -> String;
    /// What stands in a column.
    fn value(&self, column: &'static str) -> Value<'_>;
}

/// The first bytes of an info-hash, which differ for different torrents.
pub(in crate::gui::panels) fn hash_key(torrent: InfoHash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = torrent.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// A listing about to be drawn.
pub(in crate::gui::panels) struct Listing<'a> {
    /// What its place in the window and its layout go by.
    pub name: &'static str,
    /// What it is read out by.
    pub label: &'a str,
    /// Its columns.
    pub columns: &'static [Column],
    /// The key of the chosen entry.
    pub chosen: Option<u64>,
    /// Seconds since 1970.
    pub now: u64,
}

impl Listing<'_> {
    /// Draws it into all the room there is; says which entry was clicked, and which was clicked twice.
    pub(in crate::gui::panels) fn show<'e, E: Entry>(
        self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        mut entries: Vec<&'e E>,
    ) -> (Option<&'e E>, Option<&'e E>) {
        let mut layout = scene.take_layout(self.name);
        if let Some(column) = self.columns.iter().find(|column| column.key == layout.sort.key) {
            entries.sort_by(|one, other| one.value(column.key).compare(&other.value(column.key)));
            if layout.sort.descending {
                entries.reverse();
            }
        }
        let mut rows = Listed { entries: &entries, chosen: self.chosen, now: self.now };
        let done = Table::new(self.name, self.label, self.columns, &mut layout).show(ui, &mut rows);
        scene.put_layout(self.name, layout);
        let at = |row: usize| entries.get(row).copied();
        (done.clicked.and_then(|(row, _)| at(row)), done.opened.and_then(at))
    }
}

struct Listed<'a, 'e, E> {
    entries: &'a [&'e E],
    chosen: Option<u64>,
    now: u64,
}

impl<E: Entry> Rows for Listed<'_, '_, E> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn key(&self, row: usize) -> u64 {
        self.entries[row].key()
    }

    fn sentence(&self, row: usize) -> String {
        self.entries[row].sentence(self.now)
    }

    fn chosen(&self, row: usize) -> bool {
        self.chosen == Some(self.entries[row].key())
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        self.entries[row].value(column).draw(cell, self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_ordered_as_people_read_them() {
        let text = |text: &'static str| Value::Text(text.into());
        assert_eq!(text("anna").compare(&text("Bert")), Ordering::Less);
        assert_eq!(Value::Count(10).compare(&Value::Count(9)), Ordering::Greater);
        assert_eq!(Value::Stay(None).compare(&Value::Stay(Some(0.0))), Ordering::Less);
    }

    #[test]
    fn keys_of_torrents_come_from_their_hashes() {
        let mut hash = [0; 20];
        (hash[0], hash[7], hash[8]) = (1, 2, 9);
        assert_eq!(hash_key(InfoHash(hash)), (1 << 56) | 2);
    }
}
