"""A report, as `llm-prof triage --format json` prints it.

Made by tests/python/generate.py from rules/schema/output/triage.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """How launches were attributed."""

    by_id: int
    """CPU op by External id."""

    by_mapping: int
    """By alignment with the mapping trace."""

    by_position: int
    """By position in the graph capture."""

    by_time: int
    """CPU op by enclosure in time."""

    capture_launches: int
    """Launch calls inside a graph capture."""

    launches: int
    """GPU events."""

    without_launch: int
    """GPU events without a launch call."""

    without_op: int
    """GPU events whose CPU op stays unknown, those without a launch call included: with the four above, all of
    them.
    """


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What ran beside a GPU event."""

    launch: int
    """Index into the launches of the stretch."""

    us: float
    """For how long."""


@dataclass(frozen=True, kw_only=True)
class BrokenEvents:
    """Events of one trace that could not be read, for one reason."""

    count: int
    """How many."""

    first: int
    """Place of the first in the list of events, from 0."""

    path: str
    """The trace."""

    reason: str
    """Why."""


@dataclass(frozen=True, kw_only=True)
class CaptureInfo:
    """What was asked of a capture, by the file beside its traces."""

    bucket: str | None = None
    """Which requests of a benchmark the work stands for."""

    date: str | None = None
    """When the first profile was begun, such as `2026-11-24T10:00:00Z`."""

    host: str | None = None
    """Host of the server, by its URL."""

    note: str | None = None
    """Words of the user."""

    seed: int | None = None
    """Of the prompts."""

    source: str
    """The file."""

    work: str
    """Tokens in and out of the requests, by stage."""


@dataclass(frozen=True, kw_only=True)
class CategoryShare:
    """GPU time of a category."""

    category: str
    """Category."""

    launches: int
    """GPU events."""

    share_pct: float
    """Of the stage's summed GPU time."""

    time_us: float
    """Sum."""


@dataclass(frozen=True, kw_only=True)
class ClauseInfo:
    """One clause of a rule."""

    key: str
    """Key in the family's file: `fused`, `split`, `after`, `before` or `overlap`."""

    text: str
    """In the match language."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Whether starts on different ranks can be compared."""

    comparable: bool
    """Whether they can."""

    known_by: str
    """How that is known, or why not."""


@dataclass(frozen=True, kw_only=True)
class CollectiveRow:
    """Collectives of one kernel, group and size, tied across ranks."""

    alone: int
    """Launches without a partner on every rank."""

    group: str | None = None
    """Process group; null where the trace does not say it."""

    kernel: str
    """Kernel, as the trace has it."""

    last: list[RankCount]
    """How often each rank was last in a late one; ranks that never were are left out."""

    late: int
    """How many were late."""

    late_rank: str | None = None
    """The rank that was last in most of the late ones, when it is one."""

    ranks: list[str]
    """Ranks that run it."""

    size: str
    """What stands for the message size."""

    spread_max_us: float | None = None
    """The longest."""

    spread_us: float | None = None
    """First to last begin, on average."""

    stage: str
    """Stage id."""

    tied: int
    """How many were tied."""

    tied_by: str | None = None
    """`time`: they ran at once on one clock. `order`: the n-th of each rank, and waiting is only possible: the rank
    with the shortest launch is taken to be the last. Null when they could not be tied.
    """

    transfer_us: float | None = None
    """From the last begin to the end, on average."""

    waiting_us: float | None = None
    """Sum of what all ranks waited."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What a table cuts off."""

    hidden_pct: float | None = None
    """Share of the stage in rows that are not shown (rows of fuse patterns may share launches, so theirs is null)."""

    shown: int
    """Rows shown."""

    total: int
    """Rows there are."""


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    """One device of a trace."""

    device: str
    """As the trace names it."""

    launches: int
    """GPU events."""

    taken: bool
    """Whether the figures are made of it."""

    total_us: float
    """Sum of its GPU events."""


