//! A plan read: every mistake at its place, and the runs that are to be made.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser};
use toml::{Spanned, Value};

use crate::cli::args::CaptureOptions;
use crate::cli::session;
use crate::diagnostic::{self, Code, Diagnostic, SourceFile};
use crate::rules::RuleSet;
use crate::rules::schema::plan::{PlanFile, ServerEntry};
use crate::rules::schema::servers::{Folder, ServerFile, Servers};

/// What is to be done.
pub(super) struct Plan {
    pub(super) title: String,
    pub(super) folder: PathBuf,
    /// In the order in which they are made.
    pub(super) cells: Vec<Cell>,
}

/// One model on one server.
pub(super) struct Cell {
    pub(super) model: String,
    /// Folder of the model.
    pub(super) home: PathBuf,
    pub(super) name: String,
    /// Framework id.
    pub(super) framework: String,
    pub(super) url: String,
    pub(super) traces: PathBuf,
    pub(super) launch: Option<Launched>,
    /// Flags of the capture, as they are typed.
    pub(super) flags: Vec<String>,
    pub(super) options: CaptureOptions,
}

/// How a server of the run is launched.
pub(super) struct Launched {
    pub(super) command: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) ready: Duration,
    /// The server's profiler module, and its copy.
    pub(super) stacks_on: Option<(PathBuf, PathBuf)>,
}

impl Cell {
    /// A file of this run beside its traces.
    pub(super) fn file(&self, ending: &str) -> PathBuf {
        self.home.join(format!("{}{ending}", self.name))
    }

    /// The report, where `bundle --analysis-root` looks for it.
    pub(super) fn report(&self) -> PathBuf {
        self.home.join(format!("analysis_{}.json", self.name))
    }
}

/// The flags of a capture alone.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Flags {
    #[command(flatten)]
    options: CaptureOptions,
}

/// Reads a plan; `path` is where it lies.
pub(super) fn read(path: &Path, text: String, rules: &RuleSet, servers: &Servers) -> Result<Plan, Vec<Diagnostic>> {
    let file = Arc::new(SourceFile { path: path.to_string_lossy().replace('\\', "/"), text: text.into() });
    let plan: PlanFile = toml::from_str(&file.text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let code = if toml::de::DeTable::parse(&file.text).is_ok() { Code::BadSetting } else { Code::TomlSyntax };
        let title = error.message().lines().next().unwrap_or_default().to_owned();
        vec![
            Diagnostic::new(code, title)
                .at(&file, span, "")
                .help("`llm-prof rules schema plan` says what may stand here"),
        ]
    })?;
    let base = path.parent().unwrap_or(Path::new(""));
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
    let mut reading = Reading { file, rules, servers, base, found: Vec::new() };
    let folder = reading.base.join(&plan.folder);
    let mut cells = Vec::new();
    if plan.server.is_empty() || plan.models.is_empty() {
        let missing = if plan.models.is_empty() { "`models` names none" } else { "there is no [[server]]" };
        reading.wrong(0..0, format!("a plan of nothing: {missing}"), "");
    }
    for entry in &plan.server {
        reading.server(entry, &plan, &folder, &mut cells);
    }
    // All servers of a model one after another.
    let place = |model: &str| plan.models.iter().position(|other| other.get_ref() == model);
    cells.sort_by_key(|cell| place(&cell.model));
    let mut found = reading.found;
    diagnostic::sort(&mut found);
    let title = plan.title.unwrap_or_else(|| "Models and servers".to_owned());
    if found.is_empty() { Ok(Plan { title, folder, cells }) } else { Err(found) }
}

