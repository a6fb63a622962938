//! What has changed since when: each torrent with the revision in which it changed last, so that a page that is up to date
//! is told nothing more, however long the list is.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::api::{TorrentRow, View};
use crate::base::InfoHash;

/// Torrents off the list that are remembered as such; who was away for longer gets the whole list.
const GONE: usize = 20_000;

/// The torrents of the newest view that was looked at.
#[derive(Debug)]
pub(super) struct Changes {
    view: Arc<View>,
    /// Rises with each change. Begins with the milliseconds since 1970, so that no number of an earlier run is taken for one
    /// of this.
    revision: u64,
    /// Each torrent with the revision in which it changed last, in the order in which they were added.
    rows: Vec<(Arc<TorrentRow>, u64)>,
    /// Those that went off the list, and when; oldest first.
    gone: VecDeque<(u64, InfoHash)>,
    /// Whoever knows of an earlier revision only is told everything.
    since: u64,
}

/// What somebody has to be told.
#[derive(Debug, PartialEq)]
pub(super) struct News {
    /// The revision that he knows then.
    pub(super) revision: u64,
    /// Whether these are all torrents there are, rather than those that changed.
    pub(super) whole: bool,
    pub(super) torrents: Vec<Arc<TorrentRow>>,
    pub(super) gone: Vec<InfoHash>,
}

impl Changes {
    pub(super) fn new(view: Arc<View>, unix_millis: u64) -> Self {
        let rows = view.torrents.iter().map(|row| (Arc::clone(row), unix_millis)).collect();
        Self { view, revision: unix_millis, rows, gone: VecDeque::new(), since: unix_millis }
    }

    /// Takes in a view, and gives the revision that it is.
    pub(super) fn look(&mut self, view: &Arc<View>) -> u64 {
        if Arc::ptr_eq(view, &self.view) {
            return self.revision;
        }
        let before = std::mem::replace(&mut self.view, Arc::clone(view));
        if before.generation == view.generation {
            return self.revision;
        }
        let next = self.revision + 1;
        let mut changed = !same_session(&before, view);
        if Arc::ptr_eq(&before.torrents, &view.torrents) {
            // Nothing has changed in any.
        } else if self.is_continued_by(&view.torrents) {
            for ((old, revision), new) in self.rows.iter_mut().zip(view.torrents.iter()) {
                changed |= renew(old, revision, new, next);
            }
            let known = self.rows.len();
            changed |= known < view.torrents.len();
            self.rows.extend(view.torrents[known..].iter().map(|row| (Arc::clone(row), next)));
        } else {
            changed = true;
            let mut known: HashMap<InfoHash, (Arc<TorrentRow>, u64)> =
                self.rows.drain(..).map(|(row, revision)| (row.info_hash, (row, revision))).collect();
            let order: Vec<InfoHash> = before.torrents.iter().map(|row| row.info_hash).collect();
            for new in view.torrents.iter() {
                let (mut old, mut revision) =
                    known.remove(&new.info_hash).unwrap_or_else(|| (Arc::clone(new), next));
                renew(&mut old, &mut revision, new, next);
                self.rows.push((old, revision));
            }
            self.gone
                .extend(order.into_iter().filter(|hash| known.contains_key(hash)).map(|hash| (next, hash)));
            while self.gone.len() > GONE {
                self.since = self.gone.pop_front().map_or(self.since, |(revision, _)| revision);
            }
        }
        if changed {
            self.revision = next;
        }
        self.revision
    }

    /// Whether these are the torrents that are known, in the same order, and perhaps more behind them.
    fn is_continued_by(&self, torrents: &[Arc<TorrentRow>]) -> bool {
        let mut pairs = self.rows.iter().zip(torrents);
        self.rows.len() <= torrents.len() && pairs.all(|((old, _), new)| old.info_hash == new.info_hash)
    }

    /// What somebody has to be told who knows of that revision, or of none.
    pub(super) fn news(&self, known: Option<u64>) -> News {
        let known = known.filter(|known| (self.since..=self.revision).contains(known));
        let is_new = |revision: u64| known.is_none_or(|known| revision > known);
        let torrents = self.rows.iter().filter(|(_, revision)| is_new(*revision));
        let newest = self.gone.iter().rev().take_while(|(revision, _)| known.is_some() && is_new(*revision));
        let mut gone: Vec<InfoHash> = newest.map(|(_, hash)| *hash).collect();
        if !gone.is_empty() {
            // One that came back is not gone, and one that went twice is told once.
            let there: HashSet<InfoHash> = self.rows.iter().map(|(row, _)| row.info_hash).collect();
            let mut told = HashSet::new();
            gone.retain(|hash| !there.contains(hash) && told.insert(*hash));
        }
        News {
            revision: self.revision,
            whole: known.is_none(),
            torrents: torrents.map(|(row, _)| Arc::clone(row)).collect(),
            gone,
        }
    }

