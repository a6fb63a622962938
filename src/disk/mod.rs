//! Files: what is asked of a disk, and the disks that answer.
//!
//! - `job`: [`Job`] and [`Done`], plain values that the engine speaks in

mod job;

pub use job::{DiskError, Done, FileStamp, Job, Storage, Verdict};
