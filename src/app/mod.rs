//! The program: command line, paths, log, single instance.
