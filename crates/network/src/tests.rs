use expect_test::{Expect, expect};

use crate::{Url, address};

#[track_caller]
fn check(text: &str, expect: Expect) {
    expect.assert_eq(&match Url::parse(text) {
        Ok(Url { is_tls, host, port, path }) => format!("{host} {port} {path}{}", if is_tls { " TLS" } else { "" }),
        Err(why) => why,
    });
}

#[test]
fn clients_take_what_is_no_whole_url() {
    check("web", expect!["web 80 /"]);
    check("web:8080/a?b=c#d", expect!["web 8080 /a?b=c"]);
    check("https://user@web.example.com", expect!["web.example.com 443 / TLS"]);
    check("http://[fd00::7]:81?x", expect!["fd00::7 81 /?x"]);
    check("fd00::7", expect!["fd00::7 80 /"]);
    check("ftp://web", expect!["the scheme ftp is not simulated: only http and https are"]);
    check("http://web:70000", expect![[r#""70000" is no port"#]]);
    check("http:///x", expect![[r#""http:///x" names no host"#]]);
}

#[test]
fn blocks_hold_the_addresses_that_begin_alike() {
    let is_in = |ip: &str, block: &str| address::is_in(ip.parse().expect("an address"), block);
    let rows = ["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "10.1.2.4/32", "10.1.2.3", "fd00::/8", "10.0.0.0/x"];
    let row: Vec<String> = rows.iter().map(|it| format!("{it} {}", is_in("10.1.2.3", it))).collect();
    expect![[r#"
        10.0.0.0/8 true
        0.0.0.0/0 true
        10.1.2.3/32 true
        10.1.2.4/32 false
        10.1.2.3 true
        fd00::/8 false
        10.0.0.0/x false"#]]
    .assert_eq(&row.join("\n"));
}
