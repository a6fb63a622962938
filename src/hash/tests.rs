//! Every kernel of this machine against the `sha1` and `sha2` crates and the published examples.

use data_encoding::HEXLOWER;

use super::kernels::{self, Kernel};
use super::many::whole;
use super::stream::{SHA1, SHA256};
use super::*;
use crate::base::Rng;

/// One by one with the kernel that takes one message, since the last of a set must; the kernel under test always first.
fn alone<const WORDS: usize>(kernel: Kernel<WORDS>, one: Kernel<WORDS>, from: usize) -> [Kernel<WORDS>; 2] {
    [Kernel { from, ..kernel }, one]
}

fn with_each_sha1(check: impl Fn(&str, &[Kernel<5>])) {
    let all = kernels::all_sha1();
    let one = *all.last().expect("one message can always be hashed");
    for kernel in &all {
        // Two messages are what the interleaved kernel takes, and no fewer.
        check(kernel.name, &alone(*kernel, one, if kernel.name == "shani" { 2 } else { 1 }));
    }
    check("chosen", kernels::sha1());
}

fn with_each_sha256(check: impl Fn(&str, &[Kernel<8>])) {
    let all = kernels::all_sha256();
    let one = *all.last().expect("one message can always be hashed");
    for kernel in &all {
        check(kernel.name, &alone(*kernel, one, if kernel.name == "shani" { 2 } else { 1 }));
    }
    check("chosen", kernels::sha256());
}

/// The examples that FIPS 180 is published with, each with both digests.
fn examples() -> Vec<(Vec<u8>, &'static str, &'static str)> {
    vec![
        (
            b"".to_vec(),
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            b"abc".to_vec(),
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_vec(),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
                .to_vec(),
            "a49b2446a02c645bf419f995b67091253a04a259",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
        ),
        (
            vec![b'a'; 1_000_000],
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ]
}

#[test]
fn published_examples_with_every_kernel() {
    let examples = examples();
    let messages: Vec<&[u8]> = examples.iter().map(|(message, ..)| &message[..]).collect();
    let expected: Vec<&str> = examples.iter().map(|(_, hash, _)| *hash).collect();
    with_each_sha1(|name, kernels| {
        let found = whole::<5, 20>(SHA1, kernels, &messages);
        assert_eq!(found.iter().map(|hash| HEXLOWER.encode(hash)).collect::<Vec<_>>(), expected, "{name}");
    });
    let expected: Vec<&str> = examples.iter().map(|(.., hash)| *hash).collect();
    with_each_sha256(|name, kernels| {
        let found = whole::<8, 32>(SHA256, kernels, &messages);
        assert_eq!(found.iter().map(|hash| HEXLOWER.encode(hash)).collect::<Vec<_>>(), expected, "{name}");
    });
}

#[test]
fn random_lengths_at_random_places_with_every_kernel() {
    let mut rng = Rng::new(3);
    let mut bytes = vec![0; 60_000];
    rng.fill(&mut bytes);
    for round in 0..60 {
        let longest = [70, 200, 5_000][round % 3];
        let messages: Vec<&[u8]> = (0..rng.below(40))
            .map(|_| {
                let from = rng.below(bytes.len() - longest);
                &bytes[from..from + rng.below(longest)]
            })
            .collect();
        let expected: Vec<[u8; 20]> = messages.iter().map(|message| sha1(message)).collect();
        with_each_sha1(|name, kernels| assert!(whole(SHA1, kernels, &messages) == expected, "{name}"));
        assert_eq!(sha1_many(&messages), expected);
        let expected: Vec<[u8; 32]> = messages.iter().map(|message| sha256(message)).collect();
        with_each_sha256(|name, kernels| assert!(whole(SHA256, kernels, &messages) == expected, "{name}"));
        assert_eq!(sha256_many(&messages), expected);
    }
}

#[test]
fn every_length_around_the_ends_of_blocks() {
    let bytes: Vec<u8> = (0..300_u32).map(|at| at as u8).collect();
    let messages: Vec<&[u8]> = (0..=260).map(|length| &bytes[..length]).collect();
    let expected: Vec<[u8; 20]> = messages.iter().map(|message| sha1(message)).collect();
    with_each_sha1(|name, kernels| assert!(whole(SHA1, kernels, &messages) == expected, "{name}"));
    let expected: Vec<[u8; 32]> = messages.iter().map(|message| sha256(message)).collect();
    with_each_sha256(|name, kernels| assert!(whole(SHA256, kernels, &messages) == expected, "{name}"));
}

#[test]
fn digests_that_go_on_in_parts() {
    let mut rng = Rng::new(5);
    let mut bytes = vec![0; 20_000];
    rng.fill(&mut bytes);
    for _ in 0..100 {
        let count = rng.below(24);
        let mut digests = vec![(Sha1::new(), Vec::new()); count];
        for _ in 0..3 {
            let parts: Vec<Vec<&[u8]>> = (0..count)
                .map(|_| {
                    let part = |rng: &mut Rng| {
                        let from = rng.below(bytes.len() - 400);
                        &bytes[from..from + [0, 1, 64, rng.below(400)][rng.below(4)]]
                    };
                    (0..rng.below(5)).map(|_| part(&mut rng)).collect()
                })
                .collect();
            let mut work: Vec<(Sha1, &[&[u8]])> = Vec::new();
            for ((digest, so_far), parts) in digests.iter_mut().zip(&parts) {
                so_far.extend(parts.concat());
                work.push((digest.clone(), parts));
            }
            update_many(&mut work);
            let digests_now: Vec<Sha1> = work.into_iter().map(|(digest, _)| digest).collect();
            digests.iter_mut().zip(digests_now).for_each(|((digest, _), now)| *digest = now);
        }
        for (digest, whole) in digests {
            assert_eq!(digest.finish(), sha1(&whole));
        }
    }
}

#[test]
fn one_stream_in_parts() {
    let message: Vec<u8> = (0..1_000_u32).map(|at| at as u8).collect();
    for cut in [0, 1, 55, 56, 63, 64, 65, 127, 128, 999] {
        let mut digest = Sha1::new();
        digest.update(&message[..cut]);
        digest.update(&message[cut..]);
        assert_eq!(digest.finish(), sha1(&message));
    }
}

#[test]
fn no_messages_and_more_than_lanes() {
    assert!(sha1_many(&[]).is_empty() && sha256_many(&[]).is_empty());
    update_many::<&[u8]>(&mut []);
    let message = [7_u8; 300];
    assert!(sha1_many(&[&message[..]; 100]).iter().all(|hash| *hash == sha1(&message)));
    assert!((1..=kernels::WIDEST).contains(&lanes()));
}
