//! A tracker on loopback, over HTTP and UDP.
