//! The network of a played session: two trackers, six users, who come to the torrents that are shared from here.

use std::net::SocketAddr;

use crate::api::{
    Flow, IndexEntry, NetworkRules, NetworkStatistics, NetworkView, PartStatistics, RegisteredTracker,
    RegisteredUser, Registers, ScreenLine, ScreenView, SeedTime, StatisticsPoint, TorrentRow, UserStatistics,
};

const USERS: [&str; 6] = ["anna", "bert", "cleo", "dora", "emil", "fritz"];
const MINUTE: u64 = 60_000;

fn user(number: usize) -> SocketAddr {
    ([192, 168, 1, 20 + number as u8], 6_881).into()
}

fn urls(number: u8) -> Vec<String> {
    vec![
        format!("http://192.168.1.{}:6969/announce", 20 + number),
        format!("udp://192.168.1.{}:6969", 20 + number),
    ]
}

fn screen(now: u64, lines: &[(u64, &str)]) -> ScreenView {
    let line = |&(ago, text): &(u64, &str)| ScreenLine {
        unix_millis: now.saturating_sub(ago * MINUTE),
        text: text.to_owned(),
        note: text.starts_with("anna:"),
    };
    ScreenView { lines: lines.iter().map(line).collect(), notes: true }
}

/// The network as it would stand; nothing shared, nobody there.
pub(super) fn network(rows: &[TorrentRow], now: u64) -> NetworkView {
    let shared: Vec<&TorrentRow> = rows.iter().filter(|row| row.shared_here).take(100).collect();
    NetworkView {
        hosted: true,
        connected: true,
        fault: None,
        disconnected: false,
        open: true,
        tracker_connected: true,
        tracker_fault: None,
        user: "anna".to_owned(),
        completed: false,
        tracker_swarms: Vec::new(),
        link: Some("fyris://192.168.1.20:7443/3KfQ9mZr7XwV".to_owned()),
        registers: registers(&shared, now),
        index: shared.iter().map(|row| entry(row)).collect(),
        statistics: statistics(&shared, now),
        coordinator_screen: screen(
            now,
            &[
                (42, "The tracker at 192.168.1.20:6969 has registered."),
                (41, "anna has connected."),
                (30, "The tracker at 192.168.1.21:6969 has registered."),
                (22, "bert has connected."),
                (21, "Holiday photos 2026 was assigned to the tracker at 192.168.1.20:6969."),
                (9, "anna: please keep the photos open until Friday"),
            ],
        ),
        tracker_screen: screen(
            now,
            &[(42, "Registered with the coordinator."), (20, "bert became a peer of Holiday photos 2026.")],
        ),
        peer_screen: screen(
            now,
            &[(41, "Connected to the network."), (21, "Holiday photos 2026 is in the index.")],
        ),
        index_screen: screen(
            now,
            &[(21, "Holiday photos 2026 was stored for anna."), (19, "bert fetched Holiday photos 2026.")],
        ),
        statistics_screen: screen(now, &[(42, "Counting since now.")]),
    }
}

fn registers(shared: &[&TorrentRow], now: u64) -> Registers {
    let busy = !shared.is_empty();
    let tracker = |number: u8, assigned: u32| RegisteredTracker {
        urls: urls(number),
        since_unix_millis: now.saturating_sub((42 - u64::from(number) * 12) * MINUTE),
        heard_unix_millis: now.saturating_sub(3_000),
        assigned,
        torrents: assigned,
        peers: if assigned > 0 { 3 } else { 0 },
        seeds: assigned,
    };
    let member = |number: usize| RegisteredUser {
        name: USERS[number].to_owned(),
        addr: user(number),
        since_unix_millis: now.saturating_sub((41 - number as u64 * 6) * MINUTE),
        heard_unix_millis: now.saturating_sub(1_000 * number as u64),
        seeding: if number == 0 { shared.len() as u32 } else { u32::from(busy && number == 4) },
        downloading: u32::from(busy && (1..4).contains(&number)),
    };
    let flows = shared.first().map_or_else(Vec::new, |row| {
        let arrows =
            [(0, 1, 900), (0, 2, 640), (1, 2, 410), (2, 1, 380), (1, 3, 260), (4, 3, 700), (2, 3, 120)];
        arrows
            .map(|(from, to, kib)| Flow {
                from: user(from),
                to: user(to),
                torrent: row.info_hash,
                rate: kib << 10,
            })
            .to_vec()
    });
    let assigned = shared.len() as u32;
    Registers {
        rules: NetworkRules::default(),
        trackers: vec![tracker(0, assigned.div_ceil(2)), tracker(1, assigned / 2)],
        users: (0..if busy { USERS.len() } else { 1 }).map(member).collect(),
        flows,
    }
}

fn entry(row: &TorrentRow) -> IndexEntry {
    IndexEntry {
        info_hash: row.info_hash,
        name: row.name.clone(),
        size: row.size,
        files: 12,
        piece_length: 4 << 20,
        added_unix: row.added_unix,
        uploader: USERS[0].to_owned(),
        tiers: vec![urls(0), urls(1)],
        namesakes: 0,
        seeds: 1,
        peers: 3,
    }
}

fn statistics(shared: &[&TorrentRow], now: u64) -> NetworkStatistics {
    let busy = u32::from(!shared.is_empty());
    let time = SeedTime { time_seed_secs: (busy > 0).then_some(1_284.0), finished: 3, running: 2 };
    let point = |minute: u64| StatisticsPoint {
        unix_secs: (now / 1_000).saturating_sub((40 - minute) * 60),
        n_peers: busy * ((minute / 5) % 4) as u32,
        n_seeds: busy * (1 + minute / 14) as u32,
        time_seed_secs: minute as f32 * 32.0 * busy as f32,
    };
    let history: Vec<_> = (0..=40).map(point).collect();
    let part = |key: String, name: String| PartStatistics {
        key,
        name,
        n_peers: 3 * busy,
        n_seeds: busy,
        time,
        history: history.clone(),
    };
    let member = |number: usize| UserStatistics {
        addr: user(number),
        name: Some(USERS[number].to_owned()),
        downloading: busy * u32::from((1..4).contains(&number)),
        seeding: busy * u32::from(number == 0 || number == 4),
        time: SeedTime {
            time_seed_secs: number.is_multiple_of(4).then_some(900.0 + number as f64 * 200.0),
            finished: 1,
            running: 1,
        },
    };
    NetworkStatistics {
        n_peers: 3 * busy,
        n_seeds: 2 * busy,
        time,
        n_users: 1 + 5 * busy,
        users: (0..1 + 5 * busy as usize).map(member).collect(),
        trackers: (0..2)
            .map(|number| part(urls(number).remove(0), format!("Tracker {}", number + 1)))
            .collect(),
        torrents: shared.iter().map(|row| part(row.info_hash.to_hex(), row.name.clone())).collect(),
        history: history.clone(),
    }
}
