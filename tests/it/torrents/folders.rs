//! Files in folders: hostile paths, clashes, padding, links, and great numbers.

use fyris::metainfo::Torrent;

use super::case::{Case, file, file_with, folder, folder_with, i, l, s};

pub(super) fn cases() -> Vec<Case> {
    [paths(), clashes(), attributes(), lengths(), many()].into_iter().flatten().collect()
}

/// A folder of files of one byte each.
fn of(paths: &[&[&[u8]]]) -> Vec<u8> {
    folder(paths.iter().map(|path| file(1, path)).collect(), paths.len() as u64)
}

fn paths() -> Vec<Case> {
    let deep: Vec<&[u8]> = vec![b"d"; 99];
    vec![
        Case::paths("a folder of one file", of(&[&[b"foo", b"bar"]]), &["temp/foo/bar"]),
        Case::paths("parent in a path", of(&[&[b"..", b"..", b"bar"]]), &["temp/_/_/bar"]),
        Case::paths("parent within a part", of(&[&[b"foo/../../bar"]]), &["temp/foo_.._.._bar"]),
        Case::paths("parent hidden by a folder", of(&[&[b"a", b"..", b"..", b"b"]]), &["temp/a/_/_/b"]),
        Case::paths("parent at the end", of(&[&[b"a", b".."]]), &["temp/a/_"]),
        Case::paths("absolute part", of(&[&[b"abcde"], &[b"/foobar"]]), &["temp/abcde", "temp/_foobar"]),
        Case::paths("slashes in a part", of(&[&[b"/a/", b"b/c"]]), &["temp/_a_/b_c"]),
        Case::paths("backslashes in a part", of(&[&[b"a\\..\\b", b"\\c"]]), &["temp/a_.._b/_c"]),
        Case::paths("drive letters in parts", of(&[&[b"C:", b"x"], &[b"d:y"]]), &["temp/C_/x", "temp/d_y"]),
        Case::paths(
            "dots alone",
            of(&[&[b".", b"a"], &[b"...", b"b"], &[b"a....b"]]),
            &["temp/_/a", "temp/_/b", "temp/a....b"],
        ),
        Case::paths("empty parts", of(&[&[b"", b""], &[b"", b"a"]]), &["temp/_/_", "temp/_/a"]),
        Case::paths("an empty part alone", of(&[&[b""]]), &["temp/_"]),
        Case::paths("devices as folders", of(&[&[b"aux", b"nul", b"com1.x"]]), &["temp/_aux/_nul/_com1.x"]),
        Case::paths("controls in parts", of(&[&[b"a\x01", b"b\x08"]]), &["temp/a_/b_"]),
        Case::paths("bytes that are no text", of(&[&[b"\xff\xfe", b"\x80"]]), &["temp/__/_"]),
        Case::paths(
            "a folder with trailing dots",
            of(&[&[b"abc...", b"c"], &[b"a. .", b"c"]]),
            &["temp/abc___/c", "temp/a___/c"],
        ),
        Case::good(
            "a name that is the parent",
            vec![],
            folder_with(vec![file(1, &[b"a"])], 1, vec![("name", s(".."))]),
            |t| {
                assert_eq!(t.layout.files()[0].path, [&*t.info_hash.to_hex(), "a"]);
            },
        ),
        Case::paths(
            "a name that is a path",
            folder_with(vec![file(1, &[b"a"])], 1, vec![("name", s("test2/../test3/../../../test4"))]),
            &["test2_.._test3_.._.._.._test4/a"],
        ),
        Case::paths(
            "paths in utf-8 preferred",
            folder(vec![file_with(1, &[b"\xe9"], vec![("path.utf-8", l([s("é")]))])], 1),
            &["temp/é"],
        ),
        Case::paths(
            "paths in utf-8 that are none",
            folder(
                vec![
                    file_with(1, &[b"a"], vec![("path.utf-8", i(5))]),
                    file_with(1, &[b"b"], vec![("path.utf-8", l([]))]),
                ],
                2,
            ),
            &["temp/a", "temp/b"],
        ),
        Case::good("a hundred folders", vec![], of(&[&[&deep[..], &[b"f"]].concat()]), |t| {
            assert_eq!(t.layout.files()[0].path.len(), 101);
        }),
    ]
}

