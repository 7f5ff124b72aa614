//! `Accept` and `Content-Type`, as go-restful and upstream's `negotiation` treat them.

use meta::Status;

pub(crate) const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
/// What resources are served in.
pub(crate) const RESOURCE_TYPES: [&str; 3] = [JSON, YAML, PROTOBUF];
/// What lists, and so watches, are served in.
const STREAM_TYPES: [&str; 2] = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

/// How bytes are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Format {
    Json,
    Pretty,
    Yaml,
    Protobuf,
}

impl Format {
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json | Format::Pretty => JSON,
            Format::Yaml => YAML,
            Format::Protobuf => PROTOBUF,
        }
    }
}

/// What an object is turned into before it is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Shape {
    Whole,
    /// `v1` or `v1beta1` of `meta.k8s.io`.
    Table(&'static str),
    Metadata(&'static str),
    MetadataList(&'static str),
}

/// What the client gets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Media {
    pub format: Format,
    pub shape: Shape,
}

/// One clause of an `Accept` header, such as `application/json;as=Table;v=v1;g=meta.k8s.io`.
struct Clause<'a> {
    kind: &'a str,
    subtype: &'a str,
    params: Vec<(&'a str, &'a str)>,
    /// Thousandths.
    quality: u32,
}

impl Clause<'_> {
    fn param(&self, name: &str) -> &str {
        self.params.iter().rev().find(|(it, _)| *it == name).map_or("", |(_, value)| value)
    }

    fn accepts(&self, kind: &str, subtype: &str) -> bool {
        (self.kind == kind && (self.subtype == subtype || self.subtype == "*"))
            || (self.kind == "*" && self.subtype == "*")
    }
}

/// Clauses, the most wanted first.
fn clauses(header: &str) -> Vec<Clause<'_>> {
    let mut res: Vec<Clause<'_>> = header
        .split(',')
        .filter_map(|part| {
            let mut fields = part.trim().split(';');
            let (kind, subtype) = match fields.next()?.trim().split_once('/') {
                Some((kind, subtype)) if !subtype.contains('/') => (kind.trim(), subtype.trim()),
                None if part.trim() == "*" => ("*", "*"),
                _ => return None,
            };
            let mut clause = Clause { kind, subtype, params: Vec::new(), quality: 1000 };
            for field in fields {
                let (name, value) = field.split_once('=')?;
                match name.trim() {
                    "q" => clause.quality = thousandths(value.trim()),
                    name => clause.params.push((name, value.trim())),
                }
            }
            Some(clause)
        })
        .collect();
    res.sort_by_key(|it| (std::cmp::Reverse(it.quality), it.kind == "*", it.subtype == "*"));
    res
}

fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u32>().unwrap_or(1).min(1) * 1000 + digits.parse::<u32>().unwrap_or(0)
}

/// What go-restful says when no type of the route fits.
fn not_acceptable(types: &[&str]) -> Status {
    let mut status = Status::new(
        406,
        "NotAcceptable",
        format!("406: Not Acceptable\n\nAvailable representations: {}", types.join(", ")),
    );
    status.details = Some(Box::default());
    status
}

/// What the server's own negotiation says.
fn only_accepted(types: &[&str]) -> Status {
    Status::new(406, "NotAcceptable", format!("only the following media types are accepted: {}", types.join(", ")))
}

/// go-restful's look at the header: exact types or `*/*`, whatever their parameters.
pub(crate) fn check_route(accept: &str, types: &[&str]) -> Result<(), Status> {
    let wanted = if accept.trim().is_empty() { "*/*" } else { accept };
    let fits = wanted
        .split(',')
        .map(|it| it.split(';').next().unwrap_or_default().trim())
        .any(|it| it == "*/*" || types.iter().any(|have| have.split(';').next() == Some(it)));
    if fits { Ok(()) } else { Err(not_acceptable(types)) }
}

/// Chooses format and shape for a resource.
pub(crate) fn resource(accept: &str, is_list: bool, pretty: bool) -> Result<Media, Status> {
    let mut types: Vec<&str> = RESOURCE_TYPES.to_vec();
    if is_list {
        types.extend(STREAM_TYPES);
    }
    check_route(accept, &types)?;
    choose(accept, pretty).ok_or_else(|| only_accepted(&RESOURCE_TYPES))
}

