//! One path component, made safe on every system whatever stands in the torrent.
//!
//! The same rules hold everywhere, so that a folder made on one system can be copied to another and is found again there.

use unicode_normalization::UnicodeNormalization;

use crate::base::limits::COMPONENT_BYTES;

/// Makes a name that is one ordinary path component on Linux, macOS and Windows out of any bytes.
///
/// Whatever a system forbids or gives a meaning of its own becomes `_`, invisible characters and those that reverse the
/// direction of text are left out, and long names are cut before their extension. A safe name is returned as it is.
pub fn safe_name(raw: &[u8]) -> String {
    usable_name(raw).unwrap_or_else(|| "_".into())
}

/// As [`safe_name`], but nothing where nothing of the name would be left.
pub(super) fn usable_name(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let mut name: String = text.chars().filter(|c| !is_invisible(*c)).map(replaced).collect();
    if name.chars().all(|c| matches!(c, '.' | ' ')) {
        return None;
    }
    truncate(&mut name);
    // Windows drops what a name ends with if it is a dot or a space, so that two names would be one.
    let kept = name.trim_end_matches(['.', ' ']).len();
    let dropped = name.len() - kept;
    name.replace_range(kept.., &"_".repeat(dropped));
    if is_device(&name) {
        name.insert(0, '_');
        truncate(&mut name);
    }
    Some(name)
}

/// The name with a number before its extension: `bar.txt` becomes `bar.1.txt`.
pub(super) fn numbered(name: &str, number: u32) -> String {
    let (stem, extension) = split_extension(name);
    let room = COMPONENT_BYTES.saturating_sub(extension.len() + 11);
    safe_name(format!("{}.{number}{extension}", prefix(stem, room)).as_bytes())
}

/// What two names have in common if some system takes them for the same: case and the way accents are written do not count.
pub(super) fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    // Upper case first, since some letters share only that form; a last pass over accents that the change of case set free.
    name.nfd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfd().collect()
}

fn replaced(c: char) -> char {
    match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | char::REPLACEMENT_CHARACTER => '_',
        '\u{2028}' | '\u{2029}' => '_',
        c if c.is_control() => '_',
        c => c,
    }
}

/// Characters that show nothing or change how their neighbours are shown: they make `exe.txt` look like `txt.exe`.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether Windows would open a device instead of a file of this name, whatever its extension.
fn is_device(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_uppercase();
    let port = |prefix| {
        base.strip_prefix(prefix).is_some_and(|rest| {
            let mut rest = rest.chars();
            matches!(rest.next(), Some('0'..='9' | '¹' | '²' | '³')) && rest.next().is_none()
        })
    };
    matches!(&*base, "CON" | "PRN" | "AUX" | "NUL" | "CLOCK$" | "CONIN$" | "CONOUT$")
        || port("COM")
        || port("LPT")
}

/// Cuts a name that is too long, before its extension.
fn truncate(name: &mut String) {
    if name.len() > COMPONENT_BYTES {
        let (stem, extension) = split_extension(name);
        *name = format!("{}{extension}", prefix(stem, COMPONENT_BYTES - extension.len()));
    }
}

/// The name before its last dot, and the dot and the rest; no extension where that would be very long or the whole name.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= EXTENSION_BYTES => name.split_at(at),
        _ => (name, ""),
    }
}

