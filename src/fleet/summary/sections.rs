//! The document for people: tables and remarks, which text, markdown and HTML only lay out.

use crate::report::cells;
use crate::rules::schema::fleet::FleetFile;

use super::{Changes, Family, Fleet, NameCount, Slow, Spread, Straggler, Summary, VersionCount};

/// A part of the document.
pub(super) struct Section {
    /// For links.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// How it is to be read.
    pub(super) remark: String,
    pub(super) tables: Vec<Table>,
    /// What stands under the tables.
    pub(super) notes: Vec<String>,
}

/// A table.
pub(super) struct Table {
    /// What it is of, where a section has several.
    pub(super) title: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
}

/// A column; the first takes what is left of the line.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) title: &'static str,
    /// Left out when a terminal has fewer columns than this.
    pub(super) needs: usize,
    pub(super) numeric: bool,
}

/// A row.
pub(super) struct Row {
    /// What names it among all rows.
    pub(super) id: String,
    pub(super) cells: Vec<Cell>,
    /// Key and value, under the row.
    pub(super) details: Vec<(&'static str, String)>,
}

/// A cell: as people read it, and the figure that it is sorted by.
pub(super) struct Cell {
    pub(super) shown: String,
    pub(super) value: Option<f64>,
}

impl Cell {
    fn text(text: &str) -> Self {
        Self { shown: cells::clean(text), value: None }
    }

    fn time(us: f64) -> Self {
        Self { shown: cells::time(us), value: Some(us) }
    }

    fn pct(pct: f64) -> Self {
        Self { shown: cells::share(pct), value: Some(pct) }
    }

    /// `12 of 40`.
    fn of(n: u64, of: u64) -> Self {
        Self { shown: format!("{} of {}", cells::count(n), cells::count(of)), value: Some(n as f64) }
    }