/// Chooses format and shape for a watch: no YAML.
pub(crate) fn stream(accept: &str) -> Result<Media, Status> {
    choose(accept, false).filter(|it| it.format != Format::Yaml).ok_or_else(|| only_accepted(&STREAM_TYPES))
}

fn choose(accept: &str, pretty: bool) -> Option<Media> {
    let json = if pretty { Format::Pretty } else { Format::Json };
    if accept.trim().is_empty() {
        return Some(Media { format: json, shape: Shape::Whole });
    }
    for clause in clauses(accept) {
        let Some(shape) = shape(&clause) else { continue };
        if !matches!(clause.param("stream"), "" | "watch") || !clause.param("sv").is_empty() {
            continue;
        }
        if clause.accepts("application", "json") {
            let format = if clause.param("pretty") == "1" { Format::Pretty } else { json };
            return Some(Media { format, shape });
        }
        if clause.accepts("application", "yaml") {
            return Some(Media { format: Format::Yaml, shape });
        }
        // Tables have no messages.
        if clause.accepts("application", "vnd.kubernetes.protobuf") && !matches!(shape, Shape::Table(_)) {
            return Some(Media { format: Format::Protobuf, shape });
        }
    }
    None
}

fn shape(clause: &Clause<'_>) -> Option<Shape> {
    let (kind, group, version) = (clause.param("as"), clause.param("g"), clause.param("v"));
    if kind.is_empty() && group.is_empty() && version.is_empty() {
        return Some(Shape::Whole);
    }
    let version = match version {
        "v1" => "v1",
        "v1beta1" => "v1beta1",
        _ => return None,
    };
    match kind {
        _ if group != "meta.k8s.io" => None,
        "Table" => Some(Shape::Table(version)),
        "PartialObjectMetadata" => Some(Shape::Metadata(version)),
        "PartialObjectMetadataList" => Some(Shape::MetadataList(version)),
        _ => None,
    }
}

/// The format in which a failure is told: what the client accepts, or else JSON.
pub(crate) fn for_status(accept: &str, pretty: bool) -> Format {
    choose(accept, pretty).map_or(if pretty { Format::Pretty } else { Format::Json }, |it| it.format)
}

/// Whether the client asks for an aggregated discovery document, and in which version.
pub(crate) fn aggregated(accept: &str) -> Option<&'static str> {
    clauses(accept).iter().find_map(|it| {
        match (it.accepts("application", "json"), it.param("g"), it.param("as"), it.param("v")) {
            (true, "apidiscovery.k8s.io", "APIGroupDiscoveryList", "v2") => Some(Some("v2")),
            (true, "apidiscovery.k8s.io", "APIGroupDiscoveryList", "v2beta1") => Some(Some("v2beta1")),
            (true, "", "", _) => Some(None),
            _ => None,
        }
    })?
}

/// How a body is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Input {
    Json,
    Yaml,
}

/// The format of a body, or 415. Protobuf is not read.
pub(crate) fn input(content_type: &str) -> Result<Input, Status> {
    let mime = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match mime.as_str() {
        _ if content_type.is_empty() => Ok(Input::Json),
        JSON => Ok(Input::Json),
        YAML => Ok(Input::Yaml),
        _ => Err(unsupported(&RESOURCE_TYPES)),
    }
}

/// Whether a body is in protobuf.
pub(crate) fn is_protobuf(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim() == PROTOBUF
}

/// 415 in the words of the server's negotiation.
pub(crate) fn unsupported(types: &[&str]) -> Status {
    let text = format!(
        "the body of the request was in an unknown format - accepted media types include: {}",
        types.join(", ")
    );
    Status::new(415, "UnsupportedMediaType", text)
}

/// 415 in the words of go-restful.
pub(crate) fn unsupported_route() -> Status {
    let mut status = Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
    status.details = Some(Box::default());
    status
}

/// Whether the answer is laid out for people: the query says, else the client's name.
pub(crate) fn pretty(query: &crate::query::Query, user_agent: &str) -> bool {
    match query.text("pretty") {
        Some(it) => matches!(it, "1" | "t" | "T" | "true" | "TRUE" | "True"),
        None => ["curl", "Wget", "Mozilla/5.0"].iter().any(|it| user_agent.starts_with(it)),
    }
}

/// Whether a subtype of `application` is among what the client takes.
pub(crate) fn accepts(accept: &str, subtype: &str) -> bool {
    accept.trim().is_empty() || clauses(accept).iter().any(|it| it.accepts("application", subtype))
}
