//! Files: what is asked of a disk, and the disks that answer.
//!
//! - `job`: [`Job`] and [`Done`], plain values that the engine speaks in
//! - `memory`: [`MemoryDisk`], a simulated disk with faults to order, over `extents`
//! - `workers`: [`Workers`], the real disk: threads that do jobs
//! - `files`: the real files of a torrent
//! - `system`: what the operating system is asked for
//! - `create`: making a torrent of a file or a folder
//! - `verify`: whether a folder holds what a torrent says
//! - `hashing`: pieces of real files hashed on several threads

#[cfg(feature = "host")]
pub mod create;
mod extents;
#[cfg(feature = "host")]
mod files;
#[cfg(feature = "host")]
mod hashing;
mod job;
mod memory;
#[cfg(feature = "host")]
mod system;
#[cfg(feature = "host")]
mod verify;
#[cfg(feature = "host")]
mod workers;

pub use job::{DiskError, Done, FileStamp, Job, Relocation, Storage, Verdict};
pub use memory::{Faults, Hasher, MemoryDisk};
#[cfg(feature = "host")]
pub use verify::{Progress, VerifyError, verify};
#[cfg(feature = "host")]
pub use workers::{Answers, Config, Workers};
