//! Every opcode of rwasm's own table, each in a module made for it: none is refused, and each does
//! what it does in rwasm's machine, on constants and on values that lowering does not know.

use rwasm::{InstructionSet, Opcode, RwasmModuleBuilder};
use rwprove_executor::{Input, cold};
use rwprove_fixtures::oracle::Host;
use rwprove_isa::front::Preset;

use crate::ours::{self, Compiled};

/// Opcodes of rwasm 0.7.2 without its floats.
const OPCODES: usize = 94;
/// Operands are pushed from here, results are popped to here.
const OPERANDS: u32 = 100;
/// More slots than any opcode takes or leaves.
const SLOTS: usize = 12;

/// The opcodes in the order of their numbers, with immediates of zero, as rwasm decodes them.
fn table() -> Vec<Opcode> {
    let decode = |code: u32| {
        let bytes = [&code.to_le_bytes()[..], &[0; 16]].concat();
        bincode::decode_from_slice(&bytes, bincode::config::legacy()).ok().map(|(op, _)| op)
    };
    (0..1000).map_while(decode).collect()
}

/// How the module gives operands to the opcode.
#[derive(Clone, Copy, Debug)]
struct Shape {
    operands: usize,
    results: usize,
    /// Operands come from globals, so lowering does not know them.
    hidden: bool,
    values: [u32; 3],
}

/// A module whose entry runs the opcode and stores every slot that is left in a global.
fn module(op: Opcode, shape: Shape) -> Vec<u8> {
    // A function that counts its calls, with a signature.
    let function = [
        Opcode::SignatureCheck(0),
        Opcode::StackCheck(2),
        Opcode::GlobalGet(0),
        Opcode::I32Const(1.into()),
        Opcode::I32Add,
        Opcode::GlobalSet(0),
        Opcode::Return,
    ];
    let mut code = vec![Opcode::Return];
    let f = code.len() as u32;
    code.extend(function);
    let entry = code.len() as u32;
    code.push(Opcode::StackCheck(64));
    let one = Opcode::I32Const(1.into());
    code.extend([one, Opcode::MemoryGrow, Opcode::Drop]);
    let elements = Opcode::I32Const(4.into());
    code.extend([Opcode::RefFunc(f), elements, Opcode::TableGrow(0), Opcode::Drop]);
    for i in 0..shape.operands {
        let value = Opcode::I32Const(shape.values[i % 3].into());
        code.push(value);
        if shape.hidden {
            let global = OPERANDS + i as u32;
            code.extend([Opcode::GlobalSet(global), Opcode::GlobalGet(global)]);
        }
    }
    let none = Opcode::TableGet(0);
    match op {
        Opcode::LocalGet(_) => code.push(Opcode::LocalGet(2)),
        Opcode::LocalSet(_) => code.push(Opcode::LocalSet(2)),
        Opcode::LocalTee(_) => code.push(Opcode::LocalTee(2)),
        Opcode::Br(_) => code.push(Opcode::Br(1.into())),
        Opcode::BrIfEqz(_) => code.push(Opcode::BrIfEqz(1.into())),
        Opcode::BrIfNez(_) => code.push(Opcode::BrIfNez(1.into())),
        Opcode::BrTable(_) => {
            code.extend([Opcode::BrTable(2), Opcode::Br(4.into()), Opcode::Return]);
            code.extend([Opcode::Br(2.into()), Opcode::Return]);
        }
        // The end and the head of every function here.
        Opcode::Return | Opcode::StackCheck(_) => {}
        // The head of the function that is called.
        Opcode::SignatureCheck(_) => code.push(Opcode::CallInternal(f)),
        Opcode::CallInternal(_) => code.push(Opcode::CallInternal(f)),
        Opcode::ReturnCallInternal(_) => code.push(Opcode::ReturnCallInternal(f)),
        Opcode::Call(_) => code.push(Opcode::Call(2)),
        Opcode::ReturnCall(_) => code.push(Opcode::ReturnCall(2)),
        Opcode::CallIndirect(_) | Opcode::ReturnCallIndirect(_) | Opcode::TableInit(_) => {
            code.extend([op, none]);
        }
        Opcode::BulkConst(_) => code.push(Opcode::BulkConst(3)),
        Opcode::BulkDrop(_) => code.push(Opcode::BulkDrop(3)),
        op => code.push(op),
    }
    code.extend((0..shape.results as u32).map(|i| Opcode::GlobalSet(OPERANDS + i)));
    code.push(Opcode::Return);
    RwasmModuleBuilder::new(InstructionSet { instr: code })
        .with_source_pc(entry)
        .build()
        .serialize()
}

#[test]
fn every_opcode_does_what_it_does_in_rwasm() {
    let opcodes = table();
    assert_eq!(opcodes.len(), OPCODES, "rwasm's table of opcodes has changed");
    let values = [[1, 1, 1], [7, 3, 2], [0x8000_0000, u32::MAX, 5], [0, 0, 0], [3, 0, 0x1_0001]];
    let mut runs = 0;
    for &op in &opcodes {
        // The numbers of slots are not typed in here: the height check knows which ones fit.
        let fitting = (0..=SLOTS).rev().find_map(|operands| {
            (0..=2 * SLOTS).find_map(|results| {
                let shape = Shape { operands, results, hidden: false, values: values[0] };
                let fits = Compiled::new(&module(op, shape), &Preset::Contract).is_ok();
                fits.then_some(shape)
            })
        });
        let shape = fitting.unwrap_or_else(|| panic!("{op:?} is not covered"));
        for values in values {
            for hidden in [false, true] {
                let bytes = module(op, Shape { hidden, values, ..shape });
                let compiled = Compiled::new(&bytes, &Preset::Contract).unwrap();
                let mut vm = ours::vm(Host::default(), None);
                vm.instantiate(&compiled.module.rwasm).unwrap();
                let (exit, results) = vm.call(&compiled.module.rwasm, &[], 0);
                let input = Input { bytes: Vec::new(), state: 0, fuel_limit: None };
                let program = cold(&compiled.program, compiled.init);
                let found = ours::end(&ours::run(&program, &input), 0);
                if let Some(difference) = vm.end(exit, results).difference(&found) {
                    panic!("{op:?} on {values:x?} (hidden: {hidden}): {difference}");
                }
                runs += 1;
            }
        }
    }
    println!("{OPCODES} opcodes, {runs} runs, 0 differences");
}
