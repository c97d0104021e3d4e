//! What text and markdown say of ranks in the same words.

use super::{CollectiveRow, FuseDiffers, RankRow, RankStage, Ranks, Straggler};
use crate::report::TraceInfo;
use crate::report::cells::{self, plural, share, time};

/// What the tables before the section are of.
pub(in crate::report) fn remark(ranks: &Ranks) -> String {
    let of = ranks.world_size.filter(|size| *size as usize > ranks.read.len());
    let of = of.map_or_else(String::new, |size| format!(" of {size}"));
    match ranks.read.len() {
        1 => format!("only rank {} was found{of}: there is nothing to compare it with", ranks.tables_of),
        n => format!("{n} ranks{of} were read; every table is of rank {}", ranks.tables_of),
    }
}

/// Takes the files of ranks that no table is of from the list, when they are more than a few; how many they were.
pub(in crate::report) fn other_ranks(ranks: &Ranks, taken: &mut Vec<&TraceInfo>) -> u64 {
    const FEW: usize = 4;
    let other = |info: &TraceInfo| info.rank.is_some_and(|rank| !ranks.is_of_tables(rank));
    let others = taken.iter().filter(|info| other(info)).count();
    if others <= FEW {
        return 0;
    }
    taken.retain(|info| !other(info));
    others as u64
}

