//! What is fixed, and its security.

use super::*;
use crate::security::security;

#[test]
fn every_layer_has_the_bits_of_its_preset() {
    for preset in Preset::ALL {
        let fixed = Fixed::of(preset);
        let layers = [
            (&fixed.standard, Layer::Inner),
            (&fixed.wide, Layer::Inner),
            (&fixed.root, Layer::Root),
            (&fixed.last, Layer::Last),
        ];
        for (heights, layer) in layers {
            let security = security(&layout(heights, preset, layer));
            let best = security.best();
            assert!(best.bits() >= f64::from(preset.bits()), "{preset:?} {layer:?}: {best:?}");
        }
    }
}
