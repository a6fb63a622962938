//! Which torrents are shown, and in which order: found anew only when the view, the sorting or the filter changes.

use std::cmp::Ordering;

use crate::api::{State, TorrentRow, View};
use crate::base::InfoHash;
use crate::gui::widgets::table::Sort;

/// A filter by what torrents do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Every one.
    #[default]
    All,
    /// Those that are not complete and not stopped.
    Downloading,
    /// Those that are complete and give.
    Seeding,
    /// Those that wait for their turn.
    Waiting,
    /// Those that move data now.
    Active,
    /// Those that the user stopped.
    Paused,
    /// Those that a fault stopped.
    Failed,
}

impl Shown {
    /// Every filter, in the order of the buttons.
    pub(crate) const ALL: [Self; 7] = [
        Self::All,
        Self::Downloading,
        Self::Seeding,
        Self::Waiting,
        Self::Active,
        Self::Paused,
        Self::Failed,
    ];

    /// What stands on its button.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Downloading => "Downloading",
            Self::Seeding => "Seeding",
            Self::Waiting => "Waiting",
            Self::Active => "Active",
            Self::Paused => "Paused",
            Self::Failed => "Failed",
        }
    }

    /// Every filter that takes a row, as bits.
    fn all_of(row: &TorrentRow) -> u8 {
        let state = match row.state {
            State::Downloading | State::Metadata | State::Checking => Self::Downloading,
            State::Seeding => Self::Seeding,
            State::Queued => Self::Waiting,
            State::Paused => Self::Paused,
            State::Failed => Self::Failed,
        };
        let active = if row.down_rate > 0 || row.up_rate > 0 { Self::Active.bit() } else { 0 };
        Self::All.bit() | state.bit() | active
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The order of the rows.
#[derive(Default)]
pub(crate) struct Order {
    /// What it was found for.
    made_for: Option<(u64, Sort, String, Shown)>,
    /// Every torrent's number in the view, sorted.
    all: Vec<u32>,
    /// Those of them that are shown.
    rows: Vec<u32>,
    /// Of each torrent in the view, which filters take it; made for the view of that generation.
    takers: (u64, Vec<u8>),
    counts: [usize; 7],
}

impl Order {
    /// Finds the order anew where anything changed.
    pub(crate) fn refresh(&mut self, view: &View, sort: &Sort, text: &str, shown: Shown) {
        let wanted = (view.generation, sort.clone(), text.to_lowercase(), shown);
        if self.made_for.as_ref() == Some(&wanted) && self.all.len() == view.torrents.len() {
            return;
        }
        let resorted = self.made_for.as_ref().is_none_or(|(_, last, ..)| last != sort);
        if self.all.len() != view.torrents.len() || (resorted && sort.key.is_empty()) {
            self.all = (0..view.torrents.len() as u32).collect();
        }
        if !sort.key.is_empty() {
            let row = |number: u32| view.torrents[number as usize].as_ref();
            // Stable and quick on what is almost sorted, as the last order is.
            self.all.sort_by(|&one, &other| {
                let order = compare(row(one), row(other), &sort.key);
                let order = if sort.descending { order.reverse() } else { order };
                order.then_with(|| one.cmp(&other))
            });
        }
        self.look(view);
        let words: Vec<_> = wanted.2.split_whitespace().collect();
        let takers = &self.takers.1;
        self.rows.clear();
        self.rows.extend(self.all.iter().copied().filter(|&number| {
            let fits = |row: &TorrentRow| matches(&row.name, &row.label, &words);
            takers[number as usize] & shown.bit() != 0
                && (words.is_empty() || fits(&view.torrents[number as usize]))
        }));
        self.made_for = Some(wanted);
    }

    /// Whether the view is newer than the order.
    pub(crate) fn is_stale(&self, view: &View) -> bool {
        self.made_for.as_ref().is_none_or(|(generation, ..)| *generation != view.generation)
    }

    /// The numbers of the rows in the view.
    pub(crate) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The torrent in a row.
    pub(crate) fn at<'a>(&self, view: &'a View, row: usize) -> Option<&'a TorrentRow> {
        view.torrents.get(*self.rows.get(row)? as usize).map(AsRef::as_ref)
    }

    /// The row of a torrent.
    pub(crate) fn position(&self, view: &View, torrent: InfoHash) -> Option<usize> {
        self.rows.iter().position(|&number| {
            view.torrents.get(number as usize).is_some_and(|row| row.info_hash == torrent)
        })
    }

    /// How many torrents each filter takes.
    pub(crate) fn counts(&mut self, view: &View) -> [usize; 7] {
        self.look(view);
        self.counts
    }

    /// Looks at every row of a new view, once: with thousands of them, most of the time goes into fetching each.
    fn look(&mut self, view: &View) {
        let (generation, takers) = &mut self.takers;
        if *generation == view.generation && *generation != 0 && takers.len() == view.torrents.len() {
            return;
        }
        *generation = view.generation;
        takers.clear();
        takers.extend(view.torrents.iter().map(|row| Shown::all_of(row)));
        self.counts = Shown::ALL.map(|shown| takers.iter().filter(|&of| of & shown.bit() != 0).count());
    }
}

