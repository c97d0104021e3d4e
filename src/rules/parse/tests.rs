//! Normal form, precedence, and the place of each mistake.

use proptest::prelude::*;

use super::*;
use crate::rules::{print_chain, print_expr, print_overlap};

fn normal(text: &str) -> String {
    print_chain(&parse_chain(text).unwrap_or_else(|e| panic!("{text}: {e:?}")))
}

#[test]
fn a_text_in_normal_form_prints_as_itself() {
    for text in [
        "rms_norm",
        "_",
        "head_rms_norm{2} ~> rope",
        "silu -> [gemm or kind(memset)]* -> mul",
        "all_reduce ~> (rms_norm | layer_norm)",
        "(q & k) ~> rope+",
        "(cast? -> pow -> mean){2,} ~> add{0,4}",
        "name(\"add_rms_norm\") and not targ(4, \"false\")",
        "(name(\"a\") or name(\"b\")) and not (gemm or op(\"aten::mm\"))",
        "(name(\"a\") or name(\"b\")){2}",
        "(a ~> b | c -> d)",
        "(a ~> b | c & d ~> e | f{2})",
        "[a ~> b | c] ~> d",
        "((a+)?)?",
        "tokens <= 128 and dur_us > 2.5 and bytes != -1",
        "category(kv-cache, norm) or dims(\"[888, 2880]*\")",
        "name(\"say \\\"x\\\\y\\\"\")",
    ] {
        assert_eq!(normal(text), text);
    }
}

#[test]
fn blanks_and_needless_parentheses_go() {
    assert_eq!(normal(" ( ( rms_norm ) )~>\n (rope) "), "rms_norm ~> rope");
    assert_eq!(normal("((a ~> b) | c)"), "(a ~> b | c)");
    assert_eq!(normal("(a | (b & c ~> d))"), "(a | b & c ~> d)");
    assert_eq!(normal("[(a | b)]"), "[a | b]");
    assert_eq!(normal("(a and b) or (c)"), "a and b or c");
    assert_eq!(normal("not(not a)"), "not not a");
    assert_eq!(normal("name(rope)"), "name(\"rope\")");
}

#[test]
fn or_binds_looser_than_and_and_joins_looser() {
    assert_eq!(normal("(a or (b and c)) ~> d"), "a or b and c ~> d");
    assert_eq!(normal("(a or b) and c ~> d"), "(a or b) and c ~> d");
    assert_eq!(normal("((a | b) & c)"), "((a | b) & c)");
    assert_eq!(normal("((a & b) & c ~> (d))"), "((a & b) & c ~> d)");
}

#[test]
fn words_that_begin_like_a_keyword_are_terms() {
    for word in ["notable", "and_then", "order", "nameless", "targs_x", "not_a_norm"] {
        assert_eq!(parse_expr(word).unwrap().node, ExprNode::Term(word.into()));
    }
}

fn wrong(text: &str) -> String {
    let e = parse_chain(text).expect_err(text);
    let help = e.help.map_or(String::new(), |h| format!("; {h}"));
    let opened = e.opened.map_or(String::new(), |o| format!("; never closed: {o:?}"));
    format!("{}..{} {}{help}{opened}", e.span.start, e.span.end, e.message)
}

