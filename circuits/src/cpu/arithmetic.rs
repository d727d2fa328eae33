//! Constraints of the `cpu` table about sums, differences and what they decide.

use p3_air::AirBuilder;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::Flag::{self, *};

use super::air::{Row, power};
use crate::Val;

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    sums(builder, row);
    signed_order(builder, row);
    truth(builder, row);
}

/// The flag of the next row.
fn next<AB: InteractionBuilder<F = Val>>(row: &Row<AB>, flag: Flag) -> AB::Expr {
    row.next.flag[flag as usize].into()
}

/// A carry out of a limb.
fn carried<AB: InteractionBuilder<F = Val>>(carry: AB::Var) -> AB::Expr {
    carry * power::<AB>(16)
}

/// `r` is a sum or a difference; all of `r` is range-checked where these rules use it.
fn sums<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let (c, n) = (&row.c, &row.next);
    // Low limbs, of the next row: a chained one takes carry or borrow from this one. The first row
    // is next to the last and not chained.
    let link = next(row, Chain) * c.k1;
    let k0 = carried::<AB>(n.k0);
    builder.when(next(row, Add)).assert_eq(n.a[0] + n.b[0] + link.clone(), n.r[0] + k0.clone());
    let minus: AB::Expr = [Sub, Ne, Lt, Slt, BrTable].map(|flag| next(row, flag)).into_iter().sum();
    builder.when(minus).assert_eq(n.b[0] + n.r[0] + link, n.a[0] + k0);

    // High limbs.
    builder.when(row.is(Add)).assert_eq(c.a[1] + c.b[1] + c.k0, c.r[1] + carried::<AB>(c.k1));
    builder
        .when(row.any([Sub, Ne, Lt, BrTable]))
        .assert_eq(c.b[1] + c.r[1] + c.k0, c.a[1] + carried::<AB>(c.k1));

    // The address of an access: a + immediate.
    let mut access = builder.when(row.access());
    access.assert_eq(c.a[0] + c.ib0, c.r[0] + carried::<AB>(c.k0));
    access.assert_eq(c.a[1] + c.ib1 + c.k0, c.u + carried::<AB>(c.k1));
}

/// Signed order: `k1` says that a is smaller. With one range check more than unsigned order the
/// prover shows on which side of zero the operands are: the smaller one is negative (`cond`), or
/// the larger one is not. If the smaller one is negative and the larger one is not, which `u`
/// says, that is the order; otherwise both are on one side, where signed order is unsigned order.
fn signed_order<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let half = power::<AB>(15);
    let (differ, larger) = (c.u, c.v);
    let smaller = c.a[1] + c.b[1] - larger;
    let mut slt = builder.when(row.is(Slt));
    slt.assert_eq(larger, c.a[1] + c.k1 * (c.b[1] - c.a[1]));
    // Limbs are below 2^16, so one side of 2^15 is in range and the other is not.
    let negative = smaller - half.clone();
    let positive = half - AB::Expr::ONE - larger;
    slt.assert_eq(c.t, positive.clone() + c.cond * (negative - positive.clone()));
    slt.assert_bool(differ);
    slt.when(differ).assert_one(c.cond);
    let difference = c.a[1] - c.b[1] - c.k0 + c.k1 * power::<AB>(16);
    slt.assert_eq(c.r[1], difference.clone() + differ * (positive - difference));
}

/// Truth values.
fn truth<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let (c, n) = (&row.c, &row.next);
    // Sums of limbs that are in range: zero only if all limbs are. A chained comparison tests the
    // words of the row before as well.
    let words = n.r[0] + n.r[1] + next(row, Chain) * (c.r[0] + c.r[1]);
    builder.when(next(row, Ne)).assert_eq(n.u, words);
    builder.when(row.is(Cmov)).assert_eq(c.u, c.a[0] + c.a[1]);
    // With u = 0 the truth is forced by the product with the inverse, with u ≠ 0 by that with u.
    let mut tests = builder.when(row.any([Ne, Cmov]));
    tests.assert_eq(c.cond, c.u * c.v);
    tests.when(AB::Expr::ONE - c.cond).assert_zero(c.u);
    // The result of a comparison, negated where the operation says so; branches read it as well.
    let variant = row.is(Variant);
    let result = |truth: AB::Var| variant.clone() + truth - (variant.clone() * truth).double();
    builder.when(row.is(Ne)).assert_eq(c.c[0], result(c.cond));
    builder.when(row.any([Lt, Slt])).assert_eq(c.c[0], result(c.k1));
    builder.when(row.any([Ne, Lt, Slt])).assert_zero(c.c[1]);
}
