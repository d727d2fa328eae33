//! Streams of other lengths, or with another element somewhere.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_recursion::backend::Rule;

use super::toy::{RUN, TOY};

#[test]
fn past_41_lambda_vm_short_streams() {
    let stream = TOY.join_stream(&RUN[0], &RUN[1]);
    let places = TOY.places();
    let half = stream.len() / 2;
    let ends = [places.key, places.place, places.siblings, places.proof, places.proof + 8];
    let ends = ends.into_iter().flat_map(|end| [end - 1, end, half + end]);
    for length in ends.chain([0, 1, half - 1, half, stream.len() - 8, stream.len() - 1]) {
        assert_eq!(TOY.join(&stream[..length]), Err(Rule::Stream), "{length}");
    }
}

#[test]
fn past_46_openvm_extra_values() {
    let mut stream = TOY.join_stream(&RUN[0], &RUN[1]);
    stream.push(Val::ZERO);
    assert_eq!(TOY.join(&stream), Err(Rule::Stream));
    // One more in the middle moves all that follows.
    stream.pop();
    stream.insert(stream.len() / 2, Val::ZERO);
    assert!(TOY.join(&stream).is_err());
    // A whole child more.
    let mut stream = TOY.join_stream(&RUN[0], &RUN[1]);
    stream.extend(TOY.pass_stream(&RUN[2]));
    assert_eq!(TOY.join(&stream), Err(Rule::Stream));
}

#[test]
fn elements_of_the_proofs() {
    // All of it is tested in the crate, on the algorithm; here a sample, in the circuit too.
    let honest = TOY.join_stream(&RUN[0], &RUN[1]);
    let mut stream = honest.clone();
    for at in (TOY.places().proof..honest.len()).step_by(honest.len() / 80) {
        stream[at] += Val::ONE;
        assert!(TOY.join(&stream).is_err(), "{at}");
        stream[at] -= Val::ONE;
    }
}

#[test]
fn proofs_of_two_children_are_not_exchanged() {
    let [left, right, _] = &*RUN;
    let proof = TOY.places().proof;
    let mut stream = TOY.join_stream(left, right);
    let half = stream.len() / 2;
    let (first, second) = stream.split_at_mut(half);
    first[proof..].swap_with_slice(&mut second[proof..]);
    assert!(TOY.join(&stream).is_err());
}