#[test]
fn each_mistake_is_named_at_its_place() {
    let seen: Vec<String> = [
        "",
        "name(\"rope\"",
        "name(\"rope\" ~> gemm",
        "name(\"rope) ~> gemm",
        "nam(\"rope\")",
        "gemm ~> ",
        "gemm ~> and",
        "gemm rope",
        "gemm | rope",
        "(a & | c)",
        "(a | b",
        "gemm)",
        "a or b?",
        "a{3,1}",
        "a{0}",
        "a{100}",
        "token < 3",
        "tokens < x",
        "name()",
        "name('rope')",
        "name(\"\")",
        "a > b",
        "[gemm ~> rope",
    ]
    .into_iter()
    .map(|t| format!("{t:24} {}", wrong(t)))
    .collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn a_chain_is_refused_where_a_predicate_must_stand() {
    let e = parse_expr("gemm ~> rope").unwrap_err();
    assert_eq!((e.span, e.message.as_str()), (5..7, "a chain cannot stand here, only a predicate over one event"));
    assert_eq!(parse_expr("gemm | rope").unwrap_err().help.as_deref(), Some("write `or`"));
}

/// The lines of all fenced blocks of one kind in the language's page.
fn examples(kind: &str) -> Vec<&'static str> {
    let mut inside = "";
    let mut out = Vec::new();
    for line in include_str!("../../../grammar/README.md").lines() {
        match line.strip_prefix("```") {
            Some(fence) => inside = if inside.is_empty() { fence } else { "" },
            None if inside == kind => out.push(line),
            None => {}
        }
    }
    out
}

#[test]
fn every_example_of_the_page_is_read_or_refused_as_it_says() {
    let (good, bad) = (examples("match"), examples("refused"));
    assert!(good.len() > 25 && bad.len() > 5);
    for line in good {
        assert_eq!(normal(line), line);
    }
    for line in bad {
        assert!(parse_chain(line).is_err(), "{line}");
    }
    for line in examples("overlap") {
        assert_eq!(super::super::print_overlap(&parse_overlap(line).unwrap()), line);
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    for text in ["(".repeat(30_000), format!("{} a", "not ".repeat(30_000)), "[".repeat(30_000)] {
        assert!(parse_chain(&text).unwrap_err().message.contains("nested deeper"));
    }
    let ok = format!("{}a{}", "(".repeat(40), ")".repeat(40));
    assert_eq!(normal(&ok), "a");
}

fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[ -~é]{1,8}").unwrap().prop_filter("not blank", |s| !s.trim().is_empty())
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(text(), 1..3)
}

fn expr() -> impl Strategy<Value = Expr> {
    let plain = |node| Expr { node, span: 0..0 };
    let of_texts: Vec<fn(Vec<String>) -> Atom> = vec![
        Atom::Name,
        Atom::Inductor,
        Atom::Targs,
        Atom::Op,
        Atom::Site,
        Atom::Module,
        Atom::Category,
        Atom::Kind,
        Atom::Dims,
        Atom::Grid,
    ];
    let compares = vec![
        Compare::Less,
        Compare::LessEqual,
        Compare::Equal,
        Compare::NotEqual,
        Compare::GreaterEqual,
        Compare::Greater,
    ];
    let leaf = prop_oneof![
        4 => (proptest::sample::select(of_texts), texts()).prop_map(|(atom, texts)| atom(texts)),
        1 => (0usize..20, text()).prop_map(|(n, t)| Atom::Targ(n, t)),
        1 => (0usize..4, proptest::sample::select(compares), any::<i32>()).prop_map(|(f, compare, v)| Atom::Number {
            field: FIELDS[f].into(),
            compare,
            thousandths: i64::from(v),
        }),
    ]
    .prop_map(ExprNode::Atom);
    let leaf = prop_oneof![leaf, "[a-m][a-m_]{0,5}".prop_map(ExprNode::Term)].prop_map(plain);
    leaf.prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| ExprNode::Not(Box::new(e))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(ExprNode::And),
            proptest::collection::vec(inner, 2..4).prop_map(ExprNode::Or),
        ]
        .prop_map(plain)
    })
}

