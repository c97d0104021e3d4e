//! Where a report comes from: host, run, rank, day. What the trace says counts before what lies beside it, that before
//! what its path says.

use std::path::Path;

use globset::GlobSet;
use regex::Regex;

use crate::report::{Report, TraceInfo};
use crate::rules::{RuleSet, globs};
use crate::units;

use super::Key;

/// What paths say, ready to be asked.
#[derive(Clone, Debug)]
pub struct Origins {
    paths: Vec<Regex>,
    of_one_file: Vec<Regex>,
    endings: Vec<String>,
    part_folders: GlobSet,
    stages: Vec<String>,
    not_hosts: GlobSet,
}

/// Where a report comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// What its rows are keyed by.
    pub key: Key,
    /// A day or a moment.
    pub date: Option<String>,
    /// Model.
    pub model: Option<String>,
}

impl Origins {
    /// By `rules/fleet.yaml` and `rules/inputs.yaml`.
    ///
    /// # Errors
    /// An expression or a glob of the rules is none.
    pub fn new(rules: &RuleSet) -> Result<Self, String> {
        let regexes = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| Regex::new(text).map_err(|error| error.to_string())).collect::<Result<Vec<_>, _>>()
        };
        let (fleet, inputs) = (&rules.fleet, &rules.inputs);
        Ok(Self {
            paths: regexes(&mut fleet.paths.iter().map(|pattern| &pattern.find))?,
            of_one_file: regexes(&mut fleet.of_one_file.iter())?,
            endings: inputs.endings.clone(),
            part_folders: globs(&inputs.part_folders).map_err(|error| error.to_string())?,
            stages: inputs.stages.values().flatten().cloned().collect(),
            not_hosts: globs(&fleet.not_hosts).map_err(|error| error.to_string())?,
        })
    }

    /// Of a report.
    pub fn of(&self, report: &Report) -> Origin {
        let trace: Option<&TraceInfo> = report.traces.iter().find(|info| info.taken).or(report.traces.first());
        let path = trace.map_or("", |info| info.path.as_str());
        let beside = report.capture.as_ref();
        let own = trace.and_then(|info| info.host.clone());
        let asked = || beside.and_then(|capture| capture.host.clone()).filter(|host| !self.not_hosts.is_match(host));
        let host = own.or_else(asked).or_else(|| self.group(path, "host"));
        let run = self.run(path);
        let key = Key {
            trace: path.to_owned(),
            server: host.clone().unwrap_or_else(|| run.clone()),
            run,
            host,
            rank: trace.and_then(|info| info.rank),
        };
        let own = trace.and_then(|info| info.date.clone());
        let asked = || beside.and_then(|capture| capture.date.clone());
        Origin {
            key,
            date: own.or_else(asked).or_else(|| self.date(path)),
            model: report.model.clone().or_else(|| self.group(path, "model")),
        }
    }

    /// What the first path with this group says.
    fn group(&self, path: &str, name: &str) -> Option<String> {
        self.paths.iter().find_map(|regex| Some(regex.captures(path)?.name(name)?.as_str().to_owned()))
    }

    fn date(&self, path: &str) -> Option<String> {
        let day = || {
            let digits: String = self.group(path, "date")?.chars().filter(char::is_ascii_digit).collect();
            let (year, rest) = digits.split_at_checked(4)?;
            let (month, day) = rest.split_at_checked(2)?;
            Some(format!("{year}-{month}-{day}"))
        };
        let epoch = || {
            let seconds: i64 = self.group(path, "epoch")?.parse().ok()?;
            units::date(seconds.checked_mul(1_000_000_000)?)
        };
        day().or_else(epoch)
    }

    /// The path without what tells the files of one run apart.
    fn run(&self, path: &str) -> String {
        let (folder, name) = path.rsplit_once('/').map_or((None, path), |(folder, name)| (Some(folder), name));
        let mut name = name;
        while let Some(shorter) = self.endings.iter().find_map(|ending| name.strip_suffix(ending.as_str())) {
            name = shorter;
        }
        let mut name = name.to_owned();
        for regex in &self.of_one_file {
            // Of ASCII only, so that places stay.
            while let Some(found) = regex.find(&name.to_ascii_lowercase()) {
                name.replace_range(found.range(), "");
            }
        }
        let name = name.trim_matches(['-', '_', '.']);
        let mut folder = folder;
        while let Some((up, _)) = folder.and_then(|folder| folder.rsplit_once('/')).filter(|(_, own)| self.is_part(own))
        {
            folder = Some(up);
        }
        match folder {
            Some(folder) if name.is_empty() => folder.to_owned(),
            Some(folder) => format!("{folder}/{name}"),
            None if name.is_empty() => path.to_owned(),
            None => name.to_owned(),
        }
    }

    /// Whether a folder belongs to the run of the folder it is in.
    fn is_part(&self, folder: &str) -> bool {
        let folder = folder.to_lowercase();
        self.part_folders.is_match(Path::new(&folder)) || self.stages.contains(&folder)
    }
}