@dataclass(frozen=True, kw_only=True)
class EvidenceKernel:
    """A kernel of a finding."""

    launches: int
    """Its counted launches in the finding."""

    name: str
    """As the trace has it."""

    time_us: float
    """Its counted time in the finding."""


@dataclass(frozen=True, kw_only=True)
class Fitness:
    """One thing that makes a trace unfit for a question."""

    code: str
    """Stable code."""

    finding: str
    """What is so."""

    fix: str
    """What to do."""

    level: str
    """`unfit`: nothing to judge; `limits`: some questions stay open; `note`: worth knowing."""


@dataclass(frozen=True, kw_only=True)
class FuseDiffers:
    """A family whose state is not the same on all ranks."""

    family: str
    """Family id."""

    stage: str
    """Stage id."""

    states: list[RanksInState]
    """Ranks by state; `none` where a rank has no confirmed row."""

    title: str
    """Its title."""


@dataclass(frozen=True, kw_only=True)
class FuseRow:
    """One row of the fuse-pattern table."""

    action: str
    """Action word."""

    advice: str
    """In words."""

    candidate: list[str]
    """Fused path that exists."""

    confidence: str
    """Confirmed or Candidate."""

    could_save_us: float | None = None
    """Estimate."""

    covered_by: str | None = None
    """Row id that covers it."""

    examples: list[OccurrenceInfo]
    """One occurrence of each form that was found."""

    family: str
    """Family id."""

    fused: HalfInfo
    """Fused half."""

    id: str
    """`fuse/<family>/<stage>`."""

    kernels: list[EvidenceKernel]
    """Evidence."""

    launches_saved: int | None = None
    """Launches saved."""

    locations: list[Location]
    """Where it runs now."""

    occurrences: int
    """Matches."""

    origin: str
    """mainline, upstream, inflight."""

    overlaps_with: list[str]
    """Row ids that share launches."""

    per_step: float | None = None
    """Matches per step; null without steps."""

    reasons: list[str]
    """Why."""

    rule: RuleInfo
    """The rule behind it."""

    share_pct: float
    """Of the stage's summed GPU time."""

    shown: bool
    """Whether tables show it."""

    split: HalfInfo
    """Split half."""

    stage: str
    """Stage id."""

    state: str
    """in-use, split, partly, off-by-design."""

    time_us: float
    """Counted launches."""

    title: str
    """Its title."""

    toggles: list[ToggleInfo]
    """What to type."""

    transparent_us: float
    """Transparent launches."""


@dataclass(frozen=True, kw_only=True)
class GapEdge:
    """One side of a gap."""

    kernel: str
    """As the trace has it."""

    location: str | None = None
    """Call site."""

    op: str | None = None
    """Launching op."""


@dataclass(frozen=True, kw_only=True)
class GapInfo:
    """Time in a step in which nothing ran on the GPU."""

    after: GapEdge
    """What ran before it."""

    cause: str
    """`host`: what ends it was launched only when the GPU had run dry; `queued`: it was launched before, and the
    GPU waited for something else; `unknown`: no launch call is in the trace.
    """

    dur_us: float
    """How long."""

    ended_by: GapEdge
    """What ended it."""

    host_call: str | None = None
    """The runtime or driver call."""

    host_frame: str | None = None
    """Where the host was for most of its part: the innermost Python frame."""

    host_op: str | None = None
    """The innermost CPU op."""

    host_us: float | None = None
    """The part before the launch call; null when there is none."""

    start_us: float
    """From the first GPU event of the step."""


