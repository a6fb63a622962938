//! An owned tree of values, for what has to be kept, changed, or built in no particular order.

use std::collections::BTreeMap;

use crate::bencode::Encoder;

/// A bencoded value that owns its contents. Dictionaries are sorted, as BEP 3 wants them written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer.
    Int(i64),
    /// A string of bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A dictionary.
    Dict(BTreeMap<Vec<u8>, Value>),
}

impl Value {
    /// A dictionary of these entries.
    pub fn dict<K: Into<Vec<u8>>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Dict(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The bencoded bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        self.write(&mut out);
        out.finish()
    }

    /// Writes the value to an encoder.
    pub fn write(&self, out: &mut Encoder) {
        match self {
            Self::Int(number) => {
                out.int(*number);
            }
            Self::Bytes(bytes) => {
                out.bytes(bytes);
            }
            Self::List(members) => {
                out.list(|out| members.iter().for_each(|member| member.write(out)));
            }
            Self::Dict(entries) => {
                out.dict(|out| entries.iter().for_each(|(key, value)| value.write(out.key(key))));
            }
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<Vec<Value>> for Value {
    fn from(members: Vec<Value>) -> Self {
        Self::List(members)
    }
}
