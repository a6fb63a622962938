//! The one owner of all decisions: inputs in, outputs out, no clock, socket or file.