    /// The view that was looked at last.
    pub(super) fn view(&self) -> &Arc<View> {
        &self.view
    }
}

/// Puts a row in the place of the one before; true where it differs.
fn renew(old: &mut Arc<TorrentRow>, revision: &mut u64, new: &Arc<TorrentRow>, next: u64) -> bool {
    if Arc::ptr_eq(old, new) {
        return false;
    }
    let differs = old != new;
    if differs {
        *revision = next;
    }
    *old = Arc::clone(new);
    differs
}

/// Whether what is told of the session itself is the same.
fn same_session(one: &View, other: &View) -> bool {
    one.totals == other.totals
        && one.jobs == other.jobs
        && one.listening == other.listening
        && one.listen_fault == other.listen_fault
        && (Arc::ptr_eq(&one.settings, &other.settings) || one.settings == other.settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Totals;

    fn row(hash: u8, name: &str) -> Arc<TorrentRow> {
        Arc::new(TorrentRow { info_hash: InfoHash([hash; 20]), name: name.into(), ..TorrentRow::default() })
    }

    fn view(generation: u64, torrents: &[Arc<TorrentRow>]) -> Arc<View> {
        Arc::new(View { generation, torrents: torrents.to_vec().into(), ..View::default() })
    }

    fn told(news: &News) -> (bool, Vec<&str>, Vec<u8>) {
        let names = news.torrents.iter().map(|row| row.name.as_str()).collect();
        (news.whole, names, news.gone.iter().map(|hash| hash.0[0]).collect())
    }

    #[test]
    fn only_what_changed_since_is_told() {
        let (a, b) = (row(1, "a"), row(2, "b"));
        let first = view(1, &[Arc::clone(&a), Arc::clone(&b)]);
        let mut changes = Changes::new(Arc::clone(&first), 1_000);
        assert_eq!(told(&changes.news(None)), (true, vec!["a", "b"], vec![]));
        assert_eq!(told(&changes.news(Some(1_000))), (false, vec![], vec![]));
        // Made anew, and the same.
        assert_eq!(changes.look(&view(2, &[row(1, "a"), Arc::clone(&b)])), 1_000);
        assert_eq!(changes.look(&view(3, &[row(1, "A"), Arc::clone(&b)])), 1_001);
        assert_eq!(changes.look(&view(4, &[row(1, "A"), Arc::clone(&b), row(3, "c")])), 1_002);
        assert_eq!(told(&changes.news(Some(1_000))), (false, vec!["A", "c"], vec![]));
        assert_eq!(told(&changes.news(Some(1_001))), (false, vec!["c"], vec![]));
        assert_eq!(changes.look(&view(5, &[Arc::clone(&b), row(3, "c")])), 1_003);
        assert_eq!(told(&changes.news(Some(1_000))), (false, vec!["c"], vec![1]));
        assert_eq!(told(&changes.news(Some(1_002))), (false, vec![], vec![1]));
        // It comes back, at the end.
        assert_eq!(changes.look(&view(6, &[b, row(3, "c"), a])), 1_004);
        assert_eq!(told(&changes.news(Some(1_001))), (false, vec!["c", "a"], vec![]));
        assert_eq!(told(&changes.news(Some(1_003))), (false, vec!["a"], vec![]));
        // Revisions of another run, or of none.
        for unknown in [0, 999, 1_005, u64::MAX] {
            assert!(changes.news(Some(unknown)).whole, "{unknown}");
        }
        let totals = Totals { peers: 1, ..Totals::default() };
        let news = View { generation: 7, totals, ..View::clone(changes.view()) };
        assert_eq!(changes.look(&Arc::new(news)), 1_005);
        assert_eq!(told(&changes.news(Some(1_004))), (false, vec![], vec![]));
    }

    #[test]
    fn who_was_away_for_too_long_is_told_everything() {
        let mut changes = Changes::new(view(1, &[row(9, "stays")]), 1_000);
        for turn in 0..=GONE as u64 {
            let mut other = TorrentRow::default();
            other.info_hash.0[..8].copy_from_slice(&turn.to_be_bytes());
            changes.look(&view(2 + 2 * turn, &[row(9, "stays"), other.into()]));
            changes.look(&view(3 + 2 * turn, &[row(9, "stays")]));
        }
        assert_eq!(changes.gone.len(), GONE);
        assert!(changes.news(Some(1_000)).whole && changes.news(Some(1_001)).whole);
        let news = changes.news(Some(1_002));
        assert!(!news.whole && news.gone.len() == GONE, "{}", news.gone.len());
    }
}
