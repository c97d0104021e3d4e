//! A stretch as text: streams as lanes, launches as letters, and what each letter is.

use super::super::layout::{cut_middle, left, right, width};
use super::super::{Report, StageInfo, cells};
use super::{TimelineInfo, TimelineLaunch};
use crate::kernel_name::{self, KernelName};

/// Launches that get a letter, the longest ones.
const NAMED: usize = 40;
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// A launch without a letter, and a time without a launch.
const OTHER: char = '+';
const IDLE: char = '·';
/// Marks of the ruler.
const MARKS: usize = 4;
/// Narrower ones are cut no further.
const NARROWEST_NAME: usize = 12;

/// Said where a stage has none.
pub(in crate::report) const NONE: &str =
    "no stretch of launches recurs through most of this stage, so none is typical.";
/// How a timeline is to be read.
pub(in crate::report) const ABOUT: &str = "a typical stretch of each stage, from left to right";

/// What a stretch is, in one line.
pub(in crate::report) fn title(info: &TimelineInfo) -> String {
    let what = info.module.as_deref().map_or_else(|| "what recurs".to_owned(), cells::clean);
    let step = info.step.map_or_else(String::new, |step| format!(" in step {step}"));
    let launches = cells::plural(info.launches.len() as u64, "launch");
    let hidden: f64 = info.launches.iter().map(|launch| launch.hidden_us).sum();
    let all: f64 = info.launches.iter().map(|launch| launch.dur_us).sum();
    let hidden = if hidden > 0.0 {
        format!(", {} of {} beside another stream", cells::time(hidden), cells::time(all))
    } else {
        String::new()
    };
    format!(
        "{what}, number {} of {}{step}: {launches}, {}, the median of {}, {} idle{hidden}",
        info.n,
        info.of,
        cells::time(info.dur_us),
        cells::count(info.windows),
        cells::time(info.idle_us)
    )
}

/// Stages that are shown, each with its typical stretch when it has one; nothing unless asked for.
pub(in crate::report) fn of_stages(report: &Report) -> Vec<(&StageInfo, Option<&TimelineInfo>)> {
    let Some(timelines) = &report.timelines else { return Vec::new() };
    let of = |stage: &StageInfo| timelines.iter().find(|info| info.stage == stage.stage);
    report.stages.iter().filter(|s| s.shown && s.launches > 0).map(|stage| (stage, of(stage))).collect()
}

/// The stretch in lines of at most `columns`.
pub(in crate::report) fn lines(info: &TimelineInfo, columns: usize) -> Vec<String> {
    let letters = letters(info);
    let mut lines = lanes(info, &letters, columns);
    lines.extend(legend(info, &letters, columns));
    lines
}

/// Letters in the order of time for the longest launches.
fn letters(info: &TimelineInfo) -> Vec<char> {
    let mut longest: Vec<usize> = (0..info.launches.len()).collect();
    longest.sort_by(|a, b| info.launches[*b].dur_us.total_cmp(&info.launches[*a].dur_us).then(a.cmp(b)));
    longest.truncate(NAMED);
    longest.sort_unstable();
    let mut letters = vec![OTHER; info.launches.len()];
    for (letter, launch) in LETTERS.chars().zip(longest) {
        letters[launch] = letter;
    }
    letters
}

/// A ruler in microseconds, and a lane a stream.
fn lanes(info: &TimelineInfo, letters: &[char], columns: usize) -> Vec<String> {
    let mut streams: Vec<i64> = info.launches.iter().map(|launch| launch.stream).collect();
    streams.sort_unstable();
    streams.dedup();
    let label = |stream: &i64| format!("stream {stream}");
    let margin = streams.iter().map(|stream| width(&label(stream))).max().unwrap_or(0) + 2;
    let room = columns.saturating_sub(margin).max(1);
    let mut lines = vec![format!("{}{}", " ".repeat(margin), ruler(info.dur_us, room))];
    for stream in &streams {
        lines.push(format!("{}{}", left(&label(stream), margin), lane(info, letters, *stream, room)));
    }
    lines
}

fn ruler(length: f64, room: usize) -> String {
    let mut line = String::new();
    for mark in 0..=MARKS {
        let last = mark == MARKS;
        let text = format!("{}{}", number(length * mark as f64 / MARKS as f64), if last { " µs" } else { "" });
        let at = (room * mark / MARKS).min(room.saturating_sub(width(&text)));
        if mark == 0 || at > width(&line) {
            line = format!("{}{text}", left(&line, at));
        }
    }
    line
}

