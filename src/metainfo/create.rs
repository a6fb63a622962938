//! The bytes of a new .torrent file, once the pieces have been hashed.

use crate::bencode::Encoder;

/// The files of a new torrent and how they are cut into pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name of the file or of the folder above all files.
    pub name: String,
    /// Path below that name, and length, of each file in order; for a single file the path does not count.
    pub files: Vec<(Vec<String>, u64)>,
    /// Whether it is a single file and no folder.
    pub single: bool,
    /// Bytes of a piece.
    pub piece_length: u32,
}

/// What else a new torrent says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Trackers in tiers (BEP 12).
    pub trackers: Vec<Vec<String>>,
    /// Web seeds (BEP 19).
    pub web_seeds: Vec<String>,
    /// Whether peers come from the trackers only (BEP 27).
    pub private: bool,
    /// A word from the maker.
    pub comment: Option<String>,
    /// The program that made it.
    pub created_by: Option<String>,
    /// Seconds since 1970.
    pub creation_date: Option<i64>,
    /// Makes the info-hash differ between sites that share the same files.
    pub source: Option<String>,
}

/// The piece length for so many bytes: a power of two that makes 1,000 to 2,000 pieces, between 16 KiB and 16 MiB.
pub fn automatic_piece_length(total: u64) -> u32 {
    const SMALLEST: u64 = 16 * 1024;
    const LARGEST: u64 = 16 * 1024 * 1024;
    total.div_ceil(2_000).clamp(SMALLEST, LARGEST).next_power_of_two() as u32
}

/// Writes the .torrent file. `hashes` has 20 bytes for each piece.
pub fn build(plan: &Plan, hashes: &[u8], details: &Details) -> Vec<u8> {
    let mut out = Encoder::append(Vec::with_capacity(hashes.len() + 1024));
    out.dict(|dict| {
        if let Some(first) = details.trackers.iter().flatten().next() {
            dict.bytes("announce", first);
        }
        if details.trackers.iter().flatten().nth(1).is_some() {
            dict.list("announce-list", |list| {
                details.trackers.iter().filter(|tier| !tier.is_empty()).for_each(|tier| strings(list, tier));
            });
        }
        for (key, text) in [("comment", &details.comment), ("created by", &details.created_by)] {
            text.iter().for_each(|text| _ = dict.bytes(key, text));
        }
        details.creation_date.iter().for_each(|date| _ = dict.int("creation date", *date));
        write_info(dict.key("info"), plan, hashes, details);
        if !details.web_seeds.is_empty() {
            strings(dict.key("url-list"), &details.web_seeds);
        }
    });
    out.finish()
}

fn write_info(out: &mut Encoder, plan: &Plan, hashes: &[u8], details: &Details) {
    let length = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    out.dict(|dict| {
        if plan.single {
            dict.int("length", length(plan.files.iter().map(|(_, bytes)| bytes).sum()));
        } else {
            dict.list("files", |list| {
                for (path, bytes) in &plan.files {
                    list.dict(|file| {
                        file.int("length", length(*bytes));
                        strings(file.key("path"), path);
                    });
                }
            });
        }
        dict.bytes("name", &plan.name).int("piece length", plan.piece_length.into()).bytes("pieces", hashes);
        if details.private {
            dict.int("private", 1);
        }
        details.source.iter().for_each(|source| _ = dict.bytes("source", source));
    });
}

fn strings(out: &mut Encoder, texts: &[String]) {
    out.list(|list| texts.iter().for_each(|text| _ = list.bytes(text)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metainfo::Torrent;

    #[test]
    fn the_number_of_pieces_is_sensible() {
        assert_eq!(automatic_piece_length(0), 16 * 1024);
        assert_eq!(automatic_piece_length(1), 16 * 1024);
        assert_eq!(automatic_piece_length(2_000 * 16 * 1024), 16 * 1024);
        assert_eq!(automatic_piece_length(2_000 * 16 * 1024 + 1), 32 * 1024);
        assert_eq!(automatic_piece_length(1 << 30), 1 << 20);
        assert_eq!(automatic_piece_length(u64::MAX), 16 * 1024 * 1024);
        for power in 25..35 {
            for total in [1u64 << power, (1 << power) + 12_345, (1 << power) * 3 / 2] {
                let pieces = total.div_ceil(u64::from(automatic_piece_length(total)));
                assert!((1_000..=2_000).contains(&pieces), "{total}: {pieces}");
            }
        }
    }

    #[test]
    fn what_is_built_reads_back() {
        let plan = Plan {
            name: "folder".into(),
            files: vec![(vec!["a".into()], 20_000), (vec!["d".into(), "é".into()], 0)],
            single: false,
            piece_length: 16_384,
        };
        let details = Details {
            trackers: vec![vec!["http://a".into()], vec![], vec!["http://b".into()]],
            web_seeds: vec!["http://w/".into()],
            private: true,
            comment: Some("c".into()),
            created_by: Some("Fyris".into()),
            creation_date: Some(1),
            source: Some("s".into()),
        };
        let torrent = Torrent::parse(&build(&plan, &[7; 40], &details)).expect("our own file");
        assert_eq!(torrent.layout.files()[1].path, ["folder", "d", "é"]);
        assert_eq!((torrent.layout.total_length(), torrent.layout.piece_count()), (20_000, 2));
        assert_eq!(torrent.trackers, [["http://a"], ["http://b"]]);
        assert_eq!(
            (torrent.web_seeds, torrent.private, torrent.creation_date),
            (details.web_seeds, true, Some(1))
        );
        assert_eq!((torrent.comment, torrent.source), (details.comment, details.source));

        let single =
            Plan { name: "one".into(), files: vec![(vec![], 5)], single: true, piece_length: 16_384 };
        let file = build(&single, &[7; 20], &Details::default());
        assert_eq!(
            file,
            [&b"d4:infod6:lengthi5e4:name3:one12:piece lengthi16384e6:pieces20:"[..], &[7; 20], b"ee"]
                .concat()
        );
        assert_eq!(Torrent::parse(&file).expect("our own file").layout.files()[0].path, ["one"]);
    }
}
