//! What words come to: variables, arithmetic, the output of commands.

use super::{Input, Shell, Stop};
use crate::shell::parse::{Part, Word};
use crate::shell::{arith, commands};

impl Shell<'_> {
    /// Words after expansion and splitting.
    pub(super) fn expand(&mut self, words: &[Word]) -> Result<Vec<String>, Stop> {
        let mut res = Vec::new();
        for word in words {
            let mut current: Option<String> = None;
            for part in &word.0 {
                let (text, quoted) = self.part(part)?;
                if quoted {
                    current.get_or_insert_default().push_str(&text);
                    continue;
                }
                for (idx, piece) in text.split([' ', '\n', '\t']).enumerate() {
                    if idx > 0 {
                        res.extend(current.take());
                    }
                    if !piece.is_empty() {
                        current.get_or_insert_default().push_str(piece);
                    }
                }
            }
            res.extend(current);
        }
        Ok(res)
    }

    /// A word as one text.
    pub fn text(&mut self, word: &Word) -> Result<String, Stop> {
        let mut text = String::new();
        for part in &word.0 {
            text.push_str(&self.part(part)?.0);
        }
        Ok(text)
    }

    fn part(&mut self, part: &Part) -> Result<(String, bool), Stop> {
        Ok(match part {
            // Plain text has been split by the parser.
            Part::Text { text, .. } => (text.clone(), true),
            Part::Variable { name, operator, other, quoted } => (self.variable(name, operator, other)?, *quoted),
            Part::Arithmetic(word) => {
                let text = self.text(word)?;
                let value = arith::evaluate(&text, &mut self.variables).unwrap_or(0);
                (value.to_string(), true)
            }
            Part::Command { node, quoted } => {
                self.step()?;
                let text = self.capture(|shell| shell.node(node, &mut Input::default(), false))?;
                (text.trim_end_matches('\n').to_owned(), *quoted)
            }
        })
    }

    fn variable(&mut self, name: &str, operator: &str, other: &Word) -> Result<String, Stop> {
        let value = match name {
            "?" => Some(self.status.to_string()),
            "$" | "!" => Some("1".to_owned()),
            "#" => Some("0".to_owned()),
            "HOSTNAME" => Some(self.around.hostname.to_string()),
            "RANDOM" => Some((self.now.nanos() / 1_000_003 % 32_768).to_string()),
            "SECONDS" => Some((self.now.nanos() / 1_000_000_000 % 100_000).to_string()),
            name => self.variables.get(name).cloned(),
        };
        let empty = value.as_ref().is_none_or(String::is_empty);
        Ok(match operator {
            ":-" | "-" | ":=" | "=" if empty => {
                let text = self.text(other)?;
                if operator.ends_with('=') {
                    self.variables.insert(name.to_owned(), text.clone());
                }
                text
            }
            ":+" | "+" => {
                if empty {
                    String::new()
                } else {
                    self.text(other)?
                }
            }
            "##" | "#" => {
                let (value, pattern) = (value.unwrap_or_default(), self.text(other)?);
                commands::without_prefix(&value, &pattern, operator == "##").to_owned()
            }
            _ => value.unwrap_or_default(),
        })
    }
}
