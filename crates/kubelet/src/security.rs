//! Whom containers run as (`verifyRunAsNonRoot`).

use meta::Object;
use value::Value;

use crate::image;

/// Well-known images whose processes are root's unless somebody says otherwise.
const ROOT: [&str; 22] = [
    "alpine", "bash", "busybox", "caddy", "centos", "debian", "fedora", "golang", "httpd", "mariadb", "mongo", "mysql",
    "nginx", "node", "openjdk", "perl", "php", "postgres", "python", "redis", "ruby", "ubuntu",
];

/// Why a container may not run as its image or its spec wants.
pub(crate) fn refusal(pod: &Object, container: &Value) -> Option<String> {
    let own = container.get("securityContext");
    let whole = pod.at("spec.securityContext");
    let field = |key: &str| own.and_then(|it| it.get(key)).or_else(|| whole.and_then(|it| it.get(key)));
    if field("runAsNonRoot").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    let why = match field("runAsUser").and_then(Value::as_i64) {
        Some(0) => "container's runAsUser breaks non-root policy",
        Some(_) => return None,
        None if is_root(container.str_at("image").unwrap_or("")) => {
            "container has runAsNonRoot and image will run as root"
        }
        None => return None,
    };
    let name = container.str_at("name").unwrap_or("");
    Some(format!("{why} (pod: \"{}_{}({})\", container: {name})", pod.name(), pod.namespace(), pod.meta.uid))
}

fn is_root(image: &str) -> bool {
    ROOT.contains(&image::short(image)) && image::is_official(image)
}
