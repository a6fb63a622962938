//! Plays a swarm in simulated time and prints how close it comes to the best there is:
//! `cargo run --release --no-default-features --features sim --example swarm -- [PEERS] [MIB] [PIECE_KIB] [UP_MIB] [SEED] [line|mixed] [seconds]`.
//!
//! One of the peers has the file, and each gives UP_MIB MiB a second at most: by its own limit on a fast network, or, with
//! `line`, because its line carries no more (and four times as much down, 15 ms away). With `mixed` two of ten lines carry
//! four times UP_MIB, six as much, and two a quarter; the first peer's is of the second kind, doubled. With `seconds` each
//! second is told too: how much of all that could go up went, the seed's part of it, and how many are complete.

use std::time::Instant;

use fyris::base::{Moment, Span};
use fyris::sim::{Content, Detail, HostId, HostOptions, Link, Role, Scenario};

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
    if words.iter().any(|word| word == "seconds") {
        tell_seconds(&mut scenario, host);
    }
    let outcome = scenario.run(Span::from_secs(24 * 3_600));
    let size = scenario.content().bytes.len() as f64;
    let copies = scenario.world.host(host).blocks_sent() as f64 / size;
    let heard: u64 = scenario.leeches().map(|host| scenario.world.host(host).blocks_received()).sum();
    let waste = heard as f64 / (size * (peers - 1) as f64) - 1.0;
    println!(
        "{peers} peers, {mib} MiB: last {:.1} s, mean {:.1} s; least possible {:.1} s; ratio {:.3}; the seed sent {copies:.2} \
         copies; {:.2} % came twice; {} steps in {:.1} s",
        outcome.last.secs_f64(),
        outcome.mean.secs_f64(),
        outcome.bound.secs_f64(),
        outcome.ratio(),
        waste * 100.0,
        scenario.world.steps(),
        begun.elapsed().as_secs_f64(),
    );
}

/// Plays until everybody is complete, and prints every second what went up in it.
#[expect(clippy::print_stdout, reason = "printing is what it does")]
fn tell_seconds(scenario: &mut Scenario, seed: HostId) {
    let torrent = scenario.torrent();
    let up = |scenario: &Scenario, host: HostId| {
        let options = &scenario.world.host(host).options();
        options.settings.limits.up.unwrap_or(u64::MAX).min(options.link.up) as f64
    };
    let all: f64 = scenario.world.ids().map(|host| up(scenario, host)).sum();
    let sent = |scenario: &Scenario| -> (u64, u64) {
        let sum = scenario.world.ids().map(|host| scenario.world.traffic(host).0).sum();
        (sum, scenario.world.traffic(seed).0)
    };
    let mut before = (0, 0);
    while !scenario.all_complete() {
        scenario.world.run_for(Span::from_secs(1));
        let now = sent(scenario);
        let done = scenario
            .leeches()
            .filter(|host| scenario.world.host(*host).completed_at(torrent).is_some())
            .count();
        println!(
            "{:4.0} s: {:5.1} % of all lines, {:5.1} % of the seed's, {done} complete",
            scenario.world.now().since(Moment::ZERO).secs_f64(),
            (now.0 - before.0) as f64 / all * 100.0,
            (now.1 - before.1) as f64 / up(scenario, seed) * 100.0,
        );
        before = now;
    }
}
