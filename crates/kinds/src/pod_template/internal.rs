//! The shape that pods have inside the API server, where some messages show them: Go's field names in Go's order, nothing left out.

use value::{Map, Str, Value, json};

/// Structs and their fields: `Name:type`, or `Name=field:type` where the field's name is not the same in lower case.
///
/// Types: `s` text, `b` flag, `i` number, `q` amount, `o` number or text, `v` a label selector, `%` map, `m` fields of a map set in
/// place, `?T` pointer, `*T` list, or a struct. `^` marks fields that are the spec's own outside.
const STRUCTS: &[(&str, &str)] = &[
    ("AWSElasticBlockStoreVolumeSource", "VolumeID:s FSType=fsType:s Partition:i ReadOnly:b"),
    ("Affinity", "NodeAffinity:?NodeAffinity PodAffinity:?PodAffinity PodAntiAffinity:?PodAntiAffinity"),
    ("AppArmorProfile", "Type:s LocalhostProfile:?s"),
    ("AzureDiskVolumeSource", "DiskName:s DataDiskURI=diskURI:s CachingMode:?s FSType=fsType:?s ReadOnly:?b Kind:?s"),
    ("AzureFilePersistentVolumeSource", "SecretName:s ShareName:s ReadOnly:b SecretNamespace:?s"),
    ("AzureFileVolumeSource", "SecretName:s ShareName:s ReadOnly:b"),
    (
        "CSIPersistentVolumeSource",
        "Driver:s VolumeHandle:s ReadOnly:b FSType=fsType:s VolumeAttributes:% ControllerPublishSecretRef:?SecretReference NodeStageSecretRef:?SecretReference NodePublishSecretRef:?SecretReference ControllerExpandSecretRef:?SecretReference NodeExpandSecretRef:?SecretReference",
    ),
    ("CSINodeDriver", "Name:s NodeID=nodeID:s TopologyKeys:*s Allocatable:?VolumeNodeResources"),
    (
        "CSIVolumeSource",
        "Driver:s ReadOnly:?b FSType=fsType:?s VolumeAttributes:% NodePublishSecretRef:?LocalObjectReference",
    ),
    ("Capabilities", "Add:*s Drop:*s"),
    ("CephFSPersistentVolumeSource", "Monitors:*s Path:s User:s SecretFile:s SecretRef:?SecretReference ReadOnly:b"),
    ("CephFSVolumeSource", "Monitors:*s Path:s User:s SecretFile:s SecretRef:?LocalObjectReference ReadOnly:b"),
    ("CinderPersistentVolumeSource", "VolumeID:s FSType=fsType:s ReadOnly:b SecretRef:?SecretReference"),
    ("CinderVolumeSource", "VolumeID:s FSType=fsType:s ReadOnly:b SecretRef:?LocalObjectReference"),
    ("ClusterTrustBundleProjection", "Name:?s SignerName:?s LabelSelector:v Optional:?b Path:s"),
    ("ConfigMapEnvSource", "Name:s Optional:?b"),
    ("ConfigMapKeySelector", "Name:s Key:s Optional:?b"),
    ("ConfigMapProjection", "Name:s Items:*KeyToPath Optional:?b"),
    ("ConfigMapVolumeSource", "Name:s Items:*KeyToPath DefaultMode:?i Optional:?b"),
    (
        "Container",
        "Name:s Image:s Command:*s Args:*s WorkingDir:s Ports:*ContainerPort EnvFrom:*EnvFromSource Env:*EnvVar Resources:ResourceRequirements ResizePolicy:*ContainerResizePolicy RestartPolicy:?s RestartPolicyRules:*ContainerRestartRule VolumeMounts:*VolumeMount VolumeDevices:*VolumeDevice LivenessProbe:?Probe ReadinessProbe:?Probe StartupProbe:?Probe Lifecycle:?Lifecycle TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:?SecurityContext Stdin:b StdinOnce:b TTY=tty:b",
    ),
    ("ContainerPort", "Name:s HostPort:i ContainerPort:i Protocol:s HostIP:s"),
    ("ContainerResizePolicy", "ResourceName:s RestartPolicy:s"),
    ("ContainerRestartRule", "Action:s ExitCodes:?ContainerRestartRuleOnExitCodes"),
    ("ContainerRestartRuleOnExitCodes", "Operator:s Values:*i"),
    ("DaemonSetUpdateStrategy", "Type:s RollingUpdate:?RollingUpdateDaemonSet"),
    ("DeploymentStrategy", "Type:s RollingUpdate:?RollingUpdateDeployment"),
    ("DownwardAPIProjection", "Items:*DownwardAPIVolumeFile"),
    ("DownwardAPIVolumeFile", "Path:s FieldRef:?ObjectFieldSelector ResourceFieldRef:?ResourceFieldSelector Mode:?i"),
    ("DownwardAPIVolumeSource", "Items:*DownwardAPIVolumeFile DefaultMode:?i"),
    ("EmptyDirVolumeSource", "Medium:s SizeLimit:?q"),
    ("EnvFromSource", "Prefix:s ConfigMapRef:?ConfigMapEnvSource SecretRef:?SecretEnvSource"),
    ("EnvVar", "Name:s Value:s ValueFrom:?EnvVarSource"),
    (
        "EnvVarSource",
        "FieldRef:?ObjectFieldSelector ResourceFieldRef:?ResourceFieldSelector ConfigMapKeyRef:?ConfigMapKeySelector SecretKeyRef:?SecretKeySelector FileKeyRef:?FileKeySelector",
    ),
    (
        "EphemeralContainer",
        "Name:s Image:s Command:*s Args:*s WorkingDir:s Ports:*ContainerPort EnvFrom:*EnvFromSource Env:*EnvVar Resources:ResourceRequirements ResizePolicy:*ContainerResizePolicy RestartPolicy:?s RestartPolicyRules:*ContainerRestartRule VolumeMounts:*VolumeMount VolumeDevices:*VolumeDevice LivenessProbe:?Probe ReadinessProbe:?Probe StartupProbe:?Probe Lifecycle:?Lifecycle TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:?SecurityContext Stdin:b StdinOnce:b TTY=tty:b TargetContainerName:s",
    ),
    ("EphemeralVolumeSource", "VolumeClaimTemplate:?PersistentVolumeClaimTemplate"),
    ("ExecAction", "Command:*s"),
    ("FCVolumeSource", "TargetWWNs:*s Lun:?i FSType=fsType:s ReadOnly:b WWIDs=wwids:*s"),
    ("FileKeySelector", "VolumeName:s Path:s Key:s Optional:?b"),
    ("FlexPersistentVolumeSource", "Driver:s FSType=fsType:s SecretRef:?SecretReference ReadOnly:b Options:%"),
    ("FlexVolumeSource", "Driver:s FSType=fsType:s SecretRef:?LocalObjectReference ReadOnly:b Options:%"),
    ("FlowDistinguisherMethod", "Type:s"),
    ("FlockerVolumeSource", "DatasetName:s DatasetUUID:s"),
    ("GCEPersistentDiskVolumeSource", "PDName=pdName:s FSType=fsType:s Partition:i ReadOnly:b"),
    ("GRPCAction", "Port:i Service:?s"),
    ("GitRepoVolumeSource", "Repository:s Revision:s Directory:s"),
    ("GlusterfsPersistentVolumeSource", "EndpointsName=endpoints:s Path:s ReadOnly:b EndpointsNamespace:?s"),
    ("GlusterfsVolumeSource", "EndpointsName=endpoints:s Path:s ReadOnly:b"),
    ("HorizontalPodAutoscalerBehavior", "ScaleUp:?HPAScalingRules ScaleDown:?HPAScalingRules"),
    ("HPAScalingRules", "StabilizationWindowSeconds:?i SelectPolicy:?s Policies:*HPAScalingPolicy Tolerance:?q"),
    ("HPAScalingPolicy", "Type:s Value:i PeriodSeconds:i"),
    ("HTTPGetAction", "Path:s Port:o Host:s Scheme:s HTTPHeaders=httpHeaders:*HTTPHeader"),
    ("HTTPHeader", "Name:s Value:s"),
    ("HostAlias", "IP=ip:s Hostnames:*s"),
    ("HostPathVolumeSource", "Path:s Type:?s"),
    (
        "ISCSIPersistentVolumeSource",
        "TargetPortal:s IQN=iqn:s Lun:i ISCSIInterface=iscsiInterface:s FSType=fsType:s ReadOnly:b Portals:*s DiscoveryCHAPAuth=chapAuthDiscovery:b SessionCHAPAuth=chapAuthSession:b SecretRef:?SecretReference InitiatorName:?s",
    ),
    (
        "ISCSIVolumeSource",
        "TargetPortal:s IQN=iqn:s Lun:i ISCSIInterface=iscsiInterface:s FSType=fsType:s ReadOnly:b Portals:*s DiscoveryCHAPAuth=chapAuthDiscovery:b SessionCHAPAuth=chapAuthSession:b SecretRef:?LocalObjectReference InitiatorName:?s",
    ),
    ("ImageVolumeSource", "Reference:s PullPolicy:s"),
    ("KeyToPath", "Key:s Path:s Mode:?i"),
    ("Lifecycle", "PostStart:?LifecycleHandler PreStop:?LifecycleHandler StopSignal:?s"),
    (
        "LifecycleHandler",
        "Exec:?ExecAction HTTPGet=httpGet:?HTTPGetAction TCPSocket=tcpSocket:?TCPSocketAction Sleep:?SleepAction",
    ),
    ("LocalObjectReference", "Name:s"),
    ("LocalVolumeSource", "Path:s FSType=fsType:?s"),
    ("NFSVolumeSource", "Server:s Path:s ReadOnly:b"),
    ("NodeAddress", "Type:s Address:s"),
    (
        "NodeAffinity",
        "RequiredDuringSchedulingIgnoredDuringExecution:?NodeSelector PreferredDuringSchedulingIgnoredDuringExecution:*PreferredSchedulingTerm",
    ),
    ("NodeSelector", "NodeSelectorTerms:*NodeSelectorTerm"),
    ("NodeSelectorRequirement", "Key:s Operator:s Values:*s"),
    ("NodeSelectorTerm", "MatchExpressions:*NodeSelectorRequirement MatchFields:*NodeSelectorRequirement"),
    ("ObjectFieldSelector", "APIVersion=apiVersion:s FieldPath:s"),
    ("ObjectReference", "Kind:s Namespace:s Name:s UID=uid:s APIVersion=apiVersion:s ResourceVersion:s FieldPath:s"),
    ("ParentReference", "Group:s Resource:s Namespace:s Name:s"),
    (
        "PersistentVolumeClaimSpec",
        "AccessModes:*s Selector:v Resources:VolumeResourceRequirements VolumeName:s StorageClassName:?s VolumeMode:?s DataSource:?TypedLocalObjectReference DataSourceRef:?TypedObjectReference VolumeAttributesClassName:?s",
    ),
    ("PersistentVolumeClaimTemplate", "=metadata:m Spec:PersistentVolumeClaimSpec"),
    ("PersistentVolumeClaimVolumeSource", "ClaimName:s ReadOnly:b"),
    (
        "PersistentVolumeSource",
        "GCEPersistentDisk=gcePersistentDisk:?GCEPersistentDiskVolumeSource AWSElasticBlockStore=awsElasticBlockStore:?AWSElasticBlockStoreVolumeSource HostPath:?HostPathVolumeSource Glusterfs:?GlusterfsPersistentVolumeSource NFS=nfs:?NFSVolumeSource RBD=rbd:?RBDPersistentVolumeSource Quobyte:?QuobyteVolumeSource ISCSI=iscsi:?ISCSIPersistentVolumeSource FlexVolume:?FlexPersistentVolumeSource Cinder:?CinderPersistentVolumeSource CephFS=cephfs:?CephFSPersistentVolumeSource FC=fc:?FCVolumeSource Flocker:?FlockerVolumeSource AzureFile:?AzureFilePersistentVolumeSource VsphereVolume:?VsphereVirtualDiskVolumeSource AzureDisk:?AzureDiskVolumeSource PhotonPersistentDisk:?PhotonPersistentDiskVolumeSource PortworxVolume:?PortworxVolumeSource ScaleIO:?ScaleIOPersistentVolumeSource Local:?LocalVolumeSource StorageOS=storageos:?StorageOSPersistentVolumeSource CSI=csi:?CSIPersistentVolumeSource",
    ),
    ("PhotonPersistentDiskVolumeSource", "PdID:s FSType=fsType:s"),
    (
        "PodAffinity",
        "RequiredDuringSchedulingIgnoredDuringExecution:*PodAffinityTerm PreferredDuringSchedulingIgnoredDuringExecution:*WeightedPodAffinityTerm",
    ),
    (
        "PodAffinityTerm",
        "LabelSelector:v Namespaces:*s TopologyKey:s NamespaceSelector:v MatchLabelKeys:*s MismatchLabelKeys:*s",
    ),
    (
        "PodAntiAffinity",
        "RequiredDuringSchedulingIgnoredDuringExecution:*PodAffinityTerm PreferredDuringSchedulingIgnoredDuringExecution:*WeightedPodAffinityTerm",
    ),
    (
        "PodCertificateProjection",
        "SignerName:s KeyType:s MaxExpirationSeconds:?i CredentialBundlePath:s KeyPath:s CertificateChainPath:s UserAnnotations:%",
    ),
    ("PodDNSConfig", "Nameservers:*s Searches:*s Options:*PodDNSConfigOption"),
    ("PodDNSConfigOption", "Name:s Value:?s"),
    ("PodFailurePolicy", "Rules:*PodFailurePolicyRule"),
    ("PodFailurePolicyOnExitCodesRequirement", "ContainerName:?s Operator:s Values:*i"),
    ("PodFailurePolicyOnPodConditionsPattern", "Type:s Status:s"),
    (
        "PodFailurePolicyRule",
        "Action:s OnExitCodes:?PodFailurePolicyOnExitCodesRequirement OnPodConditions:*PodFailurePolicyOnPodConditionsPattern",
    ),
    ("PodDisruptionBudgetSpec", "MinAvailable:?o Selector:v MaxUnavailable:?o UnhealthyPodEvictionPolicy:?s"),
    ("PodOS", "Name:s"),
    ("PodReadinessGate", "ConditionType:s"),
    ("PodResourceClaim", "Name:s ResourceClaimName:?s ResourceClaimTemplateName:?s"),
    ("PodSchedulingGate", "Name:s"),
    ("PodSchedulingGroup", "PodGroupName:?s"),
    (
        "PodSecurityContext",
        "HostNetwork=^hostNetwork:b HostPID=^hostPID:b HostIPC=^hostIPC:b ShareProcessNamespace=^shareProcessNamespace:?b HostUsers=^hostUsers:?b SELinuxOptions=seLinuxOptions:?SELinuxOptions WindowsOptions:?WindowsSecurityContextOptions RunAsUser:?i RunAsGroup:?i RunAsNonRoot:?b SupplementalGroups:*i SupplementalGroupsPolicy:?s FSGroup=fsGroup:?i FSGroupChangePolicy=fsGroupChangePolicy:?s Sysctls:*Sysctl SeccompProfile:?SeccompProfile AppArmorProfile:?AppArmorProfile SELinuxChangePolicy=seLinuxChangePolicy:?s",
    ),
    (
        "PodSpec",
        "Volumes:*Volume InitContainers:*Container Containers:*Container EphemeralContainers:*EphemeralContainer RestartPolicy:s TerminationGracePeriodSeconds:?i ActiveDeadlineSeconds:?i DNSPolicy=dnsPolicy:s NodeSelector:% ServiceAccountName:s AutomountServiceAccountToken:?b NodeName:s SecurityContext:?PodSecurityContext ImagePullSecrets:*LocalObjectReference Hostname:s Subdomain:s SetHostnameAsFQDN:?b Affinity:?Affinity SchedulerName:s Tolerations:*Toleration HostAliases:*HostAlias PriorityClassName:s Priority:?i PreemptionPolicy:?s DNSConfig=dnsConfig:?PodDNSConfig ReadinessGates:*PodReadinessGate RuntimeClassName:?s Overhead:% EnableServiceLinks:?b TopologySpreadConstraints:*TopologySpreadConstraint OS=os:?PodOS SchedulingGates:*PodSchedulingGate ResourceClaims:*PodResourceClaim Resources:?ResourceRequirements HostnameOverride:?s SchedulingGroup:?PodSchedulingGroup",
    ),
    ("PodTemplateSpec", "=metadata:m Spec:PodSpec"),
    ("PortworxVolumeSource", "VolumeID:s FSType=fsType:s ReadOnly:b"),
    ("PreferredSchedulingTerm", "Weight:i Preference:NodeSelectorTerm"),
    (
        "Probe",
        "Exec:?ExecAction HTTPGet=httpGet:?HTTPGetAction TCPSocket=tcpSocket:?TCPSocketAction GRPC=grpc:?GRPCAction InitialDelaySeconds:i TimeoutSeconds:i PeriodSeconds:i SuccessThreshold:i FailureThreshold:i TerminationGracePeriodSeconds:?i",
    ),
    ("ProjectedVolumeSource", "Sources:*VolumeProjection DefaultMode:?i"),
    ("QuobyteVolumeSource", "Registry:s Volume:s ReadOnly:b User:s Group:s Tenant:s"),
    (
        "RBDPersistentVolumeSource",
        "CephMonitors=monitors:*s RBDImage=image:s FSType=fsType:s RBDPool=pool:s RadosUser=user:s Keyring:s SecretRef:?SecretReference ReadOnly:b",
    ),
    (
        "RBDVolumeSource",
        "CephMonitors=monitors:*s RBDImage=image:s FSType=fsType:s RBDPool=pool:s RadosUser=user:s Keyring:s SecretRef:?LocalObjectReference ReadOnly:b",
    ),
    ("ResourceClaim", "Name:s Request:s"),
    ("ResourceFieldSelector", "ContainerName:s Resource:s Divisor:q"),
    ("ResourceRequirements", "Limits:% Requests:% Claims:*ResourceClaim"),
    ("RoleRef", "APIGroup=apiGroup:s Kind:s Name:s"),
    ("RollingUpdateDaemonSet", "MaxUnavailable:o MaxSurge:o"),
    ("RollingUpdateDeployment", "MaxUnavailable:o MaxSurge:o"),
    ("RollingUpdateStatefulSetStrategy", "Partition:i MaxUnavailable:?o"),
    ("SELinuxOptions", "User:s Role:s Type:s Level:s"),
    (
        "ScaleIOPersistentVolumeSource",
        "Gateway:s System:s SecretRef:?SecretReference SSLEnabled=sslEnabled:b ProtectionDomain:s StoragePool:s StorageMode:s VolumeName:s FSType=fsType:s ReadOnly:b",
    ),
    (
        "ScaleIOVolumeSource",
        "Gateway:s System:s SecretRef:?LocalObjectReference SSLEnabled=sslEnabled:b ProtectionDomain:s StoragePool:s StorageMode:s VolumeName:s FSType=fsType:s ReadOnly:b",
    ),
    ("ScopeSelector", "MatchExpressions:*ScopedResourceSelectorRequirement"),
    ("ScopedResourceSelectorRequirement", "ScopeName:s Operator:s Values:*s"),
    ("SeccompProfile", "Type:s LocalhostProfile:?s"),
    ("SecretEnvSource", "Name:s Optional:?b"),
    ("SecretKeySelector", "Name:s Key:s Optional:?b"),
    ("SecretProjection", "Name:s Items:*KeyToPath Optional:?b"),
    ("SecretReference", "Name:s Namespace:s"),
    ("SecretVolumeSource", "SecretName:s Items:*KeyToPath DefaultMode:?i Optional:?b"),
    (
        "SecurityContext",
        "Capabilities:?Capabilities Privileged:?b SELinuxOptions=seLinuxOptions:?SELinuxOptions WindowsOptions:?WindowsSecurityContextOptions RunAsUser:?i RunAsGroup:?i RunAsNonRoot:?b ReadOnlyRootFilesystem:?b AllowPrivilegeEscalation:?b ProcMount:?s SeccompProfile:?SeccompProfile AppArmorProfile:?AppArmorProfile",
    ),
    ("ServiceAccountTokenProjection", "Audience:s ExpirationSeconds:i Path:s"),
    ("ServiceCIDRSpec", "CIDRs=cidrs:*s"),
    ("SleepAction", "Seconds:i"),
    ("StatefulSetUpdateStrategy", "Type:s RollingUpdate:?RollingUpdateStatefulSetStrategy"),
    (
        "StorageOSPersistentVolumeSource",
        "VolumeName:s VolumeNamespace:s FSType=fsType:s ReadOnly:b SecretRef:?ObjectReference",
    ),
    (
        "StorageOSVolumeSource",
        "VolumeName:s VolumeNamespace:s FSType=fsType:s ReadOnly:b SecretRef:?LocalObjectReference",
    ),
    ("SuccessPolicy", "Rules:*SuccessPolicyRule"),
    ("SuccessPolicyRule", "SucceededIndexes:?s SucceededCount:?i"),
    ("Sysctl", "Name:s Value:s"),
    ("TCPSocketAction", "Port:o Host:s"),
    ("Taint", "Key:s Value:s Effect:s TimeAdded:?s"),
    ("Toleration", "Key:s Operator:s Value:s Effect:s TolerationSeconds:?i"),
    (
        "TopologySpreadConstraint",
        "MaxSkew:i TopologyKey:s WhenUnsatisfiable:s LabelSelector:v MinDomains:?i NodeAffinityPolicy:?s NodeTaintsPolicy:?s MatchLabelKeys:*s",
    ),
    ("TypedLocalObjectReference", "APIGroup=apiGroup:?s Kind:s Name:s"),
    ("TypedObjectReference", "APIGroup=apiGroup:?s Kind:s Name:s Namespace:?s"),
    (
        "Volume",
        "Name:s HostPath:?HostPathVolumeSource EmptyDir:?EmptyDirVolumeSource GCEPersistentDisk=gcePersistentDisk:?GCEPersistentDiskVolumeSource AWSElasticBlockStore=awsElasticBlockStore:?AWSElasticBlockStoreVolumeSource GitRepo:?GitRepoVolumeSource Secret:?SecretVolumeSource NFS=nfs:?NFSVolumeSource ISCSI=iscsi:?ISCSIVolumeSource Glusterfs:?GlusterfsVolumeSource PersistentVolumeClaim:?PersistentVolumeClaimVolumeSource RBD=rbd:?RBDVolumeSource Quobyte:?QuobyteVolumeSource FlexVolume:?FlexVolumeSource Cinder:?CinderVolumeSource CephFS=cephfs:?CephFSVolumeSource Flocker:?FlockerVolumeSource DownwardAPI:?DownwardAPIVolumeSource FC=fc:?FCVolumeSource AzureFile:?AzureFileVolumeSource ConfigMap:?ConfigMapVolumeSource VsphereVolume:?VsphereVirtualDiskVolumeSource AzureDisk:?AzureDiskVolumeSource PhotonPersistentDisk:?PhotonPersistentDiskVolumeSource Projected:?ProjectedVolumeSource PortworxVolume:?PortworxVolumeSource ScaleIO:?ScaleIOVolumeSource StorageOS=storageos:?StorageOSVolumeSource CSI=csi:?CSIVolumeSource Ephemeral:?EphemeralVolumeSource Image:?ImageVolumeSource",
    ),
    ("VolumeDevice", "Name:s DevicePath:s"),
    ("VolumeMount", "Name:s ReadOnly:b RecursiveReadOnly:?s MountPath:s SubPath:s MountPropagation:?s SubPathExpr:s"),
    ("UncountedTerminatedPods", "Succeeded:*s Failed:*s"),
    (
        "VolumeProjection",
        "Secret:?SecretProjection DownwardAPI:?DownwardAPIProjection ConfigMap:?ConfigMapProjection ServiceAccountToken:?ServiceAccountTokenProjection ClusterTrustBundle:?ClusterTrustBundleProjection PodCertificate:?PodCertificateProjection",
    ),
    ("VolumeAttachmentSource", "PersistentVolumeName:?s InlineVolumeSpec:v"),
    ("VolumeAttachmentSpec", "Attacher:s Source:VolumeAttachmentSource NodeName:s"),
    ("VolumeNodeAffinity", "Required:?NodeSelector"),
    ("VolumeNodeResources", "Count:?i"),
    ("VolumeResourceRequirements", "Limits:% Requests:%"),
    ("VsphereVirtualDiskVolumeSource", "VolumePath:s FSType=fsType:s StoragePolicyName:s StoragePolicyID:s"),
    ("WeightedPodAffinityTerm", "Weight:i PodAffinityTerm:PodAffinityTerm"),
    (
        "WindowsSecurityContextOptions",
        "GMSACredentialSpecName=gmsaCredentialSpecName:?s GMSACredentialSpec=gmsaCredentialSpec:?s RunAsUserName:?s HostProcess:?b",
    ),
];

