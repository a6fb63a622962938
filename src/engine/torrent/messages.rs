//! What peers say, one message after another.

use bytes::Bytes;

use crate::base::{Bitfield, ConnKey, PieceIndex};
use crate::engine::shared::Shared;
use crate::peer::Item;
use crate::swarm::Found;
use crate::wire::peer::{Message, extended};

use super::Torrent;
use super::peers::Parting;

/// The peer broke the rules in a way that no honest program does.
#[derive(Debug)]
pub(super) struct Breach;

impl Torrent {
    /// A peer has said several things.
    pub(in crate::engine) fn received(&mut self, conn: ConnKey, items: Vec<Item>, shared: &mut Shared) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.heard_at = shared.now;
        let mut blocks = 0;
        for item in items {
            let heard = match item {
                Item::Handshake(_) => Err(Breach),
                Item::Message(Message::Piece { piece, begin, data }) => {
                    blocks += 1;
                    self.block_came(conn, piece, begin, data, shared)
                }
                Item::Message(message) => self.heard(conn, message, shared),
            };
            if heard.is_err() {
                self.part(conn, Parting::Broken, shared);
            }
            if !self.links.contains_key(&conn) {
                return;
            }
        }
        if blocks > 0 {
            self.blocks_came(conn, blocks, shared.now);
        }
    }

    fn heard(&mut self, conn: ConnKey, message: Message, shared: &mut Shared) -> Result<(), Breach> {
        let Some(link) = self.links.get_mut(&conn) else { return Ok(()) };
        let fast = link.reserved.fast();
        match message {
            Message::KeepAlive | Message::Port(_) | Message::Suggest(_) | Message::Piece { .. } => {}
            Message::Choke => self.choked_us(conn),
            Message::Unchoke => self.unchoked_us(conn),
            Message::Interested => self.became_interested(conn, shared),
            Message::NotInterested => {
                link.interested = false;
                self.timers.choke_soon |= !link.choked;
            }
            Message::Have(_) | Message::Bitfield(_) if self.content.is_none() => link.keep_early(message),
            Message::HaveAll | Message::HaveNone | Message::AllowedFast(_)
                if self.content.is_none() && fast =>
            {
                link.keep_early(message);
            }
            Message::Have(piece) => self.has_one_more(conn, piece, shared)?,
            Message::Bitfield(bits) => self.has_these(conn, &bits, shared)?,
            Message::HaveAll if fast => {
                let all = self.all_pieces();
                self.set_has(conn, all, shared);
            }
            Message::HaveNone if fast => {}
            Message::AllowedFast(piece) if fast => {
                if self.content.as_ref().is_some_and(|content| content.meta.layout.piece(piece.0).is_some()) {
                    link.allow_us(piece);
                    link.hungry = true;
                }
            }
            Message::Reject(block) if fast => {
                if let Some(content) = &mut self.content {
                    // While it chokes, a rejection says nothing about the piece.
                    if link.choking_us && !link.allowed_us.contains(&block.piece) {
                        content.picker.give_back(conn, block);
                    } else {
                        content.picker.refused(conn, block);
                    }
                    link.hungry = true;
                }
            }
            // A message of an extension that was not agreed on.
            Message::HaveAll | Message::HaveNone | Message::AllowedFast(_) | Message::Reject(_) => {
                return Err(Breach);
            }
            Message::Request(block) => self.asked_for(conn, block)?,
            Message::Cancel(block) => {
                if link.uploads.cancel(block) && fast {
                    link.say(Message::Reject(block));
                }
            }
            Message::Extended { id, payload } => self.extended(conn, id, &payload, shared)?,
        }
        Ok(())
    }

    fn has_one_more(&mut self, conn: ConnKey, piece: PieceIndex, shared: &mut Shared) -> Result<(), Breach> {
        let (Some(content), Some(link)) = (&mut self.content, self.links.get_mut(&conn)) else {
            return Ok(());
        };
        let has = link.has.as_mut().ok_or(Breach)?;
        if piece.at() >= has.len() {
            return Err(Breach);
        }
        if !has.insert(piece) {
            return Ok(());
        }
        let everything = has.all();
        content.picker.peer_gains(piece);
        if everything {
            self.roster.set_seed(link.addr, true);
        }
        if content.pieces.missing().contains(piece) {
            link.hungry = true;
            if !link.interesting {
                self.weigh_interest(conn);
            }
        }
        self.hidden_from_has(conn, piece, shared.now);
        if everything {
            self.timers.choke_soon = true;
        }
        Ok(())
    }

    fn has_these(&mut self, conn: ConnKey, bits: &Bytes, shared: &mut Shared) -> Result<(), Breach> {
        let has = Bitfield::from_wire(bits, self.all_pieces().len()).ok_or(Breach)?;
        self.set_has(conn, has, shared);
        Ok(())
    }

    fn extended(
        &mut self,
        conn: ConnKey,
        id: u8,
        payload: &Bytes,
        shared: &mut Shared,
    ) -> Result<(), Breach> {
        let Some(link) = self.links.get_mut(&conn) else { return Ok(()) };
        if !link.reserved.extended() {
            return Err(Breach);
        }
        match id {
            extended::HANDSHAKE_ID => {
                link.extended.update(payload).map_err(|_| Breach)?;
                if let Some(reqq) = link.extended.reqq {
                    link.pipeline.set_most(reqq);
                }
                let (ip, size) = (link.addr.ip(), link.extended.metadata_size);
                if let Some(port) = link.extended.port.filter(|_| conn.is_incoming()) {
                    let listens = (ip, port).into();
                    self.roster.add(listens, Found::Incoming, shared.now);
                    // Where it listens it is met already.
                    self.roster.connected(listens, shared.now);
                    link.addr = listens;
                }
                if link.extended.upload_only {
                    self.timers.choke_soon = true;
                }
                if let (Some(fetch), Some(size)) = (&mut self.fetch, size) {
                    fetch.offered(conn, size);
                }
            }
            extended::METADATA_ID => self.metadata_message(conn, payload, shared)?,
            extended::DONT_HAVE_ID => {
                let piece = extended::DontHave::decode(payload).map_err(|_| Breach)?.0;
                if let (Some(content), Some(has)) = (&mut self.content, &mut link.has)
                    && has.remove(piece)
                {
                    content.picker.peer_loses(piece);
                }
            }
            extended::UPLOAD_ONLY_ID => {
                link.extended.upload_only = extended::UploadOnly::decode(payload).map_err(|_| Breach)?.0;
                self.timers.choke_soon = true;
            }
            // Messages that we gave no number, or one that nobody knows.
            _ => {}
        }
        Ok(())
    }

    fn choked_us(&mut self, conn: ConnKey) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.choking_us = true;
        let fast = link.reserved.fast();
        if let Some(content) = &mut self.content {
            // With the Fast extension each request is answered or rejected by itself (BEP 6).
            if !fast {
                content.picker.give_back_all(conn);
                link.pipeline.emptied();
                self.links.values_mut().for_each(|other| other.hungry = true);
            }
        }
    }

    fn unchoked_us(&mut self, conn: ConnKey) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.choking_us = false;
        link.hungry = true;
        if let Some(content) = &mut self.content {
            content.picker.forgive(conn);
        }
    }

    /// What a peer said before the number of pieces was known takes effect.
    pub(super) fn apply_early(&mut self, conn: ConnKey, shared: &mut Shared) -> Result<(), Breach> {
        let Some(link) = self.links.get_mut(&conn) else { return Ok(()) };
        let early = std::mem::take(&mut link.early);
        for message in early {
            self.heard(conn, message, shared)?;
        }
        Ok(())
    }
}
