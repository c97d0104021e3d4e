//! Verdicts on kernels that no family speaks of.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::{Ground, Overlap, Risk, Risks, Waiting};
use crate::attribution::{KernelId, Launch, LaunchId, Stage};
use crate::rules::schema::overlap::{VerdictRule, of_us};
use crate::units::{Nanos, percent};

/// One row a kernel and stage at most: the first verdict that fits.
pub(super) fn rows(ground: &Ground<'_>, spoken_of: &[LaunchId]) -> Vec<Overlap> {
    let spoken_of: FxHashSet<LaunchId> = spoken_of.iter().copied().collect();
    let timeline = ground.timeline;
    let mut groups: BTreeMap<(Stage, KernelId, u16), Vec<LaunchId>> = BTreeMap::new();
    for id in timeline.launch_ids().filter(|id| !spoken_of.contains(id)) {
        let launch = timeline.launch(id);
        if launch.stage != Stage::Capture {
            let class = ground.classes.of_launch[id.0 as usize];
            groups.entry((launch.stage, launch.kernel, class)).or_default().push(id);
        }
    }
    let row = |((stage, kernel, class), launches): ((Stage, KernelId, u16), Vec<LaunchId>)| {
        let category = &ground.classes.names[class as usize];
        let rules = ground.rules.overlap.verdicts.iter();
        let mut rules = rules.filter(|rule| rule.categories.contains(category));
        rules.find_map(|rule| judge(ground, rule, stage, kernel, &launches))
    };
    groups.into_iter().filter_map(row).collect()
}

fn judge(
    ground: &Ground<'_>,
    rule: &VerdictRule,
    stage: Stage,
    kernel: KernelId,
    launches: &[LaunchId],
) -> Option<Overlap> {
    let (time, times) = ground.sum(launches);
    let over = |part: Nanos, least: Option<f64>| least.is_none_or(|pct| percent(part, time) >= pct);
    let fits = time > Nanos::ZERO
        && time >= of_us(rule.time_min_us)
        && over(times.exclusive, rule.exclusive_min_pct)
        && over(times.hidden, rule.hidden_min_pct);
    if !fits {
        return None;
    }
    let row = Overlap {
        stage,
        family: None,
        verdict: rule.verdict.clone(),
        kernel,
        partner: None,
        launches: launches.to_vec(),
        time,
        times,
        risks: Risks::default(),
        could_save: None,
        waiting: waiting(ground, launches),
        reasons: Vec::new(),
    };
    if rule.exclusive_min_pct.is_some() { exposed(ground, rule, row) } else { Some(hidden(ground, row)) }
}

