//! The note and how it was decided, in words.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Candidate, Nearness, Sighting, Similarity};
use crate::attribution::{LaunchId, Stage, Timeline};
use crate::kernel_name;
use crate::plain;
use crate::rules::RuleSet;

/// Columns of a kernel's name.
const NAME: usize = 60;
/// How many sightings are told whole.
const SHOWN: usize = 8;

/// Distinct kernels in order of appearance, short.
fn names(timeline: &Timeline, launches: &[LaunchId]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let first = launches.iter().filter(|launch| seen.insert(timeline.launch(**launch).kernel));
    let names: Vec<_> = first.map(|launch| &timeline.kernel(*launch).name).collect();
    kernel_name::shorten(&names, NAME)
}

/// Where, as it follows `in`.
fn stage(stage: Stage) -> &'static str {
    if stage == Stage::All { "the trace" } else { stage.title() }
}

impl Sighting {
    /// `chain order 2 of 3`, of each cue that speaks for it.
    pub fn cues(&self) -> Vec<String> {
        let speaks = self.cues.iter().filter_map(|cue| Some((&cue.title, cue.of?)));
        speaks.filter(|(_, (yes, _))| *yes > 0).map(|(title, (yes, all))| format!("{title} {yes} of {all}")).collect()
    }

    /// One flat line; empty when it is no note.
    pub fn text(&self, rules: &RuleSet, timeline: &Timeline) -> String {
        let Some(level) = self.level else { return String::new() };
        let family = &rules.families[self.family];
        let say = &rules.similarity.say;
        let template = match self.nearness {
            Nearness::Open => &say.open,
            Nearness::Places => &say.places,
            Nearness::Elsewhere => &say.elsewhere,
        };
        let frameworks = family.when.frameworks.iter().map(|id| rules.report.titles.get(id).unwrap_or(id));
        let frameworks: Vec<&str> = frameworks.map(String::as_str).collect();
        let filled = [
            ("level", level.id().to_owned()),
            ("title", family.title.clone()),
            ("family", family.id.clone()),
            ("n", self.occurrences.to_string()),
            ("stage", stage(self.stage).to_owned()),
            ("share", format!("{:.1}", self.share_pct)),
            ("known", (self.launches.len() - self.open.len()).to_string()),
            ("links", self.launches.len().to_string()),
            ("form", self.form().to_owned()),
            ("kernel", names(timeline, &self.open).join(", ")),
            ("link", self.link.clone().unwrap_or_default()),
            ("framework", frameworks.join(" or ")),
            ("cues", self.cues().join(", ")),
        ];
        fill(template, &filled)
    }

    fn form(&self) -> &'static str {
        if self.fused { "fused" } else { "split" }
    }
}

impl Candidate {
    /// One flat line.
    pub fn text(&self, rules: &RuleSet, timeline: &Timeline) -> String {
        let filled = [
            ("n", self.occurrences.to_string()),
            ("stage", stage(self.stage).to_owned()),
            ("share", format!("{:.1}", self.share_pct)),
            ("kernels", self.kernels(timeline).join(", ")),
        ];
        fill(&rules.similarity.candidates.say, &filled)
    }

    /// Its launches' kernels in order, short.
    pub fn kernels(&self, timeline: &Timeline) -> Vec<String> {
        let names: Vec<_> = self.launches.iter().map(|launch| &timeline.kernel(*launch).name).collect();
        kernel_name::shorten(&names, NAME)
    }
}

impl Similarity {
    /// How the note was decided, or why there is none.
    pub fn explain(&self, rules: &RuleSet, timeline: &Timeline) -> String {
        let mut out = String::new();
        self.write(rules, timeline, &mut out).unwrap_or_default();
        out
    }

    fn write(&self, rules: &RuleSet, timeline: &Timeline, out: &mut String) -> std::fmt::Result {
        let bars = rules.similarity.bars;
        match self.note() {
            Some(note) => writeln!(out, "{}\n", plain::clean(&note.text(rules, timeline)))?,
            None => writeln!(out, "No note: nothing that no row explains is near enough to a family.\n")?,
        }
        writeln!(out, "bars: high {}, medium {}, low {}", bars.high, bars.medium, bars.low)?;
        for (n, sighting) in self.sightings.iter().take(SHOWN).enumerate() {
            let why = match (&sighting.lost, sighting.level) {
                (Some(lost), _) => format!("none: {lost}"),
                (None, Some(level)) if n == 0 => level.id().to_owned(),
                (None, Some(level)) => format!("{}, and another is surer", level.id()),
                (None, None) => String::new(),
            };
            writeln!(out)?;
            sighting.write(rules, timeline, &why, out)?;
        }
        if self.sightings.len() > SHOWN {
            let more: Vec<&str> =
                self.sightings[SHOWN..].iter().map(|s| rules.families[s.family].id.as_str()).collect();
            writeln!(out, "\n{} further off: {}", more.len(), more.join(", "))?;
        }
        for candidate in &self.candidates {
            writeln!(out, "\nnear nothing: {}", plain::clean(&candidate.text(rules, timeline)))?;
            if let Some((family, score)) = candidate.nearest {
                writeln!(out, "  nearest: {}, score {score}", rules.families[family].id)?;
            }
        }
        Ok(())
    }
}

impl Sighting {
    fn write(&self, rules: &RuleSet, timeline: &Timeline, why: &str, out: &mut String) -> std::fmt::Result {
        let family = &rules.families[self.family];
        let score = if self.cues.is_empty() { String::new() } else { format!("score {}, ", self.score) };
        writeln!(out, "{} ({}), {}: {score}{why}", family.id, self.form(), stage(self.stage))?;
        let what = match self.nearness {
            Nearness::Open => "the chain with unknown kernels",
            Nearness::Places => "unknown kernels at the places of the chain",
            Nearness::Elsewhere => "the chain of another framework",
        };
        writeln!(out, "  {what}, {} times, {}, {:.2} %", self.occurrences, self.time.human(), self.share_pct)?;
        for launch in &self.launches {
            let role = match (self.open.contains(launch), &self.link) {
                (false, _) => String::new(),
                (true, Some(link)) => format!("  <- unknown, for {link}"),
                (true, None) => "  <- unknown".to_owned(),
            };
            writeln!(out, "    {}{role}", timeline.kernel(*launch).name.identifier)?;
        }
        for cue in &self.cues {
            let said = cue.of.map_or("cannot speak".to_owned(), |(yes, all)| format!("{yes} of {all}"));
            writeln!(out, "  {:<18} weight {:>2}: {said}", cue.title, cue.weight)?;
        }
        Ok(())
    }
}

fn fill(template: &str, values: &[(&str, String)]) -> String {
    // In one pass: a value that holds braces, as a kernel's name may, is not filled in again.
    let mut out = String::new();
    let mut rest = template;
    while let Some(begin) = rest.find('{') {
        let (before, after) = rest.split_at(begin);
        out.push_str(before);
        let found = after.find('}').and_then(|end| Some((end, values.iter().find(|(key, _)| *key == &after[1..end])?)));
        let length = found.map_or(1, |(end, _)| end + 1);
        out.push_str(found.map_or("{", |(_, (_, value))| value));
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}
