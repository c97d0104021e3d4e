//! Files that are cut off, joined or damaged.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{dump, in_blocks_of, read};
use crate::trace::{Error, Trace};

const EVENTS: usize = 6;

fn json() -> String {
    let events: Vec<String> = (0..EVENTS)
        .map(|n| format!("{{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"k\\\\{n}\", \"ts\": {n}.25, \"dur\": 1, \"args\": {{\"stream\": {n}}}}}"))
        .collect();
    format!("{{\"traceEvents\": [\n{}\n], \"traceName\": \"x\"}}\n", events.join(",\n"))
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::new(level));
    out.write_all(bytes).expect("written");
    out.finish().expect("finished")
}

/// A member with all that a header may carry.
fn decorated(bytes: &[u8]) -> Vec<u8> {
    let plain = gzip(bytes, 6);
    let mut out = plain[..10].to_vec();
    out[3] = 2 | 4 | 8 | 16;
    out.extend_from_slice(&[3, 0, b'a', b'b', 0]);
    out.extend_from_slice(b"name.json\0a comment\0");
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&plain[10..]);
    out
}

fn codes(trace: &Trace) -> Vec<&str> {
    trace.warnings.iter().map(|w| w.code).collect()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn every_packing_gives_the_same_trace() {
    let json = json();
    let (head, tail) = json.as_bytes().split_at(100);
    let plain = dump(&read(json.as_bytes()).expect("a trace"));
    let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(json.as_bytes())].concat();
    for (name, packed) in [
        ("gzip", gzip(json.as_bytes(), 6)),
        ("stored blocks", gzip(json.as_bytes(), 0)),
        ("joined members", [gzip(head, 6), gzip(tail, 1)].concat()),
        ("an empty member between", [gzip(head, 6), gzip(b"", 6), gzip(tail, 9)].concat()),
        ("header flags", [decorated(head), decorated(tail)].concat()),
        ("padded with zeros", [gzip(json.as_bytes(), 6), vec![0; 700]].concat()),
        ("zstd", zstd(json.as_bytes())),
        ("joined frames", [zstd(head), zstd(tail)].concat()),
        ("a skippable frame first", skippable),
    ] {
        for block_bytes in [1, 7, 100, 1 << 20] {
            assert_eq!(
                dump(&in_blocks_of(block_bytes, &packed).expect(name)),
                plain,
                "{name}, blocks of {block_bytes}"
            );
        }
    }
}

/// Cut at every byte: all events that end before the cut are kept, and the warning says where it was. Without a whole
/// event it is no trace.
#[test]
fn a_cut_off_file_keeps_its_whole_events() {
    let json = json();
    let ends: Vec<usize> = json.match_indices("}}").map(|(at, _)| at + 2).collect();
    assert_eq!(ends.len(), EVENTS);
    for cut in 0..json.len() {
        for block_bytes in [1, 64, 1 << 20] {
            let result = in_blocks_of(block_bytes, &json.as_bytes()[..cut]);
            if cut < ends[0] {
                assert!(matches!(result, Err(Error::NotATrace { .. })), "cut at {cut}: {result:?}");
                continue;
            }
            let trace = result.unwrap_or_else(|e| panic!("cut at {cut}: {e}"));
            assert_eq!(trace.gpu.len(), ends.iter().filter(|&&end| end <= cut).count(), "cut at {cut}");
            let whole = cut > json.rfind('}').expect("the end");
            assert_eq!(codes(&trace), if whole { vec![] } else { vec!["cut-off"] }, "cut at {cut}");
        }
    }
}

