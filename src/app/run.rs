//! From the command line to the exit code: 0 done, 1 failed with one line that says why, 2 wrong usage.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::app::cli::{Cli, Command};
use crate::app::{control, daemon, desktop, network, say, torrents, tracker, transfer};

/// Does what the command line asks for.
pub fn run() -> ExitCode {
    // For those who measure what a processor without these instructions would do.
    if std::env::var_os("FYRIS_WITHOUT_SHA").is_some() {
        crate::hash::avoid_sha_instructions();
    }
    // Wrong usage and `--help` end here.
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::note(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<()> {
    match cli.command {
        None => desktop::run(&cli.desktop),
        Some(Command::Create(args)) => torrents::create(args),
        Some(Command::Show(args)) => torrents::show(&args),
        Some(Command::Verify(args)) => torrents::verify(&args),
        Some(Command::Seed(args)) => transfer::seed(&args),
        Some(Command::Get(args)) => transfer::get(&args),
        Some(Command::Tracker(args)) => tracker::run(args),
        #[cfg(feature = "sim")]
        Some(Command::Lab(args)) => crate::app::lab::run(&args),
        Some(Command::Coordinator(args)) => network::coordinator(&args),
        Some(Command::Share(args)) => network::share(&args),
        Some(Command::Index(args)) => network::index(&args),
        Some(Command::Statistics(args)) => network::statistics(&args),
        Some(Command::Daemon(args)) => daemon::run(&args),
        Some(Command::List(args)) => control::list(&args),
        Some(Command::Control(args)) => control::run(*args),
    }
}
