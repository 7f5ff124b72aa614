use super::{Site, sealed};

/// Files as `name: text`, one a line; hashes shortened to `#`.
#[track_caller]
fn check(before: &str, after: &str) {
    let site = before.lines().filter_map(|it| it.trim().split_once(": ")).collect::<Vec<_>>();
    let site = site.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect::<Site>();
    let text = match sealed(site) {
        Ok(site) => {
            let line = |(name, bytes): (String, Vec<u8>)| format!("{name}: {}", String::from_utf8_lossy(&bytes));
            site.into_iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Err(error) => error,
    };
    let after = after.lines().map(str::trim).filter(|it| !it.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(without_hashes(&text), after);
}

fn without_hashes(text: &str) -> String {
    let mut res = String::new();
    for part in text.split_inclusive('-') {
        let is_hash = part.len() > 16 && part.as_bytes()[..16].iter().all(u8::is_ascii_hexdigit);
        res.push_str(if is_hash { "#" } else { "" });
        res.push_str(if is_hash { &part[16..] } else { part });
    }
    res
}

#[test]
fn references_follow_the_new_names() {
    check(
        r#"index.html: <script src="./boot.js"></script>
           boot.js: import init from "./app.js";
           app.js: new URL('app_bg.wasm', import.meta.url)
           app_bg.wasm: code"#,
        r#"app-#.js: new URL('app_bg-#.wasm', import.meta.url)
           app_bg-#.wasm: code
           boot-#.js: import init from "./app-#.js";
           index.html: <script src="./boot-#.js"></script>"#,
    );
}

#[test]
fn a_word_that_only_contains_a_name_stays() {
    check(
        r#"a.js: "my-b.js" "b.json" b.js
           b.js: 1"#,
        r#"a-#.js: "my-b.js" "b.json" b.js
           b-#.js: 1"#,
    );
}

#[test]
fn a_changed_leaf_renames_all_above_it() {
    let site = |leaf: &str| {
        Site::from([("a.js".to_owned(), b"'./b.js'".to_vec()), ("b.js".to_owned(), leaf.as_bytes().to_vec())])
    };
    let names = |leaf| sealed(site(leaf)).map(|it| it.into_keys().collect::<Vec<_>>());
    let (one, two) = (names("1").unwrap(), names("2").unwrap());
    assert!(one.iter().all(|it| !two.contains(it)), "{one:?} {two:?}");
}

#[test]
fn a_circle_is_refused() {
    check(
        "a.js: './b.js'\nb.js: './a.js'",
        "files that refer to each other cannot be named by their contents: a.js, b.js",
    );
}

#[test]
fn stable_names_stay_and_may_be_referred_to_in_a_circle() {
    check("index.html: './sw.js'\nsw.js: './index.html'", "index.html: './sw.js'\nsw.js: './index.html'");
}
