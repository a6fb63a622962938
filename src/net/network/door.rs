//! Who may come in: how many connections in all and from one address before the secret was shown, and how many wrong secrets.
//! Whoever has the right one is never kept out for what others at the same address do.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::{Moment, Span};

/// Connections in all.
const OPEN: usize = 2_048;
/// Connections that have not shown the secret yet, in all and from one address.
const STRANGERS: usize = 512;
const STRANGERS_OF_ONE: u32 = 32;
/// Wrong secrets from one address that are answered one by one, and how long they count.
const WRONG: u32 = 10;
const WRONG_FOR: Span = Span::from_secs(60);
/// Addresses that are remembered.
const ADDRESSES: usize = 4_096;

/// The door of one coordinator.
#[derive(Clone, Debug, Default)]
pub(super) struct Door(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    open: usize,
    strangers: usize,
    addresses: HashMap<IpAddr, Address>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Address {
    strangers: u32,
    wrong: u32,
    since: Moment,
}

/// A connection that was let in; it takes no more room once this is dropped.
#[derive(Debug)]
pub(super) struct Guest {
    door: Door,
    ip: IpAddr,
    is_stranger: bool,
}

impl Door {
    /// Lets a connection in, where there is room.
    pub(super) fn enter(&self, ip: IpAddr) -> Option<Guest> {
        let ip = whole_network(ip);
        let mut state = self.lock();
        if state.open >= OPEN || state.strangers >= STRANGERS {
            return None;
        }
        let address = state.address(ip)?;
        if address.strangers >= STRANGERS_OF_ONE {
            return None;
        }
        address.strangers += 1;
        state.strangers += 1;
        state.open += 1;
        drop(state);
        Some(Guest { door: self.clone(), ip, is_stranger: true })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// It has shown the secret.
    pub(super) fn is_known(&mut self) {
        if std::mem::take(&mut self.is_stranger) {
            self.door.lock().stranger_gone(self.ip);
        }
    }

    /// It has shown a wrong one, or none; false where there were too many of that lately.
    pub(super) fn is_wrong(&self, now: Moment) -> bool {
        let mut state = self.door.lock();
        let Some(address) = state.address(self.ip) else { return false };
        if now.since(address.since) >= WRONG_FOR {
            (address.since, address.wrong) = (now, 0);
        }
        address.wrong = address.wrong.saturating_add(1);
        address.wrong <= WRONG
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut state = self.door.lock();
        state.open = state.open.saturating_sub(1);
        if self.is_stranger {
            state.stranger_gone(self.ip);
        }
    }
}

impl State {
    fn address(&mut self, ip: IpAddr) -> Option<&mut Address> {
        if self.addresses.len() >= ADDRESSES && !self.addresses.contains_key(&ip) {
            // Those with a connection stay; at most `STRANGERS` of them.
            self.addresses.retain(|_, address| address.strangers > 0);
        }
        Some(self.addresses.entry(ip).or_default())
    }

    fn stranger_gone(&mut self, ip: IpAddr) {
        self.strangers = self.strangers.saturating_sub(1);
        if let Some(address) = self.addresses.get_mut(&ip) {
            address.strangers = address.strangers.saturating_sub(1);
            if address.strangers == 0 && address.wrong == 0 {
                self.addresses.remove(&ip);
            }
        }
    }
}

/// Who has one address of IPv6 has all of its /64.
fn whole_network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn strangers_fill_their_own_places_only() {
        let door = Door::default();
        let mut guests: Vec<Guest> = (0..STRANGERS_OF_ONE).filter_map(|_| door.enter(ONE)).collect();
        assert_eq!(guests.len(), STRANGERS_OF_ONE as usize);
        assert!(door.enter(ONE).is_none());
        assert!(door.enter(OTHER).is_some());
        guests[0].is_known();
        let next = door.enter(ONE).expect("a place");
        assert!(door.enter(ONE).is_none());
        drop((next, guests));
        assert!(door.lock().addresses.is_empty() && door.lock().open == 0 && door.lock().strangers == 0);
    }

    #[test]
    fn wrong_secrets_are_counted_by_address_for_a_while() {
        let door = Door::default();
        let (one, other) = (door.enter(ONE).expect("a place"), door.enter(OTHER).expect("a place"));
        let now = Moment::ZERO + Span::from_secs(1_000);
        assert_eq!((0..20).filter(|_| one.is_wrong(now)).count(), WRONG as usize);
        assert!(other.is_wrong(now));
        assert!(one.is_wrong(now + WRONG_FOR));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let door = Door::default();
        let guests = (0..100u16).filter_map(|n| door.enter(Ipv6Addr::new(1, 2, 3, 4, n, n, n, n).into()));
        assert_eq!(guests.collect::<Vec<_>>().len(), STRANGERS_OF_ONE as usize);
    }
}
