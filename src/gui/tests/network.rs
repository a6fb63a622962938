//! The five parts of the network: every button by its name, in the panel and in a window of its own, and every state.

use eframe::egui::{self, Key, Modifiers};

use super::rig::Rig;
use crate::api::{Announcing, Command, NetworkCommand, NetworkRules, Part, Question, State};
use crate::gui::demo;
use crate::gui::panels::Panel;
use crate::gui::pick::Wanted;
use crate::gui::theme;

/// The part of the peer with the thesis's fields.
const CONTROLS: &str = "Controls of the network";
/// Where a panel is drawn.
const PLACES: [&str; 2] = ["panel", "window"];

/// A panel on the window's whole room, or in a window of its own, and the name of the part that it is.
fn placed(panel: Panel, place: &str, torrents: u32) -> (Rig, String) {
    let rig = Rig::with(torrents, egui::vec2(1_400.0, 1_000.0), |parts| {
        parts.state.controls = true;
        if place == "window" {
            parts.state.own_windows.push(panel);
            parts.state.panel = Panel::Log;
        } else {
            parts.state.panel = panel;
        }
    });
    (rig, format!("{} {place}", panel.title()))
}

/// What was asked of the network, and nothing else.
#[track_caller]
fn asked(rig: &mut Rig) -> Vec<NetworkCommand> {
    let asked = |command| match command {
        Command::Network(command) => command,
        other => panic!("{other:?}"),
    };
    rig.commands().into_iter().map(asked).collect()
}

/// Presses a button of a part, and says what came of it.
#[track_caller]
fn press(rig: &mut Rig, part: &str, button: &str) -> Vec<NetworkCommand> {
    assert!(rig.enabled_in(part, button), "{button} cannot be pressed");
    rig.click_in(part, button);
    asked(rig)
}

#[test]
fn the_coordinator_clears_enables_lists_trackers_and_quits() {
    use NetworkCommand::{AllowNotes, Ask, Clear, Host, Note, QuitCoordinator};
    for place in PLACES {
        let (mut rig, part) = placed(Panel::Coordinator, place, 20);
        rig.expect("The coordinator runs on this computer; 6 users are connected.");
        assert_eq!(press(&mut rig, &part, "Trackers"), [Ask(Question::Trackers)]);
        rig.expect("Trackers: http://192.168.1.20:6969/announce, http://192.168.1.21:6969/announce.");
        assert!(!rig.has("Note"), "notes are not allowed yet");
        assert_eq!(press(&mut rig, &part, "Enable"), [AllowNotes { part: Part::Coordinator, on: true }]);
        rig.write("Note", "see you on Friday");
        let text = "see you on Friday".to_owned();
        assert_eq!(press(&mut rig, &part, "Write"), [Note { part: Part::Coordinator, text }]);
        rig.expect("anna: see you on Friday");
        assert_eq!(press(&mut rig, &part, "Enable"), [AllowNotes { part: Part::Coordinator, on: false }]);
        assert!(!rig.has("Note"));
        assert_eq!(press(&mut rig, &part, "Clear"), [Clear(Part::Coordinator)]);
        rig.expect("Nothing has happened here yet.");
        assert!(!rig.enabled_in(&part, "Clear"), "there is nothing to clear");
        assert_eq!(press(&mut rig, &part, "Quit"), [QuitCoordinator]);
        rig.expect("There is no coordinator. Start one, or join another network.");
        assert_eq!(press(&mut rig, &part, "Start a coordinator here"), [Host { listen: None }]);
        assert!(rig.has("Quit"));
    }
}

#[test]
fn the_tracker_clears_lists_peers_and_seeds_connects_and_disconnects() {
    use NetworkCommand::{Ask, Clear, ConnectTracker, DisconnectTracker};
    for place in PLACES {
        let (mut rig, part) = placed(Panel::Trackers, place, 20);
        assert_eq!(press(&mut rig, &part, "Peers"), [Ask(Question::Peers)]);
        rig.expect("Peers of Uppsala, old maps: 192.168.1.21:6881, 192.168.1.22:6881");
        assert_eq!(press(&mut rig, &part, "Seeds"), [Ask(Question::Seeds)]);
        rig.expect("Seeds of Uppsala, old maps: 192.168.1.20:6881, 192.168.1.24:6881.");
        assert!(!rig.enabled_in(&part, "Connect"), "it is connected");
        assert_eq!(press(&mut rig, &part, "Disconnect"), [DisconnectTracker]);
        rig.expect("It runs, but no uploads are assigned to it.");
        assert!(!rig.enabled_in(&part, "Disconnect"));
        assert_eq!(press(&mut rig, &part, "Connect"), [ConnectTracker]);
        rig.expect("It runs, and uploads are assigned to it in its turn.");
        assert_eq!(press(&mut rig, &part, "Clear"), [Clear(Part::Tracker)]);
        rig.expect("Nothing has happened here yet.");
    }
}

