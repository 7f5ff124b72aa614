//! Standard base64 with padding, as Go's `encoding/base64` reads and writes it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes of `text`; line breaks in it are skipped.
///
/// # Errors
/// Where the text is wrong: `illegal base64 data at input byte N` is Go's message.
pub fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let mut reader = Reader { text: text.as_bytes(), at: 0 };
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    while reader.quantum(&mut out)? {}
    Ok(out)
}

/// The text of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |idx: usize| u32::from(chunk.get(idx).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for idx in 0..4 {
            if idx > chunk.len() {
                out.push('=');
            } else {
                out.push(char::from(ALPHABET[(bits >> (18 - 6 * idx)) as usize & 63]));
            }
        }
    }
    out
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b'\n' | b'\r')) {
            self.at += 1;
        }
        let byte = self.text.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    /// Reads four letters; answers whether more may come.
    fn quantum(&mut self, out: &mut Vec<u8>) -> Result<bool, usize> {
        let mut bits = 0u32;
        for idx in 0..4usize {
            let Some(byte) = self.next() else {
                return if idx == 0 { Ok(false) } else { Err(self.at - idx) };
            };
            match letter(byte) {
                Some(six) => bits |= six << (18 - 6 * idx),
                None if byte == b'=' => return self.padding(idx, bits, out),
                None => return Err(self.at - 1),
            }
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
        Ok(true)
    }

    fn padding(&mut self, idx: usize, bits: u32, out: &mut Vec<u8>) -> Result<bool, usize> {
        if idx < 2 {
            return Err(self.at - 1);
        }
        if idx == 2 {
            match self.next() {
                None => return Err(self.text.len()),
                Some(b'=') => (),
                Some(_) => return Err(self.at - 2),
            }
        }
        if self.next().is_some() {
            return Err(self.at - 1);
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..idx]);
        Ok(false)
    }
}

/// The six bits that a letter of the alphabet stands for.
pub fn letter(byte: u8) -> Option<u32> {
    ALPHABET.iter().position(|it| *it == byte).map(|it| it as u32)
}
