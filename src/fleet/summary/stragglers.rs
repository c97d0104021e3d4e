//! Who takes longer than its like. Alike are traces of one stage whose model, framework, version, hardware, TP and size of
//! a step are: other work is not slower work.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::schema::fleet::StragglerSettings;

use super::facts::Steps;
use super::{Facts, Straggler, pct, percentile, us};

/// What is alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Like {
    stage: String,
    /// For people.
    facts: Vec<String>,
    /// Whether model, hardware and size are known, without which servers may do other work. Ranks of one run do the same.
    known: bool,
}

/// The median.
fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    percentile(&sorted, 50)
}

/// A trace in a stage.
struct One<'a> {
    trace: u32,
    own: i64,
    /// Time of each category, a step.
    categories: BTreeMap<&'a str, i64>,
}

/// Servers among servers, then ranks among those of their run; most over first.
pub(super) fn stragglers(facts: &Facts, settings: &StragglerSettings) -> Vec<Straggler> {
    let mut groups: BTreeMap<Like, Vec<One>> = BTreeMap::new();
    for (stage, traces) in &facts.steps {
        for (id, steps) in traces {
            let Some(own) = median(&steps.own) else { continue };
            let categories = facts.categories.get(stage).into_iter().flatten();
            let categories = categories
                .filter_map(|(name, traces)| Some((name.as_str(), traces.get(id)? / steps.n.max(1) as i64)))
                .collect();
            let one = One { trace: *id, own, categories };
            groups.entry(like(facts, stage, *id, steps, settings)).or_default().push(one);
        }
    }
    let mut found = Vec::new();
    for (Like { stage, facts: like, known }, ones) in &groups {
        let like = like.join(", ");
        let mut runs: BTreeMap<&str, BTreeMap<i64, Vec<&One>>> = BTreeMap::new();
        let mut servers: BTreeMap<&str, Vec<&One>> = BTreeMap::new();
        for one in ones {
            let trace = facts.trace(one.trace);
            servers.entry(&trace.server).or_default().push(one);
            if let Some(rank) = trace.rank {
                runs.entry(&trace.run).or_default().entry(rank).or_default().push(one);
            }
        }
        servers.retain(|_, _| *known);
        for (server, out) in out_of_line(&servers, settings) {
            found.push(out.told(server, None, stage, &like));
        }
        // A rank that is slow in several runs of its server stands once, with the run in which it is most over.
        let mut ranks: BTreeMap<(&str, i64), (Out, u64)> = BTreeMap::new();
        for traces in runs.values() {
            for (rank, out) in out_of_line(traces, settings) {
                let Some(server) = traces[&rank].first().map(|one| facts.server(one.trace)) else { continue };
                let (worst, traces) = ranks.entry((server, rank)).or_insert_with(|| (out.clone(), 0));
                *traces += out.traces;
                if pct(out.own, out.usual) > pct(worst.own, worst.usual) {
                    *worst = out;
                }
            }
        }
        for ((server, rank), (out, traces)) in ranks {
            found.push(Out { traces, ..out }.told(server, Some(rank), stage, &like));
        }
    }
    // Equal ones stay in the order of stage, server and rank.
    found.sort_by(|a, b| b.over_pct.total_cmp(&a.over_pct));
    found
}

/// What must be alike: what is known of the run, and the size of the step, in classes of a few per cent.
fn like(facts: &Facts, stage: &str, id: u32, steps: &Steps, settings: &StragglerSettings) -> Like {
    let trace = facts.trace(id);
    let mut like: Vec<String> = Vec::new();
    like.extend(trace.model.clone());
    let version = trace.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    like.extend(trace.framework.as_ref().map(|framework| format!("{framework}{version}")));
    like.extend(trace.hardware.clone());
    like.extend(trace.tp.map(|tp| format!("TP {tp}")));
    let size = median(&steps.sizes).filter(|size| *size > 0);
    like.extend(size.map(|size| {
        let class = ((size as f64).ln() / (1.0 + settings.size_pct / 100.0).ln()).round();
        format!("steps of about {:.0}", (1.0 + settings.size_pct / 100.0).powf(class))
    }));
    let known = trace.model.is_some() && trace.hardware.is_some() && size.is_some();
    Like { stage: stage.to_owned(), facts: like, known }
}

/// One that is over the median of its like.
#[derive(Clone)]
struct Out {
    own: i64,
    usual: i64,
    category: Option<(String, i64)>,
    traces: u64,
    of: u64,
}

impl Out {
    fn told(self, server: &str, rank: Option<i64>, stage: &str, like: &str) -> Straggler {
        Straggler {
            server: server.to_owned(),
            rank,
            stage: stage.to_owned(),
            own_us: us(self.own),
            usual_us: us(self.usual),
            over_pct: pct(self.own - self.usual, self.usual),
            category_over_us: self.category.as_ref().map(|(_, ns)| us(*ns)),
            category: self.category.map(|(name, _)| name),
            traces: self.traces,
            of: self.of,
            like: like.to_owned(),
        }
    }
}

/// Those whose median is over the median of all by more than the bar, where there are enough to tell.
fn out_of_line<K: Copy + Ord>(ones: &BTreeMap<K, Vec<&One>>, settings: &StragglerSettings) -> Vec<(K, Out)> {
    if ones.len() < settings.fewest {
        return Vec::new();
    }
    let of = |get: &dyn Fn(&One) -> i64| -> BTreeMap<K, i64> {
        let one =
            |(key, ones): (&K, &Vec<&One>)| Some((*key, median(&ones.iter().map(|one| get(one)).collect::<Vec<_>>())?));
        ones.iter().filter_map(one).collect()
    };
    let own = of(&|one| one.own);
    let Some(usual) = median(&own.values().copied().collect::<Vec<_>>()).filter(|usual| *usual > 0) else {
        return Vec::new();
    };
    let bar = 100.0 + settings.over_pct;
    let names: BTreeSet<&str> = ones.values().flatten().flat_map(|one| one.categories.keys().copied()).collect();
    (own.into_iter())
        .filter(|(_, own)| pct(*own, usual) > bar)
        .map(|(key, own)| {
            let over = names.iter().filter_map(|name| {
                let times = of(&|one| one.categories.get(name).copied().unwrap_or(0));
                let over = times[&key] - median(&times.values().copied().collect::<Vec<_>>())?;
                (over > 0).then(|| ((*name).to_owned(), over))
            });
            let category = over.reduce(|best, next| if next.1 > best.1 { next } else { best });
            (key, Out { own, usual, category, traces: ones[&key].len() as u64, of: ones.len() as u64 })
        })
        .collect()
}
