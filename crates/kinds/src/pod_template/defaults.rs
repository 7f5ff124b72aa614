//! Defaults of a pod's spec (`pkg/apis/core/v1/defaults.go`). What is complete stays shared.

use value::{Map, Str, Value};

use super::fields::{flag, has, int, text};
use super::resources;

/// Whether a spec is a pod's own or a template's: some defaults only pods get.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Pod,
    Template,
}

fn set_text(map: &mut Map, key: &str, text: &str) {
    if super::fields::text(map, key).is_empty() {
        map.insert(key, Str::literal(text));
    }
}

/// Sets a number that is absent or 0.
fn set_int(map: &mut Map, key: &str, value: i64) {
    if int(map, key) == 0 {
        map.insert(key, value);
    }
}

fn set_absent(map: &mut Map, key: &str, value: impl FnOnce() -> Value) {
    if !has(map, key) {
        map.insert(key, value());
    }
}

/// `SetDefaults_PodSpec` and, for pods, `SetDefaults_Pod`, in upstream's order.
pub(crate) fn spec(spec: &mut Map, of: Of) {
    for key in ["containers", "initContainers", "ephemeralContainers"] {
        spec.edit(key, |items| {
            let Value::List(items) = items else { return };
            items.edit_each(&mut |_, item| {
                // Go reads a null item as a struct of zero values.
                if item.is_null() {
                    *item = Value::map();
                }
                if let Value::Map(item) = item {
                    container(item);
                }
            });
        });
    }
    spec.edit_maps("volumes", volume);
    resources::round(spec, "overhead");
    spec.edit_map("resources", round_requirements);
    if of == Of::Pod {
        pod_only(spec);
    }
    set_text(spec, "dnsPolicy", "ClusterFirst");
    set_text(spec, "restartPolicy", "Always");
    set_absent(spec, "securityContext", Value::map);
    set_absent(spec, "terminationGracePeriodSeconds", || 30.into());
    set_text(spec, "schedulerName", "default-scheduler");
    same_service_account(spec);
    if of == Of::Pod && int(spec, "terminationGracePeriodSeconds") < 0 {
        spec.insert("terminationGracePeriodSeconds", 1);
    }
}

fn pod_only(spec: &mut Map) {
    spec.edit_maps("containers", resources::request_what_is_limited);
    spec.edit_maps("initContainers", resources::request_what_is_limited);
    if has(spec, "resources") {
        resources::default_pod_level(spec);
    }
    set_absent(spec, "enableServiceLinks", || true.into());
    if flag(spec, "hostNetwork") {
        for key in ["containers", "initContainers"] {
            spec.edit_maps(key, |container| container.edit_maps("ports", host_port));
        }
    }
}

