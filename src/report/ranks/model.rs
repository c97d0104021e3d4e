//! The rank section of the JSON contract. Ranks are named by their number, and by more where two have one.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel_name::KernelName;
use crate::report::CategoryShare;

/// Several ranks beside each other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ranks {
    /// The rank that every table is of.
    pub tables_of: String,
    /// Ranks read, in order.
    pub read: Vec<String>,
    /// Ranks of the run; null when no trace says it.
    pub world_size: Option<i64>,
    /// Whether starts on different ranks can be compared.
    pub clock: Clock,
    /// Each stage that any rank has.
    pub stages: Vec<RankStage>,
    /// Ranks that are slower than the others in something: by stage, the largest difference first.
    pub stragglers: Vec<Straggler>,
    /// Collectives tied across ranks: by stage, the longest wait first.
    pub collectives: Vec<CollectiveRow>,
    /// Families whose state is not the same on all ranks.
    pub differing: Vec<FuseDiffers>,
}

impl Ranks {
    /// Whether tables are of the rank of this number.
    pub fn is_of_tables(&self, rank: i64) -> bool {
        self.tables_of.split(' ').next() == Some(rank.to_string().as_str())
    }
}

/// Whether starts on different ranks can be compared.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// Whether they can.
    pub comparable: bool,
    /// How that is known, or why not.
    pub known_by: String,
}

/// One stage on all ranks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RankStage {
    /// Stage id.
    pub stage: String,
    /// As titles have it.
    #[serde(skip)]
    pub title: &'static str,
    /// Whether tables show it, as they show the stage.
    #[serde(skip)]
    pub shown: bool,
    /// Whether times are those of a step; else, where not all ranks have steps, of all launches.
    pub per_step: bool,
    /// Median of the ranks' times.
    pub median_us: f64,
    /// Each rank that has the stage.
    pub ranks: Vec<RankRow>,
}

/// One rank in one stage.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RankRow {
    /// Which rank.
    pub rank: String,
    /// Device.
    pub device: Option<String>,
    /// Sum of its GPU events.
    pub time_us: f64,
    /// Of the time of all ranks in this stage.
    pub share_pct: f64,
    /// GPU events.
    pub launches: u64,
    /// Steps.
    pub steps: u64,
    /// Time a step; null without steps.
    pub time_per_step_us: Option<f64>,
    /// Time (of a step, where there are some) over the median of the ranks; negative when under it.
    pub over_median_pct: f64,
    /// In collectives that were tied: time before the last rank began; `possible` where the clocks may differ.
    pub waiting_us: Option<f64>,
    /// How often it was the last of a late collective.
    pub last: u64,
    /// Categories, largest first.
    pub categories: Vec<CategoryShare>,
}

/// A rank that is slower than the others in something.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Straggler {
    /// Which rank.
    pub rank: String,
    /// Stage id.
    pub stage: String,
    /// Category.
    pub category: String,
    /// Its time, a step where there are some.
    pub time_us: f64,
    /// Median of the ranks.
    pub median_us: f64,
    /// Over the median; null when the median is nothing.
    pub over_pct: Option<f64>,
    /// The same as time.
    pub over_us: f64,
    /// Its launches, a step where there are some.
    pub launches: f64,
    /// Median of the ranks: equal launches mean the same work, done more slowly.
    pub median_launches: f64,
    /// Kernel that adds most to the difference, as the trace has it.
    pub kernel: String,
    /// Parts of its name.
    #[serde(skip)]
    pub parts: KernelName,
    /// What it adds.
    pub kernel_over_us: f64,
}

/// Collectives of one kernel, group and size, tied across ranks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CollectiveRow {
    /// Stage id.
    pub stage: String,
    /// Kernel, as the trace has it.
    pub kernel: String,
    /// Parts of its name.
    #[serde(skip)]
    pub parts: KernelName,
    /// Process group; null where the trace does not say it.
    pub group: Option<String>,
    /// What stands for the message size.
    pub size: String,
    /// Ranks that run it.
    pub ranks: Vec<String>,
    /// How many were tied.
    pub tied: u64,
    /// Launches without a partner on every rank.
    pub alone: u64,
    /// `time`: they ran at once on one clock. `order`: the n-th of each rank, and waiting is only possible: the rank
    /// with the shortest launch is taken to be the last. Null when they could not be tied.
    pub tied_by: Option<Cow<'static, str>>,
    /// First to last begin, on average.
    pub spread_us: Option<f64>,
    /// The longest.
    pub spread_max_us: Option<f64>,
    /// From the last begin to the end, on average.
    pub transfer_us: Option<f64>,
    /// Sum of what all ranks waited.
    pub waiting_us: Option<f64>,
    /// How many were late.
    pub late: u64,
    /// The rank that was last in most of the late ones, when it is one.
    pub late_rank: Option<String>,
    /// How often each rank was last in a late one; ranks that never were are left out.
    pub last: Vec<RankCount>,
}

/// How often a rank.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RankCount {
    /// Which rank.
    pub rank: String,
    /// How often.
    pub times: u64,
}

/// A family whose state is not the same on all ranks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FuseDiffers {
    /// Family id.
    pub family: String,
    /// Its title.
    pub title: String,
    /// Stage id.
    pub stage: String,
    /// Ranks by state; `none` where a rank has no confirmed row.
    pub states: Vec<RanksInState>,
}

/// Ranks in one state.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RanksInState {
    /// State.
    pub state: String,
    /// Which ranks.
    pub ranks: Vec<String>,
}