fn clashes() -> Vec<Case> {
    let long = |end: &str| format!("{}{end}.txt", "n".repeat(300)).into_bytes();
    let cut = "n".repeat(236);
    let cut_short = "n".repeat(225);
    vec![
        Case::paths(
            "the same file twice",
            of(&[&[b"foo", b"bar.txt"], &[b"foo", b"bar.txt"]]),
            &["temp/foo/bar.txt", "temp/foo/bar.1.txt"],
        ),
        Case::paths(
            "the same but for case",
            of(&[&[b"A"], &[b"a"], &[b"B", b"x"], &[b"b", b"X"]]),
            &["temp/A", "temp/a.1", "temp/B/x", "temp/b/X.1"],
        ),
        Case::paths(
            "the same but for accents",
            of(&[&["é".as_bytes()], &["e\u{301}".as_bytes()]]),
            &["temp/é", "temp/e\u{301}.1"],
        ),
        Case::paths(
            "the same when made safe",
            of(&[&[b"a?"], &[b"a*"], &[b"a_"]]),
            &["temp/a_", "temp/a_.1", "temp/a_.2"],
        ),
        Case::paths(
            "the same when cut",
            of(&[&[&long("1")], &[&long("2")]]),
            &[&format!("temp/{cut}.txt"), &format!("temp/{cut_short}.1.txt")],
        ),
        Case::paths(
            "numbers already taken",
            of(&[&[b"a.txt"], &[b"a.1.txt"], &[b"a.txt"]]),
            &["temp/a.txt", "temp/a.1.txt", "temp/a.2.txt"],
        ),
        Case::paths("a file before its folder", of(&[&[b"a"], &[b"a", b"b"]]), &["temp/a.1", "temp/a/b"]),
        Case::paths("a file after its folder", of(&[&[b"a", b"b"], &[b"A"]]), &["temp/a/b", "temp/A.1"]),
        Case::paths(
            "a file within a file",
            of(&[&[b"a", b"b"], &[b"a", b"b", b"c"], &[b"a", b"b", b"c", b"d"]]),
            &["temp/a/b.1", "temp/a/b/c.1", "temp/a/b/c/d"],
        ),
        Case::paths(
            "folders that differ in case",
            of(&[&[b"D", b"1"], &[b"d", b"2"]]),
            &["temp/D/1", "temp/d/2"],
        ),
        Case::good(
            "where renamed files were",
            vec![],
            of(&[&[b"a:b"], &[b"..", b"c"], &[b"plain"], &[b"\xff"]]),
            |t| {
                assert_eq!(t.original_path(0), Some(&[b"temp".to_vec(), b"a:b".to_vec()][..]));
                assert_eq!((t.original_path(1), t.original_path(2)), (None, None));
                assert_eq!(t.original_path(3), Some(&[b"temp".to_vec(), b"\xff".to_vec()][..]));
            },
        ),
    ]
}

fn pads(torrent: &Torrent) -> Vec<bool> {
    torrent.layout.files().iter().map(|file| file.pad).collect()
}

