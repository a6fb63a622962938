//! Sessions in a network: one hosts it, the other joins it, and what either does shows at the other.

use fyris::api::{
    AddOptions, Command, Event, NetworkCommand, NetworkRules, NetworkView, Part, Question, RequestId, Share,
    State,
};

use super::rig::{Peer, bytes};
use super::{LONG, completed};

fn network(peer: &Peer) -> NetworkView {
    peer.handle.view().network.as_deref().cloned().unwrap_or_default()
}

fn sees(peer: &mut Peer, is_so: impl Fn(&NetworkView) -> bool) {
    peer.see(LONG, |view| view.network.as_deref().is_some_and(&is_so));
}

fn share(peer: &Peer, name: &str) -> RequestId {
    let request = peer.handle.next_request();
    let share = Share::of(peer.folder.join(name));
    peer.ask(Command::Share { request, share: Box::new(share) });
    request
}

fn refusal(peer: &mut Peer, request: RequestId) -> String {
    peer.until(LONG, |event| match event {
        Event::Refused { request: of, reason } if *of == request => Some(reason.clone()),
        Event::Shared { .. } | Event::Added { .. } => panic!("it was not refused"),
        _ => None,
    })
}

fn joined(peer: &mut Peer, link: &str) {
    let request = peer.handle.next_request();
    peer.ask(Command::Network(NetworkCommand::Join { request, link: link.to_owned() }));
    peer.until(LONG, |event| match event {
        Event::Joined { request: of } if *of == request => Some(()),
        Event::Refused { reason, .. } => panic!("{reason}"),
        _ => None,
    });
}

fn says(network: &NetworkView, part: Part, text: &str) -> bool {
    let screen = match part {
        Part::Coordinator => &network.coordinator_screen,
        Part::Tracker => &network.tracker_screen,
        Part::Peer => &network.peer_screen,
        Part::Index => &network.index_screen,
        Part::Statistics => &network.statistics_screen,
    };
    screen.lines.iter().any(|line| line.text.contains(text))
}

#[test]
fn one_hosts_the_other_joins_fetches_and_is_counted() {
    let content = bytes(6, 1_000_003);
    let (mut host, mut guest) = (Peer::in_network(), Peer::in_network());
    sees(&mut host, |network| {
        network.hosted && network.connected && network.tracker_connected && !network.open
    });
    let rules = NetworkRules { piece_length: Some(65_536), max_connections: 9, ..NetworkRules::default() };
    host.ask(Command::Network(NetworkCommand::SetRules(Box::new(rules))));
    sees(&mut host, |network| says(network, Part::Peer, "65536 bytes, at most 9"));

    std::fs::write(host.folder.join("gift"), &content).expect("a file");
    let request = share(&host, "gift");
    let torrent = host.until(LONG, |event| match event {
        Event::Shared { request: of, torrent, .. } if *of == request => Some(*torrent),
        Event::Refused { reason, .. } => panic!("{reason}"),
        _ => None,
    });
    sees(&mut host, |network| network.index.len() == 1 && network.statistics.n_seeds == 1);
    assert_eq!((network(&host).index[0].info_hash, network(&host).index[0].piece_length), (torrent, 65_536));

    let link = network(&host).link.expect("a link");
    let request = guest.handle.next_request();
    guest.ask(Command::Network(NetworkCommand::Join { request, link: format!("{link}x") }));
    assert!(refusal(&mut guest, request).contains("damaged"));
    assert!(network(&guest).hosted);
    joined(&mut guest, &link);
    sees(&mut guest, |network| !network.hosted && network.connected && network.index.len() == 1);
    sees(&mut host, |network| network.registers.users.len() == 2 && network.registers.trackers.len() == 2);

    let request = guest.handle.next_request();
    let (name, options) = ("gift".to_owned(), AddOptions::default());
    guest.ask(Command::Network(NetworkCommand::Fetch { request, name, options }));
    completed(&mut guest, torrent);
    assert!(std::fs::read(guest.folder.join("gift")).expect("fetched") == content);
    sees(&mut host, |network| network.statistics.n_seeds == 2 && network.statistics.n_peers == 0);
    sees(&mut guest, |network| network.completed && network.statistics.time.time_seed_secs.is_some());

    // What happens at the coordinator is read on the guest's screens, too.
    sees(&mut guest, |network| {
        says(network, Part::Coordinator, "uploaded gift") && says(network, Part::Index, "handed gift to")
    });

    guest.ask(Command::Network(NetworkCommand::Ask(Question::NSeeds)));
    sees(&mut guest, |network| says(network, Part::Statistics, "nSeeds: 2"));
    host.ask(Command::Network(NetworkCommand::Ask(Question::Trackers)));
    sees(&mut host, |network| says(network, Part::Coordinator, "1 upload assigned"));
    host.ask(Command::Network(NetworkCommand::Clear(Part::Coordinator)));
    sees(&mut host, |network| network.coordinator_screen.lines.is_empty());

    // The coordinator goes; what is here stays, and nothing can be uploaded until somebody else hosts.
    host.ask(Command::Network(NetworkCommand::QuitCoordinator));
    sees(&mut host, |network| !network.hosted && network.fault.is_some());
    sees(&mut guest, |network| !network.connected && network.fault.is_some());
    assert!(guest.handle.view().torrents.iter().all(|row| row.state == State::Seeding));
    guest.end();
    host.end();
}

