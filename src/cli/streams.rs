//! Where results, messages and standard input go and come from, so that tests run in process.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;

use super::args::When;

/// The edges of the process.
pub struct Streams<'a> {
    /// The result.
    pub out: &'a mut dyn Write,
    /// Warnings, progress, errors.
    pub err: &'a mut dyn Write,
    /// Standard input, taken once.
    pub input: Option<Box<dyn Read + Send>>,
    /// Whether the result goes to a terminal.
    pub out_is_terminal: bool,
    /// Whether messages go to a terminal.
    pub err_is_terminal: bool,
    /// Columns of the terminal.
    pub width: Option<usize>,
    /// Variables that say whether colours are wanted, where the user's configuration lies, and whether a workflow runs.
    pub env: BTreeMap<String, String>,
    /// Where a configuration is searched from; none: nowhere.
    pub dir: Option<PathBuf>,
}

/// Columns when nothing tells them.
const WIDTH: usize = 100;

impl<'a> Streams<'a> {
    /// Those of the process.
    pub fn std(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        let names = ["NO_COLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS", "HOME", "XDG_CONFIG_HOME"];
        let names = names.into_iter().chain(["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"]);
        Self {
            out,
            err,
            input: Some(Box::new(io::stdin())),
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            width: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            env: names.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect(),
            dir: std::env::current_dir().ok(),
        }
    }

    /// Buffers, for tests.
    pub fn buffers(out: &'a mut Vec<u8>, err: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            err,
            input: None,
            out_is_terminal: false,
            err_is_terminal: false,
            width: None,
            env: BTreeMap::new(),
            dir: None,
        }
    }

    /// Columns of the result.
    pub(super) fn columns(&self) -> usize {
        let columns = || self.env.get("COLUMNS").and_then(|columns| columns.parse().ok());
        if self.out_is_terminal { self.width.or_else(columns).unwrap_or(WIDTH) } else { WIDTH }
    }

    /// Whether this runs in a GitHub workflow.
    pub(super) fn in_workflow(&self) -> bool {
        self.env.get("GITHUB_ACTIONS").is_some_and(|value| value == "true")
    }

    /// Whether the result takes colours.
    pub(super) fn color(&self, when: When) -> bool {
        let set = |name: &str| self.env.get(name).is_some_and(|value| !value.is_empty());
        let forced = set("CLICOLOR_FORCE") && self.env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto if set("NO_COLOR") => false,
            When::Auto if forced => true,
            When::Auto => self.out_is_terminal && self.env.get("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(terminal: bool, when: When, env: &[(&str, &str)]) -> bool {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams::buffers(&mut out, &mut err);
        streams.out_is_terminal = terminal;
        streams.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        streams.color(when)
    }

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        assert!(color(true, When::Auto, &[("TERM", "xterm")]));
        assert!(!color(true, When::Auto, &[("TERM", "dumb")]));
        assert!(!color(true, When::Auto, &[("NO_COLOR", "1")]));
        assert!(color(true, When::Auto, &[("NO_COLOR", "")]), "an empty NO_COLOR says nothing");
        assert!(!color(false, When::Auto, &[]));
        assert!(color(false, When::Auto, &[("CLICOLOR_FORCE", "1")]));
        assert!(!color(false, When::Auto, &[("CLICOLOR_FORCE", "0")]));
        assert!(color(false, When::Always, &[("NO_COLOR", "1")]));
        assert!(!color(true, When::Never, &[("CLICOLOR_FORCE", "1")]));
    }
}
