//! Who can do what, as a table of markdown made from the files about servers.

use std::fmt::Write;

use super::run::can;
use crate::rules::schema::servers::{Ability, Folder, Limit, ServerFile, Servers, Start};

/// The table, with the reasons behind it.
pub fn table(servers: &Servers) -> String {
    let mut out = String::from("| server | versions | number of steps | folder |");
    for ability in Ability::ALL {
        let _ = write!(out, " `{}` |", ability.flag());
    }
    out += "\n|---|---|---|---|";
    out += &"---|".repeat(Ability::ALL.len());
    out.push('\n');
    for file in &servers.servers {
        for start in &file.start {
            row(&mut out, file, start);
        }
    }
    for file in &servers.servers {
        let _ = write!(out, "\n{}: read against {}.\n", file.title, file.checked.join(", "));
        for (ability, why) in &file.cannot {
            let _ = writeln!(out, "- no `{}`: {why}", ability.flag());
        }
        for launch in &file.launch {
            let versions = versions(launch.since.as_deref(), launch.until.as_deref());
            if let Some(needs) = &launch.needs {
                let _ = writeln!(out, "- {versions}: started with `{}`", needs.replace("{dir}", "DIR"));
            }
            let _ = writeln!(out, "- {versions}: a mapping run adds `{}`", launch.mapping);
        }
        for note in &file.notes {
            let _ = writeln!(out, "- {note}");
        }
    }
    out
}

fn row(out: &mut String, file: &ServerFile, start: &Start) {
    let limit = match start.limit {
        Limit::StopsItself => "the server stops by itself",
        Limit::NeedsStop => "the server records no more",
        Limit::None => "counted in the output, then stopped",
    };
    let folder = match file.files.folder {
        Folder::Told => "any",
        Folder::Fixed => "that of the server",
    };
    let versions = versions(start.since.as_deref(), start.until.as_deref());
    let _ = write!(out, "| {} | {versions} | {limit} | {folder} |", file.title);
    for ability in Ability::ALL {
        out.push_str(if can(start, ability) { " yes |" } else { " no |" });
    }
    out.push('\n');
}

fn versions(since: Option<&str>, until: Option<&str>) -> String {
    match (since, until) {
        (None, None) => "all".to_owned(),
        (Some(since), None) => format!("from {since}"),
        (None, Some(until)) => format!("before {until}"),
        (Some(since), Some(until)) => format!("{since} to before {until}"),
    }
}
