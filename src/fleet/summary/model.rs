//! What a fleet has in common: the JSON contract `llm-prof.fleet/1`, field for field.

use schemars::JsonSchema;
use serde::Serialize;

/// The whole document.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// `llm-prof.fleet/1`.
    pub schema: &'static str,
    /// The folder, as given.
    pub path: String,
    /// What was read.
    pub fleet: Fleet,
    /// Families whose fused path is missing somewhere, most time at stake first.
    pub families: Vec<Family>,
    /// Work that could run beside other work, most time first. Rows may be about the same launches: no sum of them is one.
    pub overlap: Vec<OverlapChance>,
    /// Of each model and stage how much a category takes, over its traces.
    pub spread: Vec<Spread>,
    /// Servers and ranks that take longer than their like.
    pub stragglers: Vec<Straggler>,
    /// What is new or gone; null without a baseline.
    pub changes: Option<Changes>,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Fleet {
    /// Reports.
    pub traces: u64,
    /// Servers: hosts, and runs whose host is not known.
    pub servers: u64,
    /// Servers whose host is known.
    pub hosts: u64,
    /// Runs.
    pub runs: u64,
    /// GPU time of all traces.
    pub gpu_us: f64,
    /// Traces with nothing to judge.
    pub unfit: u64,
    /// Inputs that could not be read: they count nowhere else.
    pub failed: u64,
    /// First and last day or moment; null when no trace says one.
    pub from: Option<String>,
    /// The last one.
    pub to: Option<String>,
    /// What runs on the servers, most servers first.
    pub versions: Vec<VersionCount>,
    /// Models, most servers first.
    pub models: Vec<NameCount>,
    /// Digests of the rules that the reports were made with; more than one: figures may differ for that reason.
    pub rules: Vec<NameCount>,
}

/// A framework's version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VersionCount {
    /// Framework id; null when unknown.
    pub framework: Option<String>,
    /// Its version; null when unknown.
    pub version: Option<String>,
    /// Servers with it; of a family: those where its fused path is missing.
    pub servers: u64,
    /// Of a family: servers with this version on which the family was found in any state; else the same as `servers`.
    pub of: u64,
}

/// How many servers something is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NameCount {
    /// What.
    pub name: String,
    /// Servers.
    pub servers: u64,
}

/// A family whose fused path is missing somewhere.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Family {
    /// Family id.
    pub family: String,
    /// Its title.
    pub title: String,
    /// Servers on which it is split or partly fused, and no larger pattern covers it there.
    pub servers: u64,
    /// Of these, servers where that is confirmed.
    pub confirmed: u64,
    /// Servers on which it is in use.
    pub in_use: u64,
    /// Servers on which it is found in any state.
    pub found: u64,
    /// Traces in which it is split or partly fused and not covered.
    pub traces: u64,
    /// Estimate of what fusing saves, launches that another family counts left out: may be added up over families.
    pub at_stake_us: f64,
    /// Of the GPU time of all traces.
    pub at_stake_pct: f64,
    /// The same estimate with launches that other families count, too: not to be added up.
    pub could_save_us: f64,
    /// Time at stake by stage, largest first.
    pub stages: Vec<StageStake>,
    /// Versions behind it, most affected servers first.
    pub versions: Vec<VersionCount>,
    /// What to type, with the servers that are told so.
    pub toggles: Vec<NameCount>,
    /// Server arguments that are one thing on all affected servers that say them, and another where it is in use.
    pub settings: Vec<Setting>,
    /// Affected servers, most time at stake first.
    pub worst: Vec<ServerStake>,
}

/// Time at stake in a stage.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StageStake {
    /// Stage id.
    pub stage: String,
    /// How much.
    pub at_stake_us: f64,
}

/// Time at stake on a server.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ServerStake {
    /// The server.
    pub server: String,
    /// How much.
    pub at_stake_us: f64,
}

