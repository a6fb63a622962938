//! The decoder: one loop with its own stack, so that no input can exhaust the program's.

use crate::base::limits::{BENCODE_DEPTH, BENCODE_TOKENS};
use crate::bencode::Document;

/// Reads one value that is the whole input.
///
/// Keys out of order are accepted, since what an info-hash is taken of are the original bytes; a key that stands twice in
/// one dictionary is not, since readers would disagree about which one counts.
///
/// # Errors
/// Where the input is no bencoded value, goes beyond the limits of depth or number of values, or goes on after the value.
pub fn decode(input: &[u8]) -> Result<Document<'_>, Error> {
    let (document, used) = decode_prefix(input)?;
    if used < input.len() {
        return Err(Error { fault: Fault::Trailing, at: used });
    }
    Ok(document)
}

/// Reads one value from the start of the input and says how many bytes it took; what follows is not looked at.
///
/// # Errors
/// As for [`decode`], but for what follows the value.
pub fn decode_prefix(input: &[u8]) -> Result<(Document<'_>, usize), Error> {
    if u32::try_from(input.len()).is_err() {
        return Err(Error { fault: Fault::TooBig, at: 0 });
    }
    let mut decoder = Decoder { input, at: 0, tokens: Vec::new(), open: Vec::new() };
    let used = decoder.run().map_err(|fault| Error { fault, at: decoder.at })?;
    Ok((Document::new(&input[..used], decoder.tokens), used))
}

/// Why an input was refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad bencoding at byte {at}: {fault}")]
pub struct Error {
    /// What is wrong.
    pub fault: Fault,
    /// The byte at which it was noticed.
    pub at: usize,
}

/// What can be wrong with bencoded input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The input stops within a value.
    #[error("it ends too early")]
    Truncated,
    /// A byte that begins no value.
    #[error("a value cannot begin like this")]
    Unexpected,
    /// A dictionary key that is no string.
    #[error("a dictionary key is not a string")]
    Key,
    /// A dictionary that ends between a key and its value.
    #[error("a dictionary key has no value")]
    NoValue,
    /// The same key twice in one dictionary.
    #[error("a dictionary key stands twice")]
    DuplicateKey,
    /// An integer that is empty, has a leading zero, is minus zero, or has a foreign character.
    #[error("an integer is not written properly")]
    Integer,
    /// An integer beyond 64 bits.
    #[error("an integer is too large")]
    IntegerRange,
    /// A string length that is not written properly.
    #[error("a string length is not written properly")]
    Length,
    /// A string length beyond what is left of the input.
    #[error("a string is longer than what remains")]
    Overlong,
    /// Too many values within each other.
    #[error("it is nested too deeply")]
    Depth,
    /// Too many values in all.
    #[error("it has too many values")]
    Tokens,
    /// An input of 4 GiB or more.
    #[error("it is too big")]
    TooBig,
    /// Bytes after the value.
    #[error("something follows the value")]
    Trailing,
}

/// One value: where it stands in the input, and where the table goes on after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// Its first byte, which also says its kind.
    pub(super) start: u32,
    /// The first byte of a string's contents or of an integer's digits.
    pub(super) body: u32,
    /// One past its last byte.
    pub(super) end: u32,
    /// The number of the token after this value and everything in it.
    pub(super) next: u32,
}

struct Decoder<'a> {
    input: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    open: Vec<Open>,
}

/// A list or dictionary whose end has not come yet.
struct Open {
    token: usize,
    dict: bool,
    /// The token of the last key while its value is due.
    key: Option<usize>,
    /// The token of the last key whose value has been read.
    previous: Option<usize>,
    sorted: bool,
}

