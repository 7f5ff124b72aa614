//! What the first module can come to: data that only the rest uses goes with it, and a function needs a stand-in only
//! where the first can call it.
//!
//! Code comes to an item of data by its name in an instruction or by a pointer in another item, and by no other way:
//! no address is computed from that of another item. So what neither the first module's code names, nor what it names
//! in turn, is not looked at before code of the rest runs, and then the rest is there. Of functions in the table the
//! same is true of their places.

use std::{collections::BTreeSet, ops::Range};

use wasmparser::Operator;

use super::program::Program;

pub struct Reach {
    /// The addresses of what only the rest uses, sorted.
    pub moved: Vec<Range<u32>>,
    /// Numbers in the first module's code and data. Those that name a place in the table are among them.
    pub numbers: BTreeSet<u32>,
}

impl Reach {
    /// `is_in_first` says of a step of a code whether it is in the first module.
    pub fn new(program: &Program<'_>, is_in_first: impl Fn(usize, usize) -> bool) -> Reach {
        let items = program.linked.items(&program.data);
        let mut numbers = BTreeSet::new();
        for (code, it) in program.codes.iter().enumerate() {
            let steps = it.steps.iter().enumerate().filter(|(step, _)| is_in_first(code, *step));
            numbers.extend(steps.filter_map(|(_, it)| number(&it.operator)));
        }
        let mut is_needed = vec![false; items.ranges.len()];
        let mut found = numbers.iter().flat_map(|it| items.named(*it)).chain(&items.open).copied().collect::<Vec<_>>();
        while let Some(item) = found.pop() {
            if !std::mem::replace(&mut is_needed[item], true) {
                let range = &items.ranges[item];
                let bytes = program.data.iter().find_map(|(at, bytes)| bytes.get(inside(*at, range)));
                found.extend(bytes.iter().flat_map(|it| words(range.start, it)).flat_map(|it| items.named(it)));
            }
        }
        let mut moved = Vec::new();
        for (at, bytes) in &program.data {
            let here = unneeded(&items.ranges, &is_needed, *at, bytes.len());
            numbers.extend(words(*at, &without(*at, bytes, &here)));
            moved.extend(here);
        }
        Reach { moved, numbers }
    }
}

/// The parts of some data in which there are items but none that is needed.
fn unneeded(items: &[Range<u32>], is_needed: &[bool], at: u32, n: usize) -> Vec<Range<u32>> {
    let mut is_unneeded = vec![false; n];
    for needed in [false, true] {
        for (range, _) in items.iter().zip(is_needed).filter(|(_, it)| **it == needed) {
            is_unneeded.get_mut(inside(at, range)).into_iter().flatten().for_each(|it| *it = !needed);
        }
    }
    let mut res = Vec::new();
    let mut start = at;
    for run in is_unneeded.chunk_by(|a, b| a == b) {
        let end = start + run.len() as u32;
        if run[0] {
            res.push(start..end);
        }
        start = end;
    }
    res
}

/// What may be pointers in some data: those are aligned.
fn words(at: u32, bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (words, _) = bytes.get((at.wrapping_neg() % 4) as usize..).unwrap_or_default().as_chunks::<4>();
    words.iter().map(|it| u32::from_le_bytes(*it))
}

/// What may be an address or a place in an instruction.
fn number(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::I32Const { value } => Some(value.cast_unsigned()),
        operator => memarg(operator),
    }
}

/// The offset of an access to memory.
fn memarg(operator: &Operator<'_>) -> Option<u32> {
    let memarg = match operator {
        Operator::I32Load { memarg }
        | Operator::I64Load { memarg }
        | Operator::F32Load { memarg }
        | Operator::F64Load { memarg }
        | Operator::I32Load8S { memarg }
        | Operator::I32Load8U { memarg }
        | Operator::I32Load16S { memarg }
        | Operator::I32Load16U { memarg }
        | Operator::I64Load8S { memarg }
        | Operator::I64Load8U { memarg }
        | Operator::I64Load16S { memarg }
        | Operator::I64Load16U { memarg }
        | Operator::I64Load32S { memarg }
        | Operator::I64Load32U { memarg }
        | Operator::I32Store { memarg }
        | Operator::I64Store { memarg }
        | Operator::F32Store { memarg }
        | Operator::F64Store { memarg }
        | Operator::I32Store8 { memarg }
        | Operator::I32Store16 { memarg }
        | Operator::I64Store8 { memarg }
        | Operator::I64Store16 { memarg }
        | Operator::I64Store32 { memarg } => memarg,
        _ => return None,
    };
    memarg.offset.try_into().ok()
}

/// Data of the first module: zeros are where the rest brings what it needs, which compress better than breaks.
pub fn without(at: u32, bytes: &[u8], moved: &[Range<u32>]) -> Vec<u8> {
    let mut res = bytes.to_vec();
    for it in moved {
        if let Some(part) = res.get_mut(inside(at, it)) {
            part.fill(0);
        }
    }
    res
}

/// Data of the rest, with addresses.
pub fn only<'a>(at: u32, bytes: &'a [u8], moved: &[Range<u32>]) -> impl Iterator<Item = (u32, &'a [u8])> {
    moved.iter().filter_map(move |it| Some((it.start, bytes.get(inside(at, it))?)))
}

/// Where a range of addresses is in data that begins at an address; out of bounds if it is not in it.
fn inside(at: u32, range: &Range<u32>) -> Range<usize> {
    range.start.wrapping_sub(at) as usize..range.end.wrapping_sub(at) as usize
}
