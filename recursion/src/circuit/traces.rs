//! Rows with their values as tables.

use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_circuits::{
    Val,
    circuit::{
        BLOCK, Bits, Chip, ChipId, Fold, Gate, Hash, Hint, Instance, MIN_LOG_HEIGHT, Pack, Public,
        Rows, bits, fold, gate, hash, hint, pack, public, rows,
    },
};

use super::{Circuit, arithmetic::coefficients, builder::CircuitError, run::Execution};

/// log2 of the height of each table, in the order of [`ChipId::ALL`].
pub type LogHeights = [usize; ChipId::COUNT];

impl Circuit {
    /// Rows that the circuit needs of each table.
    pub fn heights(&self) -> [usize; ChipId::COUNT] {
        ChipId::ALL
            .to_vec()
            .try_into()
            .map_or([0; ChipId::COUNT], |ids: [ChipId; ChipId::COUNT]| {
                ids.map(|id| self.height(id))
            })
    }

    fn height(&self, id: ChipId) -> usize {
        let rows = &self.rows;
        match id {
            ChipId::Gate => Gate::rows(rows.gates.len()),
            ChipId::Hint => rows.hints.len(),
            ChipId::Pack => rows.packs.len(),
            ChipId::Bits => bits::ROWS * rows.bits.len(),
            ChipId::Hash => rows.hashes.len(),
            ChipId::Rows => Rows::rows(&rows.segments),
            ChipId::Fold => rows.folds.len(),
            ChipId::Public => 1,
        }
    }

    /// The smallest heights that the circuit fits.
    pub fn log_heights(&self) -> LogHeights {
        self.heights()
            .map(|rows| (rows.next_power_of_two().trailing_zeros() as usize).max(MIN_LOG_HEIGHT))
    }

    /// The tables with their preprocessed columns.
    ///
    /// # Errors
    /// [`CircuitError::Height`] if a table is too low, or too high for the field.
    pub fn preprocessed(&self, log_heights: &LogHeights) -> Result<Vec<Chip>, CircuitError> {
        for ((&id, rows), &log_height) in ChipId::ALL.iter().zip(self.heights()).zip(log_heights) {
            let fits = 1_usize.checked_shl(log_height as u32).is_some_and(|height| rows <= height);
            if !fits
                || !(MIN_LOG_HEIGHT..=<Val as p3_field::TwoAdicField>::TWO_ADICITY)
                    .contains(&log_height)
            {
                return Err(CircuitError::Height { table: id.name(), rows, log_height });
            }
        }
        let rows = &self.rows;
        let chip = |(&id, &log_height): (&ChipId, &usize)| {
            let height = 1 << log_height;
            match id {
                ChipId::Gate => Chip::Gate(Gate::new(&rows.gates, rows.zeros, height)),
                ChipId::Hint => Chip::Hint(Hint::new(&rows.hints, height)),
                ChipId::Pack => Chip::Pack(Pack::new(&rows.packs, height)),
                ChipId::Bits => Chip::Bits(Bits::new(&rows.bits, height)),
                ChipId::Hash => Chip::Hash(Hash::new(&rows.hashes, height)),
                ChipId::Rows => Chip::Rows(Rows::new(&rows.segments, height)),
                ChipId::Fold => Chip::Fold(Fold::new(&rows.folds, height)),
                ChipId::Public => Chip::Public(Public::new(rows.public, height)),
            }
        };
        Ok(ChipId::ALL.par_iter().zip(log_heights).map(chip).collect())
    }

    /// The main columns of all tables, for heights that [`Circuit::preprocessed`] accepts.
    pub fn traces(
        &self,
        execution: &Execution,
        log_heights: &LogHeights,
    ) -> Vec<RowMajorMatrix<Val>> {
        let tables = ChipId::ALL.par_iter().zip(log_heights);
        tables.map(|(&id, &log_height)| self.trace(execution, id, 1 << log_height)).collect()
    }

