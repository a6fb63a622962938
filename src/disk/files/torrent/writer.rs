//! Writing runs of pieces: those that follow each other in one file share what it takes to open, look at and lock it.

use std::io::{self, IoSlice};
use std::sync::{Arc, MutexGuard, RwLockReadGuard};

use bytes::Bytes;

use super::super::parts::POOL_NUMBER;
use super::super::pool::lock;
use super::{Files, PENS, Place};
use crate::base::PieceIndex;
use crate::disk::DiskError;
use crate::disk::system::{Access, disk_error};
use crate::metainfo::FileSpan;

/// Somebody who writes to a torrent's files. Until he is gone no move begins and nobody else writes to the file that he is
/// at, so he must not outlive what he has to write.
pub(in crate::disk) struct Writer<'a> {
    // The file goes before the place.
    open: Option<Open<'a>>,
    place: Option<RwLockReadGuard<'a, Place>>,
    files: &'a Files,
}

/// A file that is written to.
struct Open<'a> {
    files: &'a Files,
    number: usize,
    file: Arc<std::fs::File>,
    /// Whether it was created for this.
    created: bool,
    wrote: bool,
    _pen: MutexGuard<'a, ()>,
}

impl<'a> Writer<'a> {
    /// Somebody who has written nothing yet.
    pub(in crate::disk) fn new(files: &'a Files) -> Self {
        Self { open: None, place: None, files }
    }

    /// Writes `blocks`, which follow each other, from `begin` in `piece` on.
    pub(in crate::disk) fn write(
        &mut self,
        piece: PieceIndex,
        begin: u32,
        blocks: &[Bytes],
    ) -> Result<(), DiskError> {
        let len: usize = blocks.iter().map(Bytes::len).sum();
        let mut rest = blocks.iter().map(|block| &block[..]);
        let mut current: &[u8] = &[];
        let mut slices = Vec::with_capacity(blocks.len());
        let layout = self.files.layout();
        for span in layout.spans(piece, begin, len as u32) {
            let mut wanted = span.len as usize;
            slices.clear();
            while wanted > 0 {
                if current.is_empty() {
                    let Some(next) = rest.next() else { break };
                    current = next;
                }
                let (now, later) = current.split_at(current.len().min(wanted));
                slices.push(IoSlice::new(now));
                current = later;
                wanted -= now.len();
            }
            if !layout.files()[span.file].pad {
                self.write_span(piece, span, &mut slices)?;
            }
        }
        Ok(())
    }

    fn write_span(
        &mut self,
        piece: PieceIndex,
        span: FileSpan,
        slices: &mut [IoSlice<'_>],
    ) -> Result<(), DiskError> {
        let files = self.files;
        let failed = |error: io::Error| disk_error(&error, &files.full_path(span.file));
        let place = match self.place.take() {
            Some(place) => place,
            None => files.place()?,
        };
        if self.place.insert(place).hides(span.file) {
            let at = (piece, files.begin_in(piece, span));
            let created = files.parts.write(&files.disk, files.id, &files.root(), at, slices);
            files.touched(POOL_NUMBER, created.map_err(failed)?);
            return Ok(());
        }
        let open = match self.open.take().filter(|open| open.number == span.file) {
            Some(open) => open,
            None => Open::new(files, span.file)?,
        };
        let open = self.open.insert(open);
        files.disk.system.write(&open.file, slices, span.offset).map_err(failed)?;
        open.wrote = true;
        Ok(())
    }
}

impl<'a> Open<'a> {
    fn new(files: &'a Files, number: usize) -> Result<Self, DiskError> {
        let existed = files.writing(number, true);
        // A file that was there and is gone is not made anew: what it held would be taken for written.
        let access = if existed { Access::Write } else { Access::Create };
        let opened = files.open(number, access).and_then(|(file, created)| {
            let metadata = file.metadata().map_err(|error| disk_error(&error, &files.full_path(number)))?;
            if !files.disk.system.is_named(&metadata) {
                files.disk.close((files.id, number));
                return Err(DiskError::Missing { path: files.full_path(number) });
            }
            Ok((file, created))
        });
        match opened {
            Ok((file, created)) => {
                let pen = lock(&files.pens[number % PENS]);
                Ok(Self { files, number, file, created, wrote: false, _pen: pen })
            }
            Err(error) => {
                files.writing(number, false);
                Err(error)
            }
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.files.writing(self.number, false);
        if self.wrote {
            self.files.touched(self.number, self.created);
        }
    }
}
