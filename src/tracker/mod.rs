//! A tracker without its sockets: swarms, who may announce, statistics.