fn attributes() -> Vec<Case> {
    let with = |length, path: &[&[u8]], attr: &str| file_with(length, path, vec![("attr", s(attr))]);
    let link = |length, target: Vec<u8>| {
        file_with(length, &[b"a", b"link"], vec![("attr", s("l")), ("symlink path", target)])
    };
    let real = || file(425, &[b"a", b"real"]);
    let target = |parts: &[&str]| l(parts.iter().map(s));
    let linked = |target: Vec<u8>| folder(vec![real(), link(425, target)], 425);
    let is_empty_file: fn(&Torrent) = |t| {
        let files = t.layout.files();
        assert_eq!((files.len(), files[1].length, files[1].pad), (2, 0, false));
        assert_eq!((files[1].path.join("/"), t.layout.total_length()), ("temp/a/link".into(), 425));
    };
    vec![
        Case::good(
            "padding",
            vec![],
            folder(
                vec![file(425, &[b"a"]), with(15_959, &[b".pad", b"15959"], "p"), file(1, &[b"b"])],
                16_385,
            ),
            |t| {
                assert_eq!(pads(t), [false, true, false]);
                assert_eq!(t.layout.pieces_of(2), 1..2);
            },
        ),
        Case::paths(
            "padding of the same name",
            folder(
                vec![
                    file(1, &[b"a"]),
                    with(9, &[b".pad", b"9"], "p"),
                    file(1, &[b"b"]),
                    with(9, &[b".pad", b"9"], "p"),
                ],
                20,
            ),
            &["temp/a", "temp/.pad/9", "temp/b", "temp/.pad/9"],
        ),
        Case::paths(
            "padding without a path",
            folder(
                vec![file(45, &[b"a"]), file_with(2_124, &[], vec![("attr", s("p")), ("path", vec![])])],
                2_169,
            ),
            &["temp/a", "temp/.pad"],
        ),
        Case::good("nothing but padding", vec![], folder(vec![with(5, &[b".pad", b"5"], "p")], 5), |t| {
            assert_eq!(pads(t), [true])
        }),
        Case::good(
            "executable and hidden",
            vec![],
            folder(vec![with(1, &[b"a"], "xh"), with(1, &[b"b"], "h")], 2),
            |t| {
                assert_eq!(
                    t.layout.files().iter().map(|file| file.executable).collect::<Vec<_>>(),
                    [true, false]
                );
            },
        ),
        Case::good(
            "attributes as a number",
            vec![],
            folder(vec![file_with(1, &[b"a"], vec![("attr", i(1))])], 1),
            |t| assert_eq!(pads(t), [false]),
        ),
        Case::good("link to a file", vec![], linked(target(&["a", "real"])), is_empty_file),
        Case::good(
            "link out of the folder",
            vec![],
            linked(target(&["..", "..", "etc", "passwd"])),
            is_empty_file,
        ),
        Case::good("absolute link", vec![], linked(target(&["/etc/passwd"])), is_empty_file),
        Case::good("link to itself", vec![], linked(target(&["a", "link"])), is_empty_file),
        Case::good("link with a damaged target", vec![], linked(l([s("a"), i(4)])), is_empty_file),
        Case::good("link without a target", vec![], linked(vec![]), is_empty_file),
        Case::good(
            "link without a length",
            vec![],
            folder(
                vec![real(), file_with(0, &[b"a", b"link"], vec![("attr", s("l")), ("length", vec![])])],
                425,
            ),
            is_empty_file,
        ),
        Case::paths(
            "links that lie over each other",
            folder(
                vec![link(0, target(&["a"])), link(0, target(&["b"])), file(1, &[b"a", b"link", b"x"])],
                1,
            ),
            &["temp/a/link.1", "temp/a/link.2", "temp/a/link/x"],
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let of = |lengths: &[i64]| {
        let files =
            lengths.iter().enumerate().map(|(at, length)| file(*length, &[format!("f{at}").as_bytes()]));
        folder(files.collect(), lengths.iter().sum::<i64>() as u64)
    };
    vec![
        Case::good("empty file first", vec![], of(&[0, 5]), |t| assert_eq!(t.layout.files().len(), 2)),
        Case::good("empty file last", vec![], of(&[5, 0]), |t| assert_eq!(t.layout.files().len(), 2)),
        Case::good("empty files between", vec![], of(&[20_000, 0, 0, 20_000]), |t| {
            assert_eq!(t.layout.pieces_of(3), 1..3)
        }),
        Case::good("empty files around", vec![], of(&[0, 0, 5, 0, 0]), |t| {
            assert_eq!(t.layout.total_length(), 5)
        }),
        Case::good("nothing but empty files", vec![], of(&[0, 0, 0]), |t| {
            assert_eq!((t.layout.piece_count(), t.layout.files().len()), (0, 3));
        }),
        Case::good("files that end with a piece", vec![], of(&[16_384, 16_384]), |t| {
            assert_eq!(t.layout.pieces_of(1), 1..2)
        }),
    ]
}

fn many() -> Vec<Case> {
    let same = (0..20_000).map(|_| file(1, &[b"same"])).collect();
    let small = (0..50_000)
        .map(|n| file(1, &[format!("{}", n % 100).as_bytes(), format!("{n}").as_bytes()]))
        .collect();
    vec![
        Case::good("twenty thousand files of one name", vec![], folder(same, 20_000), |t| {
            assert_eq!(t.layout.files()[19_999].path[1], "same.19999");
        }),
        Case::good("fifty thousand files", vec![], folder(small, 50_000), |t| {
            assert_eq!(t.layout.files().len(), 50_000)
        }),
    ]
}
