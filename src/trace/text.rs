//! Raw JSON text to Rust text: escapes decoded, what is not legal repaired and told.

/// A decoded text and whether it had to be repaired.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// A bad escape, a lone surrogate, a bare control character or bytes that are no UTF-8.
    pub(super) repaired: bool,
}

/// Decodes what stands between the quotes.
///
/// Repairs: an unknown escape keeps its backslash (a Windows path written bare), half a surrogate pair and broken
/// UTF-8 become U+FFFD, bare control characters stay what they are.
pub(super) fn decode(raw: &[u8]) -> Decoded {
    let lossy = String::from_utf8_lossy(raw);
    let mut repaired = matches!(lossy, std::borrow::Cow::Owned(_));
    let mut text = String::with_capacity(lossy.len());
    let mut rest = &*lossy;
    while let Some(at) = rest.find(|c: char| c == '\\' || c < ' ') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if !rest.starts_with('\\') {
            repaired = true;
            text.push_str(&rest[..1]);
            rest = &rest[1..];
            continue;
        }
        let simple = match rest.as_bytes().get(1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => {
                let (decoded, length) = unicode_escape(rest);
                repaired |= decoded.is_none_or(|c| c == char::REPLACEMENT_CHARACTER && !rest[2..].starts_with("fffd"));
                text.push(decoded.unwrap_or('\\'));
                rest = &rest[length..];
                continue;
            }
        };
        text.push(simple);
        rest = &rest[2..];
    }
    text.push_str(rest);
    Decoded { text, repaired }
}

/// The character of `\u` and four hex digits (or of a surrogate pair) at the start of `rest`, and how many bytes it takes.
/// `None`: no such escape, the backslash stands for itself.
fn unicode_escape(rest: &str) -> (Option<char>, usize) {
    let unit = |at: usize| -> Option<u32> {
        let digits = rest.get(at..at + 6)?.strip_prefix("\\u")?;
        if digits.bytes().all(|b| b.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
    };
    match unit(0) {
        None => (None, 1),
        Some(high @ 0xd800..=0xdbff) => match unit(6) {
            Some(low @ 0xdc00..=0xdfff) => (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12),
            _ => (Some(char::REPLACEMENT_CHARACTER), 6),
        },
        Some(other) => (Some(char::from_u32(other).unwrap_or(char::REPLACEMENT_CHARACTER)), 6),
    }
}

/// `raw` JSON on one line, one blank after each comma and colon: `[8, 16, 5]`, whatever the file's layout is.
pub(super) fn one_line(raw: &[u8]) -> String {
    let raw = String::from_utf8_lossy(raw);
    let mut line = String::with_capacity(raw.len());
    let (mut in_text, mut escaped) = (false, false);
    for c in raw.chars() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            line.push(c);
        } else if !c.is_ascii_whitespace() {
            in_text = c == '"';
            line.push(c);
            if matches!(c, ',' | ':') {
                line.push(' ');
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str) -> (String, bool) {
        let Decoded { text, repaired } = decode(raw.as_bytes());
        (text, repaired)
    }

    #[test]
    fn legal_escapes_are_no_repair() {
        assert_eq!(decoded(r#"a\"b\\c\/d\n\t\u0041\u00e9"#), ("a\"b\\c/d\n\tAé".to_owned(), false));
        assert_eq!(decoded(r"\ud83d\ude00!"), ("😀!".to_owned(), false));
        assert_eq!(decoded(r"\ufffd"), ("\u{fffd}".to_owned(), false));
    }

    #[test]
    fn what_is_not_legal_is_repaired_and_told() {
        assert_eq!(decoded(r"C:\qwen\x"), (r"C:\qwen\x".to_owned(), true));
        assert_eq!(decoded(r"\ud83d alone"), ("\u{fffd} alone".to_owned(), true));
        assert_eq!(decoded(r"\ude00\ud83d"), ("\u{fffd}\u{fffd}".to_owned(), true));
        assert_eq!(decoded(r"\u12"), (r"\u12".to_owned(), true));
        assert_eq!(decoded(r"\u+123"), (r"\u+123".to_owned(), true));
        assert_eq!(decoded("a\nb\u{1}"), ("a\nb\u{1}".to_owned(), true));
        assert_eq!(decoded("\\"), ("\\".to_owned(), true));
        assert_eq!(decode(b"a\xffb"), Decoded { text: "a\u{fffd}b".to_owned(), repaired: true });
    }

    #[test]
    fn layout_inside_values_is_one() {
        assert_eq!(one_line(b"[\n  8,16 ,\r\n 5 ]"), "[8, 16, 5]");
        assert_eq!(one_line(br#"{"a":[1,"x, \" y"]}"#), r#"{"a": [1, "x, \" y"]}"#);
    }
}
