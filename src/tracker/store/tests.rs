//! The store against a plain model.
