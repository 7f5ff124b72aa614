//! Query strings, read as Go's `url.ParseQuery` does.

/// Names and values in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// What cannot be unescaped is left out.
    pub fn parse(text: &str) -> Query {
        let pairs = text
            .split('&')
            .filter(|it| !it.is_empty() && !it.contains(';'))
            .filter_map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((unescape(name, true)?, unescape(value, true)?))
            })
            .collect();
        Query { pairs }
    }

    /// The first value under `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The first value under `name`, unless it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|it| !it.is_empty())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// A flag as `runtime.Convert_Slice_string_To_bool` reads it: present, and neither `false` nor `0`.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|it| !matches!(it.to_ascii_lowercase().as_str(), "false" | "0"))
    }

    /// A number.
    ///
    /// # Errors
    /// `strconv.ParseInt: parsing "x": invalid syntax`
    pub fn int(&self, name: &str) -> Result<Option<i64>, String> {
        let Some(text) = self.get(name) else { return Ok(None) };
        parse_int(text).map(Some)
    }
}

fn number_error(function: &str, text: &str) -> String {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    let why = if is_number { "value out of range" } else { "invalid syntax" };
    format!("strconv.{function}: parsing {}: {why}", meta::quoted(text))
}

/// A signed number as Go's `strconv.ParseInt` reads it.
pub(crate) fn parse_int(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| number_error("ParseInt", text))
}

/// An unsigned number as Go's `strconv.ParseUint` reads it: no sign.
pub(crate) fn parse_uint(text: &str) -> Result<u64, String> {
    let unsigned = !text.starts_with(['+', '-']);
    match text.parse() {
        Ok(it) if unsigned => Ok(it),
        _ if !unsigned => Err(format!("strconv.ParseUint: parsing {}: invalid syntax", meta::quoted(text))),
        _ => Err(number_error("ParseUint", text)),
    }
}

/// Percent-escapes; in queries a plus is a space. `None` for a broken escape or broken UTF-8.
pub(crate) fn unescape(text: &str, is_query: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut res: Vec<u8> = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                res.push((high * 16 + low) as u8);
            }
            b'+' if is_query => res.push(b' '),
            _ => res.push(byte),
        }
    }
    String::from_utf8(res).ok()
}
