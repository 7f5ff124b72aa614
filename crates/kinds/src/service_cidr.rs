//! ServiceCIDR. Follows `pkg/apis/networking/validation`.

use std::net::IpAddr;

use meta::{Errors, Metadata, Object, names};
use value::{Map, Value, map};

use crate::object_meta::IMMUTABLE;
use crate::path::Path;
use crate::pod_template::fields::{list, named, texts};
use crate::pod_template::internal;
use crate::workload::spec;
use crate::{Kind, SERVICE_CIDR, Scope, Strategy, Subresource, columns, keep_status};

/// The range that the API server was started with, and its name.
pub const DEFAULT: (&str, &str) = ("kubernetes", "10.96.0.0/16");
/// Keeps a range while addresses of it are taken.
pub const FINALIZER: &str = "networking.k8s.io/service-cidr-finalizer";

/// The default range as it is made.
pub fn default_range() -> Object {
    let meta = Metadata { finalizers: [FINALIZER.into()].into(), ..Metadata::cluster(DEFAULT.0) };
    Object { kind: SERVICE_CIDR, meta, body: map!({ "spec": { "cidrs": [DEFAULT.1] } }) }
}

/// The networks of a range.
pub fn networks(range: &Object) -> impl Iterator<Item = (IpAddr, u8)> {
    range.list_at("spec.cidrs").iter().filter_map(|it| names::sloppy_cidr(it.as_str()?))
}

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.networking.v1.ServiceCIDR",
    subresources: &[Subresource::status("ServiceCIDR")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("CIDRs", "Ranges of addresses.", |it, _| {
                    texts(spec(it), "cidrs").map(|(_, it)| it).collect::<Vec<_>>().join(",").into()
                }),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        prepare_create: |it| it.body.insert("status", Value::map()),
        prepare_update: keep_status,
        validate: |it, errors| validate(spec(it), errors),
        validate_update,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs")
};

fn validate(spec: &Map, errors: &mut Errors) {
    let path = Path::root("spec.cidrs");
    match list(spec, "cidrs").len() {
        0 => return path.required(errors, "at least one CIDR required"),
        1 | 2 => (),
        _ => {
            let bad = internal::bad_value(spec, "ServiceCIDRSpec");
            return path.invalid(errors, bad, "may only hold up to 2 values");
        }
    }
    for (idx, cidr) in texts(spec, "cidrs") {
        named(cidr, names::cidr, &path.index(idx), errors);
    }
    let families: Vec<_> =
        texts(spec, "cidrs").map(|(_, it)| names::sloppy_cidr(it).map(|(ip, _)| ip.is_ipv4())).collect();
    if let [Some(a), Some(b)] = families.as_slice()
        && a == b
    {
        let detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
        path.invalid(errors, spec.get("cidrs").cloned().unwrap_or_default(), detail);
    }
}

fn validate_update(new: &Object, old: &Object, errors: &mut Errors) {
    let (now, before) = (list(spec(new), "cidrs"), list(spec(old), "cidrs"));
    let path = Path::root("spec.cidrs");
    let grows = before.len() == 1 && now.len() == 2;
    if now.len() != before.len() && !grows {
        let bad = spec(new).get("cidrs").cloned().unwrap_or_default();
        return path.invalid(errors, bad, IMMUTABLE);
    }
    for (idx, (now, _)) in now.iter().zip(before).enumerate().filter(|(_, (now, before))| now != before) {
        path.index(idx).invalid(errors, now, IMMUTABLE);
    }
    if grows {
        validate(spec(new), errors);
    }
}
