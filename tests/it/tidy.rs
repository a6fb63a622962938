//! The rules that every file of this package keeps, checked by reading them: who imports whom, what pure rooms do
//! without, lengths, first lines, maps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

mod text;

use text::Source;

/// Every room with the rooms it may import, each after all that it names: no circle can be written down here.
const ROOMS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("bencode", &["base"]),
    ("hash", &["base"]),
    ("metainfo", &["base", "bencode", "hash"]),
    ("api", &["base"]),
    ("wire", &["base", "bencode", "hash"]),
    ("announce", &["base", "api", "wire"]),
    ("disk", &["base", "hash", "metainfo", "api"]),
    ("peer", &["base", "bencode", "hash", "metainfo", "wire"]),
    ("swarm", &["base", "metainfo", "api"]),
    ("tracker", &["base", "bencode", "api", "wire"]),
    ("network", &["base", "bencode", "metainfo", "api"]),
    ("engine", &["base", "bencode", "hash", "metainfo", "api", "wire", "announce", "disk", "peer", "swarm"]),
    ("store", &["base", "metainfo", "api", "disk", "engine"]),
    (
        "net",
        &[
            "base", "bencode", "hash", "metainfo", "api", "wire", "announce", "disk", "peer", "tracker",
            "network", "engine", "store",
        ],
    ),
    (
        "sim",
        &[
            "base", "bencode", "hash", "metainfo", "api", "wire", "announce", "disk", "peer", "swarm",
            "tracker", "network", "engine",
        ],
    ),
    ("lab", &["base", "hash", "metainfo", "api", "disk", "network", "engine", "net", "sim"]),
    ("web", &["base", "api", "network"]),
    ("gui", &["base", "api"]),
    (
        "app",
        &[
            "base", "bencode", "hash", "metainfo", "api", "wire", "disk", "tracker", "network", "engine",
            "store", "net", "lab", "web", "gui",
        ],
    ),
];

/// Rooms without clock, socket, file, lock or thread.
const PURE: &[&str] = &[
    "base", "bencode", "hash", "metainfo", "api", "wire", "announce", "peer", "swarm", "tracker", "network",
    "engine",
];

/// The pure files of a room that is not pure as a whole.
const PURE_FILES: &[&str] = &["src/disk/job.rs", "src/disk/memory.rs"];

/// What a pure room does without.
const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "tokio::",
    "std::fs",
    "std::env::",
    "std::thread",
    "thread::spawn",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "Mutex<",
    "RwLock<",
    "async fn",
    "async move",
    "fastrand::Rng::new",
    "rand::rng",
];

/// A file with leave to use one of them, and why.
const LEAVE: &[(&str, &str, &str)] = &[(
    "src/api/handle.rs",
    "Mutex<",
    "the view is swapped between two threads, and held for a pointer's copy",
)];

/// Lines of one file, tests and all.
const LONGEST: usize = 600;

// Put together here, so that this file does not hold what it looks for.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// Ways through all entries of a map, and what may follow because it gives the same in any order.
const WALKS: &[&str] =
    &["iter", "iter_mut", "into_iter", "keys", "into_keys", "values", "values_mut", "into_values", "drain"];
const AS_A_WHOLE: &[&str] = &["all", "any", "count", "sum", "max", "min", "len"];

/// Says of a line that the order of a hash map's entries does not matter there; the reason follows.
const ANY_ORDER: &str = "// Any order:";

#[test]
fn rooms_import_only_what_the_table_allows() {
    let sources = sources("src");
    let complaints: Vec<String> = sources.iter().flat_map(imports_outside_table).collect();
    assert_none(complaints);
}

#[test]
fn the_table_names_every_room_and_has_no_circle() {
    let mut seen = BTreeSet::new();
    for (room, allowed) in ROOMS {
        for import in *allowed {
            assert!(
                seen.contains(import),
                "{room} may not import {import}: it does not stand above it in the table"
            );
        }
        seen.insert(*room);
    }
    let map = read("src/lib.rs");
    let declared: BTreeSet<&str> =
        map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(declared, seen, "src/lib.rs and the table name different rooms");
    let allowed =
        |room| ROOMS.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, allowed)| *allowed);
    assert!(!allowed("net").contains(&"sim") && !allowed("sim").contains(&"net"));
}

#[test]
fn pure_rooms_have_no_clock_socket_file_or_lock() {
    assert_none(sources("src").iter().filter(|source| is_pure(source)).flat_map(impurities).collect());
}

#[test]
fn pure_rooms_never_depend_on_the_order_of_a_hash_map() {
    assert_none(sources("src").iter().filter(|source| is_pure(source)).flat_map(hash_iterations).collect());
}

#[test]
fn every_file_is_short_finished_and_says_what_it_is() {
    let complaints = ["src", "tests", "benches", "examples"]
        .iter()
        .flat_map(|folder| sources(folder))
        .flat_map(|source| shape(&source))
        .collect();
    assert_none(complaints);
}

