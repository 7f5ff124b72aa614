//! One file per built-in kind: its names, columns, defaults and rules.
//!
//! Knows nothing of requests or of other objects: what needs those is admission, in `apiserver`.

mod columns;
mod conditions;
pub mod declared_features;
mod kind;
pub mod object_meta;
pub mod path;
pub mod quota;
mod registry;

use meta::KindId;

pub use self::kind::{
    Column, Context, Kind, Scope, SelectableField, Served, Strategy, Subresource, Verbs, api_version, keep_status,
    keeps_spec, label_name, path_segment_name, spec_changed, subdomain_name,
};
pub use cron::parse_duration;

pub use self::registry::{Registry, ServedKind};

pub use self::deployment::ROLLBACK_TO;

/// Annotations that stand for fields which objects have inside the server only.
pub const INNER_ANNOTATIONS: [&str; 2] = [daemon_set::TEMPLATE_GENERATION, deployment::ROLLBACK_TO];
mod admission;
mod api_request;
mod api_service;
mod binding;
pub mod certificate_signing_request;
mod clock;
mod cluster_role;
mod cluster_role_binding;
mod component;
mod component_status;
mod config_map;
mod controller_revision;
mod cron_job;
mod csi_driver;
mod csi_node;
mod csi_storage_capacity;
mod custom_resource_definition;
mod daemon_set;
mod deployment;
mod endpoint_slice;
mod endpoints;
mod event;
mod flow_schema;
mod horizontal_pod_autoscaler;
mod image_behavior;
mod ingress;
mod ingress_class;
pub mod ip_address;
pub mod job;
mod lease;
mod limit_range;
mod machine;
mod machine_pool;
mod mutating_admission_policy;
mod mutating_admission_policy_binding;
mod mutating_webhook_configuration;
pub mod namespace;
mod network_policy;
mod network_request;
mod node;
mod persistent_volume;
mod persistent_volume_claim;
mod placement_decision;
pub mod pod;
mod pod_disruption_budget;
pub mod pod_template;
mod pod_template_kind;
pub mod priority_class;
mod priority_level_configuration;
mod rbac;
mod replica_set;
mod replication_controller;
mod resource_quota;
mod review;
mod role;
mod role_binding;
mod runtime_class;
pub mod scale;
mod scheduling_decision;
mod secret;
pub mod service;
mod service_account;
pub mod service_cidr;
mod stateful_set;
pub mod storage_class;
mod validating_admission_policy;
mod validating_admission_policy_binding;
mod validating_webhook_configuration;
mod volume_attachment;
mod volume_attributes_class;
mod workload;

/// Declares the id of every kind and the list of all, in one place.
macro_rules! kinds {
    ($($id:ident = $module:ident::$kind:ident),* $(,)?) => {
        kinds!(@ids 0u16; $($id)*);

        /// Every built-in kind; its place in the list is its id.
        pub fn all() -> &'static [Kind] {
            static ALL: &[Kind] = &[$(Kind { id: $id, ..$module::$kind }),*];
            ALL
        }
    };
    (@ids $n:expr; $id:ident $($rest:ident)*) => {
        pub const $id: KindId = KindId($n);
        kinds!(@ids $n + 1; $($rest)*);
    };
    (@ids $n:expr;) => {};
}