fn prefix(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Longer ones are taken for a part of the name; with the dot.
const EXTENSION_BYTES: usize = 33;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    #[test]
    fn hostile_names_become_ordinary_ones() {
        let table: &[(&[u8], &str)] = &[
            (b"plain name.txt", "plain name.txt"),
            ("Füße – 日本語 👍.txt".as_bytes(), "Füße – 日本語 👍.txt"),
            (b"", "_"),
            (b".", "_"),
            (b"..", "_"),
            (b"...", "_"),
            (b"  ", "_"),
            (b".hidden", ".hidden"),
            (b"a..b", "a..b"),
            (b"/etc/passwd", "_etc_passwd"),
            (b"../x", ".._x"),
            (b"..\\x", ".._x"),
            (b"a/../b", "a_.._b"),
            (b"C:\\x", "C__x"),
            (b"C:x", "C_x"),
            (b"\\\\server\\share", "__server_share"),
            (b"\\\\?\\C:\\x", "____C__x"),
            (b"file:stream", "file_stream"),
            (b"a<b>c\"d|e?f*g", "a_b_c_d_e_f_g"),
            (b"nul\0byte", "nul_byte"),
            (b"line\nfeed\x1b[31m\x7f", "line_feed_[31m_"),
            ("c1\u{85}\u{9b}".as_bytes(), "c1__"),
            (b"abc.", "abc_"),
            (b"abc ", "abc_"),
            (b"abc. .", "abc___"),
            (b" abc", " abc"),
            (b"CON", "_CON"),
            (b"nul.txt", "_nul.txt"),
            (b"Aux.tar.gz", "_Aux.tar.gz"),
            (b"com1", "_com1"),
            (b"COM0.x", "_COM0.x"),
            (b"LPT9", "_LPT9"),
            ("lpt³.txt".as_bytes(), "_lpt³.txt"),
            ("COM¹".as_bytes(), "_COM¹"),
            (b"CLOCK$", "_CLOCK$"),
            (b"conin$", "_conin$"),
            (b"con .txt", "_con .txt"),
            (b"con ", "con_"),
            (b"console", "console"),
            (b"com10", "com10"),
            (b"prn-1", "prn-1"),
            ("invoice\u{202e}fdp.exe".as_bytes(), "invoicefdp.exe"),
            ("a\u{200b}b\u{feff}c\u{2066}".as_bytes(), "abc"),
            ("\u{200e}\u{200f}".as_bytes(), "_"),
            ("C\u{200b}ON".as_bytes(), "_CON"),
            (".\u{200b}.".as_bytes(), "_"),
            (b"bad\xff\xfeutf8", "bad__utf8"),
            (b"dot\xc0\xae", "dot__"),
            ("para\u{2029}graph".as_bytes(), "para_graph"),
        ];
        for (raw, safe) in table {
            assert_eq!(safe_name(raw), *safe, "{}", raw.escape_ascii());
            assert_eq!(safe_name(safe.as_bytes()), *safe, "a safe name stays");
        }
    }

    #[test]
    fn long_names_keep_their_extension_and_whole_characters() {
        assert_eq!(safe_name(&[b'a'; 300]), "a".repeat(240));
        assert_eq!(
            safe_name(&[vec![b'a'; 300], b".jpeg".to_vec()].concat()),
            format!("{}.jpeg", "a".repeat(235))
        );
        assert_eq!(
            safe_name(format!("{}.txt", "€".repeat(100)).as_bytes()),
            format!("{}.txt", "€".repeat(78))
        );
        let not_an_extension = format!("a.{}", "b".repeat(300));
        assert_eq!(safe_name(not_an_extension.as_bytes()), not_an_extension[..240]);
        assert_eq!(safe_name(format!("a{}", " ".repeat(300)).as_bytes()), format!("a{}", "_".repeat(239)));
        let device = safe_name(format!("CON{}x.txt", " ".repeat(300)).as_bytes());
        assert!(device.starts_with("_CON ") && device.ends_with(" .txt") && device.len() == 240);
    }

    #[test]
    fn numbers_go_before_the_extension() {
        assert_eq!(numbered("bar.txt", 1), "bar.1.txt");
        assert_eq!(numbered("bar", 12), "bar.12");
        assert_eq!(numbered(".profile", 1), ".profile.1");
        let long = numbered(&format!("{}.txt", "a".repeat(236)), 4_000_000_000);
        assert!(long.ends_with("a.4000000000.txt") && long.len() <= 240);
    }

    #[test]
    fn folding_finds_names_that_some_system_takes_for_one() {
        for (a, b) in [
            ("A.TXT", "a.txt"),
            ("é", "e\u{301}"),
            ("É", "e\u{301}"),
            ("straße", "STRASSE"),
            ("ς", "Σ"),
            ("K", "\u{212a}"),
        ] {
            assert_eq!(folded(a), folded(b), "{a} {b}");
        }
        assert_ne!(folded("a"), folded("ä"));
    }

    #[test]
    fn any_bytes_become_one_safe_component() {
        let mut rng = Rng::new(3);
        let bits: [&[u8]; 14] = [
            b".",
            b" ",
            b"/",
            b"\\",
            b":",
            b"CON",
            b"\xff",
            b"a",
            "é".as_bytes(),
            "\u{202e}".as_bytes(),
            b"\0",
            b"NUL.",
            b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "日本語日本語日本語日本語".as_bytes(),
        ];
        for _ in 0..20_000 {
            let raw: Vec<u8> =
                (0..rng.below(12)).flat_map(|_| bits[rng.below(bits.len())].to_vec()).collect();
            let name = safe_name(&raw);
            assert!(!name.is_empty() && name.len() <= COMPONENT_BYTES, "{name}");
            assert!(
                !name.contains(['/', '\\', ':', '\0']) && !name.ends_with(['.', ' ']) && !is_device(&name),
                "{name}"
            );
            assert_eq!(safe_name(name.as_bytes()), name);
        }
    }
}
