//! Texts that strangers wrote, made fit to be shown.

/// At most `chars` characters of the text, without control and direction characters and without space around it; nothing
/// where nothing is left.
pub(crate) fn printable(bytes: &[u8], chars: usize) -> Option<String> {
    let front = &bytes[..bytes.len().min(4 * chars)];
    let text: String =
        String::from_utf8_lossy(front).chars().filter(|c| !is_hidden(*c)).take(chars).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn is_hidden(c: char) -> bool {
    let invisible =
        ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{feff}'..='\u{feff}'];
    c.is_control() || invisible.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_dropped() {
        assert_eq!(printable(b" a\x1b[1m\xe2\x80\xaeb\xff\n ", 64).as_deref(), Some("a[1mb\u{fffd}"));
        assert_eq!(printable(&[b'x'; 1_000], 64).map(|text| text.len()), Some(64));
        assert_eq!(printable(b"\0\r\n", 64), None);
    }
}
