//! What is known of a torrent, field by field, for scripts and tables: all of it or what was chosen.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::api::{State, TorrentRow, View};
use crate::base::InfoHash;

/// One thing that is known of a torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Its identity, hexadecimal.
    InfoHash,
    /// What it is called.
    Name,
    /// What it is doing, in a word.
    State,
    /// How it stands, in a sentence.
    Reason,
    /// Bytes of all its files.
    Size,
    /// Bytes of the files that are wanted.
    Wanted,
    /// Bytes of wanted files that are there.
    Done,
    /// Bytes of wanted files that are missing.
    Left,
    /// The part that is there or checked, 0 to 1.
    Progress,
    /// Bytes received in its life.
    Downloaded,
    /// Bytes sent in its life.
    Uploaded,
    /// Bytes per second received.
    DownRate,
    /// Bytes per second sent.
    UpRate,
    /// Bytes sent per bytes received, or per size for what was shared from here.
    Ratio,
    /// Seconds until it is complete, where that can be told.
    Eta,
    /// Connected peers.
    Peers,
    /// Connected peers that have everything.
    Seeds,
    /// Peers that trackers know of, where one has told.
    SwarmPeers,
    /// Seeds that trackers know of, where one has told.
    SwarmSeeds,
    /// Whole copies among connected peers.
    Availability,
    /// Its place in the queue, from 1.
    Queue,
    /// Its label; empty where it has none.
    Label,
    /// The folder it is saved in.
    Folder,
    /// Seconds since 1970 when it was added.
    Added,
    /// Seconds since 1970 when it became complete, where it is.
    Completed,
    /// Seconds of its life in which it seeded.
    Seeded,
    /// The link that leads to it.
    Magnet,
}

impl Field {
    /// Every field, in the order in which they are shown.
    pub const ALL: [Self; 27] = [
        Self::InfoHash,
        Self::Name,
        Self::State,
        Self::Reason,
        Self::Size,
        Self::Wanted,
        Self::Done,
        Self::Left,
        Self::Progress,
        Self::Downloaded,
        Self::Uploaded,
        Self::DownRate,
        Self::UpRate,
        Self::Ratio,
        Self::Eta,
        Self::Peers,
        Self::Seeds,
        Self::SwarmPeers,
        Self::SwarmSeeds,
        Self::Availability,
        Self::Queue,
        Self::Label,
        Self::Folder,
        Self::Added,
        Self::Completed,
        Self::Seeded,
        Self::Magnet,
    ];

    /// Its name in files and on the command line, such as `down_rate`.
    pub fn name(self) -> String {
        word(&self)
    }

    /// The field of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// What a field says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing: it is not known, or there is none.
    Absent,
    /// A whole number, in the unit of the field.
    Number(u64),
    /// A number with a fraction.
    Fraction(f64),
    /// Text.
    Text(String),
}

impl std::fmt::Display for Value {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => out.write_str("-"),
            Self::Number(number) => number.fmt(out),
            Self::Fraction(number) => write!(out, "{number:.3}"),
            Self::Text(text) => text.fmt(out),
        }
    }
}

/// Chosen fields of one torrent, in the order in which they were chosen; serialised as a map from name to value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats(pub Vec<(Field, Value)>);

impl Stats {
    /// What a field says; nothing where it was not chosen.
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.0.iter().find(|(chosen, _)| *chosen == field).map(|(_, value)| value)
    }
}

impl Serialize for Stats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, value) in &self.0 {
            map.serialize_entry(field, value)?;
        }
        map.end()
    }
}

impl View {
    /// Chosen fields of one torrent; nothing where it is not on the list.
    pub fn stats(&self, torrent: InfoHash, fields: &[Field]) -> Option<Stats> {
        let row = self.torrents.iter().find(|row| row.info_hash == torrent)?;
        Some(row.stats(fields, self.unix_millis / 1_000))
    }
}

impl TorrentRow {
    /// Chosen fields, at a time in seconds since 1970.
    pub fn stats(&self, fields: &[Field], unix_secs: u64) -> Stats {
        Stats(fields.iter().map(|field| (*field, self.stat(*field, unix_secs))).collect())
    }

