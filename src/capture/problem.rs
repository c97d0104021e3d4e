//! What ends a capture, or is said beside it: texts of the rules with their holes filled.

use std::fmt;

use crate::rules::schema::servers::Message;

/// What kind of end it is, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was asked cannot be done.
    Usage,
    /// The server, its files or the connection failed.
    Failed,
}

/// What happened, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of end it is.
    pub kind: Kind,
    /// What happened.
    pub say: String,
    /// What to do.
    pub fix: Option<String>,
}

impl Problem {
    /// A message of the rules.
    pub(super) fn new(message: &Message, holes: &[(&str, &str)]) -> Self {
        let fix = message.fix.as_deref().map(|fix| fill(fix, holes));
        Self { kind: Kind::Failed, say: fill(&message.say, holes), fix }
    }

    /// The same, for what was asked wrongly.
    pub(super) fn usage(message: &Message, holes: &[(&str, &str)]) -> Self {
        Self { kind: Kind::Usage, ..Self::new(message, holes) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fix {
            Some(fix) => write!(f, "{}; {fix}", self.say),
            None => f.write_str(&self.say),
        }
    }
}

/// `text` with its holes filled, in one pass: what a hole is filled with is not looked at again.
pub fn fill(text: &str, holes: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let hole = rest.find('}').map(|end| &rest[1..end]);
        if let Some((name, value)) = hole.and_then(|name| holes.iter().find(|(hole, _)| *hole == name)) {
            out.push_str(value);
            rest = &rest[name.len() + 2..];
        } else {
            out.push('{');
            rest = &rest[1..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_once_and_other_braces_stay() {
        let holes = [("dir", "/a/{dir}"), ("n", "5")];
        assert_eq!(fill(r#"'{"d":"{dir}"}' {n} of {m} {"#, &holes), r#"'{"d":"/a/{dir}"}' 5 of {m} {"#);
    }
}
