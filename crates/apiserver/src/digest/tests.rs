use super::{base64_url, from_base64_url, hex, sha256};

#[test]
fn hashes_are_those_of_the_standard() {
    let check = |text: &str, expect: &str| assert_eq!(hex(&sha256(text.as_bytes())), expect);
    check("", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855");
    check("abc", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
    check(
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248D6A61D20638B8E5C026930C3E6039A33CE45964FF2167F6ECEDD419DB06C1",
    );
}

#[test]
fn base64_comes_back() {
    for text in ["", "f", "fo", "foo", "foob", "\u{ff}\u{fe}>>??"] {
        assert_eq!(from_base64_url(&base64_url(text.as_bytes())), Ok(text.as_bytes().to_vec()));
    }
    assert_eq!(from_base64_url("a+"), Err("illegal base64 data at input byte 1".to_owned()));
}
