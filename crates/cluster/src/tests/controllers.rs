//! What controllers do, told as steps.

use apiserver::{DeleteOptions, Propagation, calls};
use expect_test::{Expect, expect};
use kinds::EVENT;
use meta::{Key, KindId, Object, Status};
use value::{Value, json, yaml};

use super::{pass, user};
use crate::{Cluster, Config, KubeletMode};

/// Plays `steps` on a cluster of one node and compares what they print:
/// - `wait SECONDS`
/// - `delete KIND NAME [Foreground|Orphan|Background]`
/// - `show KIND NAME PATH...`, whatever stands there
/// - `list KIND PATH...`, the same of all in the namespace `default`
/// - `events REASON`, one line each
/// - `status OBJECT`, a patch of the status
/// - `OBJECT`: it is made, or patched where it is there already
///
/// A name is in the namespace `default` or is `NAMESPACE/NAME`. Objects are YAML, in which `$NAME` is the uid of the object
/// with this name.
#[track_caller]
pub(super) fn check(steps: &[&str], expect: Expect) {
    check_on(Config { n_nodes: 1, kubelet: KubeletMode::Real, ..Config::default() }, steps, expect);
}

#[track_caller]
pub(super) fn check_on(config: Config, steps: &[&str], expect: Expect) {
    let mut cluster = Cluster::new(&config);
    pass(&mut cluster, 10);
    let (mut printed, mut seen) = (String::new(), objects(&cluster));
    for it in steps {
        printed += &step(&mut cluster, it).unwrap_or_else(|status| format!("{}: {}\n", status.code, status.message));
        seen.extend(objects(&cluster));
    }
    // Uids are numbers by chance.
    for object in seen {
        printed = printed.replace(&*object.meta.uid, &format!("${}", object.name()));
    }
    expect.assert_eq(&printed);
}

pub(super) fn step(cluster: &mut Cluster, step: &str) -> Result<String, Status> {
    let now = cluster.now();
    let words: Vec<&str> = step.split(' ').collect();
    match *words.as_slice() {
        ["wait", seconds] => pass(cluster, seconds.parse().expect("it is a number")),
        ["events", reason] => return Ok(events(cluster, reason)),
        ["show", kind, name, ref paths @ ..] => return Ok(show(cluster, kind, name, paths)),
        ["list", kind, ref paths @ ..] => {
            let (kind_id, key) = find(cluster, kind, "");
            let namespace = Some("default").filter(|_| !key.namespace.is_empty());
            let line = |it: &std::sync::Arc<Object>| {
                let text = show(cluster, kind, it.name(), paths);
                // What was added to a name is by chance.
                let prefix = &it.meta.generate_name;
                if prefix.is_empty() { text } else { text.replace(it.name(), &format!("{prefix}*")) }
            };
            let mut lines: Vec<String> = cluster.api.store().list(kind_id, namespace).map(line).collect();
            lines.sort();
            return Ok(lines.concat());
        }
        ["delete", kind, name, ref propagation @ ..] => {
            let (kind, key) = find(cluster, kind, name);
            let propagation = propagation.first().map(|it| match *it {
                "Foreground" => Propagation::Foreground,
                "Orphan" => Propagation::Orphan,
                _ => Propagation::Background,
            });
            let options = DeleteOptions { propagation, ..DeleteOptions::default() };
            calls::delete(&mut cluster.api, now, &user(), kind, &key, &options)?;
        }
        _ => {
            let is_status = step.starts_with("status ");
            let mut text = step.trim_start_matches("status ").to_owned();
            for object in objects(cluster) {
                text = text.replace(&format!("${}", object.name()), &object.meta.uid);
            }
            let mut object = yaml::parse_documents(&text).expect("the text is YAML").remove(0).value;
            let namespace = object.str_at("metadata.namespace").unwrap_or("default");
            let name = format!("{namespace}/{}", object.str_at("metadata.name").expect("it has a name"));
            let (kind, key) = find(cluster, object.str_at("kind").expect("it has a kind"), &name);
            let is_there = cluster.api.store().get(kind, &key).is_some();
            let api = &mut cluster.api;
            match (is_status, is_there) {
                (true, _) => calls::patch_status(api, now, &user(), kind, &key, &object)?,
                (false, true) => calls::patch_strategic(api, now, &user(), kind, &key, &object)?,
                (false, false) => {
                    if !key.namespace.is_empty() {
                        object.set("metadata.namespace", &key.namespace);
                    }
                    let made = Object::from_map(kind, object.as_map().expect("it is a map"));
                    calls::create(api, now, &user(), made)?
                }
            };
        }
    }
    Ok(String::new())
}