@dataclass(frozen=True, kw_only=True)
class GateInfo:
    """One condition of a rule."""

    answer: str
    """`yes`, `no` or `unknown`."""

    found: str
    """What was found, and where."""

    wants: str
    """What it asks for."""


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """A family that was not searched for to the end."""

    family: str
    """Whose chain it is."""

    form: str
    """`fused`, `split`, or `similar` where only what is near it was searched for."""

    path: str
    """The trace."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """GPU time."""

    devices: list[DeviceInfo]
    """Each device of each trace taken."""

    launches: int
    """Number of GPU events."""

    same_stream: SameStreamInfo
    """Overlap within streams, which hides nothing."""

    steps: list[StepInfo]
    """Each step."""

    total_us: float
    """Sum of all GPU events."""


@dataclass(frozen=True, kw_only=True)
class HalfInfo:
    """One half of a finding."""

    n: int
    """Matches."""

    us: float
    """Counted time."""


@dataclass(frozen=True, kw_only=True)
class HiddenRows:
    """Rows that the tables hide."""

    fuse: int
    """Fuse-pattern table."""

    kernels: int
    """Kernel table."""

    limit: int | None = None
    """Rows a stage beyond which a row of a table without a limit of its own is hidden; null when there is no limit."""

    min_share_pct: float
    """Share of the stage under which a row is hidden."""

    overlap: int
    """Overlap-opportunity table."""


@dataclass(frozen=True, kw_only=True)
class KernelRow:
    """One row of the kernel table."""

    category: str
    """Category."""

    exclusive_us: float | None = None
    """Time with nothing on another stream."""

    hidden_by_compute_us: float | None = None
    """Time with compute on another stream."""

    hidden_us: float | None = None
    """Time with something on another stream."""

    id: str
    """`kernel/<stage>/<hash of the whole name>`."""

    identifier: str
    """Own identifier."""

    launches: int
    """GPU events."""

    name: str
    """As the trace has it."""

    ops: list[str]
    """Launching ops, largest time first."""

    share_pct: float
    """Of the stage's summed GPU time."""

    shown: bool
    """Whether tables show it."""

    sites: list[Site]
    """Places, largest time first."""

    stage: str
    """Stage id."""

    time_us: float
    """Sum."""


@dataclass(frozen=True, kw_only=True)
class Location:
    """A place of a finding."""

    found_by: str
    """How it was found."""

    location: str
    """Call site."""


@dataclass(frozen=True, kw_only=True)
class Losses:
    """All that was skipped, repaired or left open."""

    broken_events: list[BrokenEvents]
    """Events that could not be read."""

    given_up: list[GivenUp] | None = None
    """Families whose chains cost more steps than they may: they have no row, whatever is in the traces."""

    not_needed: dict[str, int]
    """Events of known kinds that no figure needs, by category (of those without one: by phase)."""

    repaired_texts: int
    """Distinct texts with broken escapes, broken UTF-8 or bare control characters."""

    undecided_gates: list[UndecidedGate]
    """Conditions of rows that nothing in the traces decides."""

    unknown_categories: dict[str, int]
    """Events of categories that the rules do not know."""

    without_launch: int
    """GPU events whose launch call is not in the trace."""


@dataclass(frozen=True, kw_only=True)
class NewCandidate:
    """Launches that run one after the other, explained by no row and near no family."""

    kernels: list[str]
    """Names of the kernels, as the trace has them, in order."""

    nearest: str | None = None
    """The family that came nearest, if any did."""

    occurrences: int
    """How often."""

    share_pct: float
    """The same of the stage's GPU time."""

    stage: str
    """Stage."""

    text: str
    """One flat line."""

    time_us: float
    """Time of all of them."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """Launches that no row explains are similar to a family."""

    cues: list[str]
    """What it rests on."""

    family: str
    """Id of the family."""

    kernels: list[str]
    """Names of the kernels, as the trace has them, in order."""

    level: str
    """`high`, `medium` or `low`."""

    occurrences: int
    """How often."""

    origin: str
    """`mainline`, `upstream` or `inflight`."""

    score: int
    """From 0 to 100."""

    share_pct: float
    """The same of the stage's GPU time."""

    stage: str
    """Stage."""

    text: str
    """One flat line."""

    time_us: float
    """Time of all of them."""


