//! The tests inside rule files: each case becomes a timeline, runs, and is compared with what it expects.

use std::path::Path;

use rayon::prelude::*;

use super::classify::Classifier;
use super::gates::{Effect, Gate};
use super::look::{Compiled, patterns};
use super::miss::nearest;
use super::overlap::{Ground, Matcher};
use super::run::findings_of;
use super::testing::timeline_of;
use super::{Classes, Finding, Occurrence, Predicates, State, Tri};
use crate::attribution::{self, Given, Stage, Timeline};
use crate::plain;
use crate::rules::{Case, Family, FamilyKind, Outcome, RuleSet, print_chain, print_overlap};

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// Id of the family.
    pub family: String,
    /// The claim.
    pub name: String,
    /// File of the family.
    pub file: String,
    /// Line of the case.
    pub line: u32,
    /// What must come out.
    pub expected: Outcome,
    /// What came out.
    pub outcome: Outcome,
    /// A known gap: reported, never failing.
    pub todo: bool,
    /// What went wrong, drawn; none when the case passed.
    pub drawing: Option<String>,
    /// The outcome may be right, and something else of the row, or of the trace, is not.
    pub problem: Option<String>,
}

impl CaseResult {
    /// Whether what came out is what must.
    pub fn passed(&self) -> bool {
        self.outcome == self.expected && self.problem.is_none()
    }

    /// Whether the run of all tests fails for it.
    pub fn fails(&self) -> bool {
        !self.passed() && !self.todo
    }
}

/// Runs the tests of all families whose id is `wanted`, in parallel; results in id order, then file order.
pub fn test_families(rules: &RuleSet, wanted: impl Fn(&str) -> bool + Sync) -> Vec<CaseResult> {
    let tester = Tester { rules, predicates: Predicates::new(rules), classifier: Classifier::new(rules) };
    let families: Vec<usize> = (0..rules.families.len()).filter(|index| wanted(&rules.families[*index].id)).collect();
    families.into_par_iter().map(|index| tester.family(index)).flatten_iter().collect()
}

/// What all tests share.
struct Tester<'r> {
    rules: &'r RuleSet,
    /// None yet: each family begins with its own clone.
    predicates: Predicates,
    classifier: Classifier,
}

/// What finds the one family that is tested.
enum Finder {
    Fuse(Compiled),
    Overlap(Matcher),
}

/// What a family came to on a test's timeline.
struct Came {
    outcome: Outcome,
    occurrences: u64,
}

