//! Bodies: text to trees, trees to objects of the expected kind, with the real server's words for what does not fit
//! (`runtime/serializer`, `handlers.transformDecodeError`).

mod order;

use kinds::{ServedKind, api_version};
use meta::{Object, Status, quoted};
use schema::TypeId;
use value::{Map, Value, json, yaml};

use crate::layout;
use crate::negotiate::{self, Input};
use crate::options::FieldValidation;
use crate::server::ApiServer;

/// What the scheme of built-in kinds is called in messages.
const SCHEME: &str = "pkg/api/legacyscheme/scheme.go:30";
/// What `DeleteOptions` and the like are read with.
const META_SCHEME: &str = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27";
/// How much of a body that cannot be read is shown, in bytes.
const SHOWN_MAX: usize = 30;
/// Versions that are no longer served and still known.
const REMOVED: [&str; 9] = [
    "apps/v1beta1",
    "apps/v1beta2",
    "autoscaling/v2beta2",
    "batch/v1beta1",
    "coordination.k8s.io/v1beta1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "policy/v1beta1",
    "scheduling.k8s.io/v1beta1",
];
/// What go-yaml puts before the keys that a text has twice.
const YAML_PROBLEMS: &str = "yaml: unmarshal errors:\n";

/// A tree, and what of its text only strict reading minds.
pub(crate) struct Parsed<'a> {
    pub value: Value,
    /// Keys that JSON has twice, by path.
    duplicates: Vec<String>,
    /// Keys that YAML has twice, in go-yaml's words.
    yaml: Option<String>,
    /// JSON; empty for YAML, which is read in the order of the alphabet.
    text: &'a [u8],
}

impl Parsed<'_> {
    /// Everything that strict reading minds; `unknown` are the fields that the type does not have.
    pub fn problems(&self, unknown: &[String]) -> Vec<String> {
        if self.duplicates.len() + unknown.len() > 1 && !self.text.is_empty() {
            return order::in_order(self.text, &self.duplicates, unknown);
        }
        let duplicates = self.duplicates.iter().map(|it| format!("duplicate field {}", quoted(it)));
        self.yaml.iter().cloned().chain(duplicates).chain(unknown.iter().map(|it| unknown_field(it))).collect()
    }
}

pub(crate) fn unknown_field(path: &str) -> String {
    format!("unknown field {}", quoted(path))
}

