//! The torrents of a played session: made from their number, and moved a little with every step.

use std::path::PathBuf;

use crate::api::{
    Detail, FilePriority, FileRow, HostedSwarm, HostedTracker, Limits, PeerRow, Settings, State, TorrentRow,
    Totals, TrackerRow, TrackerState,
};
use crate::base::{InfoHash, Rng};

/// Names and sizes in MiB of things that people share freely.
const NAMES: [(&str, u64); 20] = [
    ("debian-13.2.0-amd64-netinst.iso", 664),
    ("Lecture recordings, autumn term", 9_420),
    ("ubuntu-26.04-desktop-amd64.iso", 5_980),
    ("Big Buck Bunny (2008) 4K", 641),
    ("Holiday photos 2026", 3_310),
    ("LibreOffice_26.2_Linux_x86-64_deb.tar.gz", 214),
    ("Sintel (2010) 1080p", 1_180),
    ("planet-latest.osm.pbf", 83_400),
    ("Thesis data, experiments 1-4", 12_700),
    ("fedora-workstation-44.iso", 2_380),
    ("Concert at the town hall.flac", 428),
    ("wikipedia_en_all_maxi.zim", 111_000),
    ("Blender 5.1 for Windows", 390),
    ("archlinux-2026.11.01-x86_64.iso", 1_240),
    ("Cosmos Laundromat (2015)", 770),
    ("Scans of the parish archive", 22_400),
    ("tails-amd64-7.3.img", 1_510),
    ("Freesound drum collection", 6_050),
    ("Uppsala, old maps", 1_930),
    ("Tears of Steel (2012) 4K", 6_690),
];

/// Seconds since 1970 of the first addition.
const FIRST: u64 = 1_795_000_000;
const MIB: u64 = 1 << 20;

/// The torrent of a number; the same every time.
pub(super) fn row(number: u32) -> TorrentRow {
    let mut rng = Rng::new(u64::from(number) + 1);
    let mut hash = [0; 20];
    rng.fill(&mut hash);
    let (name, mib) = NAMES[number as usize % NAMES.len()];
    let round = number as usize / NAMES.len();
    let name = if round == 0 { name.to_owned() } else { format!("{name} ({round})") };
    let size = mib * MIB + rng.below(MIB as usize) as u64;
    let state = match number % 20 {
        1 | 3 | 9 => State::Downloading,
        11 => State::Metadata,
        8 => State::Checking,
        14 | 17 => State::Paused,
        15 => State::Failed,
        _ => State::Seeding,
    };
    let part = match state {
        State::Seeding => 1.0,
        State::Metadata => 0.0,
        _ => 0.15 + rng.fraction() * 0.7,
    };
    let shared_here = matches!(number % 20, 4 | 18);
    let done = (size as f64 * part) as u64;
    let downloaded = if shared_here { 0 } else { done };
    let uploaded = (size as f64 * rng.fraction() * 3.0) as u64;
    let mut row = TorrentRow {
        info_hash: InfoHash(hash),
        magnet: magnet(InfoHash(hash), &name),
        name,
        state,
        reason: String::new(),
        size: if state == State::Metadata { 0 } else { size },
        wanted: size,
        done,
        progress: part as f32,
        downloaded,
        uploaded,
        down_rate: 0,
        up_rate: 0,
        eta_secs: None,
        peers: 0,
        seeds: 0,
        whole_elsewhere: 0,
        swarm: Some((rng.below(40) as u32, 1 + rng.below(90) as u32)),
        availability: 0.0,
        ratio: uploaded as f32 / downloaded.max(size) as f32,
        folder: PathBuf::from(if shared_here { "/home/anna/Pictures" } else { "/home/anna/Downloads" }),
        target: None,
        added_unix: FIRST + u64::from(number) * 977,
        completed_unix: (state == State::Seeding).then_some(FIRST + u64::from(number) * 977 + 600),
        private: false,
        sequential: false,
        shared_here,
        limits: Limits::default(),
        label: String::new(),
        goals: crate::api::Goals::default(),
        queue: number,
        name_on_disk: None,
        seeded_secs: 0,
        seeding_since_unix: None,
    };
    play(&mut row, &mut rng, 0.0);
    row
}

/// The link of a played torrent.
pub(super) fn magnet(hash: InfoHash, name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '+' }).collect();
    format!("magnet:?xt=urn:btih:{hash}&dn={name}&tr=http%3A%2F%2F192.168.1.20%3A6969%2Fannounce")
}