impl Tester<'_> {
    fn family(&self, index: usize) -> Vec<CaseResult> {
        let (rules, family) = (self.rules, &self.rules.families[index]);
        let finder = match family.kind {
            FamilyKind::Fuse => Finder::Fuse(Compiled::of(self.predicates.clone(), rules, &patterns_to_test(family))),
            FamilyKind::Overlap => Finder::Overlap(Matcher::of(self.predicates.clone(), rules, &[index])),
        };
        let test = |case: &Case| match (&case.trace, &finder) {
            (Some(trace), _) => self.on_trace(index, &finder, case, trace),
            (None, Finder::Fuse(compiled)) => self.fuse(index, compiled, case),
            (None, Finder::Overlap(matcher)) => self.overlap(index, matcher, case),
        };
        family.tests.iter().map(test).collect()
    }

    fn fuse(&self, index: usize, compiled: &Compiled, case: &Case) -> CaseResult {
        let (rules, family) = (self.rules, &self.rules.families[index]);
        let timeline = timeline_of(&case.chain, rules, &case.given);
        let graph = crate::graph::build(&timeline);
        // Few families ask for categories, and to class launches takes longer than all the rest.
        let classes =
            if compiled.ask_category() { self.classifier.classify(rules, &timeline) } else { Classes::default() };
        let look = compiled.look(rules, &timeline, &classes);
        let holds = |gate: &Gate| !given(case, gate);
        let findings = findings_of(rules, &[index], &timeline, &graph, &look, &holds);
        let found = findings.first().map_or(Outcome::None, |(finding, gates)| outcome(finding, gates));
        let drawing = (found != case.expect).then(|| {
            let mut lines = head(family, case, found);
            if let Some((finding, gates)) = findings.first() {
                lines.extend(drawn_match(&timeline, finding, gates));
                return shown(&lines);
            }
            let classes = self.classifier.classify(rules, &timeline);
            for (form, pattern) in ["fused", "split"].into_iter().zip(patterns_to_test(family)) {
                let asked = match case.expect {
                    Outcome::Fused => form == "fused",
                    Outcome::Split | Outcome::Uncalled | Outcome::OffByDesign => form == "split",
                    _ => true,
                };
                let Some(pattern) = pattern.filter(|_| asked) else { continue };
                lines.extend(drawn_miss(rules, &timeline, &graph, &classes, form, &pattern));
            }
            shown(&lines)
        });
        result(family, case, found, drawing, None)
    }

    /// What an overlap family comes to: the sides in time on their streams say most of what went wrong.
    fn overlap(&self, index: usize, matcher: &Matcher, case: &Case) -> CaseResult {
        let (rules, family) = (self.rules, &self.rules.families[index]);
        let timeline = timeline_of(&case.chain, rules, &case.given);
        let graph = crate::graph::build(&timeline);
        let classes = self.classifier.classify(rules, &timeline);
        let exposure = super::exposure(&timeline, &classes, rules.overlap.same_stream_min());
        let ground = Ground::new(rules, &timeline, &graph, &classes, &exposure);
        let found = matcher.find(&ground, &|gate| !given(case, gate), false);
        let found = found.first().map_or(Outcome::None, |found| found.outcome);
        let drawing = (found != case.expect).then(|| {
            let mut lines = head(family, case, found);
            lines.extend(family.overlap.as_ref().map(|clause| format!("      overlap {}", print_overlap(clause))));
            lines.extend(timeline.launch_ids().map(|id| {
                let (launch, times) = (timeline.launch(id), exposure.of(id));
                format!(
                    "      stream {}  {}..{} us  {}  ({} us alone)",
                    timeline.streams[launch.stream.0 as usize].number,
                    launch.start.as_us(),
                    launch.end().as_us(),
                    short(&timeline.kernel(id).name.identifier),
                    times.exclusive.as_us()
                )
            }));
            shown(&lines)
        });
        result(family, case, found, drawing, None)
    }

    /// A case that names a trace: the family's row of it, with the gates decided as for a user.
    fn on_trace(&self, index: usize, finder: &Finder, case: &Case, trace: &str) -> CaseResult {
        let (rules, family) = (self.rules, &self.rules.families[index]);
        let path = Path::new(&family.file).parent().unwrap_or(Path::new("")).join(trace);
        let nothing = Came { outcome: Outcome::None, occurrences: 0 };
        let (seen, mut problem, why) = match crate::trace::read(&path, &rules.trace) {
            Err(error) => (nothing, Some(error.to_string()), String::new()),
            Ok(read) => {
                let timeline = attribution::attribute(read, &[], &rules.attribution, &rules.names, &facts(&case.given));
                let graph = crate::graph::build(&timeline);
                let classes = self.classifier.classify(rules, &timeline);
                let wanted = |stage: Stage| case.row.stage.is_none_or(|wanted| wanted == stage);
                let row = match finder {
                    Finder::Fuse(compiled) => {
                        let look = compiled.look(rules, &timeline, &classes);
                        let findings = findings_of(rules, &[index], &timeline, &graph, &look, &|_| false);
                        let row = findings.iter().find(|(finding, _)| wanted(finding.stage));
                        row.map(|(row, gates)| Came {
                            outcome: outcome(row, gates),
                            occurrences: (row.fused.occurrences.len() + row.split.occurrences.len()) as u64,
                        })
                    }
                    Finder::Overlap(matcher) => {
                        let exposure = super::exposure(&timeline, &classes, rules.overlap.same_stream_min());
                        let ground = Ground::new(rules, &timeline, &graph, &classes, &exposure);
                        let found = matcher.find(&ground, &|_| false, true);
                        found.into_iter().find(|found| wanted(found.stage)).map(|found| Came {
                            outcome: found.outcome,
                            occurrences: found.row.map_or(0, |row| row.risks.pairs()),
                        })
                    }
                };
                let seen = row.unwrap_or(nothing);
                let problem = (case.row.occurrences.filter(|wanted| *wanted != seen.occurrences))
                    .map(|wanted| format!("expected {wanted} occurrences, found {}", seen.occurrences));
                let why = super::explain::explain(rules, &timeline, &graph, &classes, index).text(rules, &timeline);
                (seen, problem, why)
            }
        };
        let found = seen.outcome;
        if found != case.expect && problem.is_none() {
            problem = case.row.stage.map(|stage| format!("of the stage {}", stage.id()));
        }
        let drawing = (found != case.expect || problem.is_some()).then(|| {
            let mut lines = head(family, case, found);
            lines.push(format!("      trace   {}", path.display()));
            lines.extend(problem.iter().map(|problem| format!("      {problem}")));
            lines.extend(why.lines().map(|line| format!("      {line}").trim_end().to_owned()));
            shown(&lines)
        });
        result(family, case, found, drawing, problem)
    }
}

