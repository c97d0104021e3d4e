//! Texts without names of hosts, users and paths.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::Regex;
use serde_json::Value;

use crate::attribution::{Sites, frame_path, public_path};
use crate::rules::schema::cut::CutFile;
use crate::trace::Header;

/// Stands where a secret word stood.
const HIDDEN: &str = "hidden";

/// Takes out of a text what is nobody else's business.
#[derive(Debug)]
pub struct Scrubber<'r> {
    file: &'r CutFile,
    sites: &'r Sites,
    replace: Vec<(Regex, &'r str)>,
    names: GlobSet,
    secret_keys: GlobSet,
    secrets: Option<AhoCorasick>,
    hidden: Vec<&'static str>,
}

impl<'r> Scrubber<'r> {
    /// By the rules.
    ///
    /// # Errors
    /// An expression or a glob that is none.
    pub fn new(file: &'r CutFile, sites: &'r Sites) -> Result<Self, String> {
        let replace = file.replace.iter().map(|rule| Ok((Regex::new(&rule.find)?, rule.put.as_str())));
        Ok(Self {
            file,
            sites,
            replace: replace.collect::<Result<_, regex::Error>>().map_err(|error| error.to_string())?,
            names: globs(&file.names)?,
            secret_keys: globs(&file.secret)?,
            secrets: None,
            hidden: Vec::new(),
        })
    }

    /// Takes secret words: those that the header of a trace gives away, and those of the user.
    #[must_use]
    pub fn with_secrets(mut self, header: &Header, words: &[String]) -> Self {
        let mut secrets: Vec<String> = words.to_vec();
        for (key, json) in &header.values {
            if !self.file.header.contains(key) && self.secret_keys.is_match(key.to_lowercase()) {
                let value = serde_json::from_str::<Value>(json).unwrap_or_default();
                secrets.extend(value.as_str().map(str::to_owned));
            }
        }
        secrets.retain(|word| word.len() >= self.file.shortest_secret || words.contains(word));
        secrets.retain(|word| !word.is_empty());
        secrets.sort();
        secrets.dedup();
        self.hidden = vec![HIDDEN; secrets.len()];
        self.secrets = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&secrets).ok();
        self
    }

    /// A name of a kernel, an op, an annotation, a frame.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = self.paths(text);
        for (find, put) in &self.replace {
            if let Cow::Owned(changed) = find.replace_all(&out, *put) {
                out = Cow::Owned(changed);
            }
        }
        match &self.secrets {
            Some(secrets) if secrets.is_match(out.as_ref()) => Cow::Owned(secrets.replace_all(&out, &self.hidden)),
            _ => out,
        }
    }

    /// A name of a process or thread; `other` where it is of no known form.
    pub fn name<'t>(&self, name: &'t str, other: &'t str) -> Cow<'t, str> {
        if self.names.is_match(name) { self.text(name) } else { Cow::Borrowed(other) }
    }

    /// A JSON value with every text in it.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text).into_owned()),
            Value::Array(list) => Value::Array(list.into_iter().map(|one| self.value(one)).collect()),
            Value::Object(map) => Value::Object(
                map.into_iter().map(|(key, one)| (self.text(&key).into_owned(), self.value(one))).collect(),
            ),
            other => other,
        }
    }

    /// Paths from the root of the file system, and those of Python frames, told as sites are.
    fn paths<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains(['/', '\\']) {
            return Cow::Borrowed(text);
        }
        if let Some(path) = frame_path(text) {
            return Cow::Owned(format!("{}{}", public_path(path, self.sites), &text[path.len()..]));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(begin) = path_begin(rest) {
            let length = rest[begin..].find(PATH_ENDS).unwrap_or(rest.len() - begin);
            let path = &rest[begin..begin + length];
            out.push_str(&rest[..begin]);
            out.push_str(if path[1..].contains(['/', '\\']) { public_path(path, self.sites) } else { path });
            rest = &rest[begin + length..];
        }
        if out.is_empty() && rest.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(out + rest) }
    }
}

/// What a path in a text ends before.
const PATH_ENDS: [char; 10] = [' ', '"', '\'', ',', ';', '(', ')', '<', '>', '\n'];

/// Where an absolute path begins: a `/`, `~/` or `C:\` that nothing of a name stands before.
fn path_begin(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&at| {
        let free = at == 0 || matches!(bytes[at - 1], b' ' | b'"' | b'\'' | b'=' | b':' | b',' | b'(' | b'[');
        let rest = &bytes[at..];
        free && (rest.starts_with(b"/")
            || rest.starts_with(b"~/")
            || matches!(rest, [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic()))
    })
}

fn globs(patterns: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).literal_separator(false).build().map_err(|error| error.to_string())?);
    }
    set.build().map_err(|error| error.to_string())
}
