//! The limits that a transfer keeps to: the torrent's own, its label's and those over all. The least of them decides, since
//! every byte is taken from each.

use std::collections::BTreeMap;

use crate::api::{Label, Limits};
use crate::base::{Moment, RateMeter, TokenBucket};

/// Buckets for both directions.
#[derive(Debug)]
pub(super) struct Buckets {
    down: TokenBucket,
    up: TokenBucket,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Down,
    Up,
}

impl Buckets {
    pub(super) fn new(limits: Limits) -> Self {
        Self { down: TokenBucket::new(limits.down), up: TokenBucket::new(limits.up) }
    }

    pub(super) fn set(&mut self, limits: Limits) {
        self.down.set_rate(limits.down);
        self.up.set_rate(limits.up);
    }

    fn rate(&self, way: Way) -> Option<u64> {
        if way == Way::Down { self.down.rate() } else { self.up.rate() }
    }

    fn way(&mut self, way: Way) -> &mut TokenBucket {
        if way == Way::Down { &mut self.down } else { &mut self.up }
    }
}

/// The limits of several torrents together, and how fast they send.
#[derive(Debug)]
struct Group {
    buckets: Buckets,
    sent: RateMeter,
}

impl Group {
    fn new(limits: Limits) -> Self {
        Self { buckets: Buckets::new(limits), sent: RateMeter::default() }
    }
}

/// The limits over all torrents, and those of each label.
#[derive(Debug)]
pub(super) struct Common {
    all: Group,
    labels: BTreeMap<String, Group>,
}

impl Common {
    pub(super) fn new(limits: Limits, labels: &[Label]) -> Self {
        let mut new = Self { all: Group::new(limits), labels: BTreeMap::new() };
        new.set(limits, labels);
        new
    }

    pub(super) fn set(&mut self, limits: Limits, labels: &[Label]) {
        self.all.buckets.set(limits);
        self.labels.retain(|name, _| labels.iter().any(|label| label.name == *name));
        for label in labels {
            let limits = label.limits();
            match self.labels.get_mut(&label.name) {
                Some(group) => group.buckets.set(limits),
                None => _ = self.labels.insert(label.name.clone(), Group::new(limits)),
            }
        }
    }

    /// Whether a torrent with that label and those limits of its own is limited at all.
    pub(super) fn is_limited(&self, way: Way, own: &Buckets, label: &str) -> bool {
        own.rate(way).is_some()
            || self.all.buckets.rate(way).is_some()
            || self.labels.get(label).is_some_and(|group| group.buckets.rate(way).is_some())
    }

    /// When something may go, where it may not go now.
    pub(super) fn wait(&mut self, way: Way, own: &mut Buckets, label: &str, now: Moment) -> Option<Moment> {
        let group = self.labels.get_mut(label).and_then(|group| group.buckets.way(way).ready_at(now));
        let all = self.all.buckets.way(way).ready_at(now);
        [own.way(way).ready_at(now), all, group].into_iter().flatten().max()
    }

    /// So many bytes go.
    pub(super) fn take(&mut self, way: Way, own: &mut Buckets, label: &str, now: Moment, bytes: u64) {
        own.way(way).take(now, bytes);
        self.all.buckets.way(way).take(now, bytes);
        if let Some(group) = self.labels.get_mut(label) {
            group.buckets.way(way).take(now, bytes);
        }
    }

    /// So many bytes have left the machine.
    pub(super) fn sent(&mut self, label: &str, now: Moment, bytes: u64) {
        self.all.sent.add(now, bytes);
        if let Some(group) = self.labels.get_mut(label) {
            group.sent.add(now, bytes);
        }
    }

