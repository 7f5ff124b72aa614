//! Nobody gets a client certificate of the cluster's masters by asking
//! (`plugin/pkg/admission/certificates/subjectrestriction`).

use kinds::CERTIFICATE_SIGNING_REQUEST;
use meta::{Object, Status};
use value::base64;

use super::{Request, shown};
use crate::server::ApiServer;

const SIGNER: &str = "kubernetes.io/kube-apiserver-client";
/// An organization of this name, as DER writes it: the attribute's type, and after that of the text its length.
const ORGANIZATION: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x0a];
const MASTERS: &[u8] = b"system:masters";

/// # Errors
/// `Forbidden`
pub(super) fn validate(
    _: &ApiServer,
    request: &Request<'_>,
    object: Option<&Object>,
    _: &mut Vec<String>,
) -> Result<(), Status> {
    let Some(object) = object.filter(|_| request.creates(CERTIFICATE_SIGNING_REQUEST)) else { return Ok(()) };
    if object.str_at("spec.signerName") != Some(SIGNER) || !asks_for_masters(object) {
        return Ok(());
    }
    let why = format!("use of {SIGNER} signer with system:masters group is not allowed");
    Err(request.write.forbidden(shown(object), &why))
}

fn asks_for_masters(object: &Object) -> bool {
    let pem = object.str_at("spec.request").and_then(|it| base64::decode(it).ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&pem);
    let body: String = text.lines().filter(|it| !it.starts_with("-----")).collect();
    let der = base64::decode(&body).unwrap_or_default();
    let name: Vec<u8> = [u8::try_from(MASTERS.len()).unwrap_or(0)].iter().chain(MASTERS).copied().collect();
    der.windows(ORGANIZATION.len() + 1 + name.len()).any(|it| it.starts_with(ORGANIZATION) && it.ends_with(&name))
}
