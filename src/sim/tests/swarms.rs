//! Swarms that share as they should, and how fast.

use std::time::Instant;

use crate::api::Limits;
use crate::base::{Moment, Span};
use crate::sim::{Content, Detail, HostOptions, Link, Outcome, Role, Scenario, World};

const MIB: u64 = 1024 * 1024;

/// Machines on one fast network, each with its user's limit on upload.
fn limited(up: u64) -> HostOptions {
    let mut options = HostOptions::default();
    options.settings.limits = Limits { up: Some(up), down: None };
    options
}

/// Machines at home: the line is the limit.
fn home(up: u64, down: u64) -> HostOptions {
    let link =
        Link { up, down, delay: Span::from_millis(15), jitter: Span::from_millis(4), ..Link::default() };
    HostOptions { link, ..HostOptions::default() }
}

fn ten(seed: u64, detail: Detail) -> Scenario {
    let mut scenario = Scenario::new(seed, detail, Content::file(5, 6 * MIB + 1234, 64 * 1024));
    scenario.join(Role::Seed, Moment::ZERO, home(MIB, 4 * MIB));
    for number in 0..9 {
        let joins = Moment::ZERO + Span::from_millis(500 * number);
        scenario.join(Role::Leech, joins, home(MIB, 4 * MIB));
    }
    scenario
}

fn tell(what: &str, outcome: Outcome) {
    #[expect(clippy::print_stderr, reason = "read with --nocapture")]
    {
        eprintln!(
            "{what}: last {:.1} s, mean {:.1} s, least possible {:.1} s, ratio {:.2}",
            outcome.last.secs_f64(),
            outcome.mean.secs_f64(),
            outcome.bound.secs_f64(),
            outcome.ratio()
        );
    }
}

#[test]
fn ten_share_a_file_and_one_seed_makes_one_log() {
    let play = |seed| {
        let mut scenario = ten(seed, Detail::Everything);
        let outcome = scenario.run(Span::from_secs(300));
        (scenario.world.log().lines(), scenario.world.log().digest(), outcome)
    };
    let (first, second) = (play(1), play(1));
    assert_eq!((first.0, first.1), (second.0, second.1));
    assert_ne!(first.1, play(2).1);
    tell("ten", first.2);
}

#[test]
fn six_with_one_seed_come_close_to_the_best_there_is() {
    for (piece_length, most) in [(256 * 1024, 1.1), (1024 * 1024, 1.15)] {
        let mut scenario = Scenario::new(1, Detail::Events, Content::file(6, 128 * MIB, piece_length));
        scenario.world.check_every(50);
        scenario.join(Role::Seed, Moment::ZERO, limited(8 * MIB));
        scenario.join_all(6, Role::Leech, Moment::ZERO + Span::from_secs(1), &limited(8 * MIB));
        let outcome = scenario.run(Span::from_secs(240));
        tell(&format!("six, pieces of {} KiB", piece_length / 1024), outcome);
        assert!(outcome.ratio() <= most, "{}", outcome.ratio());
        let heard: u64 = scenario.leeches().map(|host| scenario.world.host(host).blocks_received()).sum();
        let twice = heard - 6 * 128 * MIB;
        assert!(twice <= 6 * 128 * MIB / 30, "{twice} bytes came twice");
    }
}

#[test]
fn the_first_blocks_come_within_milliseconds_on_a_fast_network() {
    for leechers in [1, 6] {
        let mut scenario = Scenario::new(1, Detail::Events, Content::file(6, 64 * MIB, 256 * 1024));
        scenario.world.check_every(50);
        scenario.join(Role::Seed, Moment::ZERO, HostOptions::default());
        let joins = Moment::ZERO + Span::from_secs(1);
        let hosts = scenario.join_all(leechers, Role::Leech, joins, &HostOptions::default());
        let limit = joins + Span::from_millis(25);
        let all_have_some = |world: &World| hosts.iter().all(|host| world.host(*host).blocks_received() > 0);
        assert!(scenario.world.run_until(limit, all_have_some), "{leechers} wait for their first block");
    }
}

#[test]
fn two_hosts_fetch_as_fast_as_the_line_carries() {
    let mut scenario = Scenario::new(3, Detail::Everything, Content::file(7, 32 * MIB, 256 * 1024));
    scenario.join(Role::Seed, Moment::ZERO, home(4 * MIB, 16 * MIB));
    scenario.join(Role::Leech, Moment::ZERO + Span::from_secs(1), home(MIB, 16 * MIB));
    let outcome = scenario.run(Span::from_secs(60));
    tell("two", outcome);
    assert!(outcome.ratio() < 1.6, "{}", outcome.ratio());
}

