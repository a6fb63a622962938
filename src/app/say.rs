//! What goes to the terminal. A reader who has gone away is no reason to fail.

use std::fmt::Display;
use std::io::{Write as _, stderr, stdout};

/// A line on standard output, at once.
pub(super) fn out(line: impl Display) {
    let mut out = stdout().lock();
    _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A line on standard error that tells people something.
pub(super) fn note(line: impl Display) {
    _ = writeln!(stderr().lock(), "fyris: {}", one_line(&line.to_string()));
}

/// The text in one line.
fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ").chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line() {
        assert_eq!(one_line("a: b\n  \n  c\x1b[1m\n"), "a: b; c[1m");
    }
}
