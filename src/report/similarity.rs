//! The note, and runs near nothing: the best of all analyses.

use super::{Analysis, NewCandidate, Note};
use crate::attribution::{LaunchId, Timeline};
use crate::engine::similarity::Sighting;
use crate::rules::RuleSet;

/// At most one.
pub(super) fn note(analyses: &[Analysis], rules: &RuleSet) -> Option<Note> {
    let notes = analyses.iter().filter_map(|analysis| Some((analysis.timeline, analysis.similarity.note()?)));
    // The first of equal ones.
    let best = notes.reduce(|best, other| {
        let worth = |sighting: &Sighting| (sighting.level, sighting.score, sighting.time);
        if worth(other.1) > worth(best.1) { other } else { best }
    });
    let (timeline, note) = best?;
    let family = &rules.families[note.family];
    Some(Note {
        level: note.level?.id().into(),
        family: family.id.clone(),
        origin: family.origin.id().into(),
        stage: note.stage.id().to_owned(),
        score: note.score,
        cues: note.cues(),
        kernels: kernels(timeline, &note.launches),
        occurrences: note.occurrences as u64,
        time_us: note.time.as_us(),
        share_pct: note.share_pct,
        text: note.text(rules, timeline),
    })
}

/// Those of all analyses, in their order.
pub(super) fn candidates(analyses: &[Analysis], rules: &RuleSet) -> Vec<NewCandidate> {
    let all = analyses.iter().flat_map(|one| one.similarity.candidates.iter().map(|it| (one.timeline, it)));
    all.map(|(timeline, candidate)| NewCandidate {
        stage: candidate.stage.id().to_owned(),
        kernels: kernels(timeline, &candidate.launches),
        occurrences: candidate.occurrences as u64,
        time_us: candidate.time.as_us(),
        share_pct: candidate.share_pct,
        nearest: candidate.nearest.map(|(family, _)| rules.families[family].id.clone()),
        text: candidate.text(rules, timeline),
    })
    .collect()
}

fn kernels(timeline: &Timeline, launches: &[LaunchId]) -> Vec<String> {
    launches.iter().map(|launch| timeline.strings.get(timeline.kernel(*launch).raw).to_owned()).collect()
}
