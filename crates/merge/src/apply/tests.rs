use expect_test::{Expect, expect};
use meta::{KindId, Object};
use schema::Schema;
use value::{Str, Value, json};

use crate::{Applier, Memo, apply};

/// Each line `MANAGER BODY` applies to a service (`MANAGER!` by force). The last answer.
#[track_caller]
fn check(applies: &str, expected: Expect) {
    let schema = Schema::load();
    let ty = schema.definition("io.k8s.api.core.v1.Service");
    let memo = Memo::default();
    let mut live: Option<Object> = None;
    let mut answer = String::new();
    for line in applies.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let (who, body) = line.split_once(' ').unwrap();
        let (manager, api_version) = (Str::from(who.trim_end_matches('!')), Str::from("v1"));
        let mut config = json::parse(body.as_bytes()).unwrap();
        config.set("apiVersion", "v1");
        config.set("kind", "Service");
        let applier = Applier {
            manager: &manager,
            api_version: &api_version,
            kind: "Service",
            sub: "",
            now_secs: 1,
            force: who.ends_with('!'),
        };
        match apply(&schema, ty, live.as_ref(), &config, &applier, &memo) {
            Ok(applied) => {
                let mut object = match &applied.whole {
                    Some(whole) => Object::from_map(KindId(0), whole.as_map().unwrap()),
                    None => live.take().unwrap(),
                };
                object.meta.uid = "u".into();
                answer = json::to_string(&Value::Map(object.body.clone()));
                for entry in &applied.managed {
                    let fields = json::to_string(&Value::Map(entry.fields.clone()));
                    answer.push_str(&format!("\n{} {fields}", entry.manager));
                }
                object.meta.managed = applied.managed.into();
                live = Some(object);
            }
            Err(status) => answer = format!("{} {}", status.code, status.message),
        }
    }
    expected.assert_eq(&answer);
}

#[test]
fn items_are_merged_by_their_keys_and_go_with_their_only_owner() {
    check(
        r#"
        a {"spec":{"ports":[{"port":80,"name":"x"},{"port":81,"name":"y"}]}}
        b {"spec":{"ports":[{"port":81,"protocol":"TCP","targetPort":8}]}}
        a {"spec":{"type":"NodePort"}}
        "#,
        expect![[r#"
            {"spec":{"ports":[{"port":81,"protocol":"TCP","targetPort":8}],"type":"NodePort"},"status":{"loadBalancer":{}}}
            a {"f:spec":{"f:type":{}}}
            b {"f:spec":{"f:ports":{"k:{\"port\":81,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:protocol":{},"f:targetPort":{}}}}}"#]],
    );
}

#[test]
fn conflicts_name_fields_and_owners_and_give_way_to_force() {
    let two = r#"
        a {"metadata":{"labels":{"l":"1"}},"spec":{"type":"NodePort","ports":[{"port":80,"name":"x"}]}}
        b {"metadata":{"labels":{"l":"2"}},"spec":{"type":"ClusterIP","ports":[{"port":80,"name":"z"}]}}"#;
    check(
        two,
        expect![[r#"
        409 Apply failed with 3 conflicts: conflicts with "a":
        - .metadata.labels.l
        - .spec.type
        - .spec.ports[port=80,protocol="TCP"].name"#]],
    );
    check(
        &two.replace("b {", "b! {"),
        expect![[r#"
            {"spec":{"ports":[{"name":"z","port":80}],"type":"ClusterIP"},"status":{"loadBalancer":{}}}
            a {"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}
            b {"f:metadata":{"f:labels":{"f:l":{}}},"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{}}},"f:type":{}}}"#]],
    );
}

#[test]
fn what_does_not_fit_its_type_is_refused() {
    check(
        r#"a {"metadata":{"name":"n"},"spec":{"ports":[{"port":80},{"port":80}],"type":1500000,"nope":1,"zzz":1},"x":1}"#,
        expect![[r#"
            500 failed to create typed patch object (/n; /v1, Kind=Service): errors:
              .spec.nope: field not declared in schema
              .x: field not declared in schema"#]],
    );
    check(
        r#"a {"spec":{"ports":[{"port":"x"},{"port":"x"}],"selector":[],"type":1500000,"externalIPs":{"a":2}}}"#,
        expect![[r#"
            500 failed to create typed patch object (/; /v1, Kind=Service): errors:
              .spec.externalIPs: expected list, got &{map[a:2]}
              .spec.ports[port="x",protocol="TCP"].port: expected numeric (int or float), got string
              .spec.ports: duplicate entries for key [port="x",protocol="TCP"]
              .spec.ports[port="x",protocol="TCP"].port: expected numeric (int or float), got string
              .spec.selector: expected map, got &{[]}
              .spec.type: expected string, got &value.valueUnstructured{Value:1.5e+06}"#]],
    );
}

#[test]
fn kubectl_inherits_what_it_applied_client_side() {
    let annotation = |spec: &str| {
        let config = format!(r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"n"}},"spec":{spec}}}"#);
        format!(
            r#""annotations":{{"kubectl.kubernetes.io/last-applied-configuration":{}}}"#,
            json::to_string(&config.into())
        )
    };
    let first = annotation(r#"{"type":"NodePort"}"#);
    let all = r#""spec":{"type":"NodePort","clusterIP":"None"}"#;
    check(
        &format!(
            "a {{\"metadata\":{{{first}}},{all}}}\nkubectl {{\"metadata\":{{\"name\":\"n\"}},\"spec\":{{\"type\":\"ClusterIP\"}}}}"
        ),
        expect![[r#"
            {"spec":{"clusterIP":"None","type":"ClusterIP"},"status":{"loadBalancer":{}}}
            a {"f:metadata":{"f:annotations":{"f:kubectl.kubernetes.io/last-applied-configuration":{}}},"f:spec":{"f:clusterIP":{}}}
            kubectl {"f:spec":{"f:type":{}}}"#]],
    );
}
