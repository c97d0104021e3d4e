//! What all formats for people say in the same words.

use super::{Change, Comparison, Difference, FamilyChange, FamilySide, KernelChange, KernelSide, StageChange, Unit};
use crate::kernel_name;
use crate::report::cells;

/// A figure in the stage's unit.
pub(in crate::runs) fn amount(unit: Unit, value: Option<f64>) -> String {
    match (unit, value) {
        (_, None) => "–".to_owned(),
        (Unit::UsPerStep, Some(us)) => cells::time(us),
        (Unit::SharePct, Some(pct)) => cells::share(pct),
    }
}

/// A difference with its sign.
pub(super) fn signed(unit: Unit, change: &Change) -> String {
    let Some(delta) = change.delta else { return "–".to_owned() };
    let sign = if delta < 0.0 { "-" } else { "+" };
    match unit {
        Unit::UsPerStep => format!("{sign}{}", cells::time(delta.abs())),
        Unit::SharePct => format!("{sign}{:.1} points", delta.abs()),
    }
}

/// `+5.3 %`; nothing where there was nothing before.
pub(super) fn relative(change: &Change) -> String {
    change.delta_pct.map_or_else(|| "–".to_owned(), |pct| format!("{pct:+.1} %"))
}

/// `9.78 ms → 10.3 ms a step (+5.3 %, slower); span 10.4 ms → 10.9 ms; 551 → 560 launches a step`.
pub(super) fn stage(stage: &StageChange) -> String {
    let steps = format!("{} before, {} after", cells::plural(stage.steps_before, "step"), stage.steps_after);
    if stage.unit == Unit::SharePct {
        return format!("{steps}: without steps in both, shares of the stage are compared, not times");
    }
    let arrow =
        |change: &Change| format!("{} → {}", amount(stage.unit, change.before), amount(stage.unit, change.after));
    let verdict = stage.time.verdict.unwrap_or("not told");
    let mut text = format!("{} of GPU time a step ({}, {verdict})", arrow(&stage.time), relative(&stage.time));
    if stage.span.before.is_some() && stage.span.after.is_some() {
        text = format!("{text}; span {} ({})", arrow(&stage.span), relative(&stage.span));
    }
    text = format!("{text}; {} launches a step; {steps}", counts(&stage.launches));
    match stage.spread_pct {
        Some(pct) => format!("{text}, which vary by {}", cells::share(pct)),
        None => text,
    }
}

/// `36 → 72`.
pub(super) fn counts(change: &Change) -> String {
    let word = |value: Option<f64>| {
        let text = format!("{:.1}", value.unwrap_or(0.0));
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    if change.before == change.after {
        word(change.before)
    } else {
        format!("{} → {}", word(change.before), word(change.after))
    }
}

/// `in-use`, `split (Candidate)`, `–`.
pub(super) fn state(side: Option<&FamilySide>) -> String {
    match side {
        None => "–".to_owned(),
        Some(side) if side.confidence == "Candidate" => format!("{} (Candidate)", side.state),
        Some(side) => side.state.clone(),
    }
}

/// What a change word means.
pub(super) fn change(comparison: &Comparison, word: &str) -> &'static str {
    match word {
        // Nothing vanishes from one framework to another.
        "appeared-split" if comparison.aligned_by == "pattern" => "only after, split",
        "vanished" if comparison.aligned_by == "pattern" => "only before",
        "appeared" if comparison.aligned_by == "pattern" => "only after",
        "regressed" => "fused → split",
        "partly-regressed" => "less fused",
        "now-off-by-design" => "fused → off by design",
        "appeared-split" => "new, split",
        "vanished" => "gone",
        "newly-fused" => "split → fused",
        "partly-fused" => "more fused",
        "gates-changed" => "conditions changed",
        "appeared" => "new",
        "confidence-changed" => "evidence changed",
        _ => "same",
    }
}

/// What a verdict means; nothing where there is nothing to see.
pub(super) fn verdict(change: &Change) -> &'static str {
    match change.verdict {
        Some("same") | None => "",
        Some("noise") => "may be noise",
        Some(word) => word,
    }
}

/// Families that tables list.
pub(super) fn families(comparison: &Comparison) -> impl Iterator<Item = &FamilyChange> {
    comparison.families.iter().filter(|family| family.shown)
}

/// Families whose state is the same, in one sentence; nothing when there are none.
pub(super) fn unchanged(comparison: &Comparison) -> Option<String> {
    let same = comparison.families.iter().filter(|family| family.change == "same").count() as u64;
    (same > 0).then(|| match same {
        1 => "1 family is in the same state in both".to_owned(),
        _ => format!("{same} families are in the same state in both"),
    })
}

/// Why no family is listed.
pub(super) fn no_families(comparison: &Comparison) -> String {
    match (comparison.stages.is_empty(), unchanged(comparison)) {
        (true, _) => "No row: the runs have no stage in common.".to_owned(),
        (_, Some(same)) => format!("No row: {same}."),
        _ => "No row: neither run has a known family.".to_owned(),
    }
}

/// What a comparison across frameworks aligns families by.
pub(super) fn aligned(comparison: &Comparison) -> &'static str {
    if comparison.aligned_by == "pattern" {
        "two frameworks: families that say one pattern stand in one row"
    } else {
        "families whose state differs, the loudest first"
    }
}