fn host_port(port: &mut Map) {
    let container_port = int(port, "containerPort");
    if int(port, "hostPort") == 0 && container_port != 0 {
        port.insert("hostPort", container_port);
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are shown, the new one counts.
fn same_service_account(spec: &mut Map) {
    let name = match text(spec, "serviceAccountName") {
        "" => text(spec, "serviceAccount"),
        name => name,
    };
    if name.is_empty() || (text(spec, "serviceAccountName") == name && text(spec, "serviceAccount") == name) {
        return;
    }
    let name = Str::from(name);
    spec.insert("serviceAccount", &name);
    spec.insert("serviceAccountName", name);
}

/// Fields of features that are off in 1.36 are dropped without a word (`dropDisabledFields`).
pub(crate) fn drop_disabled(spec: &mut Map) {
    drop_field(spec, "schedulingGroup");
    for key in ["containers", "initContainers", "ephemeralContainers"] {
        spec.edit_maps(key, |container| {
            container.edit_map("lifecycle", |it| drop_field(it, "stopSignal"));
            if container.get("lifecycle").and_then(Value::as_map).is_some_and(Map::is_empty) {
                container.remove("lifecycle");
            }
        });
    }
    spec.edit_maps("volumes", |volume| {
        volume.edit_map("projected", |projected| {
            projected.edit_maps("sources", |source| {
                drop_field(source, "clusterTrustBundle");
                drop_field(source, "podCertificate");
            });
        });
    });
}

fn drop_field(map: &mut Map, key: &str) {
    if map.contains_key(key) {
        map.remove(key);
    }
}

fn container(container: &mut Map) {
    if text(container, "imagePullPolicy").is_empty() {
        let policy = pull_policy(text(container, "image"));
        container.insert("imagePullPolicy", Str::literal(policy));
    }
    set_text(container, "terminationMessagePath", "/dev/termination-log");
    set_text(container, "terminationMessagePolicy", "File");
    set_absent(container, "resources", Value::map);
    container.edit_maps("ports", |port| set_text(port, "protocol", "TCP"));
    container.edit_maps("env", |variable| {
        variable.edit_map("valueFrom", |source| {
            source.edit_map("fieldRef", field_ref);
            source.edit_map("fileKeyRef", |file| set_absent(file, "optional", || false.into()));
        });
    });
    container.edit_map("resources", round_requirements);
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        container.edit_map(key, probe);
    }
    container.edit_map("lifecycle", |lifecycle| {
        for key in ["postStart", "preStop"] {
            lifecycle.edit_map(key, |handler| handler.edit_map("httpGet", http_get));
        }
    });
}

fn round_requirements(requirements: &mut Map) {
    resources::round(requirements, "limits");
    resources::round(requirements, "requests");
}

fn probe(probe: &mut Map) {
    set_int(probe, "timeoutSeconds", 1);
    set_int(probe, "periodSeconds", 10);
    set_int(probe, "successThreshold", 1);
    set_int(probe, "failureThreshold", 3);
    probe.edit_map("httpGet", http_get);
    probe.edit_map("grpc", |grpc| set_absent(grpc, "service", || "".into()));
}

fn http_get(action: &mut Map) {
    set_text(action, "path", "/");
    set_text(action, "scheme", "HTTP");
}

fn field_ref(selector: &mut Map) {
    set_text(selector, "apiVersion", "v1");
}

fn file_mode(source: &mut Map) {
    const READ_FOR_ALL: i64 = 0o644;
    set_absent(source, "defaultMode", || READ_FOR_ALL.into());
}

fn volume(volume: &mut Map) {
    // A volume of no kind is an empty directory.
    if volume.iter().all(|(key, value)| key == "name" || value.is_null()) {
        volume.insert("emptyDir", Value::map());
    }
    volume.edit_map("image", |image| {
        if text(image, "pullPolicy").is_empty() {
            let policy = pull_policy(text(image, "reference"));
            image.insert("pullPolicy", policy);
        }
    });
    volume.edit_map("hostPath", |source| set_absent(source, "type", || "".into()));
    volume.edit_map("secret", file_mode);
    volume.edit_map("configMap", file_mode);
    volume.edit_map("downwardAPI", |source| {
        file_mode(source);
        source.edit_maps("items", |item| item.edit_map("fieldRef", field_ref));
    });
    volume.edit_map("projected", projected);
    volume.edit_map("iscsi", |source| set_text(source, "iscsiInterface", "default"));
    volume.edit_map("rbd", |source| {
        set_text(source, "pool", "rbd");
        set_text(source, "user", "admin");
        set_text(source, "keyring", "/etc/ceph/keyring");
    });
    volume.edit_map("azureDisk", |source| {
        set_absent(source, "cachingMode", || "ReadWrite".into());
        set_absent(source, "fsType", || "ext4".into());
        set_absent(source, "readOnly", || false.into());
        set_absent(source, "kind", || "Shared".into());
    });
    volume.edit_map("scaleIO", |source| {
        set_text(source, "storageMode", "ThinProvisioned");
        set_text(source, "fsType", "xfs");
    });
    volume.edit_map("ephemeral", |source| {
        source.edit_map("volumeClaimTemplate", |template| {
            template.edit_map("spec", claim_spec);
        });
    });
}

/// Fills in a `PersistentVolumeClaimSpec`.
pub fn claim_spec(claim: &mut Map) {
    set_absent(claim, "volumeMode", || "Filesystem".into());
    claim.edit_map("resources", round_requirements);
}

fn projected(source: &mut Map) {
    const TOKEN_SECONDS: i64 = 3600;
    file_mode(source);
    source.edit_maps("sources", |source| {
        source.edit_map("downwardAPI", |files| {
            files.edit_maps("items", |item| item.edit_map("fieldRef", field_ref));
        });
        source.edit_map("serviceAccountToken", |token| set_absent(token, "expirationSeconds", || TOKEN_SECONDS.into()));
    });
}

/// `Always` for the tag `latest` (no tag and no digest means it too), else `IfNotPresent`; also for a name that is no image's.
fn pull_policy(image: &str) -> &'static str {
    if is_latest(image) == Some(true) { "Always" } else { "IfNotPresent" }
}

/// Whether an image reference has the tag `latest`; `None` for what is no reference (`reference.ParseNormalizedNamed`).
fn is_latest(image: &str) -> Option<bool> {
    let (named, digest) = match image.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (image, None),
    };
    let tag_at = named.rfind(':').filter(|colon| named.rfind('/').is_none_or(|slash| slash < *colon));
    let (name, tag) = match tag_at {
        Some(colon) => (&named[..colon], Some(&named[colon + 1..])),
        None => (named, None),
    };
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let valid_tag = |tag: &str| {
        tag.len() <= 128
            && tag.bytes().next().is_some_and(word)
            && tag.bytes().all(|c| word(c) || matches!(c, b'.' | b'-'))
    };
    let valid_digest = |digest: &str| {
        let Some((algorithm, hex)) = digest.split_once(':') else { return false };
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return false,
        };
        hex.len() == length && hex.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
    };
    let path = match name.split_once('/') {
        Some((host, path))
            if host.contains(['.', ':']) || host == "localhost" || host.bytes().any(|c| c.is_ascii_uppercase()) =>
        {
            path
        }
        _ => name,
    };
    let identifier = image.len() == 64 && image.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    let valid = !identifier
        && path.split('/').all(is_path_component)
        && tag.is_none_or(valid_tag)
        && digest.is_none_or(valid_digest);
    valid.then_some(match tag {
        Some(tag) => tag == "latest",
        None => digest.is_none(),
    })
}

/// Lower-case letters and digits with single `.`, `_`, double `__` or any number of `-` between.
fn is_path_component(text: &str) -> bool {
    let separator = |c: u8| matches!(c, b'.' | b'_' | b'-');
    let allowed = text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || separator(c));
    let edges =
        !text.is_empty() && !text.bytes().next().is_some_and(separator) && !text.bytes().last().is_some_and(separator);
    let runs = text
        .split(|c: char| c.is_ascii_alphanumeric())
        .all(|run| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|c| c == b'-'));
    allowed && edges && runs
}