/// What is exposed needs a partner.
fn exposed(ground: &Ground<'_>, rule: &VerdictRule, mut row: Overlap) -> Option<Overlap> {
    let timeline = ground.timeline;
    let within = ground.rules.overlap.within();
    let mut partners = Vec::new();
    let mut taken: FxHashSet<LaunchId> = FxHashSet::default();
    let mut saved = Nanos::ZERO;
    let (mut near_any, mut apart) = (0_u64, 0_u64);
    for &id in &row.launches {
        let exclusive = ground.exposure.of(id).exclusive;
        if exclusive == Nanos::ZERO {
            continue;
        }
        let near = ground.near.around(id, within);
        let compute: Vec<LaunchId> = near.filter(|other| ground.classes.is_compute(*other)).collect();
        near_any += u64::from(!compute.is_empty());
        let elsewhere = |other: &&LaunchId| timeline.launch(**other).stream != timeline.launch(id).stream;
        let others: Vec<LaunchId> = compute.iter().filter(elsewhere).copied().collect();
        apart += u64::from(!others.is_empty());
        let mut apart_from = others.iter().filter(|other| ground.near.waits && !ground.near.ordered(id, **other));
        let idle = |other: &&LaunchId| ground.exposure.of(**other).exclusive > Nanos::ZERO;
        let free = apart_from.clone().find(|other| idle(other)).or_else(|| apart_from.next());
        row.risks.count(match free {
            Some(_) => Risk::Low,
            None if ground.near.waits && !others.is_empty() => Risk::High,
            None => Risk::Unclear,
        });
        if let Some(partner) = free {
            partners.push(*partner);
            if taken.insert(*partner) {
                saved += exclusive.min(ground.exposure.of(*partner).exclusive);
            }
        } else {
            // What runs beside a part of it does not need it.
            let beside = others.iter().find(|other| meet(timeline.launch(id), timeline.launch(**other)));
            partners.extend(beside.or(others.first()).or(compute.first()));
        }
    }
    let risk = row.risks.worst();
    // All that could run beside it runs beside something already.
    let nothing_left = risk == Risk::Low && saved == Nanos::ZERO;
    if near_any == 0 || nothing_left || (rule.proof && risk != Risk::Low) {
        return None;
    }
    row.partner = ground.heaviest(&partners);
    row.could_save = (risk == Risk::Low).then_some(saved);
    row.reasons.push(if apart == 0 {
        "runs on one stream with the compute near it, and the same stream is no dependence".to_owned()
    } else {
        format!(
            "runs on another stream than compute near it, and yet {:.0} % of it has nothing beside it",
            percent(row.times.exclusive, row.time)
        )
    });
    row.reasons.push(match (risk, ground.near.waits) {
        (Risk::Low, _) => "no way leads from one to the other in the waits that the trace records".to_owned(),
        (Risk::High, _) => format!("recorded waits order {} of {} with it", row.risks.high, row.launches.len()),
        (Risk::Unclear, true) => "no recorded wait tells whether the two need each other".to_owned(),
        (Risk::Unclear, false) => {
            "the trace records no waits between streams, so nothing tells whether the two need each other".to_owned()
        }
    });
    Some(row)
}

/// Whether both run at some time.
fn meet(one: &Launch, two: &Launch) -> bool {
    one.start < two.end() && two.start < one.end()
}

fn hidden(ground: &Ground<'_>, mut row: Overlap) -> Overlap {
    let mut beside = Vec::new();
    for &id in row.launches.iter().filter(|id| ground.exposure.of(**id).hidden > Nanos::ZERO) {
        let own = ground.timeline.launch(id);
        let runs_beside = |other: &LaunchId| {
            let other = ground.timeline.launch(*other);
            other.stream != own.stream && meet(own, other)
        };
        beside.extend(ground.near.around(id, Nanos::ZERO).find(runs_beside));
        row.risks.count(Risk::Low);
    }
    row.partner = ground.heaviest(&beside);
    row.reasons.push(format!(
        "{:.0} % of it runs beside another stream, {:.0} % beside compute",
        percent(row.times.hidden, row.time),
        percent(row.times.hidden_by_compute, row.time)
    ));
    row
}

/// Of collectives, time above the fastest of the same kernel and message size: possible waiting for other ranks. The
/// size is known by the op's shapes, else by the launch grid; where neither is, nothing is said.
pub(super) fn waiting(ground: &Ground<'_>, launches: &[LaunchId]) -> Option<Waiting> {
    let timeline = ground.timeline;
    let mut sizes: BTreeMap<(KernelId, bool, &str), (u64, Nanos, Nanos)> = BTreeMap::new();
    for &id in launches.iter().filter(|id| ground.rules.overlap.is_communication(ground.classes.name_of(**id))) {
        let launch = timeline.launch(id);
        let dims = timeline.context(id).dims;
        let Some(size) = dims.or(launch.grid) else { continue };
        let key = (launch.kernel, dims.is_some(), timeline.strings.get(size));
        let sum = sizes.entry(key).or_insert((0, Nanos::ZERO, launch.dur));
        sum.0 += 1;
        sum.1 += launch.dur;
        sum.2 = sum.2.min(launch.dur);
    }
    let several = || sizes.iter().filter(|(_, (n, ..))| *n > 1);
    several().next()?;
    Some(Waiting {
        time: several().map(|(_, (n, time, least))| *time - Nanos(least.0 * *n as i64)).sum(),
        sized: several().all(|((_, by_shapes, _), _)| *by_shapes),
    })
}