#[test]
fn every_room_has_a_map_of_its_files() {
    let sources = sources("src");
    let files: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    let maps = sources.iter().filter(|source| source.path.ends_with("/mod.rs"));
    assert_none(maps.flat_map(|map| missing_from_map(map, &files)).collect());
}

#[test]
fn each_rule_finds_what_it_forbids() {
    let source = Source::new;
    let finds = |path, raw| imports_outside_table(&source(path, raw)).len();
    assert_eq!(finds("src/gui/app.rs", "use crate::api::View;\nuse crate::gui::theme;\n"), 0);
    assert_eq!(finds("src/gui/app.rs", "use crate::engine::Engine;\n"), 1);
    assert_eq!(finds("src/gui/app.rs", "fn f() { crate::net::start() }\n"), 1);
    assert_eq!(finds("src/gui/app.rs", "use crate::{api::{View, Event}, engine::{Engine}, net};\n"), 2);
    assert_eq!(finds("src/gui/app.rs", "//! See [`crate::engine`].\n/* crate::net */\n"), 0);
    assert_eq!(finds("src/swarm/picker.rs", "use super::super::net;\n"), 1);
    assert_eq!(finds("src/swarm/picker/ends.rs", "use super::super::Swarm;\n"), 0);
    assert_eq!(finds("src/unknown/mod.rs", "use crate::base::Moment;\n"), 1);
    assert_eq!(finds("src/net/tcp.rs", "use crate::sim::World;\n"), 1);

    let impure = |path, raw| impurities(&source(path, raw)).len();
    assert_eq!(
        impure("src/swarm/choker.rs", "let now = Instant::now();\nlet text = \"tokio::\"; // Mutex<\n"),
        1
    );
    assert_eq!(impure("src/api/handle.rs", "view: Mutex<u8>,\nlist: RwLock<u8>,\n"), 1);
    assert!(is_pure(&source("src/disk/job.rs", "")) && !is_pure(&source("src/disk/files.rs", "")));
    assert!(is_pure(&source("src/peer/conn.rs", "")) && !is_pure(&source("src/net/tcp.rs", "")));

    let iterates = |raw| hash_iterations(&source("src/swarm/roster.rs", raw)).len();
    assert_eq!(iterates("peers: HashMap<u8, u8>,\nfn f() { self.peers.get(&1); other.values(); }\n"), 0);
    assert_eq!(iterates("peers: HashMap<u8, u8>,\nfn f() { self.peers.values().copied() }\n"), 1);
    assert_eq!(iterates("peers: HashMap<u8, u8>,\nfn f() { self.peers.values().sum(); peers.iter() }\n"), 0);
    assert_eq!(iterates("let mut seen = HashSet::new();\nfor x in &seen {}\n"), 1);
    assert_eq!(
        iterates("peers: HashMap<u8, u8>,\n// Any order: sorted below\nself.peers.values().copied()\n"),
        0
    );
    assert_eq!(iterates("peers: HashMap<u8, u8>,\nself.peers\n    .values()\n"), 1);

    let shapes = |raw: &str| shape(&source("src/base/x.rs", raw)).len();
    assert_eq!(shapes("//! What it is.\n"), 0);
    assert_eq!(shapes("use std::fmt;\n"), 1);
    assert_eq!(shapes(&format!("//! What it is.\n// {}: later\n", UNFINISHED[0])), 1);
    assert_eq!(shapes(&format!("//! What it is.\n{}", "\n".repeat(LONGEST))), 1);

    let map = source(
        "src/base/mod.rs",
        "//! Values.\n//!\n//! - `time`: moments\n//! - [`wire`]: bytes\nmod rng;\n",
    );
    let files =
        ["src/base/mod.rs", "src/base/time.rs", "src/base/rng.rs", "src/base/wire/mod.rs", "src/other/x.rs"];
    assert_eq!(missing_from_map(&map, &files), ["src/base/mod.rs: the map does not mention `rng`"]);
}

/// Paths into rooms that the table does not allow to this file's room.
fn imports_outside_table(source: &Source) -> Vec<String> {
    let room = source.room();
    if matches!(room, "lib" | "main") {
        return Vec::new();
    }
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{}: `{room}` is not in the table of rooms", source.path)];
    };
    let mut complaints = Vec::new();
    for (at, _) in source.code.match_indices("crate::") {
        for import in rooms_named(&source.code[at + "crate::".len()..]) {
            let is_room = ROOMS.iter().any(|(name, _)| *name == import);
            if is_room && import != room && !allowed.contains(&import) {
                let line = line_of(&source.code, at);
                complaints.push(format!("{}:{line}: `{room}` may not import `{import}`", source.path));
            }
        }
    }
    let folders = source.path.matches('/').count() - 1;
    let most = if source.path.ends_with("/mod.rs") { folders - 1 } else { folders };
    for (at, _) in source.code.match_indices(&"super::".repeat(most + 1)) {
        let line = line_of(&source.code, at);
        complaints.push(format!("{}:{line}: `super` leaves the room", source.path));
    }
    complaints
}

