//! What stands around the files: trackers, web seeds, dates, relations, and the pieces.

use fyris::base::limits;
use fyris::metainfo::Torrent;

use super::case::{Case, d, folder_with, hashes, i, l, s, single, torrent};

pub(super) fn cases() -> Vec<Case> {
    [texts(), trackers(), web_seeds(), relations(), pieces(), order()].into_iter().flatten().collect()
}

fn texts() -> Vec<Case> {
    vec![
        Case::good("base", vec![("created by", s("maker"))], single(vec![]), |t| {
            assert_eq!(
                (t.created_by.as_deref(), t.comment.as_deref(), t.private),
                (Some("maker"), None, false)
            );
        }),
        Case::good("creation date", vec![("creation date", i(1_234_567))], single(vec![]), |t| {
            assert_eq!(t.creation_date, Some(1_234_567));
        }),
        Case::good("no creation date", vec![], single(vec![]), |t| assert_eq!(t.creation_date, None)),
        Case::good("negative creation date", vec![("creation date", i(-5))], single(vec![]), |t| {
            assert_eq!(t.creation_date, None);
        }),
        Case::good("creation date as text", vec![("creation date", s("2013"))], single(vec![]), |t| {
            assert_eq!(t.creation_date, None);
        }),
        Case::good("latest creation date", vec![("creation date", i(i64::MAX))], single(vec![]), |t| {
            assert_eq!(t.creation_date, Some(i64::MAX));
            assert!(t.shown().to_string().contains("UTC"));
        }),
        Case::good("hostile comment", vec![("comment", s("<script>\x1b[2J\u{202e}"))], single(vec![]), |t| {
            assert!(!t.shown().to_string().contains('\x1b'));
        }),
        Case::good(
            "comment in another encoding",
            vec![("comment", s(b"gr\xfc\xdfe")), ("encoding", s("latin1"))],
            single(vec![]),
            |t| assert_eq!(t.comment.as_deref(), Some("gr\u{fffd}\u{fffd}e")),
        ),
        Case::good("empty comment", vec![("comment", s(""))], single(vec![]), |t| {
            assert_eq!(t.comment, None)
        }),
        Case::good("long comment", vec![("comment", s("é".repeat(100_000)))], single(vec![]), |t| {
            assert_eq!(t.comment.as_ref().map(String::len), Some(limits::TEXT_BYTES));
        }),
        Case::good("source", vec![], single(vec![("source", s("SITE"))]), |t| {
            assert_eq!(t.source.as_deref(), Some("SITE"));
        }),
        Case::good("private", vec![], single(vec![("private", i(1))]), |t| assert!(t.private)),
        Case::good("not private", vec![], single(vec![("private", i(0))]), |t| assert!(!t.private)),
        Case::good("private as text", vec![], single(vec![("private", s("1"))]), |t| assert!(!t.private)),
        Case::good("private outside info", vec![("private", i(1))], single(vec![]), |t| assert!(!t.private)),
        Case::good("name in utf-8 preferred", vec![], single(vec![("name.utf-8", s("näme"))]), |t| {
            assert_eq!(t.name, "näme");
        }),
        Case::good("empty name in utf-8", vec![], single(vec![("name.utf-8", s(""))]), |t| {
            assert_eq!(t.name, "temp")
        }),
        Case::good(
            "only a name in utf-8",
            vec![],
            single(vec![("name", vec![]), ("name.utf-8", s("n"))]),
            |t| {
                assert_eq!(t.name, "n");
            },
        ),
        Case::good(
            "unknown keys",
            vec![("zzz", d([("a", l([]))]))],
            single(vec![("md5sum", s("x"))]),
            |_| (),
        ),
    ]
}

