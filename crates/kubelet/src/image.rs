//! Names of images, as the kubelet and the runtime read them (`distribution/reference`).

use value::Value;
use value::quantity::Quantity;

use crate::status::digest;

/// The longest name of a repository.
const NAME_MAX: usize = 255;
/// The longest tag.
const TAG_MAX: usize = 128;

/// A name in its long form.
struct Name<'a> {
    /// `docker.io`
    domain: &'a str,
    /// `library/`, which official images are spared; empty for others.
    library: &'static str,
    /// `nginx`
    path: &'a str,
    /// Empty: none.
    tag: &'a str,
    /// `sha256:…`; empty: none.
    digest: &'a str,
}

/// What is wrong with a name, if anything is.
pub(crate) fn check(image: &str) -> Option<String> {
    parse(image).err()
}

/// The repository of an image that ends in this name, such as `nginx` for `docker.io/library/nginx:1.27`.
pub(crate) fn short(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split([':', '@']).next().unwrap_or(last)
}

/// The long form, in which equal images have equal names.
pub(crate) fn canonical(image: &str) -> String {
    match parse(image) {
        Ok(Name { domain, library, path, digest, .. }) if !digest.is_empty() => {
            format!("{domain}/{library}{path}@{digest}")
        }
        Ok(Name { domain, library, path, tag, .. }) => {
            format!("{domain}/{library}{path}:{}", if tag.is_empty() { "latest" } else { tag })
        }
        Err(_) => image.to_owned(),
    }
}

/// What the runtime calls what was pulled.
pub(crate) fn id(image: &str) -> String {
    match parse(image) {
        Ok(Name { domain, library, path, digest: known, .. }) if !known.is_empty() => {
            format!("{domain}/{library}{path}@{known}")
        }
        Ok(Name { domain, library, path, .. }) => format!("{domain}/{library}{path}@sha256:{}", digest(image)),
        Err(_) => format!("{image}@sha256:{}", digest(image)),
    }
}

/// Official images whose programs are a shell or the like, which ends when nobody types.
const SHELLS: [&str; 10] =
    ["alpine", "bash", "busybox", "centos", "debian", "fedora", "golang", "node", "python", "ubuntu"];
/// Official images whose files and ports are known while they run what they come with.
const SERVERS: [(&str, &[i64]); 6] = [
    ("httpd", &[80]),
    ("memcached", &[11211]),
    ("mongo", &[27017]),
    ("nginx", &[80]),
    ("postgres", &[5432]),
    ("redis", &[6379]),
];

pub(crate) fn is_official(image: &str) -> bool {
    parse(image).is_ok_and(|it| it.domain == "docker.io" && (!it.library.is_empty() || it.path.starts_with("library/")))
}

fn runs_its_own(container: &Value) -> bool {
    container.list_at("command").is_empty() && container.list_at("args").is_empty()
}

/// Whether a container runs a shell that nobody types into.
pub(crate) fn is_idle_shell(container: &Value) -> bool {
    let image = container.str_at("image").unwrap_or("");
    let has_stdin = container.get("stdin").and_then(Value::as_bool) == Some(true);
    runs_its_own(container) && !has_stdin && SHELLS.contains(&short(image)) && is_official(image)
}

/// Ports of a well-known server that runs as it comes: nothing is mounted into it that may tell it others.
pub(crate) fn ports(container: &Value) -> Option<&'static [i64]> {
    let image = container.str_at("image").unwrap_or("");
    let is_own = |it: &Value| it.str_at("mountPath").is_some_and(|it| it.starts_with("/var/run/secrets/"));
    let is_plain = runs_its_own(container)
        && container.list_at("volumeMounts").iter().all(is_own)
        && !container
            .list_at("ports")
            .iter()
            .any(|it| it.i64_at("containerPort").is_some_and(|it| it > 0 && !known(image, it)));
    let (_, ports) = SERVERS.iter().find(|(name, _)| *name == short(image) && is_plain && is_official(image))?;
    Some(ports)
}

fn known(image: &str, port: i64) -> bool {
    SERVERS.iter().any(|(name, ports)| *name == short(image) && ports.contains(&port))
}

