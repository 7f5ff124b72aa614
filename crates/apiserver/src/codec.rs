//! Bodies: text to trees, trees to objects of the expected kind, with the real server's words for what does not fit
//! (`runtime/serializer`, `handlers.transformDecodeError`).

use kinds::{Registry, ServedKind, api_version};
use meta::{Object, Status, quoted};
use value::{Map, Value, json, yaml};

use crate::negotiate::{self, Input};
use crate::options::FieldValidation;
use crate::server::ApiServer;

/// What the scheme of built-in kinds is called in messages.
const SCHEME: &str = "pkg/api/legacyscheme/scheme.go:30";
/// What `DeleteOptions` and the like are read with.
const META_SCHEME: &str = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27";
/// How much of a body that cannot be read is shown, in bytes.
const SHOWN_MAX: usize = 30;
/// Of a list of problems this many are told.
const PROBLEMS_MAX: usize = 10;

/// A tree and what strict reading would have refused.
pub(crate) struct Parsed {
    pub value: Value,
    pub problems: Vec<String>,
}

/// Reads a body.
///
/// # Errors
/// What the parser says, in Go's words.
pub(crate) fn parse(body: &[u8], input: Input) -> Result<Parsed, String> {
    match input {
        Input::Json => match json::parse_strict(body) {
            Ok(it) => {
                let problems = it.duplicates.iter().map(|it| format!("duplicate field {}", quoted(it))).collect();
                Ok(Parsed { value: it.value, problems })
            }
            Err(error) => Err(error.message),
        },
        Input::Yaml => {
            let text = std::str::from_utf8(body).map_err(|_| "yaml: invalid leading UTF-8 octet".to_owned())?;
            let first = yaml::read_documents(text).into_iter().next();
            let document = match first {
                Some(it) => it.map_err(|it| it.message)?,
                None => return Ok(Parsed { value: Value::Null, problems: Vec::new() }),
            };
            let mut problems = Vec::new();
            if !document.duplicates.is_empty() {
                problems.push(format!("yaml: unmarshal errors:\n  {}", document.duplicates.join("\n  ")));
            }
            Ok(Parsed { value: document.value, problems })
        }
    }
}

/// A kind that a body may hold.
pub(crate) struct Expected<'a> {
    pub group: &'a str,
    pub version: &'a str,
    pub kind: &'a str,
    /// The schema's definition; empty: anything goes.
    pub definition: &'a str,
}

