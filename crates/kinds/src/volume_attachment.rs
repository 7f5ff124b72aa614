//! VolumeAttachment. Follows `pkg/apis/storage/validation`.

use meta::{Errors, Object, names};
use value::{Map, map};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, named, opt_int, opt_text, pairs, text};
use crate::pod_template::{internal, validate_csi_driver_name};
use crate::workload::{spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, keep_status, persistent_volume};

const METADATA_MAX: usize = 256 * 1024;
const MESSAGE_MAX: usize = 1024;

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.storage.v1.VolumeAttachment",
    subresources: &[Subresource::status("VolumeAttachment")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Attacher", "The driver that attaches.", |it, _| columns::string(it, "spec.attacher")),
                columns::text("PV", "The volume.", |it, _| columns::string(it, "spec.source.persistentVolumeName")),
                columns::text("Node", "The node to which it goes.", |it, _| columns::string(it, "spec.nodeName")),
                columns::boolean("Attached", "Whether it is attached.", |it, _| {
                    it.bool_at("status.attached").unwrap_or(false).into()
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        prepare_create: |it| it.body.insert("status", map!({ "attached": false })),
        prepare_update: keep_status,
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            same_spec(new, old, errors);
        },
        validate_status: |new, old, errors| {
            validate(new, errors);
            same_spec(new, old, errors);
        },
        unconditional_update: false,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments")
};

fn same_spec(new: &Object, old: &Object, errors: &mut Errors) {
    if spec(new) != spec(old) {
        let bad = internal::bad_value(spec(new), "VolumeAttachmentSpec");
        Path::root("spec").invalid(errors, bad, "field is immutable");
    }
}

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    validate_csi_driver_name(text(spec, "attacher"), &path.child("attacher"), errors);
    let source = child_or_empty(spec, "source");
    source_of(source, &path.child("source"), errors);
    named(text(spec, "nodeName"), names::dns_subdomain, &path.child("nodeName"), errors);
    let status = status(it);
    let path = Path::root("status");
    let size: usize = pairs(child_or_empty(status, "attachmentMetadata")).map(|(key, it)| key.len() + it.len()).sum();
    if size > METADATA_MAX {
        path.child("attachmentMetadata").too_long(errors, METADATA_MAX);
    }
    for key in ["attachError", "detachError"] {
        let Some(error) = child(status, key) else { continue };
        let path = path.child(key);
        if text(error, "message").len() > MESSAGE_MAX {
            // Upstream names the other limit.
            path.child("message").too_long(errors, METADATA_MAX);
        }
        if let Some(code) = opt_int(error, "errorCode").filter(|it| *it < 0) {
            path.child("errorCode").invalid(errors, code, &names::inclusive_range(0, i64::from(i32::MAX)));
        }
    }
    if let Some(volume) = opt_text(source, "persistentVolumeName") {
        named(volume, names::dns_subdomain, &Path::root("spec.source.persistentVolumeName"), errors);
    }
}

fn source_of(source: &Map, path: &Path<'_>, errors: &mut Errors) {
    const ONE: &str = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    let inline = child(source, "inlineVolumeSpec");
    match (opt_text(source, "persistentVolumeName"), inline) {
        (None, None) => path.required(errors, ONE),
        (Some(_), Some(_)) => path.forbidden(errors, ONE),
        (Some(""), None) => {
            path.child("persistentVolumeName").required(errors, "must specify non empty persistentVolumeName");
        }
        (Some(_), None) => (),
        (None, Some(inline)) => {
            persistent_volume::validate_spec(inline, "", true, &path.child("inlineVolumeSpec"), errors);
        }
    }
}