/// Reads a body.
///
/// # Errors
/// What the parser says, in Go's words.
pub(crate) fn parse(body: &[u8], input: Input) -> Result<Parsed<'_>, String> {
    match input {
        Input::Json => match json::parse_strict(body) {
            Ok(it) => Ok(Parsed { value: it.value, duplicates: it.duplicates, yaml: None, text: body }),
            Err(error) => Err(error.message),
        },
        Input::Yaml => {
            let text = std::str::from_utf8(body).map_err(|_| "yaml: invalid leading UTF-8 octet".to_owned())?;
            let document = yaml::parse_document(text, 0).map_err(|it| it.message)?;
            let problems = document.duplicates.join("\n  ");
            let yaml = (!problems.is_empty()).then(|| format!("{YAML_PROBLEMS}  {problems}"));
            Ok(Parsed { value: document.value, duplicates: Vec::new(), yaml, text: b"" })
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
            kind: served.kind.kind,
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
            let shown = shown(body);
            Status::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): {why} ({shown})",
                expected.kind
            ))
        };
        let parsed = parse(body, input).map_err(|why| unrecognized(&not_readable(&why, input)))?;
        let (version, kind) = type_of(&parsed.value).map_err(|why| unrecognized(&why))?;
        let version = if version.is_empty() { expected.api_version() } else { version };
        let kind = if kind.is_empty() { expected.kind.to_owned() } else { kind };
        self.check_type(&version, &kind, &parsed.value, expected)?;
        let problems = |unknown: &[String]| parsed.problems(unknown);
        self.decode_tree(&parsed.value, expected.definition, &problems, validation, warnings)
            .map_err(|why| cannot_be_handled(&version, &kind, expected, &why))
    }

    /// Whether a body of this type may stand where another is expected.
    fn check_type(&self, version: &str, kind: &str, value: &Value, expected: &Expected<'_>) -> Result<(), Status> {
        // Evictions are taken in their older form, too.
        let also = (expected.kind, version) == ("Eviction", "policy/v1beta1");
        if kind == expected.kind && (also || version == expected.api_version()) {
            return Ok(());
        }
        if expected.definition.is_empty() && self.registry.by_kind(version, kind).is_none() {
            // Kinds without a scheme are told apart by version first.
            return Err(other_version(version, expected));
        }
        if !self.is_registered(version, kind) {
            return Err(cannot_be_handled(version, kind, expected, &not_registered(version, kind, SCHEME)));
        }
        if kind == expected.kind && version != expected.api_version() {
            return Err(other_version(version, expected));
        }
        let why = self.as_another(version, kind, value, expected.group, expected.kind);
        Err(cannot_be_handled(version, kind, expected, &why))
    }

    /// Why a tree that says that it is of another registered type cannot stand for a kind.
    fn as_another(&self, version: &str, kind: &str, value: &Value, group: &str, wanted: &str) -> String {
        // It is read as what it says it is before anybody sees that it is not wanted.
        if let Some(Err(why)) = definition(version, kind).map(|ty| self.schema.decode(ty, value)) {
            return why.0;
        }
        let short = version.rsplit('/').next().unwrap_or_default();
        format!("converting ({short}.{kind}) to ({}.{wanted}): unknown conversion", internal_package(group))
    }

    /// Why a tree that a JSON or merge patch made is no longer of the type of `before`.
    pub(crate) fn retyped(&self, tree: &Value, before: &Value) -> Option<String> {
        let (version, kind) = match type_of(tree) {
            Ok(it) => it,
            Err(why) => return Some(why),
        };
        let was = |key: &'static str| before.str_at(key).unwrap_or_default().to_owned();
        let kind = if kind.is_empty() { was("kind") } else { kind };
        if version.is_empty() || (&version, &kind) == (&was("apiVersion"), &was("kind")) {
            return None;
        }
        if !self.is_registered(&version, &kind) {
            return Some(not_registered(&version, &kind, SCHEME));
        }
        let version_before = was("apiVersion");
        let group = version_before.split_once('/').map_or("", |(group, _)| group);
        let same_group = version.split_once('/').map_or("", |(group, _)| group) == group;
        if same_group && kind == was("kind") {
            return None;
        }
        Some(self.as_another(&version, &kind, tree, group, &was("kind")))
    }

    /// Whether upstream's scheme knows the type: also lists, what is not served here, and versions that are served no more.
    fn is_registered(&self, version: &str, kind: &str) -> bool {
        let single = kind.strip_suffix("List").unwrap_or(kind);
        if self.registry.by_kind(version, single).is_some() {
            return true;
        }
        let is_object =
            |it: TypeId| ["apiVersion", "kind", "metadata"].iter().all(|key| self.schema.child(it, key).is_some());
        if definition(version, single).is_some_and(is_object) {
            return true;
        }
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let in_group = |it: ServedKind<'_>| it.kind.kind == single && (it.group() == group || group == "extensions");
        let is_there = match version {
            "apps/v1beta1" => !matches!(single, "DaemonSet" | "ReplicaSet"),
            "extensions/v1beta1" => matches!(
                single,
                "DaemonSet" | "Deployment" | "Ingress" | "NetworkPolicy" | "ReplicaSet" | "ReplicationController"
            ),
            _ => true,
        };
        is_there && REMOVED.contains(&version) && self.registry.served().any(in_group)
    }

    /// Decodes a tree as a type. `problems` adds what else strict reading minds to the fields that the type does not have.
    ///
    /// # Errors
    /// The bare reason.
    pub(crate) fn decode_tree(
        &self,
        value: &Value,
        definition: &str,
        problems: &dyn Fn(&[String]) -> Vec<String>,
        validation: FieldValidation,
        warnings: &mut Vec<String>,
    ) -> Result<Value, String> {
        let ty = self.schema.definition(definition);
        let decoded = ty.map(|ty| self.schema.decode(ty, value).map_err(|it| it.0)).transpose()?;
        let (value, unknown) = decoded.map_or_else(|| (value.clone(), Vec::new()), |it| (it.value, it.unknown));
        if validation != FieldValidation::Ignore {
            judge(&problems(&unknown), validation, warnings)?;
        }
        Ok(value)
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
        let kind = if kind.is_empty() { "DeleteOptions" } else { &kind };
        // They are known in every version.
        if kind != "DeleteOptions" {
            let version = if version.is_empty() { "v1" } else { &version };
            return Err(Status::bad_request(not_registered(version, kind, META_SCHEME)));
        }
        let Some(ty) = self.schema.definition("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions") else {
            return Ok(Some(parsed.value));
        };
        let decoded = self.schema.decode(ty, &parsed.value).map_err(|it| Status::bad_request(it.0))?;
        Ok(Some(decoded.value))
    }
}

