//! `llm-prof.toml`: a default for every flag. A value given there stands behind the flag and the environment, before the
//! tool's own; unknown keys are mistakes, shown at their place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory};
use toml::de::{DeTable, DeValue};

use super::args::Cli;
use super::streams::Streams;
use crate::diagnostic::{self, Code, Diagnostic, SourceFile};

/// Name of the file in a project.
const NAME: &str = "llm-prof.toml";
/// Where flags go that several commands share: help heading, table.
const TABLES: [(&str, &str); 5] =
    [("Capture", "capture"), ("Input", "triage"), ("Knowledge", "rules"), ("Output", "output"), ("Terminal", "output")];
/// Flags that say which configuration is read.
const OWN: [&str; 5] = ["config", "isolated", "show-config", "help", "version"];
/// What a flag's value is called when it is a path: relative ones begin at the folder of the file.
const PATHS: [&str; 4] = ["DIR", "FILE", "PATH", "TRACE"];

/// Why there are no arguments.
pub(super) enum Stop {
    /// What clap says: help, version, wrong usage.
    Usage(Box<clap::Error>),
    /// A mistake in the configuration, rendered.
    Config(String),
    /// What `--show-config` prints.
    Shown(String),
}

/// The arguments, with the configuration behind them.
pub(super) fn matches(args: &[OsString], streams: &Streams) -> Result<ArgMatches, Stop> {
    let usage = |error: clap::Error| Stop::Usage(Box::new(error));
    let mut command = Cli::command();
    command.build();
    let first = Cli::command().try_get_matches_from(args);
    let wants_config = args.iter().any(|arg| arg == "--show-config");
    let given = match &first {
        Ok(matches) => Some(matches),
        // Paths need not be given to see the settings.
        Err(error) if wants_config && error.kind() == ErrorKind::MissingRequiredArgument => None,
        Err(_) => return first.map_err(usage),
    };
    let flag = |name: &str| given.and_then(|matches| matches.get_one::<PathBuf>(name).cloned());
    let isolated = given.map_or_else(|| args.iter().any(|arg| arg == "--isolated"), |m| m.get_flag("isolated"));
    let path = if isolated { None } else { flag("config").map(Ok).or_else(|| search(streams).map(Ok)).transpose()? };
    let keys = keys(&command);
    let config = path.as_deref().map(|path| Config::read(path, &keys)).transpose()?.unwrap_or_default();
    if wants_config {
        return Err(Stop::Shown(show(&command, &keys, &config, given, path.as_deref())));
    }
    let again = config.behind(Cli::command(), &[], &|_| true).try_get_matches_from(args);
    again.map_err(|error| config.culprit(args).map_or_else(|| usage(error), Stop::Config))
}

/// What was read, for `-v`.
pub(super) fn note(matches: &ArgMatches, streams: &Streams) -> Option<String> {
    let mut leaf = matches;
    while let Some((_, inner)) = leaf.subcommand() {
        leaf = inner;
    }
    let verbose = leaf.try_get_one::<u8>("verbose").ok().flatten().is_some_and(|n| *n > 0);
    let isolated = matches.get_flag("isolated");
    let path = matches.get_one::<PathBuf>("config").cloned().or_else(|| search(streams))?;
    (verbose && !isolated).then(|| format!("settings of {}", path.display()))
}

/// The project's file, else the user's.
fn search(streams: &Streams) -> Option<PathBuf> {
    let mut dir = streams.dir.as_deref();
    while let Some(here) = dir {
        let file = here.join(NAME);
        if file.is_file() {
            return Some(file);
        }
        dir = if here.join(".git").exists() { None } else { here.parent() };
    }
    let set = |name: &str| streams.env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    home.map(|home| home.join("llm-prof/config.toml")).filter(|file| file.is_file())
}

/// A flag that can be set.
#[derive(Clone, Copy)]
struct Key<'c> {
    arg: &'c Arg,
}

/// All keys, dotted, in order of name.
fn keys(command: &Command) -> BTreeMap<String, Key<'_>> {
    fn walk<'c>(command: &'c Command, path: &[&'c str], out: &mut BTreeMap<String, Key<'c>>) {
        for arg in command.get_arguments() {
            if let Some(key) = key(arg, path) {
                out.insert(key, Key { arg });
            }
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let path: Vec<&str> = path.iter().copied().chain([inner.get_name()]).collect();
            walk(inner, &path, out);
        }
    }
    let mut out = BTreeMap::new();
    walk(command, &[], &mut out);
    out
}

/// The key of a flag of the command at `path`; none for what is no setting.
fn key(arg: &Arg, path: &[&str]) -> Option<String> {
    let long = arg.get_long().filter(|long| !OWN.contains(long) && !arg.is_hide_set())?;
    let shared = TABLES.iter().find(|(heading, _)| arg.get_help_heading() == Some(heading));
    let table = shared.map_or_else(|| path.join("."), |(_, table)| (*table).to_owned());
    Some(format!("{table}.{long}"))
}

