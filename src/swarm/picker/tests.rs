//! The picker against its promises.
