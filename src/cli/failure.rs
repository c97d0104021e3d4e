//! Why a command ends without a result, with the exit code that says so.

use std::io;

use crate::diagnostic::{self, Diagnostic};
use crate::plain;

/// Exit codes; `--help` says the same.
pub(super) mod code {
    /// What the user asked for failed.
    pub(in crate::cli) const FAILED: u8 = 1;
    /// Wrong usage.
    pub(in crate::cli) const USAGE: u8 = 2;
    /// An input cannot be read.
    pub(in crate::cli) const INPUT: u8 = 3;
    /// The rules cannot be loaded.
    pub(in crate::cli) const RULES: u8 = 4;
    /// Read, but unfit for the question.
    pub(in crate::cli) const UNFIT: u8 = 5;
}

/// The end of a command that has no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// Said to the user, with this exit code.
    Said {
        /// Exit code.
        code: u8,
        /// What happened, what was expected, what to do.
        message: String,
    },
    /// The same in several lines, as they are shown on a terminal.
    Shown {
        /// Exit code.
        code: u8,
        /// The lines, cleaned.
        message: String,
    },
    /// Everything was said; only the code is left.
    Code(u8),
    /// The reader of our output went away.
    BrokenPipe,
}

impl Failure {
    /// Wrong usage.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Said { code: code::USAGE, message: message.into() }
    }

    /// An input cannot be read.
    pub(super) fn input(message: impl Into<String>) -> Self {
        Self::Said { code: code::INPUT, message: message.into() }
    }

    /// Read, but unfit for the question.
    pub(super) fn unfit(message: impl Into<String>) -> Self {
        Self::Said { code: code::UNFIT, message: message.into() }
    }

    /// Several things at once, a line each.
    pub(super) fn lines(code: u8, lines: &[String]) -> Self {
        let lines: Vec<String> = lines.iter().map(|line| plain::clean(line)).collect();
        Self::Shown { code, message: lines.join("\n") }
    }

    /// Mistakes in a file: `what` of it is not possible.
    pub(super) fn mistakes(code: u8, what: &str, mistakes: &[Diagnostic], styled: bool) -> Self {
        let shown = diagnostic::render(mistakes, styled);
        Self::Shown { code, message: format!("{}\n{}", plain::clean(what), shown.trim_end()) }
    }

    /// What is said of it: a line, or those that were made for a terminal.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Said { message, .. } => plain::clean(message),
            Self::Shown { message, .. } => message.clone(),
            Self::Code(code) => format!("ended with code {code}"),
            Self::BrokenPipe => String::new(),
        }
    }

    /// Writing to a stream failed.
    pub(super) fn write(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::BrokenPipe
        } else {
            Self::Said { code: code::INPUT, message: format!("cannot write the result: {error}") }
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::write(&error)
    }
}
