//! The world by itself, played by programs that only talk; and with the engine, in health and in trouble.

mod faults;
mod strangers;
mod swarms;
mod talkers;
