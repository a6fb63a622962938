//! The world by itself, played by programs that only talk; and with the engine, in health and in trouble.
//!
//! - `talkers`: links, back-pressure and endings, with programs that send as much as they can
//! - `swarms`: swarms that share as they should, and how fast
//! - `crashes`: a thousand ends at any moment
//! - `faults`: liars, killed programs, lost power, full disks
//! - `limits`: what goes from one tenth of a second to the next
//! - `strangers`: programs that talk nonsense to the engine

mod crashes;
mod faults;
mod limits;
mod strangers;
mod swarms;
mod talkers;
