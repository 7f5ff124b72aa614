//! `$((…))`: whole numbers, with the operators of C.

use std::collections::BTreeMap;

/// Nesting at most.
const DEPTH_MAX: u32 = 60;

/// Binary operators from the loosest to the tightest.
const LEVELS: [&[&str]; 9] =
    [&["||"], &["&&"], &["|"], &["^"], &["&"], &["==", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

/// The value of an expression; assignments change the variables. `None`: it cannot be understood.
pub(super) fn evaluate(text: &str, variables: &mut BTreeMap<String, String>) -> Option<i64> {
    let mut parser = Parser { rest: text.trim(), variables, depth: 0 };
    let res = parser.assignment()?;
    parser.rest.trim().is_empty().then_some(res)
}

struct Parser<'a> {
    rest: &'a str,
    variables: &'a mut BTreeMap<String, String>,
    depth: u32,
}

impl Parser<'_> {
    fn eat(&mut self, text: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(self.rest.len());
        let name = &self.rest[..end];
        if name.is_empty() || name.starts_with(|it: char| it.is_ascii_digit()) {
            return None;
        }
        self.rest = &self.rest[end..];
        Some(name.to_owned())
    }

    fn value(&self, name: &str) -> i64 {
        self.variables.get(name).and_then(|it| it.trim().parse().ok()).unwrap_or(0)
    }

    fn assignment(&mut self) -> Option<i64> {
        let before = self.rest;
        if let Some(name) = self.name() {
            for (sign, step) in [("++", 1), ("--", -1)] {
                if self.eat(sign) {
                    let old = self.value(&name);
                    self.variables.insert(name, old.wrapping_add(step).to_string());
                    return Some(old);
                }
            }
            for (sign, operator) in [("+=", "+"), ("-=", "-"), ("*=", "*"), ("/=", "/"), ("%=", "%")] {
                if self.eat(sign) {
                    let right = self.assignment()?;
                    let res = apply(operator, self.value(&name), right)?;
                    self.variables.insert(name, res.to_string());
                    return Some(res);
                }
            }
            let trimmed = self.rest.trim_start();
            if trimmed.starts_with('=') && !trimmed.starts_with("==") {
                self.eat("=");
                let res = self.assignment()?;
                self.variables.insert(name, res.to_string());
                return Some(res);
            }
        }
        self.rest = before;
        self.binary(0)
    }

    fn binary(&mut self, level: usize) -> Option<i64> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            self.rest = self.rest.trim_start();
            // `&` is not the beginning of `&&`, nor `|` of `||`.
            let found = operators.iter().find(|it| {
                self.rest.starts_with(**it)
                    && !(it.len() == 1 && matches!(**it, "&" | "|") && self.rest[1..].starts_with(**it))
            });
            let Some(operator) = found else { return Some(left) };
            self.rest = &self.rest[operator.len()..];
            let right = self.binary(level + 1)?;
            left = apply(operator, left, right)?;
        }
    }

    fn unary(&mut self) -> Option<i64> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let res = if self.eat("-") {
            self.unary()?.wrapping_neg()
        } else if self.eat("+") {
            self.unary()?
        } else if self.eat("!") {
            i64::from(self.unary()? == 0)
        } else if self.eat("(") {
            let res = self.assignment()?;
            self.eat(")").then_some(res)?
        } else if let Some(name) = self.name() {
            self.value(&name)
        } else {
            let end = self.rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(self.rest.len());
            let res = self.rest[..end].parse().ok()?;
            self.rest = &self.rest[end..];
            res
        };
        self.depth -= 1;
        Some(res)
    }
}

fn apply(operator: &str, a: i64, b: i64) -> Option<i64> {
    Some(match operator {
        "||" => i64::from(a != 0 || b != 0),
        "&&" => i64::from(a != 0 && b != 0),
        "|" => a | b,
        "^" => a ^ b,
        "&" => a & b,
        "==" => i64::from(a == b),
        "!=" => i64::from(a != b),
        "<=" => i64::from(a <= b),
        ">=" => i64::from(a >= b),
        "<" => i64::from(a < b),
        ">" => i64::from(a > b),
        "+" => a.wrapping_add(b),
        "-" => a.wrapping_sub(b),
        "*" => a.wrapping_mul(b),
        "/" => a.checked_div(b)?,
        "%" => a.checked_rem(b)?,
        _ => return None,
    })
}
