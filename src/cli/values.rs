//! Values of flags as people write them.

use crate::units::Nanos;

/// `--rank`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankArg {
    /// Each of them.
    All,
    /// This one.
    One(i64),
}

pub(super) fn rank(text: &str) -> Result<RankArg, String> {
    match text.parse() {
        _ if text == "all" => Ok(RankArg::All),
        Ok(rank) => Ok(RankArg::One(rank)),
        Err(_) => Err("expected a number, or all".to_owned()),
    }
}

/// Bytes as people write them: `800M`, `2GiB`, `1.5g`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let plain = text.trim().to_lowercase();
    let digits = plain.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match plain[digits.len()..].trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => 64,
    };
    match digits.trim().parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() && shift < 64 => {
            Ok((number * (1_u64 << shift) as f64) as u64)
        }
        _ => Err("expected a size such as 800M or 2G".to_owned()),
    }
}

/// A stretch of time as people write it: `10ms..60ms`, `0..2s`; a number alone is milliseconds.
pub(super) fn window(text: &str) -> Result<(Nanos, Nanos), String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some((time(from)?, time(to)?)));
    ends.filter(|(from, to)| from < to).ok_or_else(|| "expected a stretch of time such as 10ms..60ms".to_owned())
}

fn time(text: &str) -> Option<Nanos> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = match text[digits.len()..].trim() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "" | "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    let number: f64 = digits.trim().parse().ok()?;
    (0.0..=1e15).contains(&(number * unit)).then_some(Nanos((number * unit).round() as i64))
}

/// A share as people write it: `5`, `2.5 %`.
pub(super) fn per_cent(text: &str) -> Result<f64, String> {
    match text.trim().trim_end_matches('%').trim_end().parse::<f64>() {
        Ok(share) if (0.0..=100.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(
            ["0", "512", "800M", "2GiB", "1.5g", "3 kb"].map(size),
            [Ok(0), Ok(512), Ok(800 << 20), Ok(2 << 30), Ok(3 << 29), Ok(3 << 10)]
        );
        for wrong in ["", "-1", "M", "1X", "many", "1e999"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_window_is_two_times() {
        assert_eq!(window("10ms..60ms"), Ok((Nanos(10_000_000), Nanos(60_000_000))));
        assert_eq!(window("0..2s"), Ok((Nanos::ZERO, Nanos(2_000_000_000))));
        for wrong in ["", "5ms", "9..3", "-1..3", "0..1h", "0..1e40s"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rank_is_a_number_or_all() {
        assert_eq!((rank("all"), rank("3")), (Ok(RankArg::All), Ok(RankArg::One(3))));
        assert!(rank("some").is_err());
    }
}
