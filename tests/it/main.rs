//! The one integration-test binary.

#[cfg(feature = "host")]
mod cli;
mod tidy;
mod torrents;
#[cfg(feature = "host")]
mod transfer;
