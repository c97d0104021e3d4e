//! `llm-prof schema`: what programs may expect of our JSON.

use super::args::{Schema, SchemaOutput};
use super::failure::Failure;
use super::output::print;
use super::rules::made;
use super::streams::Streams;
use crate::report::{doctor, json};
use crate::rules::schema::json::text;
use crate::runs::{bundle, compare, gates};

/// Prints one, or writes or compares all.
pub(super) fn run(args: &Schema, streams: &mut Streams) -> Result<(), Failure> {
    if args.target.write.is_none() && args.target.check.is_none() {
        return print(&schema(args.output), streams);
    }
    let names = ["triage", "compare", "check", "bundle", "doctor"];
    let outputs =
        [SchemaOutput::Triage, SchemaOutput::Compare, SchemaOutput::Check, SchemaOutput::Bundle, SchemaOutput::Doctor];
    let files: Vec<(String, String)> =
        names.iter().zip(outputs).map(|(name, output)| (format!("{name}.json"), schema(output))).collect();
    made(&files, &args.target, "llm-prof schema", streams)
}

fn schema(output: SchemaOutput) -> String {
    text(&match output {
        SchemaOutput::Triage => json::schema(),
        SchemaOutput::Compare => schemars::schema_for!(compare::Comparison),
        SchemaOutput::Check => schemars::schema_for!(gates::Check),
        SchemaOutput::Bundle => schemars::schema_for!(bundle::Bundle),
        SchemaOutput::Doctor => doctor::schema(),
    })
}
