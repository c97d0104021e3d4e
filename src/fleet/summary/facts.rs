//! Lines of the tables in, what a summary needs of them out. Times are added up as nanoseconds, so that neither the order
//! of lines nor the number of threads shows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// A report.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) server: String,
    pub(super) run: String,
    pub(super) has_host: bool,
    pub(super) rank: Option<i64>,
    pub(super) date: Option<String>,
    pub(super) model: Option<String>,
    pub(super) framework: Option<String>,
    pub(super) version: Option<String>,
    pub(super) hardware: Option<String>,
    pub(super) tp: Option<i64>,
    pub(super) rules: String,
    pub(super) unfit: bool,
    pub(super) gpu: i64,
    pub(super) args: BTreeMap<String, Value>,
}

/// Steps of a stage in a trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    /// Own work of each step in which it can be told.
    pub(super) own: Vec<i64>,
    /// Tokens, else requests, of each step that says them.
    pub(super) sizes: Vec<i64>,
    pub(super) n: u64,
}

/// A row of the findings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) trace: u32,
    pub(super) stage: String,
    /// Split or partly fused, and counted here.
    pub(super) missing: bool,
    pub(super) in_use: bool,
    pub(super) confirmed: bool,
    pub(super) at_stake: i64,
    pub(super) could_save: i64,
}

/// What the rows of a family say.
#[derive(Clone, Debug, Default)]
pub(super) struct FamilyFacts {
    pub(super) title: String,
    pub(super) found: Vec<Finding>,
    /// What to type, with the traces that are told so.
    pub(super) toggles: BTreeMap<String, BTreeSet<u32>>,
}

/// What identifies a row of the overlap table over traces: family, title or verdict, category.
pub(super) type Chance = (Option<String>, String, String);

/// All that was read.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Inputs that could not be read.
    pub failed: u64,
    pub(super) traces: Vec<Trace>,
    pub(super) ids: BTreeMap<String, u32>,
    pub(super) families: BTreeMap<String, FamilyFacts>,
    /// Stage, category, trace.
    pub(super) categories: BTreeMap<String, BTreeMap<String, BTreeMap<u32, i64>>>,
    /// Stage, trace.
    pub(super) steps: BTreeMap<String, BTreeMap<u32, Steps>>,
    pub(super) overlap: BTreeMap<Chance, Vec<(u32, i64)>>,
}

/// Why a line is no row.
#[derive(Clone, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadLine {
    /// From 1, within what was given.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

#[derive(Deserialize)]
struct RunLine {
    trace: String,
    run: String,
    host: Option<String>,
    server: String,
    rank: Option<i64>,
    date: Option<String>,
    model: Option<String>,
    tp: Option<i64>,
    framework: Option<String>,
    framework_version: Option<String>,
    hardware: Option<String>,
    rules_digest: String,
    rules_version: String,
    gpu_us: f64,
    unfit: bool,
    server_args: String,
}

#[derive(Deserialize)]
struct KernelLine<'a> {
    #[serde(borrow)]
    trace: Cow<'a, str>,
    #[serde(borrow)]
    stage: Cow<'a, str>,
    #[serde(borrow)]
    category: Cow<'a, str>,
    time_us: f64,
}

#[derive(Deserialize)]
struct StepLine<'a> {
    #[serde(borrow)]
    trace: Cow<'a, str>,
    #[serde(borrow)]
    stage: Cow<'a, str>,
    busy_us: Option<f64>,
    exposed_communication_us: f64,
    tokens: Option<i64>,
    requests: Option<i64>,
}

#[derive(Deserialize)]
struct FindingLine<'a> {
    #[serde(borrow)]
    trace: Cow<'a, str>,
    stage: String,
    #[serde(borrow)]
    family: Cow<'a, str>,
    title: String,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow)]
    confidence: Cow<'a, str>,
    could_save_us: Option<f64>,
    at_stake_us: Option<f64>,
    covered_by: Option<String>,
    toggles: String,
}

#[derive(Deserialize)]
struct OverlapLine<'a> {
    #[serde(borrow)]
    trace: Cow<'a, str>,
    family: Option<String>,
    title: Option<String>,
    verdict: String,
    category: String,
    could_save_us: Option<f64>,
}

fn ns(us: f64) -> i64 {
    (us * 1000.0).round() as i64
}

