//! Which columns stand where, how wide, and what is sorted by: kept from one run to the next.

use serde::{Deserialize, Serialize};

/// Between a cell's edge and its content.
pub(super) const PADDING: f32 = 8.0;

/// A column that a table can have.
pub(crate) struct Column {
    /// What it goes by in files and code.
    pub key: &'static str,
    /// What stands above it.
    pub title: &'static str,
    /// What the title means, in a tip.
    pub tip: &'static str,
    /// Its width at first.
    pub width: f32,
    /// Whether it is narrowed and widened to fit the window.
    pub grows: bool,
    /// Whether its content stands at its right edge, as numbers do.
    pub right: bool,
    /// Whether it is shown at first.
    pub shown: bool,
    /// Whether a table can be sorted by it.
    pub sorts: bool,
}

impl Column {
    /// A column of text.
    pub(crate) const fn text(key: &'static str, title: &'static str, width: f32) -> Self {
        Self { key, title, tip: "", width, grows: false, right: false, shown: true, sorts: true }
    }

    /// A column of numbers.
    pub(crate) const fn number(key: &'static str, title: &'static str, width: f32) -> Self {
        Self { right: true, ..Self::text(key, title, width) }
    }

    /// With the room that the others leave.
    pub(crate) const fn growing(self) -> Self {
        Self { grows: true, ..self }
    }

    /// Hidden until asked for.
    pub(crate) const fn hidden(self) -> Self {
        Self { shown: false, ..self }
    }

    /// Without sorting.
    pub(crate) const fn unsorted(self) -> Self {
        Self { sorts: false, ..self }
    }

    /// With a tip.
    pub(crate) const fn tip(self, tip: &'static str) -> Self {
        Self { tip, ..self }
    }

    /// The least that shows anything.
    pub(super) const fn least(&self) -> f32 {
        if self.grows { 140.0 } else { 44.0 }
    }
}

/// One column as the user has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    key: String,
    width: f32,
    shown: bool,
}

/// What a table is sorted by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sort {
    /// A column's key; nothing keeps the order of the rows themselves.
    pub key: String,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// The columns of a table as the user has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Layout {
    entries: Vec<Entry>,
    /// What it is sorted by.
    pub sort: Sort,
}

/// Where a column stands in this frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Its number among all columns of the table.
    pub column: usize,
    /// From the table's left edge.
    pub left: f32,
    /// Its width in this frame.
    pub width: f32,
}

impl Layout {
    /// Forgets columns that are no more, and adds new ones at the end.
    pub(crate) fn fit(&mut self, columns: &[Column]) {
        self.entries.retain(|entry| columns.iter().any(|column| column.key == entry.key));
        for column in columns {
            if !self.entries.iter().any(|entry| entry.key == column.key) {
                let key = column.key.to_owned();
                self.entries.push(Entry { key, width: column.width, shown: column.shown });
            }
        }
        for entry in &mut self.entries {
            if !entry.width.is_finite() {
                entry.width = 100.0;
            }
        }
        if !columns.iter().any(|column| column.key == self.sort.key) {
            self.sort = Sort::default();
        }
    }

    /// Back to how it was made.
    pub(crate) fn reset(&mut self, columns: &[Column]) {
        *self = Self::default();
        self.fit(columns);
    }

    /// Whether a column is shown.
    pub(crate) fn shows(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && entry.shown)
    }

    /// Shows or hides a column; the last one stays.
    pub(crate) fn show(&mut self, key: &str, shown: bool) {
        let others = self.entries.iter().filter(|entry| entry.shown && entry.key != key).count();
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key)
            && (shown || others > 0)
        {
            entry.shown = shown;
        }
    }

    /// Sorts by a column; by the same again, the other way round.
    pub(crate) fn sort_by(&mut self, column: &Column) {
        if self.sort.key == column.key {
            self.sort.descending = !self.sort.descending;
        } else {
            // Of numbers, the greatest are usually looked for.
            self.sort = Sort { key: column.key.to_owned(), descending: column.right };
        }
    }

    /// Moves a column to where another one stands.
    pub(super) fn move_to(&mut self, key: &str, target: &str) {
        let at = |entries: &[Entry], key: &str| entries.iter().position(|entry| entry.key == key);
        if let (Some(from), Some(to)) = (at(&self.entries, key), at(&self.entries, target)) {
            let entry = self.entries.remove(from);
            self.entries.insert(to, entry);
        }
    }

    /// Sets a width.
    pub(super) fn widen(&mut self, key: &str, width: f32) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            entry.width = width;
        }
    }

    /// Where the shown columns stand in a width; the growing ones take what is left.
    pub(super) fn places(&self, columns: &[Column], room: f32) -> Vec<Place> {
        let shown: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.shown)
            .filter_map(|entry| {
                Some((columns.iter().position(|column| column.key == entry.key)?, entry.width))
            })
            .collect();
        let growing = shown.iter().filter(|(column, _)| columns[*column].grows).count().max(1) as f32;
        let spare =
            room - shown.iter().map(|(column, width)| width.max(columns[*column].least())).sum::<f32>();
        let mut left = 0.0;
        shown
            .into_iter()
            .map(|(column, width)| {
                let least = columns[column].least();
                let spare = if columns[column].grows { spare / growing } else { 0.0 };
                let place = Place { column, left, width: (width.max(least) + spare).max(least).floor() };
                left += place.width;
                place
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column::text("name", "Name", 200.0).growing(),
        Column::number("size", "Size", 80.0),
        Column::number("peers", "Peers", 60.0).hidden(),
    ];

    fn fitted() -> Layout {
        let mut layout = Layout::default();
        layout.fit(&COLUMNS);
        layout
    }

    #[test]
    fn growing_columns_take_and_give_room() {
        let layout = fitted();
        let widths = |room| layout.places(&COLUMNS, room).iter().map(|place| place.width).collect::<Vec<_>>();
        assert_eq!(widths(1_000.0), [920.0, 80.0]);
        assert_eq!(widths(240.0), [160.0, 80.0]);
        assert_eq!(widths(100.0), [140.0, 80.0], "never below what shows anything");
    }

    #[test]
    fn a_layout_of_another_version_is_fitted() {
        let mut layout = fitted();
        layout.entries.push(Entry { key: "gone".to_owned(), width: f32::NAN, shown: true });
        layout.entries.remove(1);
        layout.sort.key = "gone".to_owned();
        layout.fit(&COLUMNS);
        let keys: Vec<_> = layout.entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["name", "peers", "size"]);
        assert_eq!(layout.sort, Sort::default());
    }

    #[test]
    fn columns_are_moved_sorted_and_hidden_but_never_all() {
        let mut layout = fitted();
        layout.move_to("size", "name");
        assert_eq!(layout.places(&COLUMNS, 500.0)[0].column, 1);
        layout.show("size", false);
        layout.show("name", false);
        assert!(layout.shows("name") && !layout.shows("size"));
        layout.sort_by(&COLUMNS[1]);
        assert!(layout.sort.descending, "numbers begin with the greatest");
        layout.sort_by(&COLUMNS[1]);
        assert!(!layout.sort.descending);
    }
}
