use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use expect_test::expect;
use meta::{Errors, Object};
use schema::Schema;
use value::{List, Value, json};

use super::{POD, Registry, ServedKind, all, object_meta};

#[test]
fn every_kind_has_a_schema() {
    let schema = schema::Schema::load();
    let registry = Registry::builtin();
    let lost: Vec<&str> =
        registry.served().map(|it| it.definition()).filter(|it| schema.definition(it).is_none()).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn names_of_resources_are_unique() {
    let mut seen = BTreeSet::new();
    for kind in all() {
        for name in kind.short_names.iter().chain([&kind.plural]) {
            assert!(seen.insert((kind.group, *name)), "{name}");
        }
    }
}

/// `AllowCreateOnUpdate` and `AllowUnconditionalUpdate` of upstream's strategies.
#[test]
fn puts_create_and_overwrite_where_upstream_lets_them() {
    let named = |is: fn(&crate::Strategy) -> bool| {
        all().iter().filter(|it| is(&it.strategy)).map(|it| it.kind).collect::<Vec<_>>().join(" ")
    };
    expect!["ClusterRole ClusterRoleBinding Endpoints Event Lease LimitRange Role RoleBinding RuntimeClass Service"]
        .assert_eq(&named(|it| it.create_on_update));
    expect!["APIService CSIDriver CSINode CSIStorageCapacity Lease MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration PodDisruptionBudget RuntimeClass ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration VolumeAttachment"].assert_eq(&named(|it| !it.unconditional_update));
}

/// One recorded creation: where, what, and the answer.
struct Record {
    source: String,
    path: String,
    body: Value,
    code: i64,
    answer: Value,
    warnings: Vec<String>,
}

fn records(corpus: &Path, file: &str, manifests: &str) -> Vec<Record> {
    let text = std::fs::read_to_string(corpus.join("recorded").join(file)).unwrap();
    let mut res = Vec::new();
    for line in text.lines() {
        let it = json::parse(masked(line).as_bytes()).unwrap();
        let whole = it.get("response").unwrap_or(&it);
        let text = |path: &str| it.str_at(path).unwrap_or("").to_owned();
        let (source, path, body) = if manifests.is_empty() {
            (text("src"), text("request.path"), it.at("request.body").cloned().unwrap_or_default())
        } else {
            let idx = it.i64_at("doc").unwrap_or(0) as usize;
            let documents = documents(&corpus.join(manifests).join(text("file")));
            let Some(body) = documents.get(idx).cloned() else { continue };
            (format!("{}#{idx}", text("file")), text("path"), body)
        };
        res.push(Record {
            source,
            path,
            body,
            code: whole.i64_at("code").unwrap_or(0),
            answer: whole.get("body").cloned().unwrap_or_default(),
            warnings: whole
                .list_at("warnings")
                .iter()
                .filter_map(Value::as_str)
                // What is said of whole versions is not the kind's.
                .filter(|it| !it.contains("Endpoints is deprecated"))
                .map(str::to_owned)
                .collect(),
        });
    }
    res
}

/// The objects of a file, lists unpacked.
fn documents(path: &Path) -> Vec<Value> {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let mut res = Vec::new();
    for document in value::yaml::read_documents(&text).into_iter().map_while(Result::ok) {
        let it = document.value;
        if it.str_at("kind").is_some_and(|it| it.ends_with("List")) && it.get("items").is_some() {
            res.extend(it.list_at("items").iter().cloned());
        } else if it.as_map().is_some() {
            res.push(it);
        }
    }
    res
}

/// The object and the warnings, or the errors.
type Created = Result<(Value, Vec<String>), Vec<String>>;

/// What making the object would answer, admission aside; `None` where something before the kind's rules refuses it.
fn create(schema: &Schema, served: ServedKind<'_>, namespace: &str, body: &Value) -> Option<Created> {
    let ty = schema.definition(served.definition())?;
    let decoded = schema.decode(ty, body).ok()?;
    if !decoded.unknown.is_empty() {
        return None;
    }
    let kind = served.kind;
    let mut it = Object::from_map(kind.id, decoded.value.as_map()?);
    if let Some(served) = served.served {
        it = (served.from)(&it);
    }
    it.meta.namespace = namespace.into();
    it.meta.created = Some(0);
    it.meta.uid = "uid".into();
    (kind.strategy.default)(&mut it);
    if it.meta.name.is_empty() && !it.meta.generate_name.is_empty() {
        it.meta.name = format!("{}abcde", it.meta.generate_name).into();
    }
    if kind.id == crate::NODE {
        // As admission does.
        let taint = value::value!({ "effect": "NoSchedule", "key": "node.kubernetes.io/not-ready" });
        let taints: List = it.list_at("spec.taints").iter().cloned().chain([taint]).collect();
        it.set("spec.taints", taints);
    }
    for (of, finalizer) in [
        (crate::PERSISTENT_VOLUME, "kubernetes.io/pv-protection"),
        (crate::PERSISTENT_VOLUME_CLAIM, "kubernetes.io/pvc-protection"),
        (crate::VOLUME_ATTRIBUTES_CLASS, "kubernetes.io/vac-protection"),
    ] {
        if kind.id == of {
            it.meta.finalizers = it.meta.finalizers.iter().cloned().chain([finalizer.into()]).collect();
        }
    }
    if kind.id == crate::SERVICE {
        if let Err(errors) = crate::service::complete(&mut it, None) {
            return Some(Err(shown(&errors)));
        }
        if crate::service::needs_health_check(it.map_at("spec")?) {
            it.set("spec.healthCheckNodePort", 32771);
        }
    }
    (kind.strategy.prepare_create)(&mut it);
    if kind.strategy.generation {
        it.meta.generation = 1;
    }
    let mut errors = Errors::new();
    object_meta::validate(&it.meta, None, kind, &mut errors);
    (kind.strategy.validate)(&it, &mut errors);
    if let Some(served) = served.served {
        (served.validate)(&it, None, &mut errors);
    }
    if !errors.is_empty() {
        return Some(Err(shown(&errors)));
    }
    (kind.strategy.finish)(&mut it);
    let warnings = (kind.strategy.warnings)(&it, None);
    let warnings = warnings.iter().map(|it| format!("299 - {}", meta::quoted(it))).collect();
    if let Some(served) = served.served {
        it = (served.to)(&it);
    }
    Some(Ok((plain(&it.to_value("", "")), warnings)))
}

/// Files of records, and where the manifests are that they tell of.
const RECORDED: [(&str, &str); 4] = [
    ("minimal-objects-every-resource.jsonl", ""),
    ("validation-create-dryrun.jsonl", ""),
    ("manifests-website-examples.jsonl", "website-examples"),
    ("manifests-real-world.jsonl", "real-world"),
];

fn shown(errors: &Errors) -> Vec<String> {
    let mut res: Vec<String> = errors.list.iter().map(ToString::to_string).collect();
    res.sort();
    res
}

fn causes(body: &Value) -> Vec<String> {
    let text = |it: &Value, key: &str| it.str_at(key).unwrap_or("").to_owned();
    let mut res: Vec<String> = body
        .list_at("details.causes")
        .iter()
        .map(|it| match text(it, "field") {
            field if field.is_empty() => format!("<nil>: {}", text(it, "message")),
            field => format!("{field}: {}", text(it, "message")),
        })
        .collect();
    res.sort();
    res
}

/// Text with every random uid replaced.
fn masked(text: &str) -> String {
    const UID: [usize; 5] = [8, 4, 4, 4, 12];
    let is_uid = |it: &str| {
        let parts: Vec<usize> = it.split('-').map(str::len).collect();
        parts == UID && it.bytes().all(|it| it == b'-' || it.is_ascii_hexdigit())
    };
    let mut res = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (word, len) = match rest.get(..36).filter(|it| is_uid(it)) {
            Some(_) => ("uid", 36),
            None => (&rest[..c.len_utf8()], c.len_utf8()),
        };
        res.push_str(word);
        rest = &rest[len..];
    }
    res
}

