use rwasm::Opcode::{self, *};

use super::super::heights::{HeightError, Heights, Place};
use super::*;

fn check(code: impl IntoIterator<Item = Opcode>) -> Result<Heights, HeightError> {
    let module = assemble(code);
    Heights::check(&module.code_section, &module.elem_section, module.source_pc)
}

/// Checks a function at pc 4 that the entry calls with one argument and that leaves one result.
fn function(body: impl IntoIterator<Item = Opcode>) -> Result<Heights, HeightError> {
    let head =
        [I32Const(1.into()), CallInternal(5), Drop, Return, SignatureCheck(0), StackCheck(4)];
    check(head.into_iter().chain(body))
}

#[test]
fn heights_of_a_loop() {
    let heights = function([
        LocalGet(1),
        I32Const(1.into()),
        I32Sub,
        LocalTee(2),
        BrIfNez((-4).into()),
        Return,
    ])
    .unwrap();
    let function = heights.function(5).unwrap();
    assert_eq!((function.params, function.net, function.peak), (1, Some(0), 2));
    assert_eq!(function.blocks, [5, 7, 12]);
    assert_eq!(function.check, Some(6));
    assert_eq!([7, 8, 9, 10, 11, 12].map(|pc| heights.height(pc).unwrap()), [0, 1, 2, 1, 1, 0]);
    assert_eq!(heights.function(1).unwrap().net, Some(0));
}

#[test]
fn callers_touch_what_callees_touch() {
    // pc 5 and pc 6 would be one function by fall-through and another by call.
    let code = [BulkConst(2), CallInternal(5), BulkDrop(2), Return, CallInternal(6), Return];
    assert_eq!(check(code).unwrap_err(), HeightError::TwoFunctions(6));
    let heights = check([
        BulkConst(2),
        CallInternal(5),
        BulkDrop(2),
        Return,
        CallInternal(7),
        Return,
        LocalGet(2),
        LocalSet(2),
        Return,
    ]);
    // It pushes without a check.
    assert_eq!(heights.unwrap_err(), HeightError::Unchecked { pc: 7, height: 1, checked: 0 });
    let heights = check([
        BulkConst(2),
        CallInternal(5),
        BulkDrop(2),
        Return,
        CallInternal(7),
        Return,
        StackCheck(1),
        LocalGet(2),
        LocalSet(2),
        Return,
    ])
    .unwrap();
    assert_eq!([5, 7].map(|pc| heights.function(pc).unwrap().params), [2, 2]);
}

#[test]
fn calls_that_never_return_end_the_path() {
    let heights = check([CallInternal(3), Unreachable, CallInternal(3)]).unwrap();
    assert_eq!(heights.function(3).unwrap().net, None);
    assert_eq!(heights.places[2], Place::Unreached);
}

#[test]
fn what_has_no_static_heights_is_refused() {
    use HeightError::*;
    let offset = |offset: i32| Opcode::Br(offset.into());
    let one = || I32Const(1.into());
    let cases: Vec<(Vec<Opcode>, HeightError)> = vec![
        // A loop that grows.
        (vec![one(), offset(-1)], TwoHeights { pc: 7, expected: 0, found: 1 }),
        // An arm that pushes.
        (
            vec![LocalGet(1), BrIfEqz(2.into()), one(), Return],
            TwoHeights { pc: 10, expected: 1, found: 0 },
        ),
        (
            vec![LocalGet(1), BrIfEqz(3.into()), one(), Return, Return],
            TwoNets { entry: 5, expected: 1, found: 0 },
        ),
        (vec![offset(0)], ZeroOffset(7)),
        (vec![offset(1 << 20)], OutOfRange(7 + (1 << 20))),
        (vec![offset(-8)], OutOfRange(-1)),
        (vec![offset(-6)], TwoFunctions(1)),
        (vec![one()], OutOfRange(8)),
        (vec![LocalGet(0)], LocalZero(7)),
        (vec![LocalGet(u32::MAX)], HeightRange { pc: 7, height: 0 }),
        (vec![BulkDrop(u32::MAX)], HeightRange { pc: 7, height: 0 }),
        (vec![BulkConst(5)], Unchecked { pc: 7, height: 5, checked: 4 }),
        (vec![one(), StackCheck(9)], CheckInside(8)),
        (vec![RefFunc(7)], NoHead { pc: 7, target: 7 }),
        (vec![Drop, Drop, CallInternal(5)], CallBelow(9)),
        (vec![one(), CallIndirect(0), Return], NoPayload(8)),
        (vec![BulkConst(3), TableInit(1), Return], NoPayload(8)),
        (vec![one(), BrTable(1), offset(2), Return], OutOfRange(11)),
        (vec![TableSize(128)], Table { pc: 7, table: 128 }),
        (vec![one(), BrTable(0)], EmptyTable(8)),
        (vec![one(), BrTable(2), offset(3), Return, Return], NoPayload(8)),
        (vec![one(), BrTable(1), Return, offset(1), Return], NoPayload(8)),
    ];
    for (body, expected) in cases {
        let shown = format!("{body:?}");
        assert_eq!(function(body).unwrap_err(), expected, "{shown}");
    }
}

#[test]
fn payload_is_not_code() {
    let table = [I32Const(0.into()), BrTable(1), Br(2.into()), Return, Return];
    assert!(function(table).is_ok());
    let into = [I32Const(0.into()), BrTable(1), Br(1.into()), Return, Return];
    assert_eq!(function(into).unwrap_err(), HeightError::Payload(10));
}

#[test]
fn recursion_must_not_consume_without_bound() {
    let found = function([Drop, I32Const(0.into()), ReturnCallInternal(5)]);
    assert!(found.is_ok());
    let found = function([Drop, ReturnCallInternal(5)]);
    assert_eq!(found.unwrap_err(), HeightError::UnboundedParams);
}

#[test]
fn results_of_calls_must_stay_in_the_frame() {
    // Each of these leaves a thousand slots; the caller adds them up.
    let mut code = vec![Return];
    let callee = 2 + 20;
    code.splice(0..1, std::iter::repeat_n(CallInternal(callee), 20).chain([Return]));
    code.extend([StackCheck(1000), BulkConst(1000), Return]);
    let found = check(code);
    assert!(matches!(found, Err(HeightError::HeightRange { height: 17_000, .. })), "{found:?}");
}

#[test]
fn entries_take_and_leave_what_their_preset_says() {
    let load = |code: Vec<Opcode>, preset: &Preset| load(&assemble(code).serialize(), preset);
    let error = load(vec![Drop, Return], &Preset::Contract).unwrap_err();
    assert_eq!(error, LoadError::Heights(HeightError::EntryParams { entry: 1, found: 1, max: 0 }));
    let error = load(vec![I32Const(7.into()), Return], &Preset::Contract).unwrap_err();
    assert_eq!(
        error,
        LoadError::Heights(HeightError::EntryResults { entry: 1, found: 1, expected: 0 })
    );
    let module = load(vec![Drop, Return], &entry("")).unwrap();
    assert_eq!(module.entry, Some((1, 0)));
}
