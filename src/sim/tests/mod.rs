//! The world by itself, played by programs that only talk; and with the engine, in health and in trouble.
//!
//! - `talkers`: links, back-pressure and endings, with programs that send as much as they can
//! - `swarms`: swarms that share as they should, and how fast
//! - `crashes`: a thousand ends at any moment
//! - `faults`: liars, killed programs, lost power, full disks
//! - `strangers`: programs that talk nonsense to the engine

mod crashes;
mod faults;
mod strangers;
mod swarms;
mod talkers;
