//! Tables in, what a fleet has in common out: families by servers, spread of categories, stragglers, changes.
//!
//! A server is affected by a family when one of its traces has it split or partly fused and no larger pattern covers it.
//! Time at stake is added up from `at_stake_us`, in which launches that several families count stand once.

mod changes;
mod facts;
pub mod html;
pub mod markdown;
mod model;
mod sections;
mod stragglers;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::schema::fleet::FleetFile;

pub use facts::{BadLine, Facts};
use facts::{FamilyFacts, Trace};
pub use model::*;

/// The document on the tables in the folder `path`, and what changed since those of another.
pub fn summarise(path: &str, facts: &Facts, baseline: Option<(&str, &Facts)>, settings: &FleetFile) -> Summary {
    let mut summary = Summary {
        schema: "llm-prof.fleet/1",
        path: path.to_owned(),
        fleet: fleet(facts),
        families: families(facts, settings.worst),
        overlap: overlap(facts),
        spread: spread(facts),
        stragglers: stragglers::stragglers(facts, &settings.stragglers),
        changes: None,
    };
    summary.changes = baseline.map(|(path, before)| changes::changes(path, before, facts, &summary, settings));
    summary
}

/// The JSON contract, as [`Summary`] has it, with a final newline.
pub fn json(summary: &Summary) -> String {
    crate::plain::json(summary)
}

fn us(ns: i64) -> f64 {
    ns as f64 / 1000.0
}

/// In per cent, to the thousandth.
fn pct(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { (part as f64 / whole as f64 * 100_000.0).round() / 1000.0 }
}

/// The value that so many per cent of the sorted values do not exceed.
fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let at = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(at - 1).copied()
}

impl Facts {
    fn trace(&self, id: u32) -> &Trace {
        &self.traces[id as usize]
    }

    fn server(&self, id: u32) -> &str {
        &self.trace(id).server
    }

    fn gpu(&self) -> i64 {
        self.traces.iter().map(|trace| trace.gpu).sum()
    }
}

/// Names by how many servers they are on, most first.
fn counted<'a>(on: impl Iterator<Item = (String, &'a str)>) -> Vec<NameCount> {
    let mut servers: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (name, server) in on {
        servers.entry(name).or_default().insert(server);
    }
    let counts = servers.into_iter().map(|(name, servers)| NameCount { name, servers: servers.len() as u64 });
    let mut counts: Vec<NameCount> = counts.collect();
    counts.sort_by(|a, b| b.servers.cmp(&a.servers).then_with(|| a.name.cmp(&b.name)));
    counts
}

/// Versions by how many servers run them, and of how many.
fn versions(facts: &Facts, affected: &BTreeSet<u32>, all: &BTreeSet<u32>) -> Vec<VersionCount> {
    // Those affected, and all.
    type Servers<'a> = [BTreeSet<&'a str>; 2];
    let mut found: BTreeMap<(Option<String>, Option<String>), Servers> = BTreeMap::new();
    for id in all {
        let trace = facts.trace(*id);
        let [ours, every] = found.entry((trace.framework.clone(), trace.version.clone())).or_default();
        every.insert(&trace.server);
        if affected.contains(id) {
            ours.insert(&trace.server);
        }
    }
    let counts = found.into_iter().map(|((framework, version), [ours, every])| VersionCount {
        framework,
        version,
        servers: ours.len() as u64,
        of: every.len() as u64,
    });
    let mut counts: Vec<VersionCount> = counts.filter(|count| count.servers > 0).collect();
    counts.sort_by(|a, b| {
        b.servers.cmp(&a.servers).then_with(|| (&a.framework, &a.version).cmp(&(&b.framework, &b.version)))
    });
    counts
}