fn objects(cluster: &Cluster) -> Vec<std::sync::Arc<Object>> {
    let kinds: Vec<KindId> = cluster.api.registry().all().map(|it| it.id).collect();
    kinds.into_iter().flat_map(|it| cluster.api.store().list(it, None).cloned()).collect()
}

fn find(cluster: &Cluster, kind: &str, name: &str) -> (KindId, Key) {
    let kind = cluster.api.registry().all().find(|it| it.kind == kind).expect("the kind is served");
    let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
    (kind.id, if kind.is_namespaced() { Key::new(namespace, name) } else { Key::cluster(name) })
}

fn show(cluster: &Cluster, kind: &str, name: &str, paths: &[&str]) -> String {
    let (kind, key) = find(cluster, kind, name);
    let Some(object) = cluster.api.store().get(kind, &key) else { return format!("{name}: gone\n") };
    let whole = cluster.api.to_value(object);
    let condition = |it: &Value| {
        let at = |key: &'static str| it.str_at(key).unwrap_or("-");
        format!("\n  {} {} {}: {}", at("type"), at("status"), at("reason"), at("message"))
    };
    let at = |path: &&str| match at(&whole, path) {
        None => " none".to_owned(),
        Some(Value::List(list)) if path.ends_with("conditions") => list.iter().map(condition).collect(),
        Some(it) => format!(" {}", json::to_string(it)),
    };
    format!("{name}:{}\n", paths.iter().map(at).collect::<String>())
}

/// Numbers in a path choose from lists.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |it, part| match it {
        Value::List(list) => list.get(part.parse::<usize>().ok()?),
        _ => it.get(part),
    })
}

fn events(cluster: &Cluster, reason: &str) -> String {
    let all = cluster.api.store().list(EVENT, None).filter(|it| it.str_at("reason") == Some(reason));
    let line = |it: &std::sync::Arc<Object>| {
        let at = |path: &'static str| it.str_at(path).unwrap_or("-").to_owned();
        let about = format!("{}/{}", at("involvedObject.kind"), at("involvedObject.name"));
        format!("{} {} {about}: {}\n", at("type"), at("source.component"), at("message"))
    };
    all.map(line).collect()
}

