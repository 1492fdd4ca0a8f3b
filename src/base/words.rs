//! Numbers in words for one-line summaries.

/// A size in decimal units (`3.2 MB`).
pub fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes.abs() < 1000.0 {
        return format!("{bytes:.0} B");
    }
    let mut value = bytes;
    let mut unit = "B";
    for larger in UNITS {
        if value.abs() < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// A span of time, as coarse as it is long (`120 ms`, `14 s`, `5 min`, `3 h 20 min`, `4 d`).
pub fn seconds(seconds: f64) -> String {
    // Rounded down as every duration on the screen is.
    let whole = seconds.max(0.0) as u64;
    match whole {
        _ if seconds < 1.0 => format!("{:.0} ms", seconds.max(0.0) * 1000.0),
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min", whole / 60),
        7200..172_800 if whole % 3600 >= 60 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        7200..172_800 => format!("{} h", whole / 3600),
        _ => format!("{} d", whole / 86_400),
    }
}

/// A WAL position as PostgreSQL writes it (`0/3588BF0`).
pub fn lsn(position: u64) -> String {
    format!("{:X}/{:X}", position >> 32, position & 0xffff_ffff)
}

/// A position that was written so.
pub fn position(lsn: &str) -> Option<u64> {
    let (upper, lower) = lsn.split_once('/')?;
    let part = |digits: &str| u32::from_str_radix(digits, 16).ok().map(u64::from);
    Some((part(upper)? << 32) | part(lower)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_short() {
        assert_eq!([bytes(0.0), bytes(999.0), bytes(1000.0)], ["0 B", "999 B", "1.0 kB"]);
        assert_eq!([bytes(3_200_000.0), bytes(999_960.0)], ["3.2 MB", "1.0 MB"]);
        assert_eq!([seconds(0.12), seconds(14.4), seconds(300.0)], ["120 ms", "14 s", "5 min"]);
        assert_eq!([seconds(12_000.0), seconds(90_000.0)], ["3 h 20 min", "25 h"]);
        assert_eq!(seconds(400_000.0), "4 d");
    }

    #[test]
    fn positions_are_written_as_postgresql_does() {
        assert_eq!(lsn(0x1_0358_8BF0), "1/3588BF0");
    }

    #[test]
    fn a_position_is_read_as_it_is_written() {
        for at in [0, 0x358_8BF0, 0x1_0000_0001, u64::MAX] {
            assert_eq!(position(&lsn(at)), Some(at));
        }
        assert_eq!([position("nothing"), position("1/2/3"), position("")], [None; 3]);
    }
}
