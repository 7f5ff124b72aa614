//! Dependencies point down; siblings do not know each other; the engine takes few crates from outside.

use super::Finding;
use crate::process::Res;
use serde_json::Value;

/// A crate of ours: what of ours it may use, and what from outside.
struct Layer {
    name: &'static str,
    ours: &'static [&'static str],
    outside: Outside,
}

enum Outside {
    /// Engine: pure, small crates only.
    Only(&'static [&'static str]),
    /// Host: the licence is the only limit.
    Any,
}

const MACHINERY: &[&str] = &["value", "sim", "meta", "cron", "schema", "merge", "store", "kinds"];
const ACTORS_USE: &[&str] =
    &["value", "sim", "meta", "cron", "schema", "merge", "store", "kinds", "apiserver", "runtime"];
const ENGINE: &[&str] = &[
    "value",
    "sim",
    "meta",
    "cron",
    "schema",
    "merge",
    "store",
    "kinds",
    "apiserver",
    "runtime",
    "controllers",
    "scheduler",
    "kubelet",
    "network",
];
const HOSTS_USE: &[&str] = &["value", "sim", "meta", "schema", "kinds", "cluster", "kubectl", "view"];

/// Lowest first.
const LAYERS: &[Layer] = &[
    Layer { name: "value", ours: &[], outside: Outside::Only(&["arcstr", "chrono", "libyaml-safer", "triomphe"]) },
    Layer { name: "sim", ours: &[], outside: Outside::Only(&[]) },
    Layer { name: "meta", ours: &["value"], outside: Outside::Only(&["hashbrown"]) },
    Layer { name: "cron", ours: &["value", "meta"], outside: Outside::Only(&["chrono"]) },
    Layer { name: "schema", ours: &["value"], outside: Outside::Only(&[]) },
    Layer { name: "merge", ours: &["value", "meta", "schema"], outside: Outside::Only(&[]) },
    Layer { name: "store", ours: &["value", "meta"], outside: Outside::Only(&[]) },
    Layer { name: "kinds", ours: &["value", "meta", "cron", "schema"], outside: Outside::Only(&[]) },
    Layer { name: "apiserver", ours: MACHINERY, outside: Outside::Only(&["http"]) },
    Layer {
        name: "runtime",
        ours: &["value", "sim", "meta", "schema", "merge", "store", "kinds", "apiserver"],
        outside: Outside::Only(&[]),
    },
    Layer { name: "controllers", ours: ACTORS_USE, outside: Outside::Only(&["chrono"]) },
    Layer { name: "scheduler", ours: ACTORS_USE, outside: Outside::Only(&[]) },
    Layer { name: "kubelet", ours: ACTORS_USE, outside: Outside::Only(&[]) },
    Layer { name: "network", ours: ACTORS_USE, outside: Outside::Only(&[]) },
    Layer { name: "kubectl", ours: &["value", "meta"], outside: Outside::Only(&["http"]) },
    Layer { name: "view", ours: &["value", "meta", "cron", "store", "kinds", "runtime"], outside: Outside::Only(&[]) },
    Layer { name: "cluster", ours: ENGINE, outside: Outside::Only(&["http"]) },
    Layer { name: "server", ours: HOSTS_USE, outside: Outside::Any },
    Layer { name: "web", ours: HOSTS_USE, outside: Outside::Any },
    Layer { name: "tests", ours: ENGINE, outside: Outside::Any },
    Layer { name: "xtask", ours: &[], outside: Outside::Only(&["serde_json", "wasm-encoder", "wasmparser"]) },
];

pub fn check(metadata: &Value) -> Res<Vec<Finding>> {
    let members = metadata["workspace_members"].as_array().ok_or("cargo metadata names no members")?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let ours = packages.iter().filter(|it| members.contains(&it["id"]));
    Ok(ours.flat_map(of_crate).collect())
}

fn of_crate(package: &Value) -> Vec<Finding> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some(layer) = LAYERS.iter().find(|it| it.name == name) else {
        return vec![format!("crate {name} has no place in the layers of the architecture")];
    };
    let all = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    // Tests may look at anything; what is built into the product may not.
    let built = all.iter().filter(|it| it["kind"].as_str() != Some("dev"));
    let refused = built.filter_map(|it| refusal(layer, it["name"].as_str()?, it["path"].is_string()));
    refused.map(|why| format!("crate {name}: {why}")).collect()
}

fn refusal(layer: &Layer, used: &str, is_ours: bool) -> Option<String> {
    if is_ours {
        return (!layer.may_use(used)).then(|| format!("{used} is not below it"));
    }
    match layer.outside {
        Outside::Only(allowed) if !allowed.contains(&used) => Some(format!("{used} is not among its outside crates")),
        _ => None,
    }
}

impl Layer {
    fn may_use(&self, other: &str) -> bool {
        // The tests drive the hosts, too.
        let is_driver = self.name == "tests" && (HOSTS_USE.contains(&other) || other == "server");
        is_driver || self.ours.contains(&other)
    }
}

#[cfg(test)]
mod tests {
    use super::{LAYERS, check};
    use serde_json::json;

    #[track_caller]
    fn finds(name: &str, used: serde_json::Value, findings: &[&str]) {
        let metadata = json!({
            "workspace_members": ["it"],
            "packages": [{"id": "it", "name": name, "dependencies": [used]}, {"id": "other", "name": "other"}],
        });
        assert_eq!(check(&metadata).unwrap(), findings);
    }

    #[test]
    fn dependencies_point_down() {
        finds("meta", json!({"name": "value", "path": "p"}), &[]);
        finds("value", json!({"name": "meta", "path": "p"}), &["crate value: meta is not below it"]);
        finds("scheduler", json!({"name": "kubelet", "path": "p"}), &["crate scheduler: kubelet is not below it"]);
        finds("tests", json!({"name": "server", "path": "p"}), &[]);
    }

    #[test]
    fn the_engine_takes_few_crates() {
        finds("store", json!({"name": "tokio"}), &["crate store: tokio is not among its outside crates"]);
        finds("store", json!({"name": "expect-test", "kind": "dev"}), &[]);
        finds("server", json!({"name": "tokio"}), &[]);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        finds(
            "misc",
            json!({"name": "value", "path": "p"}),
            &["crate misc has no place in the layers of the architecture"],
        );
    }

    #[test]
    fn the_engine_uses_only_what_is_listed_before() {
        for (idx, layer) in LAYERS.iter().enumerate() {
            let before = LAYERS[..idx].iter().map(|it| it.name).collect::<Vec<_>>();
            for used in layer.ours {
                assert!(before.contains(used), "{} uses {used}", layer.name);
            }
        }
    }
}
