//! Windows of JSON in, columns out: finds the events in the file, keeps the other top-level keys as text.

use super::class::{Class, Classes};
use super::columns::Columns;
use super::error::Error;
use super::parser::{Parser, Step};
use super::raw_event::{Field, RawEvent};
use super::settings::{Settings, Sign};
use super::skeleton::Skeletons;
use super::watch::{Seen, Watch};
use super::{Skipped, Trace, Warning, scan, text};

/// A top-level value is kept up to this size, a longer one is walked over and counted.
const LARGEST_HEADER: usize = 1024 * 1024;

/// Where in the file we are.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Before the first bracket.
    Start,
    /// Among the keys of the top-level object.
    Keys,
    /// Inside a top-level value too long to keep.
    LongValue(scan::Walk),
    /// In the list of events, which may be the whole file.
    Events { whole_file: bool },
    /// After the last bracket.
    End,
}

/// Reads one trace, window by window; what it gives does not depend on how the file is cut into windows.
pub(super) struct Extractor<'s, 'w> {
    path: &'s str,
    settings: &'s Settings,
    /// Is shown each event; then no table is filled.
    watch: Option<&'w mut Watch<'w>>,
    parser: Parser,
    skeletons: Skeletons,
    classes: Classes,
    pub(super) columns: Columns,
    place: Place,
    /// Bytes of the JSON before the window.
    pub(super) offset: u64,
    /// Top-level keys, in file order, `traceEvents` among them.
    pub(super) keys: Vec<String>,
    /// Key whose value is not whole yet.
    open_key: Option<String>,
    /// Whether `traceEvents` was found.
    pub(super) found_events: bool,
    /// Whether the file is a bare list.
    bare_list: bool,
    /// Whether an event had a phase: a bare list without one is no trace.
    with_phase: bool,
}

impl<'s, 'w> Extractor<'s, 'w> {
    pub(super) fn new(path: &'s str, settings: &'s Settings, watch: Option<&'w mut Watch<'w>>) -> Self {
        Self {
            path,
            settings,
            watch,
            parser: Parser::new(&settings.args),
            skeletons: Skeletons::new(),
            classes: Classes::new(&settings.categories, settings.keep_frames),
            columns: Columns::new(settings),
            place: Place::Start,
            offset: 0,
            keys: Vec::new(),
            open_key: None,
            found_events: false,
            bare_list: false,
            with_phase: false,
        }
    }

    /// Goes on at `offset` as if all before it was seen, an event or the end of the list coming next.
    pub(super) fn begin_among_events(&mut self, offset: u64, whole_file: bool) {
        self.offset = offset;
        self.place = Place::Events { whole_file };
    }

    /// Whether all up to `offset` is seen, and more events may follow.
    pub(super) fn is_between_events(&self, whole_file: bool, offset: u64) -> bool {
        self.offset == offset && matches!(self.place, Place::Events { whole_file: whole } if whole == whole_file)
    }

    /// Takes over from one that began where this one ended, whose ids are those of this one already.
    pub(super) fn absorb(&mut self, next: Self) {
        self.columns.append(next.columns);
        self.keys.extend(next.keys);
        self.open_key = next.open_key;
        self.with_phase |= next.with_phase;
        self.place = next.place;
        self.offset = next.offset;
    }

    /// Takes what is whole in `window` and gives how many bytes that was.
    pub(super) fn look(&mut self, window: &[u8], last: bool) -> Result<usize, Error> {
        let mut at = 0;
        loop {
            let next = match self.place {
                Place::Start => self.start(window, at, last)?,
                Place::Keys => self.key(window, at, last)?,
                Place::LongValue(mut walk) => {
                    let end = walk.over(window, at);
                    self.place = if walk.is_done() { Place::Keys } else { Place::LongValue(walk) };
                    if walk.is_done() {
                        Some(end)
                    } else {
                        at = end;
                        None
                    }
                }
                Place::Events { whole_file } => self.events(window, &mut at, whole_file)?,
                Place::End => {
                    at = scan::blanks(window, at);
                    if at < window.len() && !self.warned("trailing-bytes") {
                        let place = self.offset + at as u64;
                        self.warn("trailing-bytes", format!("the JSON ends at byte {place}, what follows is not read"));
                    }
                    at = window.len();
                    None
                }
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        self.offset += at as u64;
        Ok(at)
    }

    /// Decides whether this can be a trace at all.
    fn start(&mut self, window: &[u8], at: usize, last: bool) -> Result<Option<usize>, Error> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let rest = &window[at..];
        if self.offset == 0 && rest.len() < MARK.len() && MARK.starts_with(rest) && !last {
            return Ok(None);
        }
        let at = if self.offset == 0 && rest.starts_with(MARK) { at + MARK.len() } else { at };
        let at = scan::blanks(window, at);
        match window.get(at) {
            Some(b'{') => self.place = Place::Keys,
            Some(b'[') => {
                self.place = Place::Events { whole_file: true };
                self.bare_list = true;
            }
            // A few bytes more tell what it is.
            Some(_) if window.len() - at < 64 && !last => return Ok(None),
            Some(_) => return Err(self.not_a_trace(self.foreign_start(&window[at..]))),
            None if last => return Err(self.not_a_trace("an empty file".to_owned())),
            None => return Ok(None),
        }
        Ok(Some(at + 1))
    }

    fn foreign_start(&self, bytes: &[u8]) -> String {
        let known =
            self.settings.foreign.iter().find(|f| matches!(&f.sign, Sign::StartsWith(s) if bytes.starts_with(s)));
        if let Some(known) = known {
            return known.looks_like.clone();
        }
        let first = &bytes[..bytes.len().min(40)];
        if first.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t')) {
            return format!("text that begins with `{}`", String::from_utf8_lossy(first).escape_debug());
        }
        let hex: Vec<String> = first.iter().take(8).map(|b| format!("{b:02x}")).collect();
        format!("binary data that begins with {}", hex.join(" "))
    }

