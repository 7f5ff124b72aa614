use value::{Value, value};

use crate::{Errors, KindId, Object, Status};

#[test]
fn an_object_comes_back_as_it_went_in() {
    let whole = value!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {
            "name": "a", "namespace": "b", "uid": "u", "resourceVersion": "7", "generation": 2,
            "creationTimestamp": "2026-11-24T16:24:56Z", "labels": {"x": "y"}, "finalizers": ["f"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "o", "controller": true}],
            "managedFields": [{"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {}}, "time": "2026-11-24T16:24:56Z"}],
        },
        "spec": {"a": 1}, "status": {},
    });
    let Value::Map(map) = &whole else { return };
    let object = Object::from_map(KindId(0), map);
    assert_eq!(object.to_value("apps/v1", "DaemonSet"), whole);
}

#[test]
fn several_field_errors_are_listed_in_one_message() {
    let mut errors = Errors::new();
    errors.required("spec.selector", "");
    errors.not_supported("spec.type", "x", &["a", "b"]);
    let status = Status::invalid("apps", "DaemonSet", "web", &errors);
    assert_eq!(
        status.message,
        "DaemonSet.apps \"web\" is invalid: [spec.selector: Required value, spec.type: Unsupported value: \"x\": supported values: \"a\", \"b\"]"
    );
}
