//! What a module costs to lower and to validate, before any of that is done.
//!
//! Code is short, but an instruction may name thousands of stack slots, and a block may depend on
//! all slots of its frame. Both are counted, so that work and memory for a module stay in
//! proportion to its length, whoever made it.

use rwasm::Opcode;

use super::heights::{Heights, Place};

/// Most slots that the instructions and blocks of a module may touch, taken together: the largest
/// honest modules have a tenth of that.
pub const MAX_COST: u64 = 1 << 26;

/// Slots that the instructions and blocks of a checked module touch.
pub(super) fn of(code: &[Opcode], heights: &Heights) -> u64 {
    let frame = |function: u32, height: i32| {
        let params = heights.functions.get(function as usize).map_or(0, |f| f.params);
        u64::from(params) + height.max(0) as u64
    };
    let instructions = code.iter().zip(&heights.places).map(|(op, place)| {
        let Place::Code { function, height } = *place else { return 0 };
        match *op {
            Opcode::BulkConst(slots) | Opcode::BulkDrop(slots) => slots.into(),
            // What the caller or callee may see is the whole frame.
            Opcode::Return
            | Opcode::ReturnCallInternal(_)
            | Opcode::ReturnCallIndirect(_)
            | Opcode::CallInternal(_)
            | Opcode::CallIndirect(_)
            | Opcode::Call(_)
            | Opcode::ReturnCall(_)
            | Opcode::BrTable(_)
            | Opcode::MemoryGrow
            | Opcode::MemoryFill
            | Opcode::MemoryCopy
            | Opcode::MemoryInit(_)
            | Opcode::TableGrow(_)
            | Opcode::TableFill(_)
            | Opcode::TableCopy(..)
            | Opcode::TableInit(_) => frame(function, height),
            _ => 1,
        }
    });
    let blocks = heights.functions.iter().flat_map(|function| &function.blocks);
    let blocks = blocks.map(|&pc| match heights.places.get(pc as usize) {
        Some(Place::Code { function, height }) => frame(*function, *height),
        _ => 0,
    });
    instructions.chain(blocks).sum()
}