impl Facts {
    /// The table `runs`, which comes first: what the others say is of one of its traces.
    ///
    /// # Errors
    /// Names the first line that is no row.
    pub fn of_runs(lines: &[u8]) -> Result<Self, BadLine> {
        let mut facts = Self::default();
        each(lines, |line| {
            let row: RunLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
            let id = u32::try_from(facts.traces.len()).map_err(|_| "too many traces".to_owned())?;
            if facts.ids.insert(row.trace.clone(), id).is_some() {
                return Err(format!("{} stands twice", row.trace));
            }
            facts.traces.push(Trace {
                server: row.server,
                run: row.run,
                has_host: row.host.is_some(),
                rank: row.rank,
                date: row.date,
                model: row.model,
                framework: row.framework,
                version: row.framework_version,
                hardware: row.hardware,
                tp: row.tp,
                rules: format!("{} {}", row.rules_version, row.rules_digest),
                unfit: row.unfit,
                gpu: ns(row.gpu_us),
                args: serde_json::from_str(&row.server_args).unwrap_or_default(),
            });
            Ok(())
        })?;
        Ok(facts)
    }

    /// Some lines of another table; of a table that is not needed: nothing.
    ///
    /// # Errors
    /// Names the first line that is no row, or of no trace.
    pub fn of_lines(&self, table: &str, lines: &[u8]) -> Result<Self, BadLine> {
        let mut facts = Self::default();
        let id = |trace: &str| self.ids.get(trace).copied().ok_or_else(|| format!("{trace} is not in the table runs"));
        each(lines, |line| match table {
            "kernels" => facts.kernel(line, id),
            "steps" => facts.step(line, id),
            "findings" => facts.finding(line, id),
            "overlap" => facts.chance(line, id),
            _ => Ok(()),
        })?;
        Ok(facts)
    }

    fn kernel(&mut self, line: &[u8], id: impl Fn(&str) -> Result<u32, String>) -> Result<(), String> {
        let row: KernelLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let id = id(&row.trace)?;
        let stage = entry(&mut self.categories, &row.stage);
        *entry(stage, &row.category).entry(id).or_default() += ns(row.time_us);
        Ok(())
    }

    fn step(&mut self, line: &[u8], id: impl Fn(&str) -> Result<u32, String>) -> Result<(), String> {
        let row: StepLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let steps = entry(&mut self.steps, &row.stage).entry(id(&row.trace)?).or_default();
        steps.n += 1;
        steps.own.extend(row.busy_us.map(|busy| ns(busy) - ns(row.exposed_communication_us)));
        steps.sizes.extend(row.tokens.or(row.requests));
        Ok(())
    }

    fn finding(&mut self, line: &[u8], id: impl Fn(&str) -> Result<u32, String>) -> Result<(), String> {
        let row: FindingLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let trace = id(&row.trace)?;
        let family = entry(&mut self.families, &row.family);
        let open = matches!(&*row.state, "split" | "partly");
        let missing = open && row.covered_by.is_none();
        if missing && !row.toggles.is_empty() {
            family.toggles.entry(row.toggles).or_default().insert(trace);
        }
        family.title = row.title;
        family.found.push(Finding {
            trace,
            stage: row.stage,
            missing,
            in_use: row.state == "in-use",
            confirmed: row.confidence == "Confirmed",
            at_stake: ns(row.at_stake_us.unwrap_or(0.0)),
            could_save: ns(row.could_save_us.unwrap_or(0.0)),
        });
        Ok(())
    }

    fn chance(&mut self, line: &[u8], id: impl Fn(&str) -> Result<u32, String>) -> Result<(), String> {
        let row: OverlapLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let trace = id(&row.trace)?;
        let Some(us) = row.could_save_us.filter(|us| *us > 0.0) else { return Ok(()) };
        let what = (row.family, row.title.unwrap_or(row.verdict), row.category);
        self.overlap.entry(what).or_default().push((trace, ns(us)));
        Ok(())
    }

    /// Adds what other lines said.
    pub fn add(&mut self, other: Self) {
        for (family, more) in other.families {
            let own = self.families.entry(family).or_default();
            own.title = more.title;
            own.found.extend(more.found);
            for (toggle, traces) in more.toggles {
                own.toggles.entry(toggle).or_default().extend(traces);
            }
        }
        for (stage, categories) in other.categories {
            let own = self.categories.entry(stage).or_default();
            for (category, traces) in categories {
                let own = own.entry(category).or_default();
                for (trace, time) in traces {
                    *own.entry(trace).or_default() += time;
                }
            }
        }
        for (stage, traces) in other.steps {
            let own = self.steps.entry(stage).or_default();
            for (trace, more) in traces {
                let own = own.entry(trace).or_default();
                own.n += more.n;
                own.own.extend(more.own);
                own.sizes.extend(more.sizes);
            }
        }
        for (what, more) in other.overlap {
            self.overlap.entry(what).or_default().extend(more);
        }
    }
}

/// Each line that is not blank.
fn each(lines: &[u8], mut take: impl FnMut(&[u8]) -> Result<(), String>) -> Result<(), BadLine> {
    for (n, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        if !line.iter().all(u8::is_ascii_whitespace) {
            take(line).map_err(|what| BadLine { line: n + 1, what })?;
        }
    }
    Ok(())
}

/// The entry of a name, which is copied only when it is new.
fn entry<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.entry(name.to_owned()).or_default()
}
