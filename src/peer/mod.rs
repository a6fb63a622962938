//! One connection to a peer, without its socket: handshake, extensions, request pipeline, metadata.