kinds! {
    API_REQUEST = api_request::KIND,
    API_SERVICE = api_service::KIND,
    BINDING = binding::KIND,
    CERTIFICATE_SIGNING_REQUEST = certificate_signing_request::KIND,
    CLOCK = clock::KIND,
    CLUSTER_ROLE = cluster_role::KIND,
    CLUSTER_ROLE_BINDING = cluster_role_binding::KIND,
    COMPONENT = component::KIND,
    COMPONENT_STATUS = component_status::KIND,
    CONFIG_MAP = config_map::KIND,
    CONTROLLER_REVISION = controller_revision::KIND,
    CRON_JOB = cron_job::KIND,
    CSI_DRIVER = csi_driver::KIND,
    CSI_NODE = csi_node::KIND,
    CSI_STORAGE_CAPACITY = csi_storage_capacity::KIND,
    CUSTOM_RESOURCE_DEFINITION = custom_resource_definition::KIND,
    DAEMON_SET = daemon_set::KIND,
    DEPLOYMENT = deployment::KIND,
    ENDPOINT_SLICE = endpoint_slice::KIND,
    ENDPOINTS = endpoints::KIND,
    EVENT = event::KIND,
    FLOW_SCHEMA = flow_schema::KIND,
    HORIZONTAL_POD_AUTOSCALER = horizontal_pod_autoscaler::KIND,
    IMAGE_BEHAVIOR = image_behavior::KIND,
    INGRESS = ingress::KIND,
    INGRESS_CLASS = ingress_class::KIND,
    IP_ADDRESS = ip_address::KIND,
    JOB = job::KIND,
    LEASE = lease::KIND,
    LIMIT_RANGE = limit_range::KIND,
    MACHINE = machine::KIND,
    MACHINE_POOL = machine_pool::KIND,
    MUTATING_ADMISSION_POLICY = mutating_admission_policy::KIND,
    MUTATING_ADMISSION_POLICY_BINDING = mutating_admission_policy_binding::KIND,
    MUTATING_WEBHOOK_CONFIGURATION = mutating_webhook_configuration::KIND,
    NAMESPACE = namespace::KIND,
    NETWORK_POLICY = network_policy::KIND,
    NETWORK_REQUEST = network_request::KIND,
    NODE = node::KIND,
    PERSISTENT_VOLUME = persistent_volume::KIND,
    PERSISTENT_VOLUME_CLAIM = persistent_volume_claim::KIND,
    PLACEMENT_DECISION = placement_decision::KIND,
    POD = pod::KIND,
    POD_DISRUPTION_BUDGET = pod_disruption_budget::KIND,
    POD_TEMPLATE = pod_template_kind::KIND,
    PRIORITY_CLASS = priority_class::KIND,
    PRIORITY_LEVEL_CONFIGURATION = priority_level_configuration::KIND,
    REPLICA_SET = replica_set::KIND,
    REPLICATION_CONTROLLER = replication_controller::KIND,
    RESOURCE_QUOTA = resource_quota::KIND,
    LOCAL_SUBJECT_ACCESS_REVIEW = review::LOCAL_SUBJECT_ACCESS,
    SELF_SUBJECT_REVIEW = review::SELF_SUBJECT,
    SELF_SUBJECT_ACCESS_REVIEW = review::SELF_SUBJECT_ACCESS,
    SELF_SUBJECT_RULES_REVIEW = review::SELF_SUBJECT_RULES,
    SUBJECT_ACCESS_REVIEW = review::SUBJECT_ACCESS,
    TOKEN_REVIEW = review::TOKEN,
    ROLE = role::KIND,
    ROLE_BINDING = role_binding::KIND,
    RUNTIME_CLASS = runtime_class::KIND,
    SCHEDULING_DECISION = scheduling_decision::KIND,
    SECRET = secret::KIND,
    SERVICE = service::KIND,
    SERVICE_ACCOUNT = service_account::KIND,
    SERVICE_CIDR = service_cidr::KIND,
    STATEFUL_SET = stateful_set::KIND,
    STORAGE_CLASS = storage_class::KIND,
    VALIDATING_ADMISSION_POLICY = validating_admission_policy::KIND,
    VALIDATING_ADMISSION_POLICY_BINDING = validating_admission_policy_binding::KIND,
    VALIDATING_WEBHOOK_CONFIGURATION = validating_webhook_configuration::KIND,
    VOLUME_ATTACHMENT = volume_attachment::KIND,
    VOLUME_ATTRIBUTES_CLASS = volume_attributes_class::KIND,
}

#[cfg(test)]
mod tests;
