//! The parts that panels are made of.
//!
//! - `amount`: numbers of a form that may be left out
//! - `bar`: progress with text, the pieces of a torrent
//! - `button`: buttons with icons
//! - `dialog`: dialogs over the window
//! - `field`: rows of a form, search fields, facts
//! - `format`: sizes, rates, times as text
//! - `graph`: rates over time
//! - `icon`: the icons
//! - `qr`: QR codes
//! - `table`: tables of any length that can be sorted and arranged
//! - `toast`: short messages

pub(crate) mod amount;
pub(crate) mod bar;
pub(crate) mod button;
pub(crate) mod dialog;
pub(crate) mod field;
pub(crate) mod format;
pub(crate) mod graph;
pub(crate) mod icon;
pub(crate) mod qr;
pub(crate) mod table;
pub(crate) mod toast;