    fn trace(&self, execution: &Execution, id: ChipId, height: usize) -> RowMajorMatrix<Val> {
        let rows = &self.rows;
        let Execution { wires, blocks, hashes, publics } = execution;
        let wire = |wire: u32| wires[wire as usize];
        let felt = |felt: u32| coefficients(&wire(felt))[0];
        match id {
            ChipId::Gate => {
                let values = |row: &gate::Row| gate::Values {
                    operands: row.operands.map(wire),
                    result: wire(row.result.index),
                };
                gate::fill(&rows.gates.par_iter().map(values).collect::<Vec<_>>(), height)
            }
            ChipId::Hint => {
                let values: Vec<_> = rows.hints.iter().map(|row| wire(row.wire.index)).collect();
                hint::fill(&values, height)
            }
            ChipId::Pack => {
                let values: Vec<_> =
                    rows.packs.par_iter().map(|row| elements(row, execution)).collect();
                pack::fill(&values, height)
            }
            ChipId::Bits => {
                let values: Vec<_> = rows.bits.iter().map(|row| felt(row.felt)).collect();
                bits::fill(&values, height)
            }
            ChipId::Hash => hash::fill(hashes, height),
            ChipId::Rows => {
                let blocks = |leaf: &rows::Leaf| &blocks[leaf.block as usize..][..leaf.blocks()];
                let values = |segment: &rows::Segment| rows::Values {
                    gamma: wire(segment.gamma),
                    blocks: segment.leaves.iter().flat_map(blocks).copied().collect(),
                };
                let values: Vec<_> = rows.segments.iter().map(values).collect();
                rows::fill(&rows.segments, &values, height)
            }
            ChipId::Fold => {
                let values = |row: &fold::Row| {
                    let mut values = [[Val::default(); BLOCK]; 5];
                    let known = &blocks[row.block as usize..][..row.blocks()];
                    values.iter_mut().zip(known).for_each(|(place, block)| *place = *block);
                    let bit =
                        |i: usize| usize::from(felt(row.position + i as u32) != Val::default());
                    fold::Values {
                        blocks: values,
                        position: (0..row.k).map(|i| bit(i) << i).sum(),
                        x_inverse: felt(row.x_inverse),
                        beta: wire(row.beta),
                    }
                };
                let values: Vec<_> = rows.folds.par_iter().map(values).collect();
                fold::fill(&rows.folds, &values, height)
            }
            ChipId::Public => public::fill(*publics, height),
        }
    }

    /// The tables with all their columns and public values, for whoever checks them.
    ///
    /// # Errors
    /// Those of [`Circuit::preprocessed`].
    pub fn instances(
        &self,
        execution: &Execution,
        log_heights: &LogHeights,
    ) -> Result<Vec<Instance>, CircuitError> {
        let tables = self.preprocessed(log_heights)?;
        let traces = self.traces(execution, log_heights);
        let instance = |(chip, trace): (Chip, _)| {
            let publics = publics(chip.id(), &execution.publics);
            Instance { chip, trace, publics }
        };
        Ok(tables.into_iter().zip(traces).map(instance).collect())
    }
}

/// The public values of a table of a circuit.
pub fn publics(id: ChipId, digest: &[Val; BLOCK]) -> Vec<Val> {
    if id == ChipId::Public { digest.to_vec() } else { Vec::new() }
}

/// The elements of a row of `pack`, by any of their names.
fn elements(row: &pack::Row, execution: &Execution) -> [Val; BLOCK] {
    let Execution { wires, blocks, .. } = execution;
    if row.block.index != 0 {
        return blocks[row.block.index as usize];
    }
    let wire = coefficients(&wires[row.wire.index as usize]);
    std::array::from_fn(|i| match row.felts[i] {
        felt if felt.count != 0 => coefficients(&wires[felt.index as usize])[0],
        _ => wire.get(i).copied().unwrap_or_default(),
    })
}
