use expect_test::{Expect, expect};
use sim::{Duration, Instant};

use runtime::Ran;

use super::{Surroundings, exec, program, run};

/// What a script prints within a time, with the second of each line, and how it ends.
#[track_caller]
fn check(script: &str, seconds: u64, expect: Expect) {
    check_in("mine:1", script, seconds, expect);
}

#[track_caller]
fn check_in(image: &str, script: &str, seconds: u64, expect: Expect) {
    let around = Surroundings {
        variables: vec![("NAME".into(), "value".into())],
        files: [("/etc/app/mode".to_owned(), "quick".to_owned())].into(),
        hostname: "pod-1".into(),
        image: image.into(),
        unknown_ends: false,
    };
    let start = Instant::from_secs(1_767_258_000);
    let program = program(&["/bin/sh", "-c", script]).expect("the script is understood");
    let output = run(&program, &around, start, start + Duration::from_secs(seconds), None);
    let mut text: String =
        output.lines.iter().map(|it| format!("{}: {}\n", it.at.since(start).as_secs(), it.text)).collect();
    match (output.end, output.next) {
        (Some(end), _) => text.push_str(&format!("ends after {:?} with {}\n", end.at.since(start), end.code)),
        (None, Some(at)) => text.push_str(&format!("sleeps until {:?}\n", at.since(start))),
        (None, None) => text.push_str("runs for ever\n"),
    }
    expect.assert_eq(&text);
}

