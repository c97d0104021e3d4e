//! `rules/servers/*.yaml` in, [`Servers`] or every mistake in them out. No part of the rules that a report is made by.

use std::path::Path;

use super::schema::servers::{CommonFile, ServerFile, Servers};
use super::source::{SERVERS, Sources};
use super::yaml;
use crate::diagnostic::{self, Code, Diagnostic};

/// What the servers share.
const COMMON: &str = "common.yaml";

/// The files of the folder `servers` in `rules`, else those in the binary.
pub fn load_servers(rules: Option<&Path>) -> Result<Servers, Vec<Diagnostic>> {
    let sources = Sources::servers(rules);
    let mut found = sources.problems.clone();
    let mut servers = Servers::default();
    for entry in &sources.entries {
        let name = entry.logical.strip_prefix(SERVERS).unwrap_or(&entry.logical);
        if name == COMMON {
            match yaml::read::<CommonFile>(&entry.file) {
                Ok(file) => servers.common = file,
                Err(broken) => found.extend(broken.found),
            }
            continue;
        }
        match yaml::read::<ServerFile>(&entry.file) {
            Ok(file) if name.strip_suffix(".yaml") == Some(file.id.as_str()) => servers.servers.push(file),
            Ok(file) => found.push(
                Diagnostic::new(Code::BadSetting, format!("the id `{}` is not the name of the file", file.id)).at(
                    &entry.file,
                    0..0,
                    "",
                ),
            ),
            Err(broken) => found.extend(broken.found),
        }
    }
    if servers.common.version == 0 && found.is_empty() {
        found.push(Diagnostic::new(Code::MissingFile, format!("there is no {SERVERS}{COMMON}")));
    }
    servers.servers.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
    diagnostic::sort(&mut found);
    if found.is_empty() { Ok(servers) } else { Err(found) }
}