/// One line for the header and the summary: who is slow, who is late.
pub(in crate::report) fn headline(ranks: &Ranks) -> Option<String> {
    let most = ranks.stragglers.iter().max_by(|a, b| a.over_us.total_cmp(&b.over_us).then_with(|| b.rank.cmp(&a.rank)));
    let slow = most.map(|row| {
        let over = row.over_pct.map_or_else(String::new, |pct| format!(" ({} over the median)", share(pct)));
        format!("rank {} is {} slower in {} of {}{over}", row.rank, time(row.over_us), row.category, row.stage)
    });
    let waits = |row: &&CollectiveRow| row.late_rank.is_some();
    let late = (ranks.collectives.iter().filter(waits))
        .max_by(|a, b| a.waiting_us.unwrap_or(0.0).total_cmp(&b.waiting_us.unwrap_or(0.0)));
    let late = late.and_then(|row| {
        let rank = row.late_rank.as_ref()?;
        let possibly = if row.tied_by.as_deref() == Some("time") { "" } else { "possibly " };
        let (times, waited) = (times_last(row, rank), time(row.waiting_us.unwrap_or(0.0)));
        Some(format!(
            "rank {rank} is {possibly}the last in {times} of {} late collectives, and the ranks wait {waited} in all",
            row.late
        ))
    });
    let said: Vec<String> = slow.into_iter().chain(late).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn times_last(row: &CollectiveRow, rank: &str) -> u64 {
    row.last.iter().find(|count| count.rank == rank).map_or(0, |count| count.times)
}

/// What the columns of a stage are.
pub(in crate::report) fn stage(stage: &RankStage) -> String {
    let each = if stage.per_step { "a step" } else { "in all" };
    format!("GPU kernel time {each}, median {}", time(stage.median_us))
}

/// Categories that have columns, largest over all ranks first.
pub(in crate::report) fn categories(stage: &RankStage) -> Vec<&str> {
    let mut sums: Vec<(&str, f64)> = Vec::new();
    for share in stage.ranks.iter().flat_map(|row| &row.categories) {
        match sums.iter_mut().find(|(name, _)| *name == share.category) {
            Some((_, sum)) => *sum += share.time_us,
            None => sums.push((&share.category, share.time_us)),
        }
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    sums.into_iter().map(|(name, _)| name).collect()
}

/// Rows that are shown when there are more than `most`: those farthest from the median, in their order.
pub(in crate::report) fn shown(stage: &RankStage, most: usize) -> Vec<&RankRow> {
    let mut far: Vec<(usize, &RankRow)> = stage.ranks.iter().enumerate().collect();
    far.sort_by(|a, b| b.1.over_median_pct.abs().total_cmp(&a.1.over_median_pct.abs()).then_with(|| a.0.cmp(&b.0)));
    far.truncate(most);
    far.sort_by_key(|(at, _)| *at);
    far.into_iter().map(|(_, row)| row).collect()
}

/// What is left out of them.
pub(in crate::report) fn left_out(stage: &RankStage, most: usize) -> Option<String> {
    let left = stage.ranks.len().checked_sub(most).filter(|left| *left > 0)?;
    Some(format!("{} nearer to the median hidden; JSON has all", plural(left as u64, "rank")))
}

/// Rank, time, distance from the median, launches, waiting, how often it came last.
pub(in crate::report) fn row(stage: &RankStage, row: &RankRow) -> [String; 6] {
    let (own, _) = time_of(stage, row);
    let launches = if stage.per_step && row.steps > 0 { row.launches / row.steps } else { row.launches };
    [
        row.rank.clone(),
        time(own),
        format!("{:+.1} %", row.over_median_pct),
        cells::count(launches),
        row.waiting_us.map_or_else(|| "–".to_owned(), |us| time(us / per(stage, row))),
        if row.last == 0 { "–".to_owned() } else { format!("{}x", cells::count(row.last)) },
    ]
}

/// Time and share of a category in a row.
pub(in crate::report) fn category(stage: &RankStage, row: &RankRow, category: &str) -> String {
    row.categories
        .iter()
        .find(|share| share.category == category)
        .map_or_else(|| "–".to_owned(), |of| format!("{} {}", time(of.time_us / per(stage, row)), share(of.share_pct)))
}

/// Time of a step where there are some, else of all; and how many steps that is divided by.
pub(in crate::report) fn time_of(stage: &RankStage, row: &RankRow) -> (f64, f64) {
    (row.time_per_step_us.filter(|_| stage.per_step).unwrap_or(row.time_us), per(stage, row))
}

fn per(stage: &RankStage, row: &RankRow) -> f64 {
    if stage.per_step { row.steps as f64 } else { 1.0 }
}

/// Who is slow in what; `kernel` is the short form of the kernel that adds most.
pub(in crate::report) fn straggler(row: &Straggler, kernel: &str) -> String {
    let over = row.over_pct.map_or_else(
        || "which most ranks do not run".to_owned(),
        |pct| format!("{} ({}) over the median of the ranks", time(row.over_us), share(pct)),
    );
    let more = row.launches - row.median_launches;
    let why = if row.over_pct.is_none() {
        String::new()
    } else if more.abs() < 0.01 {
        ", with as many launches: the same work takes longer".to_owned()
    } else {
        format!(", with {:.0} launches against {:.0}", row.launches, row.median_launches)
    };
    let most = format!("most of it in {kernel} ({})", time(row.kernel_over_us));
    format!("rank {}: {} {}, {over}{why}; {most}", row.rank, row.category, time(row.time_us))
}

/// When nobody is.
pub(in crate::report) const NO_STRAGGLER: &str = "No rank is slower than the median in any category over the bar; collectives are left out, as the slow rank waits least in them.";

/// One collective.
pub(in crate::report) fn collective(row: &CollectiveRow) -> Vec<String> {
    let alone = if row.alone == 0 {
        String::new()
    } else {
        format!(", {} without a partner on every rank", plural(row.alone, "launch"))
    };
    let (Some(by), Some(spread), Some(most), Some(transfer)) =
        (row.tied_by.as_deref(), row.spread_us, row.spread_max_us, row.transfer_us)
    else {
        return vec![format!("ranks {}: could not be tied one to one{alone}", row.ranks.join(", "))];
    };
    let group = row.group.as_ref().map_or_else(String::new, |group| format!(", group {}", cells::clean(group)));
    let mut lines = vec![format!("{} on ranks {}{group}{alone}", plural(row.tied, "time"), row.ranks.join(", "))];
    lines.push(if by == "time" {
        format!(
            "begins apart by {} on average, {} at most; {} of transfer after the last",
            time(spread),
            time(most),
            time(transfer)
        )
    } else {
        format!(
            "possible waiting: lengths differ by {} on average, {} at most; the shortest take {}",
            time(spread),
            time(most),
            time(transfer)
        )
    });
    lines.push(match &row.late_rank {
        Some(rank) => {
            let last = if by == "time" { "last" } else { "shortest, so probably last," };
            format!("rank {rank} is {last} in {} of {} late ones", times_last(row, rank), row.late)
        }
        None if row.late == 0 => "none is late".to_owned(),
        None => format!("{} late ones, no rank is last in most", cells::count(row.late)),
    });
    lines
}

/// Whether starts can be compared.
pub(in crate::report) fn clock(ranks: &Ranks) -> String {
    let clock = &ranks.clock;
    if clock.comparable {
        format!("Begins are compared on one clock: {}.", clock.known_by)
    } else {
        format!("Clocks are not compared, so waiting is possible waiting: {}.", clock.known_by)
    }
}

/// A family whose state differs.
pub(in crate::report) fn differs(row: &FuseDiffers) -> String {
    let states: Vec<String> = (row.states.iter())
        .map(|state| {
            format!(
                "{} on rank {}",
                if state.state == "none" { "no row" } else { &state.state },
                state.ranks.join(", ")
            )
        })
        .collect();
    format!("{} ({}): {}", cells::clean(&row.title), row.stage, states.join("; "))
}
