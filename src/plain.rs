//! Text of strangers (names, paths, models, answers) as it can be shown: nothing in it moves a cursor, changes colours,
//! turns the direction of a line or hides.

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
    fn what_people_write_stays() {
        for text in ["void k<float, 4>(int*)", "/srv/模型/Qwen3-8B", "é ü µs → ≥ …", "🙂", "e\u{301}"] {
            assert_eq!(clean(text), text);
        }
    }
}
