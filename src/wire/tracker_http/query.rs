//! The parameters of a URL. Info-hashes and peer ids stand in it as raw bytes, percent-encoded (BEP 3).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// The parameters of a query string in their order, still encoded: `name` and `value`, the value empty where there is none.
#[derive(Clone, Debug)]
pub struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    /// The parameters of `query`, which is what stands behind the `?`.
    pub fn new(query: &'a [u8]) -> Self {
        Self(query)
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let end = self.0.iter().position(|byte| *byte == b'&').unwrap_or(self.0.len());
            let (pair, rest) = self.0.split_at(end);
            self.0 = rest.get(1..).unwrap_or_default();
            if !pair.is_empty() {
                let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
                return Some((&pair[..middle], pair.get(middle + 1..).unwrap_or_default()));
            }
        }
        None
    }
}

/// The bytes behind a percent-encoded value. A `+` stands for itself, since clients write raw bytes and not form fields.
pub fn decode_component(value: &[u8]) -> Cow<'_, [u8]> {
    percent_decode(value).into()
}

/// Appends the bytes, percent-encoded where they are not letters, digits or `-._~`.
pub fn encode_component(bytes: &[u8], out: &mut String) {
    out.extend(percent_encode(bytes, ENCODED));
}

/// Reads twenty bytes without a buffer of their own; nothing where they are not twenty.
pub(super) fn decode_twenty(value: &[u8]) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    let mut decoded = percent_decode(value);
    for byte in &mut bytes {
        *byte = decoded.next()?;
    }
    decoded.next().is_none().then_some(bytes)
}

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