@dataclass(frozen=True, kw_only=True)
class OccurrenceInfo:
    """One occurrence of a row, the one of median length."""

    dur_us: float
    """First begin to last end."""

    form: str
    """`fused` or `split`; of an overlap its verdict."""

    launches: list[OccurrenceLaunch]
    """In start order."""

    step: int | None = None
    """Number of the step; null outside steps."""


@dataclass(frozen=True, kw_only=True)
class OccurrenceLaunch:
    """One GPU event of an occurrence."""

    category: str
    """Category."""

    dur_us: float
    """How long."""

    kernel: str
    """As the trace has it."""

    role: str
    """`counted`; `transparent`: seen through, time apart; `context`: must stand there, not counted. Of an overlap:
    `counted`, `partner`, and `near` for what else runs then.
    """

    start_us: float
    """From the begin of the occurrence; below 0 for what is near and began before."""

    stream: int
    """Stream as the trace has it."""


@dataclass(frozen=True, kw_only=True)
class OverlapRow:
    """One row of the overlap-opportunity table."""

    category: str
    """Its category."""

    could_save_us: float | None = None
    """Estimate; null where independence is not borne out."""

    example: OccurrenceInfo | None = None
    """One instance with what runs near it."""

    exclusive_us: float
    """Time with nothing on another stream."""

    family: str | None = None
    """Family id."""

    found_by: str
    """How that was found."""

    hidden_by_compute_us: float
    """Time with compute on another stream."""

    hidden_us: float
    """Time with something on another stream."""

    id: str
    """`overlap/<family or verdict>/<stage>`, with a hash of the kernel where no family speaks."""

    kernel: str
    """Kernel with most time, as the trace has it."""

    launches: int
    """GPU events."""

    partner: str | None = None
    """Kernel beside which it could run, or runs."""

    priority: str
    """`P1` to `P5`."""

    reasons: list[str]
    """What it rests on."""

    recommendation: str
    """What to do."""

    risk: str
    """low, unclear, high."""

    risk_instances: RiskInstances
    """Instances by risk."""

    rule: RuleInfo | None = None
    """The rule of its family; null where no family speaks."""

    scope: str | None = None
    """Where most of it is launched; null when unknown."""

    share_pct: float
    """Of the stage's summed GPU time."""

    shown: bool
    """Whether tables show it."""

    stage: str
    """Stage id."""

    time_us: float
    """Sum."""

    title: str | None = None
    """Its title."""

    toggles: list[ToggleInfo]
    """What to type."""

    verdict: str
    """Word of `rules/overlap.yaml`."""

    waiting_by: str | None = None
    """`shapes` where these tell the size; `grid` where the launch grid stands for it, so that the time is an upper
    bound.
    """

    waiting_us: float | None = None
    """Of collectives: time above the fastest of the same message size, possible waiting for other ranks."""


@dataclass(frozen=True, kw_only=True)
class RankCount:
    """How often a rank."""

    rank: str
    """Which rank."""

    times: int
    """How often."""


@dataclass(frozen=True, kw_only=True)
class RankRow:
    """One rank in one stage."""

    categories: list[CategoryShare]
    """Categories, largest first."""

    device: str | None = None
    """Device."""

    last: int
    """How often it was the last of a late collective."""

    launches: int
    """GPU events."""

    over_median_pct: float
    """Time (of a step, where there are some) over the median of the ranks; negative when under it."""

    rank: str
    """Which rank."""

    share_pct: float
    """Of the time of all ranks in this stage."""

    steps: int
    """Steps."""

    time_per_step_us: float | None = None
    """Time a step; null without steps."""

    time_us: float
    """Sum of its GPU events."""

    waiting_us: float | None = None
    """In collectives that were tied: time before the last rank began; `possible` where the clocks may differ."""