fn result(
    family: &Family,
    case: &Case,
    outcome: Outcome,
    drawing: Option<String>,
    problem: Option<String>,
) -> CaseResult {
    CaseResult {
        family: family.id.clone(),
        name: case.name.clone(),
        file: family.file.clone(),
        line: case.line,
        expected: case.expect,
        outcome,
        todo: case.todo,
        drawing,
        problem,
    }
}

/// The status plays no part in a test.
fn patterns_to_test(family: &Family) -> [Option<super::Pattern<'_>>; 2] {
    let [fused, split] = patterns(family);
    let pattern = |chain| super::Pattern { chain, after: family.after.as_ref(), before: family.before.as_ref() };
    [fused, split.or(family.split.as_ref().map(pattern))]
}

/// What `given:` says of the run of a trace.
fn facts(given: &[(String, String)]) -> Given {
    let of = |keys: &[&str]| given.iter().find(|(key, _)| keys.contains(&key.as_str())).map(|(_, value)| value.clone());
    Given {
        framework: of(&["framework"]),
        version: of(&["version", "framework_version"]),
        model: of(&["model"]),
        tp: of(&["tp", "tensor_parallel"]).and_then(|tp| tp.parse().ok()),
        stage_hint: of(&["stage"]).and_then(|stage| Stage::from_id(&stage)),
        ..Given::default()
    }
}

/// Whether the case says something about what a gate asks; else the gate holds.
fn given(case: &Case, gate: &Gate) -> bool {
    let facts: &[&str] = match gate.key.as_str() {
        "frameworks" => &["framework"],
        "models" => &["model"],
        "stages" => &["stage"],
        "tensor_parallel" => &["tp", "tensor_parallel"],
        "dtype" => &["dtype", "quantization", "model"],
        "called_for" => &["model", "vendor", "version", "framework_version"],
        "message_limits" => &["message_bytes"],
        "since" | "until" => &["version", "framework_version"],
        other => &[other],
    };
    case.given.iter().any(|(key, _)| facts.contains(&key.as_str()))
}

fn outcome(finding: &Finding, gates: &[Gate]) -> Outcome {
    let uncalled = gates.iter().any(|gate| gate.effect == Effect::Uncalled && gate.answer == Tri::No);
    let sure = |half: &[Occurrence]| half.iter().any(|occurrence| !occurrence.unknown);
    match (finding.state, sure(&finding.fused.occurrences), sure(&finding.split.occurrences)) {
        (_, false, false) => Outcome::Candidate,
        (State::OffByDesign, ..) => Outcome::OffByDesign,
        (_, true, true) => Outcome::Partly,
        (_, true, false) => Outcome::Fused,
        (_, false, true) if uncalled => Outcome::Uncalled,
        (_, false, true) => Outcome::Split,
    }
}

/// The word of an outcome in a test.
pub fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fused => "fused",
        Outcome::Split => "split",
        Outcome::Uncalled => "uncalled",
        Outcome::Partly => "partly",
        Outcome::OffByDesign => "off-by-design",
        Outcome::None => "none",
        Outcome::Candidate => "candidate",
        Outcome::Exposed => "exposed",
        Outcome::Hidden => "hidden",
        Outcome::NoPartner => "no_partner",
    }
}

/// Lines below each other, each of which stays one.
fn shown(lines: &[String]) -> String {
    lines.iter().map(|line| plain::clean(line)).collect::<Vec<_>>().join("\n")
}

fn head(family: &Family, case: &Case, outcome: Outcome) -> Vec<String> {
    let kind = match (case.expect, outcome) {
        (Outcome::None, _) => "noisy",
        (_, Outcome::None) => "missing",
        _ => "wrong",
    };
    vec![format!(
        "FAIL  {} · {}    {}:{}    {kind}: expected {}, found {}",
        family.id,
        case.name,
        family.file,
        case.line,
        outcome_word(case.expect),
        outcome_word(outcome)
    )]
}