/// One value of a file.
struct Setting {
    values: Vec<String>,
    span: std::ops::Range<usize>,
}

/// A file, by dotted key.
#[derive(Default)]
struct Config {
    file: Option<Arc<SourceFile>>,
    settings: BTreeMap<String, Setting>,
}

impl Config {
    fn read(path: &Path, keys: &BTreeMap<String, Key<'_>>) -> Result<Self, Stop> {
        let text = fs::read_to_string(path)
            .map_err(|error| Stop::Config(format!("error: --config {}: cannot read it: {error}\n", path.display())))?;
        let file = Arc::new(SourceFile { path: path.to_string_lossy().replace('\\', "/"), text: text.into() });
        let mut found = Vec::new();
        let mut out = Self { file: Some(Arc::clone(&file)), settings: BTreeMap::new() };
        match DeTable::parse(&file.text) {
            Ok(table) => out.table(table.get_ref(), "", path, keys, &mut found),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let title = format!("this is no TOML: {}", error.message());
                found.push(Diagnostic::new(Code::TomlSyntax, title).at(&file, span, ""));
            }
        }
        diagnostic::sort(&mut found);
        if found.is_empty() { Ok(out) } else { Err(Stop::Config(diagnostic::render(&found, false))) }
    }

    fn table(
        &mut self,
        table: &DeTable<'_>,
        above: &str,
        path: &Path,
        keys: &BTreeMap<String, Key<'_>>,
        found: &mut Vec<Diagnostic>,
    ) {
        let Some(file) = self.file.clone() else { return };
        for (name, value) in table {
            let dotted =
                if above.is_empty() { name.get_ref().to_string() } else { format!("{above}.{}", name.get_ref()) };
            let inside = format!("{dotted}.");
            match (value.get_ref(), keys.get(&dotted)) {
                (DeValue::Table(inner), None) if keys.keys().any(|key| key.starts_with(&inside)) => {
                    self.table(inner, &dotted, path, keys, found);
                }
                (_, None) => {
                    let near = near(&dotted, keys);
                    let unknown = Diagnostic::new(Code::UnknownKey, format!("there is no setting `{dotted}`")).at(
                        &file,
                        name.span(),
                        "not a key of the configuration",
                    );
                    found.push(unknown.help(near.map_or_else(
                        || "`llm-prof --show-config` prints all settings".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    )));
                }
                (value_of, Some(key)) => match values(value_of, *key, path) {
                    Ok(values) => drop(self.settings.insert(dotted, Setting { values, span: value.span() })),
                    Err(wanted) => found.push(Diagnostic::new(Code::WrongType, format!("`{dotted}` is {wanted}")).at(
                        &file,
                        value.span(),
                        format!("not {wanted}"),
                    )),
                },
            }
        }
    }

    /// The command with these values as its defaults.
    fn behind(&self, mut command: Command, path: &[String], only: &dyn Fn(&str) -> bool) -> Command {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut changes = Vec::new();
        for arg in command.get_arguments() {
            let Some(key) = key(arg, &words).filter(|key| only(key)) else { continue };
            if let Some(setting) = self.settings.get(&key) {
                changes.push((arg.get_id().clone(), setting.values.clone()));
            }
        }
        for (id, values) in changes {
            command = command.mut_arg(id, |arg| arg.default_values(values));
        }
        let inner: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
        for name in inner {
            let path: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
            command = command.mut_subcommand(name, |inner| self.behind(inner, &path, only));
        }
        command
    }

    /// The setting that the command does not take, where the command line alone is fine.
    fn culprit(&self, args: &[OsString]) -> Option<String> {
        let file = self.file.as_ref()?;
        let (key, setting, error) = self.settings.iter().find_map(|(key, setting)| {
            let command = self.behind(Cli::command(), &[], &|other| other == key);
            command.try_get_matches_from(args).err().map(|error| (key, setting, error))
        })?;
        let text = error.render().to_string();
        let reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let diagnostic = Diagnostic::new(Code::BadSetting, format!("`{key}` cannot be this"))
            .at(file, setting.span.clone(), reason)
            .help("`--help` of the command says what the flag takes");
        Some(diagnostic.render(false) + "\n")
    }
}

fn near(dotted: &str, keys: &BTreeMap<String, Key<'_>>) -> Option<String> {
    let whole = diagnostic::near(dotted, keys.keys().map(String::as_str)).map(str::to_owned);
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    // The right flag in the wrong table.
    let plain = last(dotted).replace('_', "-");
    let table = || diagnostic::near(dotted, keys.keys().filter_map(|key| Some(key.rsplit_once('.')?.0)));
    // What many commands share before what one has for itself.
    let of_a_command =
        |key: &str| Cli::command().get_subcommands().any(|command| key.split('.').next() == Some(command.get_name()));
    let alike = || keys.keys().filter(|key| last(key) == plain).min_by_key(|key| of_a_command(key)).cloned();
    whole.or_else(alike).or_else(|| table().map(|name| format!("[{name}]")))
}

