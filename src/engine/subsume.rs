//! Labels of findings that share launches: the shorter chain is covered by the longer one, the rest overlap. Figures stay.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Finding, State};
use crate::attribution::LaunchId;
use crate::rules::{Origin, RuleSet};

/// The launches of one form of a finding.
struct Form {
    finding: usize,
    fused: bool,
    /// In order.
    launches: Vec<LaunchId>,
}

/// What gates say of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// None says no.
    Open,
    /// Nobody calls the path for the model, and nothing else says no.
    Uncalled,
    /// One says no.
    Closed,
}

/// Sets `covered_by` and `overlaps_with`; `standing` is by finding.
///
/// Only like stands beside like: what is in use never competes with what is split.
pub(super) fn label(rules: &RuleSet, findings: &mut [Finding], standing: &[Standing]) {
    let forms = forms(findings);
    let mut by_launch: FxHashMap<(LaunchId, bool), Vec<usize>> = FxHashMap::default();
    for (index, form) in forms.iter().enumerate() {
        for launch in &form.launches {
            by_launch.entry((*launch, form.fused)).or_default().push(index);
        }
    }
    let mut covers: Vec<Vec<(bool, usize)>> = vec![Vec::new(); findings.len()];
    let mut touches: Vec<Vec<usize>> = vec![Vec::new(); findings.len()];
    for form in &forms {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for launch in &form.launches {
            for other in &by_launch[&(*launch, form.fused)] {
                *shared.entry(*other).or_default() += 1;
            }
        }
        for (other, count) in shared {
            let (this, that) = (form.finding, forms[other].finding);
            if this == that {
                continue;
            }
            touches[this].push(that);
            if beats(
                rules,
                findings,
                standing,
                this,
                that,
                count == form.launches.len(),
                forms[other].launches.len() > count,
            ) {
                covers[this].push((form.fused, that));
            }
        }
    }
    for index in 0..findings.len() {
        let halves: Vec<bool> = match findings[index].state {
            State::InUse => vec![true],
            State::Partly => vec![true, false],
            State::Split | State::OffByDesign => vec![false],
        };
        let covering = |that: &usize| halves.iter().all(|half| covers[index].contains(&(*half, *that)));
        let mut candidates: Vec<usize> =
            covers[index].iter().map(|(_, that)| *that).filter(|that| covering(that)).collect();
        candidates.sort_unstable();
        candidates.dedup();
        let best = candidates.into_iter().min_by_key(|that| {
            let family = &rules.families[findings[*that].family];
            let launches: usize =
                forms.iter().filter(|form| form.finding == *that).map(|form| form.launches.len()).sum();
            (std::cmp::Reverse(launches), std::cmp::Reverse(family.priority), findings[*that].family)
        });
        findings[index].covered_by = best.map(|that| findings[that].family);
    }
    // Covered rows are listed with what covers them; the others name each other.
    for (index, mut touching) in touches.into_iter().enumerate() {
        touching.sort_unstable();
        touching.dedup();
        let mut overlapping: Vec<usize> = touching
            .into_iter()
            .filter(|that| standing[index].max(standing[*that]) != Standing::Closed)
            .filter(|that| findings[*that].covered_by != Some(findings[index].family))
            .filter(|that| findings[index].covered_by != Some(findings[*that].family))
            .map(|that| findings[that].family)
            .collect();
        overlapping.sort_unstable();
        findings[index].overlaps_with = overlapping;
    }
}

fn forms(findings: &[Finding]) -> Vec<Form> {
    let mut forms = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        for (fused, half) in [(true, &finding.fused), (false, &finding.split)] {
            let mut launches: Vec<LaunchId> = half.occurrences.iter().flat_map(|o| &o.launches).copied().collect();
            launches.sort_unstable();
            launches.dedup();
            if !launches.is_empty() {
                forms.push(Form { finding: index, fused, launches });
            }
        }
    }
    forms
}

/// Whether `that` covers `this`, all of whose launches it has (`within`), and perhaps `more`.
fn beats(
    rules: &RuleSet,
    findings: &[Finding],
    standing: &[Standing],
    this: usize,
    that: usize,
    within: bool,
    more: bool,
) -> bool {
    let (small, large) = (&rules.families[findings[this].family], &rules.families[findings[that].family]);
    // What cannot be had here does not stand in the way of what can.
    let blocked = standing[that] == Standing::Closed || standing[that] > standing[this];
    if blocked || small.subsumes.contains(&large.id) {
        return false;
    }
    // What nobody can run yet does not stand in the way of what can be run today.
    if large.origin == Origin::Inflight && small.origin != Origin::Inflight {
        return false;
    }
    // A guess does not stand before what is proven.
    if findings[that].confidence > findings[this].confidence {
        return false;
    }
    if large.subsumes.contains(&small.id) {
        return true;
    }
    let first = (std::cmp::Reverse(large.priority), findings[that].family)
        < (std::cmp::Reverse(small.priority), findings[this].family);
    // Of two that share all, the one that can apply is the row.
    within
        && (more
            || first
            || standing[this] > standing[that]
            || (small.origin == Origin::Inflight && large.origin != Origin::Inflight))
}