    /// One key of the top-level object with its value; `None` when more bytes are needed.
    fn key(&mut self, window: &[u8], start: usize, last: bool) -> Result<Option<usize>, Error> {
        let mut at = scan::blanks(window, start);
        while window.get(at) == Some(&b',') {
            at = scan::blanks(window, at + 1);
        }
        match window.get(at) {
            Some(b'}') => {
                self.place = Place::End;
                return Ok(Some(at + 1));
            }
            Some(b'"') => {}
            Some(&found) => return Err(self.malformed(at, "a key in quotes or `}`", found)),
            None => return Ok(None),
        }
        let Some(key_end) = scan::text_end(window, at + 1) else { return Ok(None) };
        let key = text::decode(&window[at + 1..key_end]).text;
        let colon = scan::blanks(window, key_end + 1);
        match window.get(colon) {
            Some(b':') => {}
            Some(&found) => return Err(self.malformed(colon, "`:` after a key", found)),
            None => return Ok(None),
        }
        let value = scan::blanks(window, colon + 1);
        let Some(&first) = window.get(value) else { return Ok(None) };
        if key == "traceEvents" && first == b'[' {
            self.keys.push(key);
            self.found_events = true;
            self.place = Place::Events { whole_file: false };
            return Ok(Some(value + 1));
        }
        let end = match first {
            b'"' => scan::text_end(window, value + 1).map(|end| end + 1),
            b'[' | b'{' => scan::container_end(window, value),
            _ => scan::scalar_end(window, value).or(if last { Some(window.len()) } else { None }),
        };
        match end {
            Some(end) if end == value => Err(self.malformed(value, "a value", first)),
            Some(end) => {
                self.keys.push(key.clone());
                if end - value > LARGEST_HEADER {
                    self.long_value(&key);
                } else {
                    let json = String::from_utf8_lossy(&window[value..end]).into_owned();
                    self.columns.trace.header.values.insert(key, json);
                }
                Ok(Some(end))
            }
            None if window.len() - value > LARGEST_HEADER && matches!(first, b'"' | b'[' | b'{') => {
                self.long_value(&key);
                self.keys.push(key);
                let in_text = first == b'"';
                self.place = Place::LongValue(if in_text { scan::Walk::in_text() } else { scan::Walk::in_container() });
                Ok(Some(value + 1))
            }
            None => {
                self.open_key = Some(key);
                Ok(None)
            }
        }
    }

    fn long_value(&mut self, key: &str) {
        let text = format!("the top-level value `{key}` is larger than 1 MiB and is left out");
        self.warn("long-header", text);
    }

    /// Events up to the end of the window or of the list; `at` moves behind each whole one.
    fn events(&mut self, window: &[u8], at: &mut usize, whole_file: bool) -> Result<Option<usize>, Error> {
        let mut event = RawEvent::new();
        loop {
            let start = scan::blanks(window, *at);
            // Also when the event is not whole: the place where a file ends must not depend on the windows.
            *at = start.min(window.len());
            match window.get(start) {
                Some(b'{') => {
                    let names = (&self.columns.guess, &self.columns.trace.strings);
                    if let Some((class, end)) = self.skeletons.event(window, start, &mut event, names) {
                        self.take(class, &event, &window[start..end]);
                        *at = end;
                    } else if let Some(end) = self.parse(window, start, &mut event) {
                        *at = end;
                    } else {
                        return Ok(None);
                    }
                }
                Some(b',') => *at = start + 1,
                Some(b']') => {
                    self.place = if whole_file { Place::End } else { Place::Keys };
                    return Ok(Some(start + 1));
                }
                Some(&found) => {
                    let end = match found {
                        b'"' => scan::text_end(window, start + 1).map(|end| end + 1),
                        b'[' => scan::container_end(window, start),
                        _ => scan::scalar_end(window, start),
                    };
                    match end {
                        Some(end) if end == start => return Err(self.malformed(start, "an event, `,` or `]`", found)),
                        Some(end) => {
                            self.not_kept("no object");
                            *at = end;
                        }
                        None => return Ok(None),
                    }
                }
                None => return Ok(None),
            }
        }
    }

