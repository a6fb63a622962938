//! Trackers over HTTP (BEP 3): what stands in the request's URL, and the bencoded answer, each written and read.
//!
//! - `query`: the parameters of a URL, percent-encoding of raw bytes
//! - `request`: [`announce_url`] and [`scrape_url`] for a client, [`AnnounceQuery`] and [`scrape_hashes`] for a tracker
//! - `answer`: [`parse_answer`] and [`parse_scrape`] for a client
//! - `write`: [`write_answer`], [`write_failure`] and the parts of a scrape for a tracker

mod answer;
mod query;
mod request;
#[cfg(test)]
mod tests;
mod write;

pub use answer::{parse_answer, parse_scrape};
pub use query::{Parameters, decode_component, encode_component};
pub use request::{AnnounceQuery, QueryError, announce_url, scrape_hashes, scrape_url};
pub use write::{
    AnswerHead, DictPeer, Peers, write_answer, write_failure, write_scrape_end, write_scrape_file,
    write_scrape_start,
};
