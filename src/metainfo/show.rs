//! A torrent as it is shown: one object for programs, a few lines for people.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::metainfo::Torrent;
use crate::metainfo::names::is_invisible;

/// What there is to know of a torrent, in plain values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its name as it will be on the disk.
    pub name: String,
    /// The v1 info-hash in hexadecimal digits.
    pub info_hash_v1: Option<String>,
    /// The v2 info-hash in hexadecimal digits.
    pub info_hash_v2: Option<String>,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// How many pieces there are.
    pub piece_count: u32,
    /// Bytes of all files together, padding included.
    pub total_length: u64,
    /// Whether peers come from its trackers only.
    pub private: bool,
    /// What its maker says of it.
    pub comment: Option<String>,
    /// The program that made it.
    pub created_by: Option<String>,
    /// When it was made, in seconds since 1970.
    pub creation_date: Option<i64>,
    /// Trackers in tiers.
    pub announce: Vec<Vec<String>>,
    /// Web seeds.
    pub web_seeds: Vec<String>,
    /// The files in torrent order.
    pub files: Vec<ShownFile>,
    /// The link that stands for it.
    pub magnet: String,
}

/// One file of a shown torrent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownFile {
    /// Its path below the folder chosen for saving, as it will be on the disk.
    pub path: Vec<String>,
    /// Bytes.
    pub length: u64,
    /// Whether it is padding, which never exists on the disk.
    pub pad: bool,
}

impl Torrent {
    /// The torrent in plain values.
    pub fn shown(&self) -> Shown {
        let file = |file: &crate::metainfo::File| ShownFile {
            path: file.path.clone(),
            length: file.length,
            pad: file.pad,
        };
        Shown {
            name: self.name.clone(),
            info_hash_v1: Some(self.info_hash.to_hex()),
            info_hash_v2: self.info_hash_v2.map(|hash| HEXLOWER.encode(&hash)),
            piece_length: self.layout.piece_length(),
            piece_count: self.layout.piece_count(),
            total_length: self.layout.total_length(),
            private: self.private,
            comment: self.comment.clone(),
            created_by: self.created_by.clone(),
            creation_date: self.creation_date,
            announce: self.trackers.clone(),
            web_seeds: self.web_seeds.clone(),
            files: self.layout.files().iter().map(file).collect(),
            magnet: self.magnet().to_string(),
        }
    }
}

impl fmt::Display for Shown {
    /// Several lines, fit for a terminal whatever the torrent says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |label: &str, text: &str| writeln!(f, "{label:<14} {}", printable(text));
        line("Name", &self.name)?;
        for (label, hash) in [("Info-hash v1", &self.info_hash_v1), ("Info-hash v2", &self.info_hash_v2)] {
            hash.iter().try_for_each(|hash| line(label, hash))?;
        }
        line("Size", &size(self.total_length))?;
        line("Pieces", &format!("{} of {}", self.piece_count, size(self.piece_length.into())))?;
        line("Private", if self.private { "yes" } else { "no" })?;
        self.creation_date.iter().try_for_each(|secs| line("Created", &date(*secs)))?;
        for (label, text) in [("Created by", &self.created_by), ("Comment", &self.comment)] {
            text.iter().try_for_each(|text| line(label, text))?;
        }
        for (number, tier) in (1..).zip(&self.announce) {
            tier.iter().try_for_each(|url| line(&format!("Tracker {number}"), url))?;
        }
        self.web_seeds.iter().try_for_each(|url| line("Web seed", url))?;
        line("Magnet", &self.magnet)?;
        line("Files", &self.files.iter().filter(|file| !file.pad).count().to_string())?;
        for file in self.files.iter().filter(|file| !file.pad) {
            writeln!(f, "  {:>12}  {}", size(file.length), printable(&file.path.join("/")))?;
        }
        Ok(())
    }
}

/// The text without what would move a terminal's cursor or turn the direction of writing.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Bytes in the largest unit that leaves at least one, with one decimal.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = (bytes.max(1).ilog2() / 10) as usize;
    match power.checked_sub(1).and_then(|at| units.get(at)) {
        None => format!("{bytes} B"),
        Some(unit) => {
            let tenths = u128::from(bytes) * 10 / (1u128 << (power * 10));
            match (tenths / 10, tenths % 10) {
                (whole, 0) => format!("{whole} {unit}"),
                (whole, tenth) => format!("{whole}.{tenth} {unit}"),
            }
        }
    }
}

/// Seconds since 1970 as a date and time in UTC.
fn date(secs: i64) -> String {
    // Days are counted from 1 March of the year 0, so that the leap day is the last of its year, in eras of 400 years.
    let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_people_are_told_the_same() {
        let file = b"d7:comment6:\x1b[31m!13:creation datei1359599503e4:infod6:lengthi425e4:name4:temp\
            12:piece lengthi16384e6:pieces20:01234567890123456789ee";
        let shown = Torrent::parse(file).expect("a good torrent").shown();
        let json = serde_json::to_value(&shown).expect("plain values");
        assert_eq!(json["info_hash_v2"], serde_json::Value::Null);
        assert_eq!(json["files"], serde_json::json!([{"path": ["temp"], "length": 425, "pad": false}]));
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(14));
        let text = shown.to_string();
        for line in
            ["Size           425 B", "Created        2013-01-31 02:31:43 UTC", "Comment         [31m!"]
        {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn sizes_and_dates_read_well() {
        for (bytes, text) in
            [(0, "0 B"), (1_023, "1023 B"), (1_024, "1 KiB"), (1_536, "1.5 KiB"), (1 << 30, "1 GiB")]
        {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(size(u64::MAX), "15.9 EiB");
        assert_eq!(date(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00 UTC");
        assert!(date(i64::MAX).ends_with(" UTC"));
    }
}
