//! Whether a file is whole: its packing ends with what its checksum says, and its JSON closes.

use std::io::{self, Read};
use std::path::Path;

use super::damage::Damage;
use super::source;

/// Plain bytes looked at in one go.
const PIECE: usize = 256 * 1024;

/// What a look through a whole file shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    /// It ends as it should.
    Yes,
    /// It ends before its end: it is still being written, or was cut off.
    NotYet,
    /// More bytes would not mend it; what is wrong, in words.
    Never(String),
}

/// Fewer bytes do not tell what a file is packed with.
const FIRST: u64 = 4;

/// Looks through `path`, which may be growing.
pub fn whole(path: &Path) -> io::Result<Whole> {
    if std::fs::metadata(path)?.len() < FIRST {
        return Ok(Whole::NotYet);
    }
    let (_, mut input) = source::unpack(source::open(path)?)?;
    let mut piece = vec![0; PIECE];
    let mut json = Closing::default();
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(json.end()),
            Ok(n) => {
                if let Err(what) = json.take(&piece[..n]) {
                    return Ok(Whole::Never(what));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return match Damage::of(&error) {
                    Some(Damage::CutOff { .. }) => Ok(Whole::NotYet),
                    Some(damage) => Ok(Whole::Never(damage.to_string())),
                    None => Err(error),
                };
            }
        }
    }
}

/// Follows the brackets of a JSON text.
#[derive(Default)]
struct Closing {
    depth: u64,
    begun: bool,
    in_text: bool,
    escaped: bool,
}

impl Closing {
    fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        for byte in bytes {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_text = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'{' | b'[' => {
                    self.depth += 1;
                    self.begun = true;
                }
                b'}' | b']' if self.depth > 0 => self.depth -= 1,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                other if !self.begun => {
                    return Err(format!("it begins with {:?}, which no JSON object does", char::from(*other)));
                }
                b'"' if self.depth > 0 => self.in_text = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&self) -> Whole {
        if self.begun && self.depth == 0 { Whole::Yes } else { Whole::NotYet }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn of(bytes: &[u8]) -> Whole {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.json-rank-0.gz");
        std::fs::write(&path, bytes).unwrap();
        whole(&path).unwrap()
    }

    fn packed(text: &str) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    }

    const TEXT: &str = r#"{"traceEvents": [{"name": "a } \" ]"}], "traceName": "x"}"#;

    /// A growing file is one cut anywhere: no prefix of it passes for the whole, an empty one neither.
    #[test]
    fn no_beginning_of_a_file_is_whole() {
        for file in [TEXT.as_bytes().to_vec(), packed(TEXT)] {
            for end in 0..file.len() {
                assert_eq!(of(&file[..end]), Whole::NotYet, "{end} of {}", file.len());
            }
            assert_eq!(of(&file), Whole::Yes);
        }
    }

    #[test]
    fn a_stream_that_ends_around_half_a_json_is_not_whole() {
        assert_eq!(of(&packed(&TEXT[..TEXT.len() - 1])), Whole::NotYet);
        assert_eq!(of(&packed(&format!("{TEXT}\n \n"))), Whole::Yes);
    }

    #[test]
    fn what_more_bytes_do_not_mend_is_told_apart() {
        let mut wrong = packed(TEXT);
        let at = wrong.len() - 6;
        wrong[at] ^= 1;
        assert!(matches!(of(&wrong), Whole::Never(what) if what.contains("checksum")));
        assert!(matches!(of(b"Self CPU %"), Whole::Never(what) if what.contains("begins with")));
    }
}