fn fleet(facts: &Facts) -> Fleet {
    let all: BTreeSet<u32> = facts.ids.values().copied().collect();
    let traces = &facts.traces;
    let set = |names: &mut dyn Iterator<Item = &String>| names.collect::<BTreeSet<_>>().len() as u64;
    let dates = || traces.iter().filter_map(|trace| trace.date.clone());
    Fleet {
        traces: traces.len() as u64,
        servers: set(&mut traces.iter().map(|trace| &trace.server)),
        hosts: set(&mut traces.iter().filter(|trace| trace.has_host).map(|trace| &trace.server)),
        runs: set(&mut traces.iter().map(|trace| &trace.run)),
        gpu_us: us(facts.gpu()),
        failed: facts.failed,
        unfit: traces.iter().filter(|trace| trace.unfit).count() as u64,
        from: dates().min(),
        to: dates().max(),
        versions: versions(facts, &all, &all),
        models: counted(traces.iter().filter_map(|trace| Some((trace.model.clone()?, trace.server.as_str())))),
        rules: counted(traces.iter().map(|trace| (trace.rules.clone(), trace.server.as_str()))),
    }
}

fn families(facts: &Facts, worst: usize) -> Vec<Family> {
    let all = facts.gpu();
    let mut families: Vec<Family> = (facts.families.iter())
        .map(|(id, family)| one_family(facts, id, family, all, worst))
        .filter(|family| family.servers > 0)
        .collect();
    families.sort_by(|a, b| {
        b.at_stake_us.total_cmp(&a.at_stake_us).then(b.servers.cmp(&a.servers)).then_with(|| a.family.cmp(&b.family))
    });
    families
}

fn one_family(facts: &Facts, id: &str, family: &FamilyFacts, all: i64, worst: usize) -> Family {
    let traces = |which: &dyn Fn(&facts::Finding) -> bool| -> BTreeSet<u32> {
        family.found.iter().filter(|found| which(found)).map(|found| found.trace).collect()
    };
    let servers = |traces: &BTreeSet<u32>| traces.iter().map(|id| facts.server(*id)).collect::<BTreeSet<_>>();
    let missing = traces(&|found| found.missing);
    let confirmed = traces(&|found| found.missing && found.confirmed);
    let (in_use, found) = (traces(&|found| found.in_use), traces(&|_| true));
    let at_stake: i64 = family.found.iter().map(|found| found.at_stake).sum();
    let mut stages: BTreeMap<&str, i64> = BTreeMap::new();
    let mut by_server: BTreeMap<&str, i64> = servers(&missing).into_iter().map(|server| (server, 0)).collect();
    for found in &family.found {
        *stages.entry(&found.stage).or_default() += found.at_stake;
        if let Some(sum) = by_server.get_mut(facts.server(found.trace)) {
            *sum += found.at_stake;
        }
    }
    let largest = |sums: BTreeMap<&str, i64>| {
        let mut sums: Vec<(String, i64)> = sums.into_iter().map(|(name, ns)| (name.to_owned(), ns)).collect();
        sums.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        sums
    };
    let toggles = family.toggles.iter().flat_map(|(toggle, traces)| {
        traces.iter().map(|trace| (toggle.clone(), facts.server(*trace))).collect::<Vec<_>>()
    });
    Family {
        family: id.to_owned(),
        title: family.title.clone(),
        servers: by_server.len() as u64,
        confirmed: servers(&confirmed).len() as u64,
        in_use: servers(&in_use).len() as u64,
        found: servers(&found).len() as u64,
        traces: missing.len() as u64,
        at_stake_us: us(at_stake),
        at_stake_pct: pct(at_stake, all),
        could_save_us: us(family.found.iter().map(|found| found.could_save).sum()),
        stages: (largest(stages).into_iter())
            .filter(|(_, ns)| *ns > 0)
            .map(|(stage, ns)| StageStake { stage, at_stake_us: us(ns) })
            .collect(),
        versions: versions(facts, &missing, &found),
        toggles: counted(toggles),
        settings: settings(facts, &missing, &in_use),
        worst: (largest(by_server).into_iter().take(worst))
            .map(|(server, ns)| ServerStake { server, at_stake_us: us(ns) })
            .collect(),
    }
}

