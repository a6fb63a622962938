//! The window driven by its accessible labels.
