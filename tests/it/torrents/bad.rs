//! What must be refused, and the words that say why.

use fyris::base::limits;

use super::case::{Case, d, file, file_with, folder, folder_with, hashes, i, l, s, single, torrent};

pub(super) fn cases() -> Vec<Case> {
    [not_bencoded(), not_a_torrent(), bad_pieces(), bad_files()].into_iter().flatten().collect()
}

fn not_bencoded() -> Vec<Case> {
    let good = torrent(vec![], &single(vec![]));
    let no_torrent = "this is no torrent file: bad bencoding";
    let number = |text: &'static str| single(vec![("length", i(text))]);
    vec![
        Case::refused("an empty file", vec![], "it ends too early"),
        Case::refused("a page", b"<!DOCTYPE html><html></html>".to_vec(), no_torrent),
        Case::refused("zeros", vec![0; 1_000], no_torrent),
        Case::refused("half of a torrent", good[..good.len() / 2].to_vec(), no_torrent),
        Case::refused("all but the last byte", good[..good.len() - 1].to_vec(), "it ends too early"),
        Case::refused("bytes after the end", [&good[..], b"x"].concat(), "something follows"),
        Case::refused("two torrents in one file", [&good[..], &good].concat(), "something follows"),
        Case::refused("depth without end", vec![b'l'; 500_000], "nested too deeply"),
        Case::refused("dictionaries without end", b"d1:a".repeat(100_000), "nested too deeply"),
        Case::bad_info(
            "depth within a good torrent",
            single(vec![("x", [vec![b'l'; 200], vec![b'e'; 200]].concat())]),
            "nested too deeply",
        ),
        Case::refused(
            "values without end",
            [&b"l"[..], &b"i1e".repeat(limits::BENCODE_TOKENS), b"e"].concat(),
            "too many values",
        ),
        Case::refused(
            "a string beyond the end",
            b"d4:info99999999999999999999:xe".to_vec(),
            "longer than what remains",
        ),
        Case::refused("a string of 4 GiB", b"d4:info4294967296:xe".to_vec(), "longer than what remains"),
        Case::refused("a negative string", b"d4:info-1:xe".to_vec(), no_torrent),
        Case::bad_info("a number with leading zeros", number("000"), "integer is not written properly"),
        Case::bad_info("minus zero", number("-0"), "integer is not written properly"),
        Case::bad_info("an empty number", number(""), "integer is not written properly"),
        Case::bad_info("a number with a sign", number("+5"), "integer is not written properly"),
        Case::bad_info("a fraction", number("1.5"), "integer is not written properly"),
        Case::bad_info("a number beyond 64 bits", number("9223372036854775808"), "integer is too large"),
        Case::bad_info(
            "a very long number",
            number(Box::leak("9".repeat(5_000).into_boxed_str())),
            "integer is too large",
        ),
        Case::refused("a key that is no string", b"di1ei2ee".to_vec(), "key is not a string"),
        Case::refused(
            "two infos",
            d([("info", single(vec![])), ("info", single(vec![]))]),
            "key stands twice",
        ),
        Case::bad_info(
            "two names",
            d([("name", s("a")), ("length", i(1)), ("name", s("b"))]),
            "key stands twice",
        ),
        Case::refused(
            "larger than any torrent",
            vec![b' '; limits::TORRENT_FILE_BYTES as usize + 1],
            "larger than 48 MiB",
        ),
    ]
}

fn not_a_torrent() -> Vec<Case> {
    vec![
        Case::refused("a string", s("not a dictionary"), "not a dictionary"),
        Case::refused("a list", l([]), "not a dictionary"),
        Case::refused("a number", i(5), "not a dictionary"),
        Case::refused("an empty dictionary", b"de".to_vec(), "no info dictionary"),
        Case::refused("no info", d([("announce", s("http://a"))]), "no info dictionary"),
        Case::bad_info("info as text", s("info"), "no info dictionary"),
        Case::bad_info("info as a list", l([]), "no info dictionary"),
        Case::bad_info("an empty info", b"de".to_vec(), "no name"),
        Case::bad_info("no name", single(vec![("name", vec![])]), "no name"),
        Case::bad_info("a name that is a number", single(vec![("name", i(5))]), "no name"),
        Case::bad_info("a name that is a list", single(vec![("name", l([s("a")]))]), "no name"),
    ]
}

