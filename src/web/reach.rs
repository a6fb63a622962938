//! What may be asked for from a page, command by command: what `fyris control` can, and nothing that would let whoever got
//! hold of a token run programs, read files, or write where the user has not said so.

use std::path::{Component, Path, PathBuf};

use crate::api::{AddOptions, Command, Label, NetworkCommand, Settings, Source};
use crate::web::fault::Fault;

/// Stands for what lets into a network, which no page needs to know.
const HIDDEN: &str = "(not shown)";

/// The settings as they are told.
pub(super) fn shown(settings: &Settings) -> Settings {
    let join_link = settings.join_link.as_ref().map(|_| HIDDEN.to_owned());
    Settings { join_link, ..settings.clone() }
}

/// Puts back what was not told, in settings that come back.
pub(super) fn complete(command: &mut Command, settings: &Settings) {
    if let Command::Settings(new) = command
        && new.join_link.as_deref() == Some(HIDDEN)
    {
        new.join_link.clone_from(&settings.join_link);
    }
}

/// Whether a command may come from a page, with the settings in force.
pub(super) fn may_come(command: &Command, settings: &Settings) -> Result<(), Fault> {
    match command {
        Command::Inspect { source, .. } => sent(source),
        Command::Add { source, options, .. } => sent(source).and_then(|()| saved(options, settings)),
        Command::Move { folder, .. } => within(folder, settings),
        Command::Network(command) => of_network(command, settings),
        Command::Settings(new) => changed(new, settings),
        Command::Limit { limits, .. } if [limits.down, limits.up].contains(&Some(0)) => {
            Err(Fault::malformed("a limit is more than 0; leave it out to have none"))
        }
        Command::Goals { goals, .. }
            if goals.ratio.is_some_and(|ratio| !ratio.is_finite() || ratio < 0.0) =>
        {
            Err(Fault::malformed("a ratio is a number that is not below 0"))
        }
        Command::Limit { .. } | Command::Goals { .. } => Ok(()),
        Command::Share { .. } => Err(Fault::forbidden(
            "what lies on that computer is shared there, in the window or by fyris share",
        )),
        Command::SaveTorrent { .. } => {
            Err(Fault::forbidden("a .torrent is saved on that computer from its window"))
        }
        Command::Watch(_) => {
            Err(Fault::forbidden("what is watched is the window's choice; describe tells a torrent in full"))
        }
        Command::Shutdown => Err(Fault::forbidden("Fyris is ended where it runs")),
        Command::Cancel(_)
        | Command::Pause(_)
        | Command::Resume(_)
        | Command::PauseAll
        | Command::ResumeAll
        | Command::StopAndSerialize { .. }
        | Command::Recheck(_)
        | Command::Remove { .. }
        | Command::Prioritise { .. }
        | Command::Sequential { .. }
        | Command::Label { .. }
        | Command::Rename { .. }
        | Command::Queue { .. }
        | Command::AddPeers { .. }
        | Command::Announce(_)
        | Command::Settle { .. }
        | Command::Describe { .. } => Ok(()),
    }
}

fn of_network(command: &NetworkCommand, settings: &Settings) -> Result<(), Fault> {
    match command {
        NetworkCommand::Fetch { options, .. } => saved(options, settings),
        NetworkCommand::Save { .. } => {
            Err(Fault::forbidden("a .torrent is saved on that computer from its window"))
        }
        NetworkCommand::Host { .. } | NetworkCommand::Join { .. } => {
            Err(Fault::forbidden("which network it is in is said where Fyris runs"))
        }
        NetworkCommand::QuitCoordinator
        | NetworkCommand::Connect
        | NetworkCommand::Disconnect
        | NetworkCommand::ConnectTracker
        | NetworkCommand::DisconnectTracker
        | NetworkCommand::SetRules(_)
        | NetworkCommand::Clear(_)
        | NetworkCommand::AllowNotes { .. }
        | NetworkCommand::Note { .. }
        | NetworkCommand::Ask(_)
        | NetworkCommand::Unlist { .. } => Ok(()),
    }
}

