//! An adversary that does nothing changes nothing; what it changes, the rest of the run follows.

use super::*;
use crate::{Adversary, FalseRun, Moment};

struct Idle;

impl Adversary for Idle {}

/// Turns the first sum into 100, and the constant of the second into 7.
struct Sums(u32);

impl Adversary for Sums {
    fn before(&mut self, moment: &mut Moment<'_>) -> Option<Instr> {
        (moment.row == 2).then(|| instr(Op::Add, Some(2), imm(7), 3))
    }

    fn after(&mut self, moment: &mut Moment<'_>) {
        self.0 += 1;
        if moment.row == 1 {
            let addr = moment.ports[2].unwrap();
            assert_eq!(moment.get(addr), [3, 0]);
            moment.event.c = [100, 0];
            moment.set(addr, [100, 0]).unwrap();
        }
    }
}

fn sums() -> Program {
    program(|asm| {
        asm.mov(0, imm(1));
        asm.op(Op::Add, 2, 0, imm(2));
        asm.op(Op::Add, 3, 2, imm(4));
        note(asm, 0, 3);
        done(asm);
    })
}

fn records<A: Adversary>(adversary: &mut A) -> (Vec<Record>, u32) {
    let mut run = FalseRun::new(&sums(), &Input::default(), options(WIDE), adversary).unwrap();
    let records = run.by_ref().map(|record| record.unwrap()).collect();
    assert_eq!(run.error, None);
    (records, run.run().memory().word(GLOBAL).unwrap())
}

#[test]
fn nothing_done_nothing_changed() {
    let (records, sum) = records(&mut Idle);
    assert_eq!((records.len(), sum), (1, 7));
    audit(&records[0], &sums()).unwrap();
    let honest = Run::new(&sums(), &Input::default(), options(WIDE)).unwrap().next().unwrap();
    assert_eq!(format!("{records:?}"), format!("{:?}", [honest.unwrap()]));
}

#[test]
fn what_is_changed_goes_on() {
    let mut adversary = Sums(0);
    let (records, sum) = records(&mut adversary);
    assert_eq!(sum, 107);
    assert_eq!(adversary.0 as usize, records[0].cpu.len());
    assert_eq!(records[0].cpu[1].c, [100, 0]);
    // The record is false, and the audit of ports sees nothing of the sum, but of the constant.
    assert!(audit(&records[0], &sums()).is_err());
}