struct Reading<'r> {
    file: Arc<SourceFile>,
    rules: &'r RuleSet,
    servers: &'r Servers,
    base: PathBuf,
    found: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn wrong(&mut self, span: Range<usize>, title: impl Into<String>, label: &str) {
        self.found.push(Diagnostic::new(Code::BadSetting, title).at(&self.file, span, label));
    }

    fn server(&mut self, entry: &ServerEntry, plan: &PlanFile, folder: &Path, cells: &mut Vec<Cell>) {
        let framework = match session::framework(entry.framework.get_ref(), self.rules) {
            Ok(Some(id)) if self.servers.of(&id).is_some() => id,
            _ => {
                let known: Vec<&str> = self.servers.servers.iter().map(|file| file.id.as_str()).collect();
                let title = format!("there is no framework `{}`", entry.framework.get_ref());
                let expected = format!("expected one of {}", known.join(", "));
                return self.wrong(entry.framework.span(), title, &expected);
            }
        };
        let name = entry.name.as_ref().unwrap_or(&entry.framework);
        let id = entry.name.as_ref().map_or_else(|| framework.clone(), |name| name.get_ref().clone());
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
            self.wrong(name.span(), format!("`{id}` is no name of a file"), "expected letters, digits, `.`, `_`, `-`");
        }
        if let Some(file) = self.servers.of(&framework) {
            self.way_there(entry, file);
        }
        let models = entry.models.as_ref().unwrap_or(&plan.models);
        for model in models {
            if !plan.models.iter().any(|other| other.get_ref() == model.get_ref()) {
                let title = format!("`models` of the plan has no `{}`", model.get_ref());
                self.wrong(model.span(), title, "not a model of the plan");
            }
        }
        if let (Some(url), [_, second, ..]) = (&entry.url, models.as_slice()) {
            let title = "one running server for more than one model";
            let label = if entry.models.is_some() { second.span() } else { url.span() };
            self.wrong(label, title, "`models` of the server names the one that it serves");
        }
        let Some((flags, options)) = self.flags(plan, entry) else { return };
        for model in models {
            let home = folder.join(folder_of(model.get_ref()));
            if cells.iter().any(|cell: &Cell| (cell.home == home) && cell.name == id) {
                let title = format!("two runs of `{}` are called `{id}`", model.get_ref());
                self.wrong(name.span(), title, "give each server a `name`");
                continue;
            }
            cells.push(self.cell(entry, model.get_ref(), home, &id, &framework, (flags.clone(), options.clone())));
        }
    }

    /// Whether there is one way to the server, and its traces can be found.
    fn way_there(&mut self, entry: &ServerEntry, file: &ServerFile) {
        let says = |hole: &str| {
            entry.launch.iter().flat_map(Spanned::get_ref).chain(entry.env.values()).any(|w| w.contains(hole))
        };
        let fixed = file.files.folder == Folder::Fixed;
        match (&entry.url, &entry.launch) {
            (Some(_), Some(launch)) => self.wrong(launch.span(), "both `url` and `launch`", "one of them is the way"),
            (None, None) => {
                self.wrong(entry.framework.span(), "neither `url` nor `launch`", "give one for this server");
            }
            (Some(url), None) => {
                if fixed && entry.traces.is_none() {
                    let title = format!("{} writes where it was started to", file.title);
                    self.wrong(url.span(), title, "`traces` is missing: that folder");
                }
                let port = entry.port.is_some() || entry.ready_seconds.is_some() || !entry.env.is_empty();
                if port || entry.profiler_module.is_some() || entry.stacks.is_some() {
                    let title = "`port`, `env`, `ready-seconds`, `profiler-module` and `stacks` go with `launch`";
                    self.wrong(url.span(), title, "this server runs already");
                }
            }
            (None, Some(launch)) => {
                if launch.get_ref().is_empty() {
                    self.wrong(launch.span(), "an empty command", "expected a program and its arguments");
                }
                if fixed && !says("{dir}") && entry.traces.is_none() {
                    let title = format!("{} has to be told where traces go, at its start", file.title);
                    self.wrong(launch.span(), title, "`{dir}` is missing");
                }
                let wanted = file.stacks_on.is_some() && entry.stacks != Some(false);
                if wanted && (entry.profiler_module.is_none() || !says("{stacks_on}")) {
                    let missing = if entry.profiler_module.is_none() { "`profiler-module`" } else { "`{stacks_on}`" };
                    let title =
                        format!("stacks of {} are off, so a copy of its profiler module is laid over", file.title);
                    self.wrong(launch.span(), title, &format!("{missing} is missing; or `stacks = false`"));
                }
            }
        }
    }

    fn cell(
        &self,
        entry: &ServerEntry,
        model: &str,
        home: PathBuf,
        name: &str,
        framework: &str,
        (flags, options): (Vec<String>, CaptureOptions),
    ) -> Cell {
        let traces = entry.traces.as_ref().map_or_else(|| home.join(name), |traces| self.base.join(traces));
        let port = entry.port.unwrap_or(self.servers.common.launch.port);
        let copy = entry.profiler_module.as_ref().map(|module| {
            let file = module.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (self.base.join(module), home.join(format!("{name}-stacks-on-{file}")))
        });
        let (number, dir) = (port.to_string(), traces.to_string_lossy().into_owned());
        let stacks_on = copy.as_ref().map_or_else(String::new, |(_, copy)| copy.to_string_lossy().into_owned());
        let holes = [("model", model), ("port", &number), ("dir", &dir), ("stacks_on", &stacks_on)];
        let filled = |word: &String| crate::capture::fill(word, &holes);
        let launch = entry.launch.as_ref().map(|launch| Launched {
            command: launch.get_ref().iter().map(filled).collect(),
            env: entry.env.iter().map(|(name, value)| (name.clone(), filled(value))).collect(),
            ready: Duration::from_secs(entry.ready_seconds.unwrap_or(self.servers.common.launch.ready_s)),
            stacks_on: copy.clone(),
        });
        let url = entry.url.as_ref().map_or_else(|| format!("http://127.0.0.1:{port}"), |url| url.get_ref().clone());
        let (model, name, framework) = (model.to_owned(), name.to_owned(), framework.to_owned());
        Cell { model, home, name, framework, url, traces, launch, flags, options }
    }

    /// Flags of the plan with those of the server over them.
    fn flags(&mut self, plan: &PlanFile, entry: &ServerEntry) -> Option<(Vec<String>, CaptureOptions)> {
        let before = self.found.len();
        let mut all: BTreeMap<&String, &Spanned<Value>> = plan.capture.iter().collect();
        all.extend(&entry.capture);
        let command = Flags::command();
        let mut words = Vec::new();
        for (name, value) in all {
            let Some(flag) = command.get_arguments().find(|arg| arg.get_long() == Some(name)) else {
                let longs = command.get_arguments().filter_map(clap::Arg::get_long);
                let near = diagnostic::near(name, longs);
                let help = near.map_or_else(
                    || "`llm-prof capture --help` lists them".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let unknown = Diagnostic::new(Code::UnknownKey, format!("`capture` has no flag `{name}`"));
                self.found.push(unknown.at(&self.file, value.span(), "of a flag that is not there").help(help));
                continue;
            };
            let word = match (value.get_ref(), matches!(flag.get_action(), ArgAction::SetTrue)) {
                (Value::Boolean(true), true) => format!("--{name}"),
                (Value::Boolean(false), true) => continue,
                (Value::String(text), false) => format!("--{name}={text}"),
                (Value::Integer(number), false) => format!("--{name}={number}"),
                (Value::Float(number), false) => format!("--{name}={number}"),
                (_, switch) => {
                    let wanted = if switch { "`true` or `false`" } else { "a text or a number" };
                    self.wrong(value.span(), format!("`{name}` is {wanted}"), &format!("not {wanted}"));
                    continue;
                }
            };
            if let Err(error) = Flags::try_parse_from([&word]) {
                let text = error.render().to_string();
                let reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.wrong(value.span(), format!("`{name}` cannot be this"), &reason);
            }
            words.push(word);
        }
        if self.found.len() > before {
            return None;
        }
        let matches =
            Flags::command().try_get_matches_from(&words).and_then(|mut found| Flags::from_arg_matches_mut(&mut found));
        match matches {
            Ok(flags) => Some((words, flags.options)),
            Err(error) => {
                let text = error.render().to_string();
                let reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.wrong(entry.framework.span(), "the flags of this server cannot go together", &reason);
                None
            }
        }
    }
}

/// The folder of a model below the plan's: its own name, which may have folders, without ways out of it.
fn folder_of(model: &str) -> PathBuf {
    let parts = Path::new(model).components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    let folder: PathBuf = parts.collect();
    if folder.as_os_str().is_empty() { PathBuf::from("model") } else { folder }
}
