//! Two sequences in, the pairs of their longest common subsequence out: deterministic, in n log n for the few equal
//! pairs of kernels that a step repeats once a layer (Hunt and Szymanski).

use std::collections::BTreeMap;

/// Positions of equal tokens, increasing on both sides. Where more than `max_pairs` pairs are equal, the commonest tokens
/// are left out.
pub(super) fn align(a: &[u32], b: &[u32], max_pairs: usize) -> Vec<(usize, usize)> {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let rest = (&a[head..], &b[head..]);
    let tail = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(|(x, y)| x == y).count();
    let middle = (&rest.0[..rest.0.len() - tail], &rest.1[..rest.1.len() - tail]);
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|n| (n, n)).collect();
    pairs.extend(longest(middle.0, middle.1, max_pairs).into_iter().map(|(i, j)| (i + head, j + head)));
    pairs.extend((0..tail).rev().map(|n| (a.len() - 1 - n, b.len() - 1 - n)));
    pairs
}

fn longest(a: &[u32], b: &[u32], max_pairs: usize) -> Vec<(usize, usize)> {
    let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (j, token) in b.iter().enumerate() {
        places.entry(*token).or_default().push(j);
    }
    thin(a, &mut places, max_pairs);
    // Of each length the earliest end in `b`, and the pair that ends so.
    let mut ends: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = Vec::new();
    let mut nodes: Vec<(usize, usize, Option<usize>)> = Vec::new();
    for (i, token) in a.iter().enumerate() {
        for &j in places.get(token).into_iter().flatten().rev() {
            let length = ends.partition_point(|end| *end < j);
            if ends.get(length) == Some(&j) {
                continue;
            }
            nodes.push((i, j, length.checked_sub(1).map(|before| last[before])));
            let node = nodes.len() - 1;
            if length == ends.len() {
                ends.push(j);
                last.push(node);
            } else {
                (ends[length], last[length]) = (j, node);
            }
        }
    }
    let mut pairs = Vec::with_capacity(last.len());
    let mut at = last.last().copied();
    while let Some(node) = at {
        let (i, j, before) = nodes[node];
        pairs.push((i, j));
        at = before;
    }
    pairs.reverse();
    pairs
}

/// Leaves the commonest tokens out until the pairs are few enough.
fn thin(a: &[u32], places: &mut BTreeMap<u32, Vec<usize>>, max_pairs: usize) {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for token in a {
        *counts.entry(*token).or_default() += 1;
    }
    let mut products: Vec<(usize, u32)> = (places.iter())
        .map(|(token, places)| (places.len() * counts.get(token).copied().unwrap_or(0), *token))
        .collect();
    let mut sum: usize = products.iter().map(|(product, _)| product).sum();
    products.sort_unstable();
    while sum > max_pairs {
        let Some((product, token)) = products.pop() else { return };
        places.remove(&token);
        sum -= product;
    }
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn equal_sequences_are_tied_one_by_one() {
        assert_eq!(align(&[1, 2, 1], &[1, 2, 1], 9), [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn what_only_one_side_has_is_stepped_over() {
        assert_eq!(align(&[1, 2, 3, 4, 1, 2, 3], &[1, 2, 9, 1, 2, 3], 99), [(0, 0), (1, 1), (4, 3), (5, 4), (6, 5)]);
        assert_eq!(align(&[], &[1], 9), []);
    }

    #[test]
    fn order_is_never_crossed() {
        let pairs = align(&[1, 2, 3, 1, 2, 3, 5], &[3, 2, 1, 3, 2, 1, 5], 99);
        assert!(pairs.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1), "{pairs:?}");
    }

    #[test]
    fn the_commonest_are_left_out_when_there_are_too_many() {
        assert_eq!(align(&[7, 1, 1, 1, 2, 8], &[9, 1, 1, 1, 1, 2, 6], 3), [(4, 5)]);
    }
}
