//! The coordinator's registers as tables: trackers, whose turn is next first, users, and which upload went to which.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};

use eframe::egui::Ui;

use super::listing::{Entry, Listing, Value, hash_key};
use crate::api::{IndexEntry, RegisteredTracker, RegisteredUser, Registers};
use crate::gui::details::empty;
use crate::gui::scene::Scene;
use crate::gui::widgets::format;
use crate::gui::widgets::table::Column;

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

static ASSIGNED: [Column; 5] = [
    Column::text("name", "Upload", 200.0).growing(),
    Column::text("first", "Assigned to", 170.0).tip("The tracker whose turn it was"),
    Column::text("further", "Further tiers", 170.0).tip("Asked when the first does not answer"),
    Column::text("uploader", "Shared by", 90.0),
    Column::text("added", "When", 90.0),
];

/// The trackers into all the room there is; `now` in seconds since 1970.
pub(in crate::gui::panels) fn trackers(ui: &mut Ui, scene: &mut Scene<'_>, registers: &Registers, now: u64) {
    if registers.trackers.is_empty() {
        empty(
            ui,
            "No tracker has registered, so uploads are assigned to none. Start one, here or on another machine.",
        );
        return;
    }
    let (name, label) = ("registered trackers", "Registered trackers");
    let listing = Listing { name, label, columns: &TRACKERS, chosen: None, now };
    listing.show(ui, scene, registers.trackers.iter().collect());
}

/// The users into all the room there is; `now` in seconds since 1970.
pub(in crate::gui::panels) fn users(ui: &mut Ui, scene: &mut Scene<'_>, registers: &Registers, now: u64) {
    if registers.users.is_empty() {
        empty(ui, "No user is connected.");
        return;
    }
    let listing = Listing { name: "users", label: "Users", columns: &USERS, chosen: None, now };
    listing.show(ui, scene, registers.users.iter().collect());
}

/// Which upload was assigned to which tracker; `now` in seconds since 1970.
pub(in crate::gui::panels) fn assigned(ui: &mut Ui, scene: &mut Scene<'_>, index: &[IndexEntry], now: u64) {
    if index.is_empty() {
        empty(ui, "Nothing has been uploaded yet. Each upload is assigned to the tracker whose turn it is.");
        return;
    }
    let uploads: Vec<Assigned<'_>> = index.iter().map(Assigned).collect();
    let label = "Uploads and their trackers";
    let listing = Listing { name: "assigned", label, columns: &ASSIGNED, chosen: None, now };
    listing.show(ui, scene, uploads.iter().collect());
}

/// A key from what tells an entry from the others.
pub(in crate::gui::panels) fn key_of(what: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(what)
}

/// The machine and port of a URL: what people tell trackers apart by.
pub(in crate::gui::panels) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn address(tracker: &RegisteredTracker) -> &str {
    tracker.urls.first().map_or("no address", String::as_str)
}

impl Entry for RegisteredTracker {
    fn key(&self) -> u64 {
        key_of((address(self), self.since_unix_millis))
    }

    fn sentence(&self, now: u64) -> String {
        format!(
            "{}, registered {}, heard of {}, {} assigned, {}, {}",
            address(self),
            format::ago(self.since_unix_millis / 1_000, now),
            format::ago(self.heard_unix_millis / 1_000, now),
            format::counted(self.assigned.into(), "upload", "uploads"),
            format::counted(self.peers.into(), "peer", "peers"),
            format::counted(self.seeds.into(), "seed", "seeds")
        )
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "address" => Value::Text(address(self).into()),
            "since" => Value::When(self.since_unix_millis / 1_000),
            "heard" => Value::When(self.heard_unix_millis / 1_000),
            "assigned" => Value::Count(self.assigned.into()),
            "torrents" => Value::Count(self.torrents.into()),
            "peers" => Value::Count(self.peers.into()),
            _ => Value::Count(self.seeds.into()),
        }
    }
}

impl Entry for RegisteredUser {
    fn key(&self) -> u64 {
        key_of(self.addr)
    }

    fn sentence(&self, now: u64) -> String {
        format!(
            "{} at {}, connected {}, heard of {}, downloads {}, seeds {}",
            self.name,
            self.addr,
            format::ago(self.since_unix_millis / 1_000, now),
            format::ago(self.heard_unix_millis / 1_000, now),
            self.downloading,
            self.seeding
        )
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "name" => Value::Text(self.name.as_str().into()),
            "address" => Value::Text(self.addr.to_string().into()),
            "since" => Value::When(self.since_unix_millis / 1_000),
            "heard" => Value::When(self.heard_unix_millis / 1_000),
            "downloading" => Value::Count(self.downloading.into()),
            _ => Value::Count(self.seeding.into()),
        }
    }
}

/// An upload, for what it was assigned to.
struct Assigned<'a>(&'a IndexEntry);

impl Assigned<'_> {
    fn first(&self) -> &str {
        self.0.tiers.first().and_then(|tier| tier.first()).map_or("no tracker", |url| host(url))
    }

    fn further(&self) -> String {
        let tiers = self.0.tiers.iter().skip(1).filter_map(|tier| tier.first());
        tiers.map(|url| host(url)).collect::<Vec<_>>().join(", ")
    }
}

impl Entry for Assigned<'_> {
    fn key(&self) -> u64 {
        hash_key(self.0.info_hash)
    }

    fn sentence(&self, now: u64) -> String {
        let when = format::ago(self.0.added_unix, now);
        let mut text = format!("{}, shared {when}, assigned to {}", self.0.name, self.first());
        let further = self.further();
        if !further.is_empty() {
            text += &format!(", then {further}");
        }
        text
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "name" => Value::Text(self.0.name.as_str().into()),
            "first" => Value::Text(self.first().into()),
            "further" => Value::Weak(self.further().into()),
            "uploader" => Value::Text(self.0.uploader.as_str().into()),
            _ => Value::When(self.0.added_unix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trackers_are_called_by_machine_and_port() {
        assert_eq!(host("http://10.0.0.1:6969/announce"), "10.0.0.1:6969");
        assert_eq!(host("udp://[::1]:6969"), "[::1]:6969");
        assert_eq!(host("elsewhere"), "elsewhere");
    }
}