/// How deep structs are inside each other at most; they are no deeper by construction.
const DEPTH_MAX: usize = 32;

/// A tree written as Go's JSON of the struct `name`; lines and indents of one space where `pretty`.
struct Writer<'a> {
    out: Vec<u8>,
    pretty: bool,
    depth: usize,
    /// Holds what the `^` fields are taken from.
    spec: &'a Map,
}

/// The bad value of a message: upstream shows the struct inside, and not what the user wrote.
pub(crate) fn bad_value(tree: &Map, name: &str) -> Value {
    let mut writer = Writer { out: Vec::new(), pretty: false, depth: 0, spec: tree };
    writer.fields(tree, name);
    // A decimal is shown as its text, which is what a message needs of ready-made JSON.
    Value::Decimal(Str::from(String::from_utf8_lossy(&writer.out).as_ref()))
}

/// As [`bad_value`], of a label selector, which is the same inside and outside.
pub(crate) fn bad_selector(selector: &Map) -> Value {
    let none = Map::new();
    let mut writer = Writer { out: Vec::new(), pretty: false, depth: 0, spec: &none };
    writer.selector(selector);
    Value::Decimal(Str::from(String::from_utf8_lossy(&writer.out).as_ref()))
}

/// As [`bad_value`], of a list of structs.
pub(crate) fn bad_list(items: &[Value], name: &str) -> Value {
    let none = Map::new();
    let mut writer = Writer { out: Vec::new(), pretty: false, depth: 0, spec: &none };
    writer.items(items, name);
    Value::Decimal(Str::from(String::from_utf8_lossy(&writer.out).as_ref()))
}