@dataclass(frozen=True, kw_only=True)
class RankStage:
    """One stage on all ranks."""

    median_us: float
    """Median of the ranks' times."""

    per_step: bool
    """Whether times are those of a step; else, where not all ranks have steps, of all launches."""

    ranks: list[RankRow]
    """Each rank that has the stage."""

    stage: str
    """Stage id."""


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Several ranks beside each other."""

    clock: Clock
    """Whether starts on different ranks can be compared."""

    collectives: list[CollectiveRow]
    """Collectives tied across ranks: by stage, the longest wait first."""

    differing: list[FuseDiffers]
    """Families whose state is not the same on all ranks."""

    read: list[str]
    """Ranks read, in order."""

    stages: list[RankStage]
    """Each stage that any rank has."""

    stragglers: list[Straggler]
    """Ranks that are slower than the others in something: by stage, the largest difference first."""

    tables_of: str
    """The rank that every table is of."""

    world_size: int | None = None
    """Ranks of the run; null when no trace says it."""


@dataclass(frozen=True, kw_only=True)
class RanksInState:
    """Ranks in one state."""

    ranks: list[str]
    """Which ranks."""

    state: str
    """State."""


@dataclass(frozen=True, kw_only=True)
class RiskInstances:
    """Instances by risk."""

    high: int
    """Recorded waits order them."""

    low: int
    """Something bears out independence."""

    unclear: int
    """Nothing does."""


@dataclass(frozen=True, kw_only=True)
class RuleInfo:
    """The rule of a row's family, and how its conditions were decided."""

    checked: str | None = None
    """Date on which it was last checked against the sources."""

    checked_version: str | None = None
    """Version that it was checked against."""

    clauses: list[ClauseInfo]
    """What is matched, in the match language."""

    gates: list[GateInfo]
    """Its conditions."""

    per: str | None = None
    """How often it must recur to be confirmed: `step`, `layer` or `request`; null for an overlap."""

    rationale: str
    """Why the family is in the catalog, in one sentence."""

    since: str | None = None
    """First version of the framework with the path; null when all have it."""

    status: str
    """`trial`, `stable` or `retired`."""

    until: str | None = None
    """First version without it."""


@dataclass(frozen=True, kw_only=True)
class RulesInfo:
    """The rules."""

    digest: str
    """Digest of all rule files."""

    families: int
    """Number of families."""

    version: str
    """Catalog version."""


@dataclass(frozen=True, kw_only=True)
class SameStreamInfo:
    """GPU events that began before the one before them on their own stream had ended (programmatic dependent
    launch).
    """

    pairs: int
    """How many."""

    us: float
    """For how long in all."""


@dataclass(frozen=True, kw_only=True)
class ServerArgs:
    """Server arguments."""

    fields: dict[str, Any]
    """Name to JSON value."""

    source: str | None = None
    """File they come from."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """One place of a kernel."""

    found_by: str
    """How it was found."""

    location: str | None = None
    """Call site; null when unknown."""

    module: str | None = None
    """nn.Module path; null when unknown."""

    share_pct: float
    """Of the kernel's time."""


@dataclass(frozen=True, kw_only=True)
class StageInfo:
    """One stage: the whole that its rows are shares of."""

    categories: list[CategoryShare]
    """Categories, largest first."""

    fuse: Cut
    """The same for the fuse-pattern table."""

    kernels: Cut
    """How many rows of the kernel table are shown, and what the others take."""

    launches: int
    """GPU events."""

    overlap: Cut
    """The same for the overlap-opportunity table."""

    shown: bool
    """False for GPU events outside every step when they are under the bar: tables leave the section out."""

    stage: str
    """Stage id."""

    steps: int
    """Steps of this stage."""

    streams: int
    """Streams on which its GPU events ran."""

    time_per_step_us: float | None = None
    """Time a step; null without steps."""

    time_us: float
    """Sum of its GPU events."""


@dataclass(frozen=True, kw_only=True)
class StepFinding:
    """A row of the fuse or the overlap table in a step."""

    occurrences: list[list[int]]
    """Its occurrences: indices into the launches of the step."""

    row: str
    """Id of the row."""