/// A path is of the computer that Fyris runs on, where whoever asks may have no business.
fn sent(source: &Source) -> Result<(), Fault> {
    match source {
        Source::Bytes(_) | Source::Magnet(_) => Ok(()),
        Source::File(_) => Err(Fault::forbidden("a .torrent is sent by its content, as bytes in base64")),
    }
}

fn saved(options: &AddOptions, settings: &Settings) -> Result<(), Fault> {
    options.folder.as_deref().map_or(Ok(()), |folder| within(folder, settings))
}

/// Where other computers reach the page, files go only where the settings have them go.
fn within(folder: &Path, settings: &Settings) -> Result<(), Fault> {
    if !folder.is_absolute() {
        return Err(Fault::malformed("a folder is named by its whole path, such as /home/me/Downloads"));
    }
    let goes_up = folder.components().any(|part| part == Component::ParentDir);
    let known = roots(settings);
    if !settings.web.is_open() || !goes_up && known.into_iter().any(|root| folder.starts_with(root)) {
        return Ok(());
    }
    Err(Fault::forbidden(format!(
        "{} is none of the folders that may be saved into; web.folders in the settings names more",
        folder.display()
    )))
}

/// The folders of the settings.
fn roots(settings: &Settings) -> Vec<&PathBuf> {
    let labels = settings.labels.iter().filter_map(|label| label.done_folder.as_ref());
    let watched = settings.watch.iter().filter_map(|watch| watch.target.as_ref());
    let own = [Some(&settings.download_folder), settings.done_folder.as_ref()].into_iter().flatten();
    let all = own.chain(labels).chain(watched).chain(&settings.web.folders);
    all.filter(|folder| folder.is_absolute()).collect()
}

