//! Plays a swarm in simulated time and prints how close it comes to the best there is:
//! `cargo run --release --no-default-features --features sim --example swarm -- [PEERS] [MIB] [PIECE_KIB] [UP_MIB] [SEED] [line|mixed]`.
//!
//! One of the peers has the file, and each gives UP_MIB MiB a second at most: by its own limit on a fast network, or, with
//! `line`, because its line carries no more (and four times as much down, 15 ms away). With `mixed` two of ten lines carry
//! four times UP_MIB, six as much, and two a quarter; the first peer's is of the second kind, doubled.

use std::time::Instant;

use fyris::base::{Moment, Span};
use fyris::sim::{Content, Detail, HostOptions, Link, Role, Scenario};

#[expect(clippy::print_stdout, reason = "printing is what it does")]
#[expect(clippy::disallowed_methods, reason = "how long a simulation takes is told by the real clock")]
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, otherwise: u64| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(otherwise);
    let (peers, mib, piece, up, seed) =
        (number(0, 7), number(1, 128), number(2, 256), number(3, 8), number(4, 1));
    let up = up * 1024 * 1024;
    let mut options = HostOptions::default();
    let line = |up: u64| {
        let (delay, jitter) = (Span::from_millis(15), Span::from_millis(4));
        Link { up, down: up * 4, delay, jitter, reachable: true }
    };
    let mixed = words.iter().any(|word| word == "mixed");
    if mixed {
        options.link = line(up * 2);
    } else if words.iter().any(|word| word == "line") {
        options.link = line(up);
    } else {
        options.settings.limits.up = Some(up);
    }
    let begun = Instant::now();
    let content = Content::file(1, mib * 1024 * 1024, piece as u32 * 1024);
    let mut scenario = Scenario::new(seed, Detail::Events, content);
    scenario.world.check_every(peers * 20);
    let host = scenario.join(Role::Seed, Moment::ZERO, options.clone());
    let start = Moment::ZERO + Span::from_secs(1);
    for number in 1..peers {
        if mixed {
            options.link = line(match number % 10 {
                0 | 1 => up * 4,
                2..=7 => up,
                _ => up / 4,
            });
        }
        scenario.join(Role::Leech, start, options.clone());
    }
    let outcome = scenario.run(Span::from_secs(24 * 3_600));
    let copies = scenario.world.host(host).blocks_sent() as f64 / scenario.content().bytes.len() as f64;
    println!(
        "{peers} peers, {mib} MiB: last {:.1} s, mean {:.1} s; least possible {:.1} s; ratio {:.3}; the seed sent {copies:.2} \
         copies; {} steps in {:.1} s",
        outcome.last.secs_f64(),
        outcome.mean.secs_f64(),
        outcome.bound.secs_f64(),
        outcome.ratio(),
        scenario.world.steps(),
        begun.elapsed().as_secs_f64(),
    );
}
