//! `--require FAMILY` and `--forbid FAMILY`.

use super::sight::{Sight, formless};
use super::{FamilyAsked, Forbidden, Form, Gate, Outcome};
use crate::report::{FuseRow, StageInfo, cells};
use crate::rules::Family;
use crate::units::percent;

/// What the stages say, so far.
#[derive(Default)]
struct Seen {
    /// Rows for which it fails.
    against: Vec<String>,
    /// Rows that decide nothing.
    unsure: Vec<String>,
    /// Rows for which it holds.
    evidence: Vec<String>,
    rows: Vec<String>,
    fix: Option<String>,
}

impl Seen {
    /// What is against it decides, then what is not sure; `none`: the outcome where no row speaks of it and nothing hides it.
    fn verdict(
        mut self,
        sight: &Sight,
        family: &Family,
        (id, asked): (&str, &str),
        none: (Outcome, &dyn Fn() -> String),
    ) -> Gate {
        let take = |rows: &mut Vec<String>| std::mem::take(rows).join("; ");
        let (outcome, text) = if !self.against.is_empty() {
            (Outcome::Failed, take(&mut self.against))
        } else if !self.unsure.is_empty() {
            (Outcome::Unknown, take(&mut self.unsure))
        } else if let Some(why) = sight.blind(family) {
            (Outcome::Unknown, why)
        } else if self.evidence.is_empty() {
            (none.0, none.1())
        } else {
            (Outcome::Passed, take(&mut self.evidence))
        };
        self.gate(id, asked, outcome, text)
    }

    fn gate(self, id: &str, asked: &str, outcome: Outcome, text: String) -> Gate {
        let fix = self.fix.filter(|_| outcome != Outcome::Passed);
        Gate { id: id.to_owned(), asked: asked.to_owned(), outcome, text, fix, rows: self.rows }
    }
}

/// Passes when the fused kernel runs in a stage looked at, and in none of them its parts, over the bar.
pub(super) fn require(sight: &Sight, asked: &FamilyAsked, bar: f64) -> Gate {
    let (id, typed) = (format!("require/{}", asked.id), format!("--require {}", asked.id));
    let (family, stages) = match looked_for(sight, asked, true) {
        Ok(found) => found,
        Err(why) => return unknown(&id, &typed, why),
    };
    let mut seen = Seen::default();
    for stage in &stages {
        for row in sight.rows(family, stage) {
            seen.rows.push(row.id.clone());
            let words = words(row, stage);
            match row.state.as_str() {
                _ if row.confidence != "Confirmed" => seen.unsure.push(undecided(&words, row)),
                "in-use" => seen.evidence.push(words),
                "partly" if split_share(row, stage) < bar => seen.evidence.push(words),
                _ if split_share(row, stage) < bar => {}
                _ => {
                    seen.against.push(words);
                    seen.fix = seen.fix.take().or_else(|| advice(row));
                }
            }
        }
    }
    let none = || format!("its fused kernel runs nowhere in {}, nor do its parts over the bar", names(&stages));
    seen.verdict(sight, family, (&id, &typed), (Outcome::Failed, &none))
}

/// Passes when the form runs in no stage looked at; a split form under the bar does not count.
pub(super) fn forbid(sight: &Sight, asked: &Forbidden, bar: f64) -> Gate {
    let family = &asked.family;
    let fused = asked.form == Form::InUse;
    let (id, typed) = match asked.form {
        Form::Split => (format!("forbid/{}", family.id), format!("--forbid {}", family.id)),
        Form::InUse => (format!("forbid/{}=in-use", family.id), format!("--forbid {}=in-use", family.id)),
    };
    let (family, stages) = match looked_for(sight, family, fused) {
        Ok(found) => found,
        Err(why) => return unknown(&id, &typed, why),
    };
    let mut seen = Seen::default();
    for stage in &stages {
        for row in sight.rows(family, stage) {
            let forbidden = match asked.form {
                Form::Split => matches!(row.state.as_str(), "split" | "partly") && split_share(row, stage) >= bar,
                Form::InUse => matches!(row.state.as_str(), "in-use" | "partly"),
            };
            seen.rows.push(row.id.clone());
            let words = words(row, stage);
            if !forbidden {
                seen.evidence.push(words);
            } else if row.confidence == "Confirmed" {
                seen.against.push(words);
                // What a row advises is how to fuse.
                seen.fix = seen.fix.take().or_else(|| advice(row).filter(|_| !fused));
            } else {
                seen.unsure.push(undecided(&words, row));
            }
        }
    }
    let none = || format!("not found in {}", names(&stages));
    seen.verdict(sight, family, (&id, &typed), (Outcome::Passed, &none))
}

/// The family and the stages in which it is looked for, or why it is not.
fn looked_for<'a>(
    sight: &Sight<'a>,
    asked: &FamilyAsked,
    fused: bool,
) -> Result<(&'a Family, Vec<&'a StageInfo>), String> {
    let Some(index) = asked.index else {
        return Err("it is excluded (--include, --exclude), so it is not looked for".to_owned());
    };
    let family = &sight.rules.families[index];
    if let Some(why) = formless(family, fused) {
        return Err(why.to_owned());
    }
    Ok((family, sight.stages_of(family)?))
}

fn unknown(id: &str, asked: &str, why: String) -> Gate {
    Seen::default().gate(id, asked, Outcome::Unknown, why)
}

/// `split in decode: 36 times, 350 µs (5.4 % of its GPU time); kernels a x36, b x72`.
fn words(row: &FuseRow, stage: &StageInfo) -> String {
    const MOST: usize = 3;
    let mut kernels: Vec<String> = (row.kernels.iter().take(MOST))
        .map(|kernel| {
            let name = crate::kernel_name::shorten(&[&kernel.parts], 60).concat();
            format!("{} x{}", cells::clean(&name), cells::count(kernel.launches))
        })
        .collect();
    if row.kernels.len() > MOST {
        kernels.push(format!("{} more", row.kernels.len() - MOST));
    }
    format!(
        "{} in {}: {}, {} ({} of its GPU time); kernels {}",
        row.state,
        stage.stage,
        cells::plural(row.occurrences, "time"),
        cells::time(row.time_us),
        cells::share(row.share_pct),
        kernels.join(", ")
    )
}

/// A row that is not sure, with what it lacks.
fn undecided(words: &str, row: &FuseRow) -> String {
    let reasons = if row.reasons.is_empty() { "not confirmed".to_owned() } else { row.reasons.join(", ") };
    format!("{words}; undecided, {}: {}", row.confidence, cells::clean(&reasons))
}

/// Share of the stage that the parts take.
fn split_share(row: &FuseRow, stage: &StageInfo) -> f64 {
    percent(cells::nanos(row.split.us), cells::nanos(stage.time_us))
}

/// What the row advises, and what to type where that does not say it.
fn advice(row: &FuseRow) -> Option<String> {
    let advice = cells::clean(&row.advice);
    let toggles: Vec<String> =
        cells::toggles(&row.toggles).into_iter().filter(|toggle| !advice.contains(toggle.as_str())).collect();
    let parts = [advice, toggles.join(", ")];
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("; type "))
}

fn names(stages: &[&StageInfo]) -> String {
    stages.iter().map(|stage| stage.stage.as_str()).collect::<Vec<_>>().join(", ")
}