/// Whether each word is in the name, or in the label.
fn matches(name: &str, label: &str, words: &[&str]) -> bool {
    let (name, label) = (name.to_lowercase(), label.to_lowercase());
    words.iter().all(|word| name.contains(word) || label.contains(word))
}

fn compare(one: &TorrentRow, other: &TorrentRow, key: &str) -> Ordering {
    // Without a time left, or never completed: after all that have one.
    let late = |value: Option<u64>| value.unwrap_or(u64::MAX);
    match key {
        "name" => by_name(&one.name, &other.name),
        "size" => one.size.cmp(&other.size),
        "progress" => one.progress.total_cmp(&other.progress),
        "status" => one.reason.cmp(&other.reason),
        "down" => one.down_rate.cmp(&other.down_rate),
        "up" => one.up_rate.cmp(&other.up_rate),
        "left" => late(one.eta_secs).cmp(&late(other.eta_secs)),
        "peers" => one.peers.cmp(&other.peers),
        "seeds" => one.seeds.cmp(&other.seeds),
        "ratio" => one.ratio.total_cmp(&other.ratio),
        "received" => one.downloaded.cmp(&other.downloaded),
        "sent" => one.uploaded.cmp(&other.uploaded),
        "availability" => one.availability.total_cmp(&other.availability),
        "added" => one.added_unix.cmp(&other.added_unix),
        "completed" => late(one.completed_unix).cmp(&late(other.completed_unix)),
        "label" => by_name(&one.label, &other.label),
        "queue" => one.queue.cmp(&other.queue),
        "folder" => one.folder.cmp(&other.folder),
        _ => Ordering::Equal,
    }
}

/// Names without regard to case, and without a copy of either.
fn by_name(one: &str, other: &str) -> Ordering {
    let small = |text: &'_ str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    if one.is_ascii() && other.is_ascii() {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        one.bytes().map(lower).cmp(other.bytes().map(lower))
    } else {
        small(one).cmp(&small(other))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::gui::demo;

    fn order(view: &View, key: &str, descending: bool, text: &str, shown: Shown) -> Vec<String> {
        let mut order = Order::default();
        order.refresh(view, &Sort { key: key.to_owned(), descending }, text, shown);
        (0..order.rows().len()).filter_map(|row| order.at(view, row)).map(|row| row.name.clone()).collect()
    }

    #[test]
    fn rows_are_sorted_and_filtered() {
        let mut view = View { generation: 1, ..View::default() };
        for (number, (name, size)) in
            [("beta two", 5), ("Alpha", 9), ("gamma two", 1)].into_iter().enumerate()
        {
            let row = TorrentRow { name: name.to_owned(), size, ..demo::row(number as u32) };
            Arc::make_mut(&mut view.torrents).push(Arc::new(TorrentRow { state: State::Seeding, ..row }));
        }
        assert_eq!(order(&view, "", false, "", Shown::All), ["beta two", "Alpha", "gamma two"]);
        assert_eq!(order(&view, "name", false, "", Shown::All), ["Alpha", "beta two", "gamma two"]);
        assert_eq!(order(&view, "size", true, "", Shown::All), ["Alpha", "beta two", "gamma two"]);
        assert_eq!(order(&view, "name", true, "TWO", Shown::Seeding), ["gamma two", "beta two"]);
        assert_eq!(order(&view, "name", true, "two a g", Shown::All), ["gamma two"]);
        assert!(order(&view, "name", false, "", Shown::Paused).is_empty());
    }

    #[test]
    fn each_filter_counts_what_it_shows() {
        let mut view = View { generation: 1, ..View::default() };
        view.torrents = Arc::new((0..40).map(|number| Arc::new(demo::row(number))).collect());
        let mut filters = Order::default();
        let counts = filters.counts(&view);
        for (shown, count) in Shown::ALL.into_iter().zip(counts) {
            assert_eq!(order(&view, "", false, "", shown).len(), count, "{shown:?}");
        }
        assert_eq!(counts[0], 40);
        assert!(counts[1] > 0 && counts[2] > 0 && counts[1] < 40, "{counts:?}");
        // A newer view is counted anew.
        Arc::make_mut(&mut view.torrents).truncate(3);
        view.generation = 2;
        assert_eq!(filters.counts(&view)[0], 3);
    }

    #[test]
    fn nothing_is_sorted_twice() {
        let mut view = View { generation: 7, ..View::default() };
        view.torrents = Arc::new((0..100).map(|number| Arc::new(demo::row(number))).collect());
        let mut order = Order::default();
        let sort = Sort { key: "name".to_owned(), descending: false };
        order.refresh(&view, &sort, "", Shown::All);
        let first = order.rows().to_vec();
        order.rows.reverse();
        order.refresh(&view, &sort, "", Shown::All);
        assert_ne!(order.rows(), first, "the same view is left alone");
        view.generation = 8;
        order.refresh(&view, &sort, "", Shown::All);
        assert_eq!(order.rows(), first);
    }
}
