//! Versions as Python packages write them, in order: `0.5.9 < 0.5.10.dev3 < 0.5.10rc1 < 0.5.10 < 0.5.10.post1`.

use std::cmp::Ordering;

/// A version; none of `parse` when a text is no version (`main`, `nightly`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    release: Vec<u64>,
    /// (rank of the form, its number) for each form after the release: dev < a < b < rc < nothing < post.
    forms: Vec<(i8, u64)>,
}

impl Version {
    /// Reads `v0.11.0rc2`, `0.5.9.post1`, `0.33.0+cu129`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V']);
        let public = text.split('+').next()?.to_ascii_lowercase();
        if !public.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let mut release = Vec::new();
        let mut forms = Vec::new();
        let mut rest = public.as_str();
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            if digits > 0 {
                if !forms.is_empty() {
                    return None;
                }
                release.push(rest[..digits].parse().ok()?);
                rest = &rest[digits..];
            } else {
                let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
                let rank = match &rest[..letters] {
                    "dev" => -4,
                    "a" | "alpha" => -3,
                    "b" | "beta" => -2,
                    "rc" | "c" | "pre" | "preview" => -1,
                    "post" | "rev" | "r" => 1,
                    _ => return None,
                };
                rest = rest[letters..].trim_start_matches(['.', '-', '_']);
                let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                forms.push((rank, if digits == 0 { 0 } else { rest[..digits].parse().ok()? }));
                rest = &rest[digits..];
            }
            rest = rest.strip_prefix(['.', '-', '_']).unwrap_or(rest);
        }
        while release.last() == Some(&0) {
            release.pop();
        }
        Some(Self { release, forms })
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let of = |version: &Self, index: usize| version.forms.get(index).copied().unwrap_or((0, 0));
        self.release.cmp(&other.release).then_with(|| {
            (0..self.forms.len().max(other.forms.len()))
                .map(|index| of(self, index).cmp(&of(other, index)))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether `version` lies in `since .. until`; none when the texts do not tell.
pub fn within(version: Option<&str>, since: Option<&str>, until: Option<&str>) -> Option<bool> {
    if since.is_none() && until.is_none() {
        return Some(true);
    }
    let version = Version::parse(version?)?;
    let bound = |text: Option<&str>| text.map(|text| Version::parse(text).ok_or(())).transpose().ok();
    let (since, until) = (bound(since)?, bound(until)?);
    Some(since.is_none_or(|since| version >= since) && until.is_none_or(|until| version < until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_no_texts_and_forms_stand_around_the_release() {
        let order = ["0.5.9", "0.5.10.dev3", "0.5.10a1", "0.5.10rc1", "0.5.10", "0.5.10.post1", "0.5.23", "0.11"];
        for pair in order.windows(2) {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::parse("v0.11.0+cu129"), Version::parse("0.11"));
        assert_eq!(Version::parse("1.0.0rc1.dev2").unwrap().cmp(&Version::parse("1.0.0rc1").unwrap()), Ordering::Less);
    }

    #[test]
    fn what_is_no_version_tells_nothing() {
        assert_eq!(Version::parse("main"), None);
        assert_eq!(within(Some("nightly"), Some("0.11"), None), None);
        assert_eq!(within(None, Some("0.11"), None), None);
        assert_eq!(within(None, None, None), Some(true));
    }

    #[test]
    fn until_is_the_first_version_without_it() {
        assert_eq!(within(Some("0.33.0"), Some("0.11"), Some("0.33")), Some(false));
        assert_eq!(within(Some("0.32.9"), Some("0.11"), Some("0.33")), Some(true));
    }
}
