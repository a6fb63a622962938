//! Announces, scrapes and statistics through the whole room, without a socket.
