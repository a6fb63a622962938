//! Sockets: the loop that drives the engine, peers over TCP, trackers over HTTP and UDP.
