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
    if let Some(ns) = plain_nanos(token) {
        return Ok(ns);
    }
    let decimal = Decimal::parse(token).ok_or(Fault::NoNumber)?;
    if decimal.negative && decimal.digits != 0 {
        return Err(Fault::Negative);
    }
    decimal.times_ten_to(3).and_then(|ns| i64::try_from(ns).ok()).ok_or(Fault::TooLarge)
}

/// The usual form: up to 16 digits, then up to three decimals.
#[inline]
fn plain_nanos(token: &[u8]) -> Option<i64> {
    let point = match token {
        [.., b'.', _, _, _] => token.len() - 4,
        [.., b'.', _, _] => token.len() - 3,
        [.., b'.', _] => token.len() - 2,
        _ => token.len(),
    };
    let (whole, fraction) = token.split_at(point);
    let digit = |b: u8| if b.is_ascii_digit() { Some(i64::from(b - b'0')) } else { None };
    let thousandths = match *fraction {
        [_, a, b, c] => digit(a)? * 100 + digit(b)? * 10 + digit(c)?,
        [_, a, b] => digit(a)? * 100 + digit(b)? * 10,
        [_, a] => digit(a)? * 100,
        _ => 0,
    };
    digits(whole)?.checked_mul(1000)?.checked_add(thousandths)
}

/// The value of 1 to 18 digits.
#[inline]
fn digits(token: &[u8]) -> Option<i64> {
    const TENS: [i64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    match token.len() {
        0 | 19.. => None,
        // Whole parts of times mostly: the first eight, and the last eight without those that the first have, too.
        length @ 9..=16 => {
            let (first, last) = (token.first_chunk()?, token.last_chunk()?);
            let rest = u64::MAX << (8 * (16 - length));
            let last = (u64::from_le_bytes(*last) & rest) | (ZEROS & !rest);
            Some(eight_digits(*first)? * TENS[length - 8] + eight_digits(last.to_le_bytes())?)
        }
        _ => {
            let mut value = 0;
            for &byte in token {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    return None;
                }
                value = value * 10 + i64::from(digit);
            }
            Some(value)
        }
    }
}

/// Eight digits at once: pairs, then fours, then eight are joined, each time all of them with one multiplication.
#[inline]
fn eight_digits(bytes: [u8; 8]) -> Option<i64> {
    const TOP_HALVES: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let text = u64::from_le_bytes(bytes);
    // `0`..`9` are 0x30..0x39: the top half is 3, and stays 3 when 6 is added.
    if (text & TOP_HALVES) | ((text.wrapping_add(0x0606_0606_0606_0606) & TOP_HALVES) >> 4) != 0x3333_3333_3333_3333 {
        return None;
    }
    let ones = text & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(1 + (100 << 16)) >> 16) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(1 + (10_000 << 32)) >> 32).cast_signed())
}

/// An integer such as `7`, `-1`, `7.0`, `1e3`, `0xFFFFFFFF`. Unsigned ones above `i64::MAX` keep their bits.
#[inline]
pub(super) fn integer(token: &[u8]) -> Option<i64> {
    if let Some(value) = digits(token) {
        return Some(value);
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
    fn digits_of_every_length_are_read_and_nothing_else() {
        let all = "918273645546372819";
        for length in 1..=all.len() {
            let token = &all[..length];
            assert_eq!(digits(token.as_bytes()), token.parse().ok(), "{token}");
            for at in 0..length {
                for other in ['/', ':', '.', '-', ' ', '\u{7f}'] {
                    let mut token = token.to_owned();
                    token.replace_range(at..=at, &other.to_string());
                    assert_eq!(digits(token.as_bytes()), None, "{token}");
                }
            }
        }
        assert_eq!((digits(b""), digits(b"1234567890123456789")), (None, None));
    }

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
    fn eight_at_once_equal_one_by_one() {
        for text in ["00000000", "12345678", "99999999", "90807060", "123456789012345678", "1234567", "0"] {
            assert_eq!(digits(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in ["1234567:", "1234/678", "12 45678", "1234567a", "\u{30c}000000", "-1234567"] {
            assert_eq!(digits(text.as_bytes()), None, "{text}");
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
