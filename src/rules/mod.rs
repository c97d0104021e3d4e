//! YAML in, [`RuleSet`] out: what the rooms to the left are told, and what the engine runs.

pub mod ast;
mod claims;
mod family;
mod load;
mod measure;
mod model;
mod parse;
mod place;
mod print;
mod resolve;
pub mod schema;
mod servers;
mod shape;
mod source;
mod tidy;
pub mod version;
mod yaml;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

pub use claims::{Claim, ClaimKind, Versions};
pub use load::{load, load_rest, load_settings, load_untested};
pub use measure::{ChainProblem, DEEPEST, MOST_JOINS, MOST_LINKS, check_chain, counted_links, fewest_counted};
pub use model::*;
pub use parse::{FIELDS, SyntaxError, parse_chain, parse_expr, parse_overlap};
pub use print::{print_chain, print_expr, print_overlap};
pub use servers::load_servers;
pub use source::Sources;
pub use tidy::tidy;

/// Globs of the rules over names and paths, case ignored.
///
/// # Errors
/// The first that is none.
pub fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).case_insensitive(true).build()?);
    }
    set.build()
}
