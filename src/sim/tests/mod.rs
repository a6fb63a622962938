//! The world by itself, played by programs that only talk.

mod talkers;