/// The struct `name` on many lines, as differences are shown.
pub(crate) fn pretty(tree: &Map, name: &str) -> String {
    let mut writer = Writer { out: Vec::new(), pretty: true, depth: 0, spec: tree };
    writer.fields(tree, name);
    String::from_utf8_lossy(&writer.out).into_owned()
}

impl Writer<'_> {
    fn line(&mut self) {
        if self.pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + self.depth, b' ');
        }
    }

    fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.depth += 1;
    }

    fn close(&mut self, bracket: u8, empty: bool) {
        self.depth -= 1;
        if !empty {
            self.line();
        }
        self.out.push(bracket);
    }

    fn key(&mut self, first: &mut bool, key: &str) {
        if !std::mem::replace(first, false) {
            self.out.push(b',');
        }
        self.line();
        self.text(key);
        self.out.extend_from_slice(if self.pretty { b": " } else { b":" });
    }

    fn text(&mut self, text: &str) {
        json::write_str(text, &mut self.out);
    }

    fn fields(&mut self, tree: &Map, name: &str) {
        let Some((_, fields)) = STRUCTS.iter().find(|(it, _)| *it == name).filter(|_| self.depth < DEPTH_MAX) else {
            return self.plain(&Value::from(tree));
        };
        let mut first = true;
        self.open(b'{');
        for field in fields.split(' ') {
            let Some((names, kind)) = field.split_once(':') else { continue };
            let (shown, own) = names.split_once('=').unwrap_or((names, ""));
            if kind == "m" {
                for (key, value) in tree.get(own).and_then(Value::as_map).into_iter().flat_map(Map::iter) {
                    self.key(&mut first, key);
                    self.plain(value);
                }
                continue;
            }
            let value = match own.strip_prefix('^') {
                Some(own) => self.spec.get(own).cloned(),
                None if own.is_empty() => tree.get(&lower_first(shown)).cloned(),
                None => tree.get(own).cloned(),
            };
            self.key(&mut first, shown);
            self.value(value.as_ref(), kind);
        }
        self.close(b'}', first);
    }

    fn value(&mut self, value: Option<&Value>, kind: &str) {
        let value = value.filter(|it| !it.is_null());
        match (value, kind.as_bytes().first()) {
            (None, Some(b'?' | b'*' | b'%' | b'v')) => self.out.extend_from_slice(b"null"),
            (_, Some(b'?')) => self.value(value, &kind[1..]),
            (Some(Value::List(items)), Some(b'*')) => self.items(items, &kind[1..]),
            (None, _) => match kind {
                "s" => self.text(""),
                "b" => self.out.extend_from_slice(b"false"),
                "i" | "o" => self.out.push(b'0'),
                "q" => self.text("0"),
                name => self.fields(&Map::new(), name),
            },
            (Some(Value::Map(map)), _) if kind == "v" => self.selector(map),
            (Some(Value::Map(map)), _) if kind != "%" => self.fields(map, kind),
            (Some(value), _) => self.plain(value),
        }
    }

    /// Labels come before expressions.
    fn selector(&mut self, selector: &Map) {
        let mut first = true;
        self.open(b'{');
        for key in ["matchLabels", "matchExpressions"] {
            if let Some(value) = selector.get(key).filter(|it| !it.is_null()) {
                self.key(&mut first, key);
                self.plain(value);
            }
        }
        self.close(b'}', first);
    }

    fn items(&mut self, items: &[Value], kind: &str) {
        self.open(b'[');
        for (idx, item) in items.iter().enumerate() {
            if idx > 0 {
                self.out.push(b',');
            }
            self.line();
            self.value(Some(item), kind);
        }
        self.close(b']', items.is_empty());
    }

    fn plain(&mut self, value: &Value) {
        match value {
            Value::Map(map) if self.depth < DEPTH_MAX => {
                let mut first = true;
                self.open(b'{');
                for (key, value) in map.iter() {
                    self.key(&mut first, key);
                    self.plain(value);
                }
                self.close(b'}', first);
            }
            Value::List(items) if self.depth < DEPTH_MAX => {
                self.open(b'[');
                for (idx, item) in items.iter().enumerate() {
                    if idx > 0 {
                        self.out.push(b',');
                    }
                    self.line();
                    self.plain(item);
                }
                self.close(b']', items.is_empty());
            }
            Value::Str(text) => self.text(text),
            other => json::write(other, &mut self.out),
        }
    }
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(chars).collect()
}