fn values(value: &DeValue<'_>, key: Key<'_>, file: &Path) -> Result<Vec<String>, &'static str> {
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().replace('_', "")),
        DeValue::Float(number) => Some(number.as_str().replace('_', "")),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    };
    let several = matches!(key.arg.get_action(), ArgAction::Append);
    let is_path = key.arg.get_value_names().is_some_and(|names| names.iter().any(|n| PATHS.contains(&n.as_str())));
    let found = match value {
        DeValue::Array(list) if several => {
            list.iter().map(|value| one(value.get_ref())).collect::<Option<Vec<_>>>().ok_or("a list of texts")?
        }
        other => match key.arg.get_action() {
            ArgAction::SetTrue => vec![other.as_bool().ok_or("`true` or `false`")?.to_string()],
            _ => vec![one(other).ok_or(if several { "a text or a list of texts" } else { "one value" })?],
        },
    };
    let from_file = |text: String| match file.parent() {
        Some(folder) if is_path && text != "-" => folder.join(text).to_string_lossy().into_owned(),
        _ => text,
    };
    Ok(found.into_iter().map(from_file).collect())
}

/// Every setting as a line of a configuration, with where its value comes from.
fn show(
    command: &Command,
    keys: &BTreeMap<String, Key<'_>>,
    config: &Config,
    given: Option<&ArgMatches>,
    path: Option<&Path>,
) -> String {
    let flags = given.map_or_else(BTreeMap::new, |matches| flags(command, matches));
    let mut out = match path {
        Some(path) => format!("# settings of {}\n", path.display()),
        None => "# no configuration is read\n".to_owned(),
    };
    let table = |key: &str| key.rsplit_once('.').map_or("", |(table, _)| table).to_owned();
    // Flags of no table first, as TOML wants it; there are none today.
    let mut last = String::new();
    let mut ordered: Vec<(&String, &Key)> = keys.iter().collect();
    ordered.sort_by_key(|(key, _)| (table(key), (*key).clone()));
    for (dotted, key) in ordered {
        let table = table(dotted);
        if table != last {
            let _ = writeln!(out, "\n[{table}]");
            last = table;
        }
        let env = key.arg.get_env().and_then(|name| Some((name.to_str()?, std::env::var(name).ok()?)));
        let (values, source) = if let Some(values) = flags.get(dotted) {
            (values.clone(), "flag".to_owned())
        } else if let Some((name, value)) = env {
            (vec![value], name.to_owned())
        } else if let Some(setting) = config.settings.get(dotted) {
            (setting.values.clone(), config.file.as_ref().map_or_else(String::new, |file| file.path.clone()))
        } else {
            let defaults = key.arg.get_default_values().iter().map(|v| v.to_string_lossy().into_owned()).collect();
            (defaults, String::new())
        };
        let name = dotted.rsplit('.').next().unwrap_or_default();
        let several = matches!(key.arg.get_action(), ArgAction::Append);
        let off = matches!(key.arg.get_action(), ArgAction::SetTrue) && values.is_empty();
        let value = if off { "false".to_owned() } else { written(&values, several) };
        let line = match (source.as_str(), value.as_str()) {
            ("", "") => format!("# {name} is not set"),
            ("", value) => format!("# {name} = {value}"),
            (source, value) => format!("{name} = {value}  # {source}"),
        };
        let _ = writeln!(out, "{line}");
    }
    out
}

/// What the command line itself gives, by key.
fn flags(command: &Command, matches: &ArgMatches) -> BTreeMap<String, Vec<String>> {
    let (mut command, mut matches) = (command, matches);
    let mut path: Vec<&str> = Vec::new();
    while let Some((name, inner)) = matches.subcommand() {
        let Some(next) = command.find_subcommand(name) else { break };
        path.push(next.get_name());
        (command, matches) = (next, inner);
    }
    let mut out = BTreeMap::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let Some(key) = key(arg, &path) else { continue };
        let values = match arg.get_action() {
            ArgAction::SetTrue => vec!["true".to_owned()],
            ArgAction::Count => vec![matches.get_count(id).to_string()],
            _ => matches.get_raw(id).into_iter().flatten().map(|value| value.to_string_lossy().into_owned()).collect(),
        };
        out.insert(key, values);
    }
    out
}

/// As TOML writes it; nothing for no value.
fn written(values: &[String], several: bool) -> String {
    let one = |text: &String| {
        let bare = text == "true" || text == "false" || text.parse::<f64>().is_ok_and(f64::is_finite);
        if bare { text.clone() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
    };
    match values {
        [] => String::new(),
        [text] if !several => one(text),
        several => format!("[{}]", several.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}
