//! Numbers in sentences.

/// A time to be read, with as many digits as matter.
pub(super) fn secs(secs: f64) -> String {
    if secs < 10.0 { format!("{secs:.2} s") } else { format!("{secs:.1} s") }
}

/// A share of one.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!((secs(1.234).as_str(), secs(123.45).as_str()), ("1.23 s", "123.5 s"));
        assert_eq!((percent(0.0345).as_str(), percent(0.5).as_str()), ("3.5 %", "50 %"));
    }
}
