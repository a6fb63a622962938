//! Limits kept to, from one tenth of a second to the next.

use std::path::Path;
use std::sync::Arc;

use crate::api::{Command, Limits};
use crate::base::Span;
use crate::engine::Input;
use crate::sim::scenario::{add, start};
use crate::sim::{Content, Detail, FOLDER, HostId, HostOptions, Role, World};

const MIB: u64 = 1024 * 1024;
const WINDOW: Span = Span::from_millis(100);

/// A host that has two torrents and one for each of them that fetches it, with what the limits are.
fn play(seeder: Limits, first: Limits, leecher: Limits) -> (World, [HostId; 2]) {
    let mut world = World::new(1, Detail::Events);
    world.check_every(20);
    let mut options = HostOptions::default();
    options.settings.limits = seeder;
    let seed = world.add_host(options.clone());
    start(&mut world, seed);
    options.settings.limits = leecher;
    let leechers = [7, 8].map(|number| {
        let content = Arc::new(Content::new(number, &[(&format!("f{number}"), 24 * MIB)], 256 * 1024));
        world.add_content(&content);
        for (path, bytes) in content.files() {
            world.host_mut(seed).disk().put_file(Path::new(FOLDER).join(path), bytes);
        }
        let leech = world.add_host(options.clone());
        world.host_mut(seed).disk().set_hasher(content.hasher());
        world.host_mut(leech).disk().set_hasher(content.hasher());
        add(&mut world, seed, &content, Role::Seed);
        if number == 7 {
            let torrent = content.torrent.info_hash;
            world.tell(seed, Input::Command(Command::Limit { torrent, limits: first }));
        }
        start(&mut world, leech);
        add(&mut world, leech, &content, Role::Leech);
        leech
    });
    (world, leechers)
}

/// Bytes of blocks that came to each in each window of some seconds, from the third second on.
fn windows(world: &mut World, hosts: [HostId; 2]) -> Vec<[u64; 2]> {
    world.run_for(Span::from_secs(3));
    let heard = |world: &World| hosts.map(|host| world.host(host).blocks_received());
    let mut before = heard(world);
    let window = |_| {
        world.run_for(WINDOW);
        let now = heard(world);
        let came = [now[0] - before[0], now[1] - before[1]];
        before = now;
        came
    };
    (0..50).map(window).collect()
}

/// All of it is within a hundredth of the limit, and each window within so many blocks.
fn assert_even(what: &str, windows: impl Iterator<Item = u64>, limit: u64, blocks: u64) {
    let windows: Vec<u64> = windows.collect();
    let (sum, part) = (windows.iter().sum::<u64>(), limit / 10);
    let exact = part * windows.len() as u64;
    let near = |bytes: u64, wanted: u64, by: u64| bytes.abs_diff(wanted) <= by;
    assert!(near(sum, exact, exact / 100 + 32 * 1024), "{what}: {sum} of {exact}");
    assert!(windows.iter().all(|bytes| near(*bytes, part, blocks * 16 * 1024)), "{what}: {part} {windows:?}");
}

#[test]
fn what_goes_up_is_even_for_each_torrent_and_in_all() {
    let up = |up| Limits { up, down: None };
    let (mut world, hosts) = play(up(Some(2 * MIB)), up(Some(MIB / 2)), Limits::default());
    let windows = windows(&mut world, hosts);
    assert_even("in all", windows.iter().map(|[a, b]| a + b), 2 * MIB, 2);
    assert_even("the limited one", windows.iter().map(|[a, _]| *a), MIB / 2, 2);
    assert_even("the other has the rest", windows.iter().map(|[_, b]| *b), MIB * 3 / 2, 2);
}

#[test]
fn what_comes_down_is_even() {
    let down = |down| Limits { up: None, down };
    let (mut world, hosts) = play(Limits::default(), Limits::default(), down(Some(MIB)));
    let windows = windows(&mut world, hosts);
    for at in 0..2 {
        assert_even("down", windows.iter().map(|window| window[at]), MIB, 2);
    }
}

#[test]
fn two_torrents_share_a_limit_alike() {
    let up = |up| Limits { up, down: None };
    let (mut world, hosts) = play(up(Some(MIB)), Limits::default(), Limits::default());
    let windows = windows(&mut world, hosts);
    assert_even("in all", windows.iter().map(|[a, b]| a + b), MIB, 2);
    let sums = windows.iter().fold([0, 0], |[a, b], window| [a + window[0], b + window[1]]);
    assert!(sums[0].abs_diff(sums[1]) <= (sums[0] + sums[1]) / 10, "{sums:?}");
}
