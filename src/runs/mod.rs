//! What is made of several finished reports: runs in, a comparison, gates or a bundle out. Nothing is measured here; each
//! figure is one of a report, or a difference of two.

pub mod bundle;
pub mod compare;
pub mod gates;
mod run;

pub use run::{CaptureValue, Run};

/// Pretty JSON with a final newline.
pub(crate) fn pretty(document: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    text
}