impl<'a> Expected<'a> {
    pub fn of(served: &ServedKind<'a>) -> Expected<'a> {
        Expected {
            group: served.group(),
            version: served.version(),
            kind: &served.kind.kind,
            definition: served.definition(),
        }
    }

    fn api_version(&self) -> String {
        api_version(self.group, self.version)
    }
}

impl ApiServer {
    /// Reads a body as an object of the expected kind, in the form in which the API would write it.
    ///
    /// # Errors
    /// 400, 415.
    pub(crate) fn decode_body(
        &self,
        body: &[u8],
        content_type: &str,
        expected: &Expected<'_>,
        validation: FieldValidation,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Status> {
        let input = negotiate::input(content_type)?;
        let unrecognized = |why: &str| {
            let shown = shown(body, input);
            Status::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): {why} ({shown})",
                expected.kind
            ))
        };
        let parsed = parse(body, input).map_err(|why| unrecognized(&not_readable(&why, input)))?;
        let (version, kind) = type_of(&parsed.value).map_err(|why| unrecognized(&why))?;
        let version = if version.is_empty() { expected.api_version() } else { version };
        let kind = if kind.is_empty() { expected.kind.to_owned() } else { kind };
        self.check_type(&version, &kind, expected)?;
        self.decode_value(parsed, expected, validation, warnings)
            .map_err(|why| cannot_be_handled(&version, &kind, expected, &why))
    }

    /// Whether a body of this type may stand where another is expected.
    fn check_type(&self, version: &str, kind: &str, expected: &Expected<'_>) -> Result<(), Status> {
        if version == expected.api_version() && kind == expected.kind {
            return Ok(());
        }
        if expected.definition.is_empty() && self.registry.by_kind(version, kind).is_none() {
            // Kinds without a scheme are told apart by version first.
            return Err(other_version(version, expected));
        }
        if !is_registered(&self.registry, version, kind) {
            let why = format!(
                "no kind {} is registered for version {} in scheme {}",
                quoted(kind),
                quoted(version),
                quoted(SCHEME)
            );
            return Err(cannot_be_handled(version, kind, expected, &why));
        }
        if kind == expected.kind && version != expected.api_version() {
            return Err(other_version(version, expected));
        }
        let short = version.rsplit('/').next().unwrap_or_default();
        let internal = internal_package(expected.group);
        let why = format!("converting ({short}.{kind}) to ({internal}.{}): unknown conversion", expected.kind);
        Err(cannot_be_handled(version, kind, expected, &why))
    }

    /// Decodes what has been read; the error is the bare reason.
    fn decode_value(
        &self,
        parsed: Parsed,
        expected: &Expected<'_>,
        validation: FieldValidation,
        warnings: &mut Vec<String>,
    ) -> Result<Value, String> {
        let Some(ty) = self.schema.definition(expected.definition) else { return Ok(parsed.value) };
        let decoded = self.schema.decode(ty, &parsed.value).map_err(|it| it.0)?;
        let mut problems = parsed.problems;
        problems.extend(decoded.unknown.iter().map(|it| format!("unknown field {}", quoted(it))));
        report(problems, validation, warnings)?;
        Ok(decoded.value)
    }

    /// Decodes a tree that is no text any more, such as a patched object.
    ///
    /// # Errors
    /// The bare reason.
    pub(crate) fn decode_tree(
        &self,
        value: &Value,
        definition: &str,
        validation: FieldValidation,
        warnings: &mut Vec<String>,
    ) -> Result<Value, String> {
        let expected = Expected { group: "", version: "", kind: "", definition };
        self.decode_value(Parsed { value: value.clone(), problems: Vec::new() }, &expected, validation, warnings)
    }

    /// Reads `DeleteOptions`; an empty body has none.
    ///
    /// # Errors
    /// 400, 415.
    pub(crate) fn decode_options(&self, body: &[u8], content_type: &str) -> Result<Option<Value>, Status> {
        if body.is_empty() {
            return Ok(None);
        }
        let input = negotiate::input(content_type)?;
        let parsed = parse(body, input).map_err(|why| Status::bad_request(not_readable(&why, input)))?;
        let (version, kind) = type_of(&parsed.value).map_err(Status::bad_request)?;
        if !kind.is_empty() && kind != "DeleteOptions" {
            return Err(Status::bad_request(format!(
                "no kind {} is registered for version {} in scheme {}",
                quoted(&kind),
                quoted(if version.is_empty() { "v1" } else { &version }),
                quoted(META_SCHEME)
            )));
        }
        let Some(ty) = self.schema.definition("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions") else {
            return Ok(Some(parsed.value));
        };
        let decoded = self.schema.decode(ty, &parsed.value).map_err(|it| Status::bad_request(it.0))?;
        Ok(Some(decoded.value))
    }
}

