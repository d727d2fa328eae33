//! What is fixed, and its security.

use super::*;
use crate::security::security;

fn all() -> impl Iterator<Item = (Preset, &'static Fixed)> {
    Preset::ALL.into_iter().map(|preset| (preset, Fixed::of(preset)))
}

#[test]
fn every_layer_has_the_bits_of_its_preset() {
    for (preset, fixed) in all() {
        for (name, heights, layer) in fixed.layers() {
            let security = security(&layout(heights, preset, layer));
            let best = security.best();
            assert!(best.bits() >= f64::from(preset.bits()), "{preset:?} {name}: {best:?}");
        }
    }
}

#[test]
fn the_machine_is_ours() {
    for (preset, fixed) in all() {
        assert_eq!(fixed.machine, crate::machine::digest(), "{preset:?}");
    }
}

/// Every key of every preset: a key that stands twice stands for another one, which is a way
/// around the preset's bits.
#[test]
fn keys_are_there_and_no_two_are_the_same() {
    let mut keys = Vec::new();
    for (_, fixed) in all() {
        assert!(fixed.is_complete());
        keys.extend(fixed.standard_keys());
        keys.extend(fixed.wide_leaves.iter().map(key));
        keys.extend([key(&fixed.root_key), key(&fixed.last_key)]);
    }
    assert!(keys.len() > 20);
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn placeholders_are_no_keys() {
    let changes: [fn(&mut Fixed); 8] = [
        |fixed| fixed.leaves = &[],
        |fixed| fixed.leaves = &[[1; _], [0; _]],
        |fixed| fixed.wide_leaves = &[],
        |fixed| fixed.wide_leaves = &[[0; _]],
        |fixed| fixed.lift_key = [0; _],
        |fixed| fixed.join_key = [0; _],
        |fixed| fixed.root_key = [0; _],
        |fixed| fixed.last_key = [0; _],
    ];
    for change in changes {
        let mut fixed = Fixed { ..*Fixed::of(Preset::P100) };
        change(&mut fixed);
        assert!(!fixed.is_complete());
    }
}
