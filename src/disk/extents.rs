//! The bytes of a file in memory, as the runs that were written to it; blocks are shared and never copied.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

/// A sparse run of bytes; what was never written reads as zeros up to the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Extents {
    runs: BTreeMap<u64, Bytes>,
    len: u64,
}

impl Extents {
    /// Puts `bytes` at `offset` in place of what was there.
    pub(super) fn write(&mut self, offset: u64, bytes: Bytes) {
        let end = offset + bytes.len() as u64;
        if bytes.is_empty() {
            return;
        }
        self.clear(offset, end);
        self.len = self.len.max(end);
        self.runs.insert(offset, bytes);
    }

    /// Cuts or lengthens to `len` bytes.
    pub(super) fn set_len(&mut self, len: u64) {
        self.clear(len, u64::MAX);
        self.len = len;
    }

    /// Exactly `len` bytes from `offset`; nothing where the file ends before that.
    pub(super) fn read(&self, offset: u64, len: u64) -> Option<Bytes> {
        let end = offset.checked_add(len).filter(|end| *end <= self.len)?;
        if let Some((start, run)) = self.runs.range(..=offset).next_back()
            && end <= start + run.len() as u64
        {
            return Some(run.slice((offset - start) as usize..(end - start) as usize));
        }
        let mut out = BytesMut::zeroed(len as usize);
        let first = self.runs.range(..=offset).next_back().map_or(offset, |(start, _)| *start);
        for (start, run) in self.runs.range(first..end) {
            let (from, to) = (offset.max(*start), end.min(start + run.len() as u64));
            if from < to {
                out[(from - offset) as usize..(to - offset) as usize]
                    .copy_from_slice(&run[(from - start) as usize..(to - start) as usize]);
            }
        }
        Some(out.freeze())
    }

    /// Where the file ends.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The bytes that take up room.
    pub(super) fn used(&self) -> u64 {
        self.runs.values().map(|run| run.len() as u64).sum()
    }

    /// The bytes within `offset..end` that take up room already.
    pub(super) fn used_within(&self, offset: u64, end: u64) -> u64 {
        let first = self.runs.range(..=offset).next_back().map_or(offset, |(start, _)| *start);
        let runs = self.runs.range(first..end);
        runs.map(|(start, run)| end.min(start + run.len() as u64).saturating_sub(offset.max(*start))).sum()
    }

    fn clear(&mut self, from: u64, to: u64) {
        let first = self.runs.range(..=from).next_back().map_or(from, |(start, _)| *start);
        let hit: Vec<u64> = self.runs.range(first..to).map(|(start, _)| *start).collect();
        for start in hit {
            let Some(run) = self.runs.remove(&start) else { continue };
            let end = start + run.len() as u64;
            if start < from {
                self.runs.insert(start, run.slice(..(from.min(end) - start) as usize));
            }
            if end > to {
                self.runs.insert(to, run.slice((to - start) as usize..));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    #[test]
    fn random_writes_read_back_as_from_a_flat_file() {
        let mut rng = Rng::new(1);
        for _ in 0..200 {
            let (mut flat, mut file) = (Vec::new(), Extents::default());
            for _ in 0..40 {
                let (offset, len) = (rng.below(300), rng.below(80));
                let mut bytes = vec![0; len];
                rng.fill(&mut bytes);
                match rng.below(10) {
                    0 => {
                        flat.resize(offset, 0);
                        file.set_len(offset as u64);
                    }
                    _ if len > 0 => {
                        let before = file.used();
                        let inside = file.used_within(offset as u64, (offset + len) as u64);
                        flat.resize(flat.len().max(offset + len), 0);
                        flat[offset..offset + len].copy_from_slice(&bytes);
                        file.write(offset as u64, bytes.into());
                        assert_eq!(file.used(), before + len as u64 - inside);
                    }
                    _ => {}
                }
                assert_eq!(file.len(), flat.len() as u64);
                let (from, to) = (rng.below(400), rng.below(400));
                let got = file.read(from as u64, to.saturating_sub(from) as u64);
                assert_eq!(got.as_deref(), flat.get(from..to.max(from)));
            }
        }
    }
}
