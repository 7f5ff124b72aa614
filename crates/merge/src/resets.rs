//! Fields that a write sets back whatever a client sends, so that nobody comes to own them.
//!
//! Follows the `GetResetFields` of the strategies in `pkg/registry`.

/// What a write may own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resets {
    /// Everything but these paths and what is below them.
    But(&'static [&'static str]),
    /// Only what is at or below these paths; `*` stands for any item.
    Only(&'static [&'static [&'static str]]),
}

const CONTAINER_RESIZE: &[&[&str]] = &[
    &["f:spec", "f:containers", "*", "f:resources"],
    &["f:spec", "f:containers", "*", "f:resizePolicy"],
    &["f:spec", "f:initContainers", "*", "f:resources"],
    &["f:spec", "f:initContainers", "*", "f:resizePolicy"],
];
const EPHEMERAL_CONTAINERS: &[&[&str]] = &[&["f:spec", "f:ephemeralContainers"]];

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
        match (sub, kind) {
            ("", Some("CertificateSigningRequest")) => Resets::But(&["spec", "status"]),
            ("status", Some("CertificateSigningRequest")) => Resets::But(&["spec", "status.conditions"]),
            ("approval", _) => Resets::But(&["spec", "status.certificate"]),
            ("status", Some("Deployment")) => Resets::But(&["spec", "metadata.labels"]),
            ("status", Some("Pod")) => Resets::But(&["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"]),
            ("status", None) => Resets::But(&["spec", "metadata"]),
            ("status", Some(kind)) if STATUS_WITHOUT_METADATA.contains(&kind) => Resets::But(&["spec", "metadata"]),
            ("status", _) => Resets::But(&["spec"]),
            ("ephemeralcontainers", _) => Resets::Only(EPHEMERAL_CONTAINERS),
            ("resize", _) => Resets::Only(CONTAINER_RESIZE),
            ("scale", _) => Resets::But(&[]),
            _ => Resets::But(&["status"]),
        }
    }

    /// Whether a write may not own a path.
    pub fn has(&self, path: &str) -> bool {
        matches!(self, Resets::But(paths) if paths.contains(&path))
    }
}
