//! Swarms in which something goes wrong: liars, killed programs, lost power, full disks.

use crate::base::{Moment, Span};
use crate::sim::{Content, Detail, HostId, HostOptions, Link, Role, Scenario, Vice, scenario};

const MIB: u64 = 1024 * 1024;

fn home() -> HostOptions {
    let link = Link { delay: Span::from_millis(10), ..Link::symmetric(MIB) };
    HostOptions { link, ..HostOptions::default() }
}

fn with(vice: Vice) -> HostOptions {
    HostOptions { vice, ..home() }
}

fn secs(secs: u64) -> Moment {
    Moment::ZERO + Span::from_secs(secs)
}

fn file(mib: u64) -> Content {
    Content::file(11, mib * MIB, 64 * 1024)
}

#[test]
fn a_liar_is_found_out_and_everybody_gets_everything() {
    let mut scenario = Scenario::new(1, Detail::Everything, file(4));
    scenario.join(Role::Seed, Moment::ZERO, home());
    let liar = scenario.join(Role::Seed, Moment::ZERO, with(Vice::Corrupts(3)));
    let honest = scenario.join_all(4, Role::Leech, secs(1), &home());
    scenario.run(Span::from_secs(300));
    // Who has dealt with the liar has nothing to do with it any more, and the honest still know each other.
    scenario.world.run_for(Span::from_secs(1));
    assert_eq!(scenario.world.connections(liar), 0);
    for host in honest {
        assert!(scenario.world.connections(host) > 0 || scenario.all_complete());
    }
}

#[test]
fn who_never_gives_is_not_waited_for() {
    let mut scenario = Scenario::new(2, Detail::Everything, file(4));
    scenario.join(Role::Seed, Moment::ZERO, home());
    scenario.join(Role::Seed, Moment::ZERO, with(Vice::Swallows));
    scenario.join_all(3, Role::Leech, secs(1), &home());
    scenario.run(Span::from_secs(200));
}

#[test]
fn killed_programs_go_on_where_they_were() {
    for seed in 0..8 {
        let mut scenario = Scenario::new(100 + seed, Detail::Everything, file(4));
        scenario.join(Role::Seed, Moment::ZERO, home());
        let hosts = scenario.join_all(3, Role::Leech, secs(1), &home());
        scenario.world.run_for(Span::from_secs(1));
        for number in 0..6 {
            let host = hosts[number % hosts.len()];
            let wait = Span::from_millis(500 + scenario.world.rng().below(2_000) as u64);
            scenario.world.run_for(wait);
            let power = scenario.world.rng().below(2) == 0;
            stop_and_start(&mut scenario, host, power);
        }
        scenario.run(Span::from_secs(400));
    }
}

fn stop_and_start(scenario: &mut Scenario, host: HostId, power: bool) {
    if power {
        scenario.world.cut_power(host);
    } else {
        scenario.world.kill(host);
    }
    scenario.world.assert_shelf(host);
    let pause = Span::from_millis(scenario.world.rng().below(1_500) as u64);
    scenario.world.run_for(pause);
    scenario::start(&mut scenario.world, host);
}

#[test]
fn a_full_disk_stops_one_and_goes_on_when_there_is_room() {
    let mut scenario = Scenario::new(3, Detail::Everything, file(4));
    scenario.join(Role::Seed, Moment::ZERO, home());
    let full = scenario.join(Role::Leech, secs(1), home());
    scenario.join(Role::Leech, secs(1), home());
    scenario.world.host_mut(full).disk().faults.capacity = Some(2 * MIB);
    scenario.world.run_for(Span::from_secs(60));
    let torrent = scenario.torrent();
    assert_eq!(scenario.world.host(full).completed_at(torrent), None);
    scenario.world.host_mut(full).disk().faults.capacity = None;
    scenario.run(Span::from_secs(300));
}

#[test]
fn the_only_seed_may_leave_once_everything_is_out() {
    let mut scenario = Scenario::new(4, Detail::Everything, file(8));
    let seed = scenario.join(Role::Seed, Moment::ZERO, home());
    let hosts = scenario.join_all(5, Role::Leech, secs(1), &home());
    let (torrent, pieces) = (scenario.torrent(), scenario.content().torrent.layout.piece_count());
    let all_out = |world: &crate::sim::World| {
        let haves: Vec<_> = hosts.iter().filter_map(|host| world.host(*host).have(torrent)).collect();
        (0..pieces).all(|piece| haves.iter().any(|have| have.contains(crate::base::PieceIndex(piece))))
    };
    assert!(scenario.world.run_until(secs(120), all_out));
    let when = scenario.world.now();
    // The least is 8 s for the whole file; a seed that sends pieces twice takes longer.
    assert!(when < secs(16), "{when}");
    scenario.world.kill(seed);
    scenario.run(Span::from_secs(200));
}

#[test]
fn a_silent_tracker_is_asked_again() {
    let mut scenario = Scenario::new(5, Detail::Everything, file(1));
    scenario.join(Role::Seed, Moment::ZERO, home());
    scenario.join(Role::Leech, secs(1), home());
    scenario.world.tracker.fault = Some(crate::announce::Failure::Timeout);
    scenario.world.at(secs(30), |world| world.tracker.fault = None);
    scenario.run(Span::from_secs(300));
}
