//! What the three figures are made of: by user, by tracker, by torrent, the latter two with their history.

use eframe::egui::Ui;

use super::figures::history;
use super::listing::{Entry, Listing, Value};
use super::registers::key_of;
use super::standing::below;
use crate::api::{PartStatistics, UserStatistics};
use crate::gui::details::empty;
use crate::gui::scene::Scene;
use crate::gui::widgets::field;
use crate::gui::widgets::format;
use crate::gui::widgets::table::Column;

use super::figures::stay;

static USERS: [Column; 7] = [
    Column::text("name", "User", 120.0).growing(),
    Column::text("address", "Address", 160.0),
    Column::number("downloading", "Downloading", 96.0).tip("Torrents it downloads now"),
    Column::number("seeding", "Seeding", 76.0).tip("Torrents it seeds now"),
    Column::number("stay", "timeSeed", 100.0).tip("How long it stays as a seed, on the mean"),
    Column::number("finished", "Ended", 66.0).tip("Stays as a seed that have ended"),
    Column::number("running", "Running", 72.0).tip("Stays as a seed that go on"),
];

static PARTS: [Column; 6] = [
    Column::text("name", "Name", 230.0).growing(),
    Column::number("peers", "nPeers", 72.0).tip("Users downloading"),
    Column::number("seeds", "nSeeds", 72.0).tip("Users seeding"),
    Column::number("stay", "timeSeed", 100.0).tip("How long seeds stay, on the mean"),
    Column::number("finished", "Ended", 66.0).tip("Stays of seeds that have ended"),
    Column::number("running", "Running", 72.0).tip("Stays of seeds that go on"),
];

/// Statistics by user into all the room there is; `now` in seconds since 1970.
pub(in crate::gui::panels) fn by_user(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    users: &[UserStatistics],
    now: u64,
) {
    if users.is_empty() {
        empty(ui, "No user has been counted yet.");
        return;
    }
    let label = "Statistics by user";
    let listing = Listing { name: "user statistics", label, columns: &USERS, chosen: None, now };
    listing.show(ui, scene, users.iter().collect());
}

/// Trackers or torrents, of which one is chosen and its history drawn.
#[derive(Default)]
pub(in crate::gui::panels) struct ByPart {
    /// The key of the chosen one; the first of the list where there is none.
    chosen: Option<u64>,
}

impl ByPart {
    /// Draws the table and below it the history of the chosen one; `now` in seconds since 1970.
    pub(in crate::gui::panels) fn ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        [name, label, nothing]: [&'static str; 3],
        parts: &[PartStatistics],
        now: u64,
    ) {
        let chosen = parts.iter().find(|part| Some(part.key()) == self.chosen).or(parts.first());
        let Some(chosen) = chosen else {
            empty(ui, nothing);
            return;
        };
        below(ui, "history of a part", |ui| {
            field::heading(ui, &chosen.name);
            let height = (ui.available_height() - 6.0).max(80.0);
            history(ui, &chosen.name, &chosen.history, height);
        });
        let listing = Listing { name, label, columns: &PARTS, chosen: Some(chosen.key()), now };
        let (clicked, _) = listing.show(ui, scene, parts.iter().collect());
        if let Some(part) = clicked {
            self.chosen = Some(part.key());
        }
    }
}

impl Entry for UserStatistics {
    fn key(&self) -> u64 {
        key_of(self.addr)
    }

    fn sentence(&self, _now: u64) -> String {
        format!(
            "{} at {}, downloads {}, seeds {}, timeSeed {}",
            self.name.as_deref().unwrap_or("A user"),
            self.addr,
            self.downloading,
            self.seeding,
            stay(&self.time)
        )
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "name" => match &self.name {
                Some(name) => Value::Text(name.into()),
                None => Value::Weak("not registered".into()),
            },
            "address" => Value::Text(self.addr.to_string().into()),
            "downloading" => Value::Count(self.downloading.into()),
            "seeding" => Value::Count(self.seeding.into()),
            "stay" => Value::Stay(self.time.time_seed_secs),
            "finished" => Value::Count(self.time.finished),
            _ => Value::Count(self.time.running),
        }
    }
}

impl Entry for PartStatistics {
    fn key(&self) -> u64 {
        key_of(&self.key)
    }

    fn sentence(&self, _now: u64) -> String {
        let users = format::counted(u64::from(self.n_peers), "peer", "peers");
        let seeds = format::counted(u64::from(self.n_seeds), "seed", "seeds");
        format!("{}, {users}, {seeds}, timeSeed {}", self.name, stay(&self.time))
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "name" => Value::Text(self.name.as_str().into()),
            "peers" => Value::Count(self.n_peers.into()),
            "seeds" => Value::Count(self.n_seeds.into()),
            "stay" => Value::Stay(self.time.time_seed_secs),
            "finished" => Value::Count(self.time.finished),
            _ => Value::Count(self.time.running),
        }
    }
}
