//! How texts of the match language meet texts of a trace: runs of words, and globs whose only wildcard is `*`.

/// `text` matches `glob` as a whole; `*` stands for any run of characters, none too.
pub(crate) fn glob(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if glob.get(g) == Some(&b'*') {
            retry = Some((g, t));
            g += 1;
        } else if glob.get(g) == Some(&text[t]) {
            (g, t) = (g + 1, t + 1);
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            (g, t) = (star + 1, from + 1);
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|b| *b == b'*')
}

/// Words run together, with the places where one begins or ends.
#[derive(Debug, Default)]
pub(crate) struct Words {
    joined: String,
    /// Set bits are word borders, one byte a position.
    border: Vec<bool>,
}

impl Words {
    pub(crate) fn new<S: AsRef<str>>(words: &[S]) -> Self {
        let mut out = Self { joined: String::new(), border: vec![true] };
        for word in words {
            out.joined.push_str(word.as_ref());
            out.border.resize(out.joined.len() + 1, false);
            out.border[out.joined.len()] = true;
        }
        out
    }

    /// Whether `wanted`, words run together, is a row of whole words here.
    pub(crate) fn has_row(&self, wanted: &str) -> bool {
        if wanted.is_empty() {
            return false;
        }
        let mut from = 0;
        while let Some(at) = memchr::memmem::find(&self.joined.as_bytes()[from..], wanted.as_bytes()) {
            let begin = from + at;
            if self.border[begin] && self.border[begin + wanted.len()] {
                return true;
            }
            from = begin + 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_and_all_else_is_itself() {
        for (pattern, text, want) in [
            ("_C::rotary*", "_C::rotary_embedding", true),
            ("_C::rotary*", "x_C::rotary", false),
            ("*mla*decode*", "flash_mla_paged_decode_kernel", true),
            ("*mla*decode*", "flash_decode_mla", false),
            ("[888,2880]*", "[888,2880],[2880]", true),
            ("[888,2880]*", "8", false),
            ("aten::mm", "aten::mm", true),
            ("aten::mm", "aten::mm_", false),
            ("*", "", true),
            ("a*b*b", "ab", false),
            ("", "", true),
        ] {
            assert_eq!(glob(pattern, text), want, "{pattern} {text}");
        }
    }

    /// `rope` is no part of `property`, nor `ada` of `metadata`.
    #[test]
    fn rows_begin_and_end_at_words() {
        let name = Words::new(&["fused", "qk", "norm", "rope"]);
        for (wanted, want) in
            [("rope", true), ("qknorm", true), ("normrope", true), ("knorm", false), ("qkno", false), ("ropes", false)]
        {
            assert_eq!(name.has_row(wanted), want, "{wanted}");
        }
        assert!(!Words::new(&["property"]).has_row("rope"));
        assert!(!Words::new::<&str>(&[]).has_row("x") && !name.has_row(""));
        assert!(Words::new(&["ab", "b", "b"]).has_row("bb"));
    }
}
