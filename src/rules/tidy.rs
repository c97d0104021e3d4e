//! A family file with its keys in order. Works on lines, so that comments, quotes and folds stay as they were written:
//! blocks of lines move, nothing inside of them changes. What would mean something else afterwards is refused.

/// Keys of a family in the order in which people read them.
const KEYS: [&str; 30] = [
    "version",
    "id",
    "aliases",
    "title",
    "kind",
    "origin",
    "pr",
    "status",
    "replaced_by",
    "sources",
    "kernels",
    "checked",
    "since",
    "since_on",
    "until",
    "when",
    "called_for",
    "fused",
    "split",
    "after",
    "before",
    "overlap",
    "independent",
    "per",
    "priority",
    "subsumes",
    "excludes",
    "toggles",
    "rationale",
    "tests",
];

/// The text in order; an error says why it is left alone.
pub fn tidy(text: &str) -> Result<String, String> {
    let before = meaning(text)?;
    let (head, mut blocks) = blocks(text)?;
    blocks.sort_by_key(|block| block.rank);
    let mut lines: Vec<&str> = head;
    lines.extend(blocks.iter().flat_map(|block| block.lines.iter().copied()));
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let out = lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect::<String>();
    if meaning(&out)? == before {
        Ok(out)
    } else {
        Err("its lines cannot be moved without a change of meaning".to_owned())
    }
}

fn meaning(text: &str) -> Result<serde_json::Value, String> {
    serde_yaml::from_str(text).map_err(|_| "it is no YAML; `llm-prof rules check` says where".to_owned())
}

/// A key with its lines, comments above it first.
struct Block<'t> {
    rank: usize,
    lines: Vec<&'t str>,
}

/// The comments at the top, which stay there, and the blocks of the keys.
fn blocks(text: &str) -> Result<(Vec<&str>, Vec<Block<'_>>), String> {
    let mut head = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    // Comments and blank lines that belong to the key below them.
    let mut pending: Vec<&str> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let inside = line.starts_with([' ', '\t', '-']) && !line.starts_with("---");
        if line.is_empty() || line.starts_with('#') {
            pending.push(line);
        } else if inside {
            let block = blocks.last_mut().ok_or_else(|| format!("line {} belongs to no key", n + 1))?;
            block.lines.append(&mut pending);
            block.lines.push(line);
        } else {
            let key = line.split(':').next().unwrap_or_default();
            let rank = KEYS.iter().position(|known| *known == key);
            let rank = rank.ok_or_else(|| format!("line {} begins with no key of a family", n + 1))?;
            if blocks.is_empty() {
                head.append(&mut pending);
            }
            let mut lines = std::mem::take(&mut pending);
            lines.push(line);
            blocks.push(Block { rank, lines });
        }
    }
    if blocks.is_empty() {
        return Err("it has no keys".to_owned());
    }
    if let Some(last) = blocks.last_mut() {
        last.lines.append(&mut pending);
    }
    Ok((head, blocks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::schema::family::FamilyFile;

    const MIXED: &str = "\
# schema
# what it is

id: a/b
version: 1
# why so late
tests:
  # one
  - { name: x }

  - name: >-
      folded
# how it looks
fused: 'a'   \n\ntitle: T\n";

    #[test]
    fn keys_come_in_order_and_take_their_comments_along() {
        let tidied = tidy(MIXED).unwrap();
        let expected = "\
# schema
# what it is

version: 1
id: a/b

title: T
# how it looks
fused: 'a'
# why so late
tests:
  # one
  - { name: x }

  - name: >-
      folded
";
        assert_eq!(tidied, expected);
        assert_eq!(tidy(&tidied).unwrap(), tidied);
    }

    #[test]
    fn what_lines_cannot_tell_is_left_alone() {
        for (text, reason) in [
            ("--- \nid: a\n", "begins with no key"),
            ("idd: a\n", "line 1 begins with no key of a family"),
            ("id: [a\nversion: 1\n", "no YAML"),
            ("", "no keys"),
            ("title: >-\n  a\n\nid: x\n# end\n", "ok"),
        ] {
            let seen = tidy(text).map_or_else(|reason| reason, |_| "ok".to_owned());
            assert!(seen.contains(reason), "{text:?}: {seen}");
        }
    }

    /// The reader lists its keys in its error, in the order of its struct.
    #[test]
    fn the_order_has_every_key_that_a_family_may_have() {
        let error = serde_yaml::from_str::<FamilyFile>("no-such-key: 1\n").unwrap_err();
        let serde_yaml::Error::SerdeUnknownField { expected, .. } = error.without_snippet() else {
            panic!("{error}");
        };
        let mut sorted = KEYS.to_vec();
        let mut expected = expected.clone();
        sorted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sorted, expected);
    }
}
