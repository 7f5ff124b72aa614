//! One file per built-in kind: its names, columns, defaults and rules.
//!
//! Knows nothing of requests or of other objects: what needs those is admission, in `apiserver`.

mod columns;
mod conditions;
mod kind;
pub mod object_meta;
pub mod path;
pub mod quota;
mod registry;

use meta::KindId;

pub use self::columns::duration;
pub use self::kind::{
    Cell, Column, Context, Kind, Scope, SelectableField, Served, Strategy, Subresource, Verbs, api_version,
    keep_status, label_name, path_segment_name, spec_changed, subdomain_name,
};
pub use cron::parse_duration;

pub use self::registry::{Registry, ServedKind};

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
mod ip_address;
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
mod service_cidr;
mod stateful_set;
mod storage_class;
mod validating_admission_policy;
mod validating_admission_policy_binding;
mod validating_webhook_configuration;
mod volume_attachment;
mod volume_attributes_class;
mod workload;

/// Declares the id of every kind and the list of all, in one place.
macro_rules! kinds {
    ($($id:ident = $module:ident::$make:ident),* $(,)?) => {
        kinds!(@ids 0u16; $($id)*);

        /// Every built-in kind; its place in the list is its id.
        pub fn all() -> Vec<Kind> {
            vec![$(Kind { id: $id, ..$module::$make() }),*]
        }
    };
    (@ids $n:expr; $id:ident $($rest:ident)*) => {
        pub const $id: KindId = KindId($n);
        kinds!(@ids $n + 1; $($rest)*);
    };
    (@ids $n:expr;) => {};
}

kinds! {
    API_REQUEST = api_request::kind,
    API_SERVICE = api_service::kind,
    BINDING = binding::kind,
    CERTIFICATE_SIGNING_REQUEST = certificate_signing_request::kind,
    CLOCK = clock::kind,
    CLUSTER_ROLE = cluster_role::kind,
    CLUSTER_ROLE_BINDING = cluster_role_binding::kind,
    COMPONENT = component::kind,
    COMPONENT_STATUS = component_status::kind,
    CONFIG_MAP = config_map::kind,
    CONTROLLER_REVISION = controller_revision::kind,
    CRON_JOB = cron_job::kind,
    CSI_DRIVER = csi_driver::kind,
    CSI_NODE = csi_node::kind,
    CSI_STORAGE_CAPACITY = csi_storage_capacity::kind,
    CUSTOM_RESOURCE_DEFINITION = custom_resource_definition::kind,
    DAEMON_SET = daemon_set::kind,
    DEPLOYMENT = deployment::kind,
    ENDPOINT_SLICE = endpoint_slice::kind,
    ENDPOINTS = endpoints::kind,
    EVENT = event::kind,
    FLOW_SCHEMA = flow_schema::kind,
    HORIZONTAL_POD_AUTOSCALER = horizontal_pod_autoscaler::kind,
    IMAGE_BEHAVIOR = image_behavior::kind,
    INGRESS = ingress::kind,
    INGRESS_CLASS = ingress_class::kind,
    IP_ADDRESS = ip_address::kind,
    JOB = job::kind,
    LEASE = lease::kind,
    LIMIT_RANGE = limit_range::kind,
    MACHINE = machine::kind,
    MACHINE_POOL = machine_pool::kind,
    MUTATING_ADMISSION_POLICY = mutating_admission_policy::kind,
    MUTATING_ADMISSION_POLICY_BINDING = mutating_admission_policy_binding::kind,
    MUTATING_WEBHOOK_CONFIGURATION = mutating_webhook_configuration::kind,
    NAMESPACE = namespace::kind,
    NETWORK_POLICY = network_policy::kind,
    NETWORK_REQUEST = network_request::kind,
    NODE = node::kind,
    PERSISTENT_VOLUME = persistent_volume::kind,
    PERSISTENT_VOLUME_CLAIM = persistent_volume_claim::kind,
    PLACEMENT_DECISION = placement_decision::kind,
    POD = pod::kind,
    POD_DISRUPTION_BUDGET = pod_disruption_budget::kind,
    POD_TEMPLATE = pod_template_kind::kind,
    PRIORITY_CLASS = priority_class::kind,
    PRIORITY_LEVEL_CONFIGURATION = priority_level_configuration::kind,
    REPLICA_SET = replica_set::kind,
    REPLICATION_CONTROLLER = replication_controller::kind,
    RESOURCE_QUOTA = resource_quota::kind,
    LOCAL_SUBJECT_ACCESS_REVIEW = review::local_subject_access,
    SELF_SUBJECT_REVIEW = review::self_subject,
    SELF_SUBJECT_ACCESS_REVIEW = review::self_subject_access,
    SELF_SUBJECT_RULES_REVIEW = review::self_subject_rules,
    SUBJECT_ACCESS_REVIEW = review::subject_access,
    TOKEN_REVIEW = review::token,
    ROLE = role::kind,
    ROLE_BINDING = role_binding::kind,
    RUNTIME_CLASS = runtime_class::kind,
    SCHEDULING_DECISION = scheduling_decision::kind,
    SECRET = secret::kind,
    SERVICE = service::kind,
    SERVICE_ACCOUNT = service_account::kind,
    SERVICE_CIDR = service_cidr::kind,
    STATEFUL_SET = stateful_set::kind,
    STORAGE_CLASS = storage_class::kind,
    VALIDATING_ADMISSION_POLICY = validating_admission_policy::kind,
    VALIDATING_ADMISSION_POLICY_BINDING = validating_admission_policy_binding::kind,
    VALIDATING_WEBHOOK_CONFIGURATION = validating_webhook_configuration::kind,
    VOLUME_ATTACHMENT = volume_attachment::kind,
    VOLUME_ATTRIBUTES_CLASS = volume_attributes_class::kind,
}

#[cfg(test)]
mod tests;
