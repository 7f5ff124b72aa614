//! Fields that a write sets back whatever a client sends, so that nobody comes to own them.
//!
//! Follows the `GetResetFields` of the strategies in `pkg/registry`.

/// Paths that a write may not own, nor what is below them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Resets(pub &'static [&'static str]);

/// Kinds whose metadata a write of the status leaves alone.
const STATUS_WITHOUT_METADATA: &[&str] = &[
    "APIService",
    "CustomResourceDefinition",
    "DeviceTaintRule",
    "FlowSchema",
    "PodGroup",
    "PriorityLevelConfiguration",
    "ResourceClaim",
    "ResourcePoolStatusRequest",
    "ServiceCIDR",
    "StorageVersion",
    "StorageVersionMigration",
    "ValidatingAdmissionPolicy",
    "VolumeAttachment",
];

impl Resets {
    /// `kind` is the Go name of the type; `None` for a custom resource.
    pub fn of(kind: Option<&str>, sub: &str) -> Resets {
        Resets(match (sub, kind) {
            ("", Some("CertificateSigningRequest")) => &["spec", "status"],
            ("status", Some("CertificateSigningRequest")) => &["spec", "status.conditions"],
            ("approval", _) => &["spec", "status.certificate"],
            ("status", Some("Deployment")) => &["spec", "metadata.labels"],
            ("status", Some("Pod")) => &["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
            ("status", None) => &["spec", "metadata"],
            ("status", Some(kind)) if STATUS_WITHOUT_METADATA.contains(&kind) => &["spec", "metadata"],
            ("status", _) => &["spec"],
            // Their strategies name what they reset, but their storage does not pass it on.
            ("scale" | "ephemeralcontainers" | "resize", _) => &[],
            _ => &["status"],
        })
    }

    /// Whether a write may not own a path.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains(&path)
    }

    /// The same of `name` within the field `parent`.
    pub fn has_child(&self, parent: &str, name: &str) -> bool {
        self.within(parent).any(|it| it == name)
    }

    /// Whether there are such paths within a field.
    pub fn are_within(&self, parent: &str) -> bool {
        self.within(parent).next().is_some()
    }

    fn within<'p>(&self, parent: &'p str) -> impl Iterator<Item = &'static str> + use<'p> {
        self.0.iter().filter_map(move |it| it.strip_prefix(parent)?.strip_prefix('.'))
    }
}
