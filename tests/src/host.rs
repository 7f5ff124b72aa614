//! What a program needs from outside, the same natively and in wasm under Node.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod node;

#[cfg(not(target_arch = "wasm32"))]
use native as this;
#[cfg(target_arch = "wasm32")]
use node as this;

/// Writes a line to standard output.
pub fn print(line: &str) {
    this::print(line);
}

/// Names the function that brings the rest of a program that is split in two; without it none can be.
pub fn be_splittable() {
    this::be_splittable();
}

/// The arguments after the program's name.
pub fn args() -> Vec<String> {
    this::args()
}

/// Nanoseconds on a clock that only goes forward; only differences mean something.
pub fn nanos() -> u64 {
    this::nanos()
}

/// Bytes of memory that the program occupies: resident natively, linear memory in wasm.
pub fn memory_bytes() -> u64 {
    this::memory_bytes()
}
