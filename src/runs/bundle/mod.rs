//! Many runs in, one document out: by model, then by framework, what they have in common beside each other on top.

mod compared;
pub mod html;
pub mod markdown;
mod model;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use super::Run;
use crate::rules::RuleSet;
pub use model::*;

/// A run as it is given.
#[derive(Clone, Debug)]
pub struct Given {
    /// The run.
    pub run: Run,
    /// The model it is put under; none: the one that its report says.
    pub model: Option<String>,
    /// What the file's name says of the framework, for a report that says none.
    pub framework: Option<String>,
}

/// What a model without a name is put under.
const UNKNOWN: &str = "unknown model";

/// The document. The order in which runs are given does not matter.
pub fn bundle(given: Vec<Given>, title: &str, rules: &RuleSet) -> Bundle {
    let mut groups: BTreeMap<String, Vec<Given>> = BTreeMap::new();
    for one in given {
        let model = one.model.clone().or_else(|| one.run.report.model.clone()).unwrap_or_else(|| UNKNOWN.to_owned());
        groups.entry(model).or_default().push(one);
    }
    let mut named: Vec<(String, String, Vec<Given>)> =
        groups.into_iter().map(|(id, runs)| (name(&id, &runs), id, runs)).collect();
    named.sort_by(|a, b| (a.0.to_lowercase(), &a.1).cmp(&(b.0.to_lowercase(), &b.1)));
    let mut anchors = Anchors::default();
    let models = named.into_iter().map(|(name, id, runs)| model_runs(id, name, runs, &mut anchors, rules)).collect();
    Bundle { schema: "llm-prof.bundle/1", title: title.to_owned(), models }
}

/// The longest name that a report says, else the id.
fn name(id: &str, runs: &[Given]) -> String {
    let names = runs.iter().filter_map(|one| one.run.report.model.as_deref());
    let longest = names.fold(None::<&str>, |best, name| match best {
        Some(best) if (best.len(), name) >= (name.len(), best) => Some(best),
        _ => Some(name),
    });
    longest.unwrap_or(id).to_owned()
}

fn model_runs(id: String, name: String, mut given: Vec<Given>, anchors: &mut Anchors, rules: &RuleSet) -> ModelRuns {
    let framework = |one: &Given| one.run.report.framework.clone().or_else(|| one.framework.clone());
    let rank = |id: Option<&String>| {
        let place = id.and_then(|id| rules.framework_order.iter().position(|own| own == id));
        place.unwrap_or(rules.framework_order.len() + usize::from(id.is_none()))
    };
    given.sort_by_cached_key(|one| {
        let framework = framework(one);
        (rank(framework.as_ref()), framework, one.run.path.clone())
    });
    let anchor = anchors.of(&name);
    let mut titles = BTreeSet::new();
    let mut runs = Vec::new();
    for one in given {
        let framework = framework(&one);
        let called = framework.as_ref().map(|id| rules.report.titles.get(id).unwrap_or(id).as_str());
        let version = one.run.report.framework_version.as_ref().map_or_else(String::new, |v| format!(" {v}"));
        let plain = format!("{}{version}", called.unwrap_or("Framework unknown"));
        let title = if titles.insert(plain.clone()) { plain } else { format!("{plain}, {}", one.run.path) };
        runs.push(BundledRun {
            anchor: anchors.of(&format!("{anchor} {}", framework.as_deref().unwrap_or("unknown"))),
            path: one.run.path.clone(),
            title,
            framework,
            report: one.run.report,
        });
    }
    ModelRuns { compared: compared::compared(&runs, &rules.compare), id, name, anchor, runs }
}

/// Anchors that stand once in a document.
#[derive(Default)]
struct Anchors(BTreeSet<String>);

impl Anchors {
    /// Lower-case letters and digits of a title, `-` between; a number where that is taken.
    fn of(&mut self, title: &str) -> String {
        let plain: String =
            title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
        let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
        let base = if words.is_empty() { "run".to_owned() } else { words.join("-") };
        let mut anchor = base.clone();
        let mut n = 1;
        while !self.0.insert(anchor.clone()) {
            n += 1;
            anchor = format!("{base}-{n}");
        }
        anchor
    }
}

/// The JSON contract, as [`Bundle`] has it, with a final newline.
pub fn json(bundle: &Bundle) -> String {
    crate::plain::json(bundle)
}
