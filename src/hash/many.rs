//! Several messages side by side: each takes a lane of the processor's registers, and the next one takes the lane of one
//! that is done.

use std::cmp::Reverse;

use crate::hash::feed::Feed;
use crate::hash::kernels::{self, Kernel, WIDEST};
use crate::hash::stream::{SHA1, SHA256, Stream, bytes};
use crate::hash::{Block, Sha1};

/// How many messages are best hashed at once on this machine.
pub fn lanes() -> usize {
    kernels::sha1().first().map_or(1, |kernel| kernel.lanes)
}

/// What many SHA-1 messages are hashed with on this machine, for people who measure.
pub fn way() -> &'static str {
    kernels::sha1().first().map_or("one", |kernel| kernel.name)
}

/// Does without the processor's SHA instructions where several messages are hashed at once, as if it had none. Takes effect
/// where nothing was hashed yet; for people who measure.
pub fn avoid_sha_instructions() {
    kernels::avoid_sha();
}

/// The SHA-1 digests of many messages, in their order.
pub fn sha1_many(messages: &[&[u8]]) -> Vec<[u8; 20]> {
    whole(SHA1, kernels::sha1(), messages)
}

/// The SHA-256 digests of many messages, in their order.
pub fn sha256_many(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    whole(SHA256, kernels::sha256(), messages)
}

/// Adds its next parts to each of several digests.
pub fn update_many<P: AsRef<[u8]>>(work: &mut [(Sha1, &[P])]) {
    if let [(digest, parts)] = work {
        parts.iter().for_each(|part| digest.update(part.as_ref()));
        return;
    }
    let feeds = work
        .iter()
        .enumerate()
        .map(|(number, (digest, parts))| Feed::new(number, digest.0.clone(), parts, false));
    for feed in run(kernels::sha1(), feeds.collect()) {
        work[feed.number].0 = Sha1(feed.stream);
    }
}

/// The digests of whole messages through some kernels.
pub(super) fn whole<const WORDS: usize, const BYTES: usize>(
    start: [u32; WORDS],
    kernels: &[Kernel<WORDS>],
    messages: &[&[u8]],
) -> Vec<[u8; BYTES]> {
    let parts = messages.chunks(1).enumerate();
    let feeds = parts.map(|(number, parts)| Feed::new(number, Stream::new(start), parts, true));
    let mut digests = vec![[0; BYTES]; messages.len()];
    for feed in run(kernels, feeds.collect()) {
        digests[feed.number] = bytes(feed.stream.state);
    }
    digests
}

/// Hashes every block that the feeds have.
fn run<'a, const WORDS: usize, P: AsRef<[u8]>>(
    kernels: &[Kernel<WORDS>],
    mut feeds: Vec<Feed<'a, WORDS, P>>,
) -> Vec<Feed<'a, WORDS, P>> {
    // The longest first: what is left at the end for few lanes is short.
    feeds.sort_by_key(|feed| Reverse(feed.bytes()));
    let widest = kernels.first().map_or(1, |kernel| kernel.lanes);
    let mut waiting = 0..feeds.len();
    let mut active: Vec<usize> = Vec::with_capacity(widest);
    loop {
        active.retain(|feed| !feeds[*feed].next().is_empty());
        while active.len() < widest
            && let Some(feed) = waiting.next()
        {
            if !feeds[feed].next().is_empty() {
                active.push(feed);
            }
        }
        let Some(kernel) = kernels.iter().find(|kernel| active.len() >= kernel.from) else { return feeds };
        let now = &active[..active.len().min(kernel.lanes)];
        let count = now.iter().map(|feed| feeds[*feed].next().len()).min().unwrap_or(0);
        let mut states = [[0; WORDS]; WIDEST];
        let mut blocks: [&[Block]; WIDEST] = [&[]; WIDEST];
        for ((feed, state), blocks) in now.iter().zip(&mut states).zip(&mut blocks) {
            *state = feeds[*feed].stream.state;
            *blocks = &feeds[*feed].next()[..count];
        }
        (kernel.run)(&mut states[..now.len()], &blocks[..now.len()]);
        for (feed, state) in now.iter().zip(states) {
            feeds[*feed].stream.state = state;
            feeds[*feed].advance(count);
        }
    }
}
