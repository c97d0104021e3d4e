//! `llm-prof catalog info`: which catalog this is, how old, and what is in it.

mod check;
mod release;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use super::args::CatalogCommand;
use super::failure::Failure;
use super::loading;
use super::output::print;
use super::streams::Streams;
use crate::plain;
use crate::rules::{Family, FamilyKind, Origin, RuleSet, Sources, Status, load_untested};

const DAY_SECONDS: u64 = 24 * 60 * 60;

const COLUMNS: [&str; 9] =
    ["families", "fuse", "overlap", "stable", "trial", "retired", "mainline", "upstream", "inflight"];

/// Runs one of them.
pub(super) fn run(command: &CatalogCommand, streams: &mut Streams) -> Result<(), Failure> {
    match command {
        CatalogCommand::Info { knowledge, terminal } => {
            let rules = loading::rules(knowledge, terminal, streams)?;
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            print(&info(&rules, i64::try_from(seconds / DAY_SECONDS).unwrap_or(0)), streams)
        }
        CatalogCommand::Check(args) => check::run(args, streams),
    }
}

/// The catalog inside the binary, a line for `--version`; nothing when it cannot be loaded, which `rules check` explains.
pub(super) fn version() -> String {
    let Ok(rules) = load_untested(&Sources::embedded()) else { return String::new() };
    let dates = rules.families.iter().filter_map(|family| family.checked.as_ref()).map(|(date, _)| date.as_str());
    let compared = dates.max().map_or_else(String::new, |date| format!(", compared with its sources on {date}"));
    format!("catalog {}{compared}\n", rules.version)
}

/// `today` in days since 1970.
fn info(rules: &RuleSet, today: i64) -> String {
    let mut out = format!("Catalog {}, digest {}\n", rules.version, rules.digest);
    let dates: BTreeSet<&str> =
        rules.families.iter().filter_map(|family| family.checked.as_ref()).map(|(date, _)| date.as_str()).collect();
    if let (Some(oldest), Some(newest)) = (dates.first(), dates.last()) {
        let between = if oldest == newest { String::new() } else { format!(", the oldest on {oldest}") };
        let age = days(newest).map_or_else(String::new, |day| format!(", {}", ago(today - day)));
        plain::line(&mut out, format_args!("Families last compared with their sources on {newest}{age}{between}"));
    }
    let mut counts: BTreeMap<&str, [usize; COLUMNS.len()]> = BTreeMap::new();
    let mut versions: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut all = [0; COLUMNS.len()];
    for family in &rules.families {
        let framework = family.id.split('/').next().unwrap_or_default();
        let row = counts.entry(framework).or_default();
        for (at, is) in traits(family).into_iter().enumerate().filter(|(_, is)| *is) {
            row[at] += usize::from(is);
            all[at] += usize::from(is);
        }
        if let Some((_, version)) = &family.checked {
            *versions.entry(framework).or_default().entry(version).or_default() += 1;
        }
    }
    out.push('\n');
    let first = counts.keys().map(|name| name.len()).max().unwrap_or(0).max("framework".len());
    plain::line(&mut out, format_args!("{:<first$}  {}", "framework", COLUMNS.join("  ")));
    for (framework, row) in counts.iter().chain([(&"all", &all)]) {
        let cells: Vec<String> =
            row.iter().zip(COLUMNS).map(|(count, title)| format!("{count:>width$}", width = title.len())).collect();
        plain::line(&mut out, format_args!("{framework:<first$}  {}", cells.join("  ")));
    }
    out.push('\n');
    for (framework, versions) in &versions {
        let against: Vec<String> =
            versions.iter().map(|(version, families)| format!("{version} ({families})")).collect();
        plain::line(&mut out, format_args!("{framework:<first$}  compared with {}", against.join(", ")));
    }
    out
}

/// In the order of `COLUMNS`.
fn traits(family: &Family) -> [bool; COLUMNS.len()] {
    let kind = |kind| family.kind == kind;
    let status = |status| family.status == status;
    let origin = |origin| family.origin == origin;
    [
        true,
        kind(FamilyKind::Fuse),
        kind(FamilyKind::Overlap),
        status(Status::Stable),
        status(Status::Trial),
        status(Status::Retired),
        origin(Origin::Mainline),
        origin(Origin::Upstream),
        origin(Origin::Inflight),
    ]
}

fn ago(days: i64) -> String {
    match days {
        ..=0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

/// Days since 1970 of a date such as `2026-11-24`; none for what is no date.
fn days(date: &str) -> Option<i64> {
    let parts: Vec<i64> = date.split('-').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [year, month, day] = parts.try_into().ok()?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(days("1970-01-01"), Some(0));
        assert_eq!(days("2000-02-29"), Some(11_016));
        assert_eq!(days("2000-03-01"), Some(11_017));
        assert_eq!(days("2026-11-24"), Some(20_781));
        for no_date in ["", "2026", "2026-11", "2026-13-01", "2026-00-01", "2026-11-24-1", "9223372036854775807-1-1"] {
            assert_eq!(days(no_date), None, "{no_date}");
        }
    }

    #[test]
    fn age_is_said_in_words() {
        assert_eq!([ago(-1), ago(0), ago(1), ago(200)], ["today", "today", "yesterday", "200 days ago"]);
    }

    #[test]
    fn every_family_is_counted_once_in_kind_status_and_origin() {
        let rules = crate::rules::load(&crate::rules::Sources::embedded()).expect("the built-in rules load");
        let text = info(&rules, 20_781);
        let all = text.lines().find_map(|line| line.strip_prefix("all ")).expect("a line for all");
        let counts: Vec<usize> = all.split_whitespace().map(|count| count.parse().expect("a count")).collect();
        assert_eq!(counts[0], rules.families.len());
        assert_eq!(counts[1] + counts[2], counts[0]);
        assert_eq!(counts[3] + counts[4] + counts[5], counts[0]);
        assert_eq!(counts[6] + counts[7] + counts[8], counts[0]);
        assert!(text.starts_with(&format!("Catalog {}, digest {}\n", rules.version, rules.digest)), "{text}");
    }
}
