//! The `fyris` program.

fn main() -> std::process::ExitCode {
    fyris::app::run()
}
