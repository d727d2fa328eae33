//! Small tables that have what the machine's have not: rows of preprocessed columns that are read
//! beside the next, more than two chunks, no lookups, one single row. Few queries, and grinding
//! everywhere.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_batch_stark::{ProverData, StarkInstance, prove_batch};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::dense::RowMajorMatrix;
use rwprove_circuits::Val;
use rwprove_verifier::{
    config::Parameters,
    layout::{ProofLayout, TableLayout},
};

use crate::testing::Proved;

const PARAMETERS: Parameters = Parameters {
    log_blowup: 2,
    queries: 6,
    query_bits: 3,
    batch_bits: 2,
    commit_bits: 1,
    ood_bits: 4,
    lookup_bits: 5,
};

#[derive(Clone, Debug)]
enum Toy {
    /// Counts from a public value and sends what it counts, and twice what it counts.
    Counter,
    /// Receives.
    Range,
    /// Fourth powers of a column times what is preprocessed in the next row of `2^n`.
    Power(usize),
    /// One row with a public value.
    Single,
}

const TABLES: [(Toy, usize); 6] = [
    (Toy::Counter, 3),
    (Toy::Range, 5),
    (Toy::Power(3), 3),
    (Toy::Single, 0),
    (Toy::Power(6), 6),
    (Toy::Counter, 3),
];

fn fixed(row: usize) -> Val {
    Val::from_usize(row * row + 3)
}

impl BaseAir<Val> for Toy {
    fn width(&self) -> usize {
        match self {
            Toy::Counter | Toy::Power(_) => 2,
            Toy::Range | Toy::Single => 1,
        }
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<Val>> {
        let column = |values: Vec<Val>| Some(RowMajorMatrix::new_col(values));
        match self {
            Toy::Range => column((0..32).map(Val::from_usize).collect()),
            Toy::Power(log_height) => column((0..1 << log_height).map(fixed).collect()),
            Toy::Counter | Toy::Single => None,
        }
    }

    fn preprocessed_width(&self) -> usize {
        matches!(self, Toy::Range | Toy::Power(_)).into()
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        if matches!(self, Toy::Power(_)) { vec![0] } else { Vec::new() }
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        if matches!(self, Toy::Counter) { vec![0] } else { Vec::new() }
    }

    fn num_public_values(&self) -> usize {
        match self {
            Toy::Counter => 1,
            Toy::Single => 2,
            Toy::Range | Toy::Power(_) => 0,
        }
    }
}

impl<AB: InteractionBuilder<F = Val>> Air<AB> for Toy {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let now = |column: usize| -> AB::Expr { main.current_slice()[column].into() };
        match self {
            Toy::Counter => {
                let next: AB::Expr = main.next_slice()[0].into();
                let start: AB::Expr = builder.public_values()[0].into();
                builder.when_first_row().assert_eq(now(0), start.clone());
                builder.when_transition().assert_eq(now(0) + AB::Expr::ONE, next);
                builder.when_last_row().assert_zero(now(0) - start - AB::Expr::from_u32(7));
                builder.assert_eq(now(0).double(), now(1));
                for column in [now(0), now(1)] {
                    let count = Count::bounded(AB::Expr::ONE, 1);
                    builder.push_interaction("range", [column], count);
                }
            }
            Toy::Range => {
                let value: AB::Expr = builder.preprocessed().current_slice()[0].into();
                builder.push_interaction("range", [value], Count::provided(-now(0)));
            }
            Toy::Power(_) => {
                let next: AB::Expr = builder.preprocessed().next_slice()[0].into();
                builder.assert_eq(now(0).exp_u64(4) * next, now(1));
            }
            Toy::Single => {
                let publics = builder.public_values();
                let (first, second): (AB::Expr, AB::Expr) = (publics[0].into(), publics[1].into());
                builder.assert_eq(now(0) * first, second);
            }
        }
    }
}

/// A table's rows and public values.
fn filled(table: &Toy, log_height: usize, number: usize) -> (RowMajorMatrix<Val>, Vec<Val>) {
    let height = 1 << log_height;
    match table {
        Toy::Counter => {
            let start = 2 + number as u32;
            let rows = (start..start + 8).flat_map(|x| [x, 2 * x]).map(Val::from_u32);
            (RowMajorMatrix::new(rows.collect(), 2), vec![Val::from_u32(start)])
        }
        Toy::Range => {
            let counted = [2, 7].into_iter().flat_map(|start| start..start + 8);
            let sent: Vec<_> = counted.flat_map(|x| [x, 2 * x]).collect();
            let counts = (0..height).map(|x| sent.iter().filter(|sent| **sent == x).count());
            (RowMajorMatrix::new_col(counts.map(Val::from_usize).collect()), vec![])
        }
        Toy::Power(_) => {
            let rows = (0..height).flat_map(|row| {
                let x = Val::from_usize(5 * row + number);
                [x, x.exp_u64(4) * fixed((row + 1) % height)]
            });
            (RowMajorMatrix::new(rows.collect(), 2), vec![])
        }
        Toy::Single => {
            (RowMajorMatrix::new_col(vec![Val::TWO]), [21, 42].map(Val::from_u32).to_vec())
        }
    }
}

/// The proof of all toy tables.
pub(super) fn case() -> Proved {
    changed(|_| ())
}

/// The same with other rows, which need not keep the rules: the prover does not look.
pub(super) fn changed(change: impl FnOnce(&mut [RowMajorMatrix<Val>])) -> Proved {
    let config = PARAMETERS.config();
    let (airs, log_heights): (Vec<_>, Vec<_>) = TABLES.into_iter().unzip();
    let data = ProverData::from_airs_and_degrees(&config, &airs, &log_heights).unwrap();
    let tables = TABLES.iter().enumerate();
    let filled = tables.map(|(i, (table, height))| filled(table, *height, i));
    let (mut traces, publics): (Vec<_>, Vec<_>) = filled.unzip();
    change(&mut traces);
    let instances: Vec<_> = airs
        .iter()
        .zip(traces.iter().zip(&publics))
        .map(|(air, (trace, publics))| StarkInstance { air, trace, public_values: publics.clone() })
        .collect();
    let proof = prove_batch(&config, &instances, &data).unwrap();
    let root = data.common.preprocessed.unwrap().commitment.roots()[0];
    let layouts: &'static [TableLayout] =
        Box::leak(airs.iter().map(TableLayout::new).collect::<Vec<_>>().into_boxed_slice());
    let layout =
        ProofLayout { tables: layouts.iter().zip(log_heights).collect(), parameters: PARAMETERS };
    Proved::new(layout, airs, publics, root, &proof)
}
