//! A small rule set for the tests of the engine.

use crate::attribution::{Known, Stage, Step, StepId, Timeline};
use crate::rules::{
    CaseLaunch, Family, FamilyKind, Gates, Independence, Origin, Per, RuleSet, Status, Term, TransparentRole,
    parse_chain, parse_expr,
};
use crate::units::Nanos;

/// Terms and roles by which the tests speak.
pub(super) fn rules(families: Vec<Family>) -> RuleSet {
    let term = |name: &str, is: &str| Term { name: name.into(), about: String::new(), expr: parse_expr(is).unwrap() };
    let role = |name: &str, is: &str| TransparentRole { name: name.into(), expr: parse_expr(is).unwrap() };
    let mut families = families;
    families.sort_by(|a, b| a.id.cmp(&b.id));
    RuleSet {
        terms: vec![
            term("gemm", r#"name("gemm")"#),
            term("norm", r#"name("rms_norm")"#),
            term("rope", r#"name("rotary")"#),
            term("store", r#"name("store_kvcache")"#),
            term("quant", r#"name("quant")"#),
        ],
        transparent: vec![role("layout-copy", r#"name("copy") and op("aten::clone")"#), role("memset", "kind(memset)")],
        families,
        ..RuleSet::default()
    }
}

/// A stable family that asks nothing, with its split form.
pub(super) fn family(id: &str, split: &str) -> Family {
    let chain = |text: &str| (!text.is_empty()).then(|| parse_chain(text).unwrap());
    Family {
        id: id.into(),
        aliases: Vec::new(),
        title: id.to_uppercase(),
        rationale: String::new(),
        kind: FamilyKind::Fuse,
        origin: Origin::Mainline,
        pr: Vec::new(),
        status: Status::Stable,
        replaced_by: None,
        sources: Vec::new(),
        checked: None,
        since: None,
        since_on: std::collections::BTreeMap::new(),
        until: None,
        when: Gates::default(),
        called_for: Vec::new(),
        fused: None,
        split: chain(split),
        after: None,
        before: None,
        overlap: None,
        independent: Independence::default(),
        per: Per::Layer,
        priority: 0,
        subsumes: Vec::new(),
        excludes: Vec::new(),
        toggles: Vec::new(),
        tests: Vec::new(),
        file: format!("{id}.yaml"),
    }
}

/// The same with a fused form.
pub(super) fn with_fused(id: &str, fused: &str, split: &str) -> Family {
    Family { fused: Some(parse_chain(fused).unwrap()), ..family(id, split) }
}

/// Launches by kernel name; `name @ op` gives the op.
pub(super) fn launches(names: &[&str]) -> Vec<CaseLaunch> {
    names
        .iter()
        .map(|name| {
            let (kernel, op) = name.split_once(" @ ").map_or((*name, None), |(kernel, op)| (kernel, Some(op)));
            CaseLaunch { kernel: kernel.into(), op: op.map(|op| vec![op.into()]), ..CaseLaunch::default() }
        })
        .collect()
}

/// One step of `names`.
pub(super) fn timeline(names: &[&str]) -> Timeline {
    super::testing::timeline_of(&launches(names), &RuleSet::default(), &[])
}

/// Cuts the one step of a timeline into steps of `lengths` launches.
pub(super) fn cut(timeline: &mut Timeline, stage: Stage, lengths: &[usize]) {
    let name = timeline.steps[0].name;
    let step = Step { name, stage, start: Nanos::ZERO, end: Nanos::ZERO, tokens: None, requests: None, whole: true };
    timeline.steps = vec![step; lengths.len()];
    let mut launches = timeline.launches.iter_mut();
    for (index, length) in lengths.iter().enumerate() {
        for launch in launches.by_ref().take(*length) {
            launch.step = Some(StepId(index as u32));
            launch.stage = stage;
        }
    }
}

/// A fact with a source.
pub(super) fn known<T>(value: T) -> Known<T> {
    Known { value, source: "test".into() }
}
