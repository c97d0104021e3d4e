//! Text of strangers (names, paths, models, answers) as it can be shown: nothing in it moves a cursor, changes colours,
//! turns the direction of a line or hides.

use std::fmt::Arguments;

use serde::Serialize;

/// What stands for a character that is not shown.
const SHOWN: char = '\u{fffd}';

/// Whether a character does something to the text around it, or cannot be seen: control characters (C0, DEL, C1), ends
/// of lines and paragraphs, marks of direction, what has no width and no sign of its own.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The character, or a sign in place of a hidden one.
pub fn cleaned(c: char) -> char {
    if is_hidden(c) { SHOWN } else { c }
}

/// `text` with a sign in place of each hidden character.
pub fn clean(text: &str) -> String {
    text.chars().map(cleaned).collect()
}

/// The same of a text of several lines, which keeps its lines.
pub fn clean_lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { cleaned(c) }).collect()
}

/// Adds a line to a text, which stays one whatever is in it.
pub fn line(out: &mut String, args: Arguments) {
    out.push_str(&clean(&args.to_string()));
    out.push('\n');
}

/// A document as pretty JSON with a final newline, in which no hidden character stands as itself.
pub fn json(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    escaped(text) + "\n"
}

/// The same on one line.
///
/// # Errors
/// What [`serde_json`] says of it.
pub fn json_line(document: &impl Serialize) -> serde_json::Result<String> {
    Ok(escaped(serde_json::to_string(document)?) + "\n")
}

/// JSON whose hidden characters are escaped: they stand in texts only, where that is another way to write the same.
fn escaped(json: String) -> String {
    let bare = |c: char| c != '\n' && is_hidden(c);
    if !json.contains(bare) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if bare(c) {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_turns_or_hides_text_is_shown() {
        for hostile in
            ['\0', '\u{1b}', '\r', '\n', '\t', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2067}', '\u{200b}', '\u{2028}']
        {
            assert_eq!(clean(&format!("a{hostile}b")), "a\u{fffd}b", "{hostile:?}");
        }
        assert_eq!(clean_lines("a\n\u{1b}[31mb\r\n"), "a\n\u{fffd}[31mb\u{fffd}\n");
    }

    #[test]
    fn json_says_the_same_without_a_hidden_character() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}5A\u{202e}\u{e0041}\nü🙂";
        for json in [json(&[text]), json_line(&[text]).expect("JSON")] {
            assert!(!json.trim_end().contains(|c| c != '\n' && is_hidden(c)), "{json:?}");
            assert!(json.contains("ü🙂"), "{json:?}");
            assert_eq!(serde_json::from_str::<Vec<String>>(&json).expect("JSON"), [text]);
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["void k<float, 4>(int*)", "/srv/模型/Qwen3-8B", "é ü µs → ≥ …", "🙂", "e\u{301}"] {
            assert_eq!(clean(text), text);
        }
    }
}
