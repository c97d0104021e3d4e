//! Names for a table.

use super::KernelName;

/// One short form each, distinct where the names are.
pub fn shorten(names: &[&KernelName], _width: usize) -> Vec<String> {
    names.iter().map(|name| name.identifier.clone()).collect()
}
