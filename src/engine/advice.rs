//! What to do about a finding, in words and in the spelling of the trace's version.

use super::gates::{Effect, Gate, argument, callers, first_version, same_value};
use super::{Action, State, Tri};
use crate::attribution::Run;
use crate::rules::version::within;
use crate::rules::{Family, Origin, RuleSet, SourcePath, Status, Toggle};

/// The toggles of a family that do something for the trace's model and on its GPU, as its version spells them; when the
/// version is unknown, those that the server arguments name, else the newest spelling.
pub fn toggles<'a>(family: &'a Family, run: &Run) -> Vec<&'a Toggle> {
    if callers::served(family, run) == Tri::No {
        return Vec::new();
    }
    let version = run.framework_version.as_ref().map(|known| known.value.as_str());
    let of_model =
        |toggle: &&Toggle| run.model.as_ref().is_none_or(|model| callers::is_of(&toggle.models, &model.value));
    let here = || family.toggles.iter().filter(|toggle| is_of(toggle.vendor.as_ref(), run)).filter(of_model);
    if version.is_none() && spelled_by_args(family, run) {
        let named: Vec<&Toggle> = here().filter(|t| argument(run, &t.name).is_some()).collect();
        let newest: Vec<&Toggle> = named.iter().copied().filter(|t| t.until.is_none()).collect();
        return if newest.is_empty() { named } else { newest };
    }
    here().filter(|t| holds(version, t.since.as_deref(), t.until.as_deref())).collect()
}

/// Whether something of a vendor is of the run's GPU; of an unknown GPU it may be.
pub fn is_of(vendor: Option<&String>, run: &Run) -> bool {
    vendor.is_none_or(|vendor| run.vendor.as_ref().is_none_or(|known| known.value == *vendor))
}

/// Whether the server arguments, which one version wrote, name a toggle of the family.
fn spelled_by_args(family: &Family, run: &Run) -> bool {
    family.toggles.iter().any(|toggle| argument(run, &toggle.name).is_some())
}

/// The places of the fused path in the trace's version, on its GPU; those of the newest when the version is unknown, and
/// of all vendors when the GPU is.
pub fn sources<'a>(family: &'a Family, run: &Run) -> Vec<&'a SourcePath> {
    let version = run.framework_version.as_ref().map(|known| known.value.as_str());
    (family.sources.iter())
        .filter(|source| holds(version, source.since.as_deref(), source.until.as_deref()))
        .filter(|source| is_of(source.vendor.as_ref(), run))
        .collect()
}

/// What is gone in the newest version has an end; nothing newer is known.
pub(super) fn holds(version: Option<&str>, since: Option<&str>, until: Option<&str>) -> bool {
    within(version, since, until).unwrap_or(until.is_none())
}

/// A toggle as one types it.
pub fn typed(toggle: &Toggle) -> String {
    match (toggle.name.starts_with("--"), toggle.value.as_str()) {
        (true, "true") | (_, "") => toggle.name.clone(),
        (true, value) => format!("{} {value}", toggle.name),
        (false, value) => format!("{}={value}", toggle.name),
    }
}

/// Whether a toggle is on; none when nobody says.
pub fn is_on(toggle: &Toggle, run: &Run) -> Option<bool> {
    let unset = || toggle.default.clone().filter(|_| run.server_args_source.is_some());
    // What the server says it did beats what it was started with.
    if run.asked.contains_key(&toggle.name) {
        return Some(true);
    }
    argument(run, &toggle.name).or_else(unset).map(|value| same_value(&value, &toggle.value))
}

/// What to do.
pub(super) fn action(family: &Family, run: &Run, state: State, gates: &[Gate]) -> Action {
    let says_no = |effect| gates.iter().any(|gate| gate.answer == Tri::No && gate.effect == effect);
    if state == State::InUse {
        Action::None
    } else if state == State::OffByDesign || says_no(Effect::OffByDesign) {
        Action::OffByDesign
    } else if family.origin == Origin::Inflight {
        Action::InFlight
    } else if says_no(Effect::Upgrade) {
        Action::Upgrade
    } else if toggles(family, run).iter().any(|toggle| is_on(toggle, run) == Some(false)) {
        Action::TurnOn
    } else {
        Action::Check
    }
}