    /// Seconds of its life in which it seeded, up to a time in seconds since 1970.
    pub fn seeding_secs(&self, unix_secs: u64) -> u64 {
        let stretch = self.seeding_since_unix.map_or(0, |since| unix_secs.saturating_sub(since));
        self.seeded_secs + stretch
    }

    fn stat(&self, field: Field, unix_secs: u64) -> Value {
        let number = |number: Option<u64>| number.map_or(Value::Absent, Value::Number);
        match field {
            Field::InfoHash => Value::Text(self.info_hash.to_hex()),
            Field::Name => Value::Text(self.name.clone()),
            Field::State => Value::Text(word::<State>(&self.state)),
            Field::Reason => Value::Text(self.reason.clone()),
            Field::Size => Value::Number(self.size),
            Field::Wanted => Value::Number(self.wanted),
            Field::Done => Value::Number(self.done),
            Field::Left => Value::Number(self.wanted.saturating_sub(self.done)),
            Field::Progress => Value::Fraction(self.progress.into()),
            Field::Downloaded => Value::Number(self.downloaded),
            Field::Uploaded => Value::Number(self.uploaded),
            Field::DownRate => Value::Number(self.down_rate),
            Field::UpRate => Value::Number(self.up_rate),
            Field::Ratio => Value::Fraction(self.ratio.into()),
            Field::Eta => number(self.eta_secs),
            Field::Peers => Value::Number(self.peers.into()),
            Field::Seeds => Value::Number(self.seeds.into()),
            Field::SwarmPeers => number(self.swarm.map(|(peers, _)| peers.into())),
            Field::SwarmSeeds => number(self.swarm.map(|(_, seeds)| seeds.into())),
            Field::Availability => Value::Fraction(self.availability.into()),
            Field::Queue => Value::Number(self.queue.into()),
            Field::Label => Value::Text(self.label.clone()),
            Field::Folder => Value::Text(self.folder.display().to_string()),
            Field::Added => Value::Number(self.added_unix),
            Field::Completed => number(self.completed_unix),
            Field::Seeded => Value::Number(self.seeding_secs(unix_secs)),
            Field::Magnet => Value::Text(self.magnet.clone()),
        }
    }
}

/// The word by which something is written in files.
fn word<T: Serialize>(of: &T) -> String {
    let word = serde_json::to_value(of).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_name_and_is_found_by_it() {
        for field in Field::ALL {
            assert_eq!(Field::named(&field.name()), Some(field));
        }
        assert_eq!((Field::DownRate.name().as_str(), Field::named("colour")), ("down_rate", None));
        let mut all = Field::ALL;
        all.sort_unstable();
        assert!(all.windows(2).all(|two| two[0] < two[1]), "each once");
    }

    #[test]
    fn what_was_chosen_is_told_in_its_order() {
        let row = TorrentRow {
            name: "a".into(),
            wanted: 10,
            done: 4,
            ratio: 1.5,
            seeded_secs: 5,
            seeding_since_unix: Some(100),
            state: State::Seeding,
            ..TorrentRow::default()
        };
        let fields = [Field::Left, Field::Name, Field::Eta, Field::Ratio, Field::Seeded, Field::State];
        let stats = row.stats(&fields, 107);
        let text = serde_json::to_string(&stats).expect("plain data");
        assert_eq!(text, r#"{"left":6,"name":"a","eta":null,"ratio":1.5,"seeded":12,"state":"seeding"}"#);
        assert_eq!((stats.get(Field::Eta), stats.get(Field::Size)), (Some(&Value::Absent), None));
        let view = View { torrents: vec![row.into()].into(), unix_millis: 101_000, ..View::default() };
        let seeded = view.stats(InfoHash::default(), &[Field::Seeded]).expect("on the list");
        assert_eq!(seeded.get(Field::Seeded), Some(&Value::Number(6)));
        assert_eq!(view.stats(InfoHash([1; 20]), &[]), None);
    }
}
