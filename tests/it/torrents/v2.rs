//! Hybrid torrents work by their v1 half, v2 torrents are refused with a word of their own.

use sha2::{Digest, Sha256};

use super::case::{Case, d, file, file_with, folder_with, i, l, s, single};

pub(super) fn cases() -> Vec<Case> {
    [hybrids(), v2_only()].into_iter().flatten().collect()
}

/// A file of a tree of files.
fn leaf(length: i64) -> Vec<u8> {
    d([("", d([("length", i(length)), ("pieces root", s([5; 32]))]))])
}

fn v2(tree: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    vec![("file tree", tree), ("meta version", i(2))]
}

fn hybrids() -> Vec<Case> {
    let single_with = |tree| single(v2(tree));
    let pad = || file_with(15_959, &[b".pad", b"15959"], vec![("attr", s("p"))]);
    let files = || vec![file(425, &[b"a", b"x"]), pad(), file(1, &[b"b"])];
    let folder = |tree| folder_with(files(), 16_385, v2(tree));
    let tree = |x, b| d([("a", d([("x", leaf(x))])), ("b", leaf(b))]);
    let differ = "name different files";
    vec![
        Case::good(
            "hybrid of one file",
            vec![("piece layers", d::<&str>([]))],
            single_with(d([("temp", leaf(425))])),
            |t| {
                assert_eq!(t.info_hash_v2, Some(Sha256::digest(&t.info).into()));
                assert_eq!(t.piece_layers.as_deref(), Some(&b"de"[..]));
                assert!(t.magnet().to_string().contains("&xt=urn:btmh:1220"));
            },
        ),
        Case::good("hybrid of a folder", vec![], folder(tree(425, 1)), |t| assert!(t.info_hash_v2.is_some())),
        Case::good("v1 with a stray version", vec![], single(vec![("meta version", i(1))]), |t| {
            assert_eq!(t.info_hash_v2, None)
        }),
        Case::good("v1 with a stray tree", vec![], single(vec![("file tree", i(5))]), |t| {
            assert_eq!(t.info_hash_v2, None)
        }),
        Case::bad_info("hybrid with another length", single_with(d([("temp", leaf(426))])), differ),
        Case::bad_info("hybrid with another name", single_with(d([("other", leaf(425))])), differ),
        Case::bad_info("hybrid with an empty tree", single_with(d::<&str>([])), differ),
        Case::bad_info("hybrid with a damaged tree", single_with(l([])), differ),
        Case::bad_info("hybrid with a negative length", single_with(d([("temp", leaf(-425))])), differ),
        Case::bad_info("hybrid with another file in a folder", folder(tree(425, 2)), differ),
        Case::bad_info("hybrid with a file less", folder(d([("a", d([("x", leaf(425))]))])), differ),
        Case::bad_info(
            "hybrid with a file more",
            folder(d([("a", d([("x", leaf(425))])), ("b", leaf(1)), ("c", leaf(1))])),
            differ,
        ),
    ]
}

fn v2_only() -> Vec<Case> {
    let only = |changes: Vec<(&'static str, Vec<u8>)>| {
        let mut all = vec![("length", vec![]), ("pieces", vec![])];
        all.extend(changes);
        single(all)
    };
    let word = "for BitTorrent v2 only";
    vec![
        Case::bad_info("v2 only", only(v2(d([("temp", leaf(425))]))), word),
        Case::bad_info("v2 without a version", only(vec![("file tree", d([("temp", leaf(425))]))]), word),
        Case::bad_info("v2 without a tree", only(vec![("meta version", i(2))]), word),
        Case::bad_info("v3", only(vec![("meta version", i(3))]), word),
        Case::bad_info(
            "v2 without a name",
            only([v2(d([("t", leaf(1))])), vec![("name", vec![])]].concat()),
            word,
        ),
    ]
}
