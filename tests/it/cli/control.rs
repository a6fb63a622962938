//! A session that runs, listed and told what to do from the command line.

use super::*;

/// A session without tracker and network, in the folder `state` of a place, with more settings.
fn session(place: &Place, settings: &str) -> Running {
    let text = format!("tracker = false\ncoordinator = false\n{settings}");
    place.write("state/settings.toml", text);
    let args = ["daemon", "--state", "state", "--bind", "127.0.0.1", "--port", "0", "--no-web"];
    let running = Running::start(place, args.iter().chain(ALONE));
    running.logs("peers reach this session");
    running
}

/// What is printed once it is what the test waits for: each look is a program of its own, and the session is as fast as it is.
fn until(place: &Place, args: &[&str], is_so: impl Fn(&str) -> bool) -> String {
    let mut last = String::new();
    for _ in 0..2_000 {
        last = place.run(args).done();
        if is_so(&last) {
            return last;
        }
    }
    panic!("{args:?} prints {last}");
}

#[test]
fn the_session_that_runs_is_listed_and_told_what_to_do() {
    let place = Place::new();
    place.write("there/a.bin", content(100_000));
    place.write("there/b.bin", content(50_000));
    place.run(&["create", "there/a.bin"]).done();
    place.run(&["create", "there/b.bin"]).done();
    let hash = read(&place.path("a.bin.torrent")).info_hash.to_hex();
    place.run(&["list", "--state", "state"]).failed("no Fyris runs on state");
    place.run(&["control", "--state", "state", "pause", "all"]).failed("no Fyris runs on state");
    let running = session(&place, "");

    let add = ["control", "--state", "state", "add", "--dir", "there"];
    place.run(&[&add[..], &["--label", "music", "a.bin.torrent"]].concat()).done();
    until(&place, &["list", "--state", "state", "--fields", "name"], |out| out == "a.bin\n");
    place.run(&[&add[..], &["--paused", "b.bin.torrent"]].concat()).done();
    let fields = ["list", "--state", "state", "--fields", "name,state,label,left,queue"];
    let both = "a.bin\tseeding\tmusic\t0\t1\nb.bin\tpaused\t\t50000\t2\n";
    until(&place, &fields, |out| out == both);

    let control = |args: &[&str]| place.run(&[&["control", "--state", "state"], args].concat()).done();
    assert_eq!(control(&["queue", "b.bin", "first"]), "done\n");
    control(&["rename", &hash, "An album"]);
    control(&["label", "talks", "b.bin", &hash]);
    control(&["pause", &hash.to_uppercase()]);
    let both = "An album\tpaused\ttalks\t0\t2\nb.bin\tpaused\ttalks\t50000\t1\n";
    until(&place, &fields, |out| out == both);
    control(&["limit", "--up", "5000", "all"]);
    control(&["goals", "--ratio", "0", "An album"]);
    control(&["resume", "all"]);
    // It has given enough from the start.
    until(&place, &fields, |out| out.starts_with("An album\tpaused") && out.contains("b.bin\tseeding"));
    control(&["stop", "b.bin"]);
    until(&place, &fields, |out| out.contains("b.bin\tpaused"));

    let json = place.run(&["list", "--state", "state", "--fields", "all", "--json", "An album"]).done();
    let told: serde_json::Value = serde_json::from_str(&json).expect("one line of JSON");
    assert_eq!((&told["info_hash"], &told["size"]), (&hash.as_str().into(), &100_000.into()));
    assert_eq!((&told["label"], &told["progress"], &told["eta"]), (&"talks".into(), &1.0.into(), &().into()));

    place.run(&["list", "--state", "state", "nobody"]).failed("no torrent is called nobody");
    place.run(&["list", "--state", "state", "--fields", "name,colour"]).failed("there is no field colour");
    place.run(&["control", "--state", "state", "goals", "--ratio", "-1", "all"]).misused();
    place.run(&["control", "--state", "state", "pause"]).misused();
    let again = place.run(&[&add[..], &["a.bin.torrent"]].concat()).done();
    assert_eq!(again, format!("added {hash} again; it was on the list\n"));
    // Its .torrent file does not read: that is what is said.
    place.write("bad.torrent", "no torrent");
    place.run(&[&add[..], &["bad.torrent"]].concat()).failed("bad.torrent cannot be used");
    place.write("taken", "a file, and no folder");
    control(&["resume", "An album"]);
    place.run(&["control", "--state", "state", "move", "An album", "taken"]).failed("taken");
    assert_eq!(control(&["--wait", "0", "announce", "all"]), "taken\n");
    assert_eq!(control(&["remove", "--delete-data", "b.bin"]), "done\n");
    assert!(!place.path("there/b.bin").exists(), "it is done when that is said");
    until(&place, &["list", "--state", "state", "--fields", "name"], |out| out == "An album\n");
    control(&["other-limits", "on"]);
    until(&place, &["list", "--state", "state"], |_| {
        fs::read_to_string(place.path("state/settings.toml")).expect("settings").contains("on = true")
    });
    #[cfg(unix)]
    assert_eq!(running.end(), Some(0));
    assert!(place.path("there/a.bin").exists());
}

#[cfg(unix)]
#[test]
fn a_torrent_whose_file_went_from_a_watched_folder_between_two_runs_goes_at_the_next_start() {
    let place = Place::new();
    fs::create_dir(place.path("watched")).expect("made");
    for name in ["a.bin", "b.bin"] {
        place.write(name, content(100_000));
        place.run(&["create", name, "-o", &format!("watched/{name}.torrent")]).done();
    }
    let settings = format!(
        "[[watch]]\nfolder = \"{}\"\ntarget = \"{}\"\nremoval_stops = true\n",
        place.path("watched").display(),
        place.path("").display()
    );
    let running = session(&place, &settings);
    let names = ["list", "--state", "state", "--fields", "name,state"];
    until(&place, &names, |out| out.matches("seeding").count() == 2);
    until(&place, &names, |_| {
        place.path("state/watched.json").exists() && {
            let text = fs::read_to_string(place.path("state/watched.json")).expect("a list");
            text.matches("path").count() == 2
        }
    });
    assert_eq!(running.end(), Some(0));
    fs::remove_file(place.path("watched/a.bin.torrent")).expect("removed");
    let running = session(&place, &settings);
    running.logs("a.bin is off the list: its file is gone from the watched folder.");
    until(&place, &names, |out| out == "b.bin\tseeding\n");
    assert!(place.path("a.bin").exists() && place.path("watched/b.bin.torrent").exists());
    assert_eq!(running.end(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_program_is_run_when_a_download_is_complete_and_after_it_has_moved() {
    let (place, _seed, peer) = seeded(300_000, &[]);
    let copy = place.path("$(a copy); of it");
    let done = place.path("done");
    let settings = format!(
        "done_folder = \"{}\"\nrun_when_done = [\"cp\", \"{{path}}\", \"{}\"]\n",
        done.display(),
        copy.display()
    );
    let running = session(&place, &settings);
    place
        .run(&["control", "--state", "state", "add", "a.bin.torrent", "--dir", "here", "--peer", &peer])
        .done();
    assert!(running.line().starts_with("complete a.bin "));
    running.logs("cp was run for a.bin.");
    assert_eq!(fs::read(&copy).expect("a copy"), content(300_000));
    assert_eq!(fs::read(done.join("a.bin")).expect("moved"), content(300_000));
    assert!(!place.path("here/a.bin").exists());
    assert_eq!(running.end(), Some(0));
}
