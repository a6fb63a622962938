//! Files that other programs made of one and the same folder, with the info-hashes those programs give.

use fyris::base::Rng;
use fyris::metainfo::Torrent;

struct Made {
    file: &'static [u8],
    v1: &'static str,
    v2: Option<&'static str>,
    /// Paths of what is no padding, with lengths.
    files: &'static [(&'static str, u64)],
}

macro_rules! corpus {
    ($name:literal) => {
        include_bytes!(concat!("../../corpus/", $name, ".torrent"))
    };
}

const SORTED: &[(&str, u64)] =
    &[("folder/a.bin", 40_000), ("folder/sub/zero", 0), ("folder/sub/é x.txt", 1), ("folder/z.bin", 16_384)];

const MADE: &[Made] = &[
    Made {
        file: corpus!("libtorrent-hybrid-folder"),
        v1: "b84a4a31654ae428103ccce892a62dca66e2e090",
        v2: Some("d7676db1fe28c8f24522b8af3dac2b6f20fd14ba6dedafe24087dc230d0582a2"),
        files: SORTED,
    },
    Made {
        file: corpus!("libtorrent-hybrid-links"),
        v1: "cdd2b98a3580678a59d99d39f36fe38b383c7500",
        v2: Some("73f2974b156c9329ba39a1884cb4e7b17a8e1a155019ad0813c3c263aca9090e"),
        files: &[
            ("folder/a.bin", 40_000),
            ("folder/link", 0),
            ("folder/sub/zero", 0),
            ("folder/sub/é x.txt", 1),
            ("folder/z.bin", 16_384),
        ],
    },
    Made {
        file: corpus!("libtorrent-hybrid-single"),
        v1: "759dcd7df6b40f5a1957399da247f37907c2934c",
        v2: Some("6de603e2ec98cc7934dd854f492f133102e5a116723ebe4fb05ad37151f1f56a"),
        files: &[("single.bin", 70_000)],
    },
    Made {
        file: corpus!("libtorrent-v1-canonical"),
        v1: "74f9c4339ff4c402bb7cfbd2c50c45a3561b872d",
        v2: None,
        files: SORTED,
    },
    Made {
        file: corpus!("libtorrent-v1-links"),
        v1: "360854d6caeed277f650f27f4cb7139bb6e96a12",
        v2: None,
        files: &[
            ("folder/a.bin", 40_000),
            ("folder/z.bin", 16_384),
            ("folder/link", 0),
            ("folder/sub/é x.txt", 1),
            ("folder/sub/zero", 0),
        ],
    },
    Made {
        file: corpus!("mktorrent-folder"),
        v1: "a47d2c297d3319c12e5334116a14e7580e28691d",
        v2: None,
        files: &[
            ("folder/a.bin", 40_000),
            ("folder/link", 40_000),
            ("folder/sub/zero", 0),
            ("folder/sub/é x.txt", 1),
            ("folder/z.bin", 16_384),
        ],
    },
    Made {
        file: corpus!("transmission-folder"),
        v1: "e051659eca5ee46894a962416e6b3bc10c864d7e",
        v2: None,
        files: &[
            ("folder/a.bin", 40_000),
            ("folder/link", 40_000),
            ("folder/sub/é x.txt", 1),
            ("folder/z.bin", 16_384),
        ],
    },
];

#[test]
fn files_by_other_programs_give_the_same_hashes() {
    for made in MADE {
        let torrent = Torrent::parse(made.file).expect(made.v1);
        let shown = torrent.shown();
        assert_eq!(shown.info_hash_v1.as_deref(), Some(made.v1));
        assert_eq!(shown.info_hash_v2.as_deref(), made.v2, "{}", made.v1);
        let files = shown.files.iter().filter(|file| !file.pad);
        let files: Vec<_> = files.map(|file| (file.path.join("/"), file.length)).collect();
        let expected: Vec<_> =
            made.files.iter().map(|(path, length)| ((*path).to_owned(), *length)).collect();
        assert_eq!(files, expected, "{}", made.v1);
        super::stays_itself(made.v1, &torrent);
        super::stays_inside(made.v1, &torrent);
    }
}

#[test]
fn v2_files_by_libtorrent_are_refused_as_such() {
    for file in [&corpus!("libtorrent-v2-folder")[..], corpus!("libtorrent-v2-single")] {
        let error = Torrent::parse(file).expect_err("v2 only").to_string();
        assert!(error.contains("for BitTorrent v2 only"), "{error}");
    }
}

#[test]
fn no_mutation_of_a_file_by_another_program_panics() {
    let mut rng = Rng::new(78);
    for made in MADE {
        for _ in 0..1_000 {
            let mut file = made.file.to_vec();
            let at = rng.below(file.len());
            file[at] = b"0123456789ilde:"[rng.below(15)];
            if let Ok(torrent) = Torrent::parse(&file) {
                super::stays_itself(made.v1, &torrent);
                super::stays_inside(made.v1, &torrent);
            }
        }
    }
}
