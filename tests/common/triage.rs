//! `triage --format json` of one path; for the tests that have `mod common` beside it.

use std::path::Path;

use crate::common::{Done, llm_prof};

pub(crate) fn triage(path: &Path) -> Done {
    llm_prof(&["triage".as_ref(), "--format".as_ref(), "json".as_ref(), path.as_os_str()])
}