/// Warns of what only strict reading minds, or refuses it.
///
/// # Errors
/// The bare reason.
pub(crate) fn judge(
    problems: &[String],
    validation: FieldValidation,
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    match validation {
        FieldValidation::Strict if !problems.is_empty() => {
            return Err(format!("strict decoding error: {}", problems.join(", ")));
        }
        FieldValidation::Warn => warn(warnings, problems),
        _ => (),
    }
    Ok(())
}

/// Warns of what only strict reading minds: of each line of what YAML's reader says (`parseYAMLWarnings`).
pub(crate) fn warn(warnings: &mut Vec<String>, problems: &[String]) {
    for problem in problems {
        match problem.strip_prefix(YAML_PROBLEMS) {
            Some(lines) => warnings.extend(lines.lines().map(|it| it.trim().to_owned())),
            None => warnings.push(problem.clone()),
        }
    }
}

fn not_registered(version: &str, kind: &str, scheme: &str) -> String {
    format!("no kind {} is registered for version {} in scheme {}", quoted(kind), quoted(version), quoted(scheme))
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

/// The schema of a type of a built-in group.
fn definition(version: &str, kind: &str) -> Option<TypeId> {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    layout::definition(group, version, kind)
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
        Input::Yaml => why.to_owned(),
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
        other => return cannot(other.json_type(), &format!("value of type {STRUCT}")),
    };
    let text = |key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::Str(it)) => Ok(it.as_str().to_owned()),
        Some(other) => Err((other.json_type(), key.to_owned())),
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

/// Whether a tree says in which version it is.
pub(crate) fn names_version(tree: &Value) -> bool {
    type_of(tree).map_or(true, |(version, _)| !version.is_empty())
}

/// A `resourceVersion` that is no number: upstream's storage stumbles over it as it updates.
///
/// # Errors
/// 500.
pub(crate) fn check_revision(whole: &Value) -> Result<(), Status> {
    let text = whole.str_at("metadata.resourceVersion").unwrap_or_default();
    let why = if text.is_empty() || text.parse::<u64>().is_ok() && !text.starts_with('+') {
        return Ok(());
    } else if text.bytes().all(|it| it.is_ascii_digit()) {
        "value out of range"
    } else {
        "invalid syntax"
    };
    Err(Status::new(500, "", format!("strconv.ParseUint: parsing {}: {why}", quoted(text))))
}

/// The beginning of a body as messages show it: JSON objects as text, anything else as hexadecimal digits.
fn shown(body: &[u8]) -> String {
    if body.is_empty() {
        return "<empty>".to_owned();
    }
    let cut = &body[..body.len().min(SHOWN_MAX)];
    let more = if body.len() > SHOWN_MAX { " ..." } else { "" };
    let text = if body.first() == Some(&b'{') {
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
