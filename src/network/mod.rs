//! The thesis's system without its sockets: coordinator, index and statistics.