/// Kernels of a chain in a row, and the column where each begins.
fn row(timeline: &Timeline) -> (String, Vec<usize>) {
    let mut text = String::new();
    let mut columns = Vec::new();
    for launch in timeline.launch_ids() {
        if !text.is_empty() {
            text.push_str("  ");
        }
        columns.push(text.chars().count());
        text.push_str(&short(&timeline.kernel(launch).name.identifier));
    }
    (text, columns)
}

/// The end of a name says most; a long one loses its middle.
fn short(name: &str) -> String {
    const LONGEST: usize = 40;
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= LONGEST {
        return name.to_owned();
    }
    let (head, tail) = (LONGEST / 3, LONGEST - LONGEST / 3 - 1);
    chars[..head].iter().chain(&['…']).chain(&chars[chars.len() - tail..]).collect()
}

/// What matched though it should not: `+` counted, `.` seen through, `[` context.
fn drawn_match(timeline: &Timeline, finding: &Finding, gates: &[Gate]) -> Vec<String> {
    let (kernels, columns) = row(timeline);
    let mut marks = vec![' '; kernels.chars().count()];
    for (word, half) in [('f', &finding.fused), ('s', &finding.split)] {
        for occurrence in &half.occurrences {
            let all = [(word, &occurrence.launches), ('.', &occurrence.transparent), ('[', &occurrence.context)];
            for (mark, launches) in all {
                for launch in launches {
                    let mark = if occurrence.unknown && mark == word { '?' } else { mark };
                    marks[columns[launch.0 as usize]] = mark;
                }
            }
        }
    }
    let mut lines = vec![
        format!("      chain   {kernels}"),
        format!("              {}", marks.into_iter().collect::<String>().trim_end()),
        "              f fused, s split, ? matched through an unknown, . seen through, [ context".to_owned(),
    ];
    lines.extend(
        gates.iter().filter(|gate| gate.answer != Tri::Yes).map(|gate| format!("      gate    {}", gate.reason())),
    );
    lines
}

/// What should have matched: how far it came, and a caret under what stood in its way.
fn drawn_miss(
    rules: &RuleSet,
    timeline: &Timeline,
    graph: &crate::graph::KernelGraph,
    classes: &super::Classes,
    form: &str,
    pattern: &super::Pattern<'_>,
) -> Vec<String> {
    let (kernels, columns) = row(timeline);
    let mut lines = Vec::new();
    if let Some(after) = pattern.after {
        lines.push(format!("      after   {}", print_chain(after)));
    }
    lines.push(format!("      {form:<7} {}", print_chain(pattern.chain)));
    if let Some(before) = pattern.before {
        lines.push(format!("      before  {}", print_chain(before)));
    }
    lines.push(format!("      chain   {kernels}"));
    let Some(miss) = nearest(rules, timeline, graph, classes, pattern) else { return lines };
    let column = match (miss.stood, miss.matched.last()) {
        (Some(stood), _) => columns[stood.0 as usize],
        (None, Some(_)) => kernels.chars().count() + 2,
        (None, None) => 0,
    };
    lines.push(format!("              {}^ {}", " ".repeat(column), miss.words(timeline)));
    if let Some(stood) = miss.stood {
        let words = timeline.kernel(stood).name.words.join(" ");
        lines.push(format!("              {}  its words: {words}", " ".repeat(column)));
    }
    lines
}

impl super::Miss {
    /// Where the chain broke, in a sentence without full stop.
    pub fn words(&self, timeline: &Timeline) -> String {
        let expected = self.expected.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ");
        let Some(last) = self.matched.last() else { return format!("nothing here is {expected}") };
        let name = |launch| short(&timeline.kernel(launch).name.identifier);
        let mut words = match self.stood {
            None => format!("expected {expected} after {}, but the line ends there", name(*last)),
            Some(stood) if self.strict => {
                format!("`->` asks for {expected} as the very next event; {} is not", name(stood))
            }
            Some(stood) => format!(
                "expected {expected}; {} is not, and `~>` steps over transparent kernels only (rules/graph.yaml)",
                name(stood)
            ),
        };
        if !self.open.is_empty() {
            words += "; unknown of it: ";
            words += &self.open.join(", ");
        }
        words
    }
}

#[cfg(test)]
mod tests;
