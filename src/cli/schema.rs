//! `llm-prof schema`: what programs may expect of our JSON.

use clap::ValueEnum;

use super::args::{Schema, SchemaOutput};
use super::failure::Failure;
use super::output::print_as_is;
use super::rules::made;
use super::streams::Streams;
use crate::capture::probe;
use crate::fleet;
use crate::report::{doctor, json};
use crate::rules::schema::json::text;
use crate::runs::{bundle, compare, gates};

/// Prints one, or writes or compares all.
pub(super) fn run(args: &Schema, streams: &mut Streams) -> Result<(), Failure> {
    if args.target.write.is_none() && args.target.check.is_none() {
        return print_as_is(&schema(args.output), streams);
    }
    let named =
        |output: &SchemaOutput| Some((format!("{}.json", output.to_possible_value()?.get_name()), schema(*output)));
    let files: Vec<(String, String)> = SchemaOutput::value_variants().iter().filter_map(named).collect();
    made(&files, &args.target, "llm-prof schema", streams)
}

fn schema(output: SchemaOutput) -> String {
    text(&match output {
        SchemaOutput::Triage => json::schema(),
        SchemaOutput::Compare => schemars::schema_for!(compare::Comparison),
        SchemaOutput::Check => schemars::schema_for!(gates::Check),
        SchemaOutput::Bundle => schemars::schema_for!(bundle::Bundle),
        SchemaOutput::Doctor => doctor::schema(),
        SchemaOutput::Probe => schemars::schema_for!(probe::Probe),
        SchemaOutput::FleetTables => schemars::schema_for!(fleet::Row),
        SchemaOutput::FleetReport => schemars::schema_for!(fleet::summary::Summary),
    })
}
