//! Long texts that only the rest uses go with it.

use std::ops::Range;

use wasmparser::Operator;

use super::program::Program;

/// The addresses of those of `texts` that nothing of the first module names: no constant of its code, no pointer in
/// memory; a text is named by the address of its beginning. `is_in_first` says of a step of a code whether it is in the first module.
pub fn unnamed(
    program: &Program<'_>,
    texts: &[Vec<u8>],
    is_in_first: impl Fn(usize, usize) -> bool,
) -> Vec<Range<u32>> {
    let mut res = texts.iter().filter_map(|text| find(program, text)).collect::<Vec<_>>();
    for (code, it) in program.codes.iter().enumerate() {
        for (_, step) in it.steps.iter().enumerate().filter(|(step, _)| is_in_first(code, *step)) {
            if let Some(address) = address(&step.operator) {
                res.retain(|it| it.start != address);
            }
        }
    }
    for (at, bytes) in &program.data {
        // Pointers are aligned.
        let (words, _) = bytes.get((at.wrapping_neg() % 4) as usize..).unwrap_or_default().as_chunks::<4>();
        for word in words {
            res.retain(|it| it.start != u32::from_le_bytes(*word));
        }
    }
    res.sort_unstable_by_key(|it| it.start);
    res
}

fn find(program: &Program<'_>, text: &[u8]) -> Option<Range<u32>> {
    program.data.iter().find_map(|(at, bytes)| {
        let start = at + u32::try_from(bytes.windows(text.len()).position(|it| it == text)?).ok()?;
        Some(start..start + u32::try_from(text.len()).ok()?)
    })
}

/// What may be an address in an instruction.
fn address(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::I32Const { value } => Some(value.cast_unsigned()),
        Operator::I32Load { memarg }
        | Operator::I64Load { memarg }
        | Operator::I32Load8U { memarg }
        | Operator::I32Load16U { memarg } => memarg.offset.try_into().ok(),
        _ => None,
    }
}

/// The parts of some data outside the ranges, which are sorted, or inside.
pub fn parts<'a>(at: u32, bytes: &'a [u8], ranges: &[Range<u32>], inside: bool) -> Vec<(u32, &'a [u8])> {
    let mut res = Vec::new();
    let end = at + bytes.len() as u32;
    let mut next = at;
    let mut add = |start: u32, stop: u32| {
        if start < stop {
            res.push((start, &bytes[(start - at) as usize..(stop - at) as usize]));
        }
    };
    for range in ranges.iter().filter(|it| at <= it.start && it.end <= end) {
        if inside {
            add(range.start, range.end);
        } else {
            add(next, range.start);
        }
        next = range.end;
    }
    if !inside {
        add(next, end);
    }
    res
}