#[test]
fn the_hello_of_the_documentation_says_when_and_what() {
    check(
        "date; echo Hello from the Kubernetes cluster",
        60,
        expect![[r#"
        0: Thu Jan  1 09:00:00 UTC 2026
        0: Hello from the Kubernetes cluster
        ends after 0ns with 0
    "#]],
    );
}

#[test]
fn loops_count_and_sleep() {
    check(
        "for i in 9 8 7; do echo $i; sleep 2; done; exit 3",
        60,
        expect![[r#"
        0: 9
        2: 8
        4: 7
        ends after 6s with 3
    "#]],
    );
    check(
        r#"i=0; while true; do echo "$i: $NAME"; i=$((i+1)); sleep 1; done"#,
        2,
        expect![[r#"
        0: 0: value
        1: 1: value
        2: 2: value
        sleeps until 3s
    "#]],
    );
    check(
        "n=3; until [ $n -eq 0 ]; do n=$((n - 1)); done; echo $n done",
        1,
        expect![[r#"
        0: 0 done
        ends after 0ns with 0
    "#]],
    );
}

#[test]
fn a_counter_that_runs_for_a_week_shows_its_last_lines() {
    let around = Surroundings::default();
    let start = Instant::from_secs(1_767_258_000);
    let program = program(&["sh", "-c", "i=0; while true; do echo $i; i=$((i+1)); sleep 1; done"]).unwrap();
    let output = run(&program, &around, start, start + Duration::from_secs(604_800), None);
    assert_eq!(output.lines.last().map(|it| it.text.to_string()), Some("604800".to_owned()));
}

#[test]
fn conditions_pipes_files_and_quotes_work() {
    check(
        r#"if test -f /data/x; then echo no; elif [ "$NAME" = value ]; then echo 'it is $NAME'; fi"#,
        1,
        expect![[r#"
        0: it is $NAME
        ends after 0ns with 0
    "#]],
    );
    check(
        "echo a > /data/f; echo b >> /data/f; cat /data/f | wc -l; cat < /data/f | tail -n 1",
        1,
        expect![[r#"
        0: 2
        0: b
        ends after 0ns with 0
    "#]],
    );
    check(
        "false && echo no || echo yes; echo ${MISSING:-default} $(seq 1 3) $(hostname)",
        1,
        expect![[r#"
        0: yes
        0: default 1 2 3 pod-1
        ends after 0ns with 0
    "#]],
    );
    check(
        "set -e; false; echo never",
        1,
        expect![[r#"
        ends after 0ns with 1
    "#]],
    );
    check(
        "case $NAME in a*) echo a;; v*|w) echo v;; esac; printf '%s-%03d\\n' x 7",
        1,
        expect![[r#"
        0: v
        0: x-007
        ends after 0ns with 0
    "#]],
    );
}

#[test]
fn a_program_that_the_image_lacks_is_not_found() {
    check_in(
        "busybox:1.36",
        "ecoh hello || echo $?; nosuch",
        1,
        expect![[r#"
        0: sh: ecoh: not found
        0: 127
        0: sh: nosuch: not found
        ends after 0ns with 127
    "#]],
    );
}

#[test]
fn a_folder_has_its_own_files_and_pi_its_digits() {
    check(
        "echo x > /tmp/x; ls /etc/app; ls /tmp; ls /none || echo none; printenv NAME; printenv NONE || echo unset",
        1,
        expect![[r#"
            0: mode
            0: x
            0: none
            0: value
            0: unset
            ends after 0ns with 0
        "#]],
    );
    assert_eq!(super::pi::digits(20), "3.1415926535897932385");
    assert!(program(&["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"]).is_some());
    assert!(program(&["perl", "-e", "1"]).is_none());
}

#[test]
fn a_program_that_is_not_known_serves() {
    check(
        "echo starting; exec nginx -g 'daemon off;'",
        100,
        expect![[r#"
        0: starting
        runs for ever
    "#]],
    );
    assert_eq!(program(&["nginx", "-g", "daemon off;"]), None);
}

#[test]
fn no_text_makes_the_shell_panic() {
    let mut rng = sim::Rng::new(7);
    let pieces = [
        "$(", "$((", ")", "))", "\"", "'", "`", "while", "do", "done", ";", "&&", "|", ">", "<", "${", "}", "x=", "if",
        "fi", "\\", "[", "]", "for i in", "1", "é", "%", "\n",
    ];
    for _ in 0..3_000 {
        let script: Vec<&str> = (0..rng.below(12)).map(|_| pieces[rng.below(pieces.len() as u64) as usize]).collect();
        if let Some(it) = program(&["sh", "-c", &script.join(" ")]) {
            run(&it, &Surroundings::default(), Instant::from_secs(1), Instant::from_secs(100), None);
        }
    }
}

/// What a command says that somebody waits for, among a few files and with one program more.
#[track_caller]
fn check_exec(words: &[&str], stdin: &str, expect: Expect) {
    let around = Surroundings { hostname: "pod-1".into(), ..Surroundings::default() };
    let files = [("/etc/hosts", "127.0.0.1\tlocalhost\n10.0.0.7\tpod-1\n"), ("/etc/app/mode", "quick")];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let programs = |name: &str, arguments: &[&str]| {
        let stderr = "busy\n".to_owned();
        (name == "wget").then(|| Ran {
            stdout: format!("page of {}\n", arguments.join(" ")),
            stderr,
            code: 4,
            takes: 3,
        })
    };
    let ran = exec(words, &around, files, stdin, Instant::from_secs(1_767_258_000), &programs);
    expect.assert_eq(&format!("{}--\n{}-- {}\n", ran.stdout, ran.stderr, ran.code));
}

#[test]
fn commands_that_are_waited_for_complain() {
    check_exec(
        &["cat", "/etc/none"],
        "",
        expect![[r#"
            --
            cat: can't open '/etc/none': No such file or directory
            -- 1
        "#]],
    );
    check_exec(
        &["sh", "-c", "cat /none 2>/dev/null || echo no; ls /etc 2>&1; ls /x 2>&1"],
        "",
        expect![[r#"
        no
        app
        hosts
        ls: /x: No such file or directory
        --
        -- 1
    "#]],
    );
    check_exec(
        &["hostname", "-i"],
        "",
        expect![[r#"
        10.0.0.7
        --
        -- 0
    "#]],
    );
    check_exec(
        &["sh", "-c", "for i in 1 2; do wget web/$i; done | sort -r; psql"],
        "",
        expect![[r#"
            page of web/2
            page of web/1
            --
            busy
            busy
            sh: psql: not found (the simulation knows common shell commands, curl, nc, nslookup and wget)
            -- 127
        "#]],
    );
    check_exec(
        &["sh"],
        "cd /etc/app\npwd; cat mode\n",
        expect![[r#"
            /etc/app
            quick
            --
            -- 0
        "#]],
    );
    check_exec(
        &["sleep", "3600"],
        "",
        expect![[r#"
        --
        (it goes on; the simulation waits a minute for a command, and ends it here)
        -- 137
    "#]],
    );
    check_exec(
        &["sh", "-c", "if"],
        "",
        expect![[r#"
        --
        sh: syntax error
        -- 2
    "#]],
    );
    check_exec(
        &["grep", "b"],
        "a\nb\n",
        expect![[r#"
        b
        --
        -- 0
    "#]],
    );
}
