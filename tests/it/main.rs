//! The one integration-test binary.

#[cfg(feature = "host")]
mod cli;
mod tidy;
mod torrents;