/// The recorded object as [`create`] shows it.
fn plain(answer: &Value) -> Value {
    let mut it = Object::from_map(meta::KindId(0), answer.as_map().unwrap());
    it.meta.managed = Default::default();
    it.meta.created = None;
    it.meta.uid = Default::default();
    it.meta.revision = Default::default();
    for given in ["status.lastPhaseTransitionTime", "spec.healthCheckNodePort", "spec.clusterIP", "spec.clusterIPs"] {
        it.remove(given);
    }
    it.body.edit_map("status", |status| {
        status.edit_maps("conditions", |it| {
            it.remove("lastTransitionTime");
        });
    });
    it.body.edit_map("spec", |spec| {
        spec.edit_maps("ports", |it| {
            it.remove("nodePort");
        });
    });
    it.to_value("", "")
}

#[test]
fn recorded_creations_are_the_same() {
    let Some(corpus) = std::env::var_os("DRYDOCK_CORPUS").map(PathBuf::from) else { return };
    let (schema, registry) = (Schema::load(), Registry::builtin());
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut shown = String::new();
    for (file, manifests) in RECORDED {
        for record in records(&corpus, file, manifests) {
            let parts: Vec<&str> = record.path.trim_matches('/').split('/').collect();
            let (group, version, rest) = match parts.as_slice() {
                ["api", version, rest @ ..] => ("", *version, rest),
                ["apis", group, version, rest @ ..] => (*group, *version, rest),
                _ => continue,
            };
            let (namespace, plural) = match rest {
                ["namespaces", namespace, plural] => (*namespace, *plural),
                [plural] => ("", *plural),
                _ => continue,
            };
            let Some(served) = registry.by_resource(group, version, plural) else { continue };
            if served.kind.id == POD {
                continue;
            }
            let Some(have) = create(&schema, served, namespace, &record.body) else { continue };
            let want = match record.code {
                201 => Ok((plain(&record.answer), record.warnings.clone())),
                422 if record.answer.str_at("message").is_some_and(|it| it.contains("failed to allocate IP")) => {
                    continue;
                }
                422 => Err(causes(&record.answer)),
                _ => continue,
            };
            let count = counts.entry(plural.to_owned()).or_default();
            if have == want {
                count.0 += 1;
            } else {
                count.1 += 1;
                let show = |it: &Created| match it {
                    Ok((value, warnings)) => format!("{} {warnings:?}", json::to_string(value)),
                    Err(errors) => format!("{errors:#?}"),
                };
                shown.push_str(&format!(
                    "{} {plural}\n  have {}\n  want {}\n",
                    record.source,
                    show(&have),
                    show(&want)
                ));
            }
        }
    }
    let table: Vec<String> =
        counts.iter().map(|(plural, (same, other))| format!("{plural} {same}/{}", same + other)).collect();
    assert!(shown.is_empty(), "{}\n{shown}", table.join(", "));
}
