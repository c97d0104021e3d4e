//! Text to lower-case words, and the row of words that a predicate searches in.

use super::Settings;
use memchr::memmem;

/// Stands between words that must not be read in a row.
const BORDER: char = '\u{1}';

/// What a compiler calls a namespace without a name; says nothing about a kernel.
const UNNAMED: &str = "(anonymous namespace)";

/// `text` cut at case changes, letter and digit borders and punctuation; compounds split.
pub(super) fn cut(text: &str, settings: &Settings) -> Vec<String> {
    let mut words = Vec::new();
    each_word(text, |word, _| expand(word, settings, &mut |part| words.push(part.to_owned())));
    words
}

/// Calls `found` with each word in lower case and its place.
fn each_word(text: &str, mut found: impl FnMut(&str, usize)) {
    let b = text.as_bytes();
    let mut lower = String::new();
    let mut at = 0;
    while at < b.len() {
        let start = at;
        match b[at] {
            b'(' if text[at..].starts_with(UNNAMED) => {
                at += UNNAMED.len();
                continue;
            }
            b'A'..=b'Z' => {
                at = run(b, at, |b| b.is_ascii_uppercase());
                // The last capital of a run begins the next word where small letters follow: `RMSNorm`, `Norm`.
                if b.get(at).is_some_and(|&b| is_small(b)) {
                    if at - start > 1 {
                        at -= 1;
                    } else {
                        at = run(b, at, is_small);
                    }
                }
            }
            b if is_small(b) => at = run(text.as_bytes(), at, is_small),
            b'0'..=b'9' => at = run(b, at, |b| b.is_ascii_digit()),
            _ => {
                at += 1;
                continue;
            }
        }
        lower.clear();
        lower.push_str(&text[start..at]);
        lower.make_ascii_lowercase();
        found(&lower, start);
    }
}

/// A small letter, or any letter outside ASCII.
fn is_small(b: u8) -> bool {
    b.is_ascii_lowercase() || b >= 0x80
}

fn run(b: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    from + b[from..].iter().take_while(|&&b| is(b)).count()
}

/// The parts of a compound, or the word itself.
fn expand(word: &str, settings: &Settings, found: &mut dyn FnMut(&str)) {
    match settings.compounds.get(word) {
        Some(parts) => parts.iter().for_each(|part| found(part)),
        None => found(word),
    }
}

/// Words that are looked for in a row: made once, asked of every kernel.
#[derive(Clone, Debug)]
pub struct Phrase {
    finder: Box<memmem::Finder<'static>>,
}

impl Phrase {
    /// The words of `text`, cut as names are.
    pub fn new(text: &str, settings: &Settings) -> Self {
        Self { finder: Box::new(memmem::Finder::new(&cut(text, settings).concat()).into_owned()) }
    }
}

/// Words in a row, joined, with the places where one begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordRow {
    joined: String,
    /// Ascending; the end of the last word is in it, too.
    starts: Vec<u32>,
}

impl WordRow {
    /// A row of these words.
    pub fn of(words: &[String]) -> Self {
        let mut row = Self::default();
        for word in words {
            row.push(word);
        }
        row
    }

    /// Whether `phrase`, joined, covers whole words of the row.
    pub fn has(&self, phrase: &Phrase) -> bool {
        let length = phrase.finder.needle().len();
        length > 0
            && phrase
                .finder
                .find_iter(self.joined.as_bytes())
                .any(|at| self.is_border(at) && self.is_border(at + length))
    }

    fn is_border(&self, at: usize) -> bool {
        at == self.joined.len() || u32::try_from(at).is_ok_and(|at| self.starts.binary_search(&at).is_ok())
    }

    fn push(&mut self, word: &str) {
        self.starts.push(self.joined.len() as u32);
        self.joined.push_str(word);
    }

    /// Adds the words of template arguments; those of different arguments, nested ones too, never stand in a row.
    pub(super) fn append_nested(&mut self, args: &str, settings: &Settings) {
        let mut from = 0;
        each_word(args, |word, at| {
            let between = &args.as_bytes()[from..at];
            if from == 0 || between.iter().any(|b| b"<>,(){}".contains(b)) {
                self.starts.push(self.joined.len() as u32);
                self.joined.push(BORDER);
            }
            from = at + word.len();
            expand(word, settings, &mut |part| self.push(part));
        });
    }
}