#[test]
fn the_peer_uploads_and_downloads_by_name_connects_and_disconnects() {
    use NetworkCommand::{Clear, Connect, Disconnect, Fetch};
    for place in PLACES {
        let (mut rig, part) = placed(Panel::Peer, place, 20);
        rig.expect("Connected to the network as anna; 5 other users are there.");
        rig.write("What to upload", "essays.pdf");
        rig.click_in(CONTROLS, "Upload");
        let path = std::path::Path::new("/home/anna/Downloads/essays.pdf");
        assert!(matches!(&rig.commands()[..], [Command::Share { share, .. }] if share.path == path));
        rig.write("What to download", "Field recordings of May");
        rig.click_in(CONTROLS, "Download");
        assert!(matches!(&asked(&mut rig)[..], [Fetch { name, .. }] if name == "Field recordings of May"));
        rig.write("Search in names", "Field recordings of");
        assert_eq!(rig.rows("Torrents").len(), 1, "it is on the list: {:#?}", rig.all());
        rig.press(Modifiers::NONE, Key::Escape);
        rig.write("What to download", "flute");
        rig.press(Modifiers::NONE, Key::Enter);
        rig.expect("The index has nothing called flute.");
        rig.commands();
        rig.write("What to download", "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=Tune");
        rig.click_in(CONTROLS, "Download");
        rig.expect("Tune");
        rig.press(Modifiers::NONE, Key::Escape);
        rig.commands();

        assert!(!rig.enabled_in(&part, "Connect"), "it is connected");
        assert_eq!(press(&mut rig, &part, "Disconnect"), [Disconnect]);
        rig.expect("Disconnected: nothing is sent, received or announced.");
        for button in ["Upload", "Download"] {
            assert!(!rig.enabled_in(CONTROLS, button), "{button} while disconnected");
        }
        rig.expect("You are disconnected from the network. Connect to upload and download.");
        rig.press(Modifiers::COMMAND, Key::N);
        assert!(!rig.has("Share") && rig.dialogs.take().is_empty(), "no card opens while disconnected");
        assert_eq!(press(&mut rig, &part, "Connect"), [Connect]);
        assert!(rig.enabled_in(CONTROLS, "Upload"));
        assert_eq!(press(&mut rig, &part, "Clear"), [Clear(Part::Peer)]);
        rig.expect("Nothing has happened here yet.");
    }
}

#[test]
fn the_statistics_tell_the_three_figures_when_asked() {
    use NetworkCommand::{Ask, Clear};
    for place in PLACES {
        let (mut rig, part) = placed(Panel::Statistics, place, 20);
        assert!(rig.has_in(&part, "Clear"));
        // The graph's legend has the same names.
        let part = "Statistics screen".to_owned();
        for (button, question, says) in [
            ("nPeers", Question::NPeers, "nPeers is 3."),
            ("nSeeds", Question::NSeeds, "nSeeds is 2."),
            ("timeSeed", Question::TimeSeed, "timeSeed is 1284 s."),
        ] {
            assert_eq!(press(&mut rig, &part, button), [Ask(question)]);
            rig.expect(says);
        }
        assert_eq!(press(&mut rig, &part, "Clear"), [Clear(Part::Statistics)]);
    }
}

