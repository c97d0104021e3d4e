use super::super::schema::family::FamilyFile;
use super::super::schema::shared::TermsFile;
use super::super::{Sources, yaml};
use super::*;

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: "x.yaml".into(), text: text.to_owned().into() })
}

/// `line: title` of each mistake.
fn titles(text: &str) -> Vec<String> {
    let file = file(text);
    let Err(broken) = yaml::read::<FamilyFile>(&file) else { panic!("no mistake") };
    broken.found.iter().map(|d| format!("{}: {}", d.labels[0].line(), d.title)).collect()
}

#[test]
fn a_mistake_hides_none_beside_or_below_it() {
    let text = "\
version: one
id: any/x
titel: T
kind: fused
split: [a]
split: b
when: { tokens: [1], models: { some: [x] } }
rationale: why
tests:
  - { name: a, chain: [k, { kernel: k, opp: x }, { op: y }, [z]], expect: split, todo: maybe }
  - { nam: a, chain: k }
";
    assert_eq!(
        titles(text),
        [
            "1: expected a whole number",
            "3: there is no key `titel` here",
            "4: `fused` cannot stand here",
            "5: expected a text",
            "6: the key `split` stands twice",
            "7: expected a text",
            "7: there is no key `some` here",
            "9: the key `origin` is missing",
            "10: there is no key `opp` here",
            "10: the key `kernel` is missing",
            "10: expected a text or a map of keys and values",
            "10: expected `true` or `false`",
            "11: there is no key `nam` here",
            "11: the key `expect` is missing",
            "11: expected a list, `[a, b]`",
        ]
    );
}

#[test]
fn what_the_reader_takes_has_the_right_shape() {
    for (path, file) in Sources::embedded().files() {
        if path.starts_with("catalogs/fuse") || path.starts_with("catalogs/overlap") {
            let tree = tree(file).expect("a tree");
            assert_eq!(mistakes::<FamilyFile>(file, &tree), [], "{path}");
        } else if path == "rules/terms.yaml" {
            assert_eq!(mistakes::<TermsFile>(file, &tree(file).expect("a tree")), []);
        }
    }
}

#[test]
fn nesting_without_end_is_refused_not_followed() {
    let deep = file(&("a: ".to_owned() + &"[".repeat(5_000)));
    assert!(tree(&deep).is_none() && yaml::read::<FamilyFile>(&deep).is_err());
}
