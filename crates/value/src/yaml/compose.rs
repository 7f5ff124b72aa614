//! From the parser's events to nodes, with go-yaml's rule for the lines in errors.

use libyaml_safer::{ErrorKind, Event, EventData, Parser};

use super::{DEPTH_MAX, Error, Position, guard};

/// The nodes of one document; the root is the first.
pub(super) struct Nodes(pub(super) Vec<Node>);

pub(super) type NodeId = usize;

pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) position: Position,
}

pub(super) enum Kind {
    Scalar {
        tag: Option<String>,
        text: String,
        implicit: bool,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    /// To an anchor; the target may be a node that contains the alias.
    Alias {
        anchor: String,
        target: NodeId,
    },
    /// A collection whose end was not yet seen.
    Open,
}

/// The nodes of the first document in `text`; none for a text without any.
pub(super) fn compose(text: &str, first_line: u32) -> Result<Nodes, Error> {
    let guarded = guard::commas_after_tags(text);
    let (text, mark) = guarded.as_ref().map_or((text, None), |(text, mark)| (text.as_str(), Some(*mark)));
    let ended;
    let text = if text.ends_with('\n') {
        text
    } else {
        ended = format!("{text}\n");
        &ended
    };
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let mut composer = Composer { parser, mark, first_line, nodes: Vec::new(), anchors: Vec::new() };
    composer.document()?;
    Ok(Nodes(composer.nodes))
}

struct Composer<'r, 'b> {
    parser: Parser<&'b mut &'r [u8]>,
    /// Stands for a comma in scalars.
    mark: Option<char>,
    first_line: u32,
    nodes: Vec<Node>,
    anchors: Vec<(String, NodeId)>,
}

impl Composer<'_, '_> {
    fn document(&mut self) -> Result<(), Error> {
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                EventData::StreamEnd | EventData::DocumentEnd { .. } => return Ok(()),
                _ => {
                    self.node(event, 0)?;
                    self.next()?;
                    return Ok(());
                }
            }
        }
    }

    fn next(&mut self) -> Result<Event, Error> {
        self.parser.parse().map_err(|it| self.error(&it))
    }

    fn position(&self, mark: libyaml_safer::Mark) -> Position {
        Position {
            line: u32::try_from(mark.line).unwrap_or(u32::MAX).saturating_add(self.first_line + 1),
            column: u32::try_from(mark.column).unwrap_or(u32::MAX).saturating_add(1),
        }
    }

    fn error(&self, error: &libyaml_safer::Error) -> Error {
        let problem = error.problem_mark().unwrap_or_default();
        let context = error.context_mark().unwrap_or_default();
        // go-yaml adds one to the line of a scanner's error only.
        let line = match problem.line {
            0 => context.line,
            line if error.kind() == ErrorKind::Scanner => line + 1,
            line => line,
        };
        let text = match error.kind() {
            ErrorKind::Io => "incomplete UTF-8 octet sequence",
            _ => error.problem(),
        };
        let message = if line == 0 { format!("yaml: {text}") } else { format!("yaml: line {line}: {text}") };
        let Position { line, column } = self.position(problem);
        Error { message, line, column }
    }

    fn refuse(&self, at: Position, text: &str) -> Error {
        Error { message: format!("yaml: {text}"), line: at.line, column: at.column }
    }

    fn node(&mut self, event: Event, depth: u32) -> Result<NodeId, Error> {
        let position = self.position(event.start_mark);
        if depth > DEPTH_MAX {
            return Err(self.refuse(position, "exceeded max depth of 500"));
        }
        let id = self.nodes.len();
        self.nodes.push(Node { kind: Kind::Open, position });
        let kind = match event.data {
            EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                self.anchor(anchor, id);
                let text = match self.mark {
                    Some(mark) => value.replace(mark, ","),
                    None => value,
                };
                Kind::Scalar { tag, text, implicit: plain_implicit }
            }
            EventData::Alias { anchor } => {
                let Some((_, target)) = self.anchors.iter().rev().find(|(have, _)| *have == anchor) else {
                    return Err(self.refuse(position, &format!("unknown anchor '{anchor}' referenced")));
                };
                Kind::Alias { target: *target, anchor }
            }
            EventData::SequenceStart { anchor, .. } => {
                self.anchor(anchor, id);
                Kind::Sequence(self.items(depth)?)
            }
            EventData::MappingStart { anchor, .. } => {
                self.anchor(anchor, id);
                let items = self.items(depth)?;
                Kind::Mapping(items.chunks_exact(2).map(|it| (it[0], it[1])).collect())
            }
            _ => return Err(self.refuse(position, "attempted to parse unknown event")),
        };
        self.nodes[id].kind = kind;
        Ok(id)
    }

    fn anchor(&mut self, anchor: Option<String>, id: NodeId) {
        if let Some(anchor) = anchor {
            self.anchors.push((anchor, id));
        }
    }

    fn items(&mut self, depth: u32) -> Result<Vec<NodeId>, Error> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::SequenceEnd | EventData::MappingEnd) {
                return Ok(items);
            }
            items.push(self.node(event, depth + 1)?);
        }
    }
}
