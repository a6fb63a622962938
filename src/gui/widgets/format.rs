//! Numbers as people read them.

/// Bytes: `0 B`, `812 KiB`, `1.37 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be shown as 1024.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Bytes per second; nothing where nothing moves.
pub(crate) fn rate(bytes_per_sec: u64) -> String {
    if bytes_per_sec == 0 { String::new() } else { format!("{}/s", size(bytes_per_sec)) }
}

/// Bytes per second, also where nothing moves.
pub(crate) fn rate_or_zero(bytes_per_sec: u64) -> String {
    format!("{}/s", size(bytes_per_sec))
}

/// A span: `45 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`.
pub(crate) fn span(secs: u64) -> String {
    let parts = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{big} {big_unit}")
        } else {
            format!("{big} {big_unit} {small} {small_unit}")
        }
    };
    match secs {
        0..60 => format!("{secs} s"),
        60..3_600 => parts(secs / 60, "min", secs % 60, "s"),
        3_600..86_400 => parts(secs / 3_600, "h", secs % 3_600 / 60, "min"),
        86_400..31_536_000 => parts(secs / 86_400, "d", secs % 86_400 / 3_600, "h"),
        _ => "more than a year".to_owned(),
    }
}

/// How long ago a moment was, both in seconds since 1970.
pub(crate) fn ago(then: u64, now: u64) -> String {
    match now.saturating_sub(then) {
        0..10 => "just now".to_owned(),
        secs @ 10..60 => format!("{secs} s ago"),
        secs @ 60..3_600 => format!("{} min ago", secs / 60),
        secs @ 3_600..86_400 => format!("{} h ago", secs / 3_600),
        secs => counted(secs / 86_400, "day", "days") + " ago",
    }
}

/// A part of one as a percentage that says 100 only when all is there.
pub(crate) fn percent(part: f32) -> String {
    if part >= 1.0 {
        return "100 %".to_owned();
    }
    // Cut, not rounded.
    format!("{:.1} %", (part.max(0.0) * 1_000.0).floor() / 10.0)
}

/// Bytes sent per byte received.
pub(crate) fn ratio(ratio: f32) -> String {
    if !ratio.is_finite() {
        "∞".to_owned()
    } else if ratio >= 100.0 {
        format!("{ratio:.0}")
    } else {
        format!("{ratio:.2}")
    }
}

/// `1 peer`, `2 peers`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// Digits in groups of three: `12 345` with narrow spaces.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// A moment in seconds since 1970 as `2026-11-20 20:41` (UTC).
pub(crate) fn date(unix: i64) -> String {
    let (days, secs) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", secs / 3_600, secs % 3_600 / 60)
}

/// A moment in milliseconds since 1970 as `20:41:07` (UTC).
pub(crate) fn clock(unix_millis: u64) -> String {
    let secs = unix_millis / 1_000 % 86_400;
    format!("{:02}:{:02}:{:02}", secs / 3_600, secs % 3_600 / 60, secs % 60)
}

/// Days since 1970 as year, month and day: eras of 400 years that begin in March, so that leap days come last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The last part of a path, or all of it where it has none.
pub(crate) fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_keep_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.00 KiB"),
            (1_048_575, "1.00 MiB"),
            (10 * 1_048_576, "10.0 MiB"),
            (1_471_026_299, "1.37 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert_eq!((rate(0), rate(2_048)), (String::new(), "2.00 KiB/s".to_owned()));
    }

    #[test]
    fn spans_and_dates_read_as_people_say_them() {
        assert_eq!(
            [span(5), span(200), span(7_500), span(86_400)],
            ["5 s", "3 min 20 s", "2 h 5 min", "1 d"]
        );
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(1_709_164_800 + 3_600), "2024-02-29 01:00 UTC");
        assert_eq!(date(-1), "1969-12-31 23:59 UTC");
        assert_eq!(clock(86_399_999), "23:59:59");
        assert_eq!(ago(100, 100 + 86_400), "1 day ago");
    }

    #[test]
    fn a_hundred_percent_is_all_of_it() {
        assert_eq!([percent(0.9999), percent(1.0), percent(0.0)], ["99.9 %", "100 %", "0.0 %"]);
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!([ratio(1.0), ratio(f32::INFINITY)], ["1.00", "∞"]);
    }
}
