//! What was chosen for a torrent beyond the columns of its row, as one JSON text: fields may be added without a new table, and
//! those that are absent have their defaults. Pure: values in, values out.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::rows;
use crate::api::Goals;
use crate::engine::{Enough, Record, Summary};

/// Those choices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct More {
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moving: Option<Place>,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    goals: Goals,
    #[serde(skip_serializing_if = "is_default")]
    place: u64,
    #[serde(skip_serializing_if = "is_default")]
    enough: Enough,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Brief>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The summary, under names that are read back by later versions too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Brief {
    name: String,
    size: u64,
    piece_length: u32,
    private: bool,
    trackers: Vec<Vec<String>>,
    magnet: String,
}

/// A folder: as text where it is text, as the system's own bytes in hexadecimal where it is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Text(String),
    Bytes(String),
}

impl Place {
    fn of(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(HEXLOWER.encode(&rows::system_bytes(path))),
        }
    }

    fn path(self) -> Option<PathBuf> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Bytes(hex) => rows::system_path(&HEXLOWER.decode(hex.as_bytes()).ok()?),
        }
    }
}

impl Brief {
    fn of(summary: &Summary) -> Self {
        let Summary { name, size, piece_length, private, trackers, magnet } = summary.clone();
        Self { name, size, piece_length, private, trackers, magnet }
    }

    fn summary(self) -> Summary {
        let Self { name, size, piece_length, private, trackers, magnet } = self;
        Summary { name, size, piece_length, private, trackers, magnet }
    }
}

impl More {
    /// What there is of it in a record.
    pub(super) fn of(record: &Record) -> Self {
        Self {
            target: record.target.as_deref().map(Place::of),
            moving: record.moving.as_deref().map(Place::of),
            label: record.label.clone(),
            title: record.title.clone(),
            goals: record.goals,
            place: record.place,
            enough: record.enough,
            summary: record.summary.as_ref().map(Brief::of),
        }
    }

    /// The same without what the .torrent file says as well.
    pub(super) fn without_summary(self) -> Self {
        Self { summary: None, ..self }
    }

    /// Puts it into a record.
    pub(super) fn give_to(self, record: &mut Record) {
        record.target = self.target.and_then(Place::path);
        record.moving = self.moving.and_then(Place::path);
        record.label = self.label;
        record.title = self.title;
        record.goals = self.goals;
        record.place = self.place;
        record.enough = self.enough;
        record.summary = self.summary.map(Brief::summary);
    }

    /// The text.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// Out of the text; nothing where it is none of ours.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