    fn count(n: u64) -> Self {
        Self { shown: cells::count(n), value: Some(n as f64) }
    }
}

const fn text(title: &'static str, needs: usize) -> Column {
    Column { title, needs, numeric: false }
}

const fn number(title: &'static str, needs: usize) -> Column {
    Column { title, needs, numeric: true }
}

/// Key and value of what was read.
pub(super) fn header(summary: &Summary) -> Vec<(&'static str, String)> {
    let mut lines = vec![("Fleet", summary.path.clone())];
    lines.extend(read(&summary.fleet));
    if let Some(changes) = &summary.changes {
        lines.push(("Baseline", changes.baseline.clone()));
        lines.extend(read(&changes.before).into_iter().take(1).map(|(_, value)| ("", value)));
    }
    lines
}

fn read(fleet: &Fleet) -> Vec<(&'static str, String)> {
    let hosts = match fleet.servers - fleet.hosts {
        0 => String::new(),
        unknown => format!(" ({} of a host that is not known: a run stands for one)", cells::count(unknown)),
    };
    let traces = cells::plural(fleet.traces, "trace");
    let mut lines = vec![(
        "Read",
        format!(
            "{traces} of {}{hosts}, {} of GPU time",
            cells::plural(fleet.servers, "server"),
            cells::time(fleet.gpu_us)
        ),
    )];
    if fleet.unfit > 0 {
        lines.push(("Unfit", format!("{} with nothing to judge", cells::plural(fleet.unfit, "trace"))));
    }
    if fleet.failed > 0 {
        let inputs = cells::plural(fleet.failed, "input");
        lines.push(("Failed", format!("{inputs} that could not be read; errors.jsonl says why")));
    }
    if let (Some(from), Some(to)) = (&fleet.from, &fleet.to) {
        lines.push(("Taken", if from == to { from.clone() } else { format!("{from} to {to}") }));
    }
    if !fleet.models.is_empty() {
        lines.push(("Models", names(&fleet.models)));
    }
    let versions: Vec<String> =
        fleet.versions.iter().map(|one| format!("{} on {}", version(one), cells::count(one.servers))).collect();
    if !versions.is_empty() {
        lines.push(("Versions", versions.join(", ")));
    }
    if fleet.rules.len() > 1 {
        let rules = names(&fleet.rules);
        lines.push((
            "Warning",
            format!("reports of several rules, so that figures may differ for that reason: {rules}"),
        ));
    }
    lines
}

/// `a on 3, b on 2`, servers each.
fn names(names: &[NameCount]) -> String {
    let told = names.iter().map(|one| format!("{} on {}", cells::clean(&one.name), cells::count(one.servers)));
    told.collect::<Vec<_>>().join(", ")
}

fn version(one: &VersionCount) -> String {
    let framework = one.framework.as_deref().unwrap_or("unknown framework");
    let version = one.version.as_deref().map_or(String::new(), |version| format!(" {version}"));
    cells::clean(&format!("{framework}{version}"))
}

/// All sections; lists end after `most` rows.
pub(super) fn sections(summary: &Summary, settings: &FleetFile, most: usize) -> Vec<Section> {
    let mut sections = Vec::new();
    if let Some(changes) = &summary.changes {
        sections.push(changed(changes, settings, most));
    }
    sections.push(families(summary, most));
    sections.push(overlap(summary, most));
    sections.push(spread(&summary.spread, settings));
    sections.push(stragglers(&summary.stragglers, settings, most));
    sections
}

/// How many rows are left to JSON.
fn rest(all: usize, most: usize) -> Vec<String> {
    let rest = all.saturating_sub(most);
    if rest == 0 {
        Vec::new()
    } else {
        vec![format!("{} not shown; --limit 0 shows all", cells::plural(rest as u64, "row"))]
    }
}

fn families(summary: &Summary, most: usize) -> Section {
    const COLUMNS: [Column; 6] = [
        text("Pattern", 0),
        number("Servers", 0),
        number("In use on", 90),
        number("Traces", 100),
        number("At stake", 0),
        number("Of GPU time", 60),
    ];
    let rows = summary.families.iter().take(most).map(|family| Row {
        id: family.family.clone(),
        cells: vec![
            Cell::text(&family.title),
            Cell::of(family.servers, family.found),
            Cell::count(family.in_use),
            Cell::count(family.traces),
            Cell::time(family.at_stake_us),
            Cell::pct(family.at_stake_pct),
        ],
        details: details(family),
    });
    let (us, pct) =
        summary.families.iter().fold((0.0, 0.0), |(us, pct), one| (us + one.at_stake_us, pct + one.at_stake_pct));
    let mut notes = Vec::new();
    if summary.families.is_empty() {
        notes.push("No fused path that the catalog knows is missing on any server.".to_owned());
    } else {
        notes.push(format!(
            "In all {} of GPU time, {}: launches that several patterns share count once. Estimates.",
            cells::time(us),
            cells::share(pct)
        ));
    }
    notes.extend(rest(summary.families.len(), most));
    Section {
        id: "families",
        title: "Fused paths that are missing",
        remark: "on how many servers, of those that run the pattern".to_owned(),
        tables: vec![Table { title: String::new(), columns: COLUMNS.to_vec(), rows: rows.collect() }],
        notes,
    }
}

fn details(family: &Family) -> Vec<(&'static str, String)> {
    let mut details = vec![("family", family.family.clone())];
    if family.confirmed < family.servers {
        details.push((
            "confirmed",
            match family.confirmed {
                0 => "on none of them: candidates".to_owned(),
                some => format!("on {some} of them; candidates on the others"),
            },
        ));
    }
    let versions: Vec<String> =
        family.versions.iter().map(|one| format!("{} on {} of {}", version(one), one.servers, one.of)).collect();
    details.push(("versions", versions.join(", ")));
    if !family.toggles.is_empty() {
        details.push(("try", names(&family.toggles)));
    }
    let settings: Vec<String> = (family.settings.iter())
        .map(|one| {
            cells::clean(&format!("{} is {} here, {} where it is in use", one.argument, one.affected, one.in_use))
        })
        .collect();
    if !settings.is_empty() {
        details.push(("settings", settings.join("; ")));
    }
    if family.could_save_us > family.at_stake_us {
        let more = cells::time(family.could_save_us - family.at_stake_us);
        details.push(("shared", format!("{more} more is counted by other patterns of the same launches")));
    }
    let worst: Vec<String> = (family.worst.iter())
        .filter(|one| one.at_stake_us > 0.0)
        .map(|one| format!("{} {}", cells::clean(&one.server), cells::time(one.at_stake_us)))
        .collect();
    if !worst.is_empty() {
        details.push(("most on", worst.join(", ")));
    }
    details
}

fn overlap(summary: &Summary, most: usize) -> Section {
    const COLUMNS: [Column; 5] = [
        text("Work", 0),
        text("Category", 80),
        number("Servers", 0),
        number("Could hide", 0),
        number("Of GPU time", 60),
    ];
    let rows = summary.overlap.iter().take(most).map(|one| Row {
        id: format!("{} {}", one.family.as_deref().unwrap_or(&one.title), one.category),
        cells: vec![
            Cell::text(&one.title),
            Cell::text(&one.category),
            Cell::count(one.servers),
            Cell::time(one.could_save_us),
            Cell::pct(one.could_save_pct),
        ],
        details: one.family.iter().map(|family| ("family", family.clone())).collect(),
    });
    let mut notes = Vec::new();
    if summary.overlap.is_empty() {
        notes.push("None: nothing runs alone that is borne out to be independent of what runs near it.".to_owned());
    }
    notes.extend(rest(summary.overlap.len(), most));
    Section {
        id: "overlap",
        title: "Work that could be hidden",
        remark: "rows may share launches, also with those above".to_owned(),
        tables: vec![Table { title: String::new(), columns: COLUMNS.to_vec(), rows: rows.collect() }],
        notes,
    }
}

/// Model and stage.
fn work(spread: &Spread) -> String {
    cells::clean(&format!("{}, {}", spread.model.as_deref().unwrap_or("unknown model"), spread.stage))
}

fn spread(spread: &[Spread], settings: &FleetFile) -> Section {
    const COLUMNS: [Column; 4] = [text("Category", 0), number("p10", 0), number("p50", 0), number("p90", 0)];
    let bar = settings.spread_min_pct;
    // One trace has no spread.
    let (alone, many): (Vec<&Spread>, Vec<&Spread>) = spread.iter().partition(|one| one.traces == 1);
    let tables = many.into_iter().map(|one| {
        let rows = one.categories.iter().filter(|category| category.p90_pct >= bar).map(|category| Row {
            id: format!("{} {} {}", one.model.as_deref().unwrap_or_default(), one.stage, category.category),
            cells: vec![
                Cell::text(&category.category),
                Cell::pct(category.p10_pct),
                Cell::pct(category.p50_pct),
                Cell::pct(category.p90_pct),
            ],
            details: Vec::new(),
        });
        let traces = cells::plural(one.traces, "trace");
        Table {
            title: format!("{}: {traces}, {}", work(one), cells::time(one.time_us)),
            columns: COLUMNS.to_vec(),
            rows: rows.collect(),
        }
    });
    let mut notes = Vec::new();
    if spread.is_empty() {
        notes.push("No GPU time in any trace.".to_owned());
    }
    if !alone.is_empty() {
        let works: Vec<String> = alone.into_iter().map(work).collect();
        notes.push(format!("Of one trace only, and so without a spread (JSON has the shares): {}.", works.join("; ")));
    }
    Section {
        id: "spread",
        title: "Share of each category",
        remark: format!("of the stage's GPU time, over its traces; those under {} left out", cells::share(bar)),
        tables: tables.collect(),
        notes,
    }
}

fn stragglers(list: &[Straggler], settings: &FleetFile, most: usize) -> Section {
    const COLUMNS: [Column; 6] = [
        text("Server", 0),
        text("Rank", 0),
        text("Stage", 70),
        number("Own work", 0),
        number("Usual", 60),
        number("Over", 0),
    ];
    let rows = list.iter().take(most).map(|one| {
        let rank = one.rank.map_or_else(|| "all".to_owned(), |rank| rank.to_string());
        let like = if one.rank.is_some() { "ranks of its run" } else { "servers" };
        let mut details = vec![("among", format!("{} {like}: {}", one.of, cells::clean(&one.like)))];
        if let (Some(category), Some(over)) = (&one.category, one.category_over_us) {
            details.push(("most in", format!("{category}, {} more a step", cells::time(over))));
        }
        Row {
            id: format!("{} {rank} {} {}", one.server, one.stage, one.like),
            cells: vec![
                Cell::text(&one.server),
                Cell::text(&rank),
                Cell::text(&one.stage),
                Cell::time(one.own_us),
                Cell::time(one.usual_us),
                Cell::pct(one.over_pct),
            ],
            details,
        }
    });
    let bars = settings.stragglers;
    let mut notes = Vec::new();
    if list.is_empty() {
        notes.push(format!(
            "None: no server and no rank takes over {} longer than the median of {} or more of its like.",
            cells::share(bars.over_pct),
            bars.fewest
        ));
    }
    notes.extend(rest(list.len(), most));
    Section {
        id: "stragglers",
        title: "Stragglers",
        remark: format!("own work of a step over {} above the median of their like", cells::share(bars.over_pct)),
        tables: vec![Table { title: String::new(), columns: COLUMNS.to_vec(), rows: rows.collect() }],
        notes,
    }
}

/// `node007 rank 3 (decode)`.
fn slow(one: &Slow) -> String {
    let rank = one.rank.map_or_else(String::new, |rank| format!(" rank {rank}"));
    cells::clean(&format!("{}{rank} ({})", one.server, one.stage))
}

fn changed(changes: &Changes, settings: &FleetFile, most: usize) -> Section {
    const FAMILIES: [Column; 6] = [
        text("Pattern", 0),
        text("Change", 0),
        number("Before", 0),
        number("Now", 0),
        number("Of GPU time before", 90),
        number("now", 90),
    ];
    const CATEGORIES: [Column; 4] =
        [text("Category", 0), text("Stage", 60), number("p50 before", 0), number("p50 now", 0)];
    let families = changes.families.iter().take(most).map(|one| Row {
        id: one.family.clone(),
        cells: vec![
            Cell::text(&one.title),
            Cell::text(one.change),
            Cell::count(one.before),
            Cell::count(one.now),
            Cell::pct(one.before_pct),
            Cell::pct(one.now_pct),
        ],
        details: vec![
            ("family", one.family.clone()),
            ("servers", format!("of those in both: {} affected only now, {} mended", one.appeared, one.mended)),
        ],
    });
    let categories = changes.categories.iter().take(most).map(|one| Row {
        id: format!("{} {} {}", one.model.as_deref().unwrap_or_default(), one.stage, one.category),
        cells: vec![
            Cell::text(&format!("{} ({})", one.category, one.model.as_deref().unwrap_or("unknown model"))),
            Cell::text(&one.stage),
            Cell::pct(one.before_pct),
            Cell::pct(one.now_pct),
        ],
        details: Vec::new(),
    });
    let (families, categories): (Vec<Row>, Vec<Row>) = (families.collect(), categories.collect());
    let mut notes = Vec::new();
    if families.is_empty() {
        notes.push("The same fused paths are missing on the same servers.".to_owned());
    }
    if categories.is_empty() {
        notes.push(format!("No median share of a category moved by {} points or more.", settings.shift_points));
    }
    for (words, list) in
        [("Slow now, and not before", &changes.stragglers_new), ("Slow before, and not now", &changes.stragglers_gone)]
    {
        if !list.is_empty() {
            let named: Vec<String> = list.iter().take(most).map(slow).collect();
            let more = list.len().saturating_sub(most);
            let more = if more > 0 { format!(", {more} more") } else { String::new() };
            notes.push(format!("{words}: {}{more}.", named.join(", ")));
        }
    }
    notes.extend(rest(changes.families.len().max(changes.categories.len()), most));
    let tables = [(FAMILIES.to_vec(), families), (CATEGORIES.to_vec(), categories)];
    Section {
        id: "changes",
        title: "New and gone",
        remark: format!(
            "servers affected before and now; {} new, {} gone",
            cells::plural(changes.servers_new, "server"),
            cells::count(changes.servers_gone)
        ),
        tables: (tables.into_iter())
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(columns, rows)| Table { title: String::new(), columns, rows })
            .collect(),
        notes,
    }
}
