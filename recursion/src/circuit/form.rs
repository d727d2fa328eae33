//! What a builder hands out for elements: constants, and wires up to what a gate does for free.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Challenge, Val};

/// Number of a wire. Wire 0 is zero.
pub(super) type Wire = u32;
/// Number of a block, from 1 on.
pub(super) type Block = u32;

/// An element of a circuit: a constant, or a wire times a constant plus a constant, as every gate
/// can multiply and add constants to what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form<C>(pub(super) Kind<C>);

/// An element of the base field.
pub type Felt = Form<Val>;
/// An element of the challenge field.
pub type Ext = Form<Challenge>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<C> {
    Constant(C),
    Wire { wire: Wire, scale: Val, offset: Val },
}

impl<C> Form<C> {
    pub(super) const fn constant(value: C) -> Self {
        Self(Kind::Constant(value))
    }

    pub(super) const fn wire(wire: Wire) -> Self {
        Self(Kind::Wire { wire, scale: Val::ONE, offset: Val::ZERO })
    }
}

impl Felt {
    pub(super) fn lift(self) -> Ext {
        Form(match self.0 {
            Kind::Constant(value) => Kind::Constant(value.into()),
            Kind::Wire { wire, scale, offset } => Kind::Wire { wire, scale, offset },
        })
    }
}
