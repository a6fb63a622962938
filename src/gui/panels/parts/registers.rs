//! The coordinator's registers as tables: trackers, whose turn is next first, and users.

use eframe::egui::Ui;

use crate::api::{RegisteredTracker, RegisteredUser, Registers};
use crate::gui::details::empty;
use crate::gui::scene::Scene;
use crate::gui::widgets::format;
use crate::gui::widgets::table::{Cell, Column, Rows, Sort, Table};

static TRACKERS: [Column; 7] = [
    Column::text("address", "Tracker", 230.0).growing(),
    Column::text("since", "Registered", 100.0),
    Column::text("heard", "Heard of", 90.0).tip("When it was last heard of"),
    Column::number("assigned", "Assigned", 80.0).tip("Uploads assigned to it, in turn with the others"),
    Column::number("torrents", "Torrents", 80.0).tip("Torrents with a peer at it"),
    Column::number("peers", "Peers", 66.0).tip("Users downloading by it"),
    Column::number("seeds", "Seeds", 66.0).tip("Users seeding by it"),
];

static USERS: [Column; 6] = [
    Column::text("name", "User", 140.0).growing(),
    Column::text("address", "Address", 170.0),
    Column::text("since", "Connected", 100.0),
    Column::text("heard", "Heard of", 90.0).tip("When it was last heard of"),
    Column::number("downloading", "Downloading", 96.0).tip("Torrents it downloads"),
    Column::number("seeding", "Seeding", 80.0).tip("Torrents it seeds"),
];

/// The trackers into all the room there is; `now` in milliseconds since 1970.
pub(in crate::gui::panels) fn trackers(ui: &mut Ui, scene: &mut Scene<'_>, registers: &Registers, now: u64) {
    if registers.trackers.is_empty() {
        empty(
            ui,
            "No tracker has registered, so uploads are assigned to none. Start one, here or on another machine.",
        );
        return;
    }
    let mut rows: Vec<&RegisteredTracker> = registers.trackers.iter().collect();
    let mut layout = scene.take_layout("registered trackers");
    order(&mut rows, &layout.sort, |one, other, key| match key {
        "address" => one.urls.cmp(&other.urls),
        "since" => one.since_unix_millis.cmp(&other.since_unix_millis),
        "heard" => one.heard_unix_millis.cmp(&other.heard_unix_millis),
        "assigned" => one.assigned.cmp(&other.assigned),
        "torrents" => one.torrents.cmp(&other.torrents),
        "peers" => one.peers.cmp(&other.peers),
        _ => one.seeds.cmp(&other.seeds),
    });
    let mut table = Trackers { rows: &rows, now };
    Table::new("registered trackers", "Registered trackers", &TRACKERS, &mut layout).show(ui, &mut table);
    scene.put_layout("registered trackers", layout);
}

/// The users into all the room there is; `now` in milliseconds since 1970.
pub(in crate::gui::panels) fn users(ui: &mut Ui, scene: &mut Scene<'_>, registers: &Registers, now: u64) {
    if registers.users.is_empty() {
        empty(ui, "No user is connected.");
        return;
    }
    let mut rows: Vec<&RegisteredUser> = registers.users.iter().collect();
    let mut layout = scene.take_layout("users");
    order(&mut rows, &layout.sort, |one, other, key| match key {
        "name" => one.name.cmp(&other.name),
        "address" => one.addr.cmp(&other.addr),
        "since" => one.since_unix_millis.cmp(&other.since_unix_millis),
        "heard" => one.heard_unix_millis.cmp(&other.heard_unix_millis),
        "downloading" => one.downloading.cmp(&other.downloading),
        _ => one.seeding.cmp(&other.seeding),
    });
    Table::new("users", "Users", &USERS, &mut layout).show(ui, &mut Users { rows: &rows, now });
    scene.put_layout("users", layout);
}

fn order<T>(rows: &mut [&T], sort: &Sort, compare: impl Fn(&T, &T, &str) -> std::cmp::Ordering) {
    if sort.key.is_empty() {
        return;
    }
    rows.sort_by(|one, other| compare(one, other, &sort.key));
    if sort.descending {
        rows.reverse();
    }
}

fn ago(then_millis: u64, now_millis: u64) -> String {
    format::ago(then_millis / 1_000, now_millis / 1_000)
}

struct Trackers<'a> {
    rows: &'a [&'a RegisteredTracker],
    now: u64,
}

fn address(tracker: &RegisteredTracker) -> &str {
    tracker.urls.first().map_or("no address", String::as_str)
}

impl Rows for Trackers<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize) -> u64 {
        row as u64
    }

    fn sentence(&self, row: usize) -> String {
        let tracker = self.rows[row];
        format!(
            "{}, registered {}, heard of {}, {} uploads assigned, {} peers, {} seeds",
            address(tracker),
            ago(tracker.since_unix_millis, self.now),
            ago(tracker.heard_unix_millis, self.now),
            tracker.assigned,
            tracker.peers,
            tracker.seeds
        )
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let tracker = self.rows[row];
        match column {
            "address" => cell.text(address(tracker)),
            "since" => cell.weak(&ago(tracker.since_unix_millis, self.now)),
            "heard" => cell.weak(&ago(tracker.heard_unix_millis, self.now)),
            "assigned" => cell.text(&format::grouped(u64::from(tracker.assigned))),
            "torrents" => cell.text(&format::grouped(u64::from(tracker.torrents))),
            "peers" => cell.text(&format::grouped(u64::from(tracker.peers))),
            "seeds" => cell.text(&format::grouped(u64::from(tracker.seeds))),
            _ => {}
        }
    }
}

struct Users<'a> {
    rows: &'a [&'a RegisteredUser],
    now: u64,
}

impl Rows for Users<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize) -> u64 {
        row as u64
    }

    fn sentence(&self, row: usize) -> String {
        let user = self.rows[row];
        format!(
            "{} at {}, connected {}, heard of {}, downloads {}, seeds {}",
            user.name,
            user.addr,
            ago(user.since_unix_millis, self.now),
            ago(user.heard_unix_millis, self.now),
            user.downloading,
            user.seeding
        )
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let user = self.rows[row];
        match column {
            "name" => cell.text(&user.name),
            "address" => cell.text(&user.addr.to_string()),
            "since" => cell.weak(&ago(user.since_unix_millis, self.now)),
            "heard" => cell.weak(&ago(user.heard_unix_millis, self.now)),
            "downloading" => cell.text(&format::grouped(u64::from(user.downloading))),
            "seeding" => cell.text(&format::grouped(u64::from(user.seeding))),
            _ => {}
        }
    }
}