#[test]
fn a_cut_off_gzip_keeps_its_whole_events() {
    let json = json();
    for level in [0, 6] {
        let packed = gzip(json.as_bytes(), level);
        let mut most = 0;
        for cut in 1..packed.len() {
            match in_blocks_of(1 << 20, &packed[..cut]) {
                Ok(trace) => {
                    assert_eq!(codes(&trace), ["cut-off"], "cut at {cut}");
                    assert!(trace.gpu.len() >= most, "more bytes never give fewer events");
                    most = trace.gpu.len();
                    assert!(
                        trace.warnings[0].text.contains(&format!("ends at byte {cut}")),
                        "{}",
                        trace.warnings[0].text
                    );
                }
                Err(Error::NotATrace { .. }) => assert_eq!(most, 0),
                Err(e) => panic!("cut at {cut}: {e}"),
            }
        }
        assert_eq!(most, EVENTS);
    }
}

#[test]
fn a_cut_off_zstd_never_panics() {
    let packed = zstd(json().as_bytes());
    for cut in 4..packed.len() {
        match in_blocks_of(1 << 20, &packed[..cut]) {
            Ok(trace) => assert_eq!(codes(&trace), ["cut-off"], "cut at {cut}"),
            Err(e) => assert!(matches!(e, Error::NotATrace { .. }), "cut at {cut}: {e}"),
        }
    }
}

#[test]
fn a_wrong_checksum_or_length_is_an_error() {
    let json = json();
    let whole = gzip(json.as_bytes(), 6);
    for back in 1..=8 {
        let mut bad = whole.clone();
        let at = bad.len() - back;
        bad[at] ^= 1;
        for packed in [bad.clone(), [bad, gzip(b" ", 6)].concat()] {
            let error = read(&packed).expect_err("damaged").to_string();
            assert!(error.contains("checksum or length of part 1"), "{error}");
        }
    }
}

#[test]
fn no_single_wrong_bit_gives_a_trace_in_silence() {
    let json = json();
    let whole = gzip(json.as_bytes(), 6);
    let plain = dump(&read(&whole).expect("a trace"));
    // The header's time stamp, extra flags and system (bytes 4 to 9) change nothing, nor do name and comment.
    for at in 10..whole.len() {
        for bit in 0..8 {
            let mut bad = whole.clone();
            bad[at] ^= 1 << bit;
            match read(&bad) {
                // Bits that pad the last byte mean nothing. Else the stream now runs past the end of the file.
                Ok(trace) => assert!(
                    dump(&trace) == plain || codes(&trace).last() == Some(&"cut-off"),
                    "bit {bit} of byte {at}: {:?}",
                    trace.warnings
                ),
                Err(Error::Damaged { .. } | Error::NotATrace { .. } | Error::Malformed { .. }) => {}
                Err(e) => panic!("bit {bit} of byte {at}: {e}"),
            }
        }
    }
}

#[test]
fn bytes_after_the_end_are_told() {
    let json = json();
    let packed = [gzip(json.as_bytes(), 6), b"garbage".to_vec()].concat();
    assert_eq!(codes(&read(&packed).expect("a trace")), ["trailing-bytes"]);
    let twice = format!("{json}{json}");
    let trace = read(twice.as_bytes()).expect("a trace");
    assert_eq!((codes(&trace), trace.gpu.len()), (vec!["trailing-bytes"], EVENTS));
}

#[test]
fn what_cannot_be_opened_says_so() {
    let error = crate::trace::read(std::path::Path::new("no/such.json"), &super::settings()).expect_err("not there");
    assert!(error.to_string().starts_with("no/such.json: cannot open it: "), "{error}");
    let folder = crate::trace::read(&std::env::temp_dir(), &super::settings()).expect_err("a folder");
    assert!(matches!(folder, Error::Read { .. }), "{folder}");
}

/// The place where a file ends is that of the event that is not whole, whatever the windows were.
#[test]
fn where_a_file_ends_does_not_depend_on_the_windows() {
    let json = json().replace("},\n{", "}  ,\n\n   {");
    for cut in json.find("}}").expect("an event") + 2..json.len() {
        let said = |block_bytes| in_blocks_of(block_bytes, &json.as_bytes()[..cut]).expect("a trace").warnings;
        for block_bytes in [1, 7, 61] {
            assert_eq!(said(block_bytes), said(1 << 20), "cut at {cut}, blocks of {block_bytes}");
        }
    }
}