fn chain() -> impl Strategy<Value = Chain> {
    let plain = |node| Chain { node, span: 0..0 };
    let leaf = prop_oneof![expr().prop_map(ChainNode::Link), Just(ChainNode::Any)].prop_map(plain);
    leaf.prop_recursive(4, 16, 3, move |inner| {
        prop_oneof![
            inner.clone().prop_map(|c| ChainNode::Context(Box::new(c))),
            (inner.clone(), proptest::collection::vec((any::<bool>(), inner.clone()), 1..3)).prop_map(|(h, rest)| {
                let join = |strict| if strict { Join::Strict } else { Join::Loose };
                ChainNode::Seq(Box::new(h), rest.into_iter().map(|(s, c)| (join(s), c)).collect())
            }),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(ChainNode::Alt),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(ChainNode::Both),
            (inner, 0u32..3, proptest::option::of(1u32..4)).prop_map(|(c, min, more)| ChainNode::Repeat {
                inner: Box::new(c),
                min,
                max: more.map(|m| min + m),
            }),
        ]
        .prop_map(plain)
    })
}

fn same(a: &impl std::fmt::Debug, b: &impl std::fmt::Debug) -> bool {
    let blank = |text: String| {
        let mut out = String::new();
        for part in text.split("span: ") {
            out.push_str(part.split_once("..").map_or(part, |(n, rest)| {
                if n.chars().all(|c| c.is_ascii_digit()) {
                    rest.trim_start_matches(|c: char| c.is_ascii_digit())
                } else {
                    part
                }
            }));
        }
        out
    };
    blank(format!("{a:?}")) == blank(format!("{b:?}"))
}

proptest! {
    #[test]
    fn every_clause_of_an_overlap_reads_back_as_itself(exposed in expr(), beside in expr(), within_us in 1u32..5_000) {
        let clause = OverlapClause { exposed, beside, within_us };
        let text = print_overlap(&clause);
        let again = parse_overlap(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e:?}")))?;
        prop_assert!(same(&clause, &again), "{}\n{:?}\n{:?}", text, clause, again);
        prop_assert_eq!(print_overlap(&again), text);
    }

    #[test]
    fn every_tree_reads_back_as_itself(tree in chain()) {
        let text = print_chain(&tree);
        let again = parse_chain(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e:?}")))?;
        prop_assert!(same(&tree, &again), "{}\n{:?}\n{:?}", text, tree, again);
        prop_assert_eq!(print_chain(&again), text);
    }

    #[test]
    fn every_predicate_reads_back_as_itself(tree in expr()) {
        let text = print_expr(&tree);
        let again = parse_expr(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e:?}")))?;
        prop_assert!(same(&tree, &again), "{}", text);
    }

    #[test]
    fn no_text_panics_and_errors_lie_inside(text in "[a-c()\\[\\]|&~>\\-?*+{}0-9,\" _.é'noradt]{0,40}") {
        if let Err(e) = parse_chain(&text) {
            prop_assert!(e.span.start <= e.span.end && e.span.end <= text.len());
            prop_assert!(text.get(e.span).is_some());
        }
    }
}

#[test]
fn an_overlap_is_two_sides_and_a_distance() {
    let text = "exposed(all_reduce or name(\"x\")) beside exposed(gemm) within 200us";
    assert_eq!(super::super::print_overlap(&parse_overlap(text).unwrap()), text);
    for bad in ["exposed(a) beside exposed(b)", "exposed(a) within 200us", "a beside b within 200us"] {
        let error = parse_overlap(bad).unwrap_err();
        assert!(error.message.starts_with("expected two sides"), "{bad}: {}", error.message);
    }
    let error = parse_overlap("exposed(a or (b)) beside exposed(nam(\"(x\")) within 1us").unwrap_err();
    assert_eq!((error.span, error.message.as_str()), (33..36, "there is no predicate `nam(..)`"));
    let error = parse_overlap("exposed(a ~> b) beside exposed(b) within 1us").unwrap_err();
    assert!(error.span == (10..12) && error.message.starts_with("a chain cannot stand here"), "{error:?}");
    assert_eq!(
        parse_overlap("exposed(a) beside exposed(b) within 0us").unwrap_err().message,
        "a distance goes from 1us to 100000us"
    );
}