/// Programs of busybox that manifests are likely to name.
const APPLETS: [&str; 96] = [
    "[",
    "ar",
    "arp",
    "arping",
    "ash",
    "awk",
    "base64",
    "basename",
    "bc",
    "busybox",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "chroot",
    "cksum",
    "clear",
    "cmp",
    "cp",
    "crond",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "dmesg",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "find",
    "free",
    "ftpget",
    "fuser",
    "getopt",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "httpd",
    "id",
    "ifconfig",
    "ip",
    "kill",
    "killall",
    "less",
    "ln",
    "logger",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "more",
    "mount",
    "mv",
    "nc",
    "netstat",
    "nslookup",
    "ping",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sh",
    "sleep",
    "sort",
    "stat",
    "stty",
    "sync",
    "tail",
    "tar",
    "tee",
    "telnet",
    "test",
    "time",
    "timeout",
    "top",
    "touch",
    "tr",
    "traceroute",
    "true",
    "tty",
    "uname",
    "uniq",
    "vi",
    "watch",
    "wc",
    "wget",
];
/// Others of busybox, and such as other images may have.
const OTHERS: [&str; 60] = [
    "adduser",
    "apache2",
    "apk",
    "apt",
    "apt-get",
    "arch",
    "bash",
    "bunzip2",
    "bzip2",
    "cpio",
    "curl",
    "dash",
    "dig",
    "dpkg",
    "fold",
    "git",
    "hexdump",
    "host",
    "hostid",
    "init",
    "install",
    "ionice",
    "iostat",
    "java",
    "jq",
    "link",
    "login",
    "mknod",
    "nice",
    "nginx-debug",
    "nl",
    "node",
    "nohup",
    "npm",
    "nproc",
    "od",
    "openssl",
    "paste",
    "patch",
    "perl",
    "pidof",
    "pgrep",
    "pkill",
    "pip",
    "python",
    "python3",
    "readlink",
    "realpath",
    "renice",
    "ruby",
    "run-parts",
    "setsid",
    "sha256sum",
    "shuf",
    "su",
    "tac",
    "udhcpc",
    "who",
    "whoami",
    "xargs",
];
/// Official images of which it is known what they do not have.
const SMALL: [&str; 8] = ["alpine", "bash", "busybox", "debian", "httpd", "nginx", "redis", "ubuntu"];

/// Whether it is certain that a container has no such program.
pub(crate) fn lacks(container: &Value, program: &str) -> bool {
    let is_mounted = container.list_at("volumeMounts").iter().any(|it| {
        it.str_at("mountPath").is_some_and(|it| !it.starts_with("/var/run/secrets/") && program.starts_with(it))
    });
    !is_mounted && !has(container.str_at("image").unwrap_or(""), program)
}

/// Whether an image leaves it to `args` what runs where no command is given.
pub(crate) fn has_no_entry_point(container: &Value) -> bool {
    let image = container.str_at("image").unwrap_or("");
    matches!(short(image), "alpine" | "busybox" | "debian" | "ubuntu") && is_official(image)
}

/// Whether an image may have a program.
pub(crate) fn has(image: &str, program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    let is_known = SMALL.contains(&short(image)) && is_official(image) && !program.contains('$');
    !is_known
        || APPLETS.contains(&name)
        || OTHERS.contains(&name)
        || name.contains(short(image))
        || name.ends_with(".sh")
}

/// Whether it is known which files a container has.
pub(crate) fn is_well_known(container: &Value) -> bool {
    ports(container).is_some()
}

/// Bytes of memory that the load generator `stress` is told to use.
pub(crate) fn stress(container: &Value) -> Option<i64> {
    let words = container.list_at("command").iter().chain(container.list_at("args"));
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    let is_stress = words.first().is_some_and(|it| it.rsplit('/').next() == Some("stress"))
        || (short(container.str_at("image").unwrap_or("")) == "stress" && !words.is_empty());
    let after = |option: &str| {
        let place = words.iter().position(|it| *it == option)?;
        words.get(place + 1).copied()
    };
    let bytes = after("--vm-bytes").filter(|_| is_stress)?;
    // `stress` counts in powers of two.
    let (number, unit) = bytes.split_at(bytes.trim_end_matches(|it: char| it.is_ascii_alphabetic()).len());
    let unit = if unit.is_empty() || unit == "B" { String::new() } else { format!("{}i", unit.to_uppercase()) };
    let each = Quantity::parse(&format!("{number}{unit}")).ok()?.value();
    let n_workers = after("--vm").or_else(|| after("-m")).and_then(|it| it.parse::<i64>().ok()).unwrap_or(1);
    Some(each.saturating_mul(n_workers))
}

