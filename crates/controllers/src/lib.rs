//! The controllers, one file each, and the one list of them.
//!
//! Know nothing of each other: each brings its objects to their desired state through the API alone.

mod claim;
mod conditions;
mod cron_job;
mod daemonset;
mod deployment;
mod disruption;
mod endpoint_slice;
mod endpoint_slice_mirroring;
mod endpoints;
mod ephemeral_volumes;
mod event_ttl;
mod garbage_collector;
mod hash;
mod horizontal_pod_autoscaler;
mod ingress;
mod job;
mod load_balancer;
mod machine_pool;
mod namespace;
mod node_lifecycle;
mod node_ttl;
mod pod_gc;
mod pods;
mod replica_set;
mod resource_quota;
mod revision;
mod service_account;
mod service_account_tokens;
mod service_cidr;
mod services;
mod stateful_set;
mod taint_eviction;
mod ttl_after_finished;
mod volume_binder;
mod volume_expansion;
mod volume_protection;
mod volume_provisioner;

use meta::KindId;
use runtime::{Actor, Controller, Reconciler};

pub use self::daemonset::{Verdict, verdicts};

/// Every controller and the name under which it records events, in the order in which a turn lets them work.
///
/// Add-ons are what clusters have beside a control plane: metrics of pods, load balancers, an Ingress controller and a
/// provisioner of volumes.
pub fn all(kinds: Vec<KindId>, with_add_ons: bool) -> Vec<(Box<dyn Actor>, &'static str)> {
    let all_kinds = kinds.clone();
    let mut all = vec![
        controller(cron_job::CronJobs::default(), "cronjob-controller"),
        controller(daemonset::DaemonSets::default(), "daemonset-controller"),
        controller(deployment::Deployments, "deployment-controller"),
        controller(disruption::Budgets, "controllermanager"),
        controller(disruption::StaleDisruptions, "controllermanager"),
        controller(endpoints::Endpoints::default(), "endpoint-controller"),
        controller(endpoint_slice::EndpointSlices::default(), "endpoint-slice-controller"),
        controller(endpoint_slice_mirroring::Mirroring, "endpoint-slice-mirroring-controller"),
        controller(ephemeral_volumes::EphemeralVolumes, "ephemeral_volume"),
        (Box::new(event_ttl::EventTtl::default()), "event-ttl"),
        (Box::new(garbage_collector::GarbageCollector::new(kinds)), "garbage-collector-controller"),
        controller(horizontal_pod_autoscaler::HorizontalPodAutoscalers::new(with_add_ons), "horizontal-pod-autoscaler"),
        controller(job::Jobs::default(), "job-controller"),
        controller(machine_pool::MachinePools, "machinepool-controller"),
        controller(namespace::Namespaces, "namespace-controller"),
        controller(node_lifecycle::NodeLifecycle::default(), "node-controller"),
        controller(node_ttl::NodeTtl::default(), "ttl-controller"),
        controller(volume_binder::Volumes, "persistentvolume-controller"),
        controller(volume_binder::Claims, "persistentvolume-controller"),
        controller(volume_protection::VOLUMES, "pv-protection-controller"),
        controller(volume_protection::CLAIMS, "pvc-protection-controller"),
        controller(volume_protection::CLASSES, "vac-protection-controller"),
        controller(volume_expansion::Expansion, "volume_expand"),
        controller(pod_gc::PodGc::default(), "pod-garbage-collector"),
        controller(replica_set::ReplicaSets(replica_set::REPLICA_SETS), "replicaset-controller"),
        controller(replica_set::ReplicaSets(replica_set::REPLICATION_CONTROLLERS), "replication-controller"),
        controller(resource_quota::ResourceQuotas(all_kinds), "resourcequota-controller"),
        controller(service_account::RootCa, "root-ca-cert-publisher"),
        controller(service_account::ServiceAccounts, "serviceaccount-controller"),
        controller(service_account_tokens::Tokens, "serviceaccount-token-controller"),
        controller(service_cidr::ServiceCidrs, "service-cidr-controller"),
        controller(service_cidr::AddressRepair, "ipallocator-repair-controller"),
        controller(stateful_set::StatefulSets, "statefulset-controller"),
        controller(taint_eviction::TaintEviction::default(), "taint-eviction-controller"),
        controller(ttl_after_finished::TtlAfterFinished, "ttl-after-finished-controller"),
    ];
    if with_add_ons {
        all.push(controller(ingress::Ingresses, ingress::EVENT_SOURCE));
        all.push(controller(load_balancer::LoadBalancers, load_balancer::EVENT_SOURCE));
        all.push(controller(volume_provisioner::Provisioner, volume_provisioner::NAME));
    }
    all
}

fn controller(reconciler: impl Reconciler + 'static, event_source: &'static str) -> (Box<dyn Actor>, &'static str) {
    (Box::new(Controller::new(Box::new(reconciler))), event_source)
}
