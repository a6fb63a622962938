//! The session on disk: database, copies of .torrent files, settings.
