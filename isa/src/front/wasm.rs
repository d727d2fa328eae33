//! Finds the signature of an exported function in a `.wasm` that the compiler has accepted.

use super::LoadError;

const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const EXPORTS: u8 = 7;

/// Argument and result slots of the exported function (64-bit values take two).
pub(super) fn entry_slots(wasm: &[u8], name: &str) -> Result<(u32, u32), LoadError> {
    read(wasm, name).ok_or_else(|| LoadError::NoSuchEntry(name.to_owned()))
}

/// Whether the `.wasm` exports a function of this name.
pub fn exports_function(wasm: &[u8], name: &str) -> bool {
    read(wasm, name).is_some()
}

fn read(wasm: &[u8], name: &str) -> Option<(u32, u32)> {
    let mut reader = Reader(wasm.get(8..)?);
    let (mut types, mut functions) = (Vec::new(), Vec::new());
    while !reader.0.is_empty() {
        let id = reader.byte()?;
        let len = reader.number()? as usize;
        let mut section = Reader(reader.bytes(len)?);
        match id {
            TYPES => {
                for _ in 0..section.number()? {
                    section.byte()?; // the form: a function
                    types.push((section.slots()?, section.slots()?));
                }
            }
            IMPORTS => {
                for _ in 0..section.number()? {
                    section.name()?;
                    section.name()?;
                    match section.byte()? {
                        0 => functions.push(section.number()?),
                        1 => {
                            section.byte()?;
                            section.limits()?;
                        }
                        2 => section.limits()?,
                        3 => {
                            section.bytes(2)?;
                        }
                        _ => return None,
                    }
                }
            }
            FUNCTIONS => {
                for _ in 0..section.number()? {
                    functions.push(section.number()?);
                }
            }
            EXPORTS => {
                for _ in 0..section.number()? {
                    let export = section.name()?;
                    let kind = section.byte()?;
                    let index = section.number()? as usize;
                    if kind == 0 && export == name.as_bytes() {
                        let ty = *functions.get(index)? as usize;
                        return types.get(ty).copied();
                    }
                }
            }
            _ => {}
        }
    }
    None
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    /// An unsigned LEB128 number of at most 32 bits.
    fn number(&mut self) -> Option<u32> {
        let mut number = 0u64;
        for i in 0..5 {
            let byte = self.byte()?;
            number |= ((byte & 0x7f) as u64) << (7 * i);
            if byte & 0x80 == 0 {
                return u32::try_from(number).ok();
            }
        }
        None
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        let len = self.number()? as usize;
        self.bytes(len)
    }

    fn limits(&mut self) -> Option<()> {
        let flags = self.byte()?;
        self.number()?;
        if flags & 1 != 0 {
            self.number()?;
        }
        Some(())
    }

    /// A list of value types, as the number of slots.
    fn slots(&mut self) -> Option<u32> {
        let types = self.name()?;
        // i64 and f64
        Some(types.iter().map(|ty| if matches!(ty, 0x7e | 0x7c) { 2 } else { 1 }).sum())
    }
}
