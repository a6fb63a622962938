//! Reading a decoded input: nodes are positions in the table of tokens, cheap to copy, and lend the input's own bytes.

use std::fmt;

use crate::bencode::Value;
use crate::bencode::decode::{Token, parse_integer};

/// A decoded input. Every question about it is answered without copying.
pub struct Document<'a> {
    input: &'a [u8],
    tokens: Vec<Token>,
}

/// One value within a [`Document`].
///
/// Asking it for what it is not gives nothing, so that what a stranger sent can be read without asking for its kind first.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    input: &'a [u8],
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Document<'a> {
    pub(super) fn new(input: &'a [u8], tokens: Vec<Token>) -> Self {
        Self { input, tokens }
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_> {
        Node { input: self.input, tokens: &self.tokens, at: 0 }
    }
}

impl<'a> Node<'a> {
    /// The value under `key` where this is a dictionary that has one.
    pub fn get(self, key: &[u8]) -> Option<Self> {
        self.dict().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The number where this is an integer.
    pub fn int(self) -> Option<i64> {
        let token = self.token();
        if self.kind() != b'i' {
            return None;
        }
        parse_integer(&self.input[token.body as usize..token.end as usize - 1])
    }

    /// The contents where this is a string.
    pub fn bytes(self) -> Option<&'a [u8]> {
        let token = self.token();
        self.kind().is_ascii_digit().then(|| &self.input[token.body as usize..token.end as usize])
    }

    /// The contents where this is a string in UTF-8.
    pub fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// The members of a list; none for anything else.
    pub fn list(self) -> impl Iterator<Item = Self> + use<'a> {
        let end = if self.is_list() { self.token().next as usize } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let node = (at < end).then_some(Self { at, ..self })?;
            at = node.token().next as usize;
            Some(node)
        })
    }

    /// The keys and values of a dictionary in the order of the input; none for anything else.
    pub fn dict(self) -> impl Iterator<Item = (&'a [u8], Self)> + use<'a> {
        let end = if self.is_dict() { self.token().next as usize } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let key = (at < end).then_some(Self { at, ..self })?;
            let value = Self { at: at + 1, ..self };
            at = value.token().next as usize;
            Some((key.bytes()?, value))
        })
    }

    /// Whether this is a list.
    pub fn is_list(self) -> bool {
        self.kind() == b'l'
    }

    /// Whether this is a dictionary.
    pub fn is_dict(self) -> bool {
        self.kind() == b'd'
    }

    /// The bytes of the input that this value was read from.
    pub fn raw(self) -> &'a [u8] {
        let token = self.token();
        &self.input[token.start as usize..token.end as usize]
    }

    /// A copy that outlives the input.
    pub fn to_value(self) -> Value {
        // No deeper than the decoder let through.
        if let Some(number) = self.int() {
            Value::Int(number)
        } else if let Some(bytes) = self.bytes() {
            Value::Bytes(bytes.to_vec())
        } else if self.is_list() {
            Value::List(self.list().map(Self::to_value).collect())
        } else {
            Value::Dict(self.dict().map(|(key, value)| (key.to_vec(), value.to_value())).collect())
        }
    }

    fn kind(self) -> u8 {
        self.input[self.token().start as usize]
    }

    fn token(self) -> Token {
        self.tokens[self.at]
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_value(), f)
    }
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.root(), f)
    }
}
