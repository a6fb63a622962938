//! One torrent's swarm: which pieces are there, which to ask for, whom to serve, whom to trust.