/// Arguments that all affected traces say alike, and all others alike but otherwise.
fn settings(facts: &Facts, missing: &BTreeSet<u32>, in_use: &BTreeSet<u32>) -> Vec<Setting> {
    let only = |traces: &BTreeSet<u32>, argument: &str| -> Option<String> {
        let values: BTreeSet<String> =
            traces.iter().filter_map(|id| Some(facts.trace(*id).args.get(argument)?.to_string())).collect();
        values.into_iter().collect::<Vec<_>>().try_into().ok().map(|[value]: [String; 1]| value)
    };
    let names: BTreeSet<&String> = missing.iter().flat_map(|id| facts.trace(*id).args.keys()).collect();
    (names.into_iter())
        .filter_map(|argument| {
            let (affected, in_use) = (only(missing, argument)?, only(in_use, argument)?);
            (affected != in_use).then(|| Setting { argument: argument.clone(), affected, in_use })
        })
        .collect()
}

fn overlap(facts: &Facts) -> Vec<OverlapChance> {
    let all = facts.gpu();
    let mut chances: Vec<OverlapChance> = (facts.overlap.iter())
        .map(|((family, title, category), rows)| {
            let sum: i64 = rows.iter().map(|(_, ns)| ns).sum();
            let servers: BTreeSet<&str> = rows.iter().map(|(trace, _)| facts.server(*trace)).collect();
            OverlapChance {
                family: family.clone(),
                title: title.clone(),
                category: category.clone(),
                servers: servers.len() as u64,
                could_save_us: us(sum),
                could_save_pct: pct(sum, all),
            }
        })
        .collect();
    // Equal ones stay in the order of their names.
    chances.sort_by(|a, b| b.could_save_us.total_cmp(&a.could_save_us));
    chances
}

fn spread(facts: &Facts) -> Vec<Spread> {
    let mut spread = Vec::new();
    for (stage, categories) in &facts.categories {
        // GPU time of the stage in each trace, by model.
        let mut models: BTreeMap<Option<&String>, BTreeMap<u32, i64>> = BTreeMap::new();
        for (trace, ns) in categories.values().flatten() {
            *models.entry(facts.trace(*trace).model.as_ref()).or_default().entry(*trace).or_default() += ns;
        }
        for (model, traces) in models {
            let traces: BTreeMap<u32, i64> = traces.into_iter().filter(|(_, ns)| *ns > 0).collect();
            let share = |category: &str, one: &BTreeMap<u32, i64>| -> Option<CategorySpread> {
                let mut shares: Vec<f64> =
                    traces.iter().map(|(trace, all)| pct(one.get(trace).copied().unwrap_or(0), *all)).collect();
                shares.sort_by(f64::total_cmp);
                Some(CategorySpread {
                    category: category.to_owned(),
                    p10_pct: percentile(&shares, 10)?,
                    p50_pct: percentile(&shares, 50)?,
                    p90_pct: percentile(&shares, 90)?,
                })
            };
            let mut list: Vec<CategorySpread> = (categories.iter())
                .filter(|(_, one)| one.keys().any(|trace| traces.contains_key(trace)))
                .filter_map(|(category, one)| share(category, one))
                .collect();
            list.sort_by(|a, b| {
                b.p50_pct
                    .total_cmp(&a.p50_pct)
                    .then(b.p90_pct.total_cmp(&a.p90_pct))
                    .then_with(|| a.category.cmp(&b.category))
            });
            spread.push(Spread {
                model: model.cloned(),
                stage: stage.clone(),
                traces: traces.len() as u64,
                time_us: us(traces.values().sum()),
                categories: list,
            });
        }
    }
    spread.retain(|one| one.traces > 0);
    // Equal ones stay in the order of their names.
    spread.sort_by(|a, b| b.time_us.total_cmp(&a.time_us));
    spread
}

#[cfg(test)]
mod tests;