    /// The limit on sending that leaves a torrent the least, and the rate of those that share it. `own` is the torrent's own
    /// limit and its own rate.
    pub(super) fn tightest(
        &mut self,
        own: (Option<u64>, u64),
        label: &str,
        now: Moment,
    ) -> (Option<u64>, u64) {
        let of = |group: &mut Group| (group.buckets.rate(Way::Up), group.sent.rate(now));
        let all = of(&mut self.all);
        let group = self.labels.get_mut(label).map(of);
        let limited =
            [Some(own), Some(all), group].into_iter().flatten().filter(|(limit, _)| limit.is_some());
        limited.min_by_key(|(limit, rate)| limit.unwrap_or(u64::MAX).saturating_sub(*rate)).unwrap_or(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    fn label(name: &str, down: u64) -> Label {
        Label { name: name.into(), down: Some(down), ..Label::default() }
    }

    /// Bytes that two torrents with these labels and this limit of their own get within ten seconds, in turn.
    fn moved(common: &mut Common, labels: [&str; 2], own: Option<u64>) -> [u64; 2] {
        let limits = Limits { down: own, up: None };
        let (mut own, mut moved) = ([Buckets::new(limits), Buckets::new(limits)], [0, 0]);
        let mut now = Moment::ZERO + Span::from_secs(5);
        let end = now + Span::from_secs(10);
        let mut turn = 0;
        while now < end {
            turn = 1 - turn;
            for it in [turn, 1 - turn] {
                if common.wait(Way::Down, &mut own[it], labels[it], now).is_none() {
                    common.take(Way::Down, &mut own[it], labels[it], now, 4_096);
                    moved[it] += 4_096;
                }
            }
            now += Span::from_millis(5);
        }
        moved
    }

    #[test]
    fn the_least_limit_decides_and_a_label_is_shared() {
        let near = |bytes: u64, rate: u64| (rate * 9..rate * 11 + 60_000).contains(&bytes);
        let all = |down| Limits { down, up: None };
        // The label's.
        let [one, two] =
            moved(&mut Common::new(all(Some(500_000)), &[label("a", 100_000)]), ["a", "a"], None);
        assert!(near(one + two, 100_000) && near(one, 50_000), "{one} {two}");
        // Its own, below both.
        let [one, two] =
            moved(&mut Common::new(all(Some(500_000)), &[label("a", 100_000)]), ["a", "a"], Some(20_000));
        assert!(near(one, 20_000) && near(two, 20_000), "{one} {two}");
        // That over all, below that of the label.
        let [one, two] = moved(&mut Common::new(all(Some(50_000)), &[label("a", 100_000)]), ["a", "a"], None);
        assert!(near(one + two, 50_000), "{one} {two}");
        // One without the label has what is left over all.
        let [one, two] = moved(&mut Common::new(all(Some(200_000)), &[label("a", 50_000)]), ["a", ""], None);
        assert!(near(one, 50_000) && near(two, 150_000), "{one} {two}");
    }

    #[test]
    fn limits_change_and_go() {
        let mut common = Common::new(Limits::default(), &[label("a", 1)]);
        let own = Buckets::new(Limits::default());
        assert!(common.is_limited(Way::Down, &own, "a") && !common.is_limited(Way::Up, &own, "a"));
        assert!(!common.is_limited(Way::Down, &own, "b") && !common.is_limited(Way::Down, &own, ""));
        common.set(Limits::default(), &[]);
        assert!(!common.is_limited(Way::Down, &own, "a"));
        common.set(Limits { down: Some(1), up: None }, &[]);
        assert!(common.is_limited(Way::Down, &own, ""));
    }

    #[test]
    fn who_is_served_is_chosen_by_the_limit_that_leaves_least() {
        let up = |name: &str, up| Label { name: name.into(), up: Some(up), ..Label::default() };
        let mut common = Common::new(Limits { down: None, up: Some(1_000) }, &[up("a", 300)]);
        let now = Moment::ZERO + Span::from_secs(9);
        assert_eq!(common.tightest((None, 7), "a", now), (Some(300), 0));
        assert_eq!(common.tightest((None, 7), "b", now), (Some(1_000), 0));
        assert_eq!(common.tightest((Some(100), 7), "a", now), (Some(100), 7));
        common.set(Limits::default(), &[]);
        assert_eq!(common.tightest((None, 7), "a", now), (None, 7));
    }
}
