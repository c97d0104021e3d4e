//! The command line: one file a subcommand.

pub mod args;
mod bundle;
mod capture;
mod catalog;
mod check;
mod compare;
mod config;
mod cut;
mod doctor;
mod explain;
mod failure;
mod finished;
mod fleet;
mod inputs;
#[cfg(unix)]
mod interrupt;
mod loading;
mod man;
mod matrix;
mod memory;
mod output;
mod pairs;
mod probe;
mod progress;
mod ranks;
mod rules;
mod schema;
mod server_log;
mod session;
mod side_by_side;
mod streams;
mod triage;
mod trtllm;
mod values;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

use crate::plain;
use args::{Cli, Command};
use failure::{Failure, code};
pub use streams::Streams;

/// The process: its arguments, its streams, its exit code.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_bug));
    memory::give_back_large_pieces();
    #[cfg(unix)]
    interrupt::watch();
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
    ExitCode::from(run(std::env::args_os(), &mut Streams::std(&mut out, &mut err)))
}

/// Runs a command line, the program's name first; the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>, streams: &mut Streams) -> u8 {
    let args = args::with_command(args);
    let matches = match config::matches(&args, streams) {
        Ok(matches) => matches,
        Err(config::Stop::Usage(error)) if error.kind() == ErrorKind::DisplayVersion => {
            let text = format!("{}{}", error.render(), catalog::version());
            return u8::from(output::print(&text, streams).is_err());
        }
        Err(config::Stop::Usage(error)) => return usage(&error, &args, streams),
        Err(config::Stop::Shown(text)) => return u8::from(output::print(&text, streams).is_err()),
        Err(config::Stop::Config(text)) => {
            // When not even stderr takes it, the exit code still tells.
            let _ = write!(streams.err, "{}", plain::clean_lines(&text));
            return code::USAGE;
        }
    };
    if let Some(note) = config::note(&matches, streams) {
        let _ = writeln!(streams.err, "{}", plain::clean(&note));
    }
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &args, streams),
    };
    let Some(asked) = &cli.command else {
        let what = "what is to be done? `llm-prof --help` lists the commands";
        return usage(&Cli::command().error(ErrorKind::MissingSubcommand, what), &args, streams);
    };
    match command(asked, streams) {
        Ok(()) | Err(Failure::BrokenPipe) => 0,
        Err(Failure::Code(code)) => code,
        Err(failure @ (Failure::Said { code, .. } | Failure::Shown { code, .. })) => {
            // When not even stderr takes it, the exit code still tells.
            let _ = writeln!(streams.err, "error: {}", failure.text());
            code
        }
    }
}

fn command(command: &Command, streams: &mut Streams) -> Result<(), Failure> {
    match command {
        Command::Triage(args) => {
            threads(args.input.threads);
            triage::run(args, streams)
        }
        Command::Explain(args) => {
            threads(args.input.threads);
            explain::run(args, streams)
        }
        Command::Doctor(args) => {
            threads(args.input.threads);
            doctor::run(args, streams)
        }
        Command::Cut(args) => {
            threads(args.input.threads);
            cut::run(args, streams)
        }
        Command::Compare(args) => {
            threads(args.input.threads);
            compare::run(args, streams)
        }
        Command::Check(args) => {
            threads(args.input.threads);
            check::run(args, streams)
        }
        Command::Bundle(args) => {
            threads(args.input.threads);
            bundle::run(args, streams)
        }
        Command::Fleet(args) => {
            threads(args.input.threads);
            fleet::run(args, streams)
        }
        Command::Schema(args) => schema::run(args, streams),
        Command::Capture(args) => capture::run(args, streams),
        Command::Probe(args) => probe::run(args, streams),
        Command::Matrix(args) => matrix::run(args, streams),
        Command::Trtllm(command) => trtllm::run(command, streams),
        Command::Rules(command) => rules::run(command, streams),
        Command::Catalog(command) => catalog::run(command, streams),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "llm-prof", &mut script);
            output::print_as_is(&String::from_utf8_lossy(&script), streams)
        }
        Command::Man(args) => man::run(args, streams),
    }
}

/// What clap has to say: help and version are results, all else is wrong usage.
fn usage(error: &clap::Error, args: &[OsString], streams: &mut Streams) -> u8 {
    // What is said of arguments that would colour the message, or break its lines, is said of what they show.
    let clean = args.iter().map(|arg| plain::clean(&arg.to_string_lossy()));
    let again = Cli::command().try_get_matches_from(clean).err();
    let rendered = again.filter(|again| again.kind() == error.kind()).map_or_else(|| error.render(), |a| a.render());
    let text = plain::clean_lines(&rendered.to_string());
    let safe = text == rendered.to_string();
    let text = if safe && streams.color(args::When::Auto) { rendered.ansi().to_string() } else { text };
    let written = if error.use_stderr() { write!(streams.err, "{text}") } else { write!(streams.out, "{text}") };
    match written {
        Ok(()) if error.use_stderr() => code::USAGE,
        _ => 0,
    }
}

/// Changes speed and nothing else, so a pool that stands already is no error.
fn threads(number: Option<usize>) {
    if let Some(number) = number {
        let _ = rayon::ThreadPoolBuilder::new().num_threads(number).build_global();
    }
}

/// A panic is a bug; the message says what to send.
fn report_bug(info: &std::panic::PanicHookInfo) {
    let place = info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
    let what = info.payload().downcast_ref::<&str>().map(|text| (*text).to_owned());
    let what = what.or_else(|| info.payload().downcast_ref::<String>().cloned()).unwrap_or_default();
    let what = plain::clean_lines(&what);
    let _ = writeln!(
        std::io::stderr(),
        "llm-prof {} has a bug{place}: {what}\nPlease report it with this message and, if you can, the trace; \
         `llm-prof --version` names the version.",
        env!("CARGO_PKG_VERSION")
    );
}
