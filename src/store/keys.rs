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
    key("limits.down", &["Bytes per second received; without it there is no limit."], "1000000"),
    key("limits.up", &["Bytes per second sent; without it there is no limit."], "1000000"),
];

/// What the file says about each of its tables.
pub(super) const TABLES: &[(&str, &str)] = &[("limits", "Rates over all torrents.")];