impl Decoder<'_> {
    fn run(&mut self) -> Result<usize, Fault> {
        loop {
            let byte = *self.input.get(self.at).ok_or(Fault::Truncated)?;
            if byte == b'e' {
                self.close()?;
            } else {
                if self.tokens.len() >= BENCODE_TOKENS {
                    return Err(Fault::Tokens);
                }
                let key_due = self.open.last().is_some_and(|open| open.dict && open.key.is_none());
                match byte {
                    b'0'..=b'9' if key_due => {
                        self.string()?;
                        self.key()?;
                        continue;
                    }
                    _ if key_due => return Err(Fault::Key),
                    b'0'..=b'9' => self.string()?,
                    b'i' => self.integer()?,
                    b'l' | b'd' => {
                        self.begin(byte == b'd')?;
                        continue;
                    }
                    _ => return Err(Fault::Unexpected),
                }
            }
            // A value has just ended: it settles the key it belongs to, or is the whole.
            match self.open.last_mut() {
                Some(open) => open.previous = open.key.take().or(open.previous),
                None => return Ok(self.at),
            }
        }
    }

    fn begin(&mut self, dict: bool) -> Result<(), Fault> {
        if self.open.len() >= BENCODE_DEPTH {
            return Err(Fault::Depth);
        }
        self.open.push(Open { token: self.tokens.len(), dict, key: None, previous: None, sorted: true });
        self.push(self.at, self.at + 1, self.at + 1);
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let open = self.open.pop().ok_or(Fault::Unexpected)?;
        if open.key.is_some() {
            return Err(Fault::NoValue);
        }
        if !open.sorted {
            self.refuse_duplicates(open.token)?;
        }
        self.at += 1;
        let next = self.tokens.len() as u32;
        let token = &mut self.tokens[open.token];
        (token.end, token.next) = (self.at as u32, next);
        Ok(())
    }

    /// Remembers the string just read as the key of the innermost dictionary.
    fn key(&mut self) -> Result<(), Fault> {
        let key = self.tokens.len() - 1;
        let previous = self.open.last().and_then(|open| open.previous);
        let order = previous.map(|previous| self.contents(previous).cmp(self.contents(key)));
        if order == Some(std::cmp::Ordering::Equal) {
            return Err(Fault::DuplicateKey);
        }
        if let Some(open) = self.open.last_mut() {
            open.key = Some(key);
            open.sorted &= order != Some(std::cmp::Ordering::Greater);
        }
        Ok(())
    }

    /// Looks for equal keys in a dictionary whose keys are out of order and therefore were not compared with each other.
    fn refuse_duplicates(&self, dict: usize) -> Result<(), Fault> {
        let mut keys = Vec::new();
        let mut at = dict + 1;
        while at < self.tokens.len() {
            keys.push(self.contents(at));
            at = self.tokens[at + 1].next as usize;
        }
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) { Err(Fault::DuplicateKey) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<(), Fault> {
        let rest = &self.input[self.at..];
        // No length that fits the input has more digits than this.
        let digits = rest.iter().take(11).take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 11 {
            return Err(Fault::Overlong);
        }
        match rest.get(digits) {
            None => return Err(Fault::Truncated),
            Some(b':') if digits == 1 || rest[0] != b'0' => {}
            Some(_) => return Err(Fault::Length),
        }
        let len = rest[..digits].iter().fold(0u64, |len, digit| len * 10 + u64::from(digit - b'0'));
        if len > (rest.len() - digits - 1) as u64 {
            return Err(Fault::Overlong);
        }
        let body = self.at + digits + 1;
        let end = body + len as usize;
        self.push(self.at, body, end);
        self.at = end;
        Ok(())
    }

    fn integer(&mut self) -> Result<(), Fault> {
        let body = self.at + 1;
        let rest = &self.input[body..];
        let negative = rest.first() == Some(&b'-');
        let digits = &rest[usize::from(negative)..];
        let count = digits.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
        if count == 20 {
            return Err(Fault::IntegerRange);
        }
        match digits.get(count) {
            None => return Err(Fault::Truncated),
            Some(b'e') if count > 0 && (digits[0] != b'0' || (count == 1 && !negative)) => {}
            Some(_) => return Err(Fault::Integer),
        }
        let end = body + usize::from(negative) + count;
        parse_integer(&self.input[body..end]).ok_or(Fault::IntegerRange)?;
        self.push(self.at, body, end + 1);
        self.at = end + 1;
        Ok(())
    }

    fn push(&mut self, start: usize, body: usize, end: usize) {
        let next = self.tokens.len() as u32 + 1;
        self.tokens.push(Token { start: start as u32, body: body as u32, end: end as u32, next });
    }

    fn contents(&self, token: usize) -> &[u8] {
        let token = self.tokens[token];
        &self.input[token.body as usize..token.end as usize]
    }
}

/// The integer that these digits write, with an optional minus in front; nothing where it does not fit.
pub(super) fn parse_integer(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