/// Limits, schedule, labels, queue and goals may be changed; programs to be run, folders, addresses and links may not.
fn changed(new: &Settings, settings: &Settings) -> Result<(), Fault> {
    new.check().map_err(|error| Fault::malformed(format!("the settings were not changed: {error}")))?;
    let folder_of = |label: &Label| {
        let same = settings.labels.iter().find(|known| known.name == label.name);
        same.and_then(|known| known.done_folder.clone())
    };
    let labels = new.labels.iter().map(|label| Label { done_folder: folder_of(label), ..label.clone() });
    let may_be = Settings {
        limits: new.limits,
        alternative: new.alternative.clone(),
        labels: labels.collect(),
        queue: new.queue,
        goals: new.goals,
        max_connections: new.max_connections,
        max_connections_per_torrent: new.max_connections_per_torrent,
        notify: new.notify,
        ..settings.clone()
    };
    if may_be == *new {
        return Ok(());
    }
    Err(Fault::forbidden(
        "limits, other limits, labels, queue, goals and connections are all that can be changed from here; the rest is set \
         where Fyris runs",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Limits, RequestId, Share, Web};
    use crate::base::InfoHash;

    const REQUEST: RequestId = RequestId(1);

    fn open() -> Settings {
        let web = Web {
            listen: Some(([192, 0, 2, 1], 7380).into()),
            folders: vec!["/films".into()],
            ..Web::default()
        };
        Settings { download_folder: "/down".into(), web, ..Settings::default() }
    }

    fn status(command: &Command, settings: &Settings) -> Option<u16> {
        may_come(command, settings).map_err(|fault| fault.status.as_u16()).err()
    }

    #[test]
    fn files_programs_and_the_session_itself_are_out_of_reach() {
        let settings = Settings::default();
        let torrent = InfoHash([1; 20]);
        let add = |source| Command::Add { request: REQUEST, source, options: AddOptions::default() };
        for refused in [
            add(Source::File("/etc/passwd".into())),
            Command::Inspect { request: REQUEST, source: Source::File("/etc/passwd".into()) },
            Command::Share { request: REQUEST, share: Box::new(Share::of("/etc")) },
            Command::SaveTorrent { request: REQUEST, torrent, path: "/home/me/.profile".into() },
            Command::Network(NetworkCommand::Save { request: REQUEST, name: "a".into(), path: "/a".into() }),
            Command::Network(NetworkCommand::Host { listen: None }),
            Command::Watch(Some(torrent)),
            Command::Shutdown,
        ] {
            assert_eq!(status(&refused, &settings), Some(403), "{refused:?}");
        }
        for fine in [add(Source::Magnet("magnet:?x".into())), add(Source::Bytes(vec![1])), Command::PauseAll]
        {
            assert_eq!(status(&fine, &settings), None, "{fine:?}");
        }
    }

    #[test]
    fn what_others_reach_saves_where_the_settings_say() {
        let to = |folder: &str| Command::Move {
            request: REQUEST,
            torrent: InfoHash([1; 20]),
            folder: folder.into(),
        };
        for (folder, own, others) in [
            ("/down", None, None),
            ("/down/a", None, None),
            ("/films/b", None, None),
            ("/downtown", None, Some(403)),
            ("/down/../etc", None, Some(403)),
            ("/etc", None, Some(403)),
            ("down", Some(400), Some(400)),
            ("", Some(400), Some(400)),
        ] {
            assert_eq!(status(&to(folder), &Settings::default()), own, "{folder}");
            assert_eq!(status(&to(folder), &open()), others, "{folder}");
            let options = AddOptions { folder: Some(folder.into()), ..AddOptions::default() };
            let source = Source::Magnet("magnet:?x".into());
            assert_eq!(
                status(&Command::Add { request: REQUEST, source, options }, &open()),
                others,
                "{folder}"
            );
        }
    }

    #[test]
    fn what_lets_into_a_network_is_neither_told_nor_lost() {
        let settings = Settings { join_link: Some("fyris://secret".into()), ..Settings::default() };
        let told = shown(&settings);
        assert!(
            !format!("{told:?}").contains("secret") && shown(&Settings::default()) == Settings::default()
        );
        let mut command = Command::Settings(Box::new(Settings { notify: false, ..told }));
        complete(&mut command, &settings);
        assert_eq!(command, Command::Settings(Box::new(Settings { notify: false, ..settings.clone() })));
        assert_eq!(status(&command, &settings), None);
        // Where there is none, those words are one, and no page may set it.
        let mut command = Command::Settings(Box::new(shown(&settings)));
        complete(&mut command, &Settings::default());
        assert_eq!(status(&command, &Settings::default()), None);
        assert_eq!(command, Command::Settings(Box::default()));
    }

    #[test]
    fn of_the_settings_only_what_harms_nobody_can_be_changed() {
        let settings = Settings {
            run_when_done: vec!["done".into()],
            labels: vec![Label { name: "a".into(), done_folder: Some("/a".into()), ..Label::default() }],
            ..open()
        };
        let set = |change: &dyn Fn(&mut Settings)| {
            let mut new = settings.clone();
            change(&mut new);
            status(&Command::Settings(Box::new(new)), &settings)
        };
        assert_eq!(set(&|_| {}), None);
        assert_eq!(set(&|new| new.limits = Limits { down: Some(5), up: None }), None);
        assert_eq!(set(&|new| new.alternative.on = true), None);
        assert_eq!(set(&|new| new.labels.clear()), None);
        assert_eq!(
            set(&|new| new.labels.push(Label { name: "b".into(), up: Some(1), ..Label::default() })),
            None
        );
        assert_eq!(set(&|new| new.labels[0].up = Some(9)), None);
        assert_eq!(set(&|new| new.labels[0].done_folder = Some("/b".into())), Some(403));
        assert_eq!(set(&|new| new.limits.down = Some(0)), Some(400));
        assert_eq!(set(&|new| new.run_when_done = vec!["sh".into()]), Some(403));
        assert_eq!(set(&|new| new.run_when_done.clear()), Some(403));
        assert_eq!(set(&|new| new.web.listen = None), Some(403));
        assert_eq!(set(&|new| new.web.folders.push("/".into())), Some(403));
        assert_eq!(set(&|new| new.download_folder = "/etc".into()), Some(403));
        assert_eq!(set(&|new| new.done_folder = Some("/etc".into())), Some(403));
        assert_eq!(set(&|new| new.join_link = Some("fyris://".into())), Some(403));
        assert_eq!(set(&|new| new.coordinator_listen = Some(([0, 0, 0, 0], 1).into())), Some(403));
    }
}
