//! The tests of terms, categories and roles: each a launch that must be found, or a near miss.

use super::Tri;
use super::classify::classify;
use super::predicate::{PredicateId, Predicates};
use super::testing::timeline_of;
use crate::attribution::{LaunchId, Timeline};
use crate::rules::{CaseLaunch, RuleSet, Subject, TermCase};

/// One test with what came of it.
#[derive(Clone, Debug)]
pub struct CaseResult<'a> {
    /// The test.
    pub case: &'a TermCase,
    /// Nothing when it passed; else what was expected and what came out, a readable sentence.
    pub failure: Option<String>,
}

impl CaseResult<'_> {
    /// Whether it came out as it should.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// `path:line` of the test.
    pub fn place(&self) -> String {
        format!("{}:{}", self.case.file, self.case.line)
    }
}

/// Runs all tests of terms, categories and roles, in the order of their files.
pub fn run_term_cases(rules: &RuleSet) -> Vec<CaseResult<'_>> {
    let mut predicates = Predicates::new(rules);
    let terms: Vec<(&str, PredicateId)> =
        rules.terms.iter().map(|t| (t.name.as_str(), predicates.add(&t.expr))).collect();
    let see_through: Vec<(&str, PredicateId)> =
        rules.transparent.iter().map(|t| (t.name.as_str(), predicates.add(&t.expr))).collect();
    let find = |list: &[(&str, PredicateId)], name: &str| list.iter().find(|(n, _)| *n == name).map(|(_, id)| *id);

    // Each launch alone in a step of its own would be as right; one timeline for all is faster. Nothing here looks at
    // neighbours.
    let launches: Vec<CaseLaunch> = rules.term_cases.iter().map(|c| apart(&c.launch)).collect();
    let timeline = timeline_of(&launches, rules, &[]);
    let classes = classify(rules, &timeline);
    let answers = predicates.answer(&timeline, &rules.names, Some(&classes));
    let failure = |n: usize, case: &TermCase| {
        let launch = LaunchId(n as u32);
        let failure: Option<String> = match case.subject {
            Subject::Category => {
                let own = classes.name_of(launch);
                ((own == case.name) != case.hit).then(|| {
                    let wanted = if case.hit { case.name.clone() } else { format!("another than {}", case.name) };
                    format!("expected category {wanted}, found {own}")
                })
            }
            Subject::Term | Subject::Role => {
                let list = if case.subject == Subject::Term { &terms } else { &see_through };
                find(list, &case.name).and_then(|id| {
                    let (link, plain) = (answers.link(id, launch), answers.plain(id, launch));
                    let passed = if case.hit { plain == Tri::Yes } else { link != Tri::Yes };
                    (!passed).then(|| {
                        let unknown = answers.unknowns(id, launch);
                        let because = if unknown.is_empty() {
                            String::new()
                        } else {
                            format!(" ({} is unknown)", unknown.join(", "))
                        };
                        let wanted = if case.hit { "a hit" } else { "no hit" };
                        format!("expected {wanted}, found {}{because}", word(plain))
                    })
                })
            }
        };
        failure.map(|text| format!("{text}\n{}", looks_like(&timeline, launch)))
    };
    rules.term_cases.iter().enumerate().map(|(n, case)| CaseResult { case, failure: failure(n, case) }).collect()
}

/// A launch whose place in time is that of its test, not what it says.
fn apart(launch: &CaseLaunch) -> CaseLaunch {
    CaseLaunch { start_ns: None, waits_for: Vec::new(), ..launch.clone() }
}

fn word(tri: Tri) -> &'static str {
    match tri {
        Tri::Yes => "yes",
        Tri::No => "no",
        Tri::Unknown => "unknown",
    }
}

/// What the predicates see of a launch: the key to most failures.
fn looks_like(timeline: &Timeline, launch: LaunchId) -> String {
    let name = &timeline.kernel(launch).name;
    let mut lines = vec![format!("      words    {}", name.words.join(" "))];
    lines.extend(name.inductor.as_ref().map(|ops| format!("      ops      {}", ops.join(" "))));
    lines.extend(name.launcher.as_ref().map(|launcher| format!("      launcher {launcher}")));
    lines.extend(name.template_args.iter().enumerate().map(|(n, argument)| format!("      targ {n:<3} {argument}")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic;
    use crate::rules::{Sources, load, parse_expr};

    fn case(name: &str, kernel: &str, hit: bool) -> TermCase {
        let launch = CaseLaunch { kernel: kernel.into(), ..CaseLaunch::default() };
        TermCase {
            subject: Subject::Term,
            name: name.into(),
            launch,
            hit,
            file: "rules/terms.yaml".into(),
            line: 7,
            place: None,
        }
    }

    #[test]
    fn a_failure_says_what_the_predicate_saw() {
        let term = |name: &str, is: &str| crate::rules::Term {
            name: name.into(),
            about: String::new(),
            expr: parse_expr(is).unwrap(),
        };
        let rules = RuleSet {
            terms: vec![term("gemm", "name(\"gemm\")"), term("clone", "name(\"copy\") and op(\"aten::clone\")")],
            term_cases: vec![
                case("gemm", "sgemm_kernel<float, 4>", true),
                case("gemm", "x_gemm", true),
                case("gemm", "x_gemm", false),
                case("clone", "copy", true),
                case("clone", "copy", false),
            ],
            ..RuleSet::default()
        };
        let results = run_term_cases(&rules);
        let seen: Vec<_> = results.iter().map(|r| r.failure.as_deref().unwrap_or("passed")).collect();
        assert_eq!(
            seen,
            [
                "expected a hit, found no\n      words    sgemm kernel\n      targ 0   float\n      targ 1   4",
                "passed",
                "expected no hit, found yes\n      words    x gemm",
                "expected a hit, found unknown (op(\"aten::clone\") is unknown)\n      words    copy",
                "passed",
            ]
        );
        assert_eq!(results[0].place(), "rules/terms.yaml:7");
    }

    #[test]
    fn the_tests_of_the_shipped_rules_pass() {
        let rules = load(&Sources::embedded()).unwrap_or_else(|e| panic!("{}", diagnostic::render(&e, false)));
        let results = run_term_cases(&rules);
        let failures: Vec<String> = results
            .iter()
            .filter_map(|r| {
                Some(format!("{} {} {}: {}", r.place(), r.case.subject.id(), r.case.name, r.failure.as_ref()?))
            })
            .collect();
        assert!(failures.is_empty(), "{} of {}\n{}", failures.len(), results.len(), failures.join("\n"));
        assert!(results.len() > 100);
    }
}
