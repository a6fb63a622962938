//! Torrents of every kind that is known to trouble programs: each gives its right info-hash and safe paths, or a reason.
//!
//! - `case`: one torrent, what must come of it, and the bencoding that builds it, independent of the program's own
//! - `fields`: what stands around the files: trackers, web seeds, dates, pieces
//! - `names`: hostile names of a single file
//! - `folders`: files in folders that clash, nest, pad and link
//! - `bad`: what must be refused
//! - `v2`: hybrid and v2 torrents
//! - `made`: files made by other programs, in `tests/corpus`

mod bad;
mod case;
mod fields;
mod folders;
mod made;
mod names;
mod v2;

use std::collections::HashSet;
use std::path::{Component, Path};
use std::time::{Duration, Instant};

use fyris::base::Rng;
use fyris::metainfo::{Torrent, safe_name};
use sha1::{Digest, Sha1};

use case::{Case, Expected};

fn cases() -> Vec<Case> {
    [fields::cases(), names::cases(), folders::cases(), bad::cases(), v2::cases()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn every_torrent_of_the_corpus_is_read_or_refused() {
    let cases = cases();
    assert!(cases.len() >= 150, "{} torrents", cases.len());
    assert_eq!(
        cases.iter().map(|case| &case.name).collect::<HashSet<_>>().len(),
        cases.len(),
        "names are distinct"
    );
    // A small stack finds recursion, and a clock finds work that grows too fast.
    let run = move || cases.iter().for_each(judge);
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(run).expect("a thread");
    thread.join().expect("every torrent as expected");
}

#[expect(clippy::disallowed_methods, reason = "this clock measures the reader from outside")]
fn judge(case: &Case) {
    let name = &case.name;
    let began = Instant::now();
    let outcome = Torrent::parse(&case.file);
    assert!(began.elapsed() < Duration::from_secs(10), "{name} took {:?}", began.elapsed());
    match (&case.expected, outcome) {
        (Expected::Refused(reason), Err(error)) => {
            let error = error.to_string();
            assert!(error.contains(reason), "{name} is refused for another reason: {error}");
            assert!(
                error.starts_with("this ") || error.starts_with("file ") || error.starts_with("the "),
                "{error}"
            );
        }
        (Expected::Refused(reason), Ok(_)) => panic!("{name} is accepted, though {reason}"),
        (Expected::Good { .. }, Err(error)) => panic!("{name} is refused: {error}"),
        (Expected::Good { info, paths, check }, Ok(torrent)) => {
            let hash: [u8; 20] = Sha1::digest(info).into();
            assert_eq!(torrent.info_hash.0, hash, "{name}");
            assert_eq!(&torrent.info[..], &info[..], "{name}");
            let found: Vec<_> = torrent.layout.files().iter().map(|file| file.path.join("/")).collect();
            if let Some(paths) = paths {
                assert_eq!(&found, paths, "{name}");
            }
            check(&torrent);
            stays_itself(name, &torrent);
            stays_inside(name, &torrent);
        }
    }
}

/// Written and read again, fetched from peers, or named by its link, it is the same torrent.
fn stays_itself(name: &str, torrent: &Torrent) {
    assert_eq!(Torrent::parse(&torrent.to_bytes()).as_ref(), Ok(torrent), "{name}");
    let fetched =
        Torrent::from_info(torrent.info.clone(), torrent.trackers.clone(), torrent.web_seeds.clone());
    let fetched = fetched.expect("the same info");
    assert_eq!((fetched.info_hash, &fetched.layout), (torrent.info_hash, &torrent.layout), "{name}");
    assert_eq!(torrent.magnet().to_string().parse(), Ok(torrent.magnet()), "{name}");
}

/// No path leaves the folder on any system, and no two meet on any.
fn stays_inside(name: &str, torrent: &Torrent) {
    let root = Path::new("/chosen/folder");
    let mut seen = HashSet::new();
    let mut folders = HashSet::new();
    for file in torrent.layout.files() {
        let path = root.join(file.path.iter().collect::<std::path::PathBuf>());
        let below = path.strip_prefix(root).unwrap_or_else(|_| panic!("{name}: {}", path.display()));
        assert_eq!(below.components().count(), file.path.len(), "{name}: {}", path.display());
        assert!(
            below.components().all(|part| matches!(part, Component::Normal(_))),
            "{name}: {}",
            path.display()
        );
        for part in &file.path {
            assert!(is_plain_on_windows(part), "{name}: {part:?}");
            assert_eq!(safe_name(part.as_bytes()), *part, "{name}");
        }
        if !file.pad {
            let key: Vec<_> = file.path.iter().map(|part| part.to_lowercase()).collect();
            assert!(seen.insert(key.clone()), "{name}: {} is there twice", path.display());
            folders.extend((1..key.len()).map(|depth| key[..depth].to_vec()));
        }
    }
    assert!(seen.is_disjoint(&folders), "{name}: a file is where a folder has to be");
}

/// Windows' own rules, written down a second time.
fn is_plain_on_windows(part: &str) -> bool {
    let base = part.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let devices = ["con", "prn", "aux", "nul", "clock$", "conin$", "conout$"];
    let port =
        base.len() > 3 && (base.starts_with("com") || base.starts_with("lpt")) && base.chars().count() == 4;
    !part.is_empty()
        && !part.ends_with(['.', ' '])
        && !part.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*'])
        && !part.chars().any(char::is_control)
        && part.encode_utf16().count() <= 255
        && !devices.contains(&&*base)
        && !(port && base.ends_with(|c: char| c.is_ascii_digit() || "¹²³".contains(c)))
}

#[test]
fn every_file_can_be_made_on_this_system_and_none_outside() {
    let above = tempfile::tempdir().expect("a folder");
    for (number, case) in cases().iter().enumerate() {
        let Ok(torrent) = Torrent::parse(&case.file) else { continue };
        let root = above.path().join(number.to_string());
        let files: Vec<_> = torrent.layout.files().iter().filter(|file| !file.pad).take(200).collect();
        for file in &files {
            let path = root.join(file.path.iter().collect::<std::path::PathBuf>());
            std::fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            std::fs::File::create_new(&path)
                .unwrap_or_else(|error| panic!("{}: {path:?}: {error}", case.name));
        }
        if !files.is_empty() {
            assert_eq!(count_files(&root), files.len(), "{}", case.name);
            std::fs::remove_dir_all(&root).expect("only what was made");
        }
    }
    assert_eq!(count_files(above.path()), 0, "nothing was made elsewhere");
}

fn count_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}

#[test]
fn any_names_stay_inside_and_apart() {
    let mut rng = Rng::new(76);
    let bits: [&[u8]; 24] = [
        b"a",
        b"A",
        b"b",
        b".",
        b"..",
        b" ",
        b"/",
        b"\\",
        b":",
        b"CON",
        b"nul.",
        b".txt",
        b"1",
        b"\0",
        b"\x1b",
        b"\xff",
        "é".as_bytes(),
        "e\u{301}".as_bytes(),
        "ß".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{200b}".as_bytes(),
        &[b'x'; 239],
        "語".as_bytes(),
        b"C:",
    ];
    for _ in 0..2_000 {
        let name = |rng: &mut Rng| -> Vec<u8> {
            (0..rng.below(4)).flat_map(|_| bits[rng.below(bits.len())].to_vec()).collect()
        };
        let count = 1 + rng.below(12);
        let files = (0..count).map(|_| {
            let path: Vec<_> = (0..1 + rng.below(4)).map(|_| name(&mut rng)).collect();
            case::file(1, &path.iter().map(Vec::as_slice).collect::<Vec<_>>())
        });
        let files = files.collect();
        let info = case::folder_with(files, count as u64, vec![("name", case::s(name(&mut rng)))]);
        let torrent =
            Torrent::parse(&case::torrent(vec![], &info)).expect("hostile names are no reason to refuse");
        stays_itself("random names", &torrent);
        stays_inside("random names", &torrent);
    }
}

#[test]
fn no_mutation_of_the_corpus_panics() {
    let mut rng = Rng::new(77);
    for case in cases().iter().filter(|case| case.file.len() < 4_096) {
        for _ in 0..60 {
            let mut file = case.file.clone();
            for _ in 0..1 + rng.below(3) {
                let at = rng.below(file.len().max(1));
                match rng.below(5) {
                    0 => file.truncate(at),
                    1 if at < file.len() => drop(file.remove(at)),
                    2 => file.insert(at, b"ilde0123456789:-"[rng.below(16)]),
                    3 if at < file.len() => file[at] = b"0123456789"[rng.below(10)],
                    _ if at < file.len() => file[at] = rng.bits32() as u8,
                    _ => {}
                }
            }
            if let Ok(torrent) = Torrent::parse(&file) {
                stays_itself(&case.name, &torrent);
                stays_inside(&case.name, &torrent);
            }
        }
    }
}
