//! What recurs in a sequence of kernels: one layer after the other, whatever the trace says of modules.

use crate::rules::schema::report::TimelineSettings;

/// Earlier equal kernels that a kernel is compared with: a layer may launch one several times.
const BACK: usize = 4;
/// Distances that are looked at closely.
const CANDIDATES: usize = 24;

/// Stretches of one length that are alike.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeats {
    /// Kernels in each.
    pub(super) length: usize,
    /// Where each begins.
    pub(super) starts: Vec<usize>,
}

/// The shortest stretch that most of the sequence repeats; none when nothing recurs.
pub(super) fn find(kernels: &[u32], settings: &TimelineSettings) -> Option<Repeats> {
    let length = length(kernels, settings)?;
    let same = |at: usize| kernels[at] == kernels[at + length];
    let begins = |at: &usize| {
        let alike = (*at..at + length).filter(|at| same(*at)).count();
        same(*at) && alike * 100 >= length * settings.as_good_pct
    };
    let first = (0..(kernels.len() + 1).checked_sub(2 * length)?).find(begins)?;
    let model = &kernels[first..first + length];
    let alike = |at: usize| {
        let equal = model.iter().zip(&kernels[at..]).filter(|(a, b)| a == b).count();
        model[0] == kernels[at] && equal * 100 >= length * settings.alike_pct
    };
    let (mut starts, mut at) = (Vec::new(), first);
    while at + length <= kernels.len() {
        if alike(at) {
            starts.push(at);
            at += length;
        } else {
            at += 1;
        }
    }
    Some(Repeats { length, starts })
}

/// Distances at which equal kernels stand vote; the votes of the best ones are counted.
fn length(kernels: &[u32], settings: &TimelineSettings) -> Option<usize> {
    let mut votes = vec![0_u32; settings.launches + 1];
    let mut last: Vec<Vec<usize>> = vec![Vec::new(); kernels.iter().max().map_or(0, |most| *most as usize + 1)];
    for (at, kernel) in kernels.iter().enumerate() {
        let seen = &mut last[*kernel as usize];
        for distance in seen.iter().map(|before| at - before).filter(|distance| *distance <= settings.launches) {
            votes[distance] += 1;
        }
        if seen.len() == BACK {
            seen.remove(0);
        }
        seen.push(at);
    }
    let mut candidates: Vec<usize> = (1..votes.len()).filter(|distance| votes[*distance] > 0).collect();
    candidates.sort_by_key(|distance| (std::cmp::Reverse(votes[*distance]), *distance));
    candidates.truncate(CANDIDATES);
    candidates.sort_unstable();
    let repeated = |distance: usize| kernels.iter().zip(&kernels[distance..]).filter(|(a, b)| a == b).count();
    let scores: Vec<(usize, usize)> = candidates.into_iter().map(|distance| (distance, repeated(distance))).collect();
    let best = scores.iter().map(|(_, score)| *score).max()?;
    let good = |score: usize| score * 100 >= best * settings.as_good_pct && score * 2 >= kernels.len();
    scores.into_iter().find(|(_, score)| good(*score)).map(|(distance, _)| distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: TimelineSettings =
        TimelineSettings { launches: 20, kernels: 3, cover_pct: 50.0, as_good_pct: 90, alike_pct: 75 };

    fn of(text: &str) -> Option<(usize, Vec<usize>)> {
        let kernels: Vec<u32> = text.bytes().map(u32::from).collect();
        find(&kernels, &SETTINGS).map(|repeats| (repeats.length, repeats.starts))
    }

    #[test]
    fn a_layer_is_found_between_what_comes_before_and_after() {
        assert_eq!(of("xyabcdabcdabcdz"), Some((4, vec![2, 6, 10])));
    }

    #[test]
    fn a_kernel_that_a_layer_launches_twice_is_no_layer() {
        assert_eq!(of("abacabacabacabac"), Some((4, vec![0, 4, 8, 12])));
    }

    #[test]
    fn layers_that_differ_in_a_kernel_are_alike() {
        let two_kinds = "abcdefghijklabcdeXghijkl".repeat(4);
        assert_eq!(of(&two_kinds), Some((12, (0..8).map(|n| n * 12).collect())));
    }

    #[test]
    fn what_stands_between_two_layers_is_left_out() {
        assert_eq!(of("abcdeabcde!!abcdeabcdeabcde"), Some((5, vec![0, 5, 12, 17, 22])));
    }

    #[test]
    fn nothing_recurs_in_a_sequence_of_its_own() {
        assert_eq!(of("abcdefghij"), None);
        assert_eq!(of("abcabcdefghijklmnop"), None);
        assert_eq!(of(""), None);
    }
}