#[test]
fn who_has_disconnected_rests_and_is_told_why() {
    let mut peer = Peer::in_network();
    std::fs::write(peer.folder.join("mine"), bytes(7, 100_000)).expect("a file");
    sees(&mut peer, |network| network.connected && network.tracker_connected);
    let request = share(&peer, "mine");
    peer.until(LONG, |event| {
        matches!(event, Event::Shared { request: of, .. } if *of == request).then_some(())
    });
    peer.ask(Command::Network(NetworkCommand::Disconnect));
    sees(&mut peer, |network| {
        network.disconnected && !network.connected && network.registers.users.is_empty()
    });
    peer.see(LONG, |view| view.torrents.iter().all(|row| row.reason.contains("disconnected")));
    std::fs::write(peer.folder.join("other"), bytes(8, 100_000)).expect("a file");
    let request = share(&peer, "other");
    assert!(refusal(&mut peer, request).contains("disconnected"));
    let request = peer.handle.next_request();
    let (name, options) = ("mine".to_owned(), AddOptions::default());
    peer.ask(Command::Network(NetworkCommand::Fetch { request, name, options }));
    assert!(refusal(&mut peer, request).contains("disconnected"));

    peer.ask(Command::Network(NetworkCommand::Connect));
    sees(&mut peer, |network| network.connected && network.registers.users.len() == 1);
    peer.see(LONG, |view| view.torrents.iter().all(|row| !row.reason.contains("disconnected")));

    peer.ask(Command::Network(NetworkCommand::DisconnectTracker));
    sees(&mut peer, |network| !network.tracker_connected && network.registers.trackers.is_empty());
    let request = share(&peer, "other");
    assert!(refusal(&mut peer, request).to_lowercase().contains("no trackers available"));
    peer.end();
}

#[test]
fn several_trackers_of_one_program_take_uploads_in_turn() {
    let mut peer = Peer::in_network();
    sees(&mut peer, |network| network.connected && network.tracker_connected);
    let run = |peer: &Peer, trackers: u32| {
        let settings = fyris::api::Settings { trackers, ..peer.handle.view().settings.as_ref().clone() };
        peer.ask(Command::Settings(Box::new(settings)));
    };
    run(&peer, 3);
    sees(&mut peer, |network| network.registers.trackers.len() == 3 && network.tracker_connected);
    for name in ["one", "two", "three"] {
        std::fs::write(peer.folder.join(name), bytes(9, 70_000 + name.len())).expect("a file");
        let request = share(&peer, name);
        peer.until(LONG, |event| {
            matches!(event, Event::Shared { request: of, .. } if *of == request).then_some(())
        });
    }
    sees(&mut peer, |network| {
        let assigned = network.registers.trackers.iter().all(|tracker| tracker.assigned == 1);
        assigned && network.index.iter().all(|entry| entry.tiers.len() == 3 && entry.seeds == 1)
    });
    let first: std::collections::BTreeSet<_> =
        network(&peer).index.iter().map(|entry| entry.tiers[0].clone()).collect();
    assert_eq!(first.len(), 3, "each has one upload as its first tier: {first:?}");
    peer.ask(Command::Network(NetworkCommand::DisconnectTracker));
    sees(&mut peer, |network| network.registers.trackers.is_empty());
    peer.ask(Command::Network(NetworkCommand::ConnectTracker));
    sees(&mut peer, |network| network.registers.trackers.len() == 3);
    run(&peer, 1);
    sees(&mut peer, |network| network.registers.trackers.len() == 1 && network.tracker_connected);
    peer.end();
}
