//! Keys that are not known yet.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_recursion::{
    backend::Rule,
    circuit::Builder,
    layers::{self, Keys},
    system::{Id, SystemError, build},
};
use rwprove_verifier::{Preset, compressed::Fixed};

use super::toy::TOY;

const PLACEHOLDER: Rule = Rule::Between("a circuit holds no placeholder");

#[test]
fn past_44_sp1_placeholder() {
    // What is all zeros where a circuit holds a key or a set of keys: it cannot be built.
    let b = &mut Builder::new();
    let keys = Keys { depth: 2, set: Some([Val::ZERO; 8]) };
    assert!(matches!(layers::pass(b, &TOY.stark, keys), Err(PLACEHOLDER)));
    assert!(matches!(layers::shrink(b, &TOY.stark, &[Val::ZERO; 8]), Err(PLACEHOLDER)));
}

#[test]
fn a_preset_with_placeholders_has_no_circuits() {
    let preset = Preset::P100;
    let changed = |change: fn(&mut Fixed)| {
        let mut fixed = Fixed { ..*Fixed::of(preset) };
        change(&mut fixed);
        fixed
    };
    for (id, fixed) in [
        (Id::Lift, changed(|fixed| fixed.wide_leaves = &[])),
        (Id::Lift, changed(|fixed| fixed.wide_leaves = &[[0; 8]])),
        (Id::Lift, changed(|fixed| fixed.wide_leaves = &[[1; 8], [0; 8], [2; 8]])),
        (Id::Last, changed(|fixed| fixed.root_key = [0; 8])),
    ] {
        let refused = build(id, &fixed, preset);
        assert!(matches!(refused, Err(SystemError::Placeholder(of)) if of == id));
    }
}