fn trackers() -> Vec<Case> {
    let tier = |urls: &[&str]| l(urls.iter().map(s));
    let many = l((0..5_000).map(|n| l([s(format!("udp://tracker{n}:1"))])));
    vec![
        Case::good("one tracker", vec![("announce", s("http://a/announce"))], single(vec![]), |t| {
            assert_eq!(t.trackers, [["http://a/announce"]]);
        }),
        Case::good(
            "white space around a tracker",
            vec![("announce", s("\r\n udp://a/ \t"))],
            single(vec![]),
            |t| {
                assert_eq!(t.trackers, [["udp://a/"]]);
            },
        ),
        Case::good("a tracker that is none", vec![("announce", s("not a url"))], single(vec![]), |t| {
            assert!(t.trackers.is_empty());
        }),
        Case::good("a tracker that is a number", vec![("announce", i(5))], single(vec![]), no_trackers),
        Case::good(
            "a tracker with an escape",
            vec![("announce", s("http://a/\x1b[0m"))],
            single(vec![]),
            no_trackers,
        ),
        Case::good(
            "tiers before the lone tracker",
            vec![
                ("announce", s("http://x")),
                ("announce-list", l([tier(&["http://a", "http://b"]), tier(&["udp://c"])])),
            ],
            single(vec![]),
            |t| assert_eq!(t.trackers, [vec!["http://a", "http://b"], vec!["udp://c"]]),
        ),
        Case::good(
            "repeated trackers and empty tiers",
            vec![(
                "announce-list",
                l([tier(&["http://a", "http://a"]), tier(&[]), tier(&["http://a"]), tier(&["http://b"])]),
            )],
            single(vec![]),
            |t| assert_eq!(t.trackers, [["http://a"], ["http://b"]]),
        ),
        Case::good(
            "empty tiers",
            vec![("announce", s("http://a")), ("announce-list", l([l([])]))],
            single(vec![]),
            |t| {
                assert_eq!(t.trackers, [["http://a"]]);
            },
        ),
        Case::good(
            "tiers without lists",
            vec![("announce-list", tier(&["http://a", "http://b"]))],
            single(vec![]),
            |t| {
                assert_eq!(t.trackers, [["http://a"], ["http://b"]]);
            },
        ),
        Case::good("tiers as text", vec![("announce-list", s("http://a"))], single(vec![]), no_trackers),
        Case::good("five thousand tiers", vec![("announce-list", many)], single(vec![]), |t| {
            assert_eq!(t.trackers.len(), limits::TRACKERS);
        }),
        Case::good(
            "endless tracker",
            vec![("announce", s(format!("http://{}", "a".repeat(100_000))))],
            single(vec![]),
            no_trackers,
        ),
        Case::good(
            "dht nodes",
            vec![(
                "nodes",
                l([
                    l([s("127.0.0.1"), i(6881)]),
                    l([s("h"), i(0)]),
                    l([s("h"), i(70_000)]),
                    l([]),
                    i(1),
                    l([i(1), i(2)]),
                ]),
            )],
            single(vec![]),
            |t| assert_eq!(t.nodes, [("127.0.0.1".to_owned(), 6881)]),
        ),
    ]
}

fn no_trackers(torrent: &Torrent) {
    assert!(torrent.trackers.is_empty());
}

fn web_seeds() -> Vec<Case> {
    let list = |urls: &[&str]| l(urls.iter().map(s));
    vec![
        Case::good("web seed as text", vec![("url-list", s("http://w/file"))], single(vec![]), |t| {
            assert_eq!(t.web_seeds, ["http://w/file"]);
        }),
        Case::good(
            "web seeds as a list",
            vec![("url-list", list(&["http://w/1", "http://w/2"]))],
            single(vec![]),
            |t| {
                assert_eq!(t.web_seeds, ["http://w/1", "http://w/2"]);
            },
        ),
        Case::good("web seed of a folder", vec![("url-list", s("http://w/a b/"))], folder_of_one(), |t| {
            assert_eq!(t.web_seeds, ["http://w/a%20b/"]);
        }),
        Case::good(
            "repeated web seeds",
            vec![("url-list", list(&["http://w", "http://w", "http://v"]))],
            single(vec![]),
            |t| {
                assert_eq!(t.web_seeds, ["http://w", "http://v"]);
            },
        ),
        Case::good("empty web seed", vec![("url-list", s(""))], single(vec![]), |t| {
            assert!(t.web_seeds.is_empty())
        }),
        Case::good(
            "web seeds of every type",
            vec![("url-list", l([i(1), l([]), d::<&str>([]), s("http://w")]))],
            single(vec![]),
            |t| {
                assert_eq!(t.web_seeds, ["http://w"]);
            },
        ),
        Case::good("http seeds", vec![("httpseeds", list(&["http://s"]))], single(vec![]), |t| {
            assert_eq!((&t.http_seeds[..], t.web_seeds.len()), (&["http://s".to_owned()][..], 0));
        }),
        Case::good("empty http seed", vec![("httpseeds", list(&[""]))], single(vec![]), |t| {
            assert!(t.http_seeds.is_empty())
        }),
        Case::good(
            "both kinds of web seed",
            vec![
                ("httpseeds", list(&["http://a", "http://a"])),
                ("url-list", list(&["http://a", "http://b"])),
            ],
            single(vec![]),
            |t| assert_eq!((t.http_seeds.len(), t.web_seeds.len()), (1, 2)),
        ),
    ]
}

