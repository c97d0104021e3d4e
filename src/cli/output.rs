//! The report to stdout or into files that appear when they are whole.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::args::{Format, Output, Terminal};
use super::failure::Failure;
use super::streams::Streams;
use crate::plain;
use crate::report::{Report, csv, html, json, markdown, text};

/// Writes the report wherever it was asked for.
pub(super) fn write(
    report: &Report,
    output: &Output,
    terminal: &Terminal,
    streams: &mut Streams,
) -> Result<(), Failure> {
    documents(output.format, &output.output, terminal, streams, |format, style| Some(render(report, format, style)))
}

/// Writes a document wherever it was asked for, in the format that was asked for or that the file's name says; `render`
/// gives none in a format that the document does not have.
pub(super) fn documents(
    format: Option<Format>,
    paths: &[PathBuf],
    terminal: &Terminal,
    streams: &mut Streams,
    render: impl Fn(Format, text::Style) -> Option<String>,
) -> Result<(), Failure> {
    let uncoloured = text::Style::default();
    let render = |format, style| {
        render(format, style).ok_or_else(|| {
            Failure::usage(format!("there is no {} of this document: text, markdown and json always go", format.name()))
        })
    };
    if paths.is_empty() {
        let format = format.unwrap_or(if streams.out_is_terminal { Format::Text } else { Format::Markdown });
        let style = text::Style { width: streams.columns(), color: streams.color(terminal.color) };
        return show(&render(format, style)?, format, style, streams);
    }
    for path in paths {
        let format = format.or_else(|| Format::of_ending(path)).unwrap_or(Format::Markdown);
        let document = render(format, uncoloured)?;
        if path.as_os_str() == "-" {
            show(&document, format, uncoloured, streams)?;
        } else {
            save(path, &document)?;
        }
    }
    Ok(())
}

/// A document to stdout.
fn show(document: &str, format: Format, style: text::Style, streams: &mut Streams) -> Result<(), Failure> {
    match format {
        Format::Text if !style.color => print(document, streams),
        Format::Markdown => print(document, streams),
        Format::Text | Format::Json | Format::Html | Format::Csv => print_as_is(document, streams),
    }
}

fn render(report: &Report, format: Format, style: text::Style) -> String {
    match format {
        Format::Text => text::render(report, style),
        Format::Markdown => markdown::render(report),
        Format::Json => json::render(report),
        Format::Html => html::render(report),
        Format::Csv => csv::render(report),
    }
}

/// All of a text to stdout, in which strangers' words do nothing.
pub(super) fn print(text: &str, streams: &mut Streams) -> Result<(), Failure> {
    print_as_is(&plain::clean_lines(text), streams)
}

/// A line of its own, whatever is in it.
pub(super) fn print_line(text: &str, streams: &mut Streams) -> Result<(), Failure> {
    print_as_is(&(plain::clean(text) + "\n"), streams)
}

/// The same of what sees to strangers' words in its own way: JSON, a page, a text with colours.
pub(super) fn print_as_is(document: &str, streams: &mut Streams) -> Result<(), Failure> {
    streams.out.write_all(document.as_bytes())?;
    Ok(streams.out.flush()?)
}

fn save(path: &Path, document: &str) -> Result<(), Failure> {
    save_whole(path, document).map_err(|error| {
        Failure::usage(format!(
            "--output {}: cannot write it: {error}; check the folder and its permissions",
            path.display()
        ))
    })
}

/// The files that are being written, for whoever ends the process amid them.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Writes beside the file, then renames: nobody ever sees half of it.
pub(super) fn save_whole(path: &Path, document: &str) -> io::Result<()> {
    save_with(path, |file| file.write_all(document.as_bytes()))
}

/// The same of what `write` gives.
pub(super) fn save_with<T, E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut fs::File) -> Result<T, E>,
) -> Result<T, E> {
    let mut beside = Beside::create(path)?;
    let done = write(&mut beside.file)?;
    beside.finish()?;
    Ok(done)
}

/// A file that has its name when it is finished; dropped before, it is gone.
pub(super) struct Beside {
    /// What is written.
    pub(super) file: fs::File,
    /// The name that it is to have.
    path: PathBuf,
    /// The name that it has until then.
    for_now: PathBuf,
}

impl Beside {
    /// An empty one beside `path`.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::other("expected a file"))?;
        let for_now = path.with_file_name(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
        // Held while the file is made, so that it is there whenever its name is.
        let mut unfinished = unfinished();
        let file = fs::File::create(&for_now)?;
        unfinished.insert(for_now.clone());
        Ok(Self { file, path: path.to_owned(), for_now })
    }

    /// Gives it its name.
    pub(super) fn finish(self) -> io::Result<()> {
        fs::rename(&self.for_now, &self.path)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Renamed, or the first error is the one worth a word.
        let _ = fs::remove_file(&self.for_now);
        unfinished().remove(&self.for_now);
    }
}

/// Removes what was not written to its end; the process must end while the guard lives.
#[cfg(unix)]
pub(super) fn discard_unfinished() -> impl Sized {
    let unfinished = unfinished();
    for path in unfinished.iter() {
        // It may have been renamed already: then it is whole.
        let _ = fs::remove_file(path);
    }
    unfinished
}

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
