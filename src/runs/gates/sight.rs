//! What a run can show: stages that a gate looks at, and why an absence may prove nothing.

use crate::attribution::{Known, Run as Facts, Stage};
use crate::engine::gates;
use crate::report::{FuseRow, StageInfo};
use crate::rules::{Family, FamilyKind, RuleSet, Status};
use crate::runs::Run;

/// A run through the eyes of a gate.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) run: &'a Run,
    pub(super) stage: Option<&'a str>,
    pub(super) rules: &'a RuleSet,
}

impl<'a> Sight<'a> {
    /// The stages asked for, or why there is none to look at. Graph captures and what runs between the steps are looked
    /// at only when they are asked for or all there is.
    pub(super) fn stages(&self) -> Result<Vec<&'a StageInfo>, String> {
        if let Some(why) = self.run.unfit() {
            return Err(why);
        }
        let all: Vec<&StageInfo> = self.run.report.stages.iter().filter(|stage| stage.launches > 0).collect();
        if let Some(asked) = self.stage {
            let found: Vec<&StageInfo> = all.iter().copied().filter(|stage| stage.stage == asked).collect();
            let there: Vec<&str> = all.iter().map(|stage| stage.stage.as_str()).collect();
            return if found.is_empty() {
                Err(format!("stage {asked} was asked for, and the trace has {}", there.join(", ")))
            } else {
                Ok(found)
            };
        }
        let aside = [Stage::All.id(), Stage::Capture.id()];
        let steps: Vec<&StageInfo> =
            all.iter().copied().filter(|stage| !aside.contains(&stage.stage.as_str())).collect();
        Ok(if steps.is_empty() { all } else { steps })
    }

    /// Why a kernel that is not seen may still have run.
    pub(super) fn unproven(&self) -> Option<String> {
        let codes = &self.rules.compare.absence_unproven;
        let fitness = self.run.report.fitness.iter().find(|fitness| codes.contains(&fitness.code))?;
        Some(format!("{} {} [{}]", fitness.finding, fitness.fix, fitness.code))
    }

    /// The stages in which a family is looked for, or why it is looked for in none.
    pub(super) fn stages_of(&self, family: &Family) -> Result<Vec<&'a StageInfo>, String> {
        let facts = self.facts();
        let mut shut = None;
        let stages: Vec<&StageInfo> = (self.stages()?.into_iter())
            .filter(|info| {
                let stage = Stage::from_id(&info.stage).unwrap_or(Stage::All);
                let gate = gates::of_run(family, &facts, stage).into_iter().find(gates::Gate::shuts);
                if let Some(gate) = &gate {
                    shut = Some(format!("it is not looked for in {}: {}", info.stage, gate.reason()));
                }
                gate.is_none()
            })
            .collect();
        match shut {
            Some(why) if stages.is_empty() => Err(why),
            _ => Ok(stages),
        }
    }

    /// What the report says of the run, as far as it decides whether a family is looked for.
    fn facts(&self) -> Facts {
        let report = &self.run.report;
        let known =
            |value: &Option<String>| value.clone().map(|value| Known { value, source: "the report".to_owned() });
        Facts {
            framework: known(&report.framework),
            framework_version: known(&report.framework_version),
            model: known(&report.model),
            ..Facts::default()
        }
    }

    /// Rows of a family, old names of it included.
    pub(super) fn rows(&self, family: &Family, stage: &StageInfo) -> Vec<&'a FuseRow> {
        let report = &self.run.report;
        let own = |row: &&FuseRow| row.family == family.id || family.aliases.contains(&row.family);
        report.fuse.iter().filter(own).filter(|row| row.stage == stage.stage).collect()
    }

    /// Why the absence of a family's row proves nothing, when it proves nothing.
    pub(super) fn blind(&self, family: &Family) -> Option<String> {
        if let Some(why) = self.unproven() {
            return Some(why);
        }
        let ours = &self.rules;
        let theirs = &self.run.report.rules;
        if theirs.digest != ours.digest || theirs.families != ours.families.len() {
            return Some(format!(
                "the report was made with other rules ({} {}, {} families; these are {} {}, {}), which may not look for it; \
                 triage the trace again",
                theirs.version,
                theirs.digest,
                theirs.families,
                ours.version,
                ours.digest,
                ours.families.len()
            ));
        }
        let named = |text: &str| text.split([' ', ',', ':']).any(|word| word.trim_end_matches('.') == family.id);
        let fitness =
            self.run.report.fitness.iter().find(|fitness| fitness.code == COULD_NOT_LOOK && named(&fitness.finding))?;
        Some(format!("it cannot look where the op is unknown. {}", fitness.fix))
    }
}

/// Code of the fitness list that names families which only an op could find.
const COULD_NOT_LOOK: &str = "families-could-not-look";

/// What a family lacks for a question about one of its forms.
pub(super) fn formless(family: &Family, fused: bool) -> Option<&'static str> {
    match family.kind {
        FamilyKind::Overlap => Some("it is an overlap family, which has no fused and no split form"),
        FamilyKind::Fuse if family.status == Status::Retired => Some("it is retired, so it is not looked for"),
        FamilyKind::Fuse if fused && family.fused.is_none() => Some("the catalog knows no fused form of it"),
        FamilyKind::Fuse if !fused && family.split.is_none() => Some("the catalog knows no split form of it"),
        FamilyKind::Fuse => None,
    }
}
