//! The lists of the tracker on this machine: who is in which swarm, as a peer or as a seed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use eframe::egui::Ui;

use super::listing::{Entry, Listing, Value, hash_key};
use super::registers::key_of;
use crate::api::{NetworkView, TrackerSwarm};
use crate::gui::details::empty;
use crate::gui::scene::Scene;
use crate::gui::widgets::table::Column;

static COLUMNS: [Column; 4] = [
    Column::text("user", "User", 110.0),
    Column::text("address", "Address", 170.0),
    Column::text("is", "Is a", 70.0),
    Column::text("name", "Of", 240.0).growing(),
];

/// How many different users the swarms have.
pub(in crate::gui::panels) fn count(swarms: &[TrackerSwarm]) -> usize {
    let all = swarms.iter().flat_map(|swarm| swarm.peers.iter().chain(&swarm.seeds));
    all.collect::<std::collections::BTreeSet<_>>().len()
}

/// The users into all the room there is; `now` in seconds since 1970.
pub(in crate::gui::panels) fn members(ui: &mut Ui, scene: &mut Scene<'_>, network: &NetworkView, now: u64) {
    let names: BTreeMap<SocketAddr, &str> =
        network.registers.users.iter().map(|user| (user.addr, user.name.as_str())).collect();
    let entry = |swarm, addr: &SocketAddr, seed| Member {
        swarm,
        addr: *addr,
        user: names.get(addr).copied().unwrap_or_default(),
        seed,
    };
    let members: Vec<Member<'_>> = network
        .tracker_swarms
        .iter()
        .flat_map(|swarm| {
            let seeds = swarm.seeds.iter().map(move |addr| entry(swarm, addr, true));
            seeds.chain(swarm.peers.iter().map(move |addr| entry(swarm, addr, false)))
        })
        .collect();
    if members.is_empty() {
        empty(ui, "Nobody has come to this tracker yet.");
        return;
    }
    let label = "Users of the tracker";
    let listing = Listing { name: "tracker users", label, columns: &COLUMNS, chosen: None, now };
    listing.show(ui, scene, members.iter().collect());
}

#[derive(Clone, Copy)]
struct Member<'a> {
    swarm: &'a TrackerSwarm,
    addr: SocketAddr,
    /// What it calls itself, where it has registered.
    user: &'a str,
    seed: bool,
}

impl Member<'_> {
    fn is(&self) -> &'static str {
        if self.seed { "seed" } else { "peer" }
    }

    fn of(&self) -> String {
        self.swarm.name.clone().unwrap_or_else(|| self.swarm.torrent.to_hex())
    }
}

impl Entry for Member<'_> {
    fn key(&self) -> u64 {
        key_of((hash_key(self.swarm.torrent), self.addr, self.seed))
    }

    fn sentence(&self, _now: u64) -> String {
        format!("{} {} is a {} of {}", self.user, self.addr, self.is(), self.of()).trim_start().to_owned()
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "user" => Value::Text(self.user.into()),
            "address" => Value::Text(self.addr.to_string().into()),
            "is" => Value::Text(self.is().into()),
            _ => Value::Text(self.of().into()),
        }
    }
}