/// Each column shows what fills most of it.
fn lane(info: &TimelineInfo, letters: &[char], stream: i64, room: usize) -> String {
    let each = info.dur_us / room as f64;
    let mut filled: Vec<(f64, f64, char)> = vec![(0.0, 0.0, IDLE); room];
    let mut firsts = Vec::new();
    for (launch, letter) in info.launches.iter().zip(letters).filter(|(launch, _)| launch.stream == stream) {
        let (start, end) = (launch.start_us.max(0.0), (launch.start_us + launch.dur_us).min(info.dur_us));
        let first = (start / each) as usize;
        firsts.push((first.min(room - 1), *letter));
        for (n, (all, most, shown)) in filled.iter_mut().enumerate().skip(first) {
            let from = n as f64 * each;
            if from >= end {
                break;
            }
            let part = end.min(from + each) - start.max(from);
            *all += part;
            if part > *most {
                (*most, *shown) = (part, *letter);
            }
        }
    }
    let mut line: Vec<char> =
        filled.into_iter().map(|(all, most, shown)| if each - all > most { IDLE } else { shown }).collect();
    // What is too short to fill a column stands where it begins, when nothing else does.
    for (first, letter) in firsts {
        if line[first] == IDLE && (letter == OTHER || !line.contains(&letter)) {
            line[first] = letter;
        }
    }
    line.into_iter().collect()
}

/// What each letter is, when it ran, and beside what.
fn legend(info: &TimelineInfo, letters: &[char], columns: usize) -> Vec<String> {
    let rows: Vec<(&TimelineLaunch, char)> =
        (info.launches.iter().zip(letters.iter().copied())).filter(|(_, letter)| *letter != OTHER).collect();
    let notes: Vec<String> = rows.iter().map(|(launch, _)| note(launch, letters)).collect();
    let of = |get: fn(&TimelineLaunch) -> f64, title: &str| {
        let widest = rows.iter().map(|(launch, _)| width(&number(get(launch)))).max().unwrap_or(0);
        widest.max(width(title))
    };
    let (starts, lengths) = (of(|launch| launch.start_us, "start"), of(|launch| launch.dur_us, "µs"));
    let indent = 2 + 2 + starts + 2 + lengths + 2;
    let widest_note = notes.iter().map(|note| width(note)).max().unwrap_or(0);
    let room = columns.saturating_sub(indent).max(NARROWEST_NAME);
    // A note stands beside the name where both have room, else below it.
    let beside = room.saturating_sub(widest_note + 2) >= room / 2;
    let name_room = if beside && widest_note > 0 { room - widest_note - 2 } else { room };
    let parts: Vec<&KernelName> = rows.iter().map(|(launch, _)| &launch.parts).collect();
    let names = kernel_name::shorten(&parts, name_room);
    let names: Vec<String> = names.iter().map(|name| cut_middle(&cells::clean(name), name_room)).collect();
    let widest_name = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let mut lines = vec![format!("    {}  {}", right("start", starts), right("µs", lengths))];
    for (((launch, letter), name), note) in rows.iter().zip(&names).zip(&notes) {
        let (start, length) = (right(&number(launch.start_us), starts), right(&number(launch.dur_us), lengths));
        let head = format!("  {letter} {start}  {length}  ");
        if note.is_empty() {
            lines.push(format!("{head}{name}"));
        } else if beside {
            lines.push(format!("{head}{}  {note}", left(name, widest_name)));
        } else {
            lines.push(format!("{head}{name}"));
            lines.push(format!("{}{}", " ".repeat(indent), cut_middle(note, room)));
        }
    }
    lines.extend(others(info, letters));
    lines
}

/// `hidden 100 % under c, d` and overlap within the stream, which hides nothing.
fn note(launch: &TimelineLaunch, letters: &[char]) -> String {
    let mut parts = Vec::new();
    if launch.hidden_us > 0.0 && launch.dur_us > 0.0 {
        let mut under: Vec<char> = launch.beside.iter().map(|other| letters[other.launch]).collect();
        under.dedup();
        let under: Vec<String> = under.iter().take(3).map(char::to_string).collect();
        let pct = 100.0 * launch.hidden_us / launch.dur_us;
        let under = if under.is_empty() { String::new() } else { format!(" under {}", under.join(" ")) };
        parts.push(format!("hidden {pct:.0} %{under}"));
    }
    if launch.same_stream_us > 0.0 {
        parts.push(format!("begins {} early", number(launch.same_stream_us)));
    }
    parts.join(", ")
}

fn others(info: &TimelineInfo, letters: &[char]) -> Option<String> {
    let rest: Vec<&TimelineLaunch> =
        info.launches.iter().zip(letters).filter(|(_, letter)| **letter == OTHER).map(|(launch, _)| launch).collect();
    let longest = rest.iter().map(|launch| launch.dur_us).max_by(f64::total_cmp)?;
    Some(format!("  {OTHER} {}, none over {} µs", cells::plural(rest.len() as u64, "launch"), number(longest)))
}

/// Microseconds with the decimals that matter.
fn number(us: f64) -> String {
    let text = if us.abs() < 9_999.95 { format!("{us:.1}") } else { format!("{us:.0}") };
    if text == "-0.0" { "0.0".to_owned() } else { text }
}