/// The first names of what follows `crate::`, one name or a group in braces.
fn rooms_named(rest: &str) -> Vec<&str> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![first_name(rest)];
    };
    let mut names = vec![first_name(group)];
    let mut depth = 1_usize;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(first_name(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn first_name(text: &str) -> &str {
    text.trim_start().split(|character| !is_word(character)).next().unwrap_or("")
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn is_pure(source: &Source) -> bool {
    PURE.contains(&source.room()) || PURE_FILES.contains(&source.path.as_str())
}

/// Words in a pure file that belong into a shell.
fn impurities(source: &Source) -> Vec<String> {
    let leave = |word| LEAVE.iter().any(|(path, allowed, _)| *path == source.path && *allowed == word);
    let mut complaints = Vec::new();
    for (number, line) in source.lines() {
        for word in IMPURE.iter().filter(|word| line.contains(**word) && !leave(**word)) {
            complaints.push(format!("{}:{number}: `{word}` in a pure room", source.path));
        }
    }
    complaints
}

/// Places where a hash map or set of this file is walked through. It knows them by the name of their field or variable.
fn hash_iterations(source: &Source) -> Vec<String> {
    let declared =
        |kind| source.code.match_indices(kind).filter_map(|(at, _)| declaration(&source.code[..at]));
    let names: BTreeSet<(&str, bool)> = declared("HashMap").chain(declared("HashSet")).collect();
    let raw: Vec<&str> = source.raw.lines().collect();
    let excused =
        |number: usize| raw[number.saturating_sub(2)..number].iter().any(|line| line.contains(ANY_ORDER));
    let mut complaints = Vec::new();
    for (name, is_field) in names {
        for (at, _) in source.code.match_indices(name) {
            let before = &source.code[..at];
            let after = source.code[at + name.len()..].trim_start();
            if before.ends_with(is_word) || after.starts_with(is_word) || before.ends_with('.') != is_field {
                continue;
            }
            let method = after.strip_prefix('.').map_or("", first_name);
            let owner = before.trim_end_matches(|c| is_word(c) || c == '.');
            let looped = owner.trim_end_matches("mut ").trim_end_matches('&').ends_with(" in ");
            let then =
                after.split_once("()").map_or("", |(_, then)| then.trim_start().trim_start_matches('.'));
            let walked = WALKS.contains(&method) && !AS_A_WHOLE.contains(&first_name(then));
            let line = line_of(&source.code, at);
            if (walked || looped && after.starts_with('{')) && !excused(line) {
                complaints.push(format!("{}:{line}: the entries of `{name}` come in any order", source.path));
            }
        }
    }
    complaints
}

/// The field or variable that a type or a value standing after `before` is given to, and whether it is a field.
fn declaration(before: &str) -> Option<(&str, bool)> {
    let before = before
        .trim_end_matches("std::collections::")
        .trim_end_matches("mut ")
        .trim_end_matches('&')
        .trim_end();
    let before = before.strip_suffix([':', '='])?.trim_end();
    let name = &before[before.rfind(|c| !is_word(c)).map_or(0, |at| at + 1)..];
    let line = before.rsplit('\n').next().unwrap_or(before);
    (!name.is_empty()).then_some((name, !line.contains("let ") && !line.contains("fn ")))
}

/// Length, first line and unfinished parts.
fn shape(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    let path = &source.path;
    let lines = source.raw.lines().count();
    if lines > LONGEST {
        complaints
            .push(format!("{path}: {lines} lines, more than {LONGEST}: which part wants its own file?"));
    }
    if !source.raw.starts_with("//! ") {
        complaints.push(format!("{path}: the first line does not say what the file is (`//! …`)"));
    }
    for (index, line) in source.raw.lines().enumerate() {
        for word in line.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| UNFINISHED.contains(word)) {
            complaints.push(format!("{path}:{}: {word}", index + 1));
        }
    }
    complaints
}

/// Files and folders beside a `mod.rs` that its opening comment does not name.
fn missing_from_map(map: &Source, files: &[&str]) -> Vec<String> {
    let folder = map.path.trim_end_matches("mod.rs");
    let comment: String = map.raw.lines().take_while(|line| line.starts_with("//!")).collect();
    let beside: BTreeMap<&str, ()> = files
        .iter()
        .filter_map(|path| path.strip_prefix(folder)?.split('/').next())
        .map(|name| (name.trim_end_matches(".rs"), ()))
        .collect();
    beside
        .into_keys()
        .filter(|name| *name != "mod" && !name.ends_with("tests") && !comment.contains(&format!("`{name}`")))
        .map(|name| format!("{}: the map does not mention `{name}`", map.path))
        .collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below a folder of the package, in order; none where there is no such folder.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.expect("a folder of this package can be listed");
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                found.push(Source::new(&path, &read(&path)));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
