//! Files: what is asked of a disk, and the disks that answer.
//!
//! - `job`: [`Job`] and [`Done`], plain values that the engine speaks in
//! - `memory`: [`MemoryDisk`], a simulated disk with faults to order, over `extents`

mod extents;
mod job;
mod memory;

pub use job::{DiskError, Done, FileStamp, Job, Storage, Verdict};
pub use memory::{Faults, Hasher, MemoryDisk};