/// A server argument that tells affected servers from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Setting {
    /// Its name.
    pub argument: String,
    /// On affected servers, as JSON.
    pub affected: String,
    /// Where the family is in use, as JSON.
    pub in_use: String,
}

/// Work that could run beside other work.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OverlapChance {
    /// Family id; null where none speaks.
    pub family: Option<String>,
    /// Title of the family, else the verdict.
    pub title: String,
    /// Category of the work.
    pub category: String,
    /// Servers.
    pub servers: u64,
    /// Estimate of what could be hidden.
    pub could_save_us: f64,
    /// Of the GPU time of all traces.
    pub could_save_pct: f64,
}

/// How much the categories of a stage take.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    /// Model; null when unknown.
    pub model: Option<String>,
    /// Stage id.
    pub stage: String,
    /// Traces with GPU events in it.
    pub traces: u64,
    /// GPU time.
    pub time_us: f64,
    /// Categories, largest median first.
    pub categories: Vec<CategorySpread>,
}

/// Share of a category over traces: of a trace without it 0.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CategorySpread {
    /// Category.
    pub category: String,
    /// One in ten traces has no more.
    pub p10_pct: f64,
    /// Half of them.
    pub p50_pct: f64,
    /// Nine in ten.
    pub p90_pct: f64,
}

/// A server or a rank that takes longer than its like.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Straggler {
    /// The server.
    pub server: String,
    /// The rank, slow among the ranks of its own run; null: the server as a whole, slow among servers.
    pub rank: Option<i64>,
    /// Stage id.
    pub stage: String,
    /// Own work of a step, median: busy time without communication that nothing runs beside.
    pub own_us: f64,
    /// The same of its like, median.
    pub usual_us: f64,
    /// By how much it is over that.
    pub over_pct: f64,
    /// Category that is most over that of its like, a step; null when none is.
    pub category: Option<String>,
    /// By how much.
    pub category_over_us: Option<f64>,
    /// Traces of it.
    pub traces: u64,
    /// What its like are: servers, or ranks of the run.
    pub of: u64,
    /// What is alike: model, framework, version, hardware, TP, size of the step.
    pub like: String,
}

/// What is new or gone.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Changes {
    /// The folder of before, as given.
    pub baseline: String,
    /// What was read there.
    pub before: Fleet,
    /// Servers only there.
    pub servers_gone: u64,
    /// Servers only here.
    pub servers_new: u64,
    /// Families whose servers or states differ, new ones first.
    pub families: Vec<FamilyChange>,
    /// Categories whose median share moved.
    pub categories: Vec<CategoryChange>,
    /// Servers and ranks that take longer than their like now, and were looked at before without that.
    pub stragglers_new: Vec<Slow>,
    /// Those that took longer before, and are looked at now without that.
    pub stragglers_gone: Vec<Slow>,
}

/// A server or a rank, and the stage in which it is slow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Slow {
    /// The server.
    pub server: String,
    /// The rank; null: the server as a whole.
    pub rank: Option<i64>,
    /// Stage id.
    pub stage: String,
}

/// Before and now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FamilyChange {
    /// Family id.
    pub family: String,
    /// Its title.
    pub title: String,
    /// `new`: missing on no server before; `gone`: on none now; `more`, `fewer`: on other servers.
    pub change: &'static str,
    /// Affected servers before.
    pub before: u64,
    /// Affected servers now.
    pub now: u64,
    /// Servers of both on which it is missing only now.
    pub appeared: u64,
    /// Servers of both on which it was missing before and is found, but not missing, now.
    pub mended: u64,
    /// Of the GPU time of all traces, before.
    pub before_pct: f64,
    /// The same now.
    pub now_pct: f64,
}

/// A median share, before and now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CategoryChange {
    /// Model.
    pub model: Option<String>,
    /// Stage id.
    pub stage: String,
    /// Category.
    pub category: String,
    /// Median share before.
    pub before_pct: f64,
    /// Now.
    pub now_pct: f64,
}
