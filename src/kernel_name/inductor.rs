//! Names that a compiler made of a list of ops: `triton_red_fused_add_native_layer_norm_7`.

use super::Settings;

/// Underscores in the longest op that is looked for.
const LONGEST: usize = 12;

/// A name that lists ops.
pub(super) struct Listed {
    /// Length of the prefix, without the underscore that ends it.
    pub(super) prefix: usize,
    pub(super) ops: Vec<String>,
}

/// The ops in `name`, when it begins as such names do.
pub(super) fn split(name: &str, settings: &Settings) -> Option<Listed> {
    let prefix = settings.inductor.iter().find_map(|pattern| prefix(pattern, name))?;
    let list = &name[prefix..];
    // The number that tells two kernels of one list apart; old versions add a signature (`_24_0d1d2d`).
    let end = list.split_inclusive('_').scan(0, |at, part| {
        let start = *at;
        *at += part.len();
        Some((start, part))
    });
    let end = end.filter(|(_, part)| part.starts_with(|c: char| c.is_ascii_digit())).map(|(start, _)| start).next();
    let ops = cut(&list[..end.unwrap_or(list.len())], settings);
    Some(Listed { prefix: name[..prefix].trim_end_matches('_').len(), ops })
}

/// Length of the part of `name` that `pattern` covers; `*` stands for letters.
fn prefix(pattern: &str, name: &str) -> Option<usize> {
    let mut rest = name;
    for (n, part) in pattern.split('*').enumerate() {
        if n > 0 {
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            rest = rest.get(letters..).filter(|_| letters > 0)?;
        }
        rest = rest.strip_prefix(part)?;
    }
    Some(name.len() - rest.len())
}

/// A list of ops cut at the longest known ones; what is not known ends at the next underscore.
fn cut(list: &str, settings: &Settings) -> Vec<String> {
    let mut ops = Vec::new();
    let mut rest = list.trim_end_matches('_');
    while !rest.is_empty() {
        let ends = rest.match_indices('_').map(|(at, _)| at).chain([rest.len()]).take(LONGEST);
        let known = ends.filter(|&end| settings.ops.contains(&rest[..end])).last();
        let end = known.unwrap_or_else(|| rest.find('_').unwrap_or(rest.len()));
        if end > 0 {
            ops.push(rest[..end].to_owned());
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    ops
}

/// Whether `wanted` is among the ops: as it stands, without its leading underscore, or, if no one told us that it is
/// one op, as its parts in a row.
pub(super) fn has(ops: &[String], wanted: &str, settings: &Settings) -> bool {
    let same = |op: &str, wanted: &str| op.trim_start_matches('_') == wanted.trim_start_matches('_');
    if ops.iter().any(|op| same(op, wanted)) {
        return true;
    }
    let parts = cut(wanted, settings);
    parts.len() > 1 && ops.windows(parts.len()).any(|row| row.iter().zip(&parts).all(|(op, part)| same(op, part)))
}