#[test]
fn the_index_is_searched_downloaded_from_saved_from_and_removed_from() {
    use NetworkCommand::{Clear, Fetch, Save, Unlist};
    for place in PLACES {
        let (mut rig, part) = placed(Panel::Index, place, 20);
        assert_eq!(rig.rows("Index").len(), 4);
        for button in ["Download", "Copy magnet link", "Save .torrent…", "Remove…"] {
            assert!(!rig.enabled_in(&part, button), "{button} with nothing chosen");
        }
        rig.write("Search in the index", "flute");
        rig.expect("The index has nothing called flute.");
        rig.write("Search in the index", "photos");
        assert_eq!(rig.rows("Index").len(), 2, "the same name twice");
        rig.expect("Holiday photos 2026 (a1a1a1a1), 96.0 MiB, shared by fritz");
        rig.row("Holiday photos 2026 (a1a1a1a1)");
        let hash = "a1".repeat(20);
        rig.dialogs.choose("/srv/photos");
        rig.click_in(&part, "Save .torrent…");
        assert!(matches!(&rig.dialogs.take()[..], [Wanted::SaveEntry(..)]));
        let saved = std::path::Path::new("/srv/photos.torrent");
        assert!(
            matches!(&asked(&mut rig)[..], [Save { name, path, .. }] if *name == hash && path == saved),
            "by its hash"
        );
        rig.expect("Saved /srv/photos.torrent.");
        rig.click_in(&part, "Copy magnet link");
        rig.expect("Magnet link copied.");
        rig.click_in(&part, "Download");
        assert!(matches!(&asked(&mut rig)[..], [Fetch { name, .. }] if *name == hash));
        rig.click_in(&part, "Remove…");
        rig.expect("Nobody in the network can find it by its name any more.");
        rig.click("Cancel");
        assert!(rig.commands().is_empty(), "it was not agreed to");
        rig.click_in(&part, "Remove…");
        rig.click("Remove from the index");
        assert!(matches!(&asked(&mut rig)[..], [Unlist { name, .. }] if *name == hash));
        rig.expect("Holiday photos 2026 is out of the index.");
        assert_eq!(rig.rows("Index").len(), 1);
        assert_eq!(press(&mut rig, &part, "Clear"), [Clear(Part::Index)]);
    }
}

#[test]
fn what_is_on_the_list_already_is_shown_instead_of_fetched() {
    let (mut rig, part) = placed(Panel::Index, "panel", 20);
    rig.write("Search in the index", "uppsala");
    rig.row("Uppsala, old maps");
    rig.click_in(&part, "Download");
    rig.expect("Uppsala, old maps, 1.88 GiB, 100 %.");
    assert!(rig.commands().is_empty());
}

#[test]
fn the_registers_the_assignment_and_the_picture_are_shown_and_move() {
    let (mut rig, _) = placed(Panel::Coordinator, "panel", 20);
    assert_eq!(rig.rows("Registered trackers").len(), 2);
    rig.sort("Assigned");
    rig.sort("Assigned");
    assert_eq!(rig.rows("Registered trackers").len(), 2);
    rig.click("Users 6");
    assert!(rig.rows("Users")[1].starts_with("bert at 192.168.1.21:6881"));
    rig.click("Uploads 4");
    rig.expect("assigned to 192.168.1.20:6969, then 192.168.1.21:6969");
    rig.expect("assigned to 192.168.1.21:6969, then 192.168.1.20:6969");
    rig.click("Swarm");
    rig.expect("anna sends 900 KiB/s to bert");
    rig.play();
    rig.expect("anna sends 937 KiB/s to bert");
}

#[test]
fn the_lists_of_the_tracker_and_its_set_up() {
    let (mut rig, _) = placed(Panel::Trackers, "panel", 20);
    assert_eq!(rig.rows("Swarms").len(), 2);
    rig.click("Users 5");
    assert_eq!(rig.rows("Users of the tracker").len(), 10);
    rig.expect("bert 192.168.1.21:6881 is a peer of Holiday photos 2026");
    rig.click("Counters");
    rig.expect("In the last minute");
    rig.expect("refused");
    rig.expect("invalid queries");
    rig.click("Set-up");
    rig.expect("http://192.168.1.20:6969/announce");
    let settings = |rig: &mut Rig| match &rig.commands()[..] {
        [Command::Settings(settings)] => settings.as_ref().clone(),
        other => panic!("{other:?}"),
    };
    rig.click("Answer other computers of the local network, too");
    assert!(!settings(&mut rig).tracker_on_network);
    rig.click("One more");
    assert_eq!(settings(&mut rig).trackers, 2);
    rig.expect("They run, and uploads are assigned to each in its turn.");
    rig.click("One less");
    assert_eq!(settings(&mut rig).trackers, 1);
    rig.click("Run the tracker in this program");
    assert!(!settings(&mut rig).tracker);
    rig.expect("It does not run. Switch it on under Set-up.");
    rig.click("Swarms 0");
    rig.expect("No swarm yet.");
}

