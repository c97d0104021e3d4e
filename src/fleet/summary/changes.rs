//! What is new or gone since another fleet was looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::schema::fleet::FleetFile;

use super::{CategoryChange, Changes, Facts, FamilyChange, Slow, Straggler, Summary, fleet, pct, spread, stragglers};

/// Before and now, side by side.
pub(super) fn changes(path: &str, before: &Facts, now: &Facts, summary: &Summary, settings: &FleetFile) -> Changes {
    let servers = |facts: &Facts| facts.traces.iter().map(|trace| trace.server.clone()).collect::<BTreeSet<_>>();
    let (then, here) = (servers(before), servers(now));
    let slow = |list: &[Straggler]| list.iter().map(Slow::of).collect::<BTreeSet<_>>();
    let (slow_then, slow_now) =
        (slow(&stragglers::stragglers(before, &settings.stragglers)), slow(&summary.stragglers));
    let only = |these: &BTreeSet<Slow>, those: &BTreeSet<Slow>, seen: &BTreeSet<String>| {
        these.difference(those).filter(|one| seen.contains(&one.server)).cloned().collect()
    };
    Changes {
        baseline: path.to_owned(),
        before: fleet(before),
        servers_gone: then.difference(&here).count() as u64,
        servers_new: here.difference(&then).count() as u64,
        families: families(before, now),
        categories: categories(before, summary, settings.shift_points),
        stragglers_new: only(&slow_now, &slow_then, &then),
        stragglers_gone: only(&slow_then, &slow_now, &here),
    }
}

impl Slow {
    fn of(straggler: &Straggler) -> Self {
        Self { server: straggler.server.clone(), rank: straggler.rank, stage: straggler.stage.clone() }
    }
}

/// What a fleet says of a family.
#[derive(Default)]
struct Side<'a> {
    missing: BTreeSet<&'a str>,
    found: BTreeSet<&'a str>,
    pct: f64,
}

fn side<'a>(facts: &'a Facts, family: &str) -> Side<'a> {
    let Some(family) = facts.families.get(family) else { return Side::default() };
    let servers = |missing: bool| {
        let found = family.found.iter().filter(|found| found.missing || !missing);
        found.map(|found| facts.server(found.trace)).collect()
    };
    let stake = family.found.iter().map(|found| found.at_stake).sum();
    Side { missing: servers(true), found: servers(false), pct: pct(stake, facts.gpu()) }
}

fn families(before: &Facts, now: &Facts) -> Vec<FamilyChange> {
    let ids: BTreeSet<&String> = before.families.keys().chain(now.families.keys()).collect();
    let here: BTreeSet<&str> = now.traces.iter().map(|trace| trace.server.as_str()).collect();
    let then: BTreeSet<&str> = before.traces.iter().map(|trace| trace.server.as_str()).collect();
    let mut list: Vec<FamilyChange> = (ids.into_iter())
        .filter_map(|id| {
            let (old, new) = (side(before, id), side(now, id));
            let appeared = new.missing.iter().filter(|server| then.contains(*server) && !old.missing.contains(*server));
            let mended = old.missing.iter().filter(|server| {
                here.contains(*server) && new.found.contains(*server) && !new.missing.contains(*server)
            });
            let change = match (old.missing.len(), new.missing.len()) {
                (before, now) if before == now && old.missing == new.missing => return None,
                (0, _) => "new",
                (_, 0) => "gone",
                (before, now) if now >= before => "more",
                _ => "fewer",
            };
            let title = now.families.get(id).or_else(|| before.families.get(id)).map(|family| family.title.clone());
            Some(FamilyChange {
                family: id.clone(),
                title: title.unwrap_or_default(),
                change,
                before: old.missing.len() as u64,
                now: new.missing.len() as u64,
                appeared: appeared.count() as u64,
                mended: mended.count() as u64,
                before_pct: old.pct,
                now_pct: new.pct,
            })
        })
        .collect();
    let order = |change: &str| ["new", "gone", "more", "fewer"].iter().position(|own| *own == change);
    let moved = |one: &FamilyChange| (one.now_pct - one.before_pct).abs();
    list.sort_by(|a, b| {
        (order(a.change).cmp(&order(b.change)))
            .then_with(|| moved(b).total_cmp(&moved(a)))
            .then_with(|| a.family.cmp(&b.family))
    });
    list
}

fn categories(before: &Facts, summary: &Summary, points: f64) -> Vec<CategoryChange> {
    let then = spread(before);
    let mut list = Vec::new();
    for now in &summary.spread {
        let Some(old) = then.iter().find(|old| (&old.model, &old.stage) == (&now.model, &now.stage)) else { continue };
        let mut medians: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        for (side, spread) in [old, now].into_iter().enumerate() {
            for one in &spread.categories {
                medians.entry(&one.category).or_default()[side] = one.p50_pct;
            }
        }
        for (category, [before_pct, now_pct]) in medians {
            if (now_pct - before_pct).abs() >= points {
                let (model, stage) = (now.model.clone(), now.stage.clone());
                list.push(CategoryChange { model, stage, category: category.to_owned(), before_pct, now_pct });
            }
        }
    }
    let moved = |one: &CategoryChange| (one.now_pct - one.before_pct).abs();
    // Equal ones stay in the order of time, then name.
    list.sort_by(|a, b| moved(b).total_cmp(&moved(a)));
    list
}