@dataclass(frozen=True, kw_only=True)
class StepInfo:
    """One step."""

    busy_us: float | None = None
    """Union of its GPU events."""

    communication_us: float
    """Sum of its communication."""

    exposed_communication_us: float
    """What of it has nothing beside it."""

    gaps: list[GapInfo]
    """The longest of them."""

    gaps_total: int
    """Number of gaps over the bar."""

    host_bound_us: float | None = None
    """Idle time in which nothing was queued: the GPU waited for the host to launch; null when it cannot be told."""

    idle_unknown: str | None = None
    """Why idle time cannot be told: a code of the fitness list; null where it can."""

    idle_us: float | None = None
    """Span less busy."""

    launch_bound: bool | None = None
    """Whether the host is too slow for the GPU; null when it cannot be told."""

    launches: int
    """GPU events launched in it."""

    n: int
    """Number in the trace, from 0."""

    requests: int | None = None
    """Requests of the step, when its annotation says."""

    span_us: float | None = None
    """First to last GPU event launched in it; null when it cannot be told."""

    stage: str
    """Stage id."""

    tokens: int | None = None
    """Tokens of the step, when its annotation says."""


@dataclass(frozen=True, kw_only=True)
class StepKernel:
    """A kernel of a step."""

    category: str
    """Category."""

    name: str
    """As the trace has it."""


@dataclass(frozen=True, kw_only=True)
class StepLaunch:
    """One GPU event of a step."""

    dur_us: float
    """How long."""

    kernel: int
    """Index into the kernels of the step."""

    lane: int
    """Index into its streams."""

    start_us: float
    """From the begin of the step; below 0 where it began before."""


@dataclass(frozen=True, kw_only=True)
class StepTimeline:
    """A step of a stage, launch by launch: the one of median span."""

    dur_us: float
    """First begin to last end of what the step launched."""

    findings: list[StepFinding]
    """Rows of the tables that have occurrences in it, in the order of the tables."""

    kernels: list[StepKernel]
    """Each kernel that runs in it."""

    launches: list[StepLaunch]
    """What ran then, in start order."""

    launches_total: int
    """How many they are; more than are listed in the largest steps."""

    stage: str
    """Stage id."""

    step: int | None = None
    """Number of the step; null for a stage without steps, of which it is all that ran."""

    steps: int
    """Steps of the stage."""

    streams: list[int]
    """Streams as the trace has them, one a lane."""


@dataclass(frozen=True, kw_only=True)
class Straggler:
    """A rank that is slower than the others in something."""

    category: str
    """Category."""

    kernel: str
    """Kernel that adds most to the difference, as the trace has it."""

    kernel_over_us: float
    """What it adds."""

    launches: float
    """Its launches, a step where there are some."""

    median_launches: float
    """Median of the ranks: equal launches mean the same work, done more slowly."""

    median_us: float
    """Median of the ranks."""

    over_pct: float | None = None
    """Over the median; null when the median is nothing."""

    over_us: float
    """The same as time."""

    rank: str
    """Which rank."""

    stage: str
    """Stage id."""

    time_us: float
    """Its time, a step where there are some."""


@dataclass(frozen=True, kw_only=True)
class TimelineInfo:
    """One stretch of a stage: what its main stream repeats, and what other streams do meanwhile."""

    dur_us: float
    """First to last on the main stream."""

    idle_us: float
    """Time in which nothing ran."""

    launches: list[TimelineLaunch]
    """What ran in it, in start order."""

    module: str | None = None
    """Innermost module class around all of it; null when unknown."""

    n: int
    """Which of the step it is, from 1."""

    of: int
    """How many the step has."""

    stage: str
    """Stage id."""

    step: int | None = None
    """Number of the step; null outside steps."""

    windows: int
    """How many the stage has, of which this is the one of median length."""


