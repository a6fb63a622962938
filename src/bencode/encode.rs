//! The streaming encoder: lists and dictionaries are closures, so that none is left open.

/// Writes one bencoded value after the other into a buffer of its own.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
}

/// Writes the entries of one dictionary, in rising order of their keys.
#[derive(Debug)]
pub struct DictEncoder<'a> {
    encoder: &'a mut Encoder,
    /// Where the last key stands in the buffer.
    last: std::ops::Range<usize>,
}

impl Encoder {
    /// An encoder with an empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An encoder that goes on at the end of `out`.
    pub fn append(out: Vec<u8>) -> Self {
        Self { out }
    }

    /// The bytes written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Writes an integer.
    pub fn int(&mut self, number: i64) -> &mut Self {
        self.out.push(b'i');
        self.out.extend_from_slice(number.to_string().as_bytes());
        self.out.push(b'e');
        self
    }

    /// Writes a string.
    pub fn bytes(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.out.extend_from_slice(bytes.len().to_string().as_bytes());
        self.out.push(b':');
        self.out.extend_from_slice(bytes);
        self
    }

    /// Writes a value that is bencoded already.
    pub fn raw(&mut self, value: &[u8]) -> &mut Self {
        self.out.extend_from_slice(value);
        self
    }

    /// Writes a list of what `fill` writes.
    pub fn list(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.out.push(b'l');
        fill(self);
        self.out.push(b'e');
        self
    }

    /// Writes a dictionary of the entries that `fill` writes.
    pub fn dict(&mut self, fill: impl FnOnce(&mut DictEncoder<'_>)) -> &mut Self {
        self.out.push(b'd');
        let here = self.out.len();
        fill(&mut DictEncoder { encoder: self, last: here..here });
        self.out.push(b'e');
        self
    }
}

impl DictEncoder<'_> {
    /// Writes a key; its value must follow. Keys come in rising order and never twice.
    pub fn key(&mut self, key: impl AsRef<[u8]>) -> &mut Encoder {
        let key = key.as_ref();
        debug_assert!(
            self.last.is_empty() || &self.encoder.out[self.last.clone()] < key,
            "dictionary keys rise: {}",
            key.escape_ascii()
        );
        self.encoder.bytes(key);
        let end = self.encoder.out.len();
        self.last = end - key.len()..end;
        self.encoder
    }

    /// Writes an entry that is an integer.
    pub fn int(&mut self, key: impl AsRef<[u8]>, number: i64) -> &mut Self {
        self.key(key).int(number);
        self
    }

    /// Writes an entry that is a string.
    pub fn bytes(&mut self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.key(key).bytes(bytes);
        self
    }

    /// Writes an entry that is bencoded already.
    pub fn raw(&mut self, key: impl AsRef<[u8]>, value: &[u8]) -> &mut Self {
        self.key(key).raw(value);
        self
    }

    /// Writes an entry that is a list.
    pub fn list(&mut self, key: impl AsRef<[u8]>, fill: impl FnOnce(&mut Encoder)) -> &mut Self {
        self.key(key).list(fill);
        self
    }

    /// Writes an entry that is a dictionary.
    pub fn dict(&mut self, key: impl AsRef<[u8]>, fill: impl FnOnce(&mut DictEncoder<'_>)) -> &mut Self {
        self.key(key).dict(fill);
        self
    }
}