/// Moves a torrent by some seconds.
pub(super) fn play(row: &mut TorrentRow, rng: &mut Rng, secs: f64) {
    let wave = |rng: &mut Rng, about: f64| (about * (0.8 + 0.4 * rng.fraction())) as u64;
    (row.down_rate, row.up_rate, row.eta_secs) = (0, 0, None);
    match row.state {
        State::Downloading => {
            (row.peers, row.seeds) = (24, 9);
            row.availability = 9.4;
            row.down_rate = wave(rng, 6.4e6).min((row.wanted - row.done).max(1) * 2);
            row.up_rate = wave(rng, 4.2e5);
            row.done = (row.done + (row.down_rate as f64 * secs) as u64).min(row.wanted);
            row.downloaded += (row.down_rate as f64 * secs) as u64;
            row.progress = (row.done as f64 / row.wanted.max(1) as f64) as f32;
            row.eta_secs = Some((row.wanted - row.done) / row.down_rate.max(1));
            row.reason = format!("Downloading from {} of {} peers", 11 + rng.below(3), row.peers);
        }
        State::Seeding => {
            let busy = row.info_hash.0[0].is_multiple_of(3) || row.shared_here;
            (row.peers, row.seeds) = if busy { (7, 1) } else { (0, 0) };
            row.up_rate = if busy { wave(rng, 9.1e5) } else { 0 };
            row.availability = if busy { 1.6 } else { 0.0 };
            row.reason = if busy {
                "Seeding to 6 peers".to_owned()
            } else {
                "Seeding; nobody is downloading it now".to_owned()
            };
        }
        State::Queued => "Waiting for its turn".clone_into(&mut row.reason),
        State::Paused => {
            (row.peers, row.seeds, row.availability) = (0, 0, 0.0);
            "Paused".clone_into(&mut row.reason);
        }
        State::Checking => {
            row.progress = (row.progress + 0.004 * secs as f32) % 1.0;
            "Checking the files on the disk".clone_into(&mut row.reason);
        }
        State::Metadata => {
            row.peers = 3;
            "Fetching the file list from 3 peers".clone_into(&mut row.reason);
        }
        State::Failed => {
            (row.peers, row.seeds, row.availability) = (0, 0, 0.0);
            "The disk is full. Free 4.1 GiB on it, then resume.".clone_into(&mut row.reason);
        }
    }
    row.uploaded += (row.up_rate as f64 * secs) as u64;
    row.ratio = row.uploaded as f32 / row.downloaded.max(row.size.max(1)) as f32;
}

/// Makes a download a seed.
pub(super) fn complete(row: &mut TorrentRow) {
    row.state = State::Seeding;
    row.progress = 1.0;
    row.done = row.wanted;
    row.completed_unix = Some(crate::gui::clock::unix_millis() / 1_000);
}

/// Sums over the torrents.
pub(super) fn totals(rows: &[TorrentRow]) -> Totals {
    let mut totals = Totals { buffered: 9 * MIB, ..Totals::default() };
    for row in rows {
        totals.down_rate += row.down_rate;
        totals.up_rate += row.up_rate;
        totals.peers += row.peers;
    }
    totals
}

/// The tracker as it would stand.
pub(super) fn tracker(rows: &[TorrentRow], settings: &Settings) -> HostedTracker {
    if !settings.tracker {
        return HostedTracker::default();
    }
    let swarm = |row: &TorrentRow| HostedSwarm {
        info_hash: row.info_hash,
        name: Some(row.name.clone()),
        seeders: 1 + row.seeds,
        leechers: row.peers - row.seeds,
        downloaded: row.seeds,
    };
    let names = [
        "torrents",
        "seeders",
        "leechers",
        "peers",
        "announces",
        "scrapes",
        "invalid_queries",
        "deleted_peers",
    ];
    let values = [2, 4, 12, 16, 1_824, 96, 3, 41];
    HostedTracker {
        running: true,
        fault: None,
        urls: vec![
            format!("http://192.168.1.20:{}/announce", settings.tracker_port),
            format!("udp://192.168.1.20:{}", settings.tracker_port),
        ],
        swarms: rows.iter().filter(|row| row.shared_here).take(1_000).map(swarm).collect(),
        last_minute: [184, 12, 3],
        counters: names.iter().map(|name| (*name).to_owned()).zip(values).collect(),
    }
}