#[test]
fn odd_sizes_arrive() {
    let piece = 32 * 1024;
    let shapes: [&[(&str, u64)]; 7] = [
        &[("", 1)],
        &[("", 0)],
        &[("", piece)],
        &[("", piece + 1)],
        &[("", 16_384)],
        &[("a", 0), ("b/one", 1), ("b/none", 0), ("piece", piece), ("c", 100_000), ("end", 0)],
        &[("x", 0), ("y", 0)],
    ];
    for (number, files) in shapes.iter().enumerate() {
        let content = Content::new(number as u64, files, piece as u32);
        let mut scenario = Scenario::new(4, Detail::Everything, content);
        scenario.join(Role::Seed, Moment::ZERO, home(MIB, MIB));
        scenario.join(Role::Leech, Moment::ZERO, home(MIB, MIB));
        scenario.join(Role::Leech, Moment::ZERO + Span::from_secs(5), home(MIB, MIB));
        scenario.run(Span::from_secs(120));
    }
}

#[test]
fn a_magnet_link_is_enough() {
    let content = Content::new(8, &[("a", 3 * MIB), ("b", 70_000)], 16 * 1024);
    let mut scenario = Scenario::new(5, Detail::Everything, content);
    scenario.join(Role::Seed, Moment::ZERO, home(MIB, 4 * MIB));
    scenario.join_all(3, Role::Magnet, Moment::ZERO + Span::from_secs(1), &home(MIB, 4 * MIB));
    scenario.run(Span::from_secs(120));
}

#[test]
fn nobody_behind_a_nat_is_left_out() {
    let mut scenario = Scenario::new(6, Detail::Everything, Content::file(9, 2 * MIB, 64 * 1024));
    let mut hidden = home(MIB, 4 * MIB);
    hidden.link.reachable = false;
    scenario.join(Role::Seed, Moment::ZERO, home(MIB, 4 * MIB));
    scenario.join_all(3, Role::Leech, Moment::ZERO, &hidden);
    scenario.run(Span::from_secs(120));
}

#[test]
fn a_hidden_seed_reaches_those_who_can_be_reached() {
    let mut scenario = Scenario::new(7, Detail::Everything, Content::file(9, 2 * MIB, 64 * 1024));
    let mut hidden = home(MIB, 4 * MIB);
    hidden.link.reachable = false;
    scenario.join(Role::Seed, Moment::ZERO, hidden);
    scenario.join_all(2, Role::Leech, Moment::ZERO + Span::from_secs(5), &home(MIB, 4 * MIB));
    scenario.run(Span::from_secs(400));
}

#[expect(clippy::disallowed_methods, reason = "how long a simulation takes is told by the real clock")]
fn large(peers: usize, mib: u64, most: f64) {
    let begun = Instant::now();
    let mut scenario = Scenario::new(1, Detail::Events, Content::file(6, mib * MIB, 64 * 1024));
    scenario.world.check_every(5_000);
    scenario.join(Role::Seed, Moment::ZERO, home(4 * MIB, 16 * MIB));
    let start = Moment::ZERO + Span::from_secs(1);
    scenario.join_all(peers - 1, Role::Leech, start, &home(4 * MIB, 16 * MIB));
    let outcome = scenario.run(Span::from_secs(3_600));
    let (steps, secs) = (scenario.world.steps(), begun.elapsed().as_secs_f64());
    tell(&format!("{peers} peers, {mib} MiB, {steps} steps in {secs:.1} s"), outcome);
    assert!(outcome.ratio() <= most, "{}", outcome.ratio());
}

/// The same file for many, on lines as they are: some of light, most of cable, a few of copper.
fn mixed(peers: usize, mib: u64, most: f64) {
    let mut scenario = Scenario::new(2, Detail::Events, Content::file(6, mib * MIB, 128 * 1024));
    scenario.world.check_every(peers as u64 * 100);
    scenario.join(Role::Seed, Moment::ZERO, home(4 * MIB, 16 * MIB));
    for number in 1..peers {
        let line = match number % 10 {
            0 | 1 => home(8 * MIB, 16 * MIB),
            2..=7 => home(2 * MIB, 8 * MIB),
            _ => home(MIB / 2, 2 * MIB),
        };
        scenario.join(Role::Leech, Moment::ZERO + Span::from_secs(1), line);
    }
    let outcome = scenario.run(Span::from_secs(1_200));
    tell(&format!("{peers} on mixed lines"), outcome);
    assert!(outcome.ratio() <= most, "{}", outcome.ratio());
}

#[test]
fn ten_on_mixed_lines_come_close_to_the_best_there_is() {
    mixed(10, 32, 1.6);
}

#[test]
fn a_hundred_on_mixed_lines_come_close_to_the_best_there_is() {
    mixed(100, 8, 2.2);
}

#[test]
fn a_hundred_share() {
    large(100, 8, 2.2);
}

#[test]
fn a_thousand_share() {
    large(1_000, 1, 7.8);
}
