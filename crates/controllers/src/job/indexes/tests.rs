use std::collections::BTreeSet;

use expect_test::{Expect, expect};

use super::Intervals;

#[track_caller]
fn check(text: &str, end: i64, shown: Expect) {
    let set = Intervals::parse(text, end);
    shown.assert_eq(&format!("{set}: {} numbers, first missing {:?}", set.total(), set.first_missing(3, end)));
}

#[test]
fn intervals_are_read_and_shown() {
    check("", 5, expect![": 0 numbers, first missing [0, 1, 2]"]);
    check("0-2,4", 6, expect!["0-2,4: 4 numbers, first missing [3, 5]"]);
    check("1,2,3", 9, expect!["1-3: 3 numbers, first missing [0, 4, 5]"]);
    check("2,3", 9, expect!["2,3: 2 numbers, first missing [0, 1, 4]"]);
    check("3-20", 5, expect!["3,4: 2 numbers, first missing [0, 1, 2]"]);
    check("x,1-y,2", 4, expect!["2: 1 numbers, first missing [0, 1, 3]"]);
}

#[test]
fn sets_are_joined_and_compared() {
    let a = Intervals::parse("0-2,8", 20);
    let b = Intervals::parse("2-4,6", 20);
    assert_eq!(a.merged(&b).to_string(), "0-4,6,8");
    assert_eq!(a.n_common(&b), 1);
    assert_eq!(a.with(&BTreeSet::from([3, 7])).to_string(), "0-3,7,8");
}
