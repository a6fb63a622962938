//! The timers of a torrent, and what is decided at the end of each step.

use crate::base::{ConnKey, Moment, Span};
use crate::engine::Output;
use crate::engine::shared::Shared;
use crate::wire::peer::Message;

use super::Torrent;
use super::peers::Parting;

/// The regular look at all peers.
pub(super) const TICK: Span = Span::from_secs(1);
/// A peer that said nothing for so long is gone; keep-alives come every two minutes (BEP 3).
const SILENCE: Span = Span::from_secs(150);
/// Something is said at least so often.
const KEEP_ALIVE: Span = Span::from_secs(100);
/// A link on which neither side wants anything is given up after this.
const IDLE: Span = Span::from_secs(600);
/// The same where no other peer can have a place because of it.
const IDLE_CROWDED: Span = Span::from_secs(60);
/// Limits are looked at again after no less than this, so that a step moves more than one block.
const LIMIT_STEP: Span = Span::from_millis(4);

impl Torrent {
    /// Does what is due, and all that follows from what happened in this step.
    pub(in crate::engine) fn settle(&mut self, shared: &mut Shared) {
        let now = shared.now;
        if self.is_asleep() && self.leaving.is_none() {
            _ = self.settle_asleep(shared);
            return;
        }
        if self.fault.as_ref().is_some_and(|fault| fault.retry_at <= now) {
            self.retry(shared);
        }
        if self.timers.tick <= now {
            self.tick(shared);
        }
        if self.timers.throttled <= now {
            self.timers.throttled = Moment::NEVER;
        }
        if self.running {
            if self.timers.choke_soon || (!self.links.is_empty() && self.choker.next_deadline() <= now) {
                self.choke_round(shared);
            }
            self.ask_for_metadata(shared);
            self.ask_peers(shared);
            self.serve_peers(shared);
            self.connect_more(shared);
        }
        self.ask_trackers(shared);
        self.keep_safe(shared);
        self.pause_when_enough(shared);
        self.move_when_complete(shared);
        self.go_on_moving(shared);
        self.go_on_leaving(shared);
        self.rest_if_idle(shared);
        self.speak(shared);
    }

    /// When [`Torrent::settle`] has something to do by itself.
    pub(in crate::engine) fn next_deadline(&self, shared: &Shared) -> Moment {
        if self.is_asleep() && self.leaving.is_none() {
            return self.asleep_until(shared);
        }
        let retry = self.fault.as_ref().map_or(Moment::NEVER, |fault| fault.retry_at);
        let durable = self.content.as_ref().map_or(Moment::NEVER, |content| content.durable.due());
        let again = self.aftermath.failed.as_ref().map_or(Moment::NEVER, |(_, again)| *again);
        let retry = retry.min(again.max(shared.now + TICK)).min(self.next_goal(shared));
        let mut next = retry
            .min(durable)
            .min(self.timers.save)
            .min(self.timers.rest)
            .min(self.announcer.next_deadline());
        if self.running {
            next = next.min(self.timers.tick);
            if self.timers.throttled != Moment::NEVER {
                next = next.min(self.timers.throttled.max(shared.now + LIMIT_STEP));
            }
            if !self.links.is_empty() {
                next = next.min(self.choker.next_deadline());
            }
            if let Some(fetch) = &self.fetch {
                next = next.min(fetch.next_deadline());
            }
            if self.links.len() + self.connecting < self.most_links(shared) {
                let crowded = if shared.may_connect() { Moment::ZERO } else { shared.now + TICK };
                next = next.min(self.roster.next_deadline().max(crowded));
            }
        }
        next
    }

    /// The regular look at all peers.
    fn tick(&mut self, shared: &mut Shared) {
        let now = shared.now;
        let seeding = self.is_complete();
        let crowded = self.links.len() >= self.most_links(shared);
        let patience = if crowded { IDLE_CROWDED } else { IDLE };
        let mut leave: Vec<ConnKey> = Vec::new();
        let mut snubbed: Vec<ConnKey> = Vec::new();
        for link in self.links.values_mut() {
            let rate = link.down.rate(now);
            if link.pipeline.tick(now, rate) {
                snubbed.push(link.conn);
            }
            link.hungry |= link.interesting;
            if link.interesting || link.interested {
                link.idle_since = now;
            }
            if now.since(link.said_at) >= KEEP_ALIVE {
                link.say(Message::KeepAlive);
            }
            let useless = seeding && link.is_seed();
            let idle = now.since(link.idle_since) >= patience && self.content.is_some();
            if now.since(link.heard_at) >= SILENCE || useless || idle {
                leave.push(link.conn);
            }
        }
        for conn in snubbed {
            if let Some(content) = &mut self.content {
                content.picker.give_back_all(conn);
            }
            self.links.values_mut().for_each(|link| link.hungry = true);
            self.timers.choke_soon = true;
        }
        for conn in leave {
            self.part(conn, Parting::Idle, shared);
        }
        let all: Vec<ConnKey> = self.links.keys().copied().collect();
        for conn in all {
            if self.is_downloading() {
                self.weigh_interest(conn);
            }
            self.show_more(conn, now);
        }
        self.timers.tick = if self.links.is_empty() { Moment::NEVER } else { now + TICK };
    }

    /// Says to each peer what is to be said.
    fn speak(&mut self, shared: &mut Shared) {
        for link in self.links.values_mut().filter(|link| link.has_something_to_say()) {
            link.said_at = shared.now;
            shared.emit(Output::Send { conn: link.conn, items: link.take_said() });
        }
    }
}
