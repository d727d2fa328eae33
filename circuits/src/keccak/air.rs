//! Constraints and messages of the sponge's table.

use std::borrow::Borrow;

use p3_air::{Air, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_keccak_air::{KeccakAir, KeccakCols as Inner};
use p3_lookup::InteractionBuilder;
use p3_uni_stark::SubAirBuilder;
use rwprove_isa::{Instr, Op, layout::SPONGE, record::COPROCESSOR_TIME};

use super::columns::{INNER, KeccakCols, WORDS, place};
use crate::{Val, bus};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    KeccakAir {}.eval(&mut SubAirBuilder::<AB, KeccakAir, AB::Var>::new(builder, 0..INNER));

    let main = builder.main();
    let (inner, ours) = main.current_slice().split_at(INNER);
    let inner: &Inner<AB::Var> = inner.borrow();
    let ours = KeccakCols::from_row(ours);

    let tag = AB::Expr::from_u32(const { Instr::new(Op::KeccakF).tag() });
    let none = || [AB::Expr::ZERO, AB::Expr::ZERO];
    let request = bus::request(tag, ours.clock.into(), none(), none(), none());
    bus::receive(builder, request, inner.export);

    let now = ours.clock + AB::Expr::from_u32(COPROCESSOR_TIME);
    for word in 0..WORDS {
        let (y, x, limb) = place(word);
        let before = [0, 1].map(|i| inner.preimage[y][x][limb + i].into());
        let after = [0, 1].map(|i| inner.a_prime_prime_prime(y, x, limb + i).into());
        let addr = || AB::Expr::from_usize(SPONGE as usize + word);
        let time = ours.time[word];
        bus::receive(builder, bus::memory(addr(), before, time.into()), inner.export);
        bus::send(builder, bus::memory(addr(), after, now.clone()), inner.export);
        bus::send(builder, bus::range16(now.clone() - time - AB::Expr::ONE), inner.export);
    }
}
