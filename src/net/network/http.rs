//! The little HTTP/1.1 that a coordinator speaks: the head of a request, and answers.

use std::io::Write as _;

use crate::network::{Code, OPERATIONS, Refusal};

/// Bytes of a request's head, and its lines.
pub(super) const HEAD_BYTES: usize = 8 * 1024;
const HEADERS: usize = 64;

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The operation that the path names, and the bytes its body may have; nothing where there is none of that name.
    pub(super) operation: Option<(&'static str, usize)>,
    /// What stands after `Authorization: Bearer`.
    pub(super) bearer: Option<Vec<u8>>,
    /// Bytes of the body.
    pub(super) body: usize,
    /// Whether further requests may follow.
    pub(super) keep_alive: bool,
    /// Whether the body comes only after it was asked for.
    pub(super) expects_leave: bool,
    /// Bytes of the head itself.
    pub(super) len: usize,
}

/// Reads the head of what has come; nothing where it is not whole yet.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head>, Refusal> {
    let malformed =
        |why: &str| Refusal::new(Code::Malformed, format!("this is no request of a network: {why}"));
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let len = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(malformed("its head is too long")),
        Err(error) => return Err(malformed(&error.to_string())),
    };
    let mut head = Head {
        operation: None,
        bearer: None,
        body: 0,
        keep_alive: parsed.version == Some(1),
        expects_leave: false,
        len,
    };
    let mut body = None;
    for header in parsed.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("authorization") {
            head.bearer = header.value.strip_prefix(b"Bearer ").map(|text| text.trim_ascii().to_vec());
        } else if is("connection") {
            head.keep_alive &= !header.value.to_ascii_lowercase().windows(5).any(|part| part == b"close");
        } else if is("expect") {
            head.expects_leave = header.value.eq_ignore_ascii_case(b"100-continue");
        } else if is("transfer-encoding") {
            return Err(malformed("its body needs a Content-Length"));
        } else if is("content-length") {
            let length = std::str::from_utf8(header.value).ok().and_then(|text| text.trim().parse().ok());
            // Two lengths, or one that does not read: nobody knows where the body ends.
            match length {
                Some(length) if body.is_none_or(|known| known == length) => body = Some(length),
                _ => return Err(malformed("its Content-Length does not read")),
            }
        }
    }
    head.body = body.unwrap_or(0);
    let name = parsed.path.and_then(|path| path.strip_prefix("/v1/"));
    let is_post = parsed.method == Some("POST");
    head.operation = OPERATIONS
        .iter()
        .find(|(known, _)| is_post && name == Some(known))
        .map(|(name, bytes)| (*name, *bytes));
    Ok(Some(head))
}

/// Writes an answer.
pub(super) fn answer(result: &Result<Vec<u8>, Refusal>, keep_alive: bool) -> Vec<u8> {
    let refused;
    let (status, body) = match result {
        Ok(body) => ("200 OK", body),
        Err(refusal) => {
            refused = serde_json::to_vec(refusal).unwrap_or_default();
            (status(refusal.code), &refused)
        }
    };
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let mut bytes = Vec::with_capacity(body.len() + 160);
    // Never fails: the vector grows.
    let _ = write!(
        bytes,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Connection: {connection}\r\n\r\n",
        body.len()
    );
    bytes.extend_from_slice(body);
    bytes
}

fn status(code: Code) -> &'static str {
    match code {
        Code::Malformed => "400 Bad Request",
        Code::Unauthorised => "401 Unauthorized",
        Code::NotFound => "404 Not Found",
        Code::Ambiguous | Code::Unregistered | Code::NoTrackers => "409 Conflict",
        Code::TooLarge => "413 Content Too Large",
        Code::Busy => "429 Too Many Requests",
        Code::Internal => "500 Internal Server Error",
        Code::Full => "507 Insufficient Storage",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(text: &str) -> Head {
        parse(text.as_bytes()).expect("a head").expect("a whole one")
    }

    #[test]
    fn a_head_is_read() {
        let text =
            "POST /v1/list HTTP/1.1\r\nhost: a\r\nAUTHORIZATION: Bearer abc \r\nContent-Length: 12\r\n\r\n{}";
        let found = head(text);
        assert_eq!(found.operation.expect("known").0, "list");
        assert_eq!((found.bearer.as_deref(), found.body, found.keep_alive), (Some(&b"abc"[..]), 12, true));
        assert_eq!(found.len, text.len() - 2);
        for at in 0..found.len {
            assert_eq!(parse(&text.as_bytes()[..at]), Ok(None), "{at}");
        }
        assert!(head("GET /v1/list HTTP/1.1\r\n\r\n").operation.is_none());
        assert!(head("POST /v2/list HTTP/1.1\r\n\r\n").operation.is_none());
        assert!(!head("POST /v1/list HTTP/1.1\r\nConnection: Close\r\n\r\n").keep_alive);
        assert!(!head("POST /v1/list HTTP/1.0\r\n\r\n").keep_alive);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            "hello, is anybody there?\r\n\r\n",
            "POST /v1/list HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST /v1/list HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "POST /v1/list HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            &format!("POST /{} HTTP/1.1\r\n\r\n", "a".repeat(HEAD_BYTES)),
        ] {
            let refused = parse(&text.as_bytes()[..text.len().min(HEAD_BYTES)]);
            assert_eq!(refused.expect_err(text).code, Code::Malformed);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fall(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"POST /v1/list HTTP/1.1\r\n".as_slice(), &bytes].concat());
        }
    }
}