/// All about one torrent.
pub(super) fn detail(row: &TorrentRow) -> Detail {
    let mut rng = Rng::new(u64::from(row.info_hash.0[1]));
    let piece_length = 4 * MIB as u32;
    if row.state == State::Metadata {
        return Detail { info_hash: row.info_hash, trackers: trackers(row), ..Detail::default() };
    }
    let part = |rng: &mut Rng, at: usize| {
        let fraction = f64::from(row.progress);
        if at as f64 / 400.0 < fraction * 0.7 || rng.fraction() < fraction * 0.5 || row.progress >= 1.0 {
            255
        } else {
            0
        }
    };
    Detail {
        info_hash: row.info_hash,
        piece_length,
        piece_count: (row.size / u64::from(piece_length)) as u32 + 1,
        pieces: (0..400).map(|at| part(&mut rng, at)).collect(),
        availability: (0..400).map(|_| row.seeds as u8 + rng.below(5) as u8).collect(),
        comment: Some("Made for the demonstration".to_owned()),
        created_by: Some("Fyris 0.1.0".to_owned()),
        creation_unix: Some(FIRST as i64),
        files: files(row),
        peers: (0..row.peers.min(24)).map(|number| peer(row, number)).collect(),
        trackers: trackers(row),
        wasted: 3 * 16_384,
    }
}

fn files(row: &TorrentRow) -> Vec<FileRow> {
    if row.name.contains('.') && !row.name.contains(", ") {
        let path = row.name.clone();
        return vec![FileRow {
            index: 0,
            path,
            length: row.size,
            done: row.done,
            priority: FilePriority::Normal,
        }];
    }
    let count = 12_u32;
    let each = row.size / u64::from(count);
    let wanted = |index: u32| match index {
        0 => FilePriority::High,
        10 => FilePriority::Low,
        11 if row.progress < 1.0 => FilePriority::Skip,
        _ => FilePriority::Normal,
    };
    (0..count)
        .map(|index| FileRow {
            index,
            path: format!("Part {}/{:02} {}.mkv", index / 4 + 1, index + 1, row.name),
            length: each,
            done: (row.done.saturating_sub(u64::from(index) * each)).min(each),
            priority: wanted(index),
        })
        .collect()
}

fn peer(row: &TorrentRow, number: u32) -> PeerRow {
    let mut rng = Rng::new(u64::from(number) * 31 + u64::from(row.info_hash.0[2]));
    let clients =
        ["qBittorrent 5.2", "Transmission 4.1", "Fyris 0.1", "libtorrent 2.1", "Deluge 2.2", "rqbit 9.0"];
    let flags = ["D E", "d u", "UD F", "D O", "U I", "d S"];
    let seed = number < row.seeds;
    let giving = row.down_rate > 0 && number % 3 != 2;
    PeerRow {
        addr: ([192, 168, 1, 21 + number as u8], 6_881 + number as u16).into(),
        client: clients[number as usize % clients.len()].to_owned(),
        flags: flags[number as usize % flags.len()].to_owned(),
        progress: if seed { 1.0 } else { rng.fraction() as f32 * 0.9 },
        down_rate: if giving { row.down_rate / 14 } else { 0 },
        up_rate: if seed { 0 } else { row.up_rate / 6 },
        downloaded: if giving { row.downloaded / 30 } else { 0 },
        uploaded: if seed { 0 } else { rng.below(90) as u64 * MIB },
    }
}

fn trackers(row: &TorrentRow) -> Vec<TrackerRow> {
    let tracker = |url: &str, tier, state, next_secs, peers| TrackerRow {
        url: url.to_owned(),
        tier,
        state,
        next_secs,
        peers,
        complete: row.swarm.map(|(_, complete)| complete).filter(|_| peers > 0),
        incomplete: row.swarm.map(|(incomplete, _)| incomplete).filter(|_| peers > 0),
        warning: None,
    };
    let refused = "The connection was refused. It may be down; it is asked again later.";
    vec![
        tracker("http://192.168.1.20:6969/announce", 0, TrackerState::Working, Some(1_312), 18),
        tracker(
            "udp://tracker.example.org:1337/announce",
            1,
            TrackerState::Failed(refused.to_owned()),
            Some(95),
            0,
        ),
        tracker("https://tracker.example.net/announce", 2, TrackerState::Waiting, None, 0),
    ]
}
