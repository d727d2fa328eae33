//! Changes that know the form of the bytes: cuts at the ends of parts, bytes after the end,
//! elements that are not canonical, lengths that lie, and items that change places.

use std::ops::Range;

use super::{
    Change, Subject,
    flips::Random,
    sections::{ELEMENT, Kind, Part},
};

/// The field's order.
const ORDER: u32 = 0x7f00_0001;

fn change(
    part: &'static str,
    what: String,
    edit: impl Fn(&mut Vec<u8>) + Sync + 'static,
) -> Change {
    let apply = move |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        edit(&mut bytes);
        bytes
    };
    Change { part, what, apply: Box::new(apply) }
}

/// The changes that fit any bytes with parts.
pub(crate) fn of(subject: &Subject<'_>, random: usize, seed: u64) -> Vec<Change> {
    let mut numbers = Random(seed);
    let len = subject.bytes.len();
    let mut changes = Vec::new();

    let ends = subject.parts.iter().flat_map(|part| {
        let start = part.range.start;
        [start.saturating_sub(1), start, start + 1]
    });
    let anywhere: Vec<usize> = (0..random).map(|_| numbers.below(len)).collect();
    for end in ends.chain(anywhere).chain([len - 1]).filter(|end| *end < len) {
        changes.push(change("cuts", format!("cut at {end}"), move |bytes| bytes.truncate(end)));
    }
    for more in [1, 4, 32, len] {
        let what = format!("{more} bytes after the end");
        changes.push(change("trailing", what, move |bytes| bytes.resize(len + more, 0)));
    }
    changes.push(change("trailing", "all of it twice".into(), move |bytes| {
        bytes.extend_from_within(..);
    }));

    for part in subject.parts.iter().filter(|part| !part.range.is_empty()) {
        match part.kind {
            Kind::Elements(item) => {
                elements(part, &mut numbers, &mut changes);
                items(part, item, &mut numbers, &mut changes);
            }
            Kind::Length => lengths(part, &mut changes),
            Kind::Plain => {}
        }
    }
    changes
}

/// An element plus the field's order is the same element, written otherwise.
fn elements(part: &Part, numbers: &mut Random, changes: &mut Vec<Change>) {
    let count = part.range.len() / ELEMENT;
    for element in [0, count - 1, numbers.below(count)] {
        let at = part.range.start + ELEMENT * element;
        let what = format!("{}: element at {at} plus the order", part.name);
        changes.push(change("not canonical", what, move |bytes| {
            let number = number(&bytes[at..at + 4]).wrapping_add(u64::from(ORDER));
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes()[..4]);
        }));
    }
}

/// An item and the one after it: exchanged, doubled, or the first without content.
fn items(part: &Part, size: usize, numbers: &mut Random, changes: &mut Vec<Change>) {
    let count = part.range.len() / size;
    let at = |item: usize| part.range.start + size * item;
    for item in [0, numbers.below(count)] {
        let zeroed = at(item)..at(item + 1);
        let what = format!("{}: item {item} is zeros", part.name);
        changes.push(change("items", what, move |bytes| bytes[zeroed.clone()].fill(0)));
        if item + 1 == count {
            continue;
        }
        let (first, second) = (at(item)..at(item + 1), at(item + 1)..at(item + 2));
        let what = format!("{}: items {item} and the next exchanged", part.name);
        let (a, b) = (first.clone(), second.clone());
        changes.push(change("items", what, move |bytes| exchange(bytes, &a, &b)));
        let what = format!("{}: item {item} twice", part.name);
        changes.push(change("items", what, move |bytes| {
            bytes.copy_within(first.clone(), second.start);
        }));
    }
}

/// A length with other values, the absurd ones among them.
fn lengths(part: &Part, changes: &mut Vec<Change>) {
    let range = part.range.clone();
    let all = u64::MAX >> (64 - 8 * range.len());
    for absurd in [0, 1, 1 << 16, all / 2, all / 2 + 1, all - 1, all] {
        let (what, range) = (format!("{}: length {absurd}", part.name), range.clone());
        changes.push(change("lengths", what, move |bytes| put(bytes, &range, absurd)));
    }
    for (name, step) in [("one more", 1), ("one less", u64::MAX)] {
        let (what, range) = (format!("{}: {name}", part.name), range.clone());
        changes.push(change("lengths", what, move |bytes| {
            let length = number(&bytes[range.clone()]).wrapping_add(step);
            put(bytes, &range, length);
        }));
    }
}

/// Whole parts, and whole shards, of one shard in the place of another's.
pub(crate) fn between_shards(proof: &Subject<'_>) -> Vec<Change> {
    let of_shard =
        |n: usize| proof.parts.iter().filter(move |part| part.shard == Some(n)).collect::<Vec<_>>();
    let (first, second) = (of_shard(0), of_shard(1));
    let mut changes = Vec::new();
    for (a, b) in first.iter().zip(&second).filter(|(a, b)| a.range.len() == b.range.len()) {
        let (x, y) = (a.range.clone(), b.range.clone());
        let what = format!("{} of both shards exchanged", a.name);
        changes.push(change("between shards", what, move |bytes| exchange(bytes, &x, &y)));
        let (x, y) = (a.range.clone(), b.range.clone());
        let what = format!("{} of shard 0 in shard 1", a.name);
        changes.push(change("between shards", what, move |bytes| {
            bytes.copy_within(x.clone(), y.start);
        }));
    }
    let span = |parts: &[&Part]| parts[0].range.start..parts[parts.len() - 1].range.end;
    let (a, b, count) = (span(&first), span(&second), span(&first).start - 4);
    for (what, order, shards) in [
        ("exchanged", vec![b.clone(), a.clone()], 2),
        ("first alone", vec![a.clone()], 1),
        ("second alone", vec![b.clone()], 1),
        ("first twice", vec![a.clone(), a.clone()], 2),
        ("first twice, then second", vec![a.clone(), a.clone(), b.clone()], 3),
        ("second twice", vec![a.clone(), b.clone(), b.clone()], 3),
        ("none", vec![], 0),
    ] {
        let what = format!("shards: {what}");
        changes.push(change("whole shards", what, move |bytes| {
            let mut new = bytes[..count].to_vec();
            new.extend(u32::to_le_bytes(shards));
            order.iter().for_each(|shard| new.extend_from_slice(&bytes[shard.clone()]));
            *bytes = new;
        }));
    }
    changes
}

fn exchange(bytes: &mut [u8], first: &Range<usize>, second: &Range<usize>) {
    let (left, right) = bytes.split_at_mut(second.start);
    left[first.clone()].swap_with_slice(&mut right[..second.len()]);
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn put(bytes: &mut [u8], range: &Range<usize>, number: u64) {
    bytes[range.clone()].copy_from_slice(&number.to_le_bytes()[..range.len()]);
}
