//! Time and shares. The only place where time becomes text.
//!
//! Time is integer nanoseconds from reader to report, so sums do not depend on the order of events.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::{Duration, SystemTime};

/// A moment or a duration in nanoseconds. Moments count from the trace's own base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub i64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Microseconds as the float of the JSON contract (`*_us`); exact to the nanosecond below 2^53 ns.
    pub fn as_us(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// For people: µs, ms or s with three significant figures, such as `8.70 ms`.
    pub fn human(self) -> String {
        let us = self.as_us();
        let (value, unit) = match us.abs() {
            x if x < 999.5 => (us, "µs"),
            x if x < 999_500.0 => (us / 1e3, "ms"),
            _ => (us / 1e6, "s"),
        };
        let decimals = match value.abs() {
            x if x >= 99.95 => 0,
            x if x >= 9.995 => 1,
            _ => 2,
        };
        format!("{value:.decimals$} {unit}")
    }
}

/// An integer that may be missing, in the room of one: tables of a trace have millions of them. The smallest `i64`
/// stands for none, so it counts as missing itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Maybe(i64);

impl Maybe {
    /// No integer.
    pub const NONE: Self = Self(i64::MIN);

    /// The integer, when there is one.
    #[inline]
    pub const fn get(self) -> Option<i64> {
        if self.0 == Self::NONE.0 { None } else { Some(self.0) }
    }

    /// This one, else `other`.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        if self.0 == Self::NONE.0 { other } else { self }
    }
}

impl Default for Maybe {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Option<i64>> for Maybe {
    #[inline]
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::NONE, Self)
    }
}

/// A moment in nanoseconds since 1970 to the second, as RFC 3339 writes it; none before 1970 and after the year 9999.
pub fn date(since_1970: i64) -> Option<String> {
    const END: u64 = 253_402_300_800;
    let seconds = u64::try_from(since_1970).ok()? / 1_000_000_000;
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    (seconds < END).then(|| humantime::format_rfc3339_seconds(moment).to_string())
}

/// The moment that such a text says.
pub fn moment(date: &str) -> Option<i64> {
    let since = humantime::parse_rfc3339(date).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.human())
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Nanos {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Nanos {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// `part` of `whole` in per cent; 0 when there is no whole.
pub fn percent(part: Nanos, whole: Nanos) -> f64 {
    if whole == Nanos::ZERO { 0.0 } else { 100.0 * part.0 as f64 / whole.0 as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_significant_figures_in_the_unit_that_fits() {
        let seen: Vec<String> =
            [0, 5, 4_686, 999_499, 999_500, 8_699_121, 492_811_563, 1_000_613_000].map(|ns| Nanos(ns).human()).to_vec();
        assert_eq!(seen, ["0.00 µs", "0.01 µs", "4.69 µs", "999 µs", "1.00 ms", "8.70 ms", "493 ms", "1.00 s"]);
    }
}
