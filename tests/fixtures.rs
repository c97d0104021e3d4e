//! The fixtures in the repository are what their generator writes.

use std::io::Read as _;
use std::path::{Path, PathBuf};

#[path = "fixtures/generate/all/mod.rs"]
mod generate;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Compressed bytes differ between machines (zlib picks its hash by CPU), so contents are compared.
fn content(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_default();
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).expect("a fixture is whole");
        text
    } else {
        bytes
    }
}

#[test]
fn fixtures_are_what_their_generator_writes() {
    for fixture in generate::all() {
        assert!(
            content(&folder().join(fixture.path)) == fixture.text.as_bytes(),
            "{} is stale: run `cargo run --example fixtures`",
            fixture.path
        );
    }
}

#[test]
fn the_generator_writes_the_same_bytes_twice_and_no_time() {
    for (one, two) in generate::all().iter().zip(generate::all()) {
        let bytes = one.bytes().expect("memory is enough");
        assert!(bytes == two.bytes().expect("memory is enough"), "{} differs from run to run", one.path);
        if one.compressed() {
            assert_eq!(bytes[4..8], [0; 4], "{} carries the time of its making", one.path);
        }
    }
}

#[test]
fn fixtures_are_small() {
    for fixture in generate::all() {
        let size = fixture.bytes().expect("memory is enough").len();
        assert!(size < 60_000, "{} has {size} bytes", fixture.path);
    }
}

#[test]
fn no_file_lies_among_the_fixtures_that_the_generator_does_not_know() {
    let known: Vec<PathBuf> = generate::all().iter().map(|fixture| folder().join(fixture.path)).collect();
    let mut open = vec![folder()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("the folder of fixtures is readable") {
            let path = entry.expect("the folder of fixtures is readable").path();
            if path.is_dir() && path != folder().join("generate") {
                open.push(path);
            } else if path.is_file() {
                assert!(known.contains(&path), "{} is not made by the generator", path.display());
            }
        }
    }
}
