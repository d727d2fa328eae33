//! Small programs from setup to verification, and proofs that must be refused.

use std::sync::OnceLock;

use rwprove_executor::Input;
use rwprove_isa::{
    Exit, Instr, Op, Operand, Program, Trap,
    runtime::{Library, Routine, asm::Asm},
};
use rwprove_verifier::{
    Preset, VerifyingKey,
    shards::{VerifyError, peek, verify},
};

use crate::{Event, Options, Proved, ProvingKey, check, prove, setup};

/// The library followed by the code that `build` appends.
fn program(build: impl FnOnce(&mut Asm)) -> Program {
    let mut code = Library::get().code.clone();
    let start = code.len() as u32;
    let mut asm = Asm::at(start);
    build(&mut asm);
    code.extend(asm.finish());
    let weights = vec![1; code.len()];
    Program { module_hash: [9; 32], code, start, pages: 1, fuel: 5, image: Vec::new(), weights }
}

/// A loop with some of everything, each turn with fuel.
fn busy(turns: u32) -> Program {
    let imm = Operand::Imm;
    let slot = Operand::Slot;
    program(|asm| {
        asm.mov(0, imm(turns));
        let again = asm.here_label();
        asm.op(Op::Add, 1, 1, imm(0xffff_fff1));
        asm.op(Op::Mul, 3, 1, slot(0));
        asm.op(Op::Xor, 3, 3, slot(2));
        asm.op(Op::Rotl, 4, 3, imm(7));
        asm.access(Op::Store, 4, None, 3);
        asm.access(Op::Load, 2, None, 3);
        asm.emit(Instr { a: Some(0), b: imm(1), c: 0, fuel: 3, ..Instr::new(Op::Sub) });
        asm.branch(Op::BrNe, 0, imm(0), again);
        let done = asm.pc_label(Library::get().entry(Routine::Done));
        asm.jump(done);
    })
}

fn input(fuel_limit: Option<u64>) -> Input {
    Input { bytes: b"rwprove".to_vec(), state: 1, fuel_limit }
}

#[test]
fn checks() {
    let (key, _) = setup(busy(3), Preset::P100).unwrap();
    let (statement, report) = check(&key, &input(None), &Options::default(), &mut |_| ()).unwrap();
    assert_eq!(statement.exit, Exit::Ok);
    assert_eq!(statement.fuel, 14);
    println!("{report:?}");
}

#[test]
fn proves() {
    let (key, vkey) = setup(busy(3), Preset::P100).unwrap();
    let input = Input { bytes: vec![], state: 1, fuel_limit: None };
    check(&key, &input, &Options::default(), &mut |_| ()).unwrap();
    let proved =
        prove(&key, &input, &Options::default(), &mut |event| println!("{event:?}")).unwrap();
    println!("{} bytes", proved.proof.len());
    let start = std::time::Instant::now();
    println!("{:?}", verify(&vkey.digest(), &proved.statement, &proved.proof).unwrap().rows);
    println!("{:?}", start.elapsed());
    let start = std::time::Instant::now();
    println!("{:?}", verify(&vkey.digest(), &proved.statement, &proved.proof).unwrap().rows);
    println!("{:?}", start.elapsed());
    println!("{:#?}", rwprove_verifier::machine::largest_security(Preset::P100));
    println!("{:#?}", rwprove_verifier::machine::largest_security(Preset::P120));
}
