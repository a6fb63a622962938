//! All paths of one torrent together: no two files meet, and no file is where a folder has to be, on any system.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::metainfo::File;
use crate::metainfo::names::{folded, numbered};

/// Renames files until each has a path of its own even where case and the writing of accents do not count.
///
/// Folders keep their names, and so does the first file of each name; later ones get a number. The outcome follows from the
/// files and their order alone. Padding is left as it is, since it never exists on a disk (BEP 47).
pub(super) fn keep_apart(files: &mut [File]) {
    let mut tree = Tree::default();
    let folders: Vec<u32> =
        files.iter().map(|file| if file.pad { 0 } else { tree.folder(&file.path) }).collect();
    let mut late = Vec::new();
    for (number, file) in files.iter().enumerate().filter(|(_, file)| !file.pad) {
        let name = file.path.last().map_or("", String::as_str);
        match tree.names.entry((folders[number], folded(name))) {
            Entry::Vacant(place) => _ = place.insert(Place::default()),
            Entry::Occupied(_) => late.push(number),
        }
    }
    for number in late {
        if let Some(name) = files[number].path.last_mut() {
            *name = tree.free_name(folders[number], name);
        }
    }
}

/// Which names are taken in which folder. Folders are numbered; all whose folded paths are equal are one.
#[derive(Default)]
struct Tree {
    names: HashMap<(u32, String), Place>,
    folders: u32,
}

/// A taken name.
#[derive(Default)]
struct Place {
    /// The folder's number where it is one; zero is the folder above all.
    folder: u32,
    /// The last number that was tried for another file of this name.
    tried: u32,
}

impl Tree {
    /// The number of the folder that a file of this path lies in.
    fn folder(&mut self, path: &[String]) -> u32 {
        path.split_last().map_or(&[][..], |(_, folders)| folders).iter().fold(0, |above, name| {
            let place = self.names.entry((above, folded(name))).or_default();
            if place.folder == 0 {
                self.folders += 1;
                place.folder = self.folders;
            }
            place.folder
        })
    }

    /// The first numbered form of `name` that is not taken in the folder; takes it.
    fn free_name(&mut self, folder: u32, name: &str) -> String {
        let key = (folder, folded(name));
        loop {
            // Going on from the last number tried keeps a torrent of a million equal names from taking a million squared steps.
            let place = self.names.entry(key.clone()).or_default();
            place.tried += 1;
            let candidate = numbered(name, place.tried);
            if let Entry::Vacant(place) = self.names.entry((folder, folded(&candidate))) {
                place.insert(Place::default());
                return candidate;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::metainfo::safe_name;
    use std::collections::HashSet;

    fn kept_apart(paths: &[&str]) -> Vec<String> {
        let mut files: Vec<_> =
            paths.iter().map(|path| file(path.split('/').map(String::from).collect())).collect();
        keep_apart(&mut files);
        files.iter().map(|file| file.path.join("/")).collect()
    }

    fn file(path: Vec<String>) -> File {
        File { path, length: 1, pad: false, executable: false }
    }

    #[test]
    fn files_that_would_meet_are_numbered() {
        assert_eq!(
            kept_apart(&["t/bar.txt", "t/bar.txt", "t/BAR.txt"]),
            ["t/bar.txt", "t/bar.1.txt", "t/BAR.2.txt"]
        );
        assert_eq!(kept_apart(&["t/a", "t/a", "t/a.1"]), ["t/a", "t/a.2", "t/a.1"]);
        assert_eq!(kept_apart(&["t/é", "t/e\u{301}"]), ["t/é", "t/e\u{301}.1"]);
        assert_eq!(kept_apart(&["t/D/x", "t/d/X", "t/d/y"]), ["t/D/x", "t/d/X.1", "t/d/y"]);
    }

    #[test]
    fn a_file_gives_way_to_a_folder() {
        assert_eq!(kept_apart(&["t/a", "t/a/b", "t/A/c"]), ["t/a.1", "t/a/b", "t/A/c"]);
        assert_eq!(kept_apart(&["t/a/b", "t/a/b/c"]), ["t/a/b.1", "t/a/b/c"]);
        assert_eq!(kept_apart(&["t", "t/a"]), ["t.1", "t/a"]);
    }

    #[test]
    fn padding_takes_no_names() {
        let mut files = vec![file(vec!["t".into(), "0".into()]); 3];
        files[0].pad = true;
        files[1].pad = true;
        keep_apart(&mut files);
        assert!(files.iter().all(|file| file.path[1] == "0"));
    }

    #[test]
    fn many_equal_names_take_little_time() {
        let mut files = vec![file(vec!["t".into(), "same".into()]); 200_000];
        keep_apart(&mut files);
        assert_eq!(files.iter().map(|file| &file.path[1]).collect::<HashSet<_>>().len(), files.len());
        assert_eq!(files[199_999].path[1], "same.199999");
    }

    #[test]
    fn random_paths_never_meet_and_never_leave() {
        let mut rng = Rng::new(11);
        let bits = [
            "a",
            "A",
            "b",
            "..",
            "",
            "a.1",
            "é",
            "e\u{301}",
            "/",
            "CON",
            "con",
            "a.",
            "a ",
            "\u{202e}a",
            "C:",
            "ß",
            "ss",
        ];
        for _ in 0..3_000 {
            let name = |rng: &mut Rng| {
                safe_name(
                    (0..1 + rng.below(2)).map(|_| bits[rng.below(bits.len())]).collect::<String>().as_bytes(),
                )
            };
            let mut files: Vec<_> = (0..rng.below(12))
                .map(|_| file((0..1 + rng.below(4)).map(|_| name(&mut rng)).collect()))
                .collect();
            let mut again = files.clone();
            keep_apart(&mut files);
            keep_apart(&mut again);
            assert_eq!(files, again);
            let key = |path: &[String]| path.iter().map(|name| folded(name)).collect::<Vec<_>>();
            let paths: HashSet<_> = files.iter().map(|file| key(&file.path)).collect();
            assert_eq!(paths.len(), files.len(), "{files:?}");
            for file in &files {
                for depth in 1..file.path.len() {
                    assert!(!paths.contains(&key(&file.path[..depth])), "{files:?}");
                }
                assert!(file.path.iter().all(|name| safe_name(name.as_bytes()) == *name), "{files:?}");
            }
        }
    }
}