/// What is said above everything.
pub(super) fn warnings(comparison: &Comparison) -> Vec<String> {
    let mut lines: Vec<String> =
        comparison.differences.iter().map(|one: &Difference| cells::clean(&one.text)).collect();
    for (ids, which) in [(&comparison.only_before, "before"), (&comparison.only_after, "after")] {
        if !ids.is_empty() {
            lines.push(format!("stage {} is only {which}, so it is compared with nothing", ids.join(", ")));
        }
    }
    lines
}

/// Lists of kernels in the order in which they are read: title, verdicts.
pub(super) const LISTS: [(&str, &[&str]); 4] = [
    ("slower", &["slower", "more"]),
    ("faster", &["faster", "less"]),
    ("vanished", &["vanished"]),
    ("appeared", &["appeared"]),
];

/// The kernels of a list, of which tables show the first `most`.
pub(super) fn listed<'a>(stage: &'a StageChange, verdicts: &[&str]) -> Vec<&'a KernelChange> {
    stage.kernels.iter().filter(|kernel| kernel.time.verdict.is_some_and(|word| verdicts.contains(&word))).collect()
}

/// What of a list is not shown, and kernels that no list has.
pub(super) fn rest(stage: &StageChange, most: usize) -> Option<String> {
    let cut: usize = LISTS.iter().map(|(_, words)| listed(stage, words).len().saturating_sub(most)).sum();
    let of = |word: &str| stage.kernels.iter().filter(|kernel| kernel.time.verdict == Some(word)).count() as u64;
    let (same, noise) = (of("same"), of("noise"));
    let mut parts = Vec::new();
    if cut > 0 {
        parts.push(format!("{} beyond the first {most} of a list", cells::plural(cut as u64, "row")));
    }
    if same > 0 {
        parts.push(format!("{} with too little between them to matter", cells::plural(same, "kernel")));
    }
    if noise > 0 {
        parts.push(format!("{} with no more than may be noise", cells::plural(noise, "kernel")));
    }
    (!parts.is_empty()).then(|| format!("not shown: {} (--format json has all)", parts.join(", ")))
}

/// Short names of the kernels of one side, the first by time and how many more.
pub(super) fn names(side: &[KernelSide], columns: usize) -> String {
    let Some(first) = side.first() else { return "nothing".to_owned() };
    let name = cells::clean(&kernel_name::shorten(&[&first.parts], columns).concat());
    match side.len() {
        1 => name,
        more => format!("{name} and {} more", more - 1),
    }
}

/// How two kernels that are not of one name were taken for one another.
pub(super) fn paired(kernel: &KernelChange) -> Option<&'static str> {
    match kernel.paired_by? {
        "identifier" => Some("paired by its name without template arguments"),
        "shape" => Some("paired by its name without numbers (tile sizes)"),
        "place" => Some("another kernel for the same work at the same place"),
        _ => None,
    }
}

/// Key and value, in order.
pub(super) fn header(comparison: &Comparison) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for (key, run) in [("Before", &comparison.before), ("After", &comparison.after)] {
        let about = if run.about.is_empty() { String::new() } else { format!(" ({})", cells::clean(&run.about)) };
        lines.push((key, format!("{}{about}", cells::clean(&run.path))));
    }
    lines.extend(warnings(comparison).into_iter().map(|text| ("Warning", text)));
    lines
}

/// Whether a change is for the worse.
pub(super) fn is_bad(change: &str) -> bool {
    matches!(change, "regressed" | "partly-regressed" | "now-off-by-design" | "appeared-split")
}

/// GPU time of a family: `120 µs → 350 µs a step (+192 %), 36 → 36 times a step`.
pub(super) fn time(comparison: &Comparison, family: &FamilyChange) -> String {
    let unit = comparison.stages.iter().find(|stage| stage.stage == family.stage).map_or(Unit::SharePct, |s| s.unit);
    let each = if unit == Unit::UsPerStep { " a step" } else { " of the stage" };
    let (before, after) = (amount(unit, family.time.before), amount(unit, family.time.after));
    let mut text = format!("{before} → {after}{each}");
    if family.time.delta_pct.is_some() && unit == Unit::UsPerStep {
        text = format!("{text} ({})", relative(&family.time));
    }
    let often = |side: Option<&FamilySide>| side.and_then(|side| side.per_step);
    if let (Some(before), Some(after)) = (often(family.before.as_ref()), often(family.after.as_ref())) {
        let times = Change { before: Some(before), after: Some(after), ..Change::default() };
        text = format!("{text}, {} times a step", counts(&times));
    }
    text
}

/// The title of a list of kernels.
pub(super) fn list_title(unit: Unit, list: &'static str) -> &'static str {
    match (unit, list) {
        (Unit::SharePct, "slower") => "takes more of the stage",
        (Unit::SharePct, "faster") => "takes less of the stage",
        _ => list,
    }
}

/// The side whose names a row has: the second run's, where it has any.
pub(super) fn shown_side(kernel: &KernelChange) -> &[KernelSide] {
    if kernel.after.is_empty() { &kernel.before } else { &kernel.after }
}

/// What stands below a row: launches, place, and how it was paired.
pub(super) fn facts(unit: Unit, kernel: &KernelChange, columns: usize) -> String {
    let each = if unit == Unit::UsPerStep { " a step" } else { "" };
    let launches = counts(&kernel.launches);
    let mut facts = vec![format!("{launches} {}{each}", if launches == "1" { "launch" } else { "launches" })];
    facts.extend(kernel.place.as_ref().map(|place| format!("in {}", cells::clean(place))));
    if let Some(paired) = paired(kernel) {
        facts.push(format!("{paired}; before: {}", names(&kernel.before, columns)));
    }
    facts.join(" · ")
}