#[test]
fn an_owner_in_another_namespace_is_none() {
    check(
        &[
            "{kind: Namespace, metadata: {name: other}}",
            "{kind: ConfigMap, metadata: {name: owner}}",
            "{kind: PriorityClass, value: 5, metadata: {name: class, ownerReferences: \
             [{apiVersion: v1, kind: ConfigMap, name: owner, uid: $owner}]}}",
            "{kind: ConfigMap, metadata: {name: child, namespace: other, ownerReferences: \
             [{apiVersion: v1, kind: ConfigMap, name: owner, uid: $owner}]}}",
            "wait 10",
            "show ConfigMap other/child",
            "delete ConfigMap owner Background",
            "wait 100",
            "show PriorityClass class value",
            "events OwnerRefInvalidNamespace",
        ],
        expect![[r#"
            other/child: gone
            class: 5
            Warning garbage-collector-controller PriorityClass/class: ownerRef [v1/ConfigMap, namespace: , name: owner, uid: $owner] does not exist in namespace ""
            Warning garbage-collector-controller ConfigMap/child: ownerRef [v1/ConfigMap, namespace: other, name: owner, uid: $owner] does not exist in namespace "other"
        "#]],
    );
}

#[test]
fn a_circle_of_owners_is_deleted_in_the_foreground() {
    let owner = "apiVersion: v1, kind: ConfigMap, controller: true, blockOwnerDeletion: true";
    check(
        &[
            "{kind: ConfigMap, metadata: {name: first}}",
            &format!(
                "{{kind: ConfigMap, metadata: {{name: second, ownerReferences: [{{{owner}, name: first, uid: $first}}]}}}}"
            ),
            &format!(
                "{{kind: ConfigMap, metadata: {{name: first, ownerReferences: [{{{owner}, name: second, uid: $second}}]}}}}"
            ),
            "wait 1",
            "delete ConfigMap first Foreground",
            "wait 10",
            "show ConfigMap first metadata",
            "show ConfigMap second metadata",
        ],
        expect![[r#"
            first: gone
            second: gone
        "#]],
    );
}

#[test]
fn a_parallel_stateful_set_rolls_over_pods_that_never_became_ready() {
    let set = |image: &str| {
        format!(
            "{{kind: StatefulSet, metadata: {{name: db}}, spec: {{replicas: 3, podManagementPolicy: Parallel, serviceName: db, \
             selector: {{matchLabels: {{app: db}}}}, template: {{metadata: {{labels: {{app: db}}}}, spec: {{containers: \
             [{{name: db, image: '{image}'}}]}}}}}}}}"
        )
    };
    check(
        &[
            "{apiVersion: sim.drydock.dev/v1alpha1, kind: ImageBehavior, metadata: {name: broken}, spec: {image: 'db:broken', \
             pull: {error: no such image}}}",
            &set("db:broken"),
            "wait 10",
            &set("db:2"),
            "wait 3",
            "events SuccessfulDelete",
            "wait 60",
            "show StatefulSet db status.readyReplicas status.updatedReplicas",
            "events SuccessfulDelete",
        ],
        expect![[r#"
            Normal statefulset-controller StatefulSet/db: Delete Pod db-2 in StatefulSet db successful
            Normal statefulset-controller StatefulSet/db: Delete Pod db-1 in StatefulSet db successful
            Normal statefulset-controller StatefulSet/db: Delete Pod db-0 in StatefulSet db successful
            db: 3 3
            Normal statefulset-controller StatefulSet/db: Delete Pod db-2 in StatefulSet db successful
            Normal statefulset-controller StatefulSet/db: Delete Pod db-1 in StatefulSet db successful
            Normal statefulset-controller StatefulSet/db: Delete Pod db-0 in StatefulSet db successful
        "#]],
    );
}

#[test]
fn a_namespace_loses_its_pods_first() {
    check(
        &[
            "{kind: Namespace, metadata: {name: team}}",
            "wait 1",
            "{kind: ConfigMap, metadata: {name: settings, namespace: team}}",
            "{kind: Pod, metadata: {name: slow, namespace: team, finalizers: [example.com/wait]}, spec: {containers: [{name: main, image: a}]}}",
            "wait 5",
            "delete Namespace team",
            "wait 4",
            "show Pod team/slow metadata.deletionTimestamp",
            "wait 10",
            "show Pod team/slow metadata.deletionGracePeriodSeconds",
            "show ConfigMap team/settings metadata.name",
            "show Namespace team status.conditions",
            "{kind: Pod, metadata: {name: slow, namespace: team, finalizers: null}}",
            "wait 60",
            "show Namespace team",
        ],
        expect![[r#"
            team/slow: none
            team/slow: 0
            team/settings: "settings"
            team:
              NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered
              NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed
              NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization
              NamespaceContentRemaining False ContentRemoved: All content successfully removed
              NamespaceFinalizersRemaining False ContentHasNoFinalizers: All content-preserving finalizers finished
            team: gone
        "#]],
    );
}

#[test]
fn a_class_of_volume_attributes_stays_while_a_claim_names_it() {
    check(
        &[
            "{kind: VolumeAttributesClass, driverName: a.b, parameters: {a: b}, metadata: {name: fast}}",
            "{kind: PersistentVolumeClaim, metadata: {name: data}, spec: {volumeAttributesClassName: fast, accessModes: \
             [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}}",
            "delete VolumeAttributesClass fast",
            "wait 5",
            "show VolumeAttributesClass fast metadata.finalizers",
            "delete PersistentVolumeClaim data",
            "wait 5",
            "show VolumeAttributesClass fast",
        ],
        expect![[r#"
            fast: ["kubernetes.io/vac-protection"]
            fast: gone
        "#]],
    );
}

#[test]
fn a_claim_that_grows_waits_for_its_driver() {
    let volume = |name: &str, source: &str| {
        format!(
            "{{kind: PersistentVolume, metadata: {{name: {name}}}, spec: {{accessModes: [ReadWriteOnce], storageClassName: big, \
             capacity: {{storage: 1Gi}}, claimRef: {{namespace: default, name: {name}}}, {source}}}}}"
        )
    };
    let claim = |name: &str, size: &str| {
        format!(
            "{{kind: PersistentVolumeClaim, metadata: {{name: {name}}}, spec: {{accessModes: [ReadWriteOnce], \
             storageClassName: big, resources: {{requests: {{storage: {size}}}}}}}}}"
        )
    };
    check(
        &[
            "{kind: StorageClass, provisioner: a.b, allowVolumeExpansion: true, metadata: {name: big}}",
            &volume("own", "csi: {driver: a.b, volumeHandle: a}"),
            &volume("old", "gcePersistentDisk: {pdName: a}"),
            &claim("own", "1Gi"),
            &claim("old", "1Gi"),
            "wait 5",
            "events ExternalExpanding",
            &claim("own", "2Gi"),
            &claim("old", "2Gi"),
            "wait 60",
            "events ExternalExpanding",
            "show PersistentVolumeClaim old metadata.annotations",
        ],
        expect![[r#"
            Normal volume_expand PersistentVolumeClaim/old: CSI migration enabled for kubernetes.io/gce-pd; waiting for external resizer to expand the pvc
            Normal volume_expand PersistentVolumeClaim/own: waiting for an external controller to expand this PVC
            old: {"pv.kubernetes.io/bind-completed":"yes","pv.kubernetes.io/bound-by-controller":"yes","volume.kubernetes.io/storage-resizer":"pd.csi.storage.gke.io"}
        "#]],
    );
}

#[test]
fn what_is_mirrored_is_repacked_first() {
    check(
        &[
            "{kind: Service, metadata: {name: other}, spec: {ports: [{port: 80}]}}",
            "{kind: Endpoints, metadata: {name: other}, subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{name: a, \
             port: 80}]}, {addresses: [{ip: 10.0.0.1}], notReadyAddresses: [{ip: 10.0.0.2}], ports: [{name: a, port: 80}, {name: b, \
             port: 81}]}]}",
            "wait 5",
            "list EndpointSlice ports endpoints",
        ],
        expect![[r#"
            kubernetes: [{"name":"https","port":6443,"protocol":"TCP"}] [{"addresses":["10.0.255.254"],"conditions":{"ready":true}}]
            other-*: [{"name":"b","port":81,"protocol":"TCP"},{"name":"a","port":80,"protocol":"TCP"}] [{"addresses":["10.0.0.1"],"conditions":{"ready":true}},{"addresses":["10.0.0.2"],"conditions":{"ready":false}}]
        "#]],
    );
}

#[test]
fn a_pod_with_two_budgets_is_told_of() {
    let budget = |name: &str| {
        format!(
            "{{kind: PodDisruptionBudget, metadata: {{name: {name}}}, spec: {{minAvailable: 1, selector: {{matchLabels: {{app: \
             web}}}}}}}}"
        )
    };
    check(
        &[
            &budget("first"),
            &budget("second"),
            "wait 5",
            "{kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: main, image: a}]}}",
            "wait 20",
            "show PodDisruptionBudget first status.currentHealthy",
            "show PodDisruptionBudget second status.currentHealthy",
            "events MultiplePodDisruptionBudgets",
        ],
        expect![[r#"
            first: 1
            second: 1
            Warning controllermanager Pod/web: Pod "default"/"web" matches multiple PodDisruptionBudgets.  Chose "first" arbitrarily.
        "#]],
    );
}

#[test]
fn a_deployment_goes_back_where_an_annotation_asks_for_it() {
    let deployment = |annotation: &str, image: &str| {
        format!(
            "{{kind: Deployment, metadata: {{name: web, annotations: {annotation}}}, spec: {{replicas: 1, selector: {{matchLabels: \
             {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: main, image: '{image}'}}]}}}}}}}}"
        )
    };
    let image = "show Deployment web spec.template.spec.containers.0.image metadata.annotations";
    let back = |number: &str| {
        format!(
            "{{kind: Deployment, metadata: {{name: web, annotations: {{deprecated.deployment.rollback.to: '{number}'}}}}}}"
        )
    };
    check(
        &[
            &deployment("{kubernetes.io/change-cause: one}", "web:1"),
            "wait 5",
            &deployment("{kubernetes.io/change-cause: two}", "web:2"),
            "wait 5",
            image,
            &back("0"),
            "wait 5",
            image,
            &back("3"),
            "wait 5",
            &back("7"),
            "wait 5",
            image,
            "events DeploymentRollback",
            "events DeploymentRollbackTemplateUnchanged",
            "events DeploymentRollbackRevisionNotFound",
        ],
        expect![[r#"
            web: "web:2" {"deployment.kubernetes.io/revision":"2","kubernetes.io/change-cause":"two"}
            web: "web:1" {"deployment.kubernetes.io/revision":"3","kubernetes.io/change-cause":"one"}
            web: "web:1" {"deployment.kubernetes.io/revision":"3","kubernetes.io/change-cause":"one"}
            Normal deployment-controller Deployment/web: Rolled back deployment "web" to revision 1
            Warning deployment-controller Deployment/web: The rollback revision contains the same template as current deployment "web"
            Warning deployment-controller Deployment/web: Unable to find the revision to rollback to.
        "#]],
    );
}

#[test]
fn a_stateful_set_leaves_a_revision_that_it_no_longer_selects() {
    check(
        &[
            "{kind: StatefulSet, metadata: {name: db}, spec: {replicas: 0, serviceName: db, selector: {matchLabels: {app: db}}, template: \
             {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: a}]}}}}",
            "wait 5",
            "list ControllerRevision metadata.ownerReferences.0.name metadata.labels.app",
            "{kind: ControllerRevision, metadata: {name: db-694cf5799d, labels: {app: other}}}",
            "{kind: StatefulSet, metadata: {name: db, labels: {a: b}}}",
            "wait 5",
            "list ControllerRevision metadata.ownerReferences.0.name metadata.labels.app",
        ],
        expect![[r#"
            db-694cf5799d: "db" "db"
            db-694cf5799d: "db" "other"
        "#]],
    );
}

const REPLICA_SET: &str = "{kind: ReplicaSet, metadata: {name: web}, spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: \
                           {metadata: {labels: {app: web}}, spec: {containers: [{name: main, image: a}]}}}}";

#[test]
fn a_set_without_a_controller_does_not_ask_how_crowded_nodes_are() {
    let scale = |n: u32| format!("{{kind: ReplicaSet, metadata: {{name: web}}, spec: {{replicas: {n}}}}}");
    let cordon =
        |name: &str, it: bool| format!("{{kind: Node, metadata: {{name: {name}}}, spec: {{unschedulable: {it}}}}}");
    check_on(
        Config { n_nodes: 2, kubelet: KubeletMode::Real, ..Config::default() },
        &[
            &cordon("node-2", true),
            REPLICA_SET,
            "wait 200",
            &cordon("node-1", true),
            &cordon("node-2", false),
            &scale(3),
            "wait 20",
            &scale(2),
            "wait 20",
            // The youngest is the one that is alone on its node.
            "list Pod spec.nodeName metadata.deletionGracePeriodSeconds",
        ],
        expect![[r#"
            web-*: "node-1" none
            web-*: "node-1" none
        "#]],
    );
}

#[test]
fn pods_that_go_are_counted_while_they_are_selected() {
    check(
        &[
            "{kind: Pod, metadata: {name: own, labels: {app: web}}, spec: {containers: [{name: main, image: a}]}}",
            "wait 10",
            REPLICA_SET,
            "wait 10",
            "delete Pod own",
            "wait 0",
            "show ReplicaSet web status.replicas status.terminatingReplicas",
            "{kind: Pod, metadata: {name: own, labels: {app: other}}}",
            "wait 0",
            "show ReplicaSet web status.replicas status.terminatingReplicas",
        ],
        expect![[r#"
            web: 2 1
            web: 2 0
        "#]],
    );
}

#[test]
fn a_pod_that_waits_for_its_volume_says_where_it_will_be() {
    check(
        &[
            "{kind: StorageClass, metadata: {name: late}, provisioner: example.com/none, volumeBindingMode: WaitForFirstConsumer}",
            "{kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], storageClassName: late, \
             resources: {requests: {storage: 1Gi}}}}",
            "{kind: Pod, metadata: {name: user}, spec: {containers: [{name: main, image: 'web:1'}], volumes: [{name: v, \
             persistentVolumeClaim: {claimName: data}}]}}",
            "wait 5",
            "show Pod user spec.nodeName",
            "show Pod user status.nominatedNodeName",
            "{kind: PersistentVolume, metadata: {name: disk}, spec: {accessModes: [ReadWriteOnce], storageClassName: late, \
             capacity: {storage: 1Gi}, claimRef: {namespace: default, name: data}, hostPath: {path: /d}}}",
            "wait 20",
            "show Pod user spec.nodeName",
            "show Pod user status.nominatedNodeName",
        ],
        expect![[r#"
            user: none
            user: "node-1"
            user: "node-1"
            user: none
        "#]],
    );
}
