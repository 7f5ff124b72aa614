//! What the linker tells of a program's data: the items that it put there, and which of them code and data name.
//!
//! The linker leaves this in the file when it is called with `--emit-relocs`; wasm-bindgen keeps it.

use std::{collections::BTreeMap, ops::Range};

use wasmparser::{KnownCustom, Linking, RelocSectionReader, RelocationType, SymbolFlags, SymbolInfo};

use super::program::Parsed;

/// The items of data that a program was linked of.
#[derive(Default)]
pub struct Linked {
    /// Of each symbol, its item, if it is one of data: the number of its segment and where it is in it.
    symbols: Vec<Option<(u32, Range<u32>)>>,
    /// Symbols that others than the program's own code and data may name, or that are named by a distance.
    open: Vec<usize>,
    /// Symbols and what was added to their addresses where code or data names them.
    named: Vec<(usize, i64)>,
}

impl Linked {
    /// Takes in a section of those that the linker left.
    pub fn take(&mut self, section: KnownCustom<'_>) -> Parsed<()> {
        match section {
            KnownCustom::Linking(section) => {
                for part in section.subsections() {
                    let Linking::SymbolTable(symbols) = part? else { continue };
                    for symbol in symbols {
                        self.take_symbol(&symbol?);
                    }
                }
            }
            KnownCustom::Reloc(section) => self.take_names(&section)?,
            _ => (),
        }
        Ok(())
    }

    fn take_symbol(&mut self, symbol: &SymbolInfo<'_>) {
        let mut item = None;
        if let SymbolInfo::Data { flags, symbol: Some(it), .. } = symbol {
            item = Some((it.index, it.offset..it.offset + it.size));
            if !flags.contains(SymbolFlags::BINDING_LOCAL) {
                self.open.push(self.symbols.len());
            }
        }
        self.symbols.push(item);
    }

    fn take_names(&mut self, section: &RelocSectionReader<'_>) -> Parsed<()> {
        for entry in section.entries() {
            let entry = entry?;
            use RelocationType::{
                MemoryAddrI32, MemoryAddrLeb, MemoryAddrLocrelI32, MemoryAddrRelSleb, MemoryAddrSleb, MemoryAddrTlsSleb,
            };
            match entry.ty {
                MemoryAddrI32 | MemoryAddrLeb | MemoryAddrSleb => self.named.push((entry.index as usize, entry.addend)),
                // Distances, by which nobody can tell who is named.
                MemoryAddrLocrelI32 | MemoryAddrRelSleb | MemoryAddrTlsSleb => self.open.push(entry.index as usize),
                _ => (),
            }
        }
        Ok(())
    }

    /// Where everything is, in a program with these segments.
    pub fn items(&self, segments: &[(u32, &[u8])]) -> Items {
        let mut res = Items::default();
        let mut numbers = vec![None; self.symbols.len()];
        for (symbol, item) in self.symbols.iter().enumerate() {
            let Some((segment, range)) = item else { continue };
            let Some((at, _)) = segments.get(*segment as usize) else { continue };
            numbers[symbol] = Some(res.ranges.len());
            res.ranges.push(at + range.start..at + range.end);
        }
        res.open = self.open.iter().filter_map(|it| numbers.get(*it).copied().flatten()).collect();
        for (symbol, added) in &self.named {
            let Some(number) = numbers.get(*symbol).copied().flatten() else { continue };
            let address = (i64::from(res.ranges[number].start) + added) as u32;
            res.named.entry(address).or_default().push(number);
        }
        res
    }
}

/// Items by number.
#[derive(Default)]
pub struct Items {
    pub ranges: Vec<Range<u32>>,
    /// Those that may be named in ways that are not seen here.
    pub open: Vec<usize>,
    /// What an address may name; it need not be inside the item.
    named: BTreeMap<u32, Vec<usize>>,
}

impl Items {
    /// What a number may name that code or data holds.
    pub fn named(&self, address: u32) -> &[usize] {
        self.named.get(&address).map(Vec::as_slice).unwrap_or_default()
    }
}