/// `ParseNormalizedNamed`
fn parse(image: &str) -> Result<Name<'_>, String> {
    let invalid = || "invalid reference format".to_owned();
    if image.len() == 64 && image.bytes().all(is_hex) {
        return Err(format!("invalid repository name ({image}), cannot specify 64-byte hexadecimal strings"));
    }
    let (domain, rest) = match image.split_once('/') {
        Some((first, rest)) if is_domain(first) => (if first == "index.docker.io" { "docker.io" } else { first }, rest),
        _ => ("docker.io", image),
    };
    let library = if domain == "docker.io" && !rest.contains('/') { "library/" } else { "" };
    let remote = rest.split(':').next().unwrap_or(rest);
    if remote.chars().any(char::is_uppercase) {
        return Err(format!("invalid reference format: repository name ({library}{remote}) must be lowercase"));
    }
    let (named, digest) = rest.split_once('@').unwrap_or((rest, ""));
    let (path, tag) = named.split_once(':').unwrap_or((named, ""));
    let lacks = (named.len() < rest.len() && digest.is_empty()) || (path.len() < named.len() && tag.is_empty());
    let is_path = path.split('/').all(is_path_part);
    if lacks || !is_path || !is_host(domain) || !(tag.is_empty() || is_tag(tag)) {
        return Err(invalid());
    }
    if library.len() + path.len() > NAME_MAX {
        return Err(format!("repository name must not be more than {NAME_MAX} characters"));
    }
    match digest.split_once(':') {
        _ if digest.is_empty() => (),
        Some((_, hex)) if hex.len() < 32 || !hex.bytes().all(is_hex) => return Err(invalid()),
        Some(("sha256", hex)) if hex.len() != 64 => return Err("invalid checksum digest length".to_owned()),
        Some(("sha256" | "sha384" | "sha512", _)) => (),
        Some(_) => return Err("unsupported digest algorithm".to_owned()),
        None => return Err(invalid()),
    }
    Ok(Name { domain, library, path, tag, digest })
}

fn is_hex(it: u8) -> bool {
    it.is_ascii_digit() || (b'a'..=b'f').contains(&it)
}

/// Whether what stands before the first slash is a host (`splitDockerDomain`).
fn is_domain(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase)
}

fn is_host(domain: &str) -> bool {
    let (host, port) = domain.rsplit_once(':').unwrap_or((domain, "0"));
    let is_port = !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit());
    let is_label = |it: &str| {
        !it.is_empty()
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
            && !it.starts_with('-')
            && !it.ends_with('-')
    };
    let is_v6 = domain.starts_with('[');
    is_v6 || (is_port && host.split('.').all(is_label))
}

/// Letters and digits, between which stand `.`, `_`, `__` or any number of `-`.
fn is_path_part(part: &str) -> bool {
    let is_plain = |it: &u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let bytes = part.as_bytes();
    let is_separator = |it: &[u8]| matches!(it, b"" | b"." | b"_" | b"__") || it.iter().all(|it| *it == b'-');
    bytes.first().is_some_and(is_plain) && bytes.last().is_some_and(is_plain) && bytes.split(is_plain).all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
    tag.len() <= TAG_MAX
        && tag.bytes().enumerate().all(|(idx, it)| is_word(it) || (idx > 0 && matches!(it, b'.' | b'-')))
}

#[cfg(test)]
mod tests {
    use super::{canonical, check};

    #[track_caller]
    fn is(image: &str, expected: &str) {
        let got = check(image).map_or_else(|| canonical(image), |why| format!("! {why}"));
        assert_eq!(got, expected, "{image}");
    }

    #[test]
    fn names_have_a_long_form_or_are_refused_as_the_runtime_refuses_them() {
        is("nginx", "docker.io/library/nginx:latest");
        is("bitnami/redis:7", "docker.io/bitnami/redis:7");
        is("localhost:5000/a/b__c-d.e", "localhost:5000/a/b__c-d.e:latest");
        is("nginx:", "! invalid reference format");
        is("nginx:1:2", "! invalid reference format");
        is("my image", "! invalid reference format");
        is("Nginx:1.27", "! invalid reference format: repository name (library/Nginx) must be lowercase");
        is("nginx@sha256:12", "! invalid reference format");
        is("a/-b", "! invalid reference format");
    }
}
