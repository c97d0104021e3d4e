//! A small pattern language for names in a trace: `*` is any text, `{n}` a number, `{w:word}` a word, the
//! rest is literal.

use std::fmt;

/// A pattern over a whole text, such as `step[EXTEND bs={requests} toks={tokens}*]` or `vllm/models/{model:word}/*`.
///
/// Matching takes time linear in the text for each `*`; numbers and words take all they can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Number(String),
    Word(String),
    Any,
}

/// What a pattern found: named numbers and words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found<'p, 't> {
    numbers: Vec<(&'p str, i64)>,
    words: Vec<(&'p str, &'t str)>,
}

impl<'t> Found<'_, 't> {
    /// The number called `name`.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.numbers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    /// The word called `name`.
    pub fn word(&self, name: &str) -> Option<&'t str> {
        self.words.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let part = match c {
                '*' => {
                    rest = &rest[1..];
                    Part::Any
                }
                '{' => capture(&mut rest, text)?,
                _ => {
                    literal.push(c);
                    rest = &rest[c.len_utf8()..];
                    continue;
                }
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            if !(part == Part::Any && parts.last() == Some(&Part::Any)) {
                parts.push(part);
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// The named numbers and words when the whole of `text` matches.
    pub fn find<'p, 't>(&'p self, text: &'t str) -> Option<Found<'p, 't>> {
        let mut found = Found::default();
        let (mut part, mut rest) = (0, text);
        // Where to go on when a part fails: after the last `*`, one character further.
        let mut retry: Option<(usize, &str, usize, usize)> = None;
        loop {
            let step = match self.parts.get(part) {
                None if rest.is_empty() => return Some(found),
                None => None,
                Some(Part::Any) if part + 1 == self.parts.len() => return Some(found),
                Some(Part::Any) => {
                    retry = Some((part + 1, rest, found.numbers.len(), found.words.len()));
                    Some(rest)
                }
                Some(Part::Literal(literal)) => rest.strip_prefix(literal.as_str()),
                Some(Part::Number(name)) => {
                    let (digits, after) = split_while(rest, |c| c.is_ascii_digit());
                    digits.parse().ok().map(|value| {
                        found.numbers.push((name, value));
                        after
                    })
                }
                Some(Part::Word(name)) => {
                    let (word, after) = split_while(rest, |c| c.is_alphanumeric() || c == '_' || c == '-');
                    (!word.is_empty()).then(|| {
                        found.words.push((name, word));
                        after
                    })
                }
            };
            if let Some(after) = step {
                (part, rest) = (part + 1, after);
                continue;
            }
            let (after_star, from, numbers, words) = retry?;
            let next = from.chars().next()?;
            let from = &from[next.len_utf8()..];
            found.numbers.truncate(numbers);
            found.words.truncate(words);
            retry = Some((after_star, from, numbers, words));
            (part, rest) = (after_star, from);
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether any of `patterns` matches.
pub(super) fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|p| p.matches(text))
}

/// `{name}` or `{name:word}` at the begin of `rest`, which is cut after it.
fn capture(rest: &mut &str, whole: &str) -> Result<Part, String> {
    let Some((inside, after)) = rest[1..].split_once('}') else {
        return Err(format!("`{whole}`: `{{` without `}}`"));
    };
    let (name, kind) = inside.split_once(':').unwrap_or((inside, "number"));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return Err(format!("`{whole}`: `{name}` is no name; lower-case letters and `_`"));
    }
    *rest = after;
    match kind {
        "number" => Ok(Part::Number(name.to_owned())),
        "word" => Ok(Part::Word(name.to_owned())),
        _ => Err(format!("`{whole}`: `{kind}` is neither `number` nor `word`")),
    }
}

fn split_while(text: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !keep(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    #[test]
    fn a_pattern_covers_the_whole_text() {
        assert!(pattern("*GraphLaunch*").matches("cudaGraphLaunch_v10000"));
        assert!(pattern("step[DECODE bs={n}*]").matches("step[DECODE bs=32]"));
        assert!(!pattern("step[DECODE bs={n}]").matches("step[DECODE bs=32] and more"));
        assert!(!pattern("GraphLaunch").matches("cudaGraphLaunch"));
    }

    #[test]
    fn numbers_are_whole_numbers() {
        let p = pattern("execute_context_{context}(*)_generation_{generation}(*)");
        let found = p.find("execute_context_0(0)_generation_32(32)").unwrap();
        assert_eq!((found.number("context"), found.number("generation")), (Some(0), Some(32)));
    }

    #[test]
    fn a_word_ends_at_punctuation() {
        let p = pattern("*/models/{model:word}.py");
        assert_eq!(p.find("a/models/b/models/qwen3_moe.py").unwrap().word("model"), Some("qwen3_moe"));
        assert_eq!(p.find("a/models/qwen3.5.py"), None);
    }

    #[test]
    fn captures_of_a_failed_try_are_forgotten() {
        let p = pattern("*a{n}b");
        assert_eq!(p.find("a1c a2b").unwrap(), Found { numbers: vec![("n", 2)], words: Vec::new() });
    }

    #[test]
    fn an_open_brace_is_an_error() {
        assert!(Pattern::new("step{").unwrap_err().contains("without `}`"));
        assert!(Pattern::new("step{}").unwrap_err().contains("no name"));
        assert!(Pattern::new("step{n:text}").unwrap_err().contains("neither"));
    }
}
