//! Constraints of the `access` table.

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::{Op, record::COPROCESSOR_TIME};

use super::AccessCols;
use crate::{
    Val, bus,
    coprocessor::{BYTE, at_most_one, limbs_of, tag, two_bytes, weighted},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row: AccessCols<AB::Var> = AccessCols::from_row(main.current_slice());

    let operations = operations(&row);
    let real = at_most_one(builder, operations.map(|(flag, _)| flag));
    let chosen = at_most_one(builder, row.at);
    builder.assert_eq(chosen, real.clone());
    for bytes in [row.first, row.last, row.window] {
        for [low, high] in [[bytes[0], bytes[1]], [bytes[2], bytes[3]]] {
            bus::send(builder, bus::pair(low.into(), high.into()), real.clone());
        }
    }

    value(builder, &row, &real);
    words(builder, &row, &real);

    // The limbs are below 2^16; as `address_low` is too, nothing wraps, and it is below 2^14.
    bus::send(builder, bus::range16(row.address_low.into()), real.clone());
    let offset = weighted::<AB, 3>([(row.at[1], 1), (row.at[2], 2), (row.at[3], 3)]);
    let x = [row.address_low * Val::from_u32(4) + offset, row.address_high.into()];
    let (y, z) = (row.y.map(Into::into), row.z.map(Into::into));
    let tag = weighted::<AB, 11>(operations.map(|(flag, op)| (flag, tag(op))));
    bus::receive(builder, bus::request(tag, row.clk.into(), x, y, z), real);
}

fn operations<V: Copy>(row: &AccessCols<V>) -> [(V, Op); 11] {
    [
        (row.load, Op::Load),
        (row.load_bytes, Op::LoadBytes),
        (row.load16_s, Op::Load16S),
        (row.load16_u, Op::Load16U),
        (row.load8_s, Op::Load8S),
        (row.load8_u, Op::Load8U),
        (row.load_byte, Op::LoadByte),
        (row.store, Op::Store),
        (row.store16, Op::Store16),
        (row.store8, Op::Store8),
        (row.store_byte, Op::StoreByte),
    ]
}

/// Ties window and value: of a load the window is what the words hold and `z` follows from it, of
/// a store the window's last bytes are those of `y`.
fn value<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &AccessCols<AB::Var>,
    real: &AB::Expr,
) {
    let load_word = row.load + row.load_bytes;
    let load_half = row.load16_s + row.load16_u;
    let load_byte = row.load8_s + row.load8_u + row.load_byte;
    let loads = load_word.clone() + load_half.clone() + load_byte.clone();
    let held = |i: usize| -> AB::Expr {
        let byte = |i: usize| if i < 4 { row.first[i] } else { row.last[i - 4] };
        (0..4).map(|at| row.at[at] * byte(1 + at + i)).sum()
    };
    for i in 0..4 {
        builder.assert_zero(loads.clone() * (held(i) - row.window[i]));
    }

    let [low, high] = limbs_of::<AB>(row.window);
    let last = row.window[3];
    builder.assert_bool(row.sign);
    let rest = last - row.sign * Val::from_u32(128);
    bus::send(builder, bus::pair(rest.double(), AB::Expr::ZERO), real.clone());
    let signed = |flags: AB::Expr, fill: u32| flags * row.sign * Val::from_u32(fill);
    let z0 = load_word.clone() * low.clone()
        + load_half * high.clone()
        + load_byte * last
        + signed(row.load8_s.into(), 0xff00);
    builder.assert_eq(row.z[0], z0);
    builder
        .assert_eq(row.z[1], load_word * high.clone() + signed(row.load8_s + row.load16_s, 0xffff));

    let store_byte = row.store8 + row.store_byte;
    let y0 = low * row.store
        + high.clone() * row.store16
        + store_byte * two_bytes::<AB>(last, row.window[2]);
    builder.assert_eq(row.y[0], y0);
    builder.assert_zero((high - row.y[1]) * row.store);
}

/// The accesses to memory, and what a store leaves there.
fn words<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &AccessCols<AB::Var>,
    real: &AB::Expr,
) {
    // Whether byte i of the window is stored.
    let stored: [AB::Expr; 4] = {
        let (word, half) = (row.store.into(), row.store + row.store16);
        let byte = half.clone() + row.store8 + row.store_byte;
        [row.store.into(), word, half, byte]
    };
    // What a store changes in a byte that is byte i of the window if the address is `at`.
    let change = |at: usize, i: usize, byte: AB::Var| {
        stored[i].clone() * row.at[at] * (row.window[i] - byte)
    };
    let first = |m: usize| -> AB::Expr {
        (0..m).map(|at| change(at, m - 1 - at, row.first[m])).sum::<AB::Expr>() + row.first[m]
    };
    let last = |m: usize| -> AB::Expr {
        (m..4).map(|at| change(at, 3 + m - at, row.last[m])).sum::<AB::Expr>() + row.last[m]
    };
    for limb in 0..2 {
        let (low, high) = (2 * limb, 2 * limb + 1);
        builder.assert_eq(row.first_after[limb], first(low) + first(high) * BYTE);
        builder.assert_eq(row.last_after[limb], last(low) + last(high) * BYTE);
    }

    // Half-words at 0 and words anywhere but at 3 begin in the word before.
    let words = row.load + row.load_bytes + row.store;
    let halves = row.load16_s + row.load16_u + row.store16;
    let crosses = words * (row.at[0] + row.at[1] + row.at[2]) + halves * row.at[0];

    let now = row.clk + AB::Expr::from_u32(COPROCESSOR_TIME);
    let address = row.address_high * Val::from_u32(1 << 14) + row.address_low;
    let accesses = [
        (address.clone() - AB::Expr::ONE, row.first, row.first_after, row.first_time, crosses),
        (address, row.last, row.last_after, row.last_time, real.clone()),
    ];
    for (address, before, after, time, count) in accesses {
        let old = bus::memory(address.clone(), limbs_of::<AB>(before), time.into());
        bus::receive(builder, old, count.clone());
        bus::send(builder, bus::memory(address, after.map(Into::into), now.clone()), count.clone());
        let gap = now.clone() - time - AB::Expr::ONE;
        bus::send(builder, bus::range16(gap), count);
    }
}
