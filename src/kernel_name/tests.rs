use super::*;
use crate::rules::schema::names::Names;
use std::sync::LazyLock;

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let names: Names = serde_yaml::from_str(include_str!("../../rules/names.yaml")).expect("rules/names.yaml loads");
    names.into()
});

fn parse(raw: &str) -> KernelName {
    KernelName::parse(raw, &SETTINGS)
}
#[test]
fn dump() {
    let path = std::env::var("NAMES").unwrap_or_default();
    let Ok(text) = std::fs::read_to_string(path) else { return };
    for line in text.lines() {
        let n = parse(line);
        println!(
            "{}\t<= {}\t{:?}\t{:?}\t{:?}",
            n.identifier,
            n.launcher.as_deref().unwrap_or("-"),
            n.words.join(" "),
            n.template_args.iter().map(|a| a.chars().take(40).collect::<String>()).collect::<Vec<_>>(),
            n.inductor
        );
    }
}
#[test]
fn dump_short() {
    let path = std::env::var("NAMES").unwrap_or_default();
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let names: Vec<KernelName> = text.lines().map(parse).collect();
    let names: Vec<&KernelName> = names.iter().collect();
    let t = std::time::Instant::now();
    for width in [80, 56, 40, 24] {
        let s = shorten(&names, width);
        println!("{width} {} {:?}", s.iter().collect::<std::collections::BTreeSet<_>>().len(), t.elapsed());
        for s in s {
            println!("S{width} {s}");
        }
    }
    let t = std::time::Instant::now();
    for line in text.lines() {
        std::hint::black_box(parse(line));
    }
    println!("parse {:?}", t.elapsed());
}