/// What is done about problems that only strict reading minds.
///
/// # Errors
/// The bare reason, where the client asked for strictness.
fn report(problems: Vec<String>, validation: FieldValidation, warnings: &mut Vec<String>) -> Result<(), String> {
    match validation {
        FieldValidation::Strict if !problems.is_empty() => {
            Err(format!("strict decoding error: {}", problems.join(", ")))
        }
        FieldValidation::Warn => {
            warnings.extend(problems.into_iter().take(PROBLEMS_MAX));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn other_version(version: &str, expected: &Expected<'_>) -> Status {
    Status::bad_request(format!(
        "the API version in the data ({version}) does not match the expected API version ({})",
        expected.api_version()
    ))
}

/// `Pod in version "v1" cannot be handled as a DaemonSet: …`
fn cannot_be_handled(version: &str, kind: &str, expected: &Expected<'_>, why: &str) -> Status {
    let short = version.rsplit('/').next().unwrap_or_default();
    Status::bad_request(format!("{kind} in version {} cannot be handled as a {}: {why}", quoted(short), expected.kind))
}

/// Whether upstream's scheme knows the type: also lists and versions that are no longer served.
fn is_registered(registry: &Registry, version: &str, kind: &str) -> bool {
    let single = kind.strip_suffix("List").unwrap_or(kind);
    if registry.by_kind(version, kind).is_some() || registry.by_kind(version, single).is_some() {
        return true;
    }
    const REMOVED: [&str; 7] = [
        "apps/v1beta1",
        "apps/v1beta2",
        "batch/v1beta1",
        "extensions/v1beta1",
        "networking.k8s.io/v1beta1",
        "policy/v1beta1",
        "autoscaling/v2beta2",
    ];
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let in_group = |it: ServedKind<'_>| it.kind.kind == single && (it.group() == group || group == "extensions");
    REMOVED.contains(&version) && registry.served().any(in_group)
}

/// The Go package of a group's internal types.
fn internal_package(group: &str) -> &str {
    match group.split('.').next() {
        Some("" | "events") | None => "core",
        Some(it) => it,
    }
}

fn not_readable(why: &str, input: Input) -> String {
    match input {
        Input::Json => format!("couldn't get version/kind; json parse error: {why}"),
        Input::Yaml if why.starts_with("yaml:") => {
            format!("couldn't get version/kind; json parse error: error converting YAML to JSON: {why}")
        }
        Input::Yaml => format!("couldn't get version/kind; json parse error: {why}"),
    }
}

/// `apiVersion` and `kind`; empty where they are missing.
///
/// # Errors
/// The bare reason.
fn type_of(value: &Value) -> Result<(String, String), String> {
    const STRUCT: &str =
        r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
    let cannot = |what: &str, place: &str| {
        Err(format!("couldn't get version/kind; json parse error: json: cannot unmarshal {what} into Go {place}"))
    };
    let map = match value {
        Value::Map(map) => map,
        Value::Null => return Ok((String::new(), String::new())),
        other => return cannot(go_kind(other), &format!("value of type {STRUCT}")),
    };
    let text = |key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::Str(it)) => Ok(it.as_str().to_owned()),
        Some(other) => Err((go_kind(other), key.to_owned())),
    };
    let read = text("apiVersion").and_then(|version| Ok((version, text("kind")?)));
    match read {
        Ok((version, _)) if version.matches('/').count() > 1 => {
            Err(format!("unexpected GroupVersion string: {version}"))
        }
        Ok(it) => Ok(it),
        Err((what, key)) => cannot(what, &format!("struct field .{key} of type string")),
    }
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Decimal(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

/// The beginning of a body as messages show it: JSON objects as text, anything else as hexadecimal digits.
fn shown(body: &[u8], input: Input) -> String {
    if body.is_empty() {
        return "<empty>".to_owned();
    }
    let cut = &body[..body.len().min(SHOWN_MAX)];
    let more = if body.len() > SHOWN_MAX { " ..." } else { "" };
    let looks_like_text = body.first() == Some(&b'{') && !matches!(input, Input::Yaml);
    let text = if looks_like_text {
        String::from_utf8_lossy(cut).into_owned()
    } else {
        cut.iter().map(|it| format!("{it:02x}")).collect()
    };
    format!("{text}{more}")
}

/// The stored form of a whole tree.
pub(crate) fn object_of(kind: &ServedKind<'_>, whole: &Value) -> Object {
    let empty = Map::new();
    let object = Object::from_map(kind.kind.id, whole.as_map().unwrap_or(&empty));
    match kind.served {
        Some(served) => (served.from)(&object),
        None => object,
    }
}