#[test]
fn figures_history_and_what_they_are_made_of() {
    let mut rig = Rig::with(20, theme::FIRST_SIZE, |parts| parts.state.panel = Panel::Statistics);
    for text in ["nPeers, downloading", "nSeeds, seeding", "timeSeed, mean stay", "21 min 24 s"] {
        rig.expect(text);
    }
    rig.expect("Graph of users, of the network, now ");
    rig.expect("Graph of timeSeed, of the network, now 21 min 20 s");
    rig.click("Users 6");
    assert_eq!(rig.rows("Statistics by user").len(), 6);
    rig.expect("anna at 192.168.1.20:6881, downloads 0, seeds 1, timeSeed 15 min");
    rig.click("Trackers 2");
    rig.expect("Graph of users, Tracker 1, now ");
    rig.row("Tracker 2, 3 peers, 1 seed");
    rig.expect("Graph of users, Tracker 2, now ");
    rig.click("Torrents 2");
    rig.expect("Graph of timeSeed, Holiday photos 2026, now ");
    rig.click("This computer");
    rig.expect("Received in all");
    rig.demo.network(false);
    rig.turn();
    rig.expect_not("nPeers");
    rig.expect("Received in all");
}

#[test]
fn hosting_takes_an_address_and_shows_the_link() {
    use NetworkCommand::Host;
    let (mut rig, part) = placed(Panel::Coordinator, "panel", 0);
    rig.click("Host and join");
    rig.expect("Only this computer can reach the coordinator.");
    assert!(!rig.has("Copy"), "there is no link to give yet");
    rig.write("Address to host on", "kitchen");
    rig.click_in(&part, "Host for others");
    rig.expect("“kitchen” is not an address of this computer.");
    assert!(rig.commands().is_empty());
    rig.write("Address to host on", "192.168.1.20:7000");
    let listen = Some(([192, 168, 1, 20], 7_000).into());
    assert_eq!(press(&mut rig, &part, "Host for others"), [Host { listen }]);
    rig.expect_not("“kitchen” is not an address");
    rig.expect("QR code of the join link");
    rig.click_in(&part, "Copy");
    rig.expect("Join link copied.");
    assert_eq!(press(&mut rig, &part, "Only this computer"), [Host { listen: None }]);
    assert!(!rig.has("Copy"));
}

#[test]
fn joining_says_in_place_what_is_wrong_with_a_link() {
    let (mut rig, part) = placed(Panel::Coordinator, "panel", 0);
    rig.click("Host and join");
    assert!(!rig.enabled_in(&part, "Join"), "there is no link yet");
    rig.write("Link to join", "https://example.org");
    rig.click_in(&part, "Join");
    rig.expect("That is not a join link: it should begin with fyris://");
    assert!(matches!(&asked(&mut rig)[..], [NetworkCommand::Join { .. }]));
    rig.write("Link to join", "fyris://192.168.1.7:7300/secret");
    rig.expect_not("That is not a join link");
    rig.press(Modifiers::NONE, Key::Enter);
    assert!(matches!(&asked(&mut rig)[..], [NetworkCommand::Join { link, .. }] if link.ends_with("secret")));
    rig.expect("You have joined the network.");
    rig.expect("Connected to a coordinator on another machine; 1 user is connected.");
    assert!(!rig.has("Quit"), "the coordinator is not ours to end");
    rig.click("Rules");
    rig.expect("Whoever hosts the network sets these.");
    assert!(!rig.has("Set rules"));
}

#[test]
fn rules_and_announcing_windows_are_set_by_who_hosts() {
    let (mut rig, part) = placed(Panel::Coordinator, "panel", 4);
    rig.click("Rules");
    assert!(!rig.enabled_in(&part, "Set rules"), "nothing has changed");
    rig.write("On the right", "Stay a while.");
    rig.write("On the right, then", "Thank you!");
    rig.click_in(&part, "Undo");
    assert!(!rig.enabled_in(&part, "Set rules"));
    rig.write("On the right", "Stay a while.");
    rig.write("On the right, then", "Thank you!");
    rig.write("At the bottom", "New lectures on Friday.");
    let announcing = Announcing {
        right: "Stay a while.".to_owned(),
        bottom: "New lectures on Friday.".to_owned(),
        right_completed: "Thank you!".to_owned(),
        bottom_completed: String::new(),
    };
    let rules = Box::new(NetworkRules { announcing, ..NetworkRules::default() });
    assert_eq!(press(&mut rig, &part, "Set rules"), [NetworkCommand::SetRules(rules)]);

    rig.go(Panel::Peer);
    let right = "Announcing window on the right";
    assert!(rig.within(right, "Stay a while."));
    assert!(rig.within("Announcing window at the bottom", "New lectures on Friday."));
    rig.demo.change(1, |row| {
        row.state = State::Downloading;
        row.done = row.wanted;
    });
    rig.play();
    assert!(rig.within(right, "Thank you!"), "a download has completed");
    assert!(rig.within("Announcing window at the bottom", "New lectures on Friday."), "as before");
}