fn folder_of_one() -> Vec<u8> {
    folder_with(vec![super::case::file(425, &[b"foo", b"bar.txt"])], 425, vec![])
}

fn relations() -> Vec<Case> {
    let names = || l([s("one"), s("two"), s("one"), i(3)]);
    let similar = || l([s([1; 20]), s([2; 19]), s([1; 20])]);
    vec![
        Case::good("collections outside", vec![("collections", names())], single(vec![]), |t| {
            assert_eq!(t.collections, ["one", "two"]);
        }),
        Case::good("collections inside", vec![], single(vec![("collections", names())]), |t| {
            assert_eq!(t.collections, ["one", "two"]);
        }),
        Case::good("similar outside", vec![("similar", similar())], single(vec![]), |t| {
            assert_eq!(t.similar.iter().map(|hash| hash.0).collect::<Vec<_>>(), [[1; 20]]);
        }),
        Case::good(
            "similar inside",
            vec![("similar", l([s([3; 20])]))],
            single(vec![("similar", similar())]),
            |t| {
                assert_eq!(t.similar.iter().map(|hash| hash.0).collect::<Vec<_>>(), [[1; 20], [3; 20]]);
            },
        ),
    ]
}

fn pieces() -> Vec<Case> {
    let cut = |length: i64, piece: i64, count| {
        single(vec![("length", i(length)), ("piece length", i(piece)), ("pieces", hashes(count))])
    };
    vec![
        Case::good("exactly one piece", vec![], cut(16_384, 16_384, 1), |t| {
            assert_eq!(t.layout.piece_count(), 1)
        }),
        Case::good("one byte", vec![], cut(1, 16_384, 1), |t| assert_eq!(t.layout.total_length(), 1)),
        Case::good("one byte over", vec![], cut(16_385, 16_384, 2), |t| {
            assert_eq!(t.layout.piece_count(), 2)
        }),
        Case::good("pieces of one byte", vec![], cut(300, 1, 300), |t| {
            assert_eq!(t.layout.piece_count(), 300)
        }),
        Case::good("pieces of no round length", vec![], cut(100_000, 33_333, 4), |_| ()),
        Case::good("large pieces", vec![], cut(425, 32_767 * 16_384, 1), |_| ()),
        Case::good("largest pieces", vec![], cut(1 << 40, i64::from(limits::PIECE_LENGTH), 2_048), |_| ()),
        Case::good("zero length", vec![], cut(0, 16_384, 0), |t| {
            assert_eq!((t.layout.piece_count(), t.layout.files().len()), (0, 1));
        }),
        Case::good("a petabyte", vec![], cut(1 << 50, 1 << 29, 1 << 21), |t| {
            assert_eq!(t.layout.piece_count(), limits::PIECES);
        }),
    ]
}

/// Bytes that are kept as they stand, since the info-hash is that of the original.
fn order() -> Vec<Case> {
    let unsorted =
        || d([("name", s("temp")), ("length", i(425)), ("piece length", i(16_384)), ("pieces", hashes(1))]);
    let mut line_break = Case::good("line break at the end", vec![], single(vec![]), |_| ());
    line_break.file.extend_from_slice(b"\r\n");
    let mut info_first = Case::good("unsorted keys outside", vec![], single(vec![]), |t| {
        assert_eq!(t.trackers, [["http://a"]]);
    });
    info_first.file = d([("info", single(vec![])), ("announce", s("http://a"))]);
    let mut two_levels =
        Case::good("an info within another dictionary first", vec![], single(vec![]), |_| ());
    two_levels.file = torrent(vec![("azureus", d([("info", d([("name", s("wrong"))]))]))], &single(vec![]));
    vec![
        Case::good("unsorted keys inside", vec![], unsorted(), |_| ()),
        Case::paths(
            "both a length and files",
            folder_with(vec![super::case::file(5, &[b"a"])], 5, vec![("length", i(9))]),
            &["temp/a"],
        ),
        line_break,
        info_first,
        two_levels,
    ]
}
