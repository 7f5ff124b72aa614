//! From text to a tree of commands.

mod lexer;

use super::commands;

use self::lexer::{Token, is_name};

/// Nesting at most: deeper scripts are not understood.
const DEPTH_MAX: u32 = 40;

/// One command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Node {
    /// Assignments, words and redirections.
    Simple {
        assigned: Vec<(String, Word)>,
        words: Vec<Word>,
        redirects: Vec<Redirect>,
    },
    Pipe(Vec<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Sequence(Vec<Node>),
    /// Condition and body of each branch, and what is done otherwise.
    If(Vec<(Node, Node)>, Option<Box<Node>>),
    /// `until` says that the condition must fail to go on.
    While {
        condition: Box<Node>,
        body: Box<Node>,
        until: bool,
    },
    For {
        name: String,
        words: Vec<Word>,
        body: Box<Node>,
    },
    Case {
        word: Word,
        arms: Vec<(Vec<Word>, Node)>,
    },
    /// `command &`: its time does not count.
    Background(Box<Node>),
}

/// `> FILE`, `>> FILE`, `< FILE`, `2>&1`
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Redirect {
    pub descriptor: u8,
    pub kind: RedirectKind,
    pub target: Word,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RedirectKind {
    Read,
    Write,
    Append,
    Duplicate,
}

/// A word before expansion.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Word(pub Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Text {
        text: String,
        quoted: bool,
    },
    /// `${name:-other}`: the operator is empty for a plain variable.
    Variable {
        name: String,
        operator: String,
        other: Word,
        quoted: bool,
    },
    Arithmetic(Word),
    Command {
        node: Box<Node>,
        quoted: bool,
    },
}

impl Node {
    /// A simple command of words that need no expansion.
    pub fn of_words(words: &[&str]) -> Node {
        let word = |it: &&str| Word(vec![Part::Text { text: (*it).to_owned(), quoted: true }]);
        Node::Simple { assigned: Vec::new(), words: words.iter().map(word).collect(), redirects: Vec::new() }
    }

    /// Whether it is made of commands that neither ask nor change anything around them.
    pub fn is_plain(&self) -> bool {
        match self {
            Node::Simple { assigned, words, redirects } => {
                let mut texts = words.iter().map(|it| match it.0.as_slice() {
                    [Part::Text { text, .. }] => Some(text),
                    _ => None,
                });
                let name = texts.next().flatten();
                assigned.is_empty()
                    && redirects.is_empty()
                    && name.is_some_and(|it| commands::is_plain(it))
                    && texts.all(|it| it.is_some())
            }
            Node::And(a, b) | Node::Or(a, b) => a.is_plain() && b.is_plain(),
            Node::Not(it) => it.is_plain(),
            Node::Sequence(list) => list.iter().all(Node::is_plain),
            _ => false,
        }
    }

    /// Whether all of its commands are known by name and reach no network.
    pub fn is_understood(&self) -> bool {
        match self {
            Node::Simple { words, .. } => match words.first().map(|it| it.0.as_slice()) {
                None => true,
                Some([Part::Text { text, .. }]) => commands::is_harmless(text),
                Some(_) => false,
            },
            Node::Pipe(list) | Node::Sequence(list) => list.iter().all(Node::is_understood),
            Node::And(a, b) | Node::Or(a, b) => a.is_understood() && b.is_understood(),
            Node::Not(it) | Node::Background(it) => it.is_understood(),
            Node::If(branches, other) => {
                branches.iter().all(|(a, b)| a.is_understood() && b.is_understood())
                    && other.as_ref().is_none_or(|it| it.is_understood())
            }
            Node::While { condition, body, .. } => condition.is_understood() && body.is_understood(),
            Node::For { body, .. } => body.is_understood(),
            Node::Case { arms, .. } => arms.iter().all(|(_, body)| body.is_understood()),
        }
    }
}

impl Word {
    /// Its text if it is one piece of plain text.
    fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text { text, quoted: false }] => Some(text),
            _ => None,
        }
    }
}

/// The tree of a script; `None` where it is not understood.
pub(super) fn parse(text: &str) -> Option<Node> {
    parse_at(text, 0)
}

fn parse_at(text: &str, depth: u32) -> Option<Node> {
    if depth > DEPTH_MAX {
        return None;
    }
    let mut parser = Parser { tokens: lexer::tokens(text, depth)?, idx: 0, depth };
    let node = parser.sequence(&[])?;
    (parser.idx == parser.tokens.len()).then_some(node)
}

