//! What the two members of a session hear from their coordinator, and what follows from it.

use std::sync::PoisonError;

use crate::base::InfoHash;
use crate::net::network::desk::{Room, Word, sentence};
use crate::network::{Fingerprint, News, UserList};

impl Room {
    pub(super) async fn user_hears(&mut self, news: News) {
        let now = self.clock.unix_now();
        let place =
            self.client.as_ref().map(|client| client.link().places[0].to_string()).unwrap_or_default();
        match news {
            News::Connected { already } => {
                let again = if already { "; it was connected already" } else { "" };
                self.peer_screen.say(now, format!("connected to the network at {place}{again}"));
                self.set_user(true, None);
            }
            News::Lost(why) => {
                let why = sentence(&why);
                self.peer_screen.say(now, format!("not connected: {why}"));
                self.set_user(false, Some(why));
            }
            News::Left => {
                self.peer_screen.say(now, "disconnected");
                self.set_user(false, None);
            }
            News::Rules(rules) => {
                let size =
                    rules.piece_length.map_or("automatic".to_owned(), |bytes| format!("{bytes} bytes"));
                let text = format!("piece size {size}, at most {} connections", rules.max_connections);
                self.peer_screen.say(now, text);
                self.rules.clone_from(&rules);
                self.tell(Word::Rules(Some(rules))).await;
            }
            News::Trackers(trackers, _) => {
                self.trackers = trackers;
                if !self.trackers.is_empty() && !self.missing.is_empty() {
                    let missing = std::mem::take(&mut self.missing);
                    self.tell(Word::Missing(missing)).await;
                }
            }
            News::Users(_) => {}
            News::Missing(hashes) => {
                let (count, many) = (hashes.len(), if hashes.len() == 1 { "" } else { "s" });
                self.peer_screen
                    .say(now, format!("the index lacks {count} upload{many} of ours: uploaded again"));
                if self.trackers.is_empty() {
                    self.missing = hashes;
                } else {
                    self.tell(Word::Missing(hashes)).await;
                }
            }
        }
    }

    /// A share has to be uploaded again, and there was no tracker for it: when one comes, it is tried anew.
    pub(super) fn again_later(&mut self, torrent: InfoHash) {
        if !self.missing.contains(&torrent) {
            self.missing.push(torrent);
        }
    }

    fn set_user(&mut self, connected: bool, fault: Option<String>) {
        if let Some(seat) = &mut self.user {
            (seat.connected, seat.fault) = (connected, fault);
        }
    }

    pub(super) fn tracker_hears(&mut self, number: usize, news: News) {
        let now = self.clock.unix_now();
        // One alone needs no name.
        let who = match self.observers.get(number).and_then(|it| it.urls().first()) {
            Some(url) if self.observers.len() > 1 => format!("{url}: "),
            _ => String::new(),
        };
        let screen = &mut self.tracker_screen;
        let Some(seat) = self.seats.get_mut(number) else { return };
        match news {
            News::Connected { already } => {
                let again = if already { "; it was registered already" } else { "" };
                screen.say(now, format!("{who}registered with the coordinator{again}"));
                (seat.connected, seat.fault) = (true, None);
            }
            News::Lost(why) => {
                let why = sentence(&why);
                screen.say(now, format!("{who}not registered: {why}"));
                (seat.connected, seat.fault) = (false, Some(why));
            }
            News::Left => {
                screen.say(now, format!("{who}off the coordinator's register"));
                (seat.connected, seat.fault) = (false, None);
            }
            News::Rules(rules) => {
                let most = rules.max_connections;
                screen.say(now, format!("{who}at most {most} connections: no answer has more peers"));
            }
            // The others hear the same.
            News::Users(_) if number > 0 => {}
            News::Users(list) => {
                let is_in = |users: &UserList, addr| users.users.iter().any(|(_, known)| *known == addr);
                for (name, addr) in list.users.iter().filter(|(_, addr)| !is_in(&self.tracker_users, *addr)) {
                    screen.say(now, format!("user {name} connected ({addr})"));
                }
                for (name, addr) in self.tracker_users.users.iter().filter(|(_, addr)| !is_in(&list, *addr)) {
                    screen.say(now, format!("user {name} disconnected ({addr})"));
                }
                self.tracker_users = list;
            }
            News::Trackers(..) | News::Missing(_) => {}
        }
    }

    /// Notes that a torrent is this user's in this network, or is no more.
    pub(super) fn note_upload(&mut self, torrent: InfoHash, is_ours: bool) {
        let Some(network) = self.client.as_ref().map(|client| client.link().fingerprint) else { return };
        self.uploads.retain(|known| *known != torrent);
        if is_ours {
            self.uploads.push(torrent);
        }
        let uploads = self.uploads.clone();
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).shares = uploads;
        if let Some(keeper) = &self.keeper {
            let keep = |network: Fingerprint| {
                if is_ours {
                    keeper.keep_upload(network, torrent)
                } else {
                    keeper.drop_upload(network, torrent)
                }
            };
            if let Err(why) = keep(network) {
                self.peer_screen.say(self.clock.unix_now(), format!("the upload could not be noted: {why}"));
            }
        }
    }
}