    /// Parses the event at `start` and learns its layout; gives the first byte after it, `None` when it is not whole.
    fn parse<'b>(&mut self, window: &'b [u8], start: usize, event: &mut RawEvent<'b>) -> Option<usize> {
        match self.parser.event(window, start, event) {
            Step::Done(end) => {
                let class = self.classes.of(event, &mut self.columns.counts);
                self.with_phase |= event.get(Field::PHASE).is_some();
                self.take(class, event, &window[start..end]);
                if self.settings.learn {
                    self.skeletons.learn(window, start, end, &self.parser.pieces, class);
                }
                Some(end)
            }
            Step::More => None,
            Step::Broken => {
                let end = scan::container_end(window, start)?;
                self.not_kept("no JSON object inside its brackets");
                Some(end)
            }
        }
    }

    /// A row, or a look at it.
    #[inline]
    fn take(&mut self, class: Class, event: &RawEvent<'_>, json: &[u8]) {
        match &mut self.watch {
            None => self.columns.take(class, event),
            Some(watch) => {
                self.columns.trace.events += 1;
                watch(&Seen::new(json, class, event));
            }
        }
    }

    fn not_kept(&mut self, reason: &str) {
        self.columns.counts.broken(reason, self.columns.trace.events);
        self.columns.trace.events += 1;
    }

    /// The trace, once all windows are seen. `cut_off` says that the compressed data ended early.
    pub(super) fn finish(mut self, cut_off: Option<&str>) -> Result<Trace, Error> {
        if !self.is_trace() {
            return Err(self.not_a_trace(self.foreign_json()));
        }
        if !matches!(self.place, Place::End) || cut_off.is_some() {
            if self.columns.trace.events == 0 && matches!(self.place, Place::Events { .. }) {
                let at = self.offset;
                return Err(
                    self.not_a_trace(format!("its list of events ends at byte {at}, before the first whole one"))
                );
            }
            let text = format!(
                "the file ends early, at byte {} of the JSON{}: the {} whole events before it are read; profile or copy \
                 again if the end of the run matters",
                self.offset,
                cut_off.map(|text| format!(" ({text})")).unwrap_or_default(),
                self.columns.trace.events,
            );
            self.warn("cut-off", text);
        }
        if self.columns.repaired > 0 {
            let text = format!(
                "{} distinct texts hold control characters, broken escapes or broken UTF-8; they are read as far as \
                 they make sense",
                self.columns.repaired
            );
            self.warn("repaired", text);
        }
        let mut trace = self.columns.trace;
        self.path.clone_into(&mut trace.path);
        let repaired = self.columns.repaired;
        trace.skipped = Skipped { repaired, ..self.columns.counts.into_skipped() };
        Ok(trace)
    }

    /// Whether events were found, or the place where they are listed.
    pub(super) fn is_trace(&self) -> bool {
        self.found_events || (self.bare_list && self.with_phase)
    }

    /// Whether a key marks another kind of file.
    pub(super) fn is_known_foreign(&self) -> bool {
        self.known_foreign().is_some()
    }

    fn known_foreign(&self) -> Option<&str> {
        let marked = |sign: &Sign| matches!(sign, Sign::Key(key) if self.keys.contains(key) || self.open_key.as_ref() == Some(key));
        self.settings.foreign.iter().find(|f| marked(&f.sign)).map(|f| f.looks_like.as_str())
    }

    /// What a readable JSON file is, that is no trace.
    pub(super) fn foreign_json(&self) -> String {
        if let Some(known) = self.known_foreign() {
            return known.to_owned();
        }
        if self.bare_list {
            let items = self.columns.trace.events;
            return if items > 0 {
                format!("a JSON list whose {items} items are no trace events")
            } else {
                "a JSON list without items".to_owned()
            };
        }
        if self.keys.iter().any(|key| key == "traceEvents") {
            return "a JSON object whose `traceEvents` is no list of events".to_owned();
        }
        if self.keys.is_empty() {
            return "a JSON object without keys".to_owned();
        }
        let shown: Vec<String> = self.keys.iter().take(8).map(|key| format!("`{}`", key.escape_debug())).collect();
        let more = if self.keys.len() > 8 { format!(" and {} more", self.keys.len() - 8) } else { String::new() };
        let ended = if matches!(self.place, Place::End) { "" } else { ", cut off" };
        format!("a JSON object without `traceEvents`{ended}; its keys: {}{more}", shown.join(", "))
    }

    fn warned(&self, code: &str) -> bool {
        self.columns.trace.warnings.iter().any(|w| w.code == code)
    }

    pub(super) fn warn(&mut self, code: &'static str, text: String) {
        self.columns.trace.warnings.push(Warning { code, text });
    }

    pub(super) fn not_a_trace(&self, looks_like: String) -> Error {
        Error::NotATrace { path: self.path.to_owned(), looks_like }
    }

    fn malformed(&self, at: usize, expected: &'static str, found: u8) -> Error {
        let found = match found {
            b' '..=b'~' => format!("`{}`", found as char),
            _ => format!("byte {found:#04x}"),
        };
        Error::Malformed { path: self.path.to_owned(), at: self.offset + at as u64, expected, found }
    }
}
