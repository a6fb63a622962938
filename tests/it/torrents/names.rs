//! Hostile names of a single file, and the name each has on the disk.

use super::case::{Case, s, single};

pub(super) fn cases() -> Vec<Case> {
    let table: &[(&[u8], &str)] = &[
        (b"ordinary name (1) [x].tar.gz", "ordinary name (1) [x].tar.gz"),
        ("файл — 文件 😀.txt".as_bytes(), "файл — 文件 😀.txt"),
        ("e\u{301}".as_bytes(), "e\u{301}"),
        (b".hidden", ".hidden"),
        (b"~user", "~user"),
        (b"-rf", "-rf"),
        (b"$HOME `id` ;& name", "$HOME `id` ;& name"),
        (b"../../etc/passwd", ".._.._etc_passwd"),
        (b"..\\..\\windows\\system.ini", ".._.._windows_system.ini"),
        (b"/etc/passwd", "_etc_passwd"),
        (b"//server/share", "__server_share"),
        (b"\\\\server\\share\\x", "__server_share_x"),
        (b"\\\\?\\C:\\x", "____C__x"),
        (b"\\\\.\\PhysicalDrive0", "__._PhysicalDrive0"),
        (b"C:\\autoexec.bat", "C__autoexec.bat"),
        (b"C:relative", "C_relative"),
        (b"a/../../b", "a_.._.._b"),
        (b"file.txt:stream", "file.txt_stream"),
        (b"file.txt::$DATA", "file.txt__$DATA"),
        (b"trailing dot.", "trailing dot_"),
        (b"trailing space ", "trailing space_"),
        (b"trailing . .", "trailing____"),
        (b"<tag> \"q\" a|b?*", "_tag_ _q_ a_b__"),
        (b"zero\0byte.txt", "zero_byte.txt"),
        (b"bell\x07 tab\t line\n escape\x1b[31m", "bell_ tab_ line_ escape_[31m"),
        (b"delete\x7f", "delete_"),
        ("c1 \u{80}\u{9f}".as_bytes(), "c1 __"),
        ("photo\u{202e}gpj.exe".as_bytes(), "photogpj.exe"),
        ("iso\u{2066}late\u{2069}".as_bytes(), "isolate"),
        ("zero\u{200b}width\u{200d}\u{feff}".as_bytes(), "zerowidth"),
        ("line\u{2028}separator".as_bytes(), "line_separator"),
        (b"CON", "_CON"),
        (b"con.txt", "_con.txt"),
        (b"NUL", "_NUL"),
        (b"nul.tar.gz", "_nul.tar.gz"),
        (b"aux ", "aux_"),
        (b"aux .h", "_aux .h"),
        (b"PRN.", "PRN_"),
        (b"COM1", "_COM1"),
        (b"com9.log", "_com9.log"),
        (b"LPT0", "_LPT0"),
        ("COM².txt".as_bytes(), "_COM².txt"),
        (b"CLOCK$", "_CLOCK$"),
        (b"CONOUT$", "_CONOUT$"),
        ("C\u{200b}ON".as_bytes(), "_CON"),
        (b"COM10", "COM10"),
        (b"control", "control"),
        (b"latin1 \xe9\xe8", "latin1 __"),
        (b"truncated \xe2\x82", "truncated _"),
        (b"overlong \xc0\xae\xc0\xae\xc0\xaf", "overlong ______"),
        (b"surrogate \xed\xa0\x80", "surrogate ___"),
        (b"five bytes \xf8\x88\x80\x80\x80", "five bytes _____"),
    ];
    let mut cases: Vec<_> = table
        .iter()
        .map(|(raw, safe)| {
            Case::paths(format!("name {}", raw.escape_ascii()), single(vec![("name", s(raw))]), &[*safe])
        })
        .collect();
    let long = [b"x".repeat(300), b".mkv".to_vec()].concat();
    let safe = format!("{}.mkv", "x".repeat(236));
    cases.push(Case::paths("a name of 304 bytes", single(vec![("name", s(long))]), &[&safe]));
    let wide = format!("{}.txt", "語".repeat(200));
    let safe = format!("{}.txt", "語".repeat(78));
    cases.push(Case::paths("a name of 200 wide characters", single(vec![("name", s(wide))]), &[&safe]));
    let huge = "z".repeat(1 << 20);
    cases.push(Case::paths("a name of a mebibyte", single(vec![("name", s(&huge))]), &[&huge[..240]]));
    for raw in [&b""[..], b".", b"..", b"...", b" ", "\u{200e}".as_bytes()] {
        // Nothing is left of it, so that the info-hash has to do.
        cases.push(Case::good(
            format!("name that is nothing: {}", raw.escape_ascii()),
            vec![],
            single(vec![("name", s(raw))]),
            |t| {
                assert_eq!(t.layout.files()[0].path, [t.info_hash.to_hex()]);
            },
        ));
    }
    cases
}
