//! `llm-prof rules schema`: what editors complete rule files from.

use super::super::args::RulesSchema;
use super::super::failure::Failure;
use super::super::output::print_as_is;
use super::super::streams::Streams;
use super::made;
use crate::diagnostic;
use crate::rules::schema::json;

/// Prints one, or writes or compares all.
pub(super) fn run(args: &RulesSchema, streams: &mut Streams) -> Result<(), Failure> {
    let all = json::all();
    if args.target.write.is_some() || args.target.check.is_some() {
        let files: Vec<(String, String)> = all.into_iter().map(|(name, text)| (format!("{name}.json"), text)).collect();
        return made(&files, &args.target, "llm-prof rules schema", streams);
    }
    if let Some((_, text)) = all.iter().find(|(name, _)| *name == args.name) {
        return print_as_is(text, streams);
    }
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let near = diagnostic::near(&args.name, names.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(Failure::usage(format!("there is no schema {}: expected one of {}{near}", args.name, names.join(", "))))
}
