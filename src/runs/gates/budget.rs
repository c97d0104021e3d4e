//! `--budget category=PCT`.

use super::sight::Sight;
use super::{Gate, Outcome};
use crate::report::{KernelRow, StageInfo, cells};

/// Passes when the category takes at most so much of each stage looked at.
pub(super) fn budget(sight: &Sight, category: &str, pct: f64) -> Gate {
    let gate = |outcome: Outcome, text: String, rows: Vec<String>| Gate {
        id: format!("budget/{category}"),
        asked: format!("--budget {category}={pct}"),
        outcome,
        text,
        fix: None,
        rows,
    };
    let stages = match (sight.stages(), sight.unproven()) {
        (Err(why), _) | (Ok(_), Some(why)) => return gate(Outcome::Unknown, why, Vec::new()),
        (Ok(stages), None) => stages,
    };
    let (mut over, mut under, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for stage in stages {
        let share = stage.categories.iter().find(|one| one.category == category).map_or(0.0, |one| one.share_pct);
        let words = format!("{} of {}", cells::share(share), stage.stage);
        if share <= pct {
            under.push(words);
            continue;
        }
        let kernels = largest(sight, stage, category);
        let names: Vec<String> = (kernels.iter())
            .map(|row| {
                let name = crate::kernel_name::shorten(&[&row.parts], 60).concat();
                format!("{} {}", cells::clean(&name), cells::share(row.share_pct))
            })
            .collect();
        over.push(format!("{words}, over {}: {}", cells::share(pct), names.join(", ")));
        rows.extend(kernels.iter().map(|row| row.id.clone()));
    }
    if over.is_empty() {
        gate(Outcome::Passed, format!("{}, at most {}", under.join(", "), cells::share(pct)), rows)
    } else {
        gate(Outcome::Failed, over.join("; "), rows)
    }
}

/// The kernels of a category with most time.
fn largest<'a>(sight: &Sight<'a>, stage: &StageInfo, category: &str) -> Vec<&'a KernelRow> {
    const MOST: usize = 3;
    let report = &sight.run.report;
    let own = |row: &&KernelRow| row.stage == stage.stage && row.category == category;
    report.kernels.iter().filter(own).take(MOST).collect()
}