@dataclass(frozen=True, kw_only=True)
class TimelineLaunch:
    """One GPU event of a stretch."""

    beside: list[Beside]
    """What ran beside it on other streams, the longest time first."""

    category: str
    """Category."""

    dur_us: float
    """How long."""

    exclusive_us: float
    """Time with nothing on another stream."""

    hidden_by_compute_us: float
    """Time with compute on another stream."""

    hidden_us: float
    """Time with something on another stream."""

    kernel: str
    """As the trace has it."""

    same_stream_us: float
    """Time in which the one before it on its own stream still ran, which hides nothing."""

    start_us: float
    """From the begin of the stretch; below 0 where it began before."""

    stream: int
    """Stream as the trace has it."""


@dataclass(frozen=True, kw_only=True)
class ToggleInfo:
    """What to type."""

    spelling: str
    """Exact spelling."""

    value: str
    """Value."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """The tool."""

    name: str
    """`llm-prof`."""

    version: str
    """Its version."""


@dataclass(frozen=True, kw_only=True)
class TraceInfo:
    """One file that was looked at."""

    date: str | None = None
    """When its first GPU event ran, such as `2026-11-24T10:00:00Z`; null when its clock does not tell."""

    device: str | None = None
    """Device analysed."""

    host: str | None = None
    """Host that it was taken on, when its header says."""

    path: str
    """As given."""

    rank: int | None = None
    """Rank, when known."""

    reason: str
    """Why taken or left."""

    role: str
    """`trace`, `formal`, `mapping`, `capture`, `frontend`, `merged`, `not-a-trace`."""

    stage: str | None = None
    """Stage by folder and file name, when they say one."""

    taken: bool
    """Whether figures come from it."""

    warnings: list[str]
    """Warnings of the reader."""


@dataclass(frozen=True, kw_only=True)
class UndecidedGate:
    """A condition that nothing decides."""

    family: str
    """Whose it is."""

    found: str
    """What was found, and what would decide it."""

    stage: str
    """In which stage."""

    wants: str
    """What it asks for."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole report."""

    attribution: Attribution
    """How launches were attributed."""

    capture: CaptureInfo | None = None
    """What was asked of the capture; null when the traces have no such file beside them."""

    fitness: list[Fitness]
    """What makes the traces unfit for a question, each with the fix."""

    framework: str | None = None
    """Framework id; null when unknown."""

    framework_version: str | None = None
    """Its version."""

    fuse: list[FuseRow]
    """Fuse-pattern table."""

    gpu: Gpu
    """GPU time and steps."""

    hardware: str | None = None
    """Device name."""

    hidden_rows: HiddenRows
    """Rows that the tables hide."""

    kernels: list[KernelRow]
    """Kernel table."""

    losses: Losses | None = None
    """What was skipped, repaired or left open."""

    mode: str
    """`single-trace` or `mapping-formal`."""

    model: str | None = None
    """Model."""

    new_candidates: list[NewCandidate]
    """Runs of launches near nothing known."""

    note: Note | None = None
    """Similarity note."""

    overlap: list[OverlapRow]
    """Overlap-opportunity table."""

    overlap_note: str
    """How the overlap table is to be read."""

    overlap_why: dict[str, str]
    """Why a stage has no row in it, by stage id."""

    ranks: Ranks | None = None
    """Several ranks beside each other; null when one rank was asked for."""

    rules: RulesInfo
    """Version, digest and number of families."""

    schema: str
    """`llm-prof.triage/1`."""

    server_args: ServerArgs
    """Server arguments that matter to a family."""

    stages: list[StageInfo]
    """Stages in order, with what the tables are shares of."""

    steps: dict[str, int]
    """Steps by stage id."""

    summary: str
    """One line."""

    timelines: list[TimelineInfo] | None = None
    """A typical stretch of each stage that has one; null unless asked for."""

    tool: Tool
    """Name and version of the tool."""

    tp: int | None = None
    """Tensor-parallel size."""

    traces: list[TraceInfo]
    """Every file looked at."""

    typical_steps: list[StepTimeline] | None = None
    """A typical step of each stage; null unless a timeline or a page was asked for."""