#[test]
fn a_first_start_is_not_crowded_and_opens_up_when_asked() {
    let mut rig = Rig::new(0);
    rig.expect("Share a file, or get one");
    rig.expect("Connected to the network as anna; nobody else is there.");
    assert!(!rig.has("What to upload") && !rig.has("Disconnect"));
    rig.expect_not("Announcing window");
    rig.click("Controls");
    assert!(rig.has("What to upload") && rig.has("Disconnect"));
    rig.click("Controls");
    rig.demo.change_network(|network| network.disconnected = true);
    rig.turn();
    assert!(!rig.enabled("Upload") && rig.enabled("Connect"), "the way back is in sight");
}

#[test]
fn what_fails_is_said_where_it_matters() {
    let fault = "The coordinator at 192.168.1.7:7300 does not answer; trying again in 8 s.";
    let mut rig = Rig::new(4);
    rig.demo.change_network(|network| {
        network.fault = Some(fault.to_owned());
        network.tracker_fault = Some("The coordinator refuses this tracker.".to_owned());
    });
    rig.turn();
    rig.expect(fault);
    assert!(rig.enabled("Upload"), "running transfers and new ones go on without a coordinator");
    assert!(rig.enabled("Connect") && rig.enabled("Disconnect"));
    rig.go(Panel::Coordinator);
    rig.expect(fault);
    rig.expect("The registers cannot be read until the coordinator answers.");
    rig.go(Panel::Trackers);
    rig.expect("The coordinator refuses this tracker.");
    rig.go(Panel::Index);
    rig.expect("The index cannot be read until the coordinator answers.");
    rig.go(Panel::Statistics);
    rig.expect(fault);
    rig.go(Panel::Coordinator);
    rig.demo.network(false);
    rig.turn();
    rig.expect("There is no network.");
    assert!(rig.has("Join") && rig.has("Start a coordinator here"));
}

#[test]
fn five_windows_at_once_and_back() {
    let mut rig = Rig::with(20, egui::vec2(2_400.0, 1_800.0), |_| {});
    rig.click("Five windows");
    for panel in Panel::NETWORK {
        let part = format!("{} window", panel.title());
        assert!(rig.has_in(&part, "Clear"), "{part}");
        assert!(rig.has_in(&part, "Back into the main window"));
    }
    rig.expect("Peer has a window of its own.");
    rig.control_in("Index window", "Back into the main window").click_accesskit();
    rig.turn();
    rig.control_in("Panels", "Index").click_accesskit();
    rig.turn();
    assert!(rig.has_in("Index panel", "Clear"));
    rig.control("One window").click_accesskit();
    rig.turn();
    rig.go(Panel::Peer);
    assert!(rig.has("Five windows") && rig.has_in("Peer panel", "Controls"));
}

#[test]
fn every_tab_fits_every_size_in_both_looks() {
    for size in [egui::vec2(640.0, 480.0), egui::vec2(800.0, 600.0), egui::vec2(3_840.0, 2_160.0)] {
        for dark in [false, true] {
            for torrents in [0, 40] {
                let mut rig = Rig::with(torrents, size, |parts| parts.state.controls = true);
                let theme = if dark { crate::api::Theme::Dark } else { crate::api::Theme::Light };
                rig.demo.set(|settings| settings.theme = theme);
                for panel in Panel::NETWORK {
                    rig.go(panel);
                    let part = format!("{} panel", panel.title());
                    let whole = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
                    let clear = rig.control_in(&part, "Clear").rect();
                    assert!(whole.contains_rect(clear), "{part} at {size}: Clear at {clear}");
                    for tab in rig.tabs(&part) {
                        rig.click_in(&part, &tab);
                    }
                }
            }
        }
    }
}

#[test]
fn the_lists_name_what_the_demo_names() {
    // The same torrents stand in the list and in the index.
    let mut rig = Rig::with(20, theme::FIRST_SIZE, |parts| parts.state.panel = Panel::Index);
    let shared = (0..20).map(demo::row).filter(|row| row.shared_here);
    for row in shared {
        rig.expect(&row.name);
    }
    rig.sort("Size");
    let rows = rig.rows("Index");
    assert!(rows[3].starts_with("Holiday photos 2026 (a1a1a1a1), 96.0 MiB"), "{rows:?}");
}
