//! What the settings file says about each of its keys. A test holds this list against the settings themselves.

/// A key of the settings file, `table.key` where it stands in a table.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: &'static str,
    /// What it is for, a line of the file each.
    pub(super) about: &'static [&'static str],
    /// A value to show, commented out, where the key may be left out and is.
    pub(super) example: &'static str,
}

const fn key(name: &'static str, about: &'static [&'static str], example: &'static str) -> Key {
    Key { name, about, example }
}

/// Every key in the order of the file; tables after all that stand in none.
pub(super) const KEYS: &[Key] = &[
    key(
        "download_folder",
        &["Where downloads are saved unless told otherwise; \"\" is the Downloads folder of the system."],
        "\"/home/me/Downloads\"",
    ),
    key(
        "incomplete_folder",
        &[
            "Where downloads stand, and are given to others already, until they are complete and move to their own folder;",
            "without it they are made there from the start.",
        ],
        "\"/home/me/Downloads/incomplete\"",
    ),
    key(
        "port",
        &[
            "The TCP port that other peers connect to. 0 lets the system choose; where another program has the port, the",
            "next free one is taken.",
        ],
        "6881",
    ),
    key(
        "bind",
        &["The one address of this machine to listen on and to connect from; without it, every address."],
        "\"192.0.2.10\"",
    ),
    key("max_connections", &["Connections in all, at least 1."], "500"),
    key("max_connections_per_torrent", &["Connections of one torrent, at least 1."], "100"),
    key("tracker", &["Whether the tracker in this program runs; what you share needs one."], "true"),
    key("tracker_port", &["The port of that tracker, TCP and UDP. 0 lets the system choose."], "6969"),
    key("trackers", &["How many trackers run in this program, 1 to 8, each at the next free port."], "1"),
    key(
        "tracker_on_network",
        &["Whether the tracker answers other machines of your network, or this machine alone."],
        "true",
    ),
    key(
        "user_name",
        &["What you are called in a network; \"\" is the name of this computer's user."],
        "\"Ada\"",
    ),
    key(
        "coordinator",
        &["Whether this program hosts a network of its own where it has joined no other."],
        "true",
    ),
    key(
        "coordinator_listen",
        &["Where its coordinator listens for others; without it, this computer alone, at any port."],
        "\"192.0.2.10:7300\"",
    ),
    key(
        "join_link",
        &[
            "The link to the network that was joined. Whoever has it can join as well: show it to nobody else.",
        ],
        "\"fyris://192.0.2.10:7300/...\"",
    ),
    key("theme", &["The colours of the window: \"system\", \"light\" or \"dark\"."], "\"system\""),
    key("zoom", &["The size of everything in the window, from 0.5 to 3."], "1.0"),
    key("confirm_quit", &["Whether quitting while others download from you is confirmed first."], "true"),
    key(
        "labels",
        &[
            "Bytes per second of all torrents with a label, together; when each of them has given enough, and",
            "where they move when they are complete (done_folder).",
        ],
        "[{ name = \"music\", down = 1000000, up = 100000, goals = { ratio = 2.0 } }]",
    ),
    key(
        "done_folder",
        &["Where a download's files move when it is complete; without it they stay where they are."],
        "\"/home/me/Done\"",
    ),
    key(
        "run_when_done",
        &[
            "A program to be run when a download is complete, and its arguments, never through a shell. {name}, {path},",
            "{folder}, {label} and {hash} stand for those of the torrent, each as an argument of its own.",
        ],
        "[\"/usr/local/bin/done\", \"{path}\"]",
    ),
    key("notify", &["Whether the desktop says when a download is complete."], "true"),
    key(
        "watch",
        &[
            "Folders whose .torrent and .magnet files are added by themselves, and then renamed to .added, or moved to the",
            "folder move_to. Bad ones are renamed to .bad, with the reason beside them. With removal_stops files stay as they",
            "are, and a torrent goes off the list when its file is removed.",
        ],
        "[{ folder = \"/home/me/new\", target = \"/home/me/Downloads\", label = \"new\", paused = false }]",
    ),
    key("alternative.on", &["Whether these limits hold now, in place of those in [limits]."], "false"),
    key("alternative.down", &["Bytes per second received."], "100000"),
    key("alternative.up", &["Bytes per second sent."], "50000"),
    key(
        "alternative.from",
        &["The minute of the day from which they hold: 1320 is ten in the evening."],
        "1320",
    ),
    key("alternative.until", &["The minute of the day at which they end: 360 is six in the morning."], "360"),
    key(
        "alternative.days",
        &["The days on which they begin, such as \"monday\"; without any, every day."],
        "[\"saturday\", \"sunday\"]",
    ),
    key("queue.downloads", &["Downloads at once; the others wait. Without it, all of them."], "5"),
    key("queue.seeds", &["Torrents that give at once; the others wait. Without it, all of them."], "50"),
    key("goals.ratio", &["Bytes sent per bytes received after which a torrent is paused."], "2.0"),
    key("goals.seed_secs", &["Seconds of seeding after which a torrent is paused."], "604800"),
    key("goals.idle_secs", &["Seconds without anybody who takes after which a seed is paused."], "86400"),
    key(
        "web.page",
        &["When it is there: \"off\", \"unattended\" (where there is no window) or \"always\"."],
        "\"unattended\"",
    ),
    key(
        "web.listen",
        &[
            "Where it answers; without it, this computer alone, at port 7380 or the next that is free. For other computers",
            "nothing is encrypted on the way: whoever listens there learns the token.",
        ],
        "\"192.0.2.10:7380\"",
    ),
    key(
        "web.names",
        &["Names by which browsers may ask for it, besides localhost and addresses; all others are refused."],
        "[\"nas.local\"]",
    ),
    key(
        "web.folders",
        &[
            "Folders that may be saved into by it, besides those named elsewhere in this file, with all below them. Only where",
            "other computers reach it; otherwise every folder may be.",
        ],
        "[\"/home/me/Films\"]",
    ),
    key("limits.down", &["Bytes per second received; without it there is no limit."], "1000000"),
    key("limits.up", &["Bytes per second sent; without it there is no limit."], "1000000"),
];

/// What the file says about each of its tables.
pub(super) const TABLES: &[(&str, &str)] = &[
    ("limits", "Rates over all torrents."),
    ("alternative", "Other rates over all torrents, by hand or at some hours of the day."),
    ("queue", "How many torrents are active at once."),
    ("goals", "When a torrent has given enough and is paused; without a goal it goes on."),
    ("web", "The web page that lists torrents and takes commands from whoever has its token."),
];