fn bad_pieces() -> Vec<Case> {
    let piece = |length: &str| single(vec![("piece length", i(length))]);
    let pieces = |pieces: Vec<u8>| single(vec![("pieces", pieces)]);
    let not_between = "is not between 1 and";
    vec![
        Case::bad_info("no piece length", single(vec![("piece length", vec![])]), "no piece length"),
        Case::bad_info(
            "a piece length as text",
            single(vec![("piece length", s("16384"))]),
            "no piece length",
        ),
        Case::bad_info("a piece length of zero", piece("0"), not_between),
        Case::bad_info("a negative piece length", piece("-16384"), not_between),
        Case::bad_info("a piece length of 2^31", piece("2147483648"), not_between),
        Case::bad_info("a piece length just over 2^32", piece("4294983680"), not_between),
        Case::bad_info("the largest piece length", piece("9223372036854775807"), not_between),
        Case::bad_info("a piece length just too large", piece("536870913"), not_between),
        Case::bad_info("no hashes", pieces(vec![]), "no piece hashes"),
        Case::bad_info("hashes as a number", pieces(i(5)), "no piece hashes"),
        Case::bad_info("hashes as a list", pieces(l([s([0; 20])])), "no piece hashes"),
        Case::bad_info(
            "a merkle root only",
            single(vec![("pieces", vec![]), ("root hash", s([0; 20]))]),
            "no piece hashes",
        ),
        Case::bad_info("hashes of 19 bytes", pieces(s([0; 19])), "not a multiple of 20"),
        Case::bad_info("hashes of 21 bytes", pieces(s([0; 21])), "not a multiple of 20"),
        Case::bad_info("empty hashes", pieces(s("")), "0 piece hashes for 1 pieces"),
        Case::bad_info("a hash too many", pieces(hashes(2)), "2 piece hashes for 1 pieces"),
        Case::bad_info("a hash too few", single(vec![("length", i(16_385))]), "1 piece hashes for 2 pieces"),
        Case::bad_info("a hash for nothing", single(vec![("length", i(0))]), "1 piece hashes for 0 pieces"),
        Case::bad_info(
            "too many pieces",
            single(vec![("length", i(1i64 << 50)), ("piece length", i(1 << 28))]),
            "more than 2097152 pieces",
        ),
        Case::bad_info(
            "pieces beyond counting",
            single(vec![("length", i(i64::MAX)), ("piece length", i(1))]),
            "more than 2097152 pieces",
        ),
    ]
}

fn bad_files() -> Vec<Case> {
    let one = |file: Vec<u8>| folder(vec![file], 1);
    let changed = |changes| one(file_with(1, &[b"a"], changes));
    let deep: Vec<&[u8]> = vec![b"d"; 101];
    let deepest: Vec<&[u8]> = vec![b"d"; 10_000];
    let wide = vec![&[b'w'; 240][..]; 20];
    let half = i64::MAX / 2 + 1;
    vec![
        Case::bad_info("neither length nor files", single(vec![("length", vec![])]), "has no files"),
        Case::bad_info("an empty list of files", folder(vec![], 0), "has no files"),
        Case::bad_info("files as text", folder_with(vec![], 0, vec![("files", s("a"))]), "has no files"),
        Case::bad_info(
            "files as a dictionary",
            folder_with(vec![], 0, vec![("files", d::<&str>([]))]),
            "has no files",
        ),
        Case::bad_info(
            "a length as text",
            single(vec![("length", s("425"))]),
            "file 1 of this torrent has no length",
        ),
        Case::bad_info("a negative length", single(vec![("length", i(-425))]), "negative length"),
        Case::bad_info("a file that is a string", one(s("a")), "file 1 of this torrent is not described"),
        Case::bad_info("a file that is a list", one(l([])), "not described by a dictionary"),
        Case::bad_info("a file without a length", changed(vec![("length", vec![])]), "has no length"),
        Case::bad_info("a file with a length as text", changed(vec![("length", s("1"))]), "has no length"),
        Case::bad_info(
            "a file of negative length",
            folder(vec![file(5, &[b"a"]), file(-1, &[b"b"])], 4),
            "file 2 of this torrent has a negative length",
        ),
        Case::bad_info("the most negative length", one(file(i64::MIN, &[b"a"])), "negative length"),
        Case::bad_info(
            "padding of negative length",
            one(file_with(-5, &[b"a"], vec![("attr", s("p"))])),
            "negative length",
        ),
        Case::bad_info(
            "lengths beyond counting",
            folder(vec![file(half, &[b"a"]), file(half, &[b"b"])], 1),
            "longer together than can be counted",
        ),
        Case::bad_info(
            "lengths beyond 64 bits",
            folder((0..4).map(|_| file(i64::MAX, &[b"a"])).collect(), 1),
            "longer together than can be counted",
        ),
        Case::bad_info("a file without a path", changed(vec![("path", vec![])]), "has no path"),
        Case::bad_info("a file with an empty path", one(file(1, &[])), "has no path"),
        Case::bad_info("a path as text", changed(vec![("path", s("a"))]), "has no path"),
        Case::bad_info(
            "a path with a number in it",
            changed(vec![("path", l([s("a"), i(4)]))]),
            "has no path",
        ),
        Case::bad_info("a path of lists", changed(vec![("path", l([l([s("a")])]))]), "has no path"),
        Case::bad_info("more than a hundred folders", one(file(1, &deep)), "more than 100 folders"),
        Case::bad_info("ten thousand folders", one(file(1, &deepest)), "more than 100 folders"),
        Case::bad_info("a path of 4,800 bytes", one(file(1, &wide)), "path of more than 3000 bytes"),
    ]
}
