//! The YAML of `rules/` and `catalogs/` as serde structs, one file a format.

pub mod trace;
