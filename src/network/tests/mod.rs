//! The whole network as machines: members against a coordinator over a wire that is a function call.
//!
//! - `beats`: what is known already is not told again
//! - `members`: they find a coordinator that restarts, and hear of what changes
//! - `operations`: what each answers, changes and refuses

mod beats;
mod members;
mod operations;

use std::net::IpAddr;

use crate::api::NetworkRules;
use crate::base::{Moment, Span};
use crate::network::{
    CallError, Code, Holding, MemberId, Network, Operation, Refusal, Sending, SwarmReport, TrackerBeat,
    UserBeat,
};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 77, 0, 9));

fn at(secs: u64) -> Moment {
    Moment::from_micros(1_700_000_000_000_000) + Span::from_secs(secs)
}

fn id(n: u8) -> MemberId {
    MemberId([n; 16])
}

fn network() -> Network {
    Network::new(NetworkRules { max_connections: 8, ..NetworkRules::default() })
}

/// One operation, through JSON both ways.
fn ask<R: Operation>(network: &mut Network, now: Moment, request: &R) -> Result<R::Answer, Refusal> {
    ask_from(network, now, HERE, request)
}

fn ask_from<R: Operation>(
    network: &mut Network,
    now: Moment,
    from: IpAddr,
    request: &R,
) -> Result<R::Answer, Refusal> {
    let body = serde_json::to_vec(request).expect("a request");
    assert!(body.len() <= R::BODY_BYTES, "{} of {} bytes", R::NAME, body.len());
    let answer = network.handle(now, from, R::NAME, &body)?;
    Ok(serde_json::from_slice(&answer).expect("the answer that belongs to it"))
}

/// A beat that tells all of it, by no number.
fn user_beat(id: MemberId, torrents: Vec<Holding>, sends: Vec<Sending>) -> UserBeat {
    UserBeat { id, torrents: Some(torrents), revision: 0, sends }
}

fn tracker_beat(id: MemberId, swarms: Vec<SwarmReport>, users_revision: u64) -> TrackerBeat {
    TrackerBeat { id, swarms: Some(swarms), revision: 0, users_revision }
}

fn code<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> Code {
    answer.expect_err("a refusal").code
}

/// A small torrent's `info`, different for each `seed`.
fn info(name: &str, seed: u8) -> Vec<u8> {
    let seed = char::from(b'a' + seed % 26).to_string().repeat(20);
    format!("d6:lengthi9e4:name{}:{name}12:piece lengthi16384e6:pieces20:{seed}e", name.len()).into_bytes()
}

fn unreachable() -> CallError {
    CallError::Unreachable("connection refused".into())
}
