//! Packed bytes: as they come, and as a trace that is packed in members and then damaged. What another gzip reads
//! without complaint, ours reads to the same trace.

#![no_main]

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use llm_prof::trace::read_from;
use llm_prof_fuzz::{same, settings};

fn member(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::new(level));
    out.write_all(bytes).and_then(|()| out.finish()).expect("memory takes it")
}

/// Ours against the other one.
fn compare(packed: &[u8]) {
    let ours = read_from("x", packed, &settings(4096, true));
    let mut json = Vec::new();
    let theirs = MultiGzDecoder::new(packed).take(64 << 20).read_to_end(&mut json);
    // A limit of ours may have been passed, and what is packed twice would be unpacked once more.
    if theirs.is_ok() && json.len() < 1 << 20 && json.first().is_some_and(u8::is_ascii_graphic) {
        let mut plain = read_from("x", json.as_slice(), &settings(4096, true));
        match (ours, &mut plain) {
            (Ok(mut ours), Ok(plain)) => {
                // Padding after the end is something to tell.
                ours.warnings.retain(|warning| warning.code != "trailing-bytes");
                plain.warnings.retain(|warning| warning.code != "trailing-bytes");
                same(&ours, plain, "another gzip gives another trace");
            }
            (Err(error), Ok(_)) => panic!("another gzip reads it: {error}"),
            (Ok(_), Err(error)) => panic!("no trace once it is unpacked: {error}"),
            (Err(_), Err(_)) => {}
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [how, first, second, place, bit, rest @ ..] = bytes else { return };
    match how % 4 {
        0 => drop(read_from("x", rest, &settings(4096, true))),
        1 => compare(&[&[0x1f, 0x8b, 8], rest].concat()),
        how => {
            let (head, tail) = rest.split_at(rest.len() * usize::from(*first) / 256);
            let mut packed = [member(head, u32::from(second % 10)), member(tail, u32::from(second / 26))].concat();
            if how == 3 {
                let at = packed.len() * usize::from(*place) / 256;
                packed[at] ^= bit;
            }
            compare(&packed);
        }
    }
});
