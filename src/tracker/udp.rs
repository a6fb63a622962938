//! A datagram in, at most one datagram out (BEP 15). Silence meets all that comes without a connection id of ours, so that
//! nobody is sent what somebody else asked for; and a connection id is never longer than the request for it.

use std::net::IpAddr;

use crate::base::{InfoHash, Rng};
use crate::tracker::http::{route, split};
use crate::tracker::service::{Announce, Asker, Refusal, Tracker};
use crate::tracker::store::For;
use crate::tracker::{Counter, Shards};
use crate::wire::tracker::Counts;
use crate::wire::tracker_udp::{self as wire, Request, Response};

impl<S: Shards> Tracker<S> {
    /// Answers a datagram; appends nothing to `out` where there is no answer.
    pub fn datagram(
        &self,
        asker: &Asker<'_>,
        from_port: u16,
        datagram: &[u8],
        rng: &mut Rng,
        out: &mut Vec<u8>,
    ) {
        // A request from port 0 cannot be answered.
        if from_port == 0 {
            return self.stats.count(Counter::FailedQueries);
        }
        if !self.within_limit(asker) {
            return self.stats.count(Counter::Rejected);
        }
        match Request::parse(datagram) {
            Ok(Request::Connect { transaction_id }) => {
                self.stats.count(Counter::UdpConnections);
                let connection_id = self.connection_ids().issue(asker.ip, asker.now);
                Response::Connect { transaction_id, connection_id }.write(out);
            }
            Ok(Request::Announce { connection_id, transaction_id, announce }) => {
                if self.knows(connection_id, asker) {
                    self.announce_udp(asker, &announce, transaction_id, rng, out);
                }
            }
            Ok(Request::Scrape { connection_id, transaction_id, hashes }) => {
                if !self.knows(connection_id, asker) {
                } else if !asker.config.access.admits(None) {
                    // A scrape has no room for a key.
                    self.refuse_udp(transaction_id, Refusal::Key, out);
                } else {
                    self.stats.count(Counter::Scrapes);
                    Response::Scrape { transaction_id, counts: &[] }.write(out);
                    for hash in hashes {
                        let counts = self.scrape(asker.config, &InfoHash(*hash)).unwrap_or_default();
                        out.extend_from_slice(&Counts::from(counts).to_udp());
                    }
                }
            }
            Err(Some(bad)) => {
                self.stats.count(Counter::InvalidQueries);
                if self.connection_ids().check(bad.connection_id, asker.ip, asker.now) {
                    refuse(bad.transaction_id, bad.reason, out);
                }
            }
            Err(None) => self.stats.count(Counter::FailedQueries),
        }
    }

    fn knows(&self, connection_id: u64, asker: &Asker<'_>) -> bool {
        let known = self.connection_ids().check(connection_id, asker.ip, asker.now);
        if !known {
            self.stats.count(Counter::InvalidQueries);
        }
        known
    }

    fn announce_udp(
        &self,
        asker: &Asker<'_>,
        request: &wire::Announce<'_>,
        transaction_id: u32,
        rng: &mut Rng,
        out: &mut Vec<u8>,
    ) {
        let url = request.options.url_data();
        let key = url.as_deref().and_then(|url| route(split(url).0)).and_then(|(_, key)| key);
        if !asker.config.access.admits(key) {
            return self.refuse_udp(transaction_id, Refusal::Key, out);
        }
        let announce = Announce {
            info_hash: request.info_hash,
            peer_id: request.peer_id,
            port: request.port,
            left: Some(request.left),
            event: request.event,
            ip: request.ip.map(IpAddr::V4),
            numwant: request.numwant,
            shows_id: false,
            both_families: false,
        };
        let start = out.len();
        let result = self.announce(asker, &announce, rng, |found| {
            let to = For { ip: asker.ip, port: request.port, id: request.peer_id, local: asker.local };
            let head = Response::Announce {
                transaction_id,
                interval_secs: asker.config.answer_interval,
                leechers: found.counts.incomplete,
                seeders: found.counts.complete,
                peers: &[],
            };
            head.write(out);
            found.four.write(&to, out);
            found.six.write(&to, out);
        });
        if let Err(refusal) = result {
            out.truncate(start);
            self.refuse_udp(transaction_id, refusal, out);
        }
    }

    fn refuse_udp(&self, transaction_id: u32, refusal: Refusal, out: &mut Vec<u8>) {
        self.stats.count(refusal.counter());
        refuse(transaction_id, &refusal.to_string(), out);
    }
}

fn refuse(transaction_id: u32, reason: &str, out: &mut Vec<u8>) {
    Response::Error { transaction_id, message: reason.as_bytes() }.write(out);
}