/// The same in words: sentences without a full stop, joined by `; `. `model_file` is where the model could call the path.
pub(super) fn advice(
    rules: &RuleSet,
    family: &Family,
    run: &Run,
    action: Action,
    gates: &[Gate],
    in_use: impl Fn(&str) -> bool,
    model_file: Option<String>,
) -> String {
    let list =
        |toggles: &[&Toggle]| toggles.iter().map(|t| format!("`{}`", typed(t))).collect::<Vec<_>>().join(" and ");
    let all = toggles(family, run);
    let (on, off): (Vec<&Toggle>, Vec<&Toggle>) =
        all.iter().filter(|t| is_on(t, run).is_some()).partition(|t| is_on(t, run) == Some(true));
    let unmet = |effect| gates.iter().filter(move |g| g.answer == Tri::No && g.effect == effect).map(Gate::reason);
    let elsewhere = family.toggles.iter().find(|toggle| !is_of(toggle.vendor.as_ref(), run)).map(|toggle| {
        let vendor = toggle.vendor.as_deref().unwrap_or_default();
        format!(
            "the fused path is there for {vendor} GPUs (`{}`); nothing is known that turns it on here",
            typed(toggle)
        )
    });
    let uncalled = gates.iter().find(|gate| gate.effect == Effect::Uncalled && gate.answer == Tri::No);
    let mut words = Vec::new();
    let witness = all.iter().find_map(|toggle| run.asked.get(&toggle.name));
    match action {
        Action::None | Action::NewlyFused => {
            words.push("the fused path is in use".to_owned());
            words.extend(witness.map(|line| format!("the server's log says so too: `{line}`")));
            return words.join("; ");
        }
        Action::OffByDesign => return unmet(Effect::OffByDesign).collect::<Vec<_>>().join("; "),
        Action::Upgrade => words.extend(unmet(Effect::Upgrade)),
        Action::InFlight if family.pr.is_empty() => words.push("in an open pull request, in no release yet".to_owned()),
        Action::InFlight => words.push(format!("in an open pull request, in no release yet: {}", family.pr.join(", "))),
        Action::TurnOn => words.push(format!("set {}", list(&off))),
        Action::Check | Action::Regressed => match sources(family, run).first() {
            _ if uncalled.is_some() => {}
            _ if !all.is_empty() && on.len() == all.len() => {
                words.push(format!(
                    "{} is set, and yet the split form runs: see what else the path asks for",
                    list(&on)
                ));
            }
            _ if !all.is_empty() => words.push(format!("check that {} is set", list(&all))),
            _ if elsewhere.is_some() => words.extend(elsewhere),
            Some(source) => words.push(format!("the fused path should apply here: check {}", source.path)),
            None => words.push("the fused path should apply here".to_owned()),
        },
    }
    let callers = gates.iter().filter(|gate| gate.effect == Effect::Uncalled && gate.answer != Tri::Yes);
    words.extend(callers.map(|gate| gate.found.clone()));
    words.extend(model_file.filter(|_| uncalled.is_some()).map(|file| format!("call it in {file}")));
    words.extend(gates.iter().filter(|g| g.answer != Tri::Yes && g.effect == Effect::Raise).map(Gate::reason));
    if let Some(line) = witness {
        words.push(format!("the server's log asks for it (`{line}`), and the trace does not have it"));
    }
    if run.framework_version.is_none() {
        if let (Some(since), true) = (first_version(family, run), matches!(action, Action::Check | Action::TurnOn)) {
            let framework = run.framework.as_ref().map_or("the framework", |known| known.value.as_str());
            words.push(format!("it is in {framework} ≥ {since}, and the version of this trace is unknown"));
        } else if family.toggles.iter().any(|t| t.since.is_some() || t.until.is_some()) && !spelled_by_args(family, run)
        {
            words.push("spelled as in the newest version, as this trace's is unknown".to_owned());
        }
    }
    for id in family.excludes.iter().filter(|_| uncalled.is_none()) {
        let Some(other) = rules.families.iter().find(|other| other.id == *id) else { continue };
        let now = if in_use(id) { ", which is in use here" } else { "" };
        words.push(format!("cannot run together with {}{now}", other.title));
    }
    if family.status == Status::Retired
        && let Some(next) = &family.replaced_by
    {
        words.push(format!("replaced by {next}"));
    }
    words.join("; ")
}
