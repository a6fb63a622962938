//! SHA-1 and SHA-256, one message or many at once.