struct Parser {
    tokens: Vec<Token>,
    idx: usize,
    depth: u32,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.idx)
    }

    fn operator(&mut self, wanted: &[&str]) -> Option<&'static str> {
        match self.peek() {
            Some(Token::Operator(it)) if wanted.contains(it) => {
                let it = *it;
                self.idx += 1;
                Some(it)
            }
            _ => None,
        }
    }

    fn word(&self) -> Option<&str> {
        match self.peek()? {
            Token::Word(word) => word.plain(),
            _ => None,
        }
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        let found = self.word() == Some(wanted);
        self.idx += usize::from(found);
        found
    }

    fn new_lines(&mut self) {
        while self.operator(&["\n"]).is_some() {}
    }

    /// Commands up to one of the words in `ends` or a bracket that closes.
    fn sequence(&mut self, ends: &[&str]) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut list = Vec::new();
        loop {
            while self.operator(&["\n", ";"]).is_some() {}
            let ended = match self.peek() {
                None | Some(Token::Operator(")" | ";;")) => true,
                Some(_) => self.word().is_some_and(|it| ends.contains(&it)),
            };
            if ended {
                break;
            }
            let node = self.and_or()?;
            match self.operator(&["&"]) {
                Some(_) => list.push(Node::Background(Box::new(node))),
                None => list.push(node),
            }
        }
        self.depth -= 1;
        Some(if list.len() == 1 { list.swap_remove(0) } else { Node::Sequence(list) })
    }

    fn and_or(&mut self) -> Option<Node> {
        let mut left = self.pipe()?;
        while let Some(operator) = self.operator(&["&&", "||"]) {
            self.new_lines();
            let right = Box::new(self.pipe()?);
            left = match operator {
                "&&" => Node::And(Box::new(left), right),
                _ => Node::Or(Box::new(left), right),
            };
        }
        Some(left)
    }

    fn pipe(&mut self) -> Option<Node> {
        if self.keyword("!") {
            return self.pipe().map(|it| Node::Not(Box::new(it)));
        }
        let mut list = vec![self.command()?];
        while self.operator(&["|"]).is_some() {
            self.new_lines();
            list.push(self.command()?);
        }
        Some(if list.len() == 1 { list.swap_remove(0) } else { Node::Pipe(list) })
    }

    fn command(&mut self) -> Option<Node> {
        if self.operator(&["("]).is_some() {
            let node = self.sequence(&[])?;
            self.operator(&[")"])?;
            return self.skip_redirects(node);
        }
        let node = match self.word().unwrap_or("") {
            "if" => self.conditional()?,
            "while" | "until" => self.repeated()?,
            "for" => self.counted()?,
            "case" => self.case()?,
            "{" => {
                self.idx += 1;
                let node = self.sequence(&["}"])?;
                self.keyword("}").then_some(node)?
            }
            "function" | "select" | "then" | "do" | "done" | "fi" | "esac" | "}" => return None,
            _ => return self.simple(),
        };
        self.skip_redirects(node)
    }

    /// Redirections of compound commands change nothing that counts here.
    fn skip_redirects(&mut self, node: Node) -> Option<Node> {
        while let Some(Token::Redirect { .. }) = self.peek() {
            self.idx += 2;
        }
        Some(node)
    }

    fn conditional(&mut self) -> Option<Node> {
        let mut branches = Vec::new();
        self.idx += 1;
        loop {
            let condition = self.sequence(&["then"])?;
            self.keyword("then").then_some(())?;
            let body = self.sequence(&["elif", "else", "fi"])?;
            branches.push((condition, body));
            if self.keyword("elif") {
                continue;
            }
            let otherwise = match self.keyword("else") {
                true => Some(Box::new(self.sequence(&["fi"])?)),
                false => None,
            };
            return self.keyword("fi").then_some(Node::If(branches, otherwise));
        }
    }

    fn repeated(&mut self) -> Option<Node> {
        let until = self.word() == Some("until");
        self.idx += 1;
        let condition = Box::new(self.sequence(&["do"])?);
        self.keyword("do").then_some(())?;
        let body = Box::new(self.sequence(&["done"])?);
        self.keyword("done").then_some(Node::While { condition, body, until })
    }

    fn counted(&mut self) -> Option<Node> {
        self.idx += 1;
        let name = self.word()?.to_owned();
        self.idx += 1;
        let mut words = Vec::new();
        if self.keyword("in") {
            while let Some(Token::Word(word)) = self.peek() {
                words.push(word.clone());
                self.idx += 1;
            }
        }
        while self.operator(&["\n", ";"]).is_some() {}
        self.keyword("do").then_some(())?;
        let body = Box::new(self.sequence(&["done"])?);
        self.keyword("done").then_some(Node::For { name, words, body })
    }

    fn case(&mut self) -> Option<Node> {
        self.idx += 1;
        let Some(Token::Word(word)) = self.peek().cloned() else { return None };
        self.idx += 1;
        self.keyword("in").then_some(())?;
        let mut arms = Vec::new();
        loop {
            while self.operator(&["\n", ";", ";;"]).is_some() {}
            if self.keyword("esac") {
                return Some(Node::Case { word, arms });
            }
            self.operator(&["("]);
            let mut patterns = Vec::new();
            loop {
                let Some(Token::Word(pattern)) = self.peek().cloned() else { return None };
                self.idx += 1;
                patterns.push(pattern);
                if self.operator(&["|"]).is_none() {
                    break;
                }
            }
            self.operator(&[")"])?;
            let body = self.sequence(&["esac"])?;
            arms.push((patterns, body));
        }
    }

    fn simple(&mut self) -> Option<Node> {
        let (mut assigned, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            match self.peek() {
                Some(Token::Word(word)) => {
                    match assignment(word).filter(|_| words.is_empty()) {
                        Some(it) => assigned.push(it),
                        None => words.push(word.clone()),
                    }
                    self.idx += 1;
                }
                Some(Token::Redirect { descriptor, kind }) => {
                    let (descriptor, kind) = (*descriptor, *kind);
                    let Some(Token::Word(target)) = self.tokens.get(self.idx + 1).cloned() else { return None };
                    redirects.push(Redirect { descriptor, kind, target });
                    self.idx += 2;
                }
                _ => break,
            }
        }
        // A function's definition is not understood.
        if let Some(Token::Operator("(")) = self.peek() {
            return None;
        }
        Some(Node::Simple { assigned, words, redirects })
    }
}

/// `NAME=value`
fn assignment(word: &Word) -> Option<(String, Word)> {
    let (first, rest) = word.0.split_first()?;
    let Part::Text { text, quoted: false } = first else { return None };
    let (name, value) = text.split_once('=')?;
    let valid = !name.is_empty() && name.chars().all(is_name) && !name.starts_with(|it: char| it.is_ascii_digit());
    valid.then(|| {
        let mut parts = vec![Part::Text { text: value.to_owned(), quoted: true }];
        parts.extend(rest.iter().cloned());
        (name.to_owned(), Word(parts))
    })
}
