//! The thesis's experiments, on the simulator or on real sockets.
