//! A run and what is asked of it in, [`Check`] out. A gate that cannot look says so: it neither passes nor fails.

mod baseline;
mod budget;
mod family;
pub mod github;
pub mod html;
pub mod markdown;
mod model;
mod sight;
pub mod text;

use super::Run;
use crate::rules::RuleSet;
pub use model::*;

/// What is asked of a run.
#[derive(Debug, Default)]
pub struct Asked<'a> {
    /// Families whose fused kernel must run, and whose parts must not.
    pub require: Vec<FamilyAsked>,
    /// Families a form of which must not run.
    pub forbid: Vec<Forbidden>,
    /// Category, and the most it may take of each stage, in per cent.
    pub budget: Vec<(String, f64)>,
    /// A run that this one may be slower than by so many per cent of the stage.
    pub baseline: Option<(&'a Run, f64)>,
    /// This stage only.
    pub stage: Option<String>,
    /// Share of the stage under which a split form is too little to matter, in per cent.
    pub min_share_pct: f64,
}

/// A family, as asked for and as the rules know it.
#[derive(Clone, Debug)]
pub struct FamilyAsked {
    /// As typed.
    pub id: String,
    /// Its index; none when it was excluded.
    pub index: Option<usize>,
}

/// A family of which one form must not run.
#[derive(Clone, Debug)]
pub struct Forbidden {
    /// The family.
    pub family: FamilyAsked,
    /// Which form.
    pub form: Form,
}

/// A form of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Its parts one by one.
    Split,
    /// Its fused kernel.
    InUse,
}

/// Asks all of it.
pub fn check(run: &Run, asked: &Asked, rules: &RuleSet) -> Check {
    let mut gates = Vec::new();
    let sight = sight::Sight { run, stage: asked.stage.as_deref(), rules };
    for family in &asked.require {
        gates.push(family::require(&sight, family, asked.min_share_pct));
    }
    for forbidden in &asked.forbid {
        gates.push(family::forbid(&sight, forbidden, asked.min_share_pct));
    }
    for (category, pct) in &asked.budget {
        gates.push(budget::budget(&sight, category, *pct));
    }
    if let Some((baseline, pct)) = asked.baseline {
        gates.extend(baseline::gates(&sight, baseline, pct));
    }
    finish(run, asked.baseline.map(|(baseline, _)| baseline), gates)
}

/// Gates on a baseline alone, as `compare --threshold` asks for.
pub fn threshold(run: &Run, baseline: &Run, pct: f64, rules: &RuleSet) -> Check {
    let sight = sight::Sight { run, stage: None, rules };
    finish(run, Some(baseline), baseline::gates(&sight, baseline, pct))
}

fn finish(run: &Run, baseline: Option<&Run>, gates: Vec<Gate>) -> Check {
    let outcome = gates.iter().map(|gate| gate.outcome).max().unwrap_or(Outcome::Unknown);
    let of = |outcome: Outcome| gates.iter().filter(|gate| gate.outcome == outcome).count();
    let counts = [Outcome::Failed, Outcome::Unknown, Outcome::Passed].map(|outcome| (of(outcome), outcome.word()));
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let gate = if gates.len() == 1 { "1 gate".to_owned() } else { format!("{} gates", gates.len()) };
    Check {
        schema: "llm-prof.check/1",
        path: run.path.clone(),
        about: run.about(),
        baseline: baseline.map(|run| run.path.clone()),
        outcome,
        summary: format!("{gate}: {}.", counts.join(", ")),
        gates,
    }
}

/// The JSON contract, as [`Check`] has it, with a final newline.
pub fn json(check: &Check) -> String {
    crate::plain::json(check)
}
