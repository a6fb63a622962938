//! The `info` dictionary from peers and for peers (BEP 9).

use bytes::Bytes;

use crate::api::{Event, FilePriority, Level};
use crate::base::ConnKey;
use crate::engine::record::Change;
use crate::engine::shared::Shared;
use crate::metainfo;
use crate::peer::Fetched;
use crate::wire::peer::extended::{METADATA_BLOCK, Metadata};

use super::Torrent;
use super::messages::Breach;
use super::peers::Parting;

impl Torrent {
    pub(super) fn metadata_message(
        &mut self,
        conn: ConnKey,
        payload: &Bytes,
        shared: &mut Shared,
    ) -> Result<(), Breach> {
        match Metadata::decode(payload).map_err(|_| Breach)? {
            None => {}
            Some(Metadata::Request { piece }) => self.serve_metadata(conn, piece),
            Some(Metadata::Reject { .. }) => {
                if let Some(fetch) = &mut self.fetch {
                    fetch.rejected(conn);
                }
            }
            Some(Metadata::Data { piece, total_size, data }) => {
                let Some(fetch) = &mut self.fetch else { return Ok(()) };
                match fetch.received(conn, piece, total_size, data) {
                    Fetched::More => {}
                    Fetched::Whole(info) => self.metadata_is_whole(info, shared),
                    Fetched::Wrong(senders) => {
                        // One sender alone is the liar; of several only the fetch can find out which.
                        if let [liar] = senders[..] {
                            self.part(liar, Parting::Broken, shared);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks peers for parts of the dictionary.
    pub(super) fn ask_for_metadata(&mut self, shared: &mut Shared) {
        let Some(fetch) = &mut self.fetch else { return };
        for link in self.links.values_mut() {
            let Some(id) = link.extended.ids.metadata else { continue };
            for piece in fetch.requests(link.conn, shared.now) {
                link.say_extended(Some(id), Metadata::Request { piece }.encode());
            }
        }
    }

    fn serve_metadata(&mut self, conn: ConnKey, piece: u32) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let Some(id) = link.extended.ids.metadata else { return };
        let part = self.content.as_ref().and_then(|content| {
            let info = &content.meta.info;
            let begin = (piece as usize).checked_mul(METADATA_BLOCK as usize)?;
            let end = info.len().min(begin.checked_add(METADATA_BLOCK as usize)?);
            (begin < end).then(|| (info.slice(begin..end), info.len() as u32))
        });
        // A peer that takes nothing is not given more and more.
        let answer = match part {
            Some((data, total_size)) if link.takes_metadata() => Metadata::Data { piece, total_size, data },
            _ => Metadata::Reject { piece },
        };
        link.say_extended(Some(id), answer.encode());
    }

    fn metadata_is_whole(&mut self, info: Bytes, shared: &mut Shared) {
        let magnet = self.magnet.clone().unwrap_or_default();
        let tiers = magnet.trackers.iter().map(|url| vec![url.clone()]).collect();
        match metainfo::Torrent::from_info(info, tiers, magnet.web_seeds.clone()) {
            Ok(torrent) => {
                if self.choices.priorities.is_empty() && !magnet.select.is_empty() {
                    let files = 0..torrent.layout.files().len() as u32;
                    let wanted =
                        |file| if magnet.selects(file) { FilePriority::Normal } else { FilePriority::Skip };
                    self.choices.priorities = files.map(wanted).collect();
                }
                let name = torrent.name.clone();
                self.adopt(Box::new(torrent), None, false);
                shared.event(Event::Named { torrent: self.info_hash, name });
                shared.store(Change::Put(Box::new(self.record())));
                // Until the disk was looked at nothing is asked for; the connections stay.
                self.start(shared);
                let all: Vec<ConnKey> = self.links.keys().copied().collect();
                for conn in all {
                    let none = crate::base::Bitfield::new(self.all_pieces().len());
                    self.set_has(conn, none, shared);
                    if self.apply_early(conn, shared).is_err() {
                        self.part(conn, Parting::Broken, shared);
                    }
                }
            }
            Err(error) => {
                let reason = format!("the torrent behind this link cannot be used: {error}");
                let name = self.name();
                self.fetch = Some(crate::peer::MetadataFetch::new(self.info_hash));
                self.fault =
                    Some(super::Fault { reason: reason.clone(), retry_at: crate::base::Moment::NEVER });
                self.stop_running(shared);
                shared.log(Level::Error, format!("{name}: {reason}"));
                shared.event(Event::Failed { torrent: self.info_hash, name, reason });
            }
        }
    }
}
