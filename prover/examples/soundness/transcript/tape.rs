//! A transcript that can be recorded, frozen, and frozen but for one item.

use std::{
    ops::Range,
    sync::{Arc, Mutex},
};

use p3_batch_stark::StarkGenericConfig;
use p3_challenger::{CanObserve, CanSample, CanSampleBits, FieldChallenger, GrindingChallenger};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use rwprove_circuits::Val;
use rwprove_verifier::{
    Preset,
    config::{Commitment, Config},
};

type Real = <Config as StarkGenericConfig>::Challenger;

/// What passes through a transcript, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// An absorbed element.
    Absorb(Val),
    /// A squeezed element.
    Squeeze(Val),
    /// Squeezed bits.
    Bits(usize),
}

/// A whole transcript.
pub(crate) type Script = Arc<Vec<Event>>;

/// How a transcript answers.
#[derive(Clone, Debug)]
enum Mode {
    /// As it should.
    Real(Real),
    /// Every challenge is the script's, whatever is absorbed.
    Frozen,
    /// One item counts: the real transcript absorbs the script but for the elements of `item`,
    /// which are what is observed plus `shift`. Challenges in `fresh` are its own, all others the
    /// script's.
    Mixed { real: Real, item: Range<usize>, shift: Val, fresh: Range<usize> },
}

/// A transcript with a log. Clones share the log.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    mode: Mode,
    script: Script,
    at: usize,
    log: Arc<Mutex<Vec<Event>>>,
}

impl Tape {
    fn new(mode: Mode, script: Script) -> Self {
        Self { mode, script, at: 0, log: Arc::default() }
    }

    fn real_challenger() -> Real {
        // Parameters do not matter to it.
        Preset::P100.parameters().config().initialise_challenger()
    }

    /// The real transcript.
    pub(crate) fn real() -> Self {
        Self::new(Mode::Real(Self::real_challenger()), Script::default())
    }

    /// Gives the challenges of a script. Grinding costs nothing, and its witnesses are others than
    /// the script's.
    pub(crate) fn frozen(script: &Script) -> Self {
        Self::new(Mode::Frozen, script.clone())
    }

    /// A transcript where of all that is absorbed only `item` (places in the script) is not the
    /// script's. Only the challenges directly after it are real, or all later ones.
    pub(crate) fn mixed(script: &Script, item: Range<usize>, shift: Val, all_later: bool) -> Self {
        let absorbs = |event: &Event| matches!(event, Event::Absorb(_));
        let after = |from: usize, what: &dyn Fn(&Event) -> bool| {
            let found = script.iter().skip(from).position(what);
            found.map_or(script.len(), |place| from + place)
        };
        let start = after(item.end, &|event| !absorbs(event));
        let end = if all_later { script.len() } else { after(start, &absorbs) };
        let real = Self::real_challenger();
        Self::new(Mode::Mixed { real, item, shift, fresh: start..end }, script.clone())
    }

    /// What has passed through it and its clones.
    pub(crate) fn log(&self) -> Script {
        Arc::new(self.log.lock().unwrap().clone())
    }

    fn note(&mut self, event: Event) {
        self.log.lock().unwrap().push(event);
        self.at += 1;
    }

    /// What the script has here.
    fn scripted(&self) -> Event {
        *self.script.get(self.at).expect("a transcript longer than its script")
    }

    fn absorb(&mut self, value: Val) {
        let scripted = self.script.get(self.at).copied();
        let here = self.at;
        match (&mut self.mode, scripted) {
            (Mode::Real(real), _) => real.observe(value),
            (Mode::Frozen, Some(Event::Absorb(_))) => {}
            (Mode::Mixed { real, item, shift, .. }, Some(Event::Absorb(scripted))) => {
                real.observe(if item.contains(&here) { value + *shift } else { scripted });
            }
            (_, other) => panic!("the script has {other:?} where an element is absorbed"),
        }
        self.note(Event::Absorb(value));
    }

    /// A squeeze, given how the real transcript makes it.
    fn squeeze(&mut self, make: impl FnOnce(&mut Real) -> Event) -> Event {
        let here = self.at;
        let event = match &mut self.mode {
            Mode::Real(real) => make(real),
            Mode::Frozen => self.scripted(),
            Mode::Mixed { real, fresh, .. } => {
                let (made, fresh) = (make(real), fresh.contains(&here));
                if fresh { made } else { self.scripted() }
            }
        };
        self.note(event);
        event
    }
}

impl CanObserve<Val> for Tape {
    fn observe(&mut self, value: Val) {
        self.absorb(value);
    }
}

impl CanObserve<Commitment> for Tape {
    fn observe(&mut self, value: Commitment) {
        value.roots().iter().flatten().for_each(|element| self.absorb(*element));
    }
}

impl<E: BasedVectorSpace<Val>> CanSample<E> for Tape {
    fn sample(&mut self) -> E {
        E::from_basis_coefficients_fn(|_| {
            match self.squeeze(|real| Event::Squeeze(real.sample())) {
                Event::Squeeze(value) => value,
                other => panic!("the script has {other:?} where an element is squeezed"),
            }
        })
    }
}

impl CanSampleBits<usize> for Tape {
    fn sample_bits(&mut self, bits: usize) -> usize {
        match self.squeeze(|real| Event::Bits(real.sample_bits(bits))) {
            Event::Bits(value) => value,
            other => panic!("the script has {other:?} where bits are squeezed"),
        }
    }
}

impl FieldChallenger<Val> for Tape {}

impl GrindingChallenger for Tape {
    type Witness = Val;

    fn grind(&mut self, bits: usize) -> Val {
        if bits == 0 {
            return Val::ZERO;
        }
        let witness = match &self.mode {
            Mode::Real(real) => real.clone().grind(bits),
            _ => match self.scripted() {
                Event::Absorb(witness) => witness + Val::ONE,
                other => panic!("the script has {other:?} where a witness is absorbed"),
            },
        };
        let _ = self.check_witness(bits, witness);
        witness
    }

    /// Only the real transcript holds anybody to the work: what is looked for here must be refused
    /// by more than that.
    fn check_witness(&mut self, bits: usize, witness: Val) -> bool {
        if bits == 0 {
            return true;
        }
        self.absorb(witness);
        let found = self.sample_bits(bits);
        found == 0 || !matches!(self.mode, Mode::Real(_))
    }
}
