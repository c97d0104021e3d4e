//! Number tokens to integers. Times become nanoseconds without a float in between, so sums are exact.

/// Why a token is no time or no integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not a finite decimal number (`null`, `NaN`, a word).
    NoNumber,
    /// Below zero.
    Negative,
    /// Does not fit.
    TooLarge,
}

/// Microseconds as a decimal number, such as `5208193340418.131` or `1.5e3`, in nanoseconds; halves round up.
#[inline]
pub(super) fn nanos(token: &[u8]) -> Result<i64, Fault> {
    match plain_nanos(token) {
        Some(ns) => Ok(ns),
        None => {
            let decimal = Decimal::parse(token).ok_or(Fault::NoNumber)?;
            if decimal.negative && decimal.digits != 0 {
                return Err(Fault::Negative);
            }
            decimal.times_ten_to(3).and_then(|ns| i64::try_from(ns).ok()).ok_or(Fault::TooLarge)
        }
    }
}

/// The usual form: up to 15 digits, then up to three decimals.
#[inline]
fn plain_nanos(token: &[u8]) -> Option<i64> {
    let mut value: i64 = 0;
    let mut at = 0;
    while let Some(digit) = token.get(at).map(|b| b.wrapping_sub(b'0')).filter(|&d| d < 10) {
        value = value * 10 + i64::from(digit);
        at += 1;
        if at > 16 {
            return None;
        }
    }
    if at == 0 {
        return None;
    }
    let digit = |b: u8| if b.is_ascii_digit() { Some(i64::from(b - b'0')) } else { None };
    let thousandths = match token[at..] {
        [] => 0,
        [b'.', a] => digit(a)? * 100,
        [b'.', a, b] => digit(a)? * 100 + digit(b)? * 10,
        [b'.', a, b, c] => digit(a)? * 100 + digit(b)? * 10 + digit(c)?,
        _ => return None,
    };
    value.checked_mul(1000)?.checked_add(thousandths)
}

/// An integer such as `7`, `-1`, `7.0`, `1e3`, `0xFFFFFFFF`. Unsigned ones above `i64::MAX` keep their bits.
#[inline]
pub(super) fn integer(token: &[u8]) -> Option<i64> {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    if !digits.is_empty() && digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit) {
        let value = digits.iter().fold(0, |value, d| value * 10 + i64::from(d - b'0'));
        return Some(if digits.len() < token.len() { -value } else { value });
    }
    if let Some(hex) = token.strip_prefix(b"0x").or_else(|| token.strip_prefix(b"0X")) {
        let hex = std::str::from_utf8(hex).ok().filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))?;
        return u64::from_str_radix(hex, 16).ok().map(|v| v as i64);
    }
    let decimal = Decimal::parse(token)?;
    if decimal.has_fraction() {
        return None;
    }
    let value = decimal.times_ten_to(0)?;
    if decimal.negative { i64::try_from(-value).ok() } else { u64::try_from(value).ok().map(|v| v as i64) }
}

/// `digits` times ten to the power of `exponent`.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    negative: bool,
    digits: i128,
    exponent: i64,
}

impl Decimal {
    /// Digits beyond the 30th are dropped: no time is that precise.
    fn parse(token: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(token).ok()?.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut number = Self { negative, digits: 0, exponent: i64::from(power) };
        let mut seen = 0;
        for (byte, decimal) in whole.bytes().map(|b| (b, false)).chain(fraction.bytes().map(|b| (b, true))) {
            if !byte.is_ascii_digit() {
                return None;
            }
            if seen == 30 {
                number.exponent += i64::from(!decimal);
                continue;
            }
            number.digits = number.digits * 10 + i128::from(byte - b'0');
            number.exponent -= i64::from(decimal);
            seen += i32::from(number.digits != 0);
        }
        Some(number)
    }

    /// As an integer of 10^-`power`, halves rounded up; `None` when it does not fit 38 digits.
    fn times_ten_to(self, power: i64) -> Option<i128> {
        let exponent = self.exponent + power;
        if self.digits == 0 {
            return Some(0);
        }
        if exponent >= 0 {
            let factor = 10_i128.checked_pow(u32::try_from(exponent).ok()?)?;
            return self.digits.checked_mul(factor);
        }
        let Some(divisor) = u32::try_from(-exponent).ok().and_then(|e| 10_i128.checked_pow(e)) else { return Some(0) };
        Some((self.digits + divisor / 2) / divisor)
    }

    fn has_fraction(self) -> bool {
        self.exponent < 0
            && u32::try_from(-self.exponent)
                .ok()
                .and_then(|e| 10_i128.checked_pow(e))
                .is_none_or(|divisor| self.digits % divisor != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_to_the_nanosecond() {
        for (token, ns) in [
            ("0", 0),
            ("7", 7_000),
            ("5208193340418.131", 5_208_193_340_418_131),
            ("1606911006433250", 1_606_911_006_433_250_000),
            ("1.5", 1_500),
            ("1.25", 1_250),
            ("1e3", 1_000_000),
            ("1.5E-2", 15),
            ("2.0004", 2_000),
            ("2.0005", 2_001),
            ("2.00049999999999999999999999999999999999", 2_000),
            ("0.1234567", 123),
            ("1e-400", 0),
            ("-0.0", 0),
            (" 12 ", 12_000),
            ("000000000000000000000012.5", 12_500),
        ] {
            assert_eq!(nanos(token.as_bytes()), Ok(ns), "{token}");
        }
    }

    #[test]
    fn what_is_no_time_says_why() {
        for (token, fault) in [
            ("null", Fault::NoNumber),
            ("NaN", Fault::NoNumber),
            ("Infinity", Fault::NoNumber),
            ("", Fault::NoNumber),
            (".", Fault::NoNumber),
            ("1.2.3", Fault::NoNumber),
            ("12a", Fault::NoNumber),
            ("1e", Fault::NoNumber),
            ("-1", Fault::Negative),
            ("-0.001", Fault::Negative),
            ("1e30", Fault::TooLarge),
            ("1e2000000000", Fault::TooLarge),
            ("9223372036854776", Fault::TooLarge),
        ] {
            assert_eq!(nanos(token.as_bytes()), Err(fault), "{token}");
        }
    }

    #[test]
    fn integers_in_every_spelling() {
        for (token, value) in [
            ("7", Some(7)),
            ("-1", Some(-1)),
            ("7.0", Some(7)),
            ("1e3", Some(1000)),
            ("4294967295", Some(4_294_967_295)),
            ("0xFFFFFFFF", Some(4_294_967_295)),
            ("18446744073709551615", Some(-1)),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("7.5", None),
            ("-", None),
            ("null", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(integer(token.as_bytes()), value, "{token}");
        }
    }
}
