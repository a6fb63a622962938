//! Rust source as a checker sees it: comments and literals blanked, line numbers kept.

/// A source file, ready for searching.
pub(crate) struct Source {
    /// Its path below the package, with forward slashes.
    pub path: String,
    /// The text as written.
    pub raw: String,
    /// The text with every comment, string and character literal replaced by blanks, up to the first `#[cfg(test)]`
    /// module; nothing where the whole file is a test.
    pub code: String,
}

impl Source {
    /// Prepares one file.
    pub(crate) fn new(path: &str, raw: &str) -> Self {
        let blanked = blank(raw);
        let code = if is_test_file(path) { String::new() } else { without_test_module(&blanked).to_owned() };
        Self { path: path.to_owned(), raw: raw.to_owned(), code }
    }

    /// The room: the first folder below `src`, or the file's own name for a file directly in it.
    pub(crate) fn room(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below.split('/').next().map_or("", |part| part.trim_end_matches(".rs"))
    }

    /// Each line of `code` with its number, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Whether a file holds nothing but tests.
fn is_test_file(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/")
}

/// Everything before the module of tests, which stands last in a file.
fn without_test_module(blanked: &str) -> &str {
    let mut from = 0;
    while let Some(found) = blanked[from..].find("#[cfg(test)]") {
        let start = from + found;
        let after = blanked[start + "#[cfg(test)]".len()..].trim_start();
        let has_body = after.find(['{', ';']).is_some_and(|at| after.as_bytes()[at] == b'{');
        if after.starts_with("mod ") && has_body {
            return &blanked[..start];
        }
        from = start + 1;
    }
    blanked
}

/// Replaces comments and literals by blanks and keeps the lines.
pub(crate) fn blank(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment_end(bytes, at);
        if end > at {
            out.extend(bytes[at..end].iter().map(|&byte| if byte == b'\n' { byte } else { b' ' }));
            at = end;
        } else {
            // Words are taken whole, so that the `r` of `for"` is never read as the start of a raw string.
            let word = bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
            let end = at + word.max(1);
            let raw_string = matches!(&bytes[at..end], b"r" | b"b" | b"br" | b"c" | b"cr");
            out.extend_from_slice(&bytes[at..end]);
            at = end;
            if raw_string && let Some(end) = raw_string_end(bytes, at) {
                out.extend(bytes[at..end].iter().map(|&byte| if byte == b'\n' { byte } else { b' ' }));
                at = end;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the comment, string or character literal that starts at `at` ends; `at` where none starts there.
fn literal_or_comment_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return block_comment_end(bytes, at);
    }
    if rest[0] == b'"' {
        return quoted_end(bytes, at, b'"');
    }
    // A quote starts a character literal where it closes after one character; a lifetime otherwise.
    if rest[0] == b'\'' {
        let character = std::str::from_utf8(&rest[1..rest.len().min(5)])
            .or_else(|error| std::str::from_utf8(&rest[1..1 + error.valid_up_to()]))
            .ok()
            .and_then(|text| text.chars().next());
        let closes = |width: usize| rest.get(1 + width) == Some(&b'\'');
        return match character {
            Some('\\') => quoted_end(bytes, at, b'\''),
            Some(character) if closes(character.len_utf8()) => at + 2 + character.len_utf8(),
            _ => at,
        };
    }
    at
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn quoted_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where the raw string whose hashes or quote start at `at` ends.
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at..].iter().take_while(|&&byte| byte == b'#').count();
    if bytes.get(at + hashes) != Some(&b'"') {
        return None;
    }
    let mut closing = vec![b'"'];
    closing.resize(1 + hashes, b'#');
    let from = at + hashes + 1;
    let found = bytes[from..].windows(closing.len()).position(|window| window == closing)?;
    Some(from + found + closing.len())
}

#[test]
fn comments_and_literals_are_blanked_and_lines_stay() {
    let blanked =
        blank("a /* x /* y */ z */ b // c\n\"d \\\" // e\" f 'g' '\\'' h<'i> r#\"j \" k\"# l b\"m\"");
    assert_eq!(blanked.split_whitespace().collect::<String>(), "abfh<'i>rlb");
    assert_eq!(blank("\"one\ntwo\"\n// three\nfour").lines().count(), 4);
    assert_eq!(blank("let s = 'é'; t").split_whitespace().collect::<String>(), "lets=;t");
}

#[test]
fn a_module_of_tests_is_left_out() {
    let source = Source::new("src/base/x.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n use crate::net;\n}\n");
    assert_eq!(source.code.trim(), "fn a() {}");
    let beside = Source::new("src/base/x.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
    assert!(beside.code.contains("fn a"));
    assert_eq!(Source::new("src/base/x/tests.rs", "fn a() {}").code, "");
    assert_eq!(Source::new("src/base/x_tests.rs", "fn a() {}").code, "");
    assert_eq!(beside.room(), "base");
}
